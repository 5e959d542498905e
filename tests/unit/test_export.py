"""The exported model gives what the network gives, at sizes that were never traced, and docs/export.md is true."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sfigf.cli import main
from sfigf.degrade.camera import camera_from_srgb
from sfigf.files import sha256_of
from sfigf.inference import restore_sample
from sfigf.interface import Sample, UserError
from sfigf.nets.attention.module import NeighbourhoodAttention
from sfigf.nets.exported import GraphAttention, GraphSides
from sfigf.nets.sfigf.network import Sides
from sfigf.registry import lookup
from sfigf.released import convert
from sfigf.weights import build_network, load_network, save_weights

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
export = pytest.importorskip("sfigf.export")

SIGNATURES = {
    "depth": (1, 3, 1, 1), "pan": (5, 1, 5, 1), "focus": (3, 3, 3, 1),
    "raw-red": (4, 4, 3, 2), "raw-mono": (1, 0, 3, 1),
}  # fmt: skip
ROLES = ("target", "guide", "output", "upscale")
SIZES = [(1, 1), (2, 7), (13, 22), (34, 9), (41, 39)]


def weights(path, variant, encoding="none", method="sfigf", **options):
    """An untrained small network whose every part speaks up."""
    sizes = {"width": 4, "levels": 2, "kernel": 3, "dilation": 2} if method == "sfigf" else {}
    facts = {
        "task": variant.partition("-")[0], "method": method, "options": {"method": method, **sizes, **options},
        "variant": "full", "signature": dict(zip(ROLES, SIGNATURES[variant], strict=True)),
        "training": {"encoding": encoding},
    }  # fmt: skip
    torch.manual_seed(0)
    network = build_network(facts)
    with torch.no_grad():
        for value in network.parameters():
            value.normal_(0, 0.3)
    save_weights(path, network, facts)
    return path


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def noise(variant, height, width, batch=1):
    rng = np.random.default_rng(height)
    return [rng.random((batch, n, height, width), dtype=np.float32) for n in SIGNATURES[variant][:2] if n]


def facts_of(path):
    return json.loads(session(path).get_modelmeta().custom_metadata_map["sfigf"])


@pytest.mark.parametrize(("variant", "kernel"), [*((variant, 3) for variant in SIGNATURES), ("pan", 7)])
def test_equals_the_network_at_every_size(variant, kernel, tmp_path):
    path = weights(tmp_path / "w.safetensors", variant, kernel=kernel, dilation=3)
    assert export.export_onnx(path, tmp_path / "m.onnx") < 1e-5
    network, _ = load_network(path)
    running = session(tmp_path / "m.onnx")
    names = ["raw"] if variant == "raw-mono" else ["target", "guide"]
    assert [entry.name for entry in running.get_inputs()] == names
    assert [entry.name for entry in running.get_outputs()] == (
        ["mono", "rgb"] if variant == "raw-mono" else ["restored"]
    )
    for batch, size in enumerate(SIZES, start=1):
        inputs = noise(variant, *size, batch=batch % 3 + 1)
        with torch.no_grad():
            wanted = network(*map(torch.from_numpy, inputs))
        got = running.run(None, dict(zip(names, inputs, strict=True)))
        for ours, theirs in zip(wanted if isinstance(wanted, tuple) else (wanted,), got, strict=True):
            assert ours.shape == theirs.shape
            assert np.abs(ours.numpy() - theirs).max() <= 1e-5 * max(1, np.abs(theirs).max()), size


@pytest.mark.parametrize("variant", ["depth", "pan", "focus"])
def test_detail_is_in_the_graph(variant, tmp_path):
    path = weights(tmp_path / "w.safetensors", variant, "detail", attention="conv", levels=1, residual=True)
    export.export_onnx(path, tmp_path / "m.onnx")
    network, _ = load_network(path)
    for size in SIZES:
        target, guide = noise(variant, *size)
        (restored,) = session(tmp_path / "m.onnx").run(None, {"target": target, "guide": guide})
        wanted = restore_sample(network, Sample("s", target[0], guide[0]), torch.device("cpu"), "detail")
        np.testing.assert_allclose(restored[0], wanted, atol=1e-5 * np.abs(wanted).max(), rtol=0)


@pytest.mark.parametrize("method", ["svlrm", "fusionnet"])
def test_other_learned_methods(method, tmp_path):
    assert "pan" in lookup("method", method).tasks
    assert export.export_onnx(weights(tmp_path / "w.safetensors", "pan", "detail", method), tmp_path / "m.onnx") < 1e-5


def test_a_released_network_keeps_its_values(reference, tmp_path):
    convert(reference / "sfigf" / "pan_released_wv3.safetensors", "pan", tmp_path / "w.safetensors")
    export.export_onnx(tmp_path / "w.safetensors", tmp_path / "m.onnx")
    assert facts_of(tmp_path / "m.onnx")["origin"]["source"].startswith("Xinyil256/SFIGF@3600cd0")
    with np.load(reference / "sfigf" / "pan_released_wv3.npz") as arrays:
        for case in sorted({name.partition(".")[0] for name in arrays.files}):
            inputs = {name: arrays[f"{case}.{name}"] for name in ("target", "guide")}
            (restored,) = session(tmp_path / "m.onnx").run(None, inputs)
            wanted = arrays[f"{case}.restored"]
            assert np.abs(restored - wanted).max() <= 1e-5 * np.ptp(wanted)


def test_the_file_says_what_it_is_and_is_the_same_twice(tmp_path):
    path = weights(tmp_path / "w.safetensors", "pan", attention="conv")
    for name, opset in (("a.onnx", 17), ("b.onnx", 17), ("c.onnx", 20)):
        export.export_onnx(path, tmp_path / name, opset)
        assert {entry.version for entry in onnx.load(tmp_path / name).opset_import if not entry.domain} == {opset}
    assert sha256_of(tmp_path / "a.onnx") == sha256_of(tmp_path / "b.onnx")
    assert str(Path(export.__file__).parents[1]).encode() not in (tmp_path / "a.onnx").read_bytes()
    facts = facts_of(tmp_path / "a.onnx")
    assert (facts["task"], facts["signature"]["target"], facts["training"]["encoding"]) == ("pan", 5, "none")
    assert facts["onnx"] == {"encoding_in_graph": True, "least_side_px": 1, "value_range": "about [0, 1], float32"}
    shapes = [[*entry.shape] for entry in session(tmp_path / "a.onnx").get_inputs()]
    assert shapes == [["batch", 5, "height", "width"], ["batch", 1, "height", "width"]]


def test_nothing_is_written_that_differs(tmp_path, monkeypatch):
    path = weights(tmp_path / "w.safetensors", "pan", attention="conv")
    original = export._graph_form

    def wrong(network, facts):
        form = original(network, facts)
        with torch.no_grad():
            next(form.parameters()).add_(0.1)
        return form

    monkeypatch.setattr(export, "_graph_form", wrong)
    with pytest.raises(UserError, match=r"differs from the network by .* above 1e-04; nothing was written"):
        export.export_onnx(path, tmp_path / "m.onnx")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["w.safetensors"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"--opset": "9"}, "opset 9 is not supported; there are 17 to 20"),
        ({"--format": "tflite"}, "cannot export 'tflite'; there is onnx"),
        ({"--weights": "none.safetensors"}, "none.safetensors: no such weight file"),
    ],
)
def test_bad_requests_are_one_line(changes, says, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    weights(tmp_path / "w.safetensors", "pan")
    asked = {"--weights": "w.safetensors", "--output": "m.onnx"} | changes
    with pytest.raises(SystemExit) as ended:
        main(["export", *(word for pair in asked.items() for word in pair)])
    assert ended.value.code == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "m.onnx").exists()


@pytest.mark.parametrize("name", ["onnx", "onnxruntime"])
def test_a_missing_package_is_named(name, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UserError, match=rf"package {name}: pip install 'sfigf\[export\]'"):
        export.export_onnx(weights(tmp_path / "w.safetensors", "pan"), tmp_path / "m.onnx")


@settings(deadline=None, max_examples=40)
@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    kernel=st.sampled_from([1, 3, 5, 7]),
    dilation=st.integers(1, 4),
    heads=st.sampled_from([1, 2, 4]),
    cross=st.booleans(),
)
def test_graph_attention_is_the_attention(size, kernel, dilation, heads, cross):
    torch.manual_seed(kernel)
    layer = NeighbourhoodAttention(4, heads, kernel=kernel, dilation=dilation, cross=cross).double()
    inputs = torch.randn(2, 2, 4, *size, dtype=torch.float64).unbind()[: 1 + cross]
    with torch.no_grad():
        wanted = layer(*inputs)
        layer.__class__ = GraphAttention
        torch.testing.assert_close(layer(*inputs), wanted, rtol=1e-10, atol=1e-10)


@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    multiple=st.sampled_from([1, 2, 4, 16]),
    many=st.integers(1, 3),
)
def test_graph_padding_is_the_padding(size, multiple, many):
    image = torch.arange(float(size[0] * size[1])).view(1, 1, *size)
    least = multiple * many
    assert torch.equal(GraphSides(multiple, least).pad(image), Sides(multiple, least).pad(image))


def blocks(root, language):
    return re.findall(rf"```{language}\n(.*?)```", (root / "docs/export.md").read_text(encoding="utf-8"), re.S)


def test_the_page_is_true(root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    commands = [shlex.split(line) for block in blocks(root, "bash") for line in block.replace("\\\n", " ").splitlines()]
    rng = np.random.default_rng(0)
    for name, shape in (("target.npy", (21, 34)), ("photo.npy", (21, 34, 3)), ("packed.npy", (4, 9, 12))):
        np.save(name, rng.random(shape, dtype=np.float32))
    np.save("mono.npy", rng.random((4, 9, 12), dtype=np.float32))
    np.save("colour_matrix.npy", np.linalg.inv(camera_from_srgb()))
    kinds = {"depth": ("depth", "detail"), "raw": ("raw-red", "develop")}
    for words, (variant, encoding) in zip(commands, kinds.values(), strict=True):
        path = Path(words[words.index("--weights") + 1])
        path.parent.mkdir(parents=True)
        weights(path, variant, encoding, attention="conv")
        with pytest.raises(SystemExit) as ended:
            main(words[1:])
        assert ended.value.code == 0
        network, facts = load_network(path)
        said: dict = {}
        exec(blocks(root, "python")[[*kinds].index(facts["task"])], said)
        sample = said["sample"] if "sample" in said else Sample("s", said["target"][0], said["guide"][0])
        restored = restore_sample(network, sample, torch.device("cpu"), encoding)
        difference = np.abs(np.squeeze(said["restored"]) - np.squeeze(restored)).max()
        assert difference <= 1e-5 * max(1, np.abs(restored).max())
        assert said["facts"]["onnx"]["encoding_in_graph"] == (encoding == "detail")
