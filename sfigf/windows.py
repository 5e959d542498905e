"""What patches are cut from: samples in memory, or a file of which only the window asked for is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sfigf.interface import Array, Sample


class Windows(Protocol):
    """What patches are cut from: samples in memory, or a file that gives windows."""

    @property
    def names(self) -> Sequence[str]:
        """Names of the samples, in order."""
        ...

    def shape(self, index: int, role: str) -> tuple[int, ...] | None:
        """Shape of an array, or None where a sample has none."""
        ...

    def window(self, index: int, role: str, top: int, left: int, height: int, width: int) -> Array:
        """Cut (C,height,width) out of an array."""
        ...

    def meta(self, index: int) -> Mapping[str, Any]:
        """Facts of a sample."""
        ...


class HeldWindows:
    """Samples in memory."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._samples = samples
        self.names = [sample.name for sample in samples]

    def shape(self, index: int, role: str) -> tuple[int, ...] | None:
        """Shape of an array, or None where a sample has none."""
        array = getattr(self._samples[index], role)
        return None if array is None else array.shape

    def window(self, index: int, role: str, top: int, left: int, height: int, width: int) -> Array:
        """Cut (C,height,width) out of an array."""
        return getattr(self._samples[index], role)[:, top : top + height, left : left + width]

    def meta(self, index: int) -> Mapping[str, Any]:
        """Facts of a sample."""
        return self._samples[index].meta


class StoredWindows:
    """Samples in a file: only what a patch shows is read."""

    def __init__(self, records: Any) -> None:
        self._records = records
        self.names = records.names

    def shape(self, index: int, role: str) -> tuple[int, ...] | None:
        """Shape of an array, or None where a sample has none."""
        return self._records.shape(index, role) if role in self._records.fields(index) else None

    def window(self, index: int, role: str, top: int, left: int, height: int, width: int) -> Array:
        """Cut (C,height,width) out of an array."""
        return self._records.window(index, role, top, left, height, width)

    def meta(self, index: int) -> Mapping[str, Any]:
        """Facts of a sample."""
        return self._records.facts(index)["meta"]
