"""Feature maps that are written and read region by region, in memory or in a file."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Protocol

import torch
from torch import Tensor

from sfigf.regions import Region

Size = tuple[int, int]


class Map(Protocol):
    """Values of any region (1, n, h, w), and their mean over the whole image (1, n, 1, 1)."""

    @property
    def mean(self) -> Tensor: ...

    def read(self, region: Region) -> Tensor: ...


class Tally:
    """Mean over the pixels of an image, from its pieces."""

    def __init__(self, size: Size) -> None:
        self.pixels = size[0] * size[1]
        self.sum: Tensor | None = None

    def add(self, values: Tensor) -> None:
        """Count a piece (1, n, h, w)."""
        # An axis at a time: float32 sums of a few hundred values, summed in float64.
        rows = values.sum(dim=-2, keepdim=True).sum(dim=-1, keepdim=True, dtype=torch.float64)
        self.sum = rows if self.sum is None else self.sum + rows
        self.dtype = values.dtype

    @property
    def mean(self) -> Tensor:
        """(1, n, 1, 1), of the type of the pieces."""
        assert self.sum is not None, "nothing was counted"
        return (self.sum / self.pixels).to(self.dtype)


class Plane:
    """One map (1, n, H, W) of what was written to it.

    Args:
        channels: n.
        size: H and W.
        like: Tensor whose type and device the values have.
        file: Descriptor of an empty file to keep it in; in memory when None.
    """

    def __init__(self, channels: int, size: Size, like: Tensor, file: int | None) -> None:
        self.channels, self.size, self.device, self.dtype = channels, size, like.device, like.dtype
        self._tally = Tally(size)
        self._file = file
        self._pixel_bytes = channels * like.element_size()
        self._values = torch.zeros(*size, channels, dtype=like.dtype) if file is None else None

    @property
    def mean(self) -> Tensor:
        """Mean over all pixels."""
        return self._tally.mean

    def write(self, region: Region, values: Tensor) -> None:
        """Store (1, n, h, w); every pixel is written once."""
        self._tally.add(values)
        rows = values[0].permute(1, 2, 0).to(device="cpu", dtype=self.dtype)
        if self._values is not None:
            self._values[region.slices] = rows
            return
        assert self._file is not None, "the plane was freed"
        content = rows.flatten(1).contiguous().view(torch.uint8).numpy()
        for y, row in enumerate(content, start=region.top):
            _write_at(self._file, row.tobytes(), self._at(y, region.left))

    def read(self, region: Region) -> Tensor:
        """Return (1, n, h, w), channels lying together."""
        if self._values is not None:
            rows = self._values[region.slices]
        else:
            assert self._file is not None, "the plane was freed"
            length, lines = region.width * self._pixel_bytes, range(region.top, region.bottom)
            content = bytearray().join(os.pread(self._file, length, self._at(y, region.left)) for y in lines)
            rows = torch.frombuffer(content, dtype=self.dtype).view(region.height, region.width, self.channels)
        return rows.permute(2, 0, 1)[None].to(self.device)

    def free(self) -> None:
        """Give memory or disk back."""
        self._values = None
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _at(self, y: int, x: int) -> int:
        return (y * self.size[1] + x) * self._pixel_bytes


def _write_at(file: int, content: bytes, at: int) -> None:
    """Write all of it: one call may take less than it was given."""
    while content:
        written = os.pwrite(file, content, at)
        content, at = content[written:], at + written


class Store:
    """Makes planes and frees them at the end, whatever happened; use it with ``with``.

    Args:
        like: Tensor whose type and device the planes have.
        scratch: Folder of their files; in memory when None. The files have no name, so that none can be left behind.
    """

    def __init__(self, like: Tensor, scratch: Path | None) -> None:
        self.like, self.scratch = like, scratch
        self._planes: list[Plane] = []

    def plane(self, channels: int, size: Size) -> Plane:
        """Return a plane of zeros."""
        file = None
        if self.scratch is not None:
            with tempfile.TemporaryFile(dir=self.scratch) as opened:
                file = os.dup(opened.fileno())
            os.truncate(file, size[0] * size[1] * channels * self.like.element_size())
        self._planes.append(Plane(channels, size, self.like, file))
        return self._planes[-1]

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for plane in self._planes:
            plane.free()
