"""The look of every figure, and the colour and marker that a method keeps in all of them."""

from __future__ import annotations

import dataclasses
import zlib
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib import pyplot
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from sfigf.files import replacing
from sfigf.interface import UserError

INK, QUIET, FAINT = "#1a1a1a", "#6b6b6b", "#d9d9d9"
SUFFIXES = (".png", ".jpg", ".svg", ".pdf")
_SETTINGS: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.labelsize": 8.5,
    "axes.labelcolor": INK,
    "axes.edgecolor": QUIET,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.5,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "figure.dpi": 150,
    "savefig.dpi": 150,
    "svg.fonttype": "path",
    "svg.hashsalt": "sfigf",
    "path.simplify": True,
}


@dataclasses.dataclass(frozen=True)
class Look:
    """Colour, marker and drawing order of one method."""

    colour: str
    marker: str
    front: int = 2


# Okabe and Ito's palette, safe for the common colour-vision deficiencies; classical methods stay grey.
_GREYS = ("#4d4d4d", "#7a7a7a", "#a3a3a3")
_IMAGE, _FEATURE, _IMAGE_ONLY, _FEATURE_ONLY, _OURS = "#0072B2", "#009E73", "#56B4E9", "#CC79A7", "#D55E00"
_LOOKS = {
    ("bicubic", "full"): Look(_GREYS[2], "v", 1),
    ("exp", "full"): Look(_GREYS[2], "v", 1),
    ("amplify-demosaic", "full"): Look(_GREYS[2], "v", 1),
    ("guided-filter", "full"): Look(_GREYS[0], "s", 1),
    ("raw-guided-filter", "full"): Look(_GREYS[0], "s", 1),
    ("guided-filter-fusion", "full"): Look(_GREYS[0], "s", 1),
    ("laplacian-pyramid", "full"): Look(_GREYS[1], "^", 1),
    ("brovey", "full"): Look(_GREYS[1], "^", 1),
    ("gsa", "full"): Look(_GREYS[0], "s", 1),
    ("svlrm", "full"): Look(_IMAGE, "o"),
    ("djfr", "full"): Look(_FEATURE, "D"),
    ("fusionnet", "full"): Look(_FEATURE, "D"),
    ("ifcnn", "full"): Look(_FEATURE, "D"),
    ("sid-unet", "full"): Look(_FEATURE, "D"),
    ("sfigf", "image-only"): Look(_IMAGE_ONLY, "P", 3),
    ("sfigf", "feature-only"): Look(_FEATURE_ONLY, "X", 3),
    ("sfigf", "full"): Look(_OURS, "*", 4),
}
# Greys again, blues (image level), greens and browns (feature level), each with a marker of its own within a task.
_FAMILIES = {
    ("joint-bilateral", "mtf-glp-fs", "dwt", "raw-nlm"): Look(_GREYS[1], ">", 1),
    ("fast-guided-filter", "mtf-glp-hpm"): Look(_GREYS[2], "<", 1),
    ("gs",): Look(_GREYS[2], "s", 1),
    ("sfim",): Look(_GREYS[0], "p", 1),
    ("bdsd-pc",): Look(_GREYS[1], "h", 1),
    ("bt-h",): Look(_GREYS[0], "^", 1),
    ("fdkn", "sesf-fuse"): Look("#77AADD", "<"),
    ("dkn", "gacn"): Look("#222255", ">"),
    ("djf", "pnn", "cu-net-fusion", "mcr-net"): Look("#225522", "d"),
    ("cu-net", "pannet", "u2fusion", "nafnet"): Look("#AAAA00", "h"),
    ("fdsr", "msdcnn"): Look("#663333", "p"),
    ("dctnet", "dicnn"): Look("#EECC66", "H"),
    ("pgsr", "gppnn"): Look("#994455", "8"),
    ("jiif", "lagconv"): Look("#66B399", "^"),
    ("bdpn",): Look("#B09070", "v"),
}
_LOOKS |= {(method, "full"): look for methods, look in _FAMILIES.items() for method in methods}
_OTHERS = ("#E69F00", "#8C6D1F", "#332288", "#117733", "#882255", "#000000")
_OTHER_MARKERS = ("h", "p", "<", ">", "d", "8")


def look_of(method: str, variant: str = "full") -> Look:
    """Return the look of a method; a user's own gets one from its name, the same in every figure and process."""
    if (method, variant) in _LOOKS:
        return _LOOKS[(method, variant)]
    number = zlib.crc32(f"{method}/{variant}".encode())
    return Look(_OTHERS[number % len(_OTHERS)], _OTHER_MARKERS[number // 7 % len(_OTHER_MARKERS)])


def new_figure(width_inches: float, height_inches: float) -> Figure:
    """Return an empty figure in the project's look."""
    with matplotlib.rc_context(_SETTINGS):
        return pyplot.figure(figsize=(width_inches, height_inches))


def styled() -> AbstractContextManager[None]:
    """Context in which a figure must be filled and saved."""
    return matplotlib.rc_context(_SETTINGS)


def save(figure: Figure, path: str | Path, megapixels: float = 2.8) -> None:
    """Write a figure atomically, without dates or versions, and close it.

    Args:
        figure: Made by ``new_figure``; save it inside ``styled``.
        path: The suffix chooses the format, one of ``SUFFIXES``.
        megapixels: A picture larger than this is written with fewer dots per inch, never below 100.

    Raises:
        UserError: If the suffix is not one of ours.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(f"{path}: figures are written as {', '.join(SUFFIXES)}, not as '{path.suffix}'")
    with replacing(path) as temporary:
        if suffix in (".png", ".jpg"):
            _save_picture(figure, temporary, megapixels)
        else:
            metadata = {"Date": None} if suffix == ".svg" else {"CreationDate": None, "Producer": None}
            figure.savefig(temporary, metadata=metadata)
    pyplot.close(figure)


def _save_picture(figure: Figure, path: Path, megapixels: float) -> None:
    """Render by ourselves: without the alpha channel a picture is a tenth smaller."""
    width, height = figure.get_size_inches()
    dpi = min(150.0, max(100.0, (megapixels * 1e6 / (width * height)) ** 0.5))
    figure.set_dpi(dpi)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())
    as_png = path.suffix.lower() == ".png"
    options: dict[str, Any] = {"compress_level": 6} if as_png else {"quality": 84, "subsampling": 1, "optimize": True}
    picture.save(path, dpi=(dpi, dpi), **options)
