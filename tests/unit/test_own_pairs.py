"""Which files belong together, which weights they get, and when a person is told instead."""

import logging
from pathlib import Path

import pytest

from sfigf.interface import UserError
from sfigf.own.defaults import default_weights
from sfigf.own.options import Options, factor_of
from sfigf.own.pairs import find_pairs


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def touch(*names):
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


def names(pairs):
    return [tuple(None if file is None else str(file) for file in (p.target, p.guide, p.output)) for p in pairs]


def test_one_of_each_is_one_pair(here):
    touch("a.png", "b.png")
    assert names(find_pairs("a.png", "b.png", "c.tif")) == [("a.png", "b.png", "c.tif")]


@pytest.mark.parametrize(("target", "guide"), [("near/", "far/"), ("near", "far/*"), ("near/*.png", "f?r/*.jpg")])
def test_folders_and_patterns_pair_by_name(here, target, guide, caplog):
    touch("near/b.png", "near/a.png", "far/b.jpg", "far/a.jpg", "near/notes.txt")
    assert names(find_pairs(target, guide, "fused/")) == [
        ("near/a.png", "far/a.jpg", "fused/a.png"),
        ("near/b.png", "far/b.jpg", "fused/b.png"),
    ]
    assert caplog.text == ""


def test_where_no_name_agrees_the_order_pairs_and_that_is_said(here, caplog):
    touch("n/1.png", "n/2.png", "f/x.png", "f/y.png")
    with caplog.at_level(logging.WARNING):
        found = names(find_pairs("n", "f", "out"))
    assert [pair[:2] for pair in found] == [("n/1.png", "f/x.png"), ("n/2.png", "f/y.png")]
    assert "paired by sorted order: n/1.png with f/x.png first, n/2.png with f/y.png last" in caplog.text


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (["n/a.png", "n/b.png", "f/a.png"], "2 targets and 1 guides do not pair by name; without a partner: n/b.png"),
        (["n/a.png", "f/a.png", "f/c.png"], "without a partner: f/c.png"),
        (["n/a.png", "n/b.png", "f/a.png", "f/c.png"], "without a partner: n/b.png, f/c.png"),
        (["n/a.png", "n/b.png", "f/x.png"], "without a partner: n/a.png, n/b.png, f/x.png"),
        (["n/a.png", "n/a.tif", "f/a.png"], "n/a.png, n/a.tif: files of one name"),
        (["n/a.txt", "f/a.png"], "n: no image there"),
        (["n/a.png", "f/a.png", "out"], "out: a file, but several images need a folder"),
    ],
)
def test_files_without_a_partner_are_named(here, files, says):
    touch(*files)
    with pytest.raises(UserError, match=says):
        find_pairs("n", "f", "out")


@pytest.mark.parametrize(
    ("target", "suffix", "expected"),
    [("a.jpg", None, "a.tif"), ("a.dng", None, "a.tif"), ("a.npy", None, "a.npy"), ("a.tif", ".png", "a.png"),
     ("a.tif", "png", "a.png")],
)  # fmt: skip
def test_an_output_is_named_after_its_target(here, target, suffix, expected):
    touch(f"n/{target}")
    (pair,) = find_pairs("n/*", None, "out", "seen", suffix)
    assert str(pair.output) == f"out/{expected}"
    assert str(pair.preview) == "seen/a.png"
    assert pair.guide is None


@pytest.mark.parametrize(
    ("output", "preview", "option"), [("all.tif", None, "--output"), ("out", "p.png", "--preview")]
)
def test_several_images_need_folders(here, output, preview, option):
    touch("n/a.png", "n/b.png")
    with pytest.raises(UserError, match=f"a file, but several images need a folder; name one with {option}"):
        find_pairs("n", None, output, preview)


def test_an_input_is_never_overwritten(here):
    touch("n/a.png", "f/a.png")
    for output in ("n", "f/"):
        with pytest.raises(UserError, match=r"a\.png: would overwrite an input"):
            find_pairs("n", "f", output)
    with pytest.raises(UserError, match="would overwrite"):
        find_pairs("n/a.png", "f/a.png", "n/../f/a.png")


@pytest.mark.parametrize(
    ("task", "target", "guide", "scale", "factor"),
    [
        ("depth", (1, 3, 4), (3, 24, 32), None, 8),
        ("depth", (1, 3, 4), (3, 24, 32), 8, 8),
        ("depth", (1, 24, 32), (3, 24, 32), 8, 1),
        ("pan", (4, 3, 4), (1, 12, 16), 4, 4),
        ("focus", (3, 5, 6), (3, 5, 6), None, 1),
        ("raw", (1, 5, 6), None, None, 1),
    ],
)
def test_the_factor_is_read_off_the_sizes(task, target, guide, scale, factor):
    assert factor_of(task, target, guide, scale) == factor


@pytest.mark.parametrize(
    ("task", "target", "guide", "scale", "says"),
    [
        ("depth", (1, 3, 4), (3, 24, 32), 4, "--scale is 4, but the target is 4x3 px and the guide 32x24 px: 8 times"),
        ("depth", (1, 24, 32), (3, 24, 32), 0, "--scale is 0"),
        ("depth", (1, 3, 4), (3, 25, 32), None, "the guide is 32x25 px and the target 4x3 px"),
        ("depth", (1, 24, 32), (3, 3, 4), None, "the guide is 4x3 px and the target 32x24 px"),
        ("pan", (4, 3, 4), (1, 9, 12), None, "3 times finer; pan-sharpening takes 2 or 4"),
        ("focus", (3, 5, 6), (3, 5, 7), None, "the guide is 7x5 px and the target 6x5 px"),
        ("focus", (3, 5, 6), (3, 5, 6), 2, "--scale is 2, but the target is 6x5 px and the guide 6x5 px: 1 times"),
    ],
)
def test_sizes_that_do_not_agree_are_both_named(task, target, guide, scale, says):
    with pytest.raises(UserError, match=says):
        factor_of(task, target, guide, scale)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"peak": 0.0}, "peak is the number that counts as 1, so above 0; got 0.0"),
        ({"colour_matrix": (1.0, 2.0)}, "nine numbers, row by row; got 2"),
        ({"white_balance": (1.0, 2.0)}, "three gains, of red, green and blue; got 2"),
        ({"guide_gain": -1.0}, "factors above 0"),
    ],
)
def test_options_that_make_no_sense_are_named(changes, says):
    with pytest.raises(UserError, match=says):
        Options(**changes)


def test_the_weights_of_the_nearest_factor_are_taken(here):
    for trained in ("depth/x4", "depth/x8", "depth/x16", "raw/mono", "raw/red-oracle", "focus/thin-lens"):
        touch(f"w/{trained}/sfigf/full/seed0.safetensors")
    chosen = {(task, factor): default_weights(task, factor, "w").parts[2] for task, factor in
              [("depth", 8), ("depth", 16), ("depth", 1), ("depth", 30), ("raw", 1), ("focus", 1)]}  # fmt: skip
    assert list(chosen.values()) == ["x8", "x16", "x4", "x16", "mono", "thin-lens"]


def test_missing_weights_say_how_to_come_by_them(here):
    with pytest.raises(UserError, match=r"no weights of pan in w/pan: run `dvc pull`.* --weights"):
        default_weights("pan", 4, "w")
