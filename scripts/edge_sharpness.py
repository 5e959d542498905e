"""How sharp the edges of depth maps are, by data set: ``python scripts/edge_sharpness.py [--blur PX] SAMPLES ...``.

SAMPLES are degraded sets, say data/degraded/depth/x8/test.safetensors. At every jump of more than an eighth of a map's
range within four pixels of a row: the largest of its three steps as a share of all three, averaged over jumps, then
over maps. 1 is a jump from one pixel to the next, 1/3 an even slope. ``--blur`` softens the maps first, by a Gaussian.
"""

from __future__ import annotations

import argparse
from collections import defaultdict

import numpy as np
from scipy.ndimage import gaussian_filter

from sfigf.interface import Array
from sfigf.store import SampleFile

JUMP = 1 / 8


def sharpness(depth_map: Array) -> float:
    """Mean share of the largest of three steps at the jumps of a map (H,W); not a number where nothing jumps."""
    steps = np.abs(np.diff(np.lib.stride_tricks.sliding_window_view(depth_map, 4, axis=1), axis=-1))
    jumps = np.abs(depth_map[:, 3:] - depth_map[:, :-3]) > JUMP * np.ptp(depth_map)
    return float((steps.max(axis=-1)[jumps] / steps.sum(axis=-1)[jumps]).mean()) if jumps.any() else np.nan


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("samples", nargs="+", help="degraded sets of depth")
parser.add_argument("--blur", type=float, default=0.0, help="standard deviation in pixels")
asked = parser.parse_args()
found: dict[str, list[float]] = defaultdict(list)
for path in asked.samples:
    for sample in SampleFile(path):
        if sample.truth is not None:
            soft = gaussian_filter(sample.truth[0], asked.blur)
            found[f"{sample.meta['dataset']} in {path}"].append(sharpness(soft))
for name, shares in found.items():
    print(f"{np.nanmean(shares):.3f} at the edges of {np.isfinite(shares).sum()} of {len(shares)} maps of {name}")
