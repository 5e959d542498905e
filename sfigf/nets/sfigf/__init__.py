"""SFIGF, branch by branch: ``filters`` is the idea, ``fusion`` puts it together, ``network`` takes any image."""

from sfigf.nets.sfigf.network import SFIGF, RawMonoSFIGF, build_sfigf
from sfigf.nets.sfigf.options import RELEASED, VARIANTS, Options, Variant

__all__ = ["RELEASED", "SFIGF", "VARIANTS", "Options", "RawMonoSFIGF", "Variant", "build_sfigf"]
