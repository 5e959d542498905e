"""DJF: deep joint image filtering (Li, Huang, Ahuja, Yang, ECCV 2016)."""

from __future__ import annotations

from torch import Tensor

from sfigf.nets.baselines.djfr import DJFR


class DJF(DJFR):
    """DJFR without its residual: the joint branch gives the restored depth itself.

    56,323 parameters at the published width with an RGB guide. Source, padding and initialisation as ``DJFR``.
    """

    def forward(self, target: Tensor, guide: Tensor) -> Tensor:
        """Return the restored (b,1,H,W) for a target (b,1,H,W) and a guide (b,g,H,W), both about [0,1]."""
        return self.joined(target, guide)
