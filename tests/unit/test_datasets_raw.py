"""The low-light sets of real raw captures: readers, splits, and wrong copies."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rawpy
import tifffile
from PIL import Image

from sfigf.cards import load_card
from sfigf.datasets import raw_sets
from sfigf.datasets.prepare import read_card
from sfigf.interface import Scene, UserError
from tests.miniature import low_light, mcr, sid
from tests.unit.test_images_camera import BLACK, GRBG, WHITE, write_dng


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("raw-sets")
    sid.write(folder / "sid")
    mcr.write(folder / "mcr")
    return folder


@pytest.fixture
def copy(originals: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(originals, tmp_path / "own"))


def files_of(folder: Path, name: str) -> dict[str, Path]:
    card = load_card(Path(__file__).parents[2] / f"config/datasets/{name}.yaml")
    return {role: folder / card.get.folder / member.path for role, member in card.members.items()}


def read(folder: Path, name: str) -> list[Scene]:
    readers = (raw_sets.Sid, raw_sets.SidFirst, raw_sets.Mcr, raw_sets.McrDisjoint)
    reader = next(reader for reader in readers if reader.name == name)
    return list(reader().read(files_of(folder, name)))


def by_name(scenes: list[Scene]) -> dict[str, Scene]:
    return {scene.name: scene for scene in scenes}


def test_sid_pairs_every_short_exposure_with_the_long_one_of_its_place(originals):
    scenes = by_name(read(originals, "sid"))
    assert set(scenes) == set(sid.SCENES)
    assert {name: scenes[name].meta["ratio"] for name in ("00182-00-33ms", "00182-00-40ms", "00182-00-100ms")} == {
        "00182-00-33ms": 300, "00182-00-40ms": 250, "00182-00-100ms": 100,
    }  # fmt: skip
    assert scenes["00072-01-100ms"].meta["ratio"] == 300
    scene = scenes["10003-00-40ms"]
    assert (scene.place, scene.part) == ("sid-10003", "test")
    assert {scenes[name].part for name in scenes if name[0] == "2"} == {"validation"}
    assert scene.meta["white_balance"] == pytest.approx(low_light.WHITE_BALANCE)
    assert {key: scene.meta[key] for key in ("black", "white", "bits", "pattern", "file")} == {
        "black": BLACK, "white": WHITE, "bits": 14, "pattern": "RGGB", "file": "10003_00_0.04s.ARW",
    }  # fmt: skip


def test_sid_keeps_the_numbers_of_the_sensor_and_develops_the_truth_as_the_publisher_does(originals):
    scene = by_name(read(originals, "sid"))["00001-01-100ms"]
    written = tifffile.imread(originals / "sid/Sony/short/00001_01_0.1s.ARW")
    assert scene.arrays["mosaic"].dtype == np.uint16
    assert np.array_equal(scene.arrays["mosaic"][0], written)
    with rawpy.imread(str(originals / "sid/Sony/long/00001_00_10s.ARW")) as raw:
        shown = raw.postprocess(use_camera_wb=True, half_size=False, no_auto_bright=True, output_bps=16)
    assert np.array_equal(scene.arrays["sharp"], shown.transpose(2, 0, 1))


def test_sid_reads_one_at_a_time_and_a_long_exposure_once(originals, monkeypatch):
    developed = []
    real = raw_sets.read_developed
    monkeypatch.setattr(raw_sets, "read_developed", lambda path: developed.append(path.name) or real(path))
    scenes = raw_sets.Sid().read(files_of(originals, "sid"))
    assert isinstance(scenes, Iterator)
    next(scenes)
    assert developed == ["00001_00_10s.ARW"]
    assert len(list(scenes)) > len(sid.PLACES)
    assert len(developed) == len(set(developed)) == len(sid.PLACES)


def test_the_first_exposures_are_what_the_released_code_takes(originals):
    names = [scene.name for scene in read(originals, "sid-0p1s")]
    assert names == [f"{place}-00-100ms" for place in sid.PLACES]


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("sid", {"train": 1865, "validation": 234, "test": 562}),
        ("sid-0p1s", {"train": 161, "validation": 20, "test": 47}),
    ],
)
def test_the_splits_are_the_publishers_less_the_misaligned(root, name, counts):
    parts = load_card(root / f"config/datasets/{name}.yaml").parts
    assert {part: len(names) for part, names in parts.items()} == counts
    first = {"train": "0", "validation": "2", "test": "1"}
    assert all(scene.startswith(first[part]) for part, names in parts.items() for scene in names)
    assert not any(scene.startswith(("10034", "10045", "10172")) for scene in parts["test"])
    exposures = {scene.rpartition("-")[2] for names in parts.values() for scene in names}
    assert exposures == ({"33ms", "40ms", "100ms"} if name == "sid" else {"100ms"})


@pytest.mark.parametrize("name", ["sid", "sid-0p1s", "mcr", "mcr-disjoint"])
def test_a_card_reads_its_set(root, originals, name):
    card = load_card(root / f"config/datasets/{name}.yaml")
    found = {scene.name for scene in read(originals, name)}
    parts = {part: [scene for scene in names if scene in found] for part, names in card.parts.items()}
    arrays = {role: e.model_copy(update={"shape": None}) for role, e in card.expect.arrays.items()}
    expect = card.expect.model_copy(update={"scenes": len(found), "arrays": arrays})
    scenes = list(read_card(card.model_copy(update={"parts": parts, "expect": expect}), files_of(originals, name)))
    dropped = {scene for scene in found if scene.startswith("10034")}
    assert {scene.name for scene in scenes} == found - dropped
    assert dropped or name.startswith("mcr")
    assert {"train", "test"} <= {scene.part for scene in scenes}
    assert not card.tested


def test_mcr_reads_mosaics_and_both_truths(originals):
    scene = by_name(read(originals, "mcr-disjoint"))["00085-0x03ff"]
    assert {role: (a.shape, a.dtype.name) for role, a in scene.arrays.items()} == {
        "mosaic": ((1, 128, 160), "uint16"), "sharp": ((3, 128, 160), "uint8"), "mono": ((1, 128, 160), "uint8"),
    }  # fmt: skip
    written = tifffile.imread(files_of(originals, "mcr")["color"] / mcr.name_of(85, 0x3FF))
    assert np.array_equal(scene.arrays["mosaic"][0], written[..., 0])
    assert scene.place == "mcr-00085"
    assert scene.meta["ratio"] == 0x2FFF / 0x3FF


def test_mcr_outdoors_has_a_shorter_longest_exposure(originals):
    scenes = by_name(read(originals, "mcr-disjoint"))
    assert scenes["00501-0x03ff"].meta["ratio"] == 1
    assert scenes["00501-0x007f"].meta["ratio"] == 0x3FF / 0x7F


def test_the_disjoint_split_keeps_a_place_on_one_side():
    shots = [raw_sets.Shot(Path(), f"{number:05d}", width) for number in range(1, 600) for width in mcr.INDOORS]
    parts = raw_sets.McrDisjoint().parts(shots, {})
    sides = {part: {name[:5] for name, own in parts.items() if own == part} for part in ("train", "validation", "test")}
    assert sum(map(len, sides.values())) == 599
    assert {part: round(len(places) / 599, 2) for part, places in sides.items()} == {
        "train": 0.8, "validation": 0.1, "test": 0.1,
    }  # fmt: skip


def test_the_published_split_comes_from_the_publishers_lists_and_leaks(root, originals):
    scenes = read(originals, "mcr")
    places = {part: {scene.place for scene in scenes if scene.part == part} for part in ("train", "test")}
    assert places["train"] & places["test"] == {"mcr-00001", "mcr-00095"}
    assert {scene.name for scene in scenes if scene.part == "test"} == {"00001-0x03ff", "00095-0x01ff"}
    assert load_card(root / "config/datasets/mcr.yaml").leak
    assert not load_card(root / "config/datasets/mcr-disjoint.yaml").leak


def _long_of_other_size(folder: Path) -> None:
    sid.save(folder / "sid/Sony/long/00001_00_10s.ARW", np.full((128, 128), 900.0))


def _sensor(**options: object) -> object:
    return lambda folder: write_dng(
        folder / "sid/Sony/short/00001_00_0.04s.ARW", np.full((128, 160), 900, np.uint16), **options
    )


def _grey(path: str, dtype: type, height: int = 128) -> object:
    return lambda folder: tifffile.imwrite(folder / "mcr" / mcr.SET / path, np.ones((height, 160), dtype))


def _list(part: str, lines: object) -> object:
    return lambda folder: np.save(folder / f"mcr/random_path_list/{part}/{part}_c_path.npy", lines)


def _cut(path: str) -> object:
    return lambda folder: (folder / path).write_bytes((folder / path).read_bytes()[:400])


FIRST = mcr.name_of(1, 0x7F)


@pytest.mark.parametrize(
    ("name", "spoil", "says"),
    [
        (
            "sid",
            _cut("sid/Sony/short/00001_00_0.04s.ARW"),
            r"00001_00_0\.04s\.ARW: not a camera file that can be decoded",
        ),
        ("sid", _cut("sid/Sony/long/00001_00_10s.ARW"), r"00001_00_10s\.ARW: not a camera file that can be decoded"),
        ("sid", _sensor(pattern=GRBG), r"00001_00_0\.04s\.ARW: its mosaic begins with GR/BG"),
        ("sid", _sensor(black=(256,)), r"00001_00_0\.04s\.ARW: black \[256\] and white 16383 are of another camera"),
        ("sid", _sensor(black=(512, 512, 512, 600)), r"black \[512, 600\] and white"),
        (
            "sid",
            lambda f: (f / "sid/Sony/long/00001_00_10s.ARW").unlink(),
            r"0\.04s\.ARW: no long exposure of its place in Sony/long",
        ),
        (
            "sid",
            _long_of_other_size,
            r"00001_00_0\.04s\.ARW: 160x128 px, its long exposure long/00001_00_10s.ARW 128x128 px",
        ),
        ("sid", lambda f: (f / "sid/Sony/short/dark.ARW").touch(), r"dark\.ARW: not a name like 00001_00_0\.1s\.ARW"),
        (
            "mcr",
            lambda f: (f / "mcr" / mcr.SET / "Color_RAW_Input/C1.tif").touch(),
            r"C1\.tif: not a name like C00001_48mp",
        ),
        ("mcr", _grey(f"Color_RAW_Input/{FIRST}", np.uint16), rf"{FIRST}: expected 8 bits of grey"),
        ("mcr", _grey(f"Color_RAW_Input/{FIRST}", np.uint8, 64), rf"{FIRST}: 160x64 px, its sharp truth 160x128 px"),
        ("mcr", _cut(f"mcr/{mcr.SET}/RGB_GT/C00001_48mp_0x8_0x2fff.jpg"), "C00001_48mp_0x8_0x2fff.jpg: not a picture"),
        ("mcr", lambda f: (f / "mcr" / mcr.SET / "Mono_GT/M00001_48mp_0x8_0x2fff.tif").unlink(), "00001 in Mono_GT"),
        ("mcr", _list("test", np.array(["./a/" + mcr.name_of(7, 0x7F)])), r"test_c_path\.npy: 1 inputs are not in"),
        ("mcr", _list("test", np.array(["./a/" + FIRST])), r"test_c_path\.npy: 1 inputs are in the other list too"),
        ("mcr", _list("train", np.arange(3)), r"train_c_path\.npy: expected a list of paths, got int64"),
        ("mcr", _cut("mcr/random_path_list/train/train_c_path.npy"), r"train_c_path\.npy: not a \.npy array"),
    ],
)
def test_a_wrong_copy_is_named_with_its_file(copy, name, spoil, says):
    spoil(copy)
    with pytest.raises(UserError, match=says) as error:
        read(copy, name)
    assert "\n" not in str(error.value)


def test_a_picture_with_sixteen_bits_is_no_truth(copy):
    path = copy / "mcr" / mcr.SET / "Mono_GT/M00001_48mp_0x8_0x2fff.tif"
    Image.fromarray(np.ones((128, 160), np.uint16)).save(path)
    with pytest.raises(UserError, match=r"M00001_48mp_0x8_0x2fff\.tif: expected 8 bits"):
        read(copy, "mcr")
