"""SFIGF tile by tile, equal to the whole image: pass after pass, each between two layers that pool over all pixels.

A layer that pools (a NAF block's gate, the decoder's, the head's) needs every tile before it can answer for one. So no
tile goes through the whole network: one pass finds out what is pooled, the next goes on with it. What lies between two
passes is kept in planes, and within a pass a tile is computed with just the margin that its few layers look around.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from sfigf.nets.blocks import joined
from sfigf.nets.sfigf.fusion import OneWayFusion, TwoWayFusion
from sfigf.nets.tiled.levels import RAISE, RUN, Descent, Level, decode, stem_features
from sfigf.nets.tiled.planes import Map, Plane
from sfigf.nets.tiled.sweeps import Passes, seen_by_filters, with_margin
from sfigf.regions import Region

Product = Callable[[Region, Region, Tensor, Tensor], None]
"""Made of one coupled level: takes a region, the larger one that was computed around it, and t and g of the larger."""


def fuse(fusion: OneWayFusion | TwoWayFusion, images: list[Plane], passes: Passes) -> Callable[[Region], Tensor]:
    """Run every pass up to the head.

    Args:
        fusion: Inner part of a network in eval mode.
        images: Planes of P and G, of a size that the network takes.
        passes: How they are walked over.

    Returns:
        The output on a region of P, (1, Co, h, w) or twice as fine, as ``fusion(P, G)`` has it there.
    """
    branches = (_both_ways if isinstance(fusion, TwoWayFusion) else _one_way)(fusion, images, passes)  # type: ignore
    mean = torch.cat([branch.mean for branch in branches], dim=1)

    def read(region: Region) -> Tensor:
        outer = region.grown(2, *images[0].size)
        output = fusion.head(joined(branch.read(outer) for branch in branches), mean)
        return region.inside(outer).times(output.shape[-1] // outer.width).of(output)

    return read


def _both_ways(fusion: TwoWayFusion, images: list[Plane], passes: Passes) -> list[Map]:
    size = images[0].size
    level = Level(0, fusion.coupled, stem_features(fusion.stem, images), size, passes)
    branches = passes.plane(fusion.head.channels, size)

    def product(region: Region, outer: Region, a: Tensor, b: Tensor) -> None:
        values = fusion.branches(a, b, *(plane.read(outer) for plane in images))
        branches.write(region, region.inside(outer).of(values))

    _run(level, fusion.filters[0] if fusion.filters_features else None, [product])
    return [branches]


def _one_way(fusion: OneWayFusion, images: list[Plane], passes: Passes) -> list[Map]:
    image = [passes.plane(images[0].channels, images[0].size)] if fusion.image_filter is not None else []
    filtered: list[Plane] = []
    coarsest: list[Plane] = []
    for level, below in _levels(fusion, images, passes):
        products: list[Product] = [below.write] if below else []
        if fusion.image_filter is not None and level.number == 0:
            products.append(_image_product(fusion.image_filter, images, image[0]))
        if fusion.filters_features:
            filtered.append(passes.plane(level.channels, level.size))
            products.append(_feature_product(fusion.filters[level.number], level, filtered[-1]))
            if below is None and fusion.decoder is not None:
                coarsest = [passes.plane(level.channels, level.size) for _ in range(2)]
                products.append(_plain_product(coarsest))
        _run(level, fusion.filters[level.number] if fusion.filters_features else None, products)
    if not fusion.filters_features:
        return [*image]
    decoded = filtered[0] if fusion.decoder is None else decode(fusion.decoder, filtered, coarsest, passes)
    return [*image, _tailed(fusion.tail, decoded, images[0], passes)]


def _levels(fusion: OneWayFusion, images: list[Plane], passes: Passes) -> Iterator[tuple[Level, Descent | None]]:
    """Yield each level, and the way down from it that its run has to write; planes that are read no more are freed."""
    above: Descent | None = None
    for number, coupled in enumerate(fusion.encoder.coupled):
        features, size = (above.read, above.size) if above else (stem_features(fusion.stem, images), images[0].size)
        level = Level(number, coupled, features, size, passes)  # type: ignore[arg-type]
        below = Descent(fusion.encoder, level) if number + 1 < len(fusion.encoder.coupled) else None
        yield level, below
        for plane in above.planes if above else []:
            plane.free()
        above = below


def _run(level: Level, feature_filter: nn.Module | None, products: list[Product]) -> None:
    """The pass that computes t and g of a level, and all that is made of them."""
    for region in level.passes.over(level.size, level.number, RUN):
        outer = seen_by_filters(region, level.size, feature_filter)
        t, g = level.couple(outer)
        for product in products:
            product(region, outer, t, g)


def _image_product(image_filter: nn.Module, images: list[Plane], into: Plane) -> Product:
    def product(region: Region, outer: Region, t: Tensor, g: Tensor) -> None:
        pair = [plane.read(outer) for plane in images]
        into.write(region, region.inside(outer).of(image_filter([t, g], pair[1], pair)))

    return product


def _feature_product(feature_filter: nn.Module, level: Level, into: Plane) -> Product:
    pooled = level.pooled_target() if feature_filter.pooled_target else None

    def product(region: Region, outer: Region, t: Tensor, g: Tensor) -> None:
        into.write(region, region.inside(outer).of(feature_filter(t, g, pooled)))

    return product


def _plain_product(into: list[Plane]) -> Product:
    def product(region: Region, outer: Region, t: Tensor, g: Tensor) -> None:
        for plane, values in zip(into, (t, g), strict=True):
            plane.write(region, region.inside(outer).of(values))

    return product


def _tailed(tail: nn.Module, decoded: Map, image: Plane, passes: Passes) -> Map:
    """Return the decoded features as the head takes them: raw-mono has a tail with one 3x3 layer in between."""
    if isinstance(tail, nn.Identity):
        return decoded
    result = passes.plane(image.channels, image.size)
    for region in passes.over(image.size, 0, RAISE):
        (values,) = with_margin(lambda outer: (tail(decoded.read(outer)),), region, 1, image.size)
        result.write(region, values)
    return result
