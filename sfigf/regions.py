"""Rectangles of pixels: how an image that does not fit into memory is walked through, piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from sfigf.interface import Array


class Region(NamedTuple):
    """Rows top..bottom-1 and columns left..right-1 of an image."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the last two axes of an image."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def of(self, image: Any) -> Any:
        """Cut the region out of (..., H, W), an array or a tensor."""
        return image[(..., *self.slices)]

    def grown(self, margin: int, height: int, width: int) -> Region:
        """The region with a margin on every side, as far as an image of height x width goes."""
        top, left = max(0, self.top - margin), max(0, self.left - margin)
        return Region(top, left, min(height, self.bottom + margin), min(width, self.right + margin))

    def inside(self, outer: Region) -> Region:
        """The same pixels as a region of ``outer``."""
        return Region(self.top - outer.top, self.left - outer.left, self.bottom - outer.top, self.right - outer.left)

    def clipped(self, height: int, width: int) -> Region:
        """What of the region lies in an image of height x width."""
        return self.grown(0, height, width)

    def times(self, factor: int) -> Region:
        """The region on a grid ``factor`` times finer."""
        return Region(*(side * factor for side in self))

    def over(self, factor: int) -> Region:
        """The smallest region on a grid ``factor`` times coarser that covers this one."""
        return Region(self.top // factor, self.left // factor, -(-self.bottom // factor), -(-self.right // factor))

    def under(self, factor: int) -> Region:
        """The pixels of a grid ``factor`` times coarser that end in this region, which begins at one of them."""
        return Region(*(side // factor for side in self))

    def joined(self, other: Region) -> Region:
        """The smallest region that covers both."""
        begins = (min(self.top, other.top), min(self.left, other.left))
        return Region(*begins, max(self.bottom, other.bottom), max(self.right, other.right))


def whole(image: Array) -> Region:
    """The region of all pixels of (..., H, W)."""
    return Region(0, 0, *image.shape[-2:])


def regions(height: int, width: int, side: int) -> Iterator[Region]:
    """Cut height x width into squares of ``side`` pixels, row by row; the last ones are what is left."""
    for top in range(0, height, side):
        for left in range(0, width, side):
            yield Region(top, left, min(top + side, height), min(left + side, width))
