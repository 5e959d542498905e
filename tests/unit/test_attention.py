"""The fast attentions equal the slow one: over shapes, kernels, dilations, heads, borders, memory formats, threads."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from sfigf.nets import attention
from sfigf.nets.attention import neighbourhood_attention, spans, taps
from sfigf.nets.attention.module import NeighbourhoodAttention
from sfigf.nets.attention.reference import gathered_attention, reference_attention
from sfigf.nets.attention.taps import TapAttention
from sfigf.nets.attention.windows import axis_windows

Attention = Callable[..., Tensor]


def _taps(*tensors: Tensor | None, kernel: int = 7, dilation: int = 3) -> Tensor:
    return TapAttention.apply(*tensors, kernel, dilation)


ENGINES: dict[str, Attention] = {"compiled": neighbourhood_attention, "taps": _taps}


@pytest.fixture(scope="module", params=["as it comes", "in many blocks"], autouse=True)
def _cut(request: pytest.FixtureRequest) -> Iterator[None]:
    """The plain form as on small images, and as on large ones: blocks between the borders, whose keys are views."""
    before = spans.LEAST_EVEN, taps._BLOCK_VALUES
    if request.param == "in many blocks":
        spans.LEAST_EVEN, taps._BLOCK_VALUES = 1, 300
    taps._blocks.cache_clear()
    yield
    spans.LEAST_EVEN, taps._BLOCK_VALUES = before
    taps._blocks.cache_clear()


@st.composite
def _problems(draw: st.DrawFn) -> tuple[list[Tensor], int, int]:
    """Features, bias and window of random sizes, with fewer queries than keys in some."""
    kernel, dilation = draw(st.sampled_from([3, 5, 7])), draw(st.integers(1, 3))
    batch, heads, channels = draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(st.integers(1, 9))
    height, width = (kernel * dilation + draw(st.integers(0, extra)) for extra in (5, 50))
    rows, columns = draw(st.integers(1, height)), draw(st.integers(1, width))
    rng = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    features = torch.randn(3, batch, heads, channels, height, width, generator=rng, dtype=torch.float64)
    bias = torch.randn(heads, 2 * kernel - 1, 2 * kernel - 1, generator=rng, dtype=torch.float64)
    if draw(st.booleans()):  # channels lying together, as the network has them
        features = features.permute(0, 1, 4, 5, 2, 3).contiguous().permute(0, 1, 4, 5, 2, 3)
    return [features[0, ..., :rows, :columns], features[1], features[2], bias], kernel, dilation


def _with_gradients(run: Attention, tensors: list[Tensor], **window: int) -> list[Tensor]:
    leaves = [tensor.detach().requires_grad_() for tensor in tensors]
    out = run(*leaves, **window)
    weights = torch.linspace(-1, 2, out.numel(), dtype=out.dtype).view(out.shape)
    return [out.detach(), *torch.autograd.grad((out * weights).sum(), leaves)]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(_problems())
def test_fast_forms_and_gradients_equal_the_gathered_form(problem: tuple[list[Tensor], int, int]) -> None:
    tensors, kernel, dilation = problem
    expected = _with_gradients(gathered_attention, tensors, kernel=kernel, dilation=dilation)
    for name, engine in ENGINES.items():
        for fast, slow in zip(
            _with_gradients(engine, tensors, kernel=kernel, dilation=dilation), expected, strict=True
        ):
            torch.testing.assert_close(
                fast, slow, rtol=1e-11, atol=1e-11, msg=lambda text, name=name: f"{name}: {text}"
            )


def test_gathered_form_equals_the_pixel_by_pixel_reference() -> None:
    rng = torch.Generator().manual_seed(1)
    query, key, value = torch.randn(3, 2, 2, 3, 23, 22, generator=rng, dtype=torch.float64)
    bias = torch.randn(2, 13, 13, generator=rng, dtype=torch.float64)
    for tensors in ((query, key, value, bias), (query[..., :5, :], key, value, None)):
        torch.testing.assert_close(gathered_attention(*tensors), reference_attention(*tensors), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("engine", ENGINES)
def test_gradcheck(engine: str) -> None:
    rng = torch.Generator().manual_seed(2)
    shapes = [(1, 2, 2, 6, 7)] * 3 + [(2, 5, 5)]
    inputs = [torch.randn(shape, generator=rng, dtype=torch.float64, requires_grad=True) for shape in shapes]
    assert torch.autograd.gradcheck(lambda *tensors: ENGINES[engine](*tensors, kernel=3, dilation=2), inputs)


@pytest.mark.parametrize("engine", ENGINES)
def test_single_precision_holds_for_large_logits(engine: str) -> None:
    rng = torch.Generator().manual_seed(3)
    query, key, value = 30 * torch.randn(3, 1, 2, 4, 24, 70, generator=rng)
    bias = 20 * torch.randn(2, 13, 13, generator=rng)
    expected = gathered_attention(*(tensor.double() for tensor in (query, key, value, bias)))
    torch.testing.assert_close(ENGINES[engine](query, key, value, bias).double(), expected, rtol=0, atol=2e-2)


def test_bytes_do_not_depend_on_threads() -> None:
    rng = torch.Generator().manual_seed(4)
    tensors = [*torch.randn(3, 2, 3, 2, 25, 70, generator=rng), torch.randn(3, 13, 13, generator=rng)]
    before, results = torch.get_num_threads(), []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            results.append(_with_gradients(neighbourhood_attention, tensors, kernel=7, dilation=3))
    finally:
        torch.set_num_threads(before)
    for alone, together in zip(*results, strict=True):
        assert torch.equal(alone, together)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("dtype", "close"), [(torch.bfloat16, 0.1), (torch.float16, 0.01)])
def test_half_precision_stays_close_and_keeps_its_type(engine: str, dtype: torch.dtype, close: float) -> None:
    rng = torch.Generator().manual_seed(5)
    tensors = [*torch.randn(3, 1, 2, 4, 21, 22, generator=rng), torch.randn(2, 13, 13, generator=rng)]
    expected = _with_gradients(neighbourhood_attention, tensors)
    half = _with_gradients(ENGINES[engine], [tensor.to(dtype) for tensor in tensors])
    for ours, exact in zip(half, expected, strict=True):
        assert ours.dtype == dtype
        assert float((ours.float() - exact).abs().max() / exact.abs().max()) < close


def test_without_numba_torch_takes_over_and_says_so(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    rng = torch.Generator().manual_seed(6)
    tensors = torch.randn(3, 1, 1, 2, 21, 21, generator=rng, dtype=torch.float64)
    expected = neighbourhood_attention(*tensors)
    monkeypatch.setitem(sys.modules, "sfigf.nets.attention.compiled", None)
    attention._engine.cache_clear()
    try:
        torch.testing.assert_close(neighbourhood_attention(*tensors), expected, rtol=1e-12, atol=1e-12)
        neighbourhood_attention(*tensors)
    finally:
        attention._engine.cache_clear()
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.parametrize("length", [21, 22, 23, 40])
def test_windows_shift_at_borders_and_keep_the_phase(length: int) -> None:
    first, bias, runs = axis_windows(length, 7, 3)
    queries = np.arange(length)
    assert (first % 3 == queries % 3).all()
    assert (first >= 0).all()
    assert (first + 18 < length).all()
    assert ((first - queries) // 3 + 6 == bias).all()
    assert first[0] == 0
    assert first[length - 1] + 18 == length - 1
    assert [query for start, stop, _ in runs for query in range(start, stop)] == queries.tolist()


def test_wrong_shapes_are_named() -> None:
    features = torch.zeros(1, 2, 3, 21, 21)
    with pytest.raises(ValueError, match=r"do not agree.*\(1, 2, 4, 21, 21\)"):
        neighbourhood_attention(torch.zeros(1, 2, 4, 21, 21), features, features)
    with pytest.raises(ValueError, match=r"bias must be \(2, 13, 13\), not \(1, 13, 13\)"):
        neighbourhood_attention(features, features, features, torch.zeros(1, 13, 13))
    with pytest.raises(ValueError, match="20 pixels is shorter"):
        neighbourhood_attention(*(features[..., :20] for _ in range(3)))


@pytest.mark.parametrize(("channels", "wanted", "heads"), [(8, 8, 8), (12, 8, 6), (7, 4, 1), (4, 8, 4)])
def test_heads_fall_to_a_divisor(channels: int, wanted: int, heads: int) -> None:
    assert NeighbourhoodAttention(channels, wanted).heads == heads


def test_short_sides_are_padded_with_ordinary_keys() -> None:
    torch.manual_seed(7)
    layer = NeighbourhoodAttention(4, 2).double()
    x = torch.randn(1, 4, 5, 30, dtype=torch.float64)
    grown = torch.nn.functional.pad(x, (0, 0, 0, 16))
    torch.testing.assert_close(layer(x), layer(grown)[..., :5, :], rtol=1e-12, atol=1e-12)
