"""`sfigf restore` on images of people's own: every command that the pages show, run as it stands there."""

import dataclasses
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch

from sfigf.cli import main
from sfigf.config import load_effective
from sfigf.images import read_image, write_image
from sfigf.interface import UserError
from sfigf.own import restore
from sfigf.tasks import TASKS, signature
from sfigf.weights import build_network, save_weights
from tests.conftest import ROOT, make_sample

TARGETS = {"depth": (1, 6, 7), "pan": (4, 12, 14), "focus": (3, 48, 56), "raw": (1, 48, 56)}
GUIDES = {"depth": (3, 48, 56), "pan": (1, 48, 56), "focus": (3, 48, 56), "raw": (1, 48, 56)}
OUTPUTS = {"depth": (1, 48, 56), "pan": (4, 48, 56), "focus": (3, 48, 56), "raw": (3, 48, 56)}
PAGES = ("README.md", "docs/restore.md")


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)


def commands(page):
    """The words of every restore command of a page, continued lines joined."""
    lines = "".join(blocks(page, "bash")).replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True) for line in lines if line.startswith("sfigf restore ")]


def option(words, name):
    return words[words.index(f"--{name}") + 1]


def write_input(path, shape, seed):
    """An image of random values of the kind that its suffix holds."""
    image = np.random.default_rng(seed).integers(1, 255, shape).astype(np.uint8)
    if path.suffix == ".jpg":
        from PIL import Image

        Image.fromarray(image.transpose(1, 2, 0)).save(path)
    elif path.suffix == ".png":
        write_image(path, image, np.dtype(np.uint8))
    else:
        write_image(path, image.astype(np.float32) / 255)


def tiny_weights(path, task, condition="any"):
    """An untrained network of the study's method and encoding, small."""
    training = load_effective(ROOT / "config/default.yaml").tasks[task].training
    facts = {
        "task": task, "condition": condition, "label": "sfigf", "method": "sfigf", "variant": "full", "seed": 0,
        "options": {"method": "sfigf", "width": 4, "levels": 1, "attention": "conv"},
        "signature": dataclasses.asdict(signature(task, make_sample(task))), "training": training.model_dump(),
    }  # fmt: skip
    torch.manual_seed(0)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_weights(path, build_network(facts), facts)
    return path


def prepare(words):
    task = option(words, "task")
    write_input(Path(option(words, "target")), TARGETS[task], seed=1)
    write_input(Path(option(words, "guide")), GUIDES[task], seed=2)
    tiny_weights(Path(option(words, "weights")), task)
    return task


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_show_one_command_per_task(page):
    assert [option(words, "task") for words in commands(page)] == list(TASKS)


@pytest.mark.parametrize("words", [words for page in PAGES for words in commands(page)], ids=" ".join)
def test_a_command_of_the_pages_restores(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    task = prepare(words)
    with pytest.raises(SystemExit) as ended:
        main([*words[1:], "--device", "cpu"])
    assert ended.value.code == 0
    restored = read_image(option(words, "output"))
    assert restored.shape == OUTPUTS[task]
    assert np.isfinite(restored).all()
    assert restored.std() > 0
    run = Path(option(words, "weights")).parts
    study = load_effective(ROOT / "config/default.yaml")
    assert run[:2] == ("results", "weights")
    assert run[3] in study.tasks[task].conditions
    assert run[4:] == ("sfigf", "full", "seed0.safetensors")


def test_the_python_lines_of_the_page_restore(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    prepare(commands("docs/restore.md")[0])
    (code,) = blocks("docs/restore.md", "python")
    names = {}
    exec(code, names)
    assert names["restored"].shape == OUTPUTS["depth"]


def raw(weights, **changes):
    rng = np.random.default_rng(3)
    mosaic, mono = (rng.random((1, 24, 32)).astype(np.float32) / 200 for _ in range(2))
    return restore("raw", mosaic, mono, weights, **{"device": "cpu", "ratio": 100.0} | changes)


def test_white_balance_ratio_and_guide_gain_change_a_raw(tmp_path):
    weights = tiny_weights(tmp_path / "w.safetensors", "raw")
    plain = raw(weights)
    assert not np.allclose(plain, raw(weights, ratio=50.0))
    assert not np.allclose(plain, raw(weights, white_balance=(2.0, 1.0, 1.5)))
    assert not np.allclose(plain, raw(weights, guide_gain=1.0))
    assert np.array_equal(plain, raw(weights, guide_gain=100 / 3))


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"ratio": 0.0}, "factors above 0; got 0.0"), ({"white_balance": (1.0, -1.0, 1.0)}, "factors above 0")],
)
def test_factors_that_make_no_sense_are_named(tmp_path, changes, says):
    with pytest.raises(UserError, match=says):
        raw(tiny_weights(tmp_path / "w.safetensors", "raw"), **changes)


def test_weights_of_an_oracle_guide_are_refused(tmp_path):
    with pytest.raises(UserError, match="which no camera has"):
        raw(tiny_weights(tmp_path / "w.safetensors", "raw", "red-oracle"))


def test_a_white_balance_that_is_not_three_numbers_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = commands("docs/restore.md")[3]
    prepare(words)
    words = [*words[1:]]
    words[words.index("--white-balance") + 1] = "2,1"
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "--white-balance is '2,1'; it is three numbers" in capsys.readouterr().err
    assert not Path(option(words, "output")).exists()
