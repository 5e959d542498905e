"""Whether a recorded job would be what the present code and settings do: its digests, compared with those of now.

A record keeps the values that decide, without their names. So the present digests are computed and looked for among
them; what is left over, where it is one, is the digest that has changed. Loads no torch.
"""

from __future__ import annotations

import dataclasses
import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sfigf.config import Study, kept, load_settings, read_yaml
from sfigf.interface import UserError
from sfigf.plan import digest, digest_of_data, method_settings, runs
from sfigf.records.jobs import Record
from sfigf.registry import lookup
from sfigf.tasks import degradation
from sfigf.training_code import code_of, training_code

CODE = {
    "verify": "data:verify",
    "prepare": "data:prepare",
    "audit": "data:audit",
    "render": "render:render",
    "gather": "render:gather",
    "sheet": "render:sheet",
    "degrade": "learn:degrade",
    "train": "learn:train",
    "restore-set": "learn:restore_set",
    "score": "learn:score",
    "self-test": "protocol:self_test",
    "robustness": "robustness:robustness",
    "tabulate-robustness": "robustness:tabulate_robustness",
    "tabulate": "present:tabulate",
    "summarise": "present:summarise",
    "compare": "statistics:compare",
    "draw comparison": "present:draw_comparison",
    "draw zoom": "present:draw_zoom",
    "draw training": "present:draw_training",
    "draw quality": "present:draw_quality",
    "draw robustness": "robustness:draw_robustness",
    "report": "report:report",
}
"""The function behind each command of the rules, as the rules take its digest."""
_NO_SETTINGS = (
    "gather", "sheet", "compare", "tabulate-robustness", "draw training", "draw quality", "draw robustness",
)  # fmt: skip
"""Commands that no setting changes."""
NONE = "none"
_RENDERING = ("seed", "scenes", "shards", "height", "width")
_DIGEST = re.compile(r"'([0-9a-f]{16})'")
_FOLDER = re.compile(r"--checkpoints \S+-([0-9a-f]{16})-([0-9a-f]{16})\s")
"""The folder of a training's checkpoints ends in the digests of its settings and its code."""
Options = Mapping[str, list[str]]


@dataclasses.dataclass(frozen=True)
class Compared:
    """A digest as it was and as it is: ``was`` empty where it was not kept, ``now`` where it is not known (``why``)."""

    was: str
    now: str
    why: str = ""

    @property
    def same(self) -> bool | None:
        """Whether nothing has changed; None where that is not known."""
        return self.was == self.now if self.was and self.now else None


def read_study(path: Path) -> Study | str:
    """Return the settings of a study, or why they cannot be compared with; plug-ins are code, and are not run."""
    try:
        settings = kept(read_yaml(path) or {})
        if settings.get("plugins"):
            return "the study has plug-ins, whose code is not run to explain a file"
        return load_settings(settings, str(path))
    except (UserError, AttributeError) as error:
        return f"the settings are not ones of this version ({error})"


def compare(record: Record, study: Study | str, settings: str = "") -> tuple[Compared, Compared]:
    """Return the digests of code and settings of a job, then and now.

    Args:
        record: The job.
        study: The settings now, or why there are none.
        settings: The digest of its settings, where the made file tells it.
    """
    code, why = _now(_code_now, record, study)
    setting, why_not = _now(_settings_now, record, study)
    values = [match[1] for param in record.params if (match := _DIGEST.fullmatch(param))]
    verb, options = command_of(record.command)
    if verb == "score":  # there the metrics stand for the settings
        values += [param for param in record.params if param.startswith("['")]
    if setting == NONE:
        values.append(NONE)
    if verb == "render":  # its settings are words of the command
        values.append(_rendering(*(options.get(name, [""])[0] for name in _RENDERING)))
    told = _FOLDER.search(record.command)
    settings = settings or (told[1] if told else "")
    code_was = told[2] if told else _was(values, code, {setting, settings, NONE})
    return Compared(code_was, code, why), Compared(settings or _was(values, setting, {code_was}), setting, why_not)


def _was(values: list[str], now: str, others: set[str]) -> str:
    """The value that is as it is now; else those left when the others are taken away, as none says which it is."""
    return now if now in values else " or ".join(value for value in values if value not in others)


def _now(of: Callable[..., str], record: Record, study: Study | str) -> tuple[str, str]:
    verb, options = command_of(record.command)
    if verb not in CODE:
        return "", "the workflow keeps no digests for such a command" if verb else "no command is recorded"
    try:
        return of(verb, options, study), ""
    except (UserError, KeyError, IndexError, AttributeError) as error:
        return "", error.args[0] if isinstance(error, UserError) else f"the recorded command lacks {error}"


def command_of(command: str) -> tuple[str, dict[str, list[str]]]:
    """Return the verb of a recorded ``sfigf`` command and the values of its options; no verb where it is another's."""
    try:
        words = shlex.split(command)
    except ValueError:
        return "", {}
    if words[:1] != ["sfigf"]:
        return (words[0] if words else ""), {}
    length = 3 if words[1:2] == ["draw"] else 2
    options: dict[str, list[str]] = {}
    name = ""
    for word in words[length:]:
        if word.startswith("--"):
            name = word[2:]
        elif re.match(r"\d?[>|]", word):
            break
        else:
            options.setdefault(name, []).append(word)
    return " ".join(words[1:length]), options


def _code_now(verb: str, options: Options, study: Study | str) -> str:
    if verb == "train":
        checked = _checked(study)
        return training_code(checked, _run(checked, options))
    return code_of(CODE[verb], *_definitions(verb, options, study))


def _definitions(verb: str, options: Options, study: Study | str) -> list[Any]:
    """The classes that a command looks up by name."""
    if verb in ("verify", "prepare"):
        return [lookup("dataset", Path(options["card"][0]).stem)]
    if verb not in ("degrade", "restore-set", "score", "robustness"):
        return []
    checked, task, condition = _checked(study), options["task"][0], options["condition"][0]
    forward = [type(degradation(task, condition))] if verb in ("degrade", "robustness") else []  # type: ignore[arg-type]
    labels = options["method"] if verb == "restore-set" else [run.split("/")[0] for run in options.get("run", [])]
    methods = [type(method_settings(checked, task, label, condition).method) for label in dict.fromkeys(labels)]
    metrics = {"score": None, "robustness": 2}.get(verb, 0)
    return [*forward, *methods, *(lookup("metric", name) for name in checked.part(task, condition).metrics[:metrics])]


def _settings_now(verb: str, options: Options, study: Study | str) -> str:
    """What stands for the settings among the values that decide."""
    if verb in _NO_SETTINGS:
        return NONE
    if verb in ("draw comparison", "draw zoom"):
        return digest(_checked(study).show)
    if verb in ("train", "restore-set"):
        return _run(_checked(study), options).digest
    if verb == "degrade":
        return digest_of_data(_checked(study), options["task"][0], options["part"][0], options["condition"][0])
    if verb == "render":
        rendering, part = _checked(study).rendering, options["part"][0]
        scenes = getattr(rendering, f"{part}_scenes")
        shards = min(rendering.shards, scenes)
        return _rendering(rendering.seed, scenes, shards, rendering.height_px, rendering.width_px)
    if verb == "score":
        return str(_checked(study).part(options["task"][0], options["condition"][0]).metrics)
    if verb == "tabulate":
        return digest(_checked(study).tasks[options["task"][0]].model_dump())  # type: ignore[index]
    if verb == "audit":
        parts = _checked(study).parts()
        return digest({f"{task} {condition}": [p.train, p.validation, p.test] for task, condition, p in parts})
    raise UserError("its settings are not compared")


def _rendering(*values: Any) -> str:
    return ", ".join(f"{name} {value}" for name, value in zip(_RENDERING, values, strict=True))


def _checked(study: Study | str) -> Study:
    if isinstance(study, str):
        raise UserError(study)
    return study


def _run(study: Study, options: Options) -> Any:
    path = "/".join(options[name][0] for name in ("task", "condition", "method", "variant"))
    path += f"/seed{options['seed'][0]}"
    found = next((run for run in runs(study) if run.path == path), None)
    if found is None:
        raise UserError(f"the settings have no run {path} now")
    return found
