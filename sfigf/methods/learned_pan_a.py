"""Learned pan-sharpening, as the DLPan toolbox and two authors released it. Importing this imports no torch.

Published training settings. All: patches of 64 px, a constant rate unless a decay is named. The toolbox does not flip
its patches; our loop does. Not stated, and chosen here: an epoch has the 9714 patches of PanCollection WorldView-3
(it turns epochs into steps), no gradient clipping, the last weights, a validation a hundred times.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from pydantic import Field

from sfigf.interface import Kind, Signature
from sfigf.methods.baselines import Baseline
from sfigf.registry import register

_PATCHES_PER_EPOCH = 9714
_TOOLBOX = "liangjiandeng/DLPan-Toolbox@a34f884"
_WEIGHTS = f"released WorldView-2 weights of {_TOOLBOX}, 1e-5 of the range"
_RANDOM_WEIGHTS = "the released class with random weights, 1e-5 of the range"
_COMMON = {
    "optimizer": "adam",
    "loss": "mse",
    "patch_px": 64,
    "schedule": "step",
    "gradient_clip": None,
    "encoding": "none",
    "selection": "none",
}


def recipe(batch_size: int, epochs: int, decay_every_epochs: int | None = None, **stated: Any) -> Mapping[str, Any]:
    """Return training settings, epochs turned into steps of whole batches; ``stated`` overrules what is common."""
    steps_per_epoch = _PATCHES_PER_EPOCH // batch_size
    steps = epochs * steps_per_epoch
    settings = _COMMON | {"batch_size": batch_size, "steps": steps, "validate_every_steps": steps // 100}
    if decay_every_epochs is not None:
        settings["decay_every_steps"] = decay_every_epochs * steps_per_epoch
    return MappingProxyType(settings | stated)


class PanBaseline(Baseline, frozen=True):
    """What the cards below share: any number of bands, one panchromatic guide."""

    tasks: ClassVar[tuple[str, ...]] = ("pan",)
    kind: ClassVar[Kind] = "feature-level"
    proof: ClassVar[str]
    published: ClassVar[Mapping[str, Any]]

    def _network(self, signature: Signature) -> Any:
        fits = signature.guide == signature.upscale == 1 and signature.target == signature.output
        self._need(fits, "one panchromatic guide channel and as many output as target bands", signature)
        return self._of_bands(signature.target)

    def _of_bands(self, bands: int) -> Any:
        raise NotImplementedError


@register("method")
class PNNCard(PanBaseline, frozen=True):
    """Three layers on bands and PAN, nothing added.

    Published: SGD with momentum 0.9 at a constant rate of 0.0289 per band; ours is that of the eight bands of
    WorldView-3: for other sensors set ``learning_rate``. Not expressed: the smaller rate of the last layer, which the
    code builds (a tenth) and then does not use.
    """

    name: ClassVar[str] = "pnn"
    source: ClassVar[str] = f"Masi, Cozzolino, Verdoliva, Scarpa, Remote Sensing 8(7), 2016; {_TOOLBOX}"
    proof: ClassVar[str] = _WEIGHTS
    published: ClassVar[Mapping[str, Any]] = recipe(64, 12_000, optimizer="sgd", learning_rate=8 * 0.0289)
    width: int = Field(64, ge=2, description="filters of the first layer; the second has half of them")

    def _of_bands(self, bands: int) -> Any:
        from sfigf.nets.baselines.pnn import PNN

        return PNN(bands, self.width)


@register("method")
class PanNetCard(PanBaseline, frozen=True):
    """Residual blocks on the high-passes of coarse bands and PAN."""

    name: ClassVar[str] = "pannet"
    source: ClassVar[str] = f"Yang, Fu, Hu, Huang, Ding, Paisley, ICCV 2017; {_TOOLBOX}"
    proof: ClassVar[str] = _WEIGHTS
    published: ClassVar[Mapping[str, Any]] = recipe(32, 450, learning_rate=1e-3)
    width: int = Field(32, ge=1, description="channels of the residual blocks")
    depth: int = Field(4, ge=0, description="number of residual blocks")
    factor: Literal[2, 4] = Field(4, description="fine pixels per coarse pixel")

    def _of_bands(self, bands: int) -> Any:
        from sfigf.nets.baselines.pannet import PanNet

        return PanNet(bands, self.width, self.depth, self.factor)


@register("method")
class MSDCNNCard(PanBaseline, frozen=True):
    """A multiscale deep and a shallow branch, added and cut at zero.

    Published settings are the defaults of the code. The table of the toolbox paper (Deng et al., IEEE GRSM 2022) has a
    rate of 1e-4, halved every 60 epochs, where the code has 1e-6, halved every 40.

    The cut at zero suits bands, not what `encoding: detail` shows: with that, switch ``rectify`` off.
    """

    name: ClassVar[str] = "msdcnn"
    source: ClassVar[str] = f"Yuan, Wei, Meng, Shen, Zhang, IEEE JSTARS 11(3), 2018; {_TOOLBOX}"
    proof: ClassVar[str] = _WEIGHTS
    published: ClassVar[Mapping[str, Any]] = recipe(64, 500, 40, learning_rate=1e-6, decay=0.5, weight_decay=1e-5)
    width: int = Field(20, ge=2, description="channels of each kernel size in the first multiscale block")
    shallow_width: int = Field(64, ge=2, description="filters of the first layer of the shallow branch")
    rectify: bool = Field(True, description="cut the answer at zero, as published")

    def _of_bands(self, bands: int) -> Any:
        from sfigf.nets.baselines.msdcnn import MSDCNN

        return MSDCNN(bands, self.width, self.shallow_width, self.rectify)


@register("method")
class DiCNNCard(PanBaseline, frozen=True):
    """Three layers on bands and PAN give the detail that the bands lack.

    The code halves the rate every 1500 epochs; the table of the toolbox paper says every 200.
    """

    name: ClassVar[str] = "dicnn"
    source: ClassVar[str] = f"He et al., IEEE JSTARS 12(4), 2019; {_TOOLBOX}"
    proof: ClassVar[str] = _WEIGHTS
    published: ClassVar[Mapping[str, Any]] = recipe(64, 5000, 1500, learning_rate=2e-4, decay=0.5)
    width: int = Field(64, ge=1, description="filters of the two inner layers")

    def _of_bands(self, bands: int) -> Any:
        from sfigf.nets.baselines.dicnn import DiCNN

        return DiCNN(bands, self.width)


@register("method")
class LAGConvCard(PanBaseline, frozen=True):
    """Residual blocks of convolutions that adapt to their place.

    The authors' repository trains 500 epochs at a constant 3e-4; the table of the toolbox paper says 1000, from 1e-3.
    """

    name: ClassVar[str] = "lagconv"
    source: ClassVar[str] = "Jin, Zhang, Jiang, Vivone, Deng, AAAI 2022; liangjiandeng/LAGConv@5d142a2"
    proof: ClassVar[str] = _RANDOM_WEIGHTS
    published: ClassVar[Mapping[str, Any]] = recipe(32, 500, learning_rate=3e-4)
    width: int = Field(32, ge=1, description="channels of the residual blocks")
    depth: int = Field(5, ge=0, description="number of residual blocks")

    def _of_bands(self, bands: int) -> Any:
        from sfigf.nets.baselines.lagconv import LAGConv

        return LAGConv(bands, self.width, self.depth)


@register("method")
class GPPNNCard(PanBaseline, frozen=True):
    """Unrolled steps by turns towards the coarse bands and towards PAN.

    Published settings are those for Landsat 8: ten bands, a factor of 2, coarse patches of 32 px.
    """

    name: ClassVar[str] = "gppnn"
    source: ClassVar[str] = "Xu, Zhang, Zhao, Sun, Liu, Zhang, CVPR 2021; xsxjtu/GPPNN@d344312"
    proof: ClassVar[str] = _RANDOM_WEIGHTS
    published: ClassVar[Mapping[str, Any]] = recipe(16, 100, 20, learning_rate=5e-4, decay=0.5, loss="l1")
    width: int = Field(64, ge=1, description="filters inside every unit")
    depth: int = Field(8, ge=1, description="number of pairs of steps")
    factor: Literal[2, 4] = Field(4, description="fine pixels per coarse pixel")

    def _of_bands(self, bands: int) -> Any:
        from sfigf.nets.baselines.gppnn import GPPNN

        return GPPNN(bands, self.width, self.depth, self.factor)


@register("method")
class BDPNCard(PanBaseline, frozen=True):
    """Details of PAN at two scales, put into the bands by two doublings.

    The code takes the squared error of the last scale only; the table of the toolbox paper says Charbonnier.
    """

    name: ClassVar[str] = "bdpn"
    source: ClassVar[str] = f"Zhang, Liu, Sun, Wang, Zhang, IEEE TGRS 57(8), 2019; {_TOOLBOX}"
    proof: ClassVar[str] = _RANDOM_WEIGHTS
    published: ClassVar[Mapping[str, Any]] = recipe(8, 1000, 100, learning_rate=1e-4, decay=0.8, weight_decay=1e-5)
    width: int = Field(64, ge=1, description="channels of the residual blocks")
    depth: int = Field(10, ge=1, description="residual blocks at each of the two scales")

    def _of_bands(self, bands: int) -> Any:
        from sfigf.nets.baselines.bdpn import BDPN

        return BDPN(bands, self.width, self.depth)
