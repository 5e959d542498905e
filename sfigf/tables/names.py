"""How tasks, conditions, methods and metrics are called in tables and figures, and in which order methods stand."""

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
    "red-oracle": "oracle guide (clean red channel)",
    "thin-lens": "thin-lens defocus",
}
_METHODS = {
    "exp": "EXP",
    "bicubic": "Bicubic",
    "amplify-demosaic": "Amplify + demosaic",
    "guided-filter": "Guided filter",
    "raw-guided-filter": "Raw guided filter",
    "brovey": "Brovey",
    "gsa": "GSA",
    "laplacian-pyramid": "Laplacian pyramid",
    "guided-filter-fusion": "Guided-filter fusion",
    "svlrm": "SVLRM",
    "djfr": "DJFR",
    "fusionnet": "FusionNet",
    "ifcnn": "IFCNN",
    "sid-unet": "SID U-Net",
    "sfigf": "SFIGF",
}
_METRICS = {
    "q4": "Q4",
    "q8": "Q8",
    "qabf": "Q_AB/F",
    "qmi": "Q_MI",
    "dlambda": "D_λ",
    "ds": "D_s",
}


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
    """Return the condition in words: ``x8`` to ``×8``."""
    if condition[:1] == "x" and condition[1:].isdigit():
        return f"×{condition[1:]}"
    return _CONDITIONS.get(condition, condition)


def method_place(method: str, variant: str = "full") -> tuple[float, str, bool, str]:
    """Return a sort key: known methods from plain to elaborate, then a user's own by name, SFIGF last."""
    known = list(_METHODS)
    place = known.index(method) if method in known else len(known) - 1.5
    return (place if method != "sfigf" else len(known), method, variant != "image-only", variant)


def method_label(method: str, variant: str = "full") -> str:
    """Return the name of a run as it stands in a table or under a picture."""
    label = _METHODS.get(method) or method[:1].upper() + method[1:].replace("-", " ")
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
    return f"{value:#.4g}".rstrip(".") + (f" {unit}" if unit not in ("", "1") else "")


def count_text(images: int) -> str:
    """Return ``1 image`` or ``6 images``."""
    return f"{images} image" + ("" if images == 1 else "s")
