"""Dilated neighbourhood attention with relative position bias: one function, two engines, one result."""

from __future__ import annotations

import functools
import logging

import torch
from torch import Tensor

from sfigf.nets.attention.taps import TapAttention

_LOG = logging.getLogger(__name__)


def neighbourhood_attention(
    query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None, *, kernel: int = 7, dilation: int = 3
) -> Tensor:
    """Let every pixel attend to the kernel x kernel pixels around it that share its dilation phase.

    The CPU runs compiled (numba), float16 and bfloat16 in float32; every other device runs in plain PyTorch. Both give
    equal bytes for equal inputs, and keep no copy of the features per tap.

    Args:
        query: (b, heads, head_dim, h, w), a view of (b, n, h, w) features in any memory format; not yet scaled:
            ``head_dim ** -0.5`` is applied here. h <= H and w <= W: it may lack rows and columns at the end of the
            keys, whose own windows are then left out.
        key: (b, heads, head_dim, H, W).
        value: As ``key``.
        bias: (heads, 2 * kernel - 1, 2 * kernel - 1) relative position bias, or None.
        kernel: Odd side of the window.
        dilation: Distance of its taps in pixels; both sides of the keys must be at least ``kernel * dilation``.

    Returns:
        (b, heads, head_dim, h, w).

    Raises:
        ValueError: If shapes do not agree or a side is shorter than the window.

    Source: semantics of NATTEN 0.14 (see ``windows``), Hassani et al., CVPR 2023.
    """
    agree = query.ndim == 5 and key.shape == value.shape and query.shape[:3] == key.shape[:3]
    if not agree or any(few > all_ for few, all_ in zip(query.shape[3:], key.shape[3:], strict=True)):
        shapes = ", ".join(str(tuple(features.shape)) for features in (query, key, value))
        raise ValueError(f"query (b, heads, d, h, w), key and value (b, heads, d, H, W) do not agree: {shapes}")
    wanted = (query.shape[1], 2 * kernel - 1, 2 * kernel - 1)
    if bias is not None and bias.shape != wanted:
        raise ValueError(f"the bias must be {wanted}, not {tuple(bias.shape)}")
    if query.device.type != "cpu":
        return TapAttention.apply(query, key, value, bias, kernel, dilation)
    precise = torch.promote_types(query.dtype, torch.float32)
    inputs = (None if tensor is None else tensor.to(precise) for tensor in (query, key, value, bias))
    return _engine(precise).apply(*inputs, kernel, dilation).to(query.dtype)


@functools.cache
def _engine(dtype: torch.dtype) -> type[torch.autograd.Function]:
    """The compiled form on the CPU; where numba cannot be had, that is said once."""
    try:
        from sfigf.nets.attention.compiled import CompiledAttention, prepare

        prepare(dtype)
    except Exception as error:  # whatever ails a compiler, the other form computes the same
        _LOG.warning("neighbourhood attention runs in plain PyTorch, several times slower: %s", _first_line(error))
        return TapAttention
    return CompiledAttention


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip()}".splitlines()[0]
