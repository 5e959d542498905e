"""`sfigf restore` on images of people's own: every command that the pages show, run as it stands there."""

import dataclasses
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import tifffile
import torch
from PIL import Image

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
DEFAULTS, RUN = Path("results/weights"), Path("sfigf/full/seed0.safetensors")
CONDITIONS = {"depth": "x8", "pan": "x4", "focus": "thin-lens", "raw": "mono"}


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)


def commands(page):
    """The words of every restore command of a page, continued lines joined."""
    lines = "".join(blocks(page, "bash")).replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True) for line in lines if line.startswith("sfigf restore ")]


def option(words, name):
    return words[words.index(f"--{name}") + 1]


def write_input(path, shape, seed, name=None):
    """An image of random values of the kind that its suffix holds."""
    image = np.random.default_rng(seed).integers(1, 255, shape).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jpg":
        Image.fromarray(image.transpose(1, 2, 0)).save(path)
    elif path.suffix == ".png":
        write_image(path, image, np.dtype(np.uint8))
    elif path.suffix == ".mat":
        there = scipy.io.loadmat(path, variable_names=["ms"]) if path.exists() else {}
        there = {key: value for key, value in there.items() if not key.startswith("_")}
        scipy.io.savemat(path, there | {name: image.transpose(1, 2, 0).astype(np.float32).squeeze()})
    elif path.suffix == ".dng":
        write_dng(path, image[0].astype(np.uint16) * 60 + 512)
    else:
        write_image(path, image.astype(np.float32) / 255)


def write_dng(path, mosaic):
    """A camera file (H,W) of 14 bits that begins with red; tags of the DNG specification 1.6."""
    pytest.importorskip("rawpy")
    shorts, longs, fractions = 3, 4, 10
    matrix = (0.5838, -0.143, -0.0246, -0.3497, 1.1477, 0.2297, -0.0748, 0.1885, 0.5778)
    tags = [
        (50706, 1, 4, (1, 4, 0, 0)), (50708, 2, 0, "Test"), (33421, shorts, 2, (2, 2)), (33422, 1, 4, (0, 1, 1, 2)),
        (50710, 1, 3, (0, 1, 2)), (50714, longs, 1, 512), (50717, longs, 1, 16383), (50778, shorts, 1, 21),
        (50721, fractions, 9, tuple(part for value in matrix for part in (round(value * 10000), 10000))),
        (50728, 5, 3, (5, 10, 10, 10, 6, 10)),
    ]  # fmt: skip
    extratags = [(*tag, True) for tag in tags]
    tifffile.imwrite(path, mosaic, photometric=32803, metadata=None, extratags=extratags, subfiletype=0)


def tiny_weights(path, task, condition="any", *, encoding=None, guided=True):
    """A random network of the study's method and encoding, small; without a guide it is raw-mono."""
    training = load_effective(ROOT / "config/default.yaml").tasks[task].training.model_dump()
    channels = dataclasses.asdict(signature(task, make_sample(task)))
    if not guided:
        channels, encoding = {"target": 1, "guide": 0, "output": 3, "upscale": 1}, "none"
    facts = {
        "task": task, "condition": condition, "label": "sfigf", "method": "sfigf", "variant": "full", "seed": 0,
        "options": {"method": "sfigf", "width": 4, "levels": 1, "attention": "conv"},
        "signature": channels, "training": training | ({"encoding": encoding} if encoding else {}),
    }  # fmt: skip
    torch.manual_seed(0)
    network = build_network(facts)
    with torch.no_grad():
        for parameter in network.parameters():  # untrained, some answer hardly anything
            parameter += 0.1 * torch.randn_like(parameter)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_weights(path, network, facts)
    return path


def prepare(words):
    """Write what a command reads; return its task, and its weights."""
    task = option(words, "task")
    names = ("a", "b") if "*" in option(words, "target") else ("",)
    for role, shapes, seed in (("target", TARGETS, 1), ("guide", GUIDES, 2)):
        for name in names if f"--{role}" in words else ():
            path = option(words, role).replace("*", name)
            path = f"{path}{name}.png" if path.endswith("/") else path
            write_input(Path(path), shapes[task], seed, f"--{role}-name" in words and option(words, f"{role}-name"))
    weights = Path(option(words, "weights")) if "--weights" in words else DEFAULTS / task / CONDITIONS[task] / RUN
    tiny_weights(weights, task, guided="--guide" in words)
    return task, weights


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_show_every_task(page):
    assert list(dict.fromkeys(option(words, "task") for words in commands(page))) == list(TASKS)


@pytest.mark.parametrize("words", [words for page in PAGES for words in commands(page)], ids=" ".join)
def test_a_command_of_the_pages_restores(words, tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    task, weights = prepare(words)
    with pytest.raises(SystemExit) as ended:
        main([*words[1:], "--device", "cpu"])
    assert ended.value.code == 0
    assert caplog.text == ""
    written = [Path(option(words, role)) for role in ("output", "preview") if f"--{role}" in words]
    written = [file for path in written for file in (path.iterdir() if path.is_dir() else [path])]
    assert len(written) == (1 + ("--preview" in words)) * (1 + ("*" in option(words, "target")))
    assert read_image(written[0]).shape == OUTPUTS[task]
    for path in written:
        assert np.isfinite(read_image(path)).all()
        assert read_image(path).std() > 0
    if weights.parts[:2] == DEFAULTS.parts:
        assert weights.parts[3] in load_effective(ROOT / "config/default.yaml").tasks[task].conditions
        assert Path(*weights.parts[4:]) == RUN


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
    words = next(words for words in commands("docs/restore.md") if "--white-balance" in words)
    prepare(words)
    words = [*words[1:]]
    words[words.index("--white-balance") + 1] = "2,1"
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "--white-balance is '2,1'; it is three numbers" in capsys.readouterr().err
    assert not Path(option(words, "output")).exists()
