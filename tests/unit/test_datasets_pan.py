"""The field's pan-sharpening sets: readers on files in their exact format, refusals that name the file, the cards."""

from __future__ import annotations

import hashlib

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from sfigf.cards import load_card
from sfigf.datasets.pancollection import moved_bands
from sfigf.datasets.prepare import read_card
from sfigf.degrade.pan import WaldProtocol
from sfigf.interface import UserError
from sfigf.registry import lookup
from tests.miniature import pan_mat, pancollection

SETS = {"wv3": (8, 2047), "qb": (4, 2047), "gf2": (4, 1023)}


def read(name, files):
    return list(lookup("dataset", name)().read(files))


def rng():
    return np.random.default_rng(0)


def mat_file(tmp_path, name="worldview2", drop=(), **changes):
    held = {key: value for key, value in {**pan_mat.content(name), **changes}.items() if key not in drop}
    savemat(tmp_path / "scene.mat", held)
    return {"scene": tmp_path / "scene.mat"}


def h5_files(tmp_path, name="wv3"):
    pancollection.write(tmp_path, name)
    return {role: tmp_path / path for role, path in pancollection.paths(name).items()}


def change(path, key, function):
    with h5py.File(path, "r+") as file:
        values = function(file[key][()])
        del file[key]
        if values is not None:
            file[key] = values


@pytest.mark.parametrize(("name", "bands", "peak", "rgb"), [
    ("worldview2", 8, 2047, [4, 2, 1]), ("geoeye1", 4, 255, [2, 1, 0]), ("ikonos", 4, 2047, [2, 1, 0]),
])  # fmt: skip
def test_a_sample_image_becomes_one_scene(tmp_path, name, bands, peak, rgb):
    pan_mat.write(tmp_path, name)
    (scene,) = read(name, {"scene": tmp_path / pan_mat.FILES[name]})
    assert scene.arrays["multispectral"].shape == (bands, 96, 96)
    assert scene.arrays["pan"].shape == (1, 384, 384)
    np.testing.assert_array_equal(scene.arrays["multispectral"][2], pan_mat.content(name)["I_MS"][..., 2])
    assert (scene.part, scene.meta["sensor"], scene.meta["peak"], scene.meta["rgb_bands"]) == ("test", name, peak, rgb)
    assert scene.meta["pan"] == "real"


@pytest.mark.parametrize(("changes", "said"), [
    ({"drop": ("L", "I_PAN")}, "has no I_PAN, L; it holds I_MS, ratio"),
    ({"sensor": "GeoEye1"}, "of sensor 'GeoEye1', expected 'WV2'"),
    ({"ratio": np.uint8([[2]])}, "ratio is 2, expected 4"),
    ({"L": np.uint8([[8]])}, r"its L says 0\.\.255"),
    ({"L": np.uint8([[40]])}, "expected one number from 1 to 16"),
    ({"RGB_indexes": np.uint8([[2, 3, 5]])}, "bands are in another order"),
    ({"I_MS": np.ones((96, 96, 7), np.uint16)}, r"\(96, 96, 7\), expected \(h, w, 8\)"),
    ({"I_PAN": np.ones((192, 192), np.uint16)}, r"I_PAN is \(192, 192\), expected 4 times"),
])  # fmt: skip
def test_a_wrong_sample_image_is_named(tmp_path, changes, said):
    with pytest.raises(UserError, match=rf"scene\.mat: .*{said}"):
        read("worldview2", mat_file(tmp_path, **changes))


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"no such thing" * 100, None])
def test_a_file_that_is_no_mat_is_named(tmp_path, damage):
    pan_mat.write(tmp_path)
    path = tmp_path / "imgWV2.mat"
    path.write_bytes(damage(path.read_bytes())) if damage else path.unlink()
    with pytest.raises(UserError, match=r"imgWV2\.mat: (no such file|not a whole \.mat|has no .* and whole\?)"):
        read("worldview2", {"scene": path})


@pytest.mark.parametrize("name", SETS)
def test_pancollection_becomes_published_scenes(tmp_path, name):
    bands, peak = SETS[name]
    files = h5_files(tmp_path, name)
    scenes = read(name, files)
    assert [scene.name for scene in scenes[:2]] == [f"{name}-train-00001", f"{name}-train-00002"]
    assert [scene.part for scene in scenes] == ["train"] * 4 + ["validation"] * 2 + ["test"] * 4
    assert len({scene.place for scene in scenes}) == 10
    first, last = scenes[0], scenes[-1]
    assert {role: array.shape for role, array in first.arrays.items()} == {
        "multispectral": (bands, 64, 64), "coarse": (bands, 16, 16), "upsampled": (bands, 64, 64), "pan": (1, 64, 64)
    }  # fmt: skip
    assert set(last.arrays) == {"coarse", "upsampled", "pan"}
    assert (last.name, first.meta["peak"], first.meta["pan"]) == (f"{name}-full-00002", peak, "real")
    with h5py.File(files["train"]) as file:
        np.testing.assert_array_equal(scenes[1].arrays["upsampled"], file["lms"][1].astype(np.float32))


def test_one_example_is_in_memory_at_a_time(tmp_path, monkeypatch):
    files = {"train": h5_files(tmp_path)["train"]}
    scenes = lookup("dataset", "wv3")().read(files)
    assert iter(scenes) is scenes
    read_whole = []
    take = h5py.Dataset.__getitem__
    monkeypatch.setattr(h5py.Dataset, "__getitem__", lambda *call: read_whole.append(call[1]) or take(*call))
    next(scenes)
    assert all(isinstance(index, int | np.integer) for index in read_whole)
    assert read_whole


@pytest.mark.parametrize(("role", "key", "function", "said"), [
    ("validation", "gt", lambda _: None, r"valid_wv3\.h5: has no gt; it holds lms, ms, pan"),
    ("train", "ms", lambda v: v[:, :4], r"train_wv3\.h5: ms is \(4, 4, 16, 16\), expected \(4, 8, 16, 16\)"),
    ("train", "lms", lambda v: v[:3], r"train_wv3\.h5: lms is \(3, 8, 64, 64\)"),
    ("train", "pan", lambda v: v[0, 0], r"train_wv3\.h5: pan is no array of numbers of shape \(N, C, H, W\)"),
    ("reduced", "gt", lambda v: v + 900, r"multiExm1\.h5: gt of example 1 lies in .* counts 0\.\.2047"),
    ("full", "pan", lambda v: v / 2047, r"OrigScale_multiExm1\.h5: pan of example 1 .* divided by its peak already"),
    ("full", "ms", lambda v: v * np.nan, r"OrigScale_multiExm1\.h5: ms of example 1 holds values that are not finite"),
    ("train", "lms", lambda v: v[:, [0, 1, 4, 3, 2, 5, 6, 7]], r"train_wv3\.h5: .* lms band 3 is ms band 5"),
    ("reduced", "gt", lambda v: v[:, ::-1], r"multiExm1\.h5: .* gt band 1 is ms band 8"),
])  # fmt: skip
def test_a_wrong_pancollection_file_is_named(tmp_path, role, key, function, said):
    files = h5_files(tmp_path)
    change(files[role], key, function)
    with pytest.raises(UserError, match=said):
        read("wv3", files)


def test_a_truncated_file_is_named_before_any_scene(tmp_path):
    files = h5_files(tmp_path)
    whole = files["full"].read_bytes()
    files["full"].write_bytes(whole[: len(whole) // 3])
    with pytest.raises(UserError, match=r"OrigScale_multiExm1\.h5: not a whole HDF5 file"):
        next(lookup("dataset", "wv3")().read(files))


def test_a_shift_of_the_coarse_bands_is_no_swap(tmp_path):
    """The published QuickBird files are said to hold such shifts: they are taken as they are."""
    files = h5_files(tmp_path, "qb")
    for role in ("train", "validation"):
        change(files[role], "ms", lambda values: np.roll(values, 1, axis=2))
    assert len(read("qb", files)) == 10


def test_bands_that_look_alike_are_not_called_swapped():
    coarse = rng().uniform(0, 1000, (1, 8, 8)) + np.arange(3)[:, None, None]
    fine = np.kron(coarse, np.ones((4, 4)))
    assert moved_bands([coarse], [fine + rng().normal(0, 200, fine.shape)]) == {}
    assert moved_bands([coarse], [fine[[1, 0, 2]]]) == {0: 1, 1: 0}


def test_published_bands_are_passed_through(tmp_path):
    scenes = {scene.name: scene for scene in read("wv3", h5_files(tmp_path))}
    scene = scenes["wv3-reduced-00001"]
    (sample,) = WaldProtocol().samples(scene, rng())
    for role, array in {"multispectral": sample.truth, "upsampled": sample.target, "coarse": sample.coarse}.items():
        np.testing.assert_array_equal(array, scene.arrays[role] / np.float32(2047))
    assert (sample.name, sample.scale, sample.meta["resolution"]) == ("wv3-reduced-00001", 2047, "reduced")
    assert (sample.meta["sensor"], sample.meta["factor"], len(sample.meta["gains"])) == ("worldview3", 4, 8)
    (full,) = WaldProtocol().samples(scenes["wv3-full-00001"], rng())
    assert full.truth is None
    assert (full.guide.shape, full.coarse.shape, full.meta["resolution"]) == ((1, 160, 160), (8, 40, 40), "full")
    with pytest.raises(UserError, match="not 2 times the published"):
        WaldProtocol(ratio=2).samples(scene, rng())


def test_the_metrics_of_the_field_score_published_scenes(tmp_path):
    samples = [sample for scene in read("wv3", h5_files(tmp_path)) for sample in WaldProtocol().samples(scene, rng())]
    reduced, full = samples[6], samples[8]
    assert (
        lookup("metric", "ergas")()(reduced.target, reduced) > lookup("metric", "ergas")()(reduced.truth, reduced) == 0
    )
    assert lookup("metric", "q4")()(reduced.truth, reduced) == pytest.approx(1)
    assert lookup("metric", "d-lambda")()(full.target, full) == pytest.approx(0, abs=1e-5)
    assert 0 < lookup("metric", "hqnr")()(full.target, full) < 1


@pytest.mark.parametrize("name", ["worldview2", "geoeye1", "ikonos", *SETS])
def test_cards_are_whole(root, name):
    card = load_card(root / "config" / "datasets" / f"{name}.yaml")
    assert card.name == name
    assert card.get.access == "open"
    assert card.tested == (name in ("worldview2", "geoeye1"))
    assert bool(card.get.address) == (name == "geoeye1")


def test_a_copy_in_miniature_is_read_through_its_card(tmp_path, root):
    card = load_card(root / "config" / "datasets" / "wv3.yaml")
    pancollection.write(tmp_path)
    assert {role: member.path for role, member in card.members.items()} == pancollection.paths("wv3")
    files = {role: tmp_path / member.path for role, member in card.members.items()}
    small = card.model_copy(update={"expect": card.expect.model_copy(update={"scenes": 10})})
    assert [scene.meta["resolution_m"] for scene in read_card(small, files)] == [1.24] * 10
    with pytest.raises(UserError, match="10 scenes, the card expects 10834"):
        list(read_card(card, files))


@pytest.mark.parametrize(("name", "bands"), [("worldview2", 8), ("geoeye1", 4)])
def test_the_real_sample_images(root, name, bands):
    path = root.parent / "shared" / "data" / name / pan_mat.FILES[name]
    if not path.is_file():
        pytest.skip(f"the real file is not here: {path}")
    card = load_card(root / "config" / "datasets" / f"{name}.yaml")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == card.members["scene"].sha256
    assert path.stat().st_size == card.members["scene"].size_bytes
    (scene,) = read_card(card, {"scene": path})
    assert scene.arrays["multispectral"].shape == (bands, 320, 320)
    assert scene.meta["pan_offset_px"] == 1.5
