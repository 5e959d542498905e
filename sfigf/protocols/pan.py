"""Pan-sharpening: the DLPan toolbox at reduced and at full resolution."""

from __future__ import annotations

from sfigf.protocols.model import Case, Protocol, Trap

_TOOLBOX = "liangjiandeng/DLPan-Toolbox@a34f884"
_RUN = f"{_TOOLBOX}, run in GNU Octave"
_COLLECTION = ("wv3", "qb", "gf2")
_NORMALISATION = "digital numbers over the sensor's range (2047 for 11 bit, 1023 for GF2); metrics in digital numbers"
_MEAN = "value of each image, then mean and standard deviation over images"

REDUCED = (
    Trap("where the border is cut: 21/21 px instead of 20 top left and 21 bottom right",
         "Q2n 0.0024, ERGAS 0.06, SAM 0.011", _RUN),
    Trap("where the border is cut: 20/20 px", "Q2n 0.0016, ERGAS 0.053, SAM 0.030", _RUN),
    Trap("data in [0, 1] given to a Q2n that rounds to whole numbers", "0.52 instead of 0.93", _RUN),
    Trap("Q2n without rounding to whole numbers", "0.00019", _RUN),
    Trap("Q2n over whole blocks only, without padding", "0.006 to 0.021", _RUN),
    Trap("truth and result swapped", "ERGAS up to 0.08, Q2n up to 0.028", _RUN),
    Trap("Python ports of Q2n (PanCollection and the released SFIGF code)", "up to 0.0029", _RUN),
    Trap("ERGAS with ratio 1/4 instead of 4", "16 times as large", _RUN),
    Trap("Q with blocks of 8 px instead of 32", "up to 0.30", _RUN),
    Trap("a plain correlation coefficient called SCC", "up to 0.092", _RUN),
    Trap("SAM in float32", "0.000032 degrees", _RUN),
    Trap("PSNR over all bands jointly instead of the mean of bands", "29.49 instead of 30.69 dB on WorldView-2", _RUN),
    Trap("PSNR with peak 2048 instead of 2047", "0.004 dB", _RUN),
)  # fmt: skip
FULL = (
    Trap("an MTF kernel normalised to sum 1", "0.00035", _RUN),
    Trap("the arguments of Q2n swapped in Khan's D_λ", "0.0038", _RUN),
    Trap("an MTF-filtered instead of a resized PAN in D_s", "0.053", _RUN),
    Trap("Pillow's bicubic for the small PAN", "0.00056, at borders only", _RUN),
    Trap("QNR with sliding windows, the small MS and another filter", "D_λ up to 0.26, D_s up to 0.24", _RUN),
    Trap("a no-reference index taken for a ranking: noise of deviation 25 added",
         "HQNR of WorldView-2 rises from 0.922 to 0.937", _RUN),
    Trap("Wang and Bovik's D_λ instead of Khan's", "0 by construction for EXP, the mere interpolation", _TOOLBOX),
)  # fmt: skip

PROTOCOLS = (
    Protocol(
        name="dlpan-rr",
        task="pan",
        title="DLPan toolbox at reduced resolution",
        degradation="Wald: MS by its sensor's MTF (41 taps, gain at Nyquist), every 4th pixel; PAN by antialiased "
        "bicubic; up-sampled MS by the 23-tap polynomial. PanCollection ships its images so reduced",
        normalisation=_NORMALISATION,
        crop="20 px at top and left, 21 px at bottom and right; no thresholding",
        unit="1 (ERGAS, Q2n, SCC), degree (SAM)",
        averaging=_MEAN,
        source=f"{_TOOLBOX} indexes_evaluation.m",
        cases=(
            Case(_COLLECTION, ("x4",), ("ergas", "sam", "q4", "scc")),
            Case(("worldview2",), ("worldview2",), ("ergas", "sam", "q4", "scc")),
            Case(("geoeye1",), ("geoeye1",), ("ergas", "sam", "q4", "scc")),
        ),
        traps=REDUCED,
        remark="q4 is Q2n: Q4 on 4 bands, Q8 on 8",
    ),
    Protocol(
        name="dlpan-fr",
        task="pan",
        title="DLPan toolbox at full resolution",
        degradation="none: MS and PAN as recorded, MS up-sampled by the 23-tap polynomial",
        normalisation=_NORMALISATION,
        crop="none; sides are multiples of 32 px",
        unit="1",
        averaging=_MEAN,
        source=f"{_TOOLBOX} indexes_evaluation_FS.m, flagQNR=0",
        cases=(
            Case(_COLLECTION, ("x4",), ("hqnr", "d-lambda-k", "d-s")),
            Case(("worldview2",), ("worldview2",), ("hqnr", "d-lambda-k", "d-s")),
            Case(("geoeye1",), ("geoeye1",), ("hqnr", "d-lambda-k", "d-s")),
        ),
        traps=FULL,
        remark="no ground truth: an index of agreement, not an error. PanCollection's full-resolution HDF5 is reported "
        "to hold other examples than the .mat files that papers score",
    ),
    Protocol(
        name="wald",
        task="pan",
        title="Ours: the toolbox on Sentinel-2 and Landsat 8",
        degradation="Wald's protocol with an MTF gain of 0.29; Sentinel-2's PAN is simulated, Landsat 8's real",
        normalisation="digital numbers divided by a fixed peak, undone before the metric",
        crop="20 px off the top and left, 21 px off the bottom and right; none at full resolution",
        unit="1",
        averaging=_MEAN,
        source=f"{_TOOLBOX}; this project for the data",
        cases=(Case(("sentinel2:test", "landsat8"), ("x4",), ("ergas", "sam", "q4", "scc", "psnr")),),
        traps=REDUCED,
        remark="a simulated panchromatic band can be inverted: its numbers say little of a real one",
    ),
)
