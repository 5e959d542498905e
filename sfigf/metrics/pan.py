"""The pan-sharpening metrics under the names a study asks for; all count in digital numbers, float64.

Those with a truth drop 20 px at the top and left, 21 px at the bottom and right first, as the toolbox does by default.
"""

from __future__ import annotations

from typing import ClassVar

from sfigf.degrade.exp import interp23tap
from sfigf.degrade.mtf import mtf_kernels
from sfigf.interface import Array, Sample, UserError
from sfigf.metrics import hypercomplex, pan_full, pan_reduced
from sfigf.metrics.checks import checked, truth_of
from sfigf.registry import register

_TOOLBOX = "liangjiandeng/DLPan-Toolbox@a34f884"


class _Reduced:
    tasks: ClassVar[tuple[str, ...]] = ("pan",)
    unit: ClassVar[str] = "1"
    higher_is_better: ClassVar[bool] = True
    needs_truth: ClassVar[bool] = True

    def _pair(self, restored: Array, sample: Sample) -> tuple[Array, Array]:
        """Return truth and restored in digital numbers, borders cut."""
        return pan_reduced.cut(sample.to_units(truth_of(sample)), sample.to_units(checked(restored, sample)))


@register("metric")
class Sam(_Reduced):
    """``spectral_angle`` in degrees."""

    name: ClassVar[str] = "sam"
    unit: ClassVar[str] = "degree"
    higher_is_better: ClassVar[bool] = False
    reference: ClassVar[str] = f"{_TOOLBOX} SAM.m, 20/21 px cut"

    def __call__(self, restored: Array, sample: Sample) -> float:
        """Score ``restored`` (C,H,W); see the class."""
        return pan_reduced.spectral_angle(*self._pair(restored, sample))


@register("metric")
class Ergas(_Reduced):
    """``ergas`` with the ratio in ``sample.meta["factor"]``."""

    name: ClassVar[str] = "ergas"
    higher_is_better: ClassVar[bool] = False
    reference: ClassVar[str] = f"{_TOOLBOX} ERGAS.m, 20/21 px cut"

    def __call__(self, restored: Array, sample: Sample) -> float:
        """Score ``restored`` (C,H,W); see the class."""
        return pan_reduced.ergas(*self._pair(restored, sample), ratio=sample.meta["factor"])


@register("metric")
class Q4(_Reduced):
    """``q2n``: Q4 on four bands, Q8 on eight; five to seven bands are zero-padded to eight."""

    name: ClassVar[str] = "q4"
    reference: ClassVar[str] = f"{_TOOLBOX} q2n.m, blocks of 32, rounded to 16 bits, 20/21 px cut"

    def __call__(self, restored: Array, sample: Sample) -> float:
        """Score ``restored`` (C,H,W); see the class."""
        return hypercomplex.q2n(*self._pair(restored, sample))


@register("metric")
class Q2n(Q4):
    """``q2n`` under its general name; the same number as q4."""

    name: ClassVar[str] = "q2n"


@register("metric")
class Scc(_Reduced):
    """``spatial_correlation``."""

    name: ClassVar[str] = "scc"
    reference: ClassVar[str] = f"{_TOOLBOX} SCC.m, 20/21 px cut"

    def __call__(self, restored: Array, sample: Sample) -> float:
        """Score ``restored`` (C,H,W); see the class."""
        return pan_reduced.spatial_correlation(*self._pair(restored, sample))


@register("metric")
class Q(_Reduced):
    """``quality_index``: the mean over the bands of the index in sliding windows of 32 px."""

    name: ClassVar[str] = "q"
    reference: ClassVar[str] = f"{_TOOLBOX} Q.m, img_qi.m: stride 1, 20/21 px cut"

    def __call__(self, restored: Array, sample: Sample) -> float:
        """Score ``restored`` (C,H,W); see the class."""
        return pan_reduced.quality_index(*self._pair(restored, sample))


class _Full:
    """No truth: the coarse bands and PAN are the witnesses; nothing is cut, a partial block of 32 px is left out."""

    tasks: ClassVar[tuple[str, ...]] = ("pan",)
    unit: ClassVar[str] = "1"
    higher_is_better: ClassVar[bool] = False
    needs_truth: ClassVar[bool] = False

    def _bands(self, restored: Array, sample: Sample) -> tuple[Array, Array]:
        """Return restored and 23-tap upsampled coarse bands in digital numbers."""
        if sample.coarse is None:
            raise UserError(f"image '{sample.name}' has no coarse bands to hold against; degrade it again")
        upsampled = interp23tap(sample.to_units(sample.coarse), sample.meta["factor"])
        return sample.to_units(checked(restored, sample)), upsampled

    def _all(self, restored: Array, sample: Sample) -> tuple[Array, Array, Array]:
        """As ``_bands``, and PAN."""
        return *self._bands(restored, sample), sample.to_units(sample.guide)


@register("metric")
class DLambda(_Full):
    """``d_lambda``."""

    name: ClassVar[str] = "d-lambda"
    reference: ClassVar[str] = f"{_TOOLBOX} D_lambda.m, p = 1, blocks of 32"

    def __call__(self, restored: Array, sample: Sample) -> float:
        """Score ``restored`` (C,H,W); see the class."""
        return pan_full.d_lambda(*self._bands(restored, sample))


@register("metric")
class DLambdaK(_Full):
    """``d_lambda_k`` (Khan's) with the Nyquist gains in ``sample.meta["gains"]``."""

    name: ClassVar[str] = "d-lambda-k"
    reference: ClassVar[str] = f"{_TOOLBOX} D_lambda_K.m: at PAN size, blocks of 32"

    def __call__(self, restored: Array, sample: Sample) -> float:
        """Score ``restored`` (C,H,W); see the class."""
        kernels = mtf_kernels(sample.meta["gains"], sample.meta["factor"])
        return pan_full.d_lambda_k(*self._bands(restored, sample), kernels)


@register("metric")
class DS(_Full):
    """``d_s``."""

    name: ClassVar[str] = "d-s"
    reference: ClassVar[str] = f"{_TOOLBOX} D_s.m, q = 1, blocks of 32"

    def __call__(self, restored: Array, sample: Sample) -> float:
        """Score ``restored`` (C,H,W); see the class."""
        return pan_full.d_s(*self._all(restored, sample), ratio=sample.meta["factor"])


@register("metric")
class Qnr(_Full):
    """``qnr``."""

    name: ClassVar[str] = "qnr"
    higher_is_better: ClassVar[bool] = True
    reference: ClassVar[str] = f"{_TOOLBOX} QNR.m: (1 - D_lambda)(1 - D_s)"

    def __call__(self, restored: Array, sample: Sample) -> float:
        """Score ``restored`` (C,H,W); see the class."""
        return pan_full.qnr(*self._all(restored, sample), ratio=sample.meta["factor"])


@register("metric")
class Hqnr(_Full):
    """``hqnr`` with the Nyquist gains in ``sample.meta["gains"]``."""

    name: ClassVar[str] = "hqnr"
    higher_is_better: ClassVar[bool] = True
    reference: ClassVar[str] = f"{_TOOLBOX} HQNR.m: (1 - D_lambda_K)(1 - D_s)"

    def __call__(self, restored: Array, sample: Sample) -> float:
        """Score ``restored`` (C,H,W); see the class."""
        ratio = sample.meta["factor"]
        return pan_full.hqnr(*self._all(restored, sample), mtf_kernels(sample.meta["gains"], ratio), ratio)
