"""Multi-focus fusion: real pairs without a truth as VIFB scores them, and our defocused scenes with one."""

from __future__ import annotations

from sfigf.protocols.model import Case, Protocol, Trap

_VIFB = "xingchenzhang/VIFB@22b2ea9"
_LIU = "zhengliu6699/imageFusionMetrics@d6f7f1a"
_TANG = "Linfeng-Tang/Evaluation-for-Image-Fusion@0e87153"
_WANG = "SSIM codes run on the same uint8 images"
_MEAN = "value of each image, then the mean and standard deviation over images"

SSIM = (
    Trap("a zero-padded SSIM (pytorch_ssim, as in the released SFIGF code)", "+0.003 to +0.012", _WANG),
    Trap("scikit-image's default SSIM (7×7 uniform window, sample covariance) instead of Wang's",
         "+0.016 on a noisy, +0.02 on a blurred image", _WANG),
    Trap("SSIM with sample instead of population covariance", "-0.0001 to -0.0014", _WANG),
    Trap("Wang's ssim.m, which down-samples sides of 384 px and more by itself", "0.857 instead of 0.586", _WANG),
    Trap("MATLAB's built-in ssim (restated, not run)", "-0.0002 to -0.004", _WANG),
    Trap("an SSIM that takes 0..255 doubles for a range of 1", "0.243 instead of 0.586", _WANG),
    Trap("PSNR as the mean of channels instead of joint", "0.011 dB", _WANG),
    Trap("PSNR of uint8 differences that wrap around", "29.74 instead of 26.57 dB", _WANG),
    Trap("PSNR of gray instead of colour images", "+3.5 dB on noise", _WANG),
)  # fmt: skip
FUSION = (
    Trap('VIFB\'s "PSNR", of a norm over the pixel count', "57 to 60 dB: not a PSNR, comparable with nothing", _VIFB),
    Trap("Tang's PSNR: divides by 255 and still uses the peak 255", "48.13 dB too high", _TANG),
    Trap("Q_AB/F and Liu's Q_G taken for one another", "0.740 and 0.647 on the same image", f"{_VIFB}, {_LIU}"),
    Trap("Tsallis' Q_TE with the marginals in their right order", "up to 0.13 from the published code", _LIU),
    Trap("Q_Y and Q_C on an image with a flat 7×7 window", "0/0: NaN for the whole image", _LIU),
    Trap("a joint histogram that merges 254 and 255", "0.00025 in MI", _TANG),
)

PROTOCOLS = (
    Protocol(
        name="mfif",
        task="focus",
        title="MFIFB: real pairs, no reference",
        degradation="none: the two photographs as recorded",
        normalisation="0..255, results clipped and rounded to bytes",
        crop="none",
        unit="1 or grey levels, by metric",
        averaging=f"metric of each RGB channel, then the mean of channels; {_MEAN}",
        source=f"MFIFB@a3cc510 by way of its author's {_VIFB}",
        cases=(
            Case(
                ("lytro", "mffw", "mfifb", "mfi-whu", "real-mff"),
                ("real", "thin-lens"),
                ("q-abf", "q-cb", "q-cv", "ssim-sum", "ag", "ce", "ei", "en", "sd", "sf"),
            ),
        ),
        traps=FUSION,
        remark="MFIFB publishes images and no metric code: that its numbers are VIFB's is an inference",
    ),
    Protocol(
        name="defocus",
        task="focus",
        title="Ours: scenes defocused by a thin lens, with their truth",
        degradation="thin lens in linear light, 24 layers, the two images focused at the 10 % and 90 % depth quantiles",
        normalisation="display-referred [0, 1]",
        crop="none (Wang's SSIM leaves 5 px out by itself)",
        unit="dB (PSNR), 1 (SSIM)",
        averaging=_MEAN,
        source="this project; Wang et al. 2004 for SSIM",
        cases=(Case(("motorcycle", "cones"), ("thin-lens",), ("psnr", "ssim")),),
        traps=SSIM,
    ),
)
