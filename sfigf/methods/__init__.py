"""All methods of ours, by name: importing this package registers them (and loads no torch)."""

from sfigf.methods import (
    baselines,
    learned_depth_a,
    learned_depth_b,
    learned_focus_a,
    learned_focus_b,
    learned_pan_a,
    learned_raw_a,
    sfigf_method,
)
from sfigf.methods.classic import (
    depth,
    depth_upsampling,
    focus,
    focus_wavelets,
    pan,
    pan_multiresolution,
    pan_substitution,
    raw,
    raw_denoise,
)

__all__ = [
    "baselines",
    "depth",
    "depth_upsampling",
    "focus",
    "focus_wavelets",
    "learned_depth_a",
    "learned_depth_b",
    "learned_focus_a",
    "learned_focus_b",
    "learned_pan_a",
    "learned_raw_a",
    "pan",
    "pan_multiresolution",
    "pan_substitution",
    "raw",
    "raw_denoise",
    "sfigf_method",
]
