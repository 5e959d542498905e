"""The learned baselines: their options, published values as defaults. Importing this imports no torch."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field

from sfigf.interface import Kind, Signature, UserError
from sfigf.registry import register


class Baseline(BaseModel, frozen=True, extra="forbid"):
    """What the cards below share: one variant, ``full``."""

    name: ClassVar[str]
    tasks: ClassVar[tuple[str, ...]]
    kind: ClassVar[Kind]
    source: ClassVar[str]
    variants: ClassVar[tuple[str, ...]] = ("full",)

    def build(self, signature: Signature, variant: str = "full") -> Any:
        """Return the network, a ``torch.nn.Module`` with ``forward(target, guide)``, freshly initialised.

        Raises:
            UserError: If the variant is unknown, or the network cannot serve these channel counts.
        """
        if variant not in self.variants:
            raise UserError(f"{self.name} has no variant '{variant}'; it has {', '.join(self.variants)}")
        return self._network(signature)

    def _network(self, signature: Signature) -> Any:
        raise NotImplementedError

    def _need(self, holds: bool, need: str, signature: Signature) -> None:
        if not holds:
            raise UserError(f"{self.name} needs {need}; got {signature}")


@register("method")
class DJFRCard(Baseline, frozen=True):
    """Deep joint image filtering, residual form."""

    name: ClassVar[str] = "djfr"
    tasks: ClassVar[tuple[str, ...]] = ("depth",)
    kind: ClassVar[Kind] = "feature-level"
    source: ClassVar[str] = "Li, Huang, Ahuja, Yang, TPAMI 2019; size as ashawkey/jiif@acfa3f9"
    width: int = Field(96, ge=3, description="filters of the first layer of both input branches")

    def _network(self, signature: Signature) -> Any:
        from sfigf.nets.baselines.djfr import DJFR

        single = signature.target == signature.output == signature.upscale == 1
        self._need(single, "a target and an output of one channel and one size", signature)
        return DJFR(signature.guide, self.width)


@register("method")
class SVLRMCard(Baseline, frozen=True):
    """Spatially variant linear representation: slope * guide + offset, both predicted."""

    name: ClassVar[str] = "svlrm"
    tasks: ClassVar[tuple[str, ...]] = ("depth", "pan", "focus", "raw")
    kind: ClassVar[Kind] = "image-level"
    source: ClassVar[str] = "Pan et al., CVPR 2019; layers as curlyqian/SVLRM@f62186b; pan, focus, raw: our extension"
    width: int = Field(64, ge=1, description="channels of the trunk")
    depth: int = Field(10, ge=0, description="3x3 layers between the first and the last")
    residual: bool = Field(False, description="add the target to the output (not in the published formula)")

    def _network(self, signature: Signature) -> Any:
        from sfigf.nets.baselines.svlrm import SVLRM

        return SVLRM(signature, self.width, self.depth, self.residual)


@register("method")
class FusionNetCard(Baseline, frozen=True):
    """Detail injection by a residual network on the difference PAN - bands."""

    name: ClassVar[str] = "fusionnet"
    tasks: ClassVar[tuple[str, ...]] = ("pan",)
    kind: ClassVar[Kind] = "feature-level"
    source: ClassVar[str] = "Deng, Vivone, Jin, Chanussot, IEEE TGRS 2021; liangjiandeng/DLPan-Toolbox@a34f884"
    width: int = Field(32, ge=1, description="channels of the residual blocks")
    depth: int = Field(4, ge=0, description="number of residual blocks")

    def _network(self, signature: Signature) -> Any:
        from sfigf.nets.baselines.fusionnet import FusionNet

        fits = signature.guide == signature.upscale == 1 and signature.target == signature.output
        self._need(fits, "one panchromatic guide channel and as many output as target bands", signature)
        return FusionNet(signature.target, self.width, self.depth)


@register("method")
class IFCNNCard(Baseline, frozen=True):
    """Shared features, element-wise maximum, reconstruction."""

    name: ClassVar[str] = "ifcnn"
    tasks: ClassVar[tuple[str, ...]] = ("focus",)
    kind: ClassVar[Kind] = "feature-level"
    source: ClassVar[str] = "Zhang et al., Information Fusion 54, 2020; uzeful/IFCNN@8fe59c2, stem learned"
    width: int = Field(64, ge=1, description="channels of every layer but the last")
    stem: Literal["learned"] = Field("learned", description="the published stem is a frozen ResNet-101 layer")

    def _network(self, signature: Signature) -> Any:
        from sfigf.nets.baselines.ifcnn import IFCNN

        colour = signature.target == signature.guide == signature.output == 3 and signature.upscale == 1
        self._need(colour, "two colour images and a colour output of one size", signature)
        return IFCNN(self.width)


@register("method")
class SIDUNetCard(Baseline, frozen=True):
    """U-Net from the packed mosaic (and the packed guide) to sRGB."""

    name: ClassVar[str] = "sid-unet"
    tasks: ClassVar[tuple[str, ...]] = ("raw",)
    kind: ClassVar[Kind] = "feature-level"
    source: ClassVar[str] = "Chen, Chen, Xu, Koltun, CVPR 2018; cchen156/Learning-to-See-in-the-Dark@0448b58"
    width: int = Field(32, ge=1, description="channels of the finest of five levels")
    use_guide: bool = Field(True, description="concatenate the packed guide (published: no guide)")

    def _network(self, signature: Signature) -> Any:
        from sfigf.nets.baselines.sid_unet import SIDUNet

        return SIDUNet(signature, self.width, self.use_guide)
