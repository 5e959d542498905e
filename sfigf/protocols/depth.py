"""Guided depth super-resolution: one kernel, one border, one unit, and six names for what differs."""

from __future__ import annotations

from sfigf.protocols.model import Case, Protocol, Trap

_DCTNET = "Zhaozixiang1228/GDSR-DCTNet@5243875"
_JIIF = "ashawkey/jiif@acfa3f9"
_RECOMPUTED = f"recomputed on the 30 Middlebury and 6 Lu maps shipped in {_DCTNET}"
_DISPARITY = ("middlebury-30", "lu")
_CENTIMETRES = ("nyuv2", "nyu-sample")
_FACTORS = (4, 8, 16)
_PLAIN = tuple(f"x{factor}" for factor in _FACTORS)
_UINT8 = tuple(f"x{factor}-uint8" for factor in _FACTORS)
_NEAREST = tuple(f"x{factor}-nearest" for factor in _FACTORS)
_MEAN = "RMSE of each image, then the mean over images; never the root of a pooled mean square"
_UNIT = "8-bit disparity on Middlebury and Lu, cm on NYUv2 and RGB-D-D"
_MIN_MAX = (
    "each map by the minimum and maximum of its own high-resolution truth, undone before the metric (ours: of its "
    "low-resolution map, as nobody has the truth of a map of their own; bicubic is the same)"
)
_BICUBIC = "crop to a multiple of the factor at the top left; Pillow bicubic of the float map down, and up again"

KERNEL = Trap(
    "another low-resolution kernel: nearest, right-bottom sample, instead of Pillow bicubic",
    "bicubic on Middlebury 4.43 / 7.57 / 11.88 instead of 2.28 / 3.98 / 6.37 (×4 / ×8 / ×16); on Lu "
    "5.07 / 9.22 / 14.27 instead of 2.42 / 4.54 / 7.38",
    _RECOMPUTED,
)
ALIASING = Trap(
    "a bicubic without anti-aliasing (OpenCV, torch with antialias=False) instead of Pillow's",
    "single pixels of a low-resolution map differ by 28 to 56 of 255, of an up-sampled one by 5.4 to 8.0",
    "one Middlebury map resized by each",
)
UPSAMPLING = Trap(
    "torch's bicubic up-sampling without antialias=True (a = -0.75 instead of -0.5)",
    "round trip at ×4 on one map 3.191 instead of 3.293: a bicubic that is 3 % better",
    "one Middlebury map resized by each",
)
BORDER_RULE = Trap(
    "MATLAB's imresize instead of Pillow's: it mirrors the border, Pillow drops and renormalises",
    "only at borders: up to 3.9 of 255 down, 1.4 up; round trip at ×4 3.285 instead of 3.293",
    "one Middlebury map resized by each",
)
CROP = Trap(
    "6 px off every side, or not",
    "bicubic on Middlebury 2.2965 / 3.9996 / 6.3448 instead of 2.2810 / 3.9830 / 6.3744; "
    "on Lu 2.4701 / 4.6360 / 7.5222 instead of 2.4193 / 4.5412 / 7.3766",
    _RECOMPUTED,
)
QUANTISED = Trap(
    "a low-resolution map rounded to 8 bit",
    "bicubic on Middlebury 2.2973 / 3.9920 / 6.3800 instead of 2.2810 / 3.9830 / 6.3744: 0.006 to 0.016",
    _RECOMPUTED,
)
CLIPPING = Trap("clipping the restored map to the range of the truth", "at most 0.003", _RECOMPUTED)
POOLED_UNIT = Trap(
    "units: 8-bit disparity and centimetres in one mean",
    "bicubic ×8: 3.98 levels on Middlebury beside 3.20 cm on RGB-D-D; no common mean exists",
    _RECOMPUTED,
)
COMMON = (KERNEL, ALIASING, UPSAMPLING, BORDER_RULE, CROP, QUANTISED, CLIPPING, POOLED_UNIT)

PROTOCOLS = (
    Protocol(
        name="dctnet",
        task="depth",
        title="DCTNet: the whole image",
        degradation=_BICUBIC,
        normalisation=_MIN_MAX,
        crop="none; 6 px off every side on NYUv2 only",
        unit=_UNIT,
        averaging=_MEAN,
        source=f"{_DCTNET} test.py, metrics.py",
        cases=(Case((*_DISPARITY, "rgbdd"), _PLAIN, ("rmse",)), Case(_CENTIMETRES, _PLAIN, ("rmse-crop6",))),
        traps=COMMON,
    ),
    Protocol(
        name="jiif",
        task="depth",
        title="JIIF and DKN: 6 px cropped everywhere",
        degradation=_BICUBIC,
        normalisation=_MIN_MAX,
        crop="6 px off every side, on every data set",
        unit=_UNIT,
        averaging=_MEAN,
        source=f"{_JIIF} utils.py; cvlab-yonsei/dkn@46626aa",
        cases=(Case((*_DISPARITY, *_CENTIMETRES, "rgbdd"), _PLAIN, ("rmse-crop6",)),),
        traps=(
            CROP,
            KERNEL,
            Trap(
                "FDKN's released weights with the crop and without",
                "Lu ×8: 2.171 and 2.433",
                "measured with the released weights of cvlab-yonsei/dkn",
            ),
        ),
    ),
    Protocol(
        name="sgnet",
        task="depth",
        title="SUFT and SGNet: an 8-bit low-resolution map, 6 px cropped",
        degradation=f"{_BICUBIC}; on Middlebury and Lu the low-resolution map is rounded to 8 bit",
        normalisation="the 8-bit maps of Middlebury and Lu divided by 255, and the result times 255",
        crop="6 px off every side, on every data set",
        unit=_UNIT,
        averaging=_MEAN,
        source="README of ShiWuxuan/SUFT and of yanzq95/SGNet",
        cases=(
            Case(_DISPARITY, _UINT8, ("rmse-crop6",)),
            Case((*_CENTIMETRES, "rgbdd"), _PLAIN, ("rmse-crop6",)),
        ),
        traps=(QUANTISED, CROP, KERNEL),
    ),
    Protocol(
        name="djf",
        task="depth",
        title="DJF: nearest sampling, right bottom",
        degradation="every s-th sample, the right-bottom one of its block (d[s-1::s, s-1::s]); bicubic up",
        normalisation=_MIN_MAX,
        crop="none here; the original loses 6 px a side in its unpadded layers",
        unit=_UNIT,
        averaging=_MEAN,
        source="Yijunmaverick/DeepJointFilter@e6f2c82",
        cases=(Case(_DISPARITY, _NEAREST, ("rmse",)),),
        traps=(KERNEL, BORDER_RULE),
        remark="the original up-samples with MATLAB's bicubic, we with Pillow's",
    ),
    Protocol(
        name="disparity",
        task="depth",
        title="Ours: real disparity maps with holes",
        degradation=f"holes filled from the farther neighbour; {_BICUBIC}",
        normalisation="each map by the minimum and maximum of its own low-resolution map, undone before the metric",
        crop="none, and 6 px off every side beside it",
        unit="disparity px",
        averaging=f"over the known pixels alone; {_MEAN}",
        source="this project, docs/decisions/0010",
        cases=(Case(("motorcycle", "cones"), _PLAIN, ("rmse", "rmse-crop6")),),
        traps=(KERNEL, CROP),
    ),
    Protocol(
        name="pgsr",
        task="depth",
        title="PGSR: another up-sampling, clamped",
        degradation="Pillow bicubic down; torch bicubic up, without anti-aliasing",
        normalisation=f"{_MIN_MAX}; RGB by ImageNet's mean and deviation",
        crop="none; the result clamped to [0, 1] (6 px off on NYUv2)",
        unit=_UNIT,
        averaging=_MEAN,
        source="XrKang/PGSR@237e976",
        traps=(UPSAMPLING, CLIPPING),
        remark="no study condition of ours up-samples so: its numbers are kept apart",
    ),
)
