"""The command line: one line and exit code 2 for what a user can mend, and nothing left behind."""

import subprocess
import sys

import numpy as np
import pytest
import yaml

from sfigf.cli import app, main
from sfigf.images import write_image
from sfigf.store import write_samples
from tests.conftest import make_sample
from tests.unit.tiny_training import job, run


def fails(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    error = capsys.readouterr().err
    assert ended.value.code == 2, error
    assert error.count("\n") == 1, error
    return error


@pytest.fixture
def own(tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    write_image(folder / "low.png", np.arange(64).reshape(1, 8, 8), np.dtype(np.uint8))
    write_image(folder / "guide.png", np.arange(3 * 32 * 32).reshape(3, 32, 32) % 255, np.dtype(np.uint8))
    write_image(folder / "small.png", np.zeros((3, 30, 31)), np.dtype(np.uint8))
    whole = (folder / "guide.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "text.png").write_text("no picture")
    np.save(folder / "nan.npy", np.full((1, 8, 8), np.nan, np.float32))
    return folder, run(tmp_path, job(), "w")


def restore(own, **changes):
    folder, weights = own
    given = {
        "task": "depth", "target": folder / "low.png", "guide": folder / "guide.png", "weights": weights,
        "output": folder / "out.tif",
    }  # fmt: skip
    return ["restore", *(part for key, value in (given | changes).items() for part in (f"--{key}", str(value)))]


def test_an_image_of_your_own_is_restored(own):
    with pytest.raises(SystemExit) as ended:
        main(restore(own))
    assert ended.value.code == 0
    assert (own[0] / "out.tif").stat().st_size > 0


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"target": "missing.png"}, "missing.png: no such image"),
        ({"target": "cut.png"}, "not a readable image"),
        ({"guide": "text.png"}, "not a readable image"),
        ({"guide": "small.png"}, "the guide is 31x30 px and the target 8x8 px"),
        ({"target": "nan.npy"}, "64 values of the target are NaN"),
        ({"weights": "low.png"}, "not a readable weight file"),
        ({"weights": "none.safetensors"}, "no such weight file"),
        ({"task": "focus"}, "weights of task 'depth', asked for 'focus'"),
        ({"task": "dept"}, "unknown task 'dept'"),
        ({"output": "out.jpg"}, "cannot write '.jpg'"),
        ({"device": "cuda:7"}, "device 'cuda:7' is not available"),
    ],
)
def test_bad_input_is_one_line_exit_2_and_no_output(own, capsys, changes, says):
    folder, _ = own
    paths = {k: folder / v if k in ("target", "guide", "weights", "output") else v for k, v in changes.items()}
    before = sorted(folder.iterdir())
    assert says in fails(capsys, *restore(own, **paths))
    assert sorted(folder.iterdir()) == before


def test_being_told_to_end_leaves_nothing_behind(tmp_path):
    code = """
import os, signal, time
from sfigf.cli import app, main
from sfigf.files import replacing

@app.command("wait")
def wait():
    with replacing("x.bin") as temporary:
        temporary.write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(20)

main(["wait"])
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False)
    assert done.returncode == 143
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_command_or_option_is_one_line(capsys):
    assert "No such command 'trian'" in fails(capsys, "trian")
    assert "--confg" in fails(capsys, "show", "--confg", "x")


def test_a_misspelt_setting_is_named(capsys, tmp_path, root):
    (tmp_path / "c.yaml").write_text(yaml.safe_dump({"tasks": {"depth": {"training": {"stepps": 4}}}}))
    error = fails(capsys, "show", "--config", root / "config/default.yaml", "--config", tmp_path / "c.yaml")
    assert "unknown key 'stepps', did you mean 'steps'?" in error


def test_a_set_of_other_images_is_not_scored(capsys, tmp_path, root):
    write_samples(tmp_path / "s.safetensors", [make_sample("depth")])
    which = ["--config", root / "config/default.yaml", "--task", "depth", "--condition", "x8", "--method", "bicubic"]
    which += ["--variant", "full", "--seed", "0", "--samples", tmp_path / "s.safetensors"]
    other = tmp_path / "r.safetensors"
    write_samples(other, [make_sample("depth", "another")])
    assert "restores ['another']" in fails(capsys, "score", *which, "--restored", other, "--output", tmp_path / "o.csv")
    assert not (tmp_path / "o.csv").exists()


def test_every_command_explains_itself():
    done = subprocess.run([sys.executable, "-m", "sfigf", "--help"], capture_output=True, text=True, check=True)
    for command in app.registered_commands:
        assert command.name in done.stdout
        assert command.callback.__doc__
