"""`sfigf restore` as people call it: folders, previews, weights of the study, a bar, and one line for what is wrong."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sfigf
from sfigf.images import read_image, write_image
from sfigf.interface import UserError
from sfigf.own import restore
from sfigf.own.files import Studio
from sfigf.own.pairs import Pair
from tests.unit.test_own_files import coarse, depth_files, files, photos, run, save
from tests.unit.test_restore import tiny_weights


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def focus_folders(count=3):
    tiny_weights(Path("w.safetensors"), "focus", "thin-lens")
    for folder, seed in (("near", 0), ("far", 9)):
        Path(folder).mkdir()
        for number in range(count):
            write_image(f"{folder}/{number}.png", photos(24, 32, seed + number))
    return ["--task", "focus", "--target", "near/*.png", "--guide", "far", "--weights", "w.safetensors"]


def test_a_folder_is_restored_image_by_image(here, capsys):
    words = focus_folders()
    Path("fused").mkdir()
    Path("fused/0.png").write_text("from before")
    assert run(*words, "--output", "fused/", "--preview", "seen") == 0
    assert files("fused") == ["fused/0.png", "fused/1.png", "fused/2.png"]
    assert files("seen") == ["seen/0.png", "seen/1.png", "seen/2.png"]
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(",")[0] for line in lines] == [f"near/{n}.png -> fused/{n}.png" for n in range(3)]
    one = restore("focus", read_image("near/1.png"), read_image("far/1.png"), "w.safetensors", device="cpu")
    assert np.array_equal(read_image("fused/1.png"), np.rint(np.clip(one, 0, 1) * 255).astype(np.uint8))


def test_an_image_that_fails_does_not_stop_the_others(here, capsys, caplog):
    words = focus_folders(4)
    Path("near/1.png").write_bytes(b"\x89PNG\r\n\x1a\n rubbish")
    write_image("far/2.png", photos(24, 33))
    assert run(*words, "--output", "fused") == 2
    assert files("fused") == ["fused/0.png", "fused/3.png"]
    assert "sfigf: near/1.png: near/1.png: not a readable image" in caplog.text
    assert "sfigf: near/2.png: the guide is 33x24 px and the target 32x24 px" in caplog.text
    assert capsys.readouterr().err.splitlines()[-1] == "sfigf: 2 of 4 images failed, see above; the others are written"


def test_one_image_is_restored_in_silence(here, capfd):
    assert run(*depth_files(), "--output", "out.tif") == 0
    assert capfd.readouterr() == ("", "")


def test_a_terminal_shows_a_bar(here, capsys, monkeypatch):
    words = focus_folders(2)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert run(*words, "--output", "fused") == 0
    shown = capsys.readouterr().err
    assert "images" in shown
    assert "1.png" in shown
    assert "100%" in shown
    assert "->" not in shown


def picture(path):
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


@pytest.mark.parametrize(("height", "width"), [(5, 6), (30, 500), (170, 20)])
def test_a_preview_shows_three_panels_side_by_side(here, height, width):
    words = depth_files(nodata=-9.0)
    holes = coarse(height, width)
    holes[0, 0, 0] = -9
    save("coarse.tif", holes, nodata=-9.0)
    write_image("photo.png", photos(height * 4, width * 4))
    assert run(*words, "--output", "out.tif", "--tile", 64, "--preview", "side.png") == 0
    shown = picture("side.png")
    assert shown.shape[1] <= 1600
    assert shown.shape[0] <= 1300
    paper = (shown[40:] == 255).all(axis=(0, 2))
    panels = int(np.count_nonzero(np.diff(paper.astype(int)) == -1))
    assert panels == 3
    assert shown[:30].min() < 100, "or there are no labels"
    thirds = [
        shown[35:-15, int((i + 0.2) * shown.shape[1] / 3) : int((i + 0.8) * shown.shape[1] / 3)] for i in range(3)
    ]
    assert all(third.std() > 5 for third in thirds)
    if height == 5:
        assert (shown[34, 16] == 225).all(), "or what is unknown is not grey"


def test_a_preview_is_the_same_with_tiles_and_without(here):
    words = depth_files()
    write_image("coarse.tif", coarse(150, 40))
    write_image("photo.png", photos(600, 160))
    run(*words, "--output", "out.tif", "--preview", "whole.png", "--tile", 1000)
    run(*words, "--output", "out.tif", "--preview", "tiled.png", "--tile", 64)
    assert np.abs(picture("whole.png") - picture("tiled.png")).max() <= 2


def test_a_preview_of_another_kind_is_refused_before_any_work(here, capsys):
    words = depth_files()
    assert run(*words, "--output", "out.tif", "--preview", "side.gif") == 2
    assert "a preview is a .png or .jpg, not a '.gif'" in capsys.readouterr().err
    assert not Path("out.tif").exists()


def test_weights_of_the_study_are_taken_and_another_factor_is_said(here, caplog, capsys):
    words = depth_files()[:-2]
    assert run(*words, "--output", "out.tif") == 2
    assert "results/weights/depth: run `dvc pull` in the repository" in capsys.readouterr().err
    folder = Path("results/weights/depth")
    tiny_weights(folder / "x8/sfigf/full/seed0.safetensors", "depth", "x8")
    assert run(*words, "--output", "out.tif") == 0
    assert caplog.messages == [f"sfigf: {folder}/x8/sfigf/full/seed0.safetensors: trained for x8, used at x4"]
    caplog.clear()
    tiny_weights(folder / "x4/sfigf/full/seed0.safetensors", "depth", "x4")
    assert run(*words, "--output", "out.tif") == 0
    assert restore("depth", coarse(), photos(), device="cpu").shape == (1, 40, 48)
    assert caplog.messages == []


def test_a_depth_map_of_the_size_of_its_guide_counts_as_upsampled(here):
    from sfigf.degrade.resample import resize_bicubic

    words = depth_files()
    assert run(*words, "--output", "out.tif", "--scale", 4) == 0
    write_image("coarse.tif", resize_bicubic(coarse(), 40, 48))
    assert run(*words, "--output", "same.tif", "--scale", 4) == 0
    # The overshoot of the kernel is now inside the range, so it is only about the same.
    assert np.abs(read_image("out.tif") - read_image("same.tif")).mean() < 10


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"--task": "sharpen"}, "unknown task 'sharpen'; there are depth, pan, focus, raw"),
        ({"--task": "focus"}, "weights of task 'depth', asked for 'focus'"),
        ({"--weights": "none.safetensors"}, "none.safetensors: no such weight file"),
        ({"--target": "none.tif"}, "none.tif: no such image"),
        ({"--guide": "small.png"}, "the guide is 47x40 px and the target 12x10 px"),
        ({"--guide": "four.tif"}, "the guide has 4 bands, w.safetensors was trained on 3; select the bands"),
        ({"--target": "photo.png"}, "a depth target has one band, this has 3"),
        ({"--output": "out.jpg"}, "cannot write '.jpg'; use .png, .tif or .npy"),
        ({"--output": "out.png"}, "PNG holds 1 or 3 bands of integers, this is 1 of float32; use .tif"),
        ({"--scale": "8"}, "--scale is 8, but the target is 12x10 px and the guide 48x40 px: 4 times"),
        ({"--colour-matrix": "1,2"}, "--colour-matrix is '1,2'; it is nine numbers"),
        ({"--target": "no*.tif"}, "no*.tif: no image there"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(here, capsys, changes, says):
    words = [*depth_files(), "--output", "out.tif"]
    write_image("small.png", photos(40, 47))
    write_image("four.tif", np.concatenate([photos(), photos()[:1]]).astype(np.float32))
    before = files()
    for option, value in changes.items():
        words = [*words, option, value] if option not in words else words
        words[words.index(option) + 1] = value
    assert run(*words) == 2
    error = capsys.readouterr().err
    assert says in error
    assert len(error.splitlines()) == 1
    assert files() == before


def test_a_network_is_loaded_once_for_many_images(here, monkeypatch):
    focus_folders()
    studio = Studio("focus", Path("w.safetensors"), device="cpu")
    monkeypatch.setattr("sfigf.weights.load_network", None)
    for number in range(2):
        studio.restore(Pair(Path(f"near/{number}.png"), Path(f"far/{number}.png"), Path(f"{number}.tif")))
    assert files()[:2] == ["0.tif", "1.tif"]


@pytest.mark.parametrize("shape", [(10, 12), (0, 10, 12)])
def test_an_array_that_is_no_image_is_refused(tmp_path, shape):
    with pytest.raises(UserError, match=r"the target has shape \(.*; give bands, rows, columns"):
        restore("depth", np.zeros(shape), photos(), tmp_path / "w.safetensors")


def test_importing_the_package_stays_light():
    code = (
        "import sfigf, sys, json; print(json.dumps([m for m in ('torch', 'numpy', 'sfigf.own') if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
    with pytest.raises(AttributeError, match="no attribute 'repair'"):
        _ = sfigf.repair
