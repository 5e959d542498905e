"""Images of people's own from file to file: tiles, holes, places on the ground, folders, pictures, and what fails."""

from pathlib import Path

import numpy as np
import pytest
import rasterio

import sfigf
from sfigf.cli import main
from sfigf.images import Georeference, create_image, open_image, read_image, write_image
from sfigf.own import restore
from sfigf.regions import Region
from tests.unit.test_own_windows import CASES, pair, whole_sample
from tests.unit.test_restore import tiny_weights, write_dng

GROUND = Georeference(rasterio.crs.CRS.from_epsg(32633), rasterio.Affine(40.0, 0, 500000, 0, -40.0, 4000000))


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words):
    with pytest.raises(SystemExit) as ended:
        main(["restore", *map(str, words), "--device", "cpu"])
    return ended.value.code


def files(folder="."):
    return sorted(str(path) for path in Path(folder).rglob("*"))


def save(path, array, **facts):
    with create_image(path, array.shape, array.dtype, **facts) as image:
        image.write(Region(0, 0, *array.shape[1:]), array)


def photos(height=40, width=48, seed=0):
    return np.random.default_rng(seed).integers(1, 255, (3, height, width)).astype(np.uint8)


def coarse(height=10, width=12, seed=0):
    return np.random.default_rng(seed).uniform(100, 200, (1, height, width)).astype(np.float32)


def depth_files(**facts):
    tiny_weights(Path("w.safetensors"), "depth", "x4")
    save("coarse.tif", coarse(), **facts)
    write_image("photo.png", photos())
    return ["--task", "depth", "--target", "coarse.tif", "--guide", "photo.png", "--weights", "w.safetensors"]


@pytest.mark.parametrize(
    ("task", "encoding"), [("depth", "detail"), ("pan", "none"), ("focus", "detail"), ("raw", "develop")]
)
def test_arrays_are_restored_as_whole_samples_are(tmp_path, task, encoding):
    from sfigf.inference import choose_device, restore_sample
    from sfigf.weights import load_network

    weights = tiny_weights(tmp_path / "w.safetensors", task, encoding=encoding)
    target, guide = pair(task, 5, 11, 13, 4)
    sample = whole_sample(task, target, guide, 4)
    options = {"ratio": 3.0, "white_balance": (2.0, 1.0, 1.5)} if task == "raw" else {}
    expected = restore_sample(load_network(weights)[0], sample, choose_device("cpu"), encoding)
    if task == "depth":
        expected = expected * (target.max() - target.min()) + target.min()
    if task == "pan":
        expected = expected * float(max(target.max(), guide.max()))
    restored = sfigf.restore(task, target, guide, weights, device="cpu", **options)
    assert restored.dtype == np.float32
    np.testing.assert_allclose(restored, expected, atol=1e-6 * np.ptp(expected), rtol=1e-6)
    assert sfigf.restore is restore


@pytest.mark.parametrize(("task", "encoding"), CASES)
def test_tiles_are_not_to_be_seen(tmp_path, task, encoding):
    weights = tiny_weights(tmp_path / "w.safetensors", task, encoding=encoding)
    target, guide = pair(task, 5, 23, 31, 4)
    whole, tiled = (restore(task, target, guide, weights, device="cpu", tile=tile) for tile in (1000, 48))
    np.testing.assert_allclose(tiled, whole, atol=1e-4 * np.ptp(whole))


def test_a_tile_that_is_too_small_is_refused_and_nothing_stays(here, capsys):
    words = depth_files()
    before = files()
    assert run(*words, "--output", "new/out.tif", "--tile", 4) == 2
    assert "a tile of 4 px is too small" in capsys.readouterr().err
    assert [file for file in files() if Path(file).is_file()] == before


def test_scratch_goes_even_when_stopped(here, monkeypatch):
    words = depth_files()
    before = files()
    seen = []

    def stop(*_, scratch, **__):
        (scratch / "half").touch()
        seen.append(scratch)
        raise KeyboardInterrupt

    monkeypatch.setattr("sfigf.nets.tiled.restore_tiled", stop)
    assert run(*words, "--output", "out.tif", "--tile", 64, "--preview", "p.png") == 130
    assert seen[0].parent.resolve() == here.resolve()
    assert files() == before


def test_small_images_need_no_scratch_and_large_ones_have_it(here, monkeypatch):
    words = depth_files()
    given = []
    monkeypatch.setattr("sfigf.nets.tiled.restore_tiled", lambda *_, scratch, **__: given.append(scratch))
    run(*words, "--output", "out.tif")
    monkeypatch.setattr("sfigf.own.files._SCRATCH_FROM_PIXELS", 1000)
    run(*words, "--output", "out.tif")
    assert given[0] is None
    assert given[1] is not None


def test_holes_of_a_depth_map_come_back_as_holes(here):
    words = depth_files(nodata=-9.0)
    holes = coarse()
    holes[0, 3, 4] = -9
    save("coarse.tif", holes, nodata=-9.0)
    assert run(*words, "--output", "out.tif", "--tile", 32) == 0
    with open_image("out.tif") as image:
        restored = image.read(Region(0, 0, 40, 48))
        assert image.nodata == -9
    hole = np.zeros((40, 48), dtype=bool)
    hole[12:16, 16:20] = True
    assert np.array_equal(restored[0] == -9, hole)
    # Zeros in an image that declares nothing, marked on the command line.
    write_image("coarse.npy", np.where(holes < 0, 0, holes))
    words[words.index("coarse.tif")] = "coarse.npy"
    assert run(*words, "--nodata", 0, "--output", "out.npy") == 0
    assert np.array_equal(read_image("out.npy")[0] == 0, hole)


def test_what_lies_in_a_hole_does_not_matter(tmp_path):
    weights = tiny_weights(tmp_path / "w.safetensors", "depth", "x4")
    low, high = coarse(), coarse()
    low[0, 2, 2], high[0, 2, 2] = -9, 1e9
    one = restore("depth", low, photos(), weights, device="cpu", nodata=-9)
    two = restore("depth", high, photos(), weights, device="cpu", nodata=1e9)
    known = (one != -9) & (two != 1e9)
    assert (~known).sum() == 16
    assert np.array_equal(one[known], two[known])


def test_nodata_of_bands_and_of_the_panchromatic_band_come_back(here):
    tiny_weights(Path("w.safetensors"), "pan", "x4")
    rng = np.random.default_rng(0)
    bands, pan = (rng.integers(1, 4000, shape).astype(np.uint16) for shape in ((4, 10, 12), (1, 40, 48)))
    bands[2, 5, 6], pan[0, 1, 1] = 0, 0
    save("bands.tif", bands, nodata=0, georeference=GROUND)
    save("pan.tif", pan, nodata=0)
    words = ["--task", "pan", "--target", "bands.tif", "--guide", "pan.tif", "--weights", "w.safetensors"]
    assert run(*words, "--output", "out.tif") == 0
    expected = np.zeros((4, 40, 48), dtype=bool)
    expected[2, 20:24, 24:28] = expected[:, 1, 1] = True
    assert np.array_equal(read_image("out.tif") == 0, expected)


@pytest.mark.parametrize(("guided", "step"), [(False, 10.0), (True, 5.0)])
def test_the_place_on_the_ground_is_kept(here, guided, step):
    words = depth_files(georeference=GROUND)
    if guided:
        fine = Georeference(GROUND.crs, rasterio.Affine(5.0, 0, 500000, 0, -5.0, 4000000))
        save("photo.tif", photos(), georeference=fine)
        words[words.index("photo.png")] = "photo.tif"
    assert run(*words, "--output", "out.tif") == 0
    with open_image("out.tif") as image:
        assert image.georeference.crs == GROUND.crs
        assert image.georeference.transform.almost_equals(rasterio.Affine(step, 0, 500000, 0, -step, 4000000))


def test_nan_without_a_nodata_value_is_counted(here, capsys):
    words = depth_files()
    before = files()
    holes = coarse()
    holes[0, :3, 0] = np.nan
    save("coarse.tif", holes)
    assert run(*words, "--output", "out.tif") == 2
    assert "3 values of the target are NaN or infinite; fill or mask them first" in capsys.readouterr().err
    assert files() == before


def test_a_raw_restored_without_a_guide_may_be_of_any_size(here, capsys):
    tiny_weights(Path("mono.safetensors"), "raw", "released", guided=False)
    rng = np.random.default_rng(0)
    write_image("mosaic.npy", rng.random((1, 37, 41)).astype(np.float32) / 50)
    words = ["--task", "raw", "--target", "mosaic.npy", "--ratio", 50, "--weights", "mono.safetensors"]
    assert run(*words, "--output", "photo.tif", "--preview", "p.png") == 0
    photo = read_image("photo.tif")
    assert photo.shape == (3, 37, 41)
    mosaic = read_image("mosaic.npy")
    np.testing.assert_allclose(photo, restore("raw", mosaic, None, "mono.safetensors", ratio=50.0, device="cpu"))
    assert np.abs(photo - restore("raw", mosaic, None, "mono.safetensors", ratio=25.0, device="cpu")).max() > 1e-4
    assert run(*words, "--guide", "mosaic.npy", "--output", "no.tif") == 2
    assert "restores without a guide, one of 1 bands is named" in capsys.readouterr().err
    tiny_weights(Path("w.safetensors"), "raw", "mono")
    words[words.index("mono.safetensors")] = "w.safetensors"
    assert run(*words, "--output", "no.tif") == 2
    assert "restores with a guide of 4 bands, and none is named; add --guide" in capsys.readouterr().err
    assert not Path("no.tif").exists()


def test_a_camera_file_is_restored_in_its_own_colours(here):
    tiny_weights(Path("w.safetensors"), "raw", "mono", encoding="develop")
    rng = np.random.default_rng(0)
    write_dng(Path("frame.dng"), rng.integers(512, 800, (40, 48)).astype(np.uint16))
    write_image("mono.npy", rng.random((1, 40, 48)).astype(np.float32) / 60)
    words = ["--task", "raw", "--target", "frame.dng", "--guide", "mono.npy", "--weights", "w.safetensors"]
    assert run(*words, "--ratio", 50, "--output", "own.npy") == 0
    with open_image("frame.dng") as frame:
        facts, mosaic = frame.meta, frame.read(Region(0, 0, 40, 48))
    colours = {"white_balance": facts["white_balance"], "colour_matrix": np.ravel(facts["colour_matrix"]).tolist()}
    given = restore("raw", mosaic, read_image("mono.npy"), "w.safetensors", device="cpu", ratio=50.0, **colours)
    plain = restore("raw", mosaic, read_image("mono.npy"), "w.safetensors", device="cpu", ratio=50.0)
    assert np.array_equal(read_image("own.npy"), given)
    assert np.abs(plain - given).max() > 0.01
    assert run(*words, "--ratio", 50, "--white-balance", "1,1,1", "--output", "told.npy") == 0
    assert np.abs(read_image("told.npy") - given).max() > 0.01
