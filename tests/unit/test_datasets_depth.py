"""Readers of the depth benchmarks on miniature files, and what they say of wrong ones."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from sfigf.cards import Card, load_card
from sfigf.datasets.members import open_members
from sfigf.datasets.prepare import read_card
from sfigf.degrade.depth import DepthSuperResolution, fill_holes
from sfigf.interface import Sample, Scene, UserError
from sfigf.registry import lookup
from tests.miniature import lu, nyuv2, rgbdd

CARDS = Path(__file__).parents[2] / "config" / "datasets"
GREY = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
SETS = {"lu": lu, "rgbdd": rgbdd}


def read(name: str, folder: Path) -> list[Scene]:
    files = {"labeled": folder / "nyu_depth_v2_labeled.mat"}
    if name in SETS:
        files = {"depth": folder / "Depth", "rgb": folder / "RGB"}
    return list(lookup("dataset", name)().read(files))


def small_copy(card: Card, count: int) -> Card:
    """The card, but for fewer and smaller pictures."""
    members = {role: m.model_copy(update={"count": m.count and count}) for role, m in card.members.items()}
    return card.model_copy(update={"members": members, "expect": card.expect.model_copy(update={"scenes": count})})


@pytest.mark.parametrize(("name", "count", "unit"), [("lu", 6, "level"), ("rgbdd", 4, "cm")])
def test_folders_of_pairs(name: str, count: int, unit: str, tmp_path: Path) -> None:
    SETS[name].write(tmp_path)
    card = small_copy(load_card(CARDS / f"{name}.yaml"), count)
    scenes = list(read_card(card, open_members(card, None, tmp_path, tmp_path)))
    assert len({scene.name for scene in scenes}) == count
    for scene in scenes:
        assert scene.part == "test"
        assert scene.meta["unit"] == unit
        assert scene.arrays["rgb"].dtype == np.uint8
        assert scene.arrays["valid"].all()
    sample = DepthSuperResolution(4)(scenes[0], np.random.default_rng(0))
    assert sample.meta["unit"] == unit


def test_lu_keeps_the_levels_and_reads_either_spelling(tmp_path: Path) -> None:
    lu.write(tmp_path)
    (tmp_path / "RGB/RGBD_02_ouput_color.png").rename(tmp_path / "RGB/RGBD_02_output_color.png")
    scenes = read("lu", tmp_path)
    assert [scene.name for scene in scenes] == [f"lu-{number:02d}" for number in range(1, 7)]
    levels = np.asarray(Image.open(tmp_path / "Depth/RGBD_02_output_depth.png"))
    assert np.array_equal(scenes[1].arrays["disparity"][0], levels)


def test_rgbdd_turns_millimetres_to_centimetres(tmp_path: Path) -> None:
    rgbdd.write(tmp_path)
    scene = read("rgbdd", tmp_path)[0]
    assert scene.name == f"rgbdd-{rgbdd.STAMPS[0]}"
    millimetres = np.asarray(Image.open(tmp_path / f"Depth/{rgbdd.STAMPS[0]}_HR_gt.png"))
    np.testing.assert_allclose(scene.arrays["disparity"][0], millimetres / 10, rtol=1e-6)
    assert scene.meta["farther"] == "larger"


def test_nyu_is_turned_upright_and_knows_its_rooms(tmp_path: Path) -> None:
    nyuv2.write(tmp_path, count=12)
    scenes = read("nyuv2", tmp_path)
    with h5py.File(tmp_path / "nyu_depth_v2_labeled.mat") as file:
        image, depth = file["images"][7], file["depths"][7]
    assert np.array_equal(scenes[7].arrays["rgb"][:, 5, 9], image[:, 9, 5])
    assert scenes[7].arrays["disparity"][0, 5, 9] == pytest.approx(100 * depth[9, 5])
    assert [scene.place for scene in scenes] == ["nyuv2-kitchen-0000"] * 10 + ["nyuv2-kitchen-0001"] * 2


def test_nyu_splits_are_the_field_s(tmp_path: Path) -> None:
    card = load_card(CARDS / "nyuv2.yaml")
    parts = {part: [int(name.removeprefix("nyuv2-")) for name in names] for part, names in card.parts.items()}
    assert parts == {
        "train": list(range(950)),
        "validation": list(range(950, 1000)),
        "test": list(range(1000, 1449)),
    }
    nyuv2.write(tmp_path, height=32, width=32)
    arrays = {role: array.model_copy(update={"shape": None}) for role, array in card.expect.arrays.items()}
    loose = card.model_copy(update={"expect": card.expect.model_copy(update={"arrays": arrays})})
    scenes = read_card(loose, open_members(card, None, tmp_path, tmp_path))
    found = [(scene.name, scene.part) for scene in scenes]
    assert found[949:951] == [("nyuv2-0949", "train"), ("nyuv2-0950", "validation")]
    assert (len(found), found[-1]) == (1449, ("nyuv2-1448", "test"))


def save(path: Path, values: np.ndarray) -> None:
    Image.fromarray(values).save(path)


LU_DEPTH, LU_RGB = "Depth/RGBD_03_output_depth.png", "RGB/RGBD_03_ouput_color.png"
STAMP = rgbdd.STAMPS[1]


@pytest.mark.parametrize(
    ("name", "harm", "words"),
    [
        ("lu", lambda f: (f / LU_RGB).unlink(), "Depth/RGBD_03_output_depth.png: has no partner 'RGBD_03_ouput"),
        ("lu", lambda f: (f / LU_DEPTH).unlink(), "RGB/RGBD_03_ouput_color.png: has no partner 'RGBD_03_output_d"),
        ("lu", lambda f: shutil.copy(f / LU_RGB, f / LU_DEPTH), "RGBD_03_output_depth.png: a colour picture, a depth"),
        ("lu", lambda f: save(f / LU_DEPTH, GREY), "RGBD_03_output_depth.png: a grey picture of 16 bits, a depth map"),
        ("lu", lambda f: shutil.copy(f / LU_DEPTH, f / LU_RGB), "RGBD_03_ouput_color.png: expected 8-bit RGB"),
        (
            "lu",
            lambda f: save(f / LU_DEPTH, GREY.astype(np.uint8)),
            "RGBD_03_output_depth.png and RGB/RGBD_03_ouput_co",
        ),
        ("lu", lambda f: save(f / LU_DEPTH, np.full((80, 96), 7, np.uint8)), "depth is 7 everywhere"),
        ("lu", lambda f: (f / LU_DEPTH).write_bytes(b"PNG"), "RGBD_03_output_depth.png: not a picture that can be"),
        ("lu", lambda f: shutil.rmtree(f / "Depth"), r"Depth: holds no file '\*_output_depth.png'"),
        ("rgbdd", lambda f: save(f / f"Depth/{STAMP}_HR_gt.png", GREY.astype(np.uint8)), "a grey picture of 8 bits"),
        ("rgbdd", lambda f: save(f / f"Depth/{STAMP}_HR_gt.png", GREY // 30), f"{STAMP}_HR_gt.png: reaches 136, milli"),
        ("rgbdd", lambda f: (f / f"RGB/{STAMP}_RGB.jpg").unlink(), f"{STAMP}_HR_gt.png: has no partner"),
    ],
)
def test_wrong_pairs_name_the_file(name: str, harm: Callable[[Path], object], words: str, tmp_path: Path) -> None:
    SETS[name].write(tmp_path)
    harm(tmp_path)
    with pytest.raises(UserError, match=words) as caught:
        read(name, tmp_path)
    assert "\n" not in str(caught.value)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2000])


def edit(change: Callable[[h5py.File], object]) -> Callable[[Path], None]:
    def apply(path: Path) -> None:
        with h5py.File(path, "a") as file:
            change(file)

    return apply


def replace(file: h5py.File, key: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    values = file[key][:]
    del file[key]
    file[key] = change(values)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (cut, r"nyu_depth_v2_labeled.mat: not a whole MATLAB 7.3 file \(.*truncated"),
        (lambda path: path.write_bytes(b"MATLAB 5.0 MAT-file" * 99), "not a whole MATLAB 7.3 file"),
        (lambda path: path.unlink(), "labeled.mat: no such file"),
        (edit(lambda file: file.move("depths", "depth")), "has no depths; it holds depth, images"),
        (edit(lambda file: replace(file, "images", lambda a: a.transpose(0, 3, 2, 1))), "images are .* expected"),
        (edit(lambda file: replace(file, "images", lambda a: a / 255)), "images are .* float64"),
        (edit(lambda file: replace(file, "depths", lambda a: a[:-1])), "and depths .* expected"),
        (edit(lambda file: replace(file, "depths", lambda a: a * 1000)), "image 0: reaches .* in millimetres"),
        (edit(lambda file: replace(file, "depths", lambda a: np.where(a > 2, 0, a))), "image 0: .*not the raw one"),
        (edit(lambda file: replace(file, "depths", lambda a: a * np.nan)), "image 0: holds values that are no dist"),
        (edit(lambda file: replace(file, "scenes", lambda a: a[:, :3])), "3 scenes \\(object\\) for 6 images"),
    ],
)
def test_wrong_nyu_files_are_named(harm: Callable[[Path], object], words: str, tmp_path: Path) -> None:
    nyuv2.write(tmp_path, count=6)
    harm(tmp_path / "nyu_depth_v2_labeled.mat")
    with pytest.raises(UserError, match=words) as caught:
        read("nyuv2", tmp_path)
    assert "nyu_depth_v2_labeled.mat" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_nyu_without_scenes_takes_each_picture_for_a_place(tmp_path: Path) -> None:
    nyuv2.write(tmp_path, count=2)
    edit(lambda file: file.pop("scenes"))(tmp_path / "nyu_depth_v2_labeled.mat")
    assert [scene.place for scene in read("nyuv2", tmp_path)] == ["nyuv2-0000", "nyuv2-0001"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.full((8, 8), 1500.0), "1000.npy: reaches 1500, metres were expected; is it in millimetres"),
        (np.zeros((8, 8)), "1000.npy: holds values that are no distance"),
        (np.ones((8, 8, 3)), r"1000.npy: expected a depth map \(H,W\), got float64 \(8, 8, 3\)"),
        (np.linspace(1, 2, 64).reshape(8, 8), r"1000.npy and .*1000.jpg: depth is \(8, 8\) px, colour \(9, 8\) px"),
    ],
)
def test_wrong_nyu_samples(values: np.ndarray, words: str, tmp_path: Path) -> None:
    np.save(tmp_path / "1000.npy", values)
    save(tmp_path / "1000.jpg", np.zeros((9, 8, 3), np.uint8))
    files = {"a": tmp_path / "1000.npy", "a-rgb": tmp_path / "1000.jpg"}
    with pytest.raises(UserError, match=words):
        list(lookup("dataset", "nyu-sample")().read(files))
    with pytest.raises(UserError, match="no colour picture 'a-rgb'"):
        list(lookup("dataset", "nyu-sample")().read({"a": files["a"]}))


def made_scene(unit: str) -> Scene:
    rng = np.random.default_rng(4)
    arrays = {"rgb": rng.integers(0, 256, (3, 32, 32), np.uint8), "disparity": rng.integers(0, 256, (1, 32, 32)) * 1.0}
    return Scene("made", "made", "test", arrays, {"unit": unit})


def test_quantised_levels_are_whole_and_other_units_are_not_touched() -> None:
    plain, quantised = DepthSuperResolution(4), DepthSuperResolution(4, quantised=True)
    sample = quantised(made_scene("level"), np.random.default_rng(0))
    levels = sample.to_units(sample.coarse)
    np.testing.assert_allclose(levels, np.rint(levels), atol=1e-4)
    assert sample.meta == {"unit": "level", "factor": 4, "quantised": True}
    same, other = (lower(made_scene("cm"), np.random.default_rng(0)) for lower in (plain, quantised))
    assert np.array_equal(same.target, other.target)
    assert same.meta == other.meta == {"unit": "cm", "factor": 4}
    with pytest.raises(UserError, match="no whole levels"):
        DepthSuperResolution(4, noise=0.04, quantised=True)


def test_holes_in_depth_take_the_larger_neighbour() -> None:
    depth = np.array([[[50.0, 0, 0, 10.0]]])
    assert fill_holes(depth, depth > 0, "larger").tolist() == [[[50, 50, 50, 10]]]
    scene = made_scene("cm")
    valid = (np.random.default_rng(0).random((1, 32, 32)) > 0.3).astype(np.uint8)
    filled = {}
    for farther in ("smaller", "larger"):
        holed = dataclasses.replace(scene, arrays={**scene.arrays, "valid": valid}, meta={"farther": farther})
        sample = DepthSuperResolution(4)(holed, np.random.default_rng(0))
        filled[farther] = sample.to_units(sample.truth)[sample.valid == 0].mean()
    assert filled["larger"] > filled["smaller"] + 50
    with pytest.raises(UserError, match="farther is 'nearer'"):
        fill_holes(depth, depth > 0, "nearer")


def test_cropped_errors_and_their_units() -> None:
    truth = np.zeros((1, 20, 20), np.float32)
    restored = truth + 1
    restored[:, 6:-6, 6:-6] = 0.25
    valid = np.ones(truth.shape, bool)
    sample = Sample("s", truth, truth, truth, valid, scale=8.0, meta={"unit": "level"})
    for name in ("rmse-crop6", "mae-crop6"):
        assert lookup("metric", name)()(restored, sample) == pytest.approx(2.0)
        assert lookup("metric", name.removesuffix("-crop6"))()(restored, sample) > 6
    units = {"px": "disparity px", "level": "8-bit disparity", "cm": "cm", "m": "m"}
    metric = lookup("metric", "rmse-crop6")()
    assert {unit: metric.unit_of(dataclasses.replace(sample, meta={"unit": unit})) for unit in units} == units
    small = dataclasses.replace(sample, target=truth[:, :12], truth=truth[:, :12], valid=valid[:, :12])
    with pytest.raises(UserError, match="nothing inside 6 px"):
        metric(restored[:, :12], small)
