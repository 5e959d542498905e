"""A weight file as an ONNX model: one graph for every size, compared with the network before it is written."""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sfigf.files import replacing
from sfigf.interface import Array, Sample, UserError

if TYPE_CHECKING:
    from torch import nn

OPSETS = range(17, 21)
TOLERANCE = 1e-4
TRACED = (24, 28)
CHECKED = ((1, 1), (5, 43), (31, 22))
_METADATA = "sfigf"


def export_onnx(weights: str | Path, output: str | Path, opset: int = 18) -> float:
    """Write the network of a weight file as an ONNX model whose batch, height and width are free, from 1 pixel on.

    Inputs are ``target`` and ``guide`` (raw-mono: ``raw``), float32 (b, C, H, W) as ``Sample`` describes them; outputs
    ``restored`` (raw-mono: ``mono``, ``rgb``). The encoding ``detail`` is part of the graph; ``develop`` needs each
    picture's own camera matrix and stays outside. What the weight file says of itself is the metadata entry ``sfigf``.

    Args:
        weights: Weight file of ours.
        output: File to write.
        opset: ONNX operator set, 17 to 20.

    Returns:
        Largest difference between ONNX Runtime and the network over three sizes that were not traced, relative to the
        range of the output.

    Raises:
        UserError: If a package is missing, the network cannot be exported, or the difference is above 1e-4.
    """
    from sfigf.weights import load_network

    _check_packages()
    if opset not in OPSETS:
        raise UserError(f"opset {opset} is not supported; there are {OPSETS.start} to {OPSETS.stop - 1}")
    network, facts = load_network(weights)
    with replacing(output) as temporary:
        _trace(_graph_form(network, facts), facts, temporary, opset)
        _describe(temporary, facts)
        difference = _difference(temporary, network, facts)
        if not difference <= TOLERANCE:
            raise UserError(
                f"{weights}: ONNX Runtime differs from the network by {difference:.1e} of the output's range, above "
                f"{TOLERANCE:.0e}; nothing was written"
            )
    return difference


def _check_packages() -> None:
    for name in ("onnx", "onnxruntime"):
        try:
            importlib.import_module(name)
        except ImportError:
            raise UserError(f"export needs the package {name}: pip install 'sfigf[export]'") from None


def _graph_form(network: nn.Module, facts: dict[str, Any]) -> nn.Module:
    from sfigf.encoding import GAIN, LOW_PX
    from sfigf.nets.exported import DetailEncoded, exportable

    form = exportable(network)
    return DetailEncoded(form, float(GAIN), LOW_PX) if facts["training"]["encoding"] == "detail" else form


def _names(facts: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Names of inputs and outputs."""
    return (["target", "guide"], ["restored"]) if facts["signature"]["guide"] else (["raw"], ["mono", "rgb"])


def _inputs(facts: dict[str, Any], height: int, width: int, batch: int, seed: int = 0) -> list[Array]:
    rng = np.random.default_rng(seed)
    channels = [facts["signature"][role] for role in ("target", "guide") if facts["signature"][role]]
    return [rng.random((batch, count, height, width), dtype=np.float32) for count in channels]


def _trace(network: nn.Module, facts: dict[str, Any], path: Path, opset: int) -> None:
    """Export by tracing: torch's other exporter turns sizes into guards, and refuses a graph for all of them."""
    import torch

    inputs, outputs = _names(facts)
    free = {0: "batch", 2: "height", 3: "width"}
    grown = {0: "batch", 2: "output_height", 3: "output_width"}
    axes = dict.fromkeys(inputs, free) | dict.fromkeys(outputs, grown)
    examples = tuple(map(torch.from_numpy, _inputs(facts, *TRACED, batch=1)))
    network.requires_grad_(False)  # no_grad instead makes the tracer of torch 2.13 fail
    with _quiet():
        try:
            torch.onnx.export(
                network,
                examples,
                str(path),
                input_names=inputs,
                output_names=outputs,
                dynamic_axes=axes,
                opset_version=opset,
                dynamo=False,
            )
        except Exception as error:
            why = f"{type(error).__name__}: {str(error).strip()}".splitlines()[0]
            raise UserError(f"the network of method '{facts['method']}' cannot be exported ({why})") from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The tracer warns of every check of sizes in the network; the comparison afterwards is what counts."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _describe(path: Path, facts: dict[str, Any]) -> None:
    """Add what the weights say of themselves, and what the inputs are."""
    import onnx

    model = onnx.load(path)
    model.producer_name = "sfigf"
    inside = facts["training"]["encoding"] in ("none", "detail")
    notes = {"encoding_in_graph": inside, "least_side_px": 1, "value_range": "about [0, 1], float32"}
    onnx.helper.set_model_props(model, {_METADATA: json.dumps({**facts, "onnx": notes}, sort_keys=True)})
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _difference(path: Path, network: nn.Module, facts: dict[str, Any]) -> float:
    """Compare on sizes that were not traced, the last one with a batch of two."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what fails comes back as an error
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    errors: dict[int, list[float]] = {}
    values: dict[int, list[Array]] = {}
    for seed, size in enumerate(CHECKED, start=1):
        inputs = _inputs(facts, *size, batch=2 if seed == len(CHECKED) else 1, seed=seed)
        expected = _expected(network, facts, inputs)
        try:
            got = session.run(None, dict(zip(_names(facts)[0], inputs, strict=True)))
        except Exception as error:
            raise UserError(f"the exported network of '{facts['method']}' fails at {size[1]}x{size[0]} px") from error
        for index, (ours, theirs) in enumerate(zip(expected, got, strict=True)):
            if ours.shape != theirs.shape:
                raise UserError(f"the exported network gives {theirs.shape} where the network gives {ours.shape}")
            errors.setdefault(index, []).append(float(np.abs(ours - theirs).max()))
            values.setdefault(index, []).append(ours.ravel())
    return max(max(errors[index]) / float(np.ptp(np.concatenate(values[index])) or 1.0) for index in errors)


def _expected(network: nn.Module, facts: dict[str, Any], inputs: Sequence[Array]) -> list[Array]:
    """What the network gives, with the encoding as the package has it."""
    from sfigf.encoding import decode, encode

    if facts["training"]["encoding"] != "detail":
        return _run(network, *inputs)
    samples = [Sample("noise", target, guide) for target, guide in zip(*inputs, strict=True)]
    shown = [encode(sample, "detail") for sample in samples]
    (restored,) = _run(network, *(np.stack([getattr(s, role) for s in shown]) for role in ("target", "guide")))
    return [np.stack([decode(image, sample, "detail") for image, sample in zip(restored, samples, strict=True)])]


def _run(network: nn.Module, *inputs: Array) -> list[Array]:
    import torch

    with torch.inference_mode():
        outputs = network(*map(torch.from_numpy, inputs))
    return [output.numpy() for output in (outputs if isinstance(outputs, tuple) else (outputs,))]
