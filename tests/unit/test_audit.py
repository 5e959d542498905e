"""The split audit finds what it must, and lets the intended split through."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sfigf.audit import GUARD_PX, audit, audit_tasks, similarity, take_prints
from sfigf.interface import Array, Scene, UserError
from sfigf.store import write_scenes


def _picture(seed: int, height: int = 192, width: int = 256) -> Array:
    """A picture with detail at every scale: noise of ever finer grain."""
    rng = np.random.default_rng(seed)
    layers = [np.kron(rng.uniform(-1, 1, (3, height // g, width // g)), np.ones((g, g))) for g in (64, 32, 16, 8, 4, 2)]
    total = sum(layer * grain for layer, grain in zip(layers, (8, 6, 4, 3, 2, 1), strict=True))
    return np.clip(128 + 8 * total, 0, 255).astype(np.uint8)


def _write(folder: Path, *scenes: tuple[str, str, Array], name: str = "toy", **meta: Any) -> Path:
    path = folder / f"{name}.safetensors"
    made = [Scene(f"s{i}", place, part, {"rgb": rgb}, meta) for i, (place, part, rgb) in enumerate(scenes)]
    write_scenes(path, made, {"dataset": name})
    return path


def _sides(name: str = "toy") -> dict[str, list[str]]:
    return {"train": [f"{name}:train"], "test": [f"{name}:test"]}


def test_different_places_pass_and_the_closest_pair_is_told(tmp_path: Path) -> None:
    path = _write(tmp_path, ("a", "train", _picture(1)), ("b", "train", _picture(2)), ("c", "test", _picture(3)))
    report = audit([path], _sides())
    assert report["sides"] == {"train": ["toy/s0", "toy/s1"], "test": ["toy/s2"]}
    assert report["closest"]["pair"][1] == "toy/s2"
    assert -1 < report["closest"]["similarity"] < 0.45


def test_tasks_are_audited_into_one_file(tmp_path: Path) -> None:
    path = _write(tmp_path, ("a", "train", _picture(1)), ("c", "test", _picture(3)))
    audit_tasks([path], {"raw": _sides(), "depth": _sides()}, tmp_path / "report.json")
    assert set(json.loads((tmp_path / "report.json").read_text())) == {"raw", "depth"}


def _noisy(picture: Array) -> Array:
    noise = np.random.default_rng(9).normal(0, 15, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p[:, :, ::-1],
        lambda p: p[:, ::-1],
        lambda p: p[:, ::2, ::2],
        lambda p: p[:, 7:, 10:],
        lambda p: (255 * (p / 255) ** 0.6).astype(np.uint8),
        _noisy,
    ],
    ids=["mirrored", "upside-down", "half-size", "cut", "brighter", "noisy"],
)
def test_near_duplicates_fail(tmp_path: Path, change: Any) -> None:
    path = _write(tmp_path, ("a", "train", _picture(1)), ("b", "test", change(_picture(1))))
    with pytest.raises(UserError, match=r"split: 1 pairs .* toy/s0 \(train\) and toy/s1 \(test\): near-duplicates"):
        audit([path], _sides())


def test_same_picture_and_same_place_fail(tmp_path: Path) -> None:
    path = _write(tmp_path, ("a", "train", _picture(1)), ("b", "test", _picture(1)), ("a", "test", _picture(2)))
    with pytest.raises(UserError, match=r"2 pairs .*the same picture.*the same place 'a'"):
        audit([path], _sides())


def test_same_scene_on_two_sides_fails(tmp_path: Path) -> None:
    path = _write(tmp_path, ("a", "train", _picture(1)))
    with pytest.raises(UserError, match="the same picture"):
        audit([path], {"train": ["toy"], "validation": ["toy:train"]})


@pytest.mark.parametrize(("top", "passes"), [(100 + GUARD_PX, True), (100 + GUARD_PX - 1, False), (99, False)])
def test_strips_of_one_picture_need_a_guard(tmp_path: Path, top: int, passes: bool) -> None:
    cuts = {"north": (0, 100, "train"), "south": (top, top + 100, "test")}
    scenes = [
        Scene(
            name, name, part, {"multispectral": _picture(i) * 1.0}, {"source": "x", "rows": [a, b], "columns": [0, 256]}
        )
        for i, (name, (a, b, part)) in enumerate(cuts.items())
    ]
    write_scenes(tmp_path / "strips.safetensors", scenes)
    if passes:
        assert audit([tmp_path / "strips.safetensors"], _sides("strips"))["limits"]["guard_px"] == GUARD_PX
        return
    with pytest.raises(UserError, match=f"that (overlap|lie {top - 100} px apart), 41 px needed"):
        audit([tmp_path / "strips.safetensors"], _sides("strips"))


def test_selection_that_fits_nothing(tmp_path: Path) -> None:
    path = _write(tmp_path, ("a", "train", _picture(1)))
    with pytest.raises(UserError, match=r"split.test: no prepared scene is 'toy:test'"):
        audit([path], _sides())
    with pytest.raises(UserError, match="did you mean 'toy:train'"):
        audit([path], {"train": ["toy:trainn"]})


def test_flat_pictures_are_like_nothing(tmp_path: Path) -> None:
    flat = np.full((3, 64, 64), 200, np.uint8)
    prints = take_prints([_write(tmp_path, ("a", "train", flat), ("b", "test", flat - 1), ("c", "test", _picture(1)))])
    assert similarity(prints[:1], prints).tolist() == [[0, 0, 0]]
    assert similarity(prints[2:], prints[2:])[0, 0] == pytest.approx(1)


def test_a_leak_the_card_owns_up_to_is_reported_and_does_not_stop(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    scenes = [
        Scene(name, "one-place", part, {"rgb": rng.integers(0, 255, (3, 64, 64), dtype=np.uint8)}, {})
        for name, part in (("a", "train"), ("b", "test"))
    ]
    write_scenes(tmp_path / "plain.safetensors", scenes, {"dataset": "plain"})
    sides = {"train": ["plain:train"], "test": ["plain:test"]}
    with pytest.raises(UserError, match="the same place 'one-place'"):
        audit([tmp_path / "plain.safetensors"], sides)
    write_scenes(tmp_path / "open.safetensors", scenes, {"dataset": "plain", "leak": "all test scenes are in training"})
    report = audit([tmp_path / "open.safetensors"], sides)
    assert report["declared_leaks"] == {"plain": {"said": "all test scenes are in training", "pairs": 1}}


def test_too_many_pairs_are_not_searched_and_the_report_says_so(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("sfigf.audit.PAIR_LIMIT", 0)
    picture = np.random.default_rng(0).integers(0, 255, (3, 80, 80), dtype=np.uint8)
    scenes = [Scene("a", "here", "train", {"rgb": picture}, {}), Scene("b", "there", "test", {"rgb": picture}, {})]
    path = tmp_path / "s.safetensors"
    write_scenes(path, scenes, {"dataset": "s"})
    with pytest.raises(UserError, match="the same picture"):
        audit([path], {"train": ["s:train"], "test": ["s:test"]})
    other = [scenes[0], Scene("b", "there", "test", {"rgb": picture[:, 1:, 1:]}, {})]
    write_scenes(path, other, {"dataset": "s"})
    report = audit([path], {"train": ["s:train"], "test": ["s:test"]})
    assert report["near_duplicates_searched"] == {"train/test": False}
