"""The benchmarks of guided depth super-resolution; ``disparity`` holds 8-bit levels or centimetres (``meta["unit"]``).

Every pixel counts, as in the protocols of the field: no published map marks unknown ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from sfigf.datasets.depth_files import (
    FARTHEST_M,
    assembled,
    checked_metres,
    depth_scene,
    pairs_by_role,
    pairs_in_folders,
    read_depth_npy,
    read_depth_png,
)
from sfigf.datasets.hdf5_files import array_in, opened
from sfigf.datasets.listing import named
from sfigf.interface import Array, Scene, UserError
from sfigf.registry import register

LEVELS = {"unit": "level"}
CENTIMETRES = {"unit": "cm", "farther": "larger"}
_LONGEST_ROOM = 200


@register("dataset")
class Middlebury30:
    """The 30 Middlebury pictures of 2001 to 2006 with the holes of their disparity filled.

    Source: S. Lu et al., CVPR 2014 (the filling); Zhaozixiang1228/GDSR-DCTNet@0da8af9 RawDatasets/Middlebury.
    """

    name: ClassVar[str] = "middlebury-30"

    def read(self, files: Mapping[str, Path]) -> Iterator[Scene]:
        """Roles ``<scene>`` (8-bit grey PNG) and ``<scene>-rgb`` (8-bit PNG) of one size, about 370x430."""
        for name, depth, rgb in pairs_by_role(files):
            yield depth_scene(name, rgb, read_depth_png(depth, 8), depth, LEVELS)


@register("dataset")
class NyuSample:
    """The first three test pictures of NYU v2; source: Zhaozixiang1228/GDSR-DCTNet@0da8af9 NYUDepthv2_Test."""

    name: ClassVar[str] = "nyu-sample"

    def read(self, files: Mapping[str, Path]) -> Iterator[Scene]:
        """Roles ``<scene>`` (npy, metres) and ``<scene>-rgb`` (JPEG), 480x640; the depth becomes centimetres."""
        for name, depth, rgb in pairs_by_role(files):
            yield depth_scene(name, rgb, 100 * read_depth_npy(depth), depth, CENTIMETRES)


@register("dataset")
class Lu:
    """Six Kinect pictures with filled depth as 8-bit levels; source: S. Lu et al., CVPR 2014."""

    name: ClassVar[str] = "lu"

    def read(self, files: Mapping[str, Path]) -> Iterator[Scene]:
        """Folders ``depth`` (``RGBD_01_output_depth.png``) and ``rgb`` (``RGBD_01_ouput_color.png``, so misspelt)."""
        endings = ("_ouput_color.png", "_output_color.png")
        for key, depth, rgb in pairs_in_folders(files, "_output_depth.png", endings):
            name = f"lu-{key.rpartition('_')[2].lower()}"
            yield depth_scene(name, rgb, read_depth_png(depth, 8), depth, LEVELS)


@register("dataset")
class RgbDD:
    """The 405 test pairs of RGB-D-D: a time-of-flight camera beside a telephone; source: He et al., CVPR 2021."""

    name: ClassVar[str] = "rgbdd"

    def read(self, files: Mapping[str, Path]) -> Iterator[Scene]:
        """Folders ``depth`` (``<stamp>_HR_gt.png``, 16 bits, mm) and ``rgb`` (``<stamp>_RGB.jpg``); becomes cm."""
        for stamp, depth, rgb in pairs_in_folders(files, "_HR_gt.png", ("_RGB.jpg",)):
            millimetres = read_depth_png(depth, 16)
            if not 200 < millimetres.max() <= 1000 * FARTHEST_M:
                raise UserError(
                    f"{named(depth)}: reaches {millimetres.max():g}, millimetres were expected; get it as published"
                )
            yield depth_scene(f"rgbdd-{stamp.lower()}", rgb, millimetres / 10, depth, CENTIMETRES)


@register("dataset")
class NyuV2:
    """The 1449 labelled pictures of NYU Depth v2, in the order of the official file, numbered from 0.

    Rooms become places, their letter left out: ``kitchen_0004a`` and ``kitchen_0004b`` are one kitchen. Source:
    N. Silberman et al., ECCV 2012, ``nyu_depth_v2_labeled.mat`` (MATLAB 7.3, which is HDF5 with the axes reversed).
    """

    name: ClassVar[str] = "nyuv2"

    def read(self, files: Mapping[str, Path]) -> Iterator[Scene]:
        """Role ``labeled``: ``images`` (N,3,640,480) uint8, ``depths`` (N,640,480) in metres, filled, ``scenes``."""
        path = Path(files["labeled"])
        with opened(path, "a whole MATLAB 7.3 file (about 2.8 GB)") as file:
            images, depths = _labelled(file, path)
            rooms = _rooms(file, len(images), path)
            for index in range(len(images)):
                yield _labelled_scene(index, images[index], depths[index], rooms[index], path)


def _labelled(file: Any, path: Path) -> tuple[Any, Any]:
    images, depths = (array_in(file, key, path) for key in ("images", "depths"))
    count, _, width, height = images.shape if images.ndim == 4 else (0, 0, 0, 0)
    fits = images.shape[1:2] == (3,) and depths.shape == (count, width, height)
    if not fits or images.dtype != np.uint8 or depths.dtype.kind != "f":
        raise UserError(
            f"{named(path)}: images are {images.shape} {images.dtype} and depths {depths.shape} {depths.dtype}, "
            "expected (N, 3, W, H) uint8 and (N, W, H) float; get the official file"
        )
    return images, depths


def _rooms(file: Any, count: int, path: Path) -> list[str]:
    """Names of the rooms, from a cell array of strings; where there is none each picture stands for itself."""
    import h5py

    if "scenes" not in file:
        return [""] * count
    cells = array_in(file, "scenes", path)
    if cells.size != count or h5py.check_ref_dtype(cells.dtype) is not h5py.Reference:
        raise UserError(f"{named(path)}: {cells.size} scenes ({cells.dtype}) for {count} images; get the official file")
    return [_letters(file[cell]) for cell in cells[()].ravel()]


def _letters(codes: Any) -> str:
    """A MATLAB string; h5py's errors on what is none are those of a damaged file."""
    if codes.dtype.kind != "u" or not 0 < codes.size <= _LONGEST_ROOM:
        raise ValueError(f"a name of a room is {codes.shape} {codes.dtype}")
    return "".join(map(chr, codes[()].ravel().tolist()))


def _labelled_scene(index: int, image: Array, depth: Array, room: str, path: Path) -> Scene:
    where, name = f"{named(path)}: image {index}", f"nyuv2-{index:04d}"
    metres = checked_metres(np.ascontiguousarray(depth.T)[None], where)
    words = re.sub(r"(?<=\d)[a-z]+$", "", room.lower())
    place = f"nyuv2-{re.sub('[^a-z0-9]+', '-', words).strip('-')}" if room else name
    return assembled(name, place, np.ascontiguousarray(image.transpose(0, 2, 1)), 100 * metres, where, CENTIMETRES)
