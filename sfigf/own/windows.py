"""Windows of what a network is shown, and the way back to the units of a person's image.

The low-pass of an encoding looks beyond a window; it is taken of a wider one and cut. At the borders of the image a
window ends where the image does, so that borders are treated as those of the whole image are.
"""

from __future__ import annotations

import numpy as np

from sfigf.encoding import REACH_PX, Encoding, decode, encode
from sfigf.interface import Array
from sfigf.own.inputs import Inputs
from sfigf.regions import Region


class Windows:
    """Inputs as a network with a given encoding sees them.

    Args:
        inputs: Target and guide.
        encoding: That of the training.
    """

    def __init__(self, inputs: Inputs, encoding: Encoding) -> None:
        self.inputs, self.encoding = inputs, encoding

    def shown(self, region: Region) -> list[Array]:
        """Return target (C,h,w), and guide (Cg,h,w) if there is one, of a region of the network's grid."""
        wide = self._wide(region)
        sample = encode(self.inputs.sample(wide), self.encoding)
        both = (region.inside(wide).of(image) for image in (sample.target, sample.guide))
        return [np.ascontiguousarray(image, dtype=np.float32) for image in both if len(image)]

    def restored(self, region: Region, answer: Array) -> Array:
        """Bring a network's answer (Co,h,w) for a region of the output's grid to the scale of the target, (Co,h,w)."""
        if self.encoding == "none":
            return answer
        wide = self._wide(region.over(self.inputs.upscale))
        inner = region.inside(wide.times(self.inputs.upscale))
        framed = np.zeros(
            (len(answer), *(side * self.inputs.upscale for side in (wide.height, wide.width))), np.float32
        )
        inner.of(framed)[:] = answer
        return inner.of(decode(framed, self.inputs.sample(wide), self.encoding))

    def in_units(self, region: Region, restored: Array, dtype: np.dtype | None = None) -> Array:
        """Bring ``restored`` to the units of the person's target, unknown pixels marked: (Co,h,w) float32.

        Values that a file of integers would round to its nodata value move one step off it.
        """
        values = (restored.astype(np.float64) * self.inputs.scale + self.inputs.offset).astype(np.float32)
        unknown, nodata = self.inputs.unknown(region), self.inputs.nodata
        if unknown is None or nodata is None:
            return values
        if dtype is not None and dtype.kind in "ui":
            limits = np.iinfo(dtype)
            values = np.clip(np.rint(values), limits.min, limits.max)
            values[values == nodata] += 1 if nodata < limits.max else -1
        values[unknown] = nodata
        return values

    def _wide(self, region: Region) -> Region:
        return region.grown(REACH_PX[self.encoding], *self.inputs.size)
