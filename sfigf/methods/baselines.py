"""The learned baselines: their options, published values as defaults. Importing this imports no torch.

``published`` holds what paper or code state about training; an epoch becomes the steps of its batches. Not stated
anywhere: how often to validate; here a hundred times.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field

from sfigf.interface import Kind, Signature, UserError
from sfigf.registry import register

_ADAM: Mapping[str, Any] = {
    "optimizer": "adam",
    "schedule": "step",
    "gradient_clip": None,
    "encoding": "none",
}


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
    """Deep joint image filtering, residual form.

    Trained as in the port's harness: 200 epochs, a decay every 60. Not stated: how many images an epoch has. Chosen:
    the 1,000 of NYU that the authors trained on. They trained on 33 px patches, with the mean squared error.
    """

    name: ClassVar[str] = "djfr"
    tasks: ClassVar[tuple[str, ...]] = ("depth",)
    kind: ClassVar[Kind] = "feature-level"
    source: ClassVar[str] = "Li, Huang, Ahuja, Yang, TPAMI 2019; size as ashawkey/jiif@acfa3f9"
    published: ClassVar[Mapping[str, Any]] = {
        **_ADAM,
        "learning_rate": 1e-4,
        "loss": "l1",
        "decay": 0.2,
        "decay_every_steps": 60_000,
        "steps": 200_000,
        "batch_size": 1,
        "patch_px": 256,
    }
    proof: ClassVar[str] = "output of the port with random weights, 1e-5"
    width: int = Field(96, ge=3, description="filters of the first layer of both input branches")

    def _network(self, signature: Signature) -> Any:
        from sfigf.nets.baselines.djfr import DJFR

        single = signature.target == signature.output == signature.upscale == 1
        self._need(single, "a target and an output of one channel and one size", signature)
        return DJFR(signature.guide, self.width)


@register("method")
class SVLRMCard(Baseline, frozen=True):
    """Spatially variant linear representation: slope * guide + offset, both predicted.

    Published for depth alone, by an unofficial code: 10,000 epochs in batches of 20, the Charbonnier loss summed over a
    patch, so that the weight decay of 1e-5 is that over 64 * 64 of our mean, and Adam's epsilon of 1e-4 about ours.
    Its rate halves every 20 epochs by default, which would end at nothing: here it stays. Not stated: the step of the
    released weights, images in an epoch (chosen: the 1,000 of NYU, thus 50 steps).
    """

    name: ClassVar[str] = "svlrm"
    tasks: ClassVar[tuple[str, ...]] = ("depth", "pan", "focus", "raw")
    kind: ClassVar[Kind] = "image-level"
    source: ClassVar[str] = "Pan et al., CVPR 2019; layers as curlyqian/SVLRM@f62186b; pan, focus, raw: our extension"
    published: ClassVar[Mapping[str, Any]] = {
        "depth": {
            **_ADAM,
            "learning_rate": 1e-4,
            "loss": "charbonnier",
            "weight_decay": 1e-5 / 64**2,
            "steps": 500_000,
            "batch_size": 20,
            "patch_px": 64,
        }
    }
    proof: ClassVar[str] = "released weights for depth, coefficients and output, 1e-5"
    width: int = Field(64, ge=1, description="channels of the trunk")
    depth: int = Field(10, ge=0, description="3x3 layers between the first and the last")
    residual: bool = Field(False, description="add the target to the output (not in the published formula)")

    def _network(self, signature: Signature) -> Any:
        from sfigf.nets.baselines.svlrm import SVLRM

        return SVLRM(signature, self.width, self.depth, self.residual)


@register("method")
class FusionNetCard(Baseline, frozen=True):
    """Detail injection by a residual network on the difference PAN - bands.

    Published: 400 epochs at one rate. Not stated: which weights are kept (chosen: the last); an epoch is that of
    PanCollection WorldView-3, 9,714 patches, which are 303 whole batches.
    """

    name: ClassVar[str] = "fusionnet"
    tasks: ClassVar[tuple[str, ...]] = ("pan",)
    kind: ClassVar[Kind] = "feature-level"
    source: ClassVar[str] = "Deng, Vivone, Jin, Chanussot, IEEE TGRS 2021; liangjiandeng/DLPan-Toolbox@a34f884"
    published: ClassVar[Mapping[str, Any]] = {
        **_ADAM,
        "learning_rate": 3e-4,
        "loss": "mse",
        "steps": 400 * 303,
        "batch_size": 32,
        "patch_px": 64,
        "selection": "none",
    }
    proof: ClassVar[str] = "released WorldView-2 weights of liangjiandeng/DLPan-Toolbox@a34f884, 1e-5 of the range"
    width: int = Field(32, ge=1, description="channels of the residual blocks")
    depth: int = Field(4, ge=0, description="number of residual blocks")

    def _network(self, signature: Signature) -> Any:
        from sfigf.nets.baselines.fusionnet import FusionNet

        fits = signature.guide == signature.upscale == 1 and signature.target == signature.output
        self._need(fits, "one panchromatic guide channel and as many output as target bands", signature)
        return FusionNet(signature.target, self.width, self.depth)


@register("method")
class IFCNNCard(Baseline, frozen=True):
    """Shared features, element-wise maximum, reconstruction.

    The published stem is the first layer of an ImageNet ResNet-101, frozen. We ship no ImageNet weights: by default the
    stem is learned; ``stem: resnet`` reads them from ``stem_file``. The repository has no training code; of the paper's
    two stages the first, on the mean squared error, is what can be had, the second compares features of the ResNet.
    All else is the study's.
    """

    name: ClassVar[str] = "ifcnn"
    tasks: ClassVar[tuple[str, ...]] = ("focus",)
    kind: ClassVar[Kind] = "feature-level"
    source: ClassVar[str] = "Zhang et al., Information Fusion 54, 2020; uzeful/IFCNN@8fe59c2, stem learned"
    proof: ClassVar[str] = "released weights IFCNN-MAX with the published stem, 1e-5"
    published: ClassVar[Mapping[str, Any]] = {"loss": "mse", "encoding": "none"}
    published_options: ClassVar[Mapping[str, Any]] = {"stem": "resnet"}
    width: int = Field(64, ge=1, description="channels of every layer but the last")
    stem: Literal["learned", "resnet"] = Field("learned", description="published: resnet, a frozen ResNet-101 layer")
    stem_file: str | None = Field(None, description="safetensors with conv1.weight of an ImageNet ResNet-101")

    def _network(self, signature: Signature) -> Any:
        from sfigf.nets.baselines.ifcnn import IFCNN

        colour = signature.target == signature.guide == signature.output == 3 and signature.upscale == 1
        self._need(colour, "two colour images and a colour output of one size", signature)
        network = IFCNN(self.width, frozen_stem=self.stem == "resnet")
        # A trained weight file holds the stem: its network is rebuilt where stem_file no longer exists.
        if self.stem == "resnet" and self.stem_file and Path(self.stem_file).is_file():
            self._load_stem(network.stem.weight, self.stem_file)
        return network

    def _load_stem(self, weight: Any, path: str) -> None:
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            stored = load_file(path)["conv1.weight"]
        except (SafetensorError, KeyError, OSError):
            raise UserError(f"{self.name}: {path} is no safetensors file with conv1.weight") from None
        if stored.shape != weight.shape:
            raise UserError(f"{self.name}: conv1.weight in {path} is {(*stored.shape,)}, needed {(*weight.shape,)}")
        weight.copy_(stored)


@register("method")
class SIDUNetCard(Baseline, frozen=True):
    """U-Net from the packed mosaic (and the packed guide) to sRGB.

    Published: 4,000 epochs of the 161 places, a tenth of the rate after the first 2,000; the last weights. The
    code flips patches, which breaks the Bayer phase; the study's augmentation keeps it.
    """

    name: ClassVar[str] = "sid-unet"
    tasks: ClassVar[tuple[str, ...]] = ("raw",)
    kind: ClassVar[Kind] = "feature-level"
    source: ClassVar[str] = "Chen, Chen, Xu, Koltun, CVPR 2018; cchen156/Learning-to-See-in-the-Dark@0448b58"
    published: ClassVar[Mapping[str, Any]] = {
        **_ADAM,
        "learning_rate": 1e-4,
        "loss": "l1",
        "decay": 0.1,
        "decay_at_steps": [2000 * 161],
        "steps": 4000 * 161,
        "batch_size": 1,
        "patch_px": 1024,
        "selection": "none",
    }
    proof: ClassVar[str] = "output of a port to PyTorch with random weights, at a quarter of the width, 1e-5"
    published_options: ClassVar[Mapping[str, Any]] = {"use_guide": False}
    width: int = Field(32, ge=1, description="channels of the finest of five levels")
    use_guide: bool = Field(True, description="concatenate the packed guide (published: no guide)")

    def _network(self, signature: Signature) -> Any:
        from sfigf.nets.baselines.sid_unet import SIDUNet

        return SIDUNet(signature, self.width, self.use_guide)
