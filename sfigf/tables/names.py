"""How tasks, conditions, data sets, methods and metrics are called on paper, and in which order methods stand."""

from __future__ import annotations

import math

from sfigf.tasks import TASKS

GROUPS = {
    "classical": "Classical",
    "image-level": "Learned, image level",
    "feature-level": "Learned, feature level",
    "ablation": "Ablation",
    "both": "Both levels",
}
_CONDITIONS = {
    "mono": "monochrome guide",
    "mono-estimated": "estimated monochrome guide",
    "red-oracle": "oracle guide (clean red channel)",
    "thin-lens": "thin-lens defocus",
    "real": "real pairs",
    "worldview2": "WorldView-2",
    "geoeye1": "GeoEye-1",
}
_HABITS = {"": "", "-uint8": ", 8-bit input", "-nearest": ", nearest samples"}
_DATASETS = {
    "all": "all",
    "middlebury-30": "Middlebury 30",
    "lu": "Lu",
    "rgbdd": "RGB-D-D",
    "nyuv2": "NYUv2",
    "nyu-sample": "NYUv2 sample",
    "wv3": "PanCollection WV3",
    "qb": "PanCollection QB",
    "gf2": "PanCollection GF2",
    "worldview2": "WorldView-2",
    "geoeye1": "GeoEye-1",
    "ikonos": "IKONOS",
    "sentinel2": "Sentinel-2",
    "landsat8": "Landsat 8",
    "real-mff": "Real-MFF",
    "mfi-whu": "MFI-WHU",
    "mffw": "MFFW",
    "mfifb": "MFIFB",
    "sid": "SID Sony",
    "sid-0p1s": "SID Sony, 0.1 s",
    "mcr": "MCR",
    "mcr-disjoint": "MCR, scenes apart",
}
# In the order they stand: classical ones from plain to elaborate, then the learned ones of each task, SFIGF last.
_METHODS = {
    "exp": "EXP",
    "bicubic": "Bicubic",
    "amplify-demosaic": "Amplify + demosaic",
    "guided-filter": "Guided filter",
    "fast-guided-filter": "Fast guided filter",
    "joint-bilateral": "Joint bilateral",
    "raw-nlm": "Non-local means",
    "raw-guided-filter": "Raw guided filter",
    "brovey": "Brovey",
    "bt-h": "BT-H",
    "gs": "GS",
    "gsa": "GSA",
    "sfim": "SFIM",
    "bdsd-pc": "BDSD-PC",
    "mtf-glp-fs": "MTF-GLP-FS",
    "mtf-glp-hpm": "MTF-GLP-HPM",
    "laplacian-pyramid": "Laplacian pyramid",
    "dwt": "DWT",
    "guided-filter-fusion": "Guided-filter fusion",
    "svlrm": "SVLRM",
    "djf": "DJF",
    "djfr": "DJFR",
    "fdkn": "FDKN",
    "dkn": "DKN",
    "cu-net": "CU-Net",
    "fdsr": "FDSR",
    "jiif": "JIIF",
    "dctnet": "DCTNet",
    "pgsr": "PGSR",
    "pnn": "PNN",
    "pannet": "PanNet",
    "msdcnn": "MSDCNN",
    "dicnn": "DiCNN",
    "bdpn": "BDPN",
    "fusionnet": "FusionNet",
    "gppnn": "GPPNN",
    "lagconv": "LAGConv",
    "ifcnn": "IFCNN",
    "u2fusion": "U2Fusion",
    "sesf-fuse": "SESF-Fuse",
    "cu-net-fusion": "CU-Net fusion",
    "gacn": "GACN",
    "sid-unet": "SID U-Net",
    "mcr-net": "MCR net",
    "nafnet": "NAFNet",
    "sfigf": "SFIGF",
}
_PUBLISHED_METHODS = {
    "sgnet": "SGNet",
    "suft": "SUFT",
    "mmnet": "MMNet",
    "dcfnet": "DCFNet",
    "hmpnet": "HMPNet",
    "cmt": "CMT",
    "pan-mamba": "Pan-Mamba",
    "cannet": "CANNet",
    "u2net": "U2Net",
    "arconv": "ARConv",
    "ada3d": "Ada3D",
    "tv": "TV",
    "dble": "DBLE",
    "red": "RED",
    "did": "DID",
    "sgn": "SGN",
    "ldc": "LDC",
    "dce": "DCE",
    "llpacknet": "LLPackNet",
}
# By their letters alone: q-abf, q_abf and qabf are one.
_METRICS = {
    "rmsecrop6": "RMSE crop 6",
    "maecrop6": "MAE crop 6",
    "qabf": "Q_AB/F",
    "qncie": "Q_NCIE",
    "qcv": "Q_CV",
    "qte": "Q_TE",
    "dlambda": "D_λ",
    "dlambdak": "D_λ,K",
    "ds": "D_s",
    "q2n": "Q2n",
    "ssimsum": "sum of SSIMs",
    "ssimzeropadded": "zero-padded SSIM",
    "ssimuniform": "SSIM with a uniform window",
    "ssimmatlab": "MATLAB's SSIM",
    "msssim": "MS-SSIM",
    "nabf": "N_AB/F",
    "vifvec": "vector VIF",
}
_METRICS |= {f"q{letters}": f"Q_{letters.upper()}" for letters in ("mi", "y", "cb", "p", "g", "m", "sf", "s", "w", "c")}


def run_name(method: str, variant: str) -> str:
    """Return ``method`` for the full variant and ``method/variant`` for any other."""
    return method if variant in ("full", "") else f"{method}/{variant}"


def split_run(name: str) -> tuple[str, str]:
    """Undo ``run_name``: ``"sfigf/image-only"`` to ``("sfigf", "image-only")``; the variant defaults to ``full``."""
    method, _, variant = name.partition("/")
    return method, variant or "full"


def task_label(task: str) -> str:
    """Return the task's name in words."""
    return TASKS[task].title if task in TASKS else task


def condition_label(condition: str) -> str:
    """Return the condition in words: ``x8`` to ``×8``, ``x8-uint8`` to ``×8, 8-bit input``."""
    factor, dash, habit = condition.partition("-")
    if factor[:1] == "x" and factor[1:].isdigit() and dash + habit in _HABITS:
        return f"×{factor[1:]}{_HABITS[dash + habit]}"
    return _CONDITIONS.get(condition, condition)


def dataset_label(dataset: str) -> str:
    """Return the name of a data set as it stands in a table."""
    return _DATASETS.get(dataset) or dataset[:1].upper() + dataset[1:].replace("-", " ")


def method_place(method: str, variant: str = "full") -> tuple[float, str, bool, str]:
    """Return a sort key: known methods from plain to elaborate, then a user's own by name, SFIGF last."""
    known = list(_METHODS)
    place = known.index(method) if method in known else len(known) - 1.5
    return (place if method != "sfigf" else len(known), method, variant != "image-only", variant)


def method_label(method: str, variant: str = "full") -> str:
    """Return the name of a run as it stands in a table or under a picture."""
    label = _METHODS.get(method) or _PUBLISHED_METHODS.get(method) or method[:1].upper() + method[1:].replace("-", " ")
    return label if variant in ("full", "") else f"{label} {variant}"


def metric_label(metric: str, unit: str = "", higher_is_better: bool | None = None) -> str:
    """Return name, unit and, if the direction is given, the arrow towards better: ``RMSE [px] ↓``."""
    label = _METRICS.get(metric.replace("-", "").replace("_", ""), metric.upper())
    unit = f" [{unit}]" if unit not in ("", "1") else ""
    return label + unit + {True: " ↑", False: " ↓", None: ""}[higher_is_better]


def group_of(kind: str, variant: str) -> str:
    """Return the table group of a run: its method's kind, or ``ablation`` for anything but the full variant."""
    return kind if variant in ("full", "") else "ablation"


def number_text(value: float, unit: str = "") -> str:
    """Return four significant digits, trailing zeros kept, with the unit; ``n/a`` where there is no number."""
    if not math.isfinite(value):
        return "n/a"
    value = 0.0 if abs(value) < 1e-7 else value
    text = f"{value:#.4g}".rstrip(".")
    if unit in ("", "1"):
        return text
    return f"{text} ({unit})" if unit[0].isdigit() else f"{text} {unit}"


def count_text(images: int) -> str:
    """Return ``1 image`` or ``6 images``."""
    return f"{images} image" + ("" if images == 1 else "s")
