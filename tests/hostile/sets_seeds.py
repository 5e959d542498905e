"""Valid files of strangers' data sets: single ones of every kind, and whole sets in small."""

from __future__ import annotations

import functools
import io
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import tifffile
from PIL import Image
from scipy.io import savemat

from sfigf.cards import Card, Expect, load_card
from tests.hostile import images_seeds
from tests.hostile.images_seeds import picture
from tests.miniature import pan_mat, pancollection
from tests.unit.test_datasets_damaged import CONFIG, WRITERS
from tests.unit.test_images_camera import write_dng

SETS = ("middlebury-30", "lu", "rgbdd", "lytro", "mfi-whu", "mcr-disjoint", "sid")
"""Sets of many small files; those of one file are tried as files."""


def pictures(folder: Path) -> list[Path]:
    """PNG, JPEG, BMP and TIFF of every mode."""
    colour = Image.fromarray(picture(3).transpose(1, 2, 0))
    for suffix in ("bmp", "jpg", "png", "tif"):
        for mode in ("L", "RGB"):
            colour.convert(mode).save(folder / f"{mode}.{suffix}")
    for mode in ("1", "P", "RGBA", "LA"):
        colour.convert(mode).save(folder / f"{mode}.png")
    colour.convert("CMYK").save(folder / "CMYK.jpg")
    Image.fromarray(picture(1, np.uint16)[0]).save(folder / "deep.png")
    return sorted(folder.iterdir())


def arrays(folder: Path) -> list[Path]:
    """Lists of names, metres, all that ``.npy`` holds."""
    np.save(folder / "names.npy", np.array(["a/b.tif", "c/d.tif"]))
    return [*images_seeds.numpy(folder)]


def archives(folder: Path) -> list[Path]:
    """``.npz`` with one array, packed and plain."""
    np.savez(folder / "plain.npz", picture(1, np.float32)[0])
    np.savez_compressed(folder / "packed.npz", picture(1, np.float32)[0])
    Image.fromarray(picture(3).transpose(1, 2, 0)).save(folder / "colour.png")
    return [folder / "plain.npz", folder / "packed.npz"]


def tiffs(folder: Path) -> list[Path]:
    """What the satellites' sets hold."""
    tifffile.imwrite(folder / "plain.tif", picture(1, np.uint16)[0])
    tifffile.imwrite(folder / "float.tif", picture(3, np.float32).transpose(1, 2, 0), compression="zlib")
    tifffile.imwrite(folder / "tiles.tif", picture(1, np.uint16)[0], tile=(16, 16), compression="zlib")
    return sorted(folder.iterdir())


def pan_samples(folder: Path) -> list[Path]:
    """The ``.mat`` of a satellite, plain and packed."""
    content = pan_mat.content()
    savemat(folder / "plain.mat", content)
    savemat(folder / "packed.mat", content, do_compression=True)
    return sorted(folder.iterdir())


def pan_examples(folder: Path) -> list[Path]:
    """One file of PanCollection in the old and the new layout, contiguous and in blocks."""
    examples = [pancollection.example("qb", seed, 32) for seed in range(2)]
    for version, options in {"earliest": {}, "latest": {"chunks": True, "compression": "gzip"}}.items():
        with h5py.File(folder / f"{version}.h5", "w", libver=version) as file:
            for key in ("gt", "lms", "ms", "pan"):
                file.create_dataset(key, data=np.stack([example[key] for example in examples]), **options)
    return sorted(folder.iterdir())


def rooms(folder: Path) -> list[Path]:
    """NYU Depth v2."""
    from tests.miniature import nyuv2

    nyuv2.write(folder, count=3)
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def set_seed(name: str) -> Callable[[Path], list[Path]]:
    """A maker of one whole set."""

    def make(folder: Path) -> list[Path]:
        WRITERS[name](folder / name)
        return [folder / name]

    return make


@functools.cache
def card_of(name: str) -> Card:
    """The card as it is."""
    return load_card(CONFIG / f"datasets/{name}.yaml")


def loose_card(name: str, counts: dict[str, int]) -> Card:
    """The card less its digests and what it expects of the real files, each folder with as many files as it has."""
    members = {
        role: member.model_copy(update={"sha256": None, "count": counts.get(role)})
        for role, member in card_of(name).members.items()
    }
    return card_of(name).model_copy(update={"members": members, "expect": Expect(), "parts": {}})


def sensors(folder: Path) -> list[Path]:
    """A camera file as SID has them."""
    sensor = (600 + 9000 * picture(1, np.float64)[0]).astype(np.uint16)
    write_dng(folder / "a.ARW", sensor, camera=("SONY", "ILCE-7SM2"))
    return [folder / "a.ARW"]


def checkpoints(folder: Path) -> list[Path]:
    """A released network in every wrapping that PyTorch has had, and as safetensors."""
    import torch
    from safetensors.torch import save_file

    from tests.unit.released_weights import released_state

    state = released_state("pan", 4, kernel=3)
    torch.save({"net": state, "epoch": 3}, folder / "zipped.pth")
    torch.save(state, folder / "legacy.pth", _use_new_zipfile_serialization=False)
    save_file(state, folder / "plain.safetensors")
    return sorted(folder.iterdir())


class Trap:
    """Makes a folder when it is unpickled, which a reader that stands in an empty one cannot hide."""

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, ("trap",)


def trapped(data: bytes, rng: np.random.Generator) -> bytes:
    """A pickle that runs code: alone, before the file, or in an archive as PyTorch writes it."""
    import torch

    trap = pickle.dumps(Trap(), protocol=2)
    match int(rng.integers(4)):
        case 0:
            return trap
        case 1:
            return trap[:-1] + data
        case number:
            stream = io.BytesIO()
            torch.save({"net": Trap()}, stream, _use_new_zipfile_serialization=number == 2)
            return stream.getvalue()
