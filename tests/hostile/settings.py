"""The readers of what people write to steer a study: settings, cards, carriers, lists of splits, settings as JSON."""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from sfigf.cards import load_card, load_carriers
from sfigf.config import Study, kept, load_effective, load_settings, write_effective
from sfigf.interface import UserError
from sfigf.plan import method_settings, runs
from sfigf.planning import read_study
from sfigf.small_files import one_line, read_small_text, read_yaml
from tests.hostile import Reader
from tests.hostile.mutations import change_file
from tests.hostile.settings_changes import TEXT, YAML, replace_value

ROOT = Path(__file__).resolve().parents[2]


def told(read: Callable[[Path], str]) -> Callable[[Path], str]:
    """A reader whose refusals are what the command line prints of them."""

    @functools.wraps(read)
    def reading(path: Path) -> str:
        try:
            return read(path)
        except UserError as error:
            raise UserError(one_line(str(error))) from error.__cause__

    return reading


def said(content: Any) -> str:
    """Type and digest of anything that JSON can hold."""
    text = json.dumps(content, sort_keys=True, default=str)
    return f"{type(content).__name__} {hashlib.sha256(text.encode()).hexdigest()[:16]}"


def wrong_meanings(given: Any, study: Study) -> list[str]:
    """Where a study differs from the settings it was read from: each is a setting taken for another."""
    found = [*_differences(given, study.model_dump(), "")]
    for task, part in study.tasks.items():
        for label, line in given["tasks"][task]["methods"].items():
            for condition in part.conditions:
                settings = None if condition in part.per_condition else method_settings(study, task, label, condition)
                if settings is not None:
                    where = f"tasks.{task}.methods.{label}"
                    options = settings.options | {"variants": list(settings.variants)}
                    stated = {key: value for key, value in (line or {}).items() if key not in ("training", "preset")}
                    found += _differences(stated, options, where)
                    training = settings.training.model_dump()
                    found += _differences((line or {}).get("training") or {}, training, f"{where}.training")
    return found


def _differences(given: Any, taken: Any, where: str) -> list[str]:
    if isinstance(given, Mapping) and isinstance(taken, Mapping):
        pairs = ((given[key], taken.get(key, "not there"), f"{where}.{key}") for key in given)
        return [line for pair in pairs for line in _differences(*pair)]
    if isinstance(given, list | tuple) and isinstance(taken, list | tuple) and len(given) == len(taken):
        triples = (
            (one, other, f"{where}.{place}") for place, (one, other) in enumerate(zip(given, taken, strict=True))
        )
        return [line for triple in triples for line in _differences(*triple)]
    return (
        [] if _same(given, taken) or where.endswith((".quirks", ".encoding")) else [f"{where}: {given!r} as {taken!r}"]
    )


def _same(given: Any, taken: Any) -> bool:
    if isinstance(given, bool) or isinstance(taken, bool):
        return given is taken or (
            isinstance(taken, bool)
            and (str(given).lower(), taken)
            in {
                ("true", True),
                ("false", False),
                ("1", True),
                ("0", False),
            }
        )
    if given == taken:
        return True
    try:
        return float(given) == float(taken)
    except (TypeError, ValueError, OverflowError):
        return False


def _study(path: Path) -> str:
    study = load_effective(path)
    return said(study.model_dump())


def _meaning(path: Path) -> str:
    given = kept(read_yaml(path))
    study = load_settings(given)
    assert not (wrong := wrong_meanings(given, study)), wrong
    assert runs(study)
    return said(study.model_dump())


def _resolved(path: Path) -> str:
    output = path.with_suffix(".yaml")
    write_effective(read_small_text(path), output)
    return said(load_effective(output).model_dump())


def _card(path: Path) -> str:
    return said(load_card(path / "datasets/nyuv2.yaml").model_dump())


def _carriers(path: Path) -> str:
    return said({name: carrier.model_dump() for name, carrier in load_carriers(path).items()})


def _default(folder: Path) -> list[Path]:
    return [Path(shutil.copy(ROOT / "config/default.yaml", folder))]


def _as_json(folder: Path) -> list[Path]:
    path = folder / "default.json"
    path.write_text(json.dumps(yaml.safe_load((ROOT / "config/default.yaml").read_text())))
    return [path]


def _cards(folder: Path) -> list[Path]:
    home = folder / "config"
    (home / "datasets").mkdir(parents=True)
    shutil.copy(ROOT / "config/datasets/nyuv2.yaml", home / "datasets")
    shutil.copytree(ROOT / "config/splits", home / "splits")
    return [home]


def _carriers_file(folder: Path) -> list[Path]:
    return [Path(shutil.copy(ROOT / "config/carriers.yaml", folder))]


def _differences_on_top(path: Path) -> str:
    return said(read_study([ROOT / "config/default.yaml", path]).model_dump())


def _reader(name: str, seeds: Any, read: Any, change: Any) -> Reader:
    return Reader(f"settings: {name}", seeds, told(read), change, seconds=20.0, memory_bytes=2**29)


_IN_YAML = functools.partial(change_file, own=YAML)
READERS = [
    _reader("a study in YAML", _default, _study, _IN_YAML),
    _reader("a study, one value replaced", _as_json, _meaning, replace_value),
    _reader("differences on top of a study", _default, _differences_on_top, _IN_YAML),
    _reader("merged settings as JSON", _as_json, _resolved, functools.partial(change_file, own=TEXT)),
    _reader("a card and its splits", _cards, _card, _IN_YAML),
    _reader("carriers", _carriers_file, _carriers, _IN_YAML),
]
