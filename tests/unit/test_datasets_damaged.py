"""Files of strangers: whatever is done to a set, its reader gives scenes or one line that says what to mend."""

from __future__ import annotations

import functools
import os
import pickle
import random
import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
from scipy.io import savemat

from sfigf.cards import Card, Expect, load_card
from sfigf.datasets.members import open_members
from sfigf.datasets.prepare import read_card
from sfigf.interface import Scene, UserError
from tests.miniature import depth_pairs, lu, lytro, mcr, mffw, mfi_whu, mfifb, nyuv2

# isort: split
from tests.miniature import pan_mat, pancollection, real_mff, rgbdd, sid

CONFIG = Path(__file__).parents[2] / "config"
Attack = Callable[[Path], object]


WRITERS: dict[str, Callable[[Path], None]] = {
    **{name: functools.partial(depth_pairs.write, name=name) for name in ("middlebury-30", "nyu-sample")},
    **{name: functools.partial(pan_mat.write, name=name) for name in ("worldview2", "geoeye1", "ikonos")},
    **{name: functools.partial(pancollection.write, name=name) for name in ("wv3", "qb", "gf2")},
    **{name: functools.partial(sid.write, scenes=sid.SCENES[:3]) for name in ("sid", "sid-0p1s")},
    "nyuv2": functools.partial(nyuv2.write, count=6),
    "lu": lu.write, "rgbdd": rgbdd.write, "lytro": lytro.write, "mffw": mffw.write, "mfifb": mfifb.write,
    "mfi-whu": mfi_whu.write, "real-mff": real_mff.write, "mcr": mcr.write, "mcr-disjoint": mcr.write,
}  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A folder with the miniature of a set, written once."""

    @functools.cache
    def write(name: str) -> Path:
        folder = tmp_path_factory.mktemp(name)
        WRITERS[name](folder)
        return folder

    return write


def small(name: str, folder: Path) -> Card:
    """The card less what it knows of the real files: digests, numbers, sizes, parts."""
    card = load_card(CONFIG / f"datasets/{name}.yaml")
    members = {
        role: member.model_copy(
            update={"sha256": None, "count": member.pattern and len(list((folder / member.path).glob(member.pattern)))}
        )
        for role, member in card.members.items()
    }
    return card.model_copy(update={"members": members, "expect": Expect(), "parts": {}})


def files_of(card: Card, folder: Path) -> list[Path]:
    lists = ((folder / m.path).glob(m.pattern) if m.pattern else [folder / m.path] for m in card.members.values())
    return sorted(path for paths in lists for path in paths)


def outcome(card: Card, folder: Path) -> str | list[Scene]:
    """Scenes, or the one line; any other exception fails the test."""
    try:
        scenes = list(read_card(card, open_members(card, None, folder, folder)))
    except UserError as error:
        line = str(error)
        assert line.isprintable(), line
        assert len(line) < 1000, line
        return line
    assert all(array.size for scene in scenes for array in scene.arrays.values())
    return scenes


def cut_off(path: Path, rng: random.Random) -> None:
    path.write_bytes(path.read_bytes()[: rng.randrange(path.stat().st_size)])


def flip(path: Path, rng: random.Random) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(rng.choice((1, 8, 64))):
        data[rng.randrange(rng.choice((len(data), min(len(data), 600))))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def noise(path: Path, rng: random.Random) -> None:
    path.write_bytes(rng.randbytes(rng.choice((0, 1, 900))))


def rename(path: Path, rng: random.Random) -> None:
    path.rename(path.with_name(rng.choice(("a b;$(x)'\"&|", "\n", "-rf", "ü")) + "_" + path.name.rpartition("_")[2]))


def link(path: Path, rng: random.Random) -> None:
    path.unlink()
    path.symlink_to(rng.choice(("/nowhere", path.name, "/")))


def folder(path: Path, rng: random.Random) -> None:
    path.unlink()
    path.mkdir() if rng.random() < 0.5 else os.mkfifo(path)


@pytest.mark.parametrize("name", WRITERS)
def test_no_damage_to_a_set_gives_more_than_a_line(name: str, whole: Callable[[str], Path], tmp_path: Path) -> None:
    rng = random.Random(name)
    card = small(name, whole(name))
    assert isinstance(outcome(card, whole(name)), list)
    for turn, damage in enumerate((cut_off, flip, flip, noise, rename, link, folder)):
        copy = Path(shutil.copytree(whole(name), tmp_path / str(turn)))
        path = rng.choice(files_of(card, copy))
        damage(path, rng)
        said = outcome(card, copy)
        assert (
            isinstance(said, list)
            or path.stem in said
            or path.parent.name in said
            or "partner" in said
            or " files " in said
        ), said


@pytest.mark.parametrize("name", WRITERS)
def test_two_files_swapped_give_no_more_than_a_line(name: str, whole: Callable[[str], Path], tmp_path: Path) -> None:
    copy = Path(shutil.copytree(whole(name), tmp_path / "copy"))
    card = small(name, copy)
    first, last = (files_of(card, copy)[index] for index in (0, -1))
    held = first.read_bytes()
    first.write_bytes(last.read_bytes())
    last.write_bytes(held)
    outcome(card, copy)


def png(side: int) -> bytes:
    """A picture whose header announces ``side`` x ``side`` pixels."""
    chunks = {b"IHDR": struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0), b"IDAT": zlib.compress(b""), b"IEND": b""}
    packed = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks.items())
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def npy(shape: tuple[int, ...]) -> bytes:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + bytes(800)


class Trap:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("trap",)


def change(name: str, key: str, edit: Callable[[h5py.File, str, h5py.Dataset], object]) -> Attack:
    """Replace an array of an HDF5 file; what ``edit`` is given is still readable under no name."""

    def attack(folder: Path) -> None:
        with h5py.File(folder / name, "r+") as file:
            old = file[key]
            del file[key]
            edit(file, key, old)

    return attack


def put(name: str, data: bytes | Callable[[], bytes]) -> Attack:
    return lambda folder: (folder / name).write_bytes(data() if callable(data) else data)


def mat(**changes: object) -> Attack:
    return lambda folder: savemat(folder / "imgWV2.mat", pan_mat.content() | changes)


def bands_reversed(folder: Path) -> None:
    with h5py.File(folder / TRAIN, "r+") as file:
        file["lms"][...] = file["lms"][()][:, ::-1]


def truths_turned(folder: Path) -> None:
    with h5py.File(folder / TRAIN, "r+") as file:
        file["gt"][...] = np.roll(file["gt"][()], 1, axis=0)


def one_block(folder: Path) -> None:
    with h5py.File(folder / TRAIN, "w") as file:
        for key, shape in {"gt": (8, 64, 64), "lms": (8, 64, 64), "ms": (8, 16, 16), "pan": (1, 64, 64)}.items():
            file.create_dataset(
                key, (10**4, *shape), "f8", data=None, chunks=(10**4, *shape), compression="gzip", fillvalue=7
            )


def outside(file: h5py.File, key: str, old: h5py.Dataset) -> None:
    file.create_dataset(key, old.shape, "f8", external=[("x", 0, h5py.h5f.UNLIMITED)])


def nothing(file: h5py.File, key: str, old: h5py.Dataset) -> None:
    file.create_dataset(key, old.shape, h5py.ref_dtype)


def room(codes: np.ndarray) -> Attack:
    def attack(folder: Path) -> None:
        with h5py.File(folder / LABELED, "r+") as file:
            file["room"] = codes
            file["scenes"][...] = np.full(file["scenes"].shape, file["room"].ref, h5py.ref_dtype)

    return attack


TRAIN, LABELED = "training_wv3/train_wv3.h5", "nyu_depth_v2_labeled.mat"
COLOUR, DEPTH, SAMPLE = "RGB/RGBD_01_ouput_color.png", "Depth/RGBD_01_output_depth.png", "Depth/1000.npy"
LIST, INPUT = "random_path_list/train/train_c_path.npy", mcr.SET / "Color_RAW_Input/C00001_48mp_0x8_0x007f.tif"
ROWS = change(TRAIN, "gt", lambda f, k, o: f.create_dataset(k, (10**9, *o.shape[1:]), "f8", chunks=(1, 8, 64, 64)))
ATTACKS: dict[str, tuple[str, Attack, str]] = {
    "png of 10^10 pixels": ("lu", put(COLOUR, png(100_000)), "exceeds limit"),
    "png of 10^8 pixels": ("lu", put(DEPTH, png(10_000)), "exceeds limit"),
    "png of no pixels": ("lu", put(DEPTH, png(0)), "not a picture"),
    "postscript": ("lu", put(COLOUR, b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"), "not a picture"),
    "npy of 10^10": ("nyu-sample", put(SAMPLE, npy((100_000, 100_000))), "1000.npy: .*(file size|values are read)"),
    "npy of 2^140": ("nyu-sample", put(SAMPLE, npy((2**70, 2**70))), "1000.npy: not a .npy"),
    "npy of nothing": ("nyu-sample", put(SAMPLE, npy((0, 5))), r"1000.npy"),
    "pickled depth": ("nyu-sample", put(SAMPLE, lambda: pickle.dumps(Trap())), "1000.npy: not a .npy"),
    "pickled list": (
        "mcr",
        lambda f: np.save(f / LIST, np.array([Trap()]), allow_pickle=True),
        "train_c_path.npy: not",
    ),
    "float tiff": (
        "mcr-disjoint",
        lambda f: tifffile.imwrite(f / INPUT, np.ones((8, 8), np.float32)),
        "expected 8 bits",
    ),
    "mat 7.3 for 5": ("worldview2", lambda f: h5py.File(f / "imgWV2.mat", "w").close(), "imgWV2.mat: not a whole .mat"),
    "mat 5 for 7.3": ("nyuv2", lambda f: savemat(f / LABELED, {"images": np.ones(3)}), "not a whole MATLAB 7.3"),
    "sensor of letters": ("worldview2", mat(sensor="x\n\x1b[2J" * 9999), "of sensor 'x"),
    "bands as text": ("worldview2", mat(RGB_indexes="red"), "RGB_indexes is char"),
    "cells for a picture": ("worldview2", mat(I_PAN={"a": 1}), "I_PAN is struct"),
    "complex picture": ("worldview2", mat(I_MS=pan_mat.content()["I_MS"] * 1j), "I_MS is complex"),
    "10^9 rows": ("wv3", ROWS, "bytes that are not in the file"),
    "link out": ("wv3", change(TRAIN, "gt", lambda f, k, o: f.update({k: h5py.ExternalLink("x.h5", k)})), "or a link"),
    "link within": ("wv3", change(TRAIN, "gt", lambda f, k, o: f.update({k: h5py.SoftLink("/lms")})), "or a link"),
    "values outside": ("wv3", change(TRAIN, "gt", outside), "or a link"),
    "group": ("wv3", change(TRAIN, "ms", lambda f, k, o: f.create_group(k)), "but a group"),
    "wrong way round": ("wv3", change(TRAIN, "pan", lambda f, k, o: f.update({k: o[()].T})), "train_wv3.h5: "),
    "one block": ("wv3", one_block, "bytes that are not in the file|in blocks of"),
    "truth of another example": ("wv3", truths_turned, "train_wv3.h5: gt and ms show other ground"),
    "swapped bands": ("wv3", bands_reversed, "lms band 1 is ms band 8"),
    "letters beyond letters": ("nyuv2", room(np.full(5, 2**31, np.uint32)), "not a whole MATLAB 7.3"),
    "a very long room": ("nyuv2", room(np.full(10**5, 65, np.uint16)), "a name of a room is"),
    "references to nothing": ("nyuv2", change(LABELED, "scenes", nothing), "labeled.mat: "),
    "depths of text": (
        "nyuv2",
        change(LABELED, "depths", lambda f, k, o: f.create_dataset(k, o.shape, "S1")),
        "depths",
    ),
    "one truth twice": (
        "mcr-disjoint",
        lambda f: shutil.copy(f / mcr.SET / "RGB_GT/C00001_48mp_0x8_0x2fff.jpg", f / mcr.SET / "RGB_GT/C00001_b.png"),
        "stands for the same as",
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_are_refused_and_named(
    attack: str, whole: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, damage, said = ATTACKS[attack]
    copy = Path(shutil.copytree(whole(name), tmp_path / "copy"))
    monkeypatch.chdir(tmp_path)
    damage(copy)
    card = small(name, copy)
    with pytest.raises(UserError, match=said):
        list(read_card(card, open_members(card, None, copy, copy)))
    assert isinstance(outcome(card, copy), str)
    assert not (tmp_path / "trap").exists()


def test_a_set_of_more_scenes_than_expected_is_not_read_on(whole: Callable[[str], Path]) -> None:
    card = small("lu", whole("lu"))
    card = card.model_copy(update={"expect": Expect(scenes=2)})
    scenes = read_card(card, open_members(card, None, whole("lu"), whole("lu")))
    assert [next(scenes).name, next(scenes).name] == ["lu-01", "lu-02"]
    with pytest.raises(UserError, match="more scenes than the 2"):
        next(scenes)
