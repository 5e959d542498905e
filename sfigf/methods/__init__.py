"""All methods of ours, by name: importing this package registers them (and loads no torch)."""

from sfigf.methods import baselines, sfigf_method
from sfigf.methods.classic import depth, focus, pan, raw

__all__ = ["baselines", "depth", "focus", "pan", "raw", "sfigf_method"]
