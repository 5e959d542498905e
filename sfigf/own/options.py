"""What a person may say about an image, and whether its two sizes agree with that."""

from __future__ import annotations

import dataclasses

from sfigf.interface import UserError

Shape = tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Options:
    """Options of a restoration; None leaves the choice to the image.

    Attributes:
        scale: Depth, pan: how many times finer the guide is. A depth target of the guide's own size counts as upsampled
            already, by this much.
        nodata: Depth, pan: value of the target that means unknown; else what the file declares.
        peak: Pan: digital number that counts as 1; else the largest value there is.
        ratio: Raw: exposure ratio to amplify by.
        white_balance: Raw: gains of red, green, blue; else the camera file's, else 1, 1, 1.
        colour_matrix: Raw: nine numbers, row by row, white-balanced camera RGB to linear sRGB; else the camera file's,
            else that of a Sony A7S II.
        guide_gain: Raw: factor that brings the guide to [0,1]; else that of a monochrome sensor with the same exposure,
            which gathers the sum of the three channels: ``ratio / (1/red + 1/green + 1/blue)``.

    Raises:
        UserError: If a factor is not above 0, or the matrix has not nine numbers.
    """

    scale: int | None = None
    nodata: float | None = None
    peak: float | None = None
    ratio: float = 1.0
    white_balance: tuple[float, ...] | None = None
    colour_matrix: tuple[float, ...] | None = None
    guide_gain: float | None = None

    def __post_init__(self) -> None:
        balance = (1.0, 1.0, 1.0) if self.white_balance is None else tuple(self.white_balance)
        if len(balance) != 3:
            raise UserError(f"a white balance is three gains, of red, green and blue; got {len(balance)}")
        if not min(self.ratio, *balance, 1.0 if self.guide_gain is None else self.guide_gain) > 0:
            given = f"{self.ratio}, {balance} and {self.guide_gain}"
            raise UserError(f"ratio, white balance and guide gain are factors above 0; got {given}")
        if self.peak is not None and not self.peak > 0:
            raise UserError(f"the peak is the number that counts as 1, so above 0; got {self.peak}")
        if self.colour_matrix is not None and len(self.colour_matrix) != 9:
            raise UserError(f"a colour matrix has nine numbers, row by row; got {len(self.colour_matrix)}")


def factor_of(task: str, target: Shape, guide: Shape | None, scale: int | None) -> int:
    """Return how many times finer the guide (Cg,H,W) is than the target (C,h,w): 1 for focus, raw, and without a guide.

    Raises:
        UserError: If the sizes do not fit each other, the task, or ``scale``.
    """
    if guide is None:
        factor = 1
    elif task in ("depth", "pan"):
        factor = _multiple(target, guide)
    else:
        factor = _same(task, target, guide)
    if task == "pan" and factor not in (2, 4):
        raise UserError(f"the guide is {factor} times finer; pan-sharpening takes 2 or 4")
    upsampled = task == "depth" and factor == 1
    if scale is not None and scale != factor and not (upsampled and scale >= 1):
        raise UserError(
            f"--scale is {scale}, but the target is {_px(target)} and the guide {_px(guide or target)}: {factor} times "
            "as fine; leave --scale out or name the right pair"
        )
    return factor


def _multiple(target: Shape, guide: Shape) -> int:
    factor = guide[1] // max(1, target[1])
    if factor < 1 or (target[1] * factor, target[2] * factor) != guide[1:]:
        raise UserError(
            f"the guide is {_px(guide)} and the target {_px(target)}; the guide must be a whole multiple of the "
            "target: crop or resize one of them"
        )
    return factor


def _same(task: str, target: Shape, guide: Shape) -> int:
    if target[1:] != guide[1:]:
        raise UserError(
            f"the guide is {_px(guide)} and the target {_px(target)}; {task} takes two of one size: crop or resize one"
        )
    return 1


def _px(shape: Shape) -> str:
    return f"{shape[2]}x{shape[1]} px"
