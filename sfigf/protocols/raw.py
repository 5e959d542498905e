"""Low-light raw: which test images, which split, which SSIM."""

from __future__ import annotations

from sfigf.protocols.focus import SSIM
from sfigf.protocols.model import Case, Protocol, Trap

_SID = "cchen156/Learning-to-See-in-the-Dark@0448b58"
_MCR = "TCL-AILab/Abandon_Bayer-Filter_See_in_the_Dark@7c42c33"
_GIVEN = ("mono-estimated", "red-oracle")
_AMPLIFIED = "(raw - 512) / (16383 - 512), times min(exposure of truth / exposure of input, 300), clipped at 1"
_MEAN = "PSNR and SSIM of each image, then the mean over images"
_METRICS = ("psnr", "ssim")
_SHARED: dict[str, str] = {
    "crop": "none (Wang's SSIM leaves 5 px out by itself)",
    "unit": "dB (PSNR), 1 (SSIM)",
    "averaging": _MEAN,
}

EXPOSURES = Trap(
    "DBLE on the 0.1 s inputs of SID alone, or on its whole test set",
    "29.65 dB / 0.797 or 23.94 dB / 0.683 (the second measured by a user)",
    "TCL-AILab/Abandon_Bayer-Filter_See_in_the_Dark issues 3, 4, 6",
)
LEAK = Trap(
    "MCR's official lists",
    "all 265 test scenes are also in training",
    f"the lists of {_MCR}, compared scene by scene",
)

PROTOCOLS = (
    Protocol(
        name="sid-0.1s",
        task="raw",
        title="SID Sony, the inputs of 0.1 s",
        degradation="none: short exposures as recorded, of 0.1 s only",
        normalisation=_AMPLIFIED,
        source=f"{_SID}; {EXPOSURES.source}",
        cases=(Case(("sid-0p1s:test",), _GIVEN, _METRICS),),
        traps=(EXPOSURES, *SSIM),
        remark="DBLE's published numbers run over 50 pictures, the 3 misaligned ones among them; ours over 47",
        **_SHARED,
    ),
    Protocol(
        name="sid-all",
        task="raw",
        title="SID Sony, the whole test set",
        degradation="none: short exposures as recorded; the misaligned scenes 10034, 10045, 10172 left out",
        normalisation=_AMPLIFIED,
        source=f"{_SID}; RED, CVPR 2021, Table 1",
        cases=(Case(("sid:test",), _GIVEN, _METRICS),),
        traps=(EXPOSURES, *SSIM),
        **_SHARED,
    ),
    Protocol(
        name="mcr-official",
        task="raw",
        title="MCR with its official lists",
        degradation="none: 8-bit short exposures as recorded",
        normalisation="mosaic / 255, times the exposure ratio; 8-bit data are not linear in exposure",
        source=_MCR,
        cases=(Case(("mcr:test",), _GIVEN, _METRICS),),
        traps=(LEAK, *SSIM),
        remark="every test scene was seen in training: a number of memory as much as of restoration",
        **_SHARED,
    ),
    Protocol(
        name="mcr-scene-disjoint",
        task="raw",
        title="MCR split by scene",
        degradation="none: 8-bit short exposures as recorded",
        normalisation="mosaic / 255, times the exposure ratio; 8-bit data are not linear in exposure",
        source=f"this project's split of {_MCR}",
        cases=(Case(("mcr-disjoint:test",), _GIVEN, _METRICS),),
        traps=(LEAK, *SSIM),
        **_SHARED,
    ),
    Protocol(
        name="unprocessed",
        task="raw",
        title="Ours: photographs unprocessed to a dark raw",
        degradation="Brooks et al. 2019 unprocessing to RGGB, darkened by 100, 250 or 300, the noise of a Sony A7S2",
        normalisation="black 512, white 16383, times the ratio, clipped at 1",
        source="this project; Brooks et al. 2019; Wei et al. 2020",
        cases=(Case(("photos:test", "photos-test"), ("mono", "red-oracle"), _METRICS),),
        traps=SSIM,
        **_SHARED,
    ),
)
