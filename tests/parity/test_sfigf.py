"""Our five networks against outputs of the released classes, and the released names against ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from sfigf.released import import_released

REFERENCE = Path(__file__).parents[2].parent / "shared" / "reference" / "sfigf"
FILES = {
    "depth": "depth_c8",
    "pan": "pan_released_wv3",
    "focus": "focus_c8",
    "raw-red": "raw-red_c8",
    "raw-mono": "raw-mono_c8",
}
TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-5}


def _cases(variant: str) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    with np.load(REFERENCE / f"{FILES[variant]}.npz") as arrays:
        for case in sorted({name.split(".")[0] for name in arrays.files}):
            yield case, {name.split(".", 1)[1]: arrays[name] for name in arrays.files if name.split(".")[0] == case}


@pytest.fixture(params=sorted(FILES))
def variant(request: pytest.FixtureRequest) -> str:
    """A released variant whose reference values are present."""
    if not (REFERENCE / f"{FILES[request.param]}.npz").is_file():
        pytest.skip(f"reference values not present: {REFERENCE}")
    return request.param


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_equals_the_released_network(variant: str, dtype: torch.dtype) -> None:
    network = import_released(REFERENCE / f"{FILES[variant]}.safetensors", variant).to(dtype)
    for case, arrays in _cases(variant):
        inputs = [torch.from_numpy(arrays[name]).to(dtype) for name in ("target", "guide") if name in arrays]
        with torch.no_grad():
            outputs = network(*inputs)
        named = dict(zip(("mono", "rgb"), outputs, strict=True)) if variant == "raw-mono" else {"restored": outputs}
        for name, output in named.items():
            expected = arrays[name]
            error = np.abs(output.numpy() - expected).max() / np.ptp(expected)
            assert error <= TOLERANCE[dtype], f"{variant} case {case} {name} {expected.shape}: {error:.2e}"
