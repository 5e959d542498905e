"""How much is measured: the whole page, a quick look, and the least that still shows every table."""

from __future__ import annotations

import dataclasses
import os


@dataclasses.dataclass(frozen=True)
class Features:
    """The size of queries, keys and values."""

    batch: int
    heads: int
    channels: int
    height: int
    width: int

    def square(self, side: int) -> Features:
        """As many features of side x side pixels."""
        return dataclasses.replace(self, height=side, width=side)


@dataclasses.dataclass(frozen=True)
class Sizes:
    """Sizes in pixels, counts and limits of one run of the benchmarks.

    Attributes:
        attention: Features of the attention table, those of the depth network's cross-attention at the first level.
        network_px: Side of the image that the network restores.
        both_px: Sides at which the network runs forward and backward.
        whole_px: Sides restored whole, in the table of sizes.
        tiled_px: Sides restored tile by tile.
        tile: Side of a tile.
        width: Channels of the network's first level; the authors' by default.
        training: (width, levels, batch) of each training.
        patch_px: Side of its patches.
        cuda_attention_px: Side of the features of the attention table on CUDA.
        cuda_network_px: Side of the image on CUDA.
        cuda_training: (batch, patch side) of the training on CUDA.
        repeats: Most runs of a form, of which the shortest counts.
        seconds: A form that has run for longer is not repeated.
        threads: CPU threads of forward passes.
        training_threads: CPU threads of everything with a backward pass.
        weights: Trained depth weights, to see what bfloat16 costs in the task's metric.
        samples: Samples to restore with them.
    """

    attention: Features = Features(1, 8, 4, 256, 256)
    network_px: int = 256
    both_px: tuple[int, ...] = (128, 256)
    whole_px: tuple[int, ...] = (128, 256, 512, 1024)
    tiled_px: tuple[int, ...] = (256, 512, 1024, 2048, 4096)
    tile: int = 256
    width: int = 32
    training: tuple[tuple[int, int, int], ...] = ((8, 3, 4), (32, 4, 2))
    patch_px: int = 64
    cuda_attention_px: int = 1024
    cuda_network_px: int = 512
    cuda_training: tuple[int, int] = (8, 128)
    repeats: int = 5
    seconds: float = 30.0
    threads: int = 1
    training_threads: int = min(2, os.cpu_count() or 1)
    weights: str = "results/weights/depth/x8/sfigf/full/seed0.safetensors"
    samples: str = "data/degraded/depth/x8/test.safetensors"

    def up_to(self, largest: int) -> Sizes:
        """Without images of more than ``largest`` pixels a side."""
        whole, tiled = (tuple(side for side in sides if side <= largest) for sides in (self.whole_px, self.tiled_px))
        return dataclasses.replace(self, whole_px=whole, tiled_px=tiled)


WHOLE = Sizes()
QUICK = Sizes(
    attention=Features(1, 8, 4, 96, 96),
    network_px=96,
    both_px=(48,),
    whole_px=(96, 192),
    tiled_px=(192, 384),
    tile=128,
    training=((8, 3, 4),),
    cuda_attention_px=256,
    cuda_network_px=256,
    cuda_training=(2, 64),
    repeats=2,
    seconds=2.0,
)
LEAST = Sizes(
    attention=Features(1, 2, 2, 24, 24),
    network_px=32,
    both_px=(32,),
    whole_px=(32,),
    tiled_px=(64, 128),
    tile=64,
    width=4,
    training=((4, 2, 1),),
    patch_px=32,
    cuda_attention_px=32,
    cuda_network_px=32,
    cuda_training=(1, 32),
    repeats=1,
    seconds=1.0,
    training_threads=1,
)
