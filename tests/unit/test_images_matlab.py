"""Arrays of .mat and HDF5 files: MATLAB's order of axes, the choice among several, damage."""

import sys

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from sfigf.images import create_image, open_image, read_image
from sfigf.interface import UserError
from sfigf.regions import Region

BANDS = np.random.default_rng(0).integers(0, 2048, (8, 30, 40))
WINDOW = Region(5, 7, 22, 39)


def save_as_matlab(path, kind, arrays):
    """Write arrays (H,W,C) or (H,W) as MATLAB of that version would."""
    if kind != "7.3":
        savemat(path, arrays, format="4" if kind == "4" else "5", do_compression=kind == "7")
        return
    classes = {"f8": "double", "f4": "single", "u2": "uint16", "u1": "uint8", "b1": "logical"}
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, values in arrays.items():
            plain = values.astype(np.uint8) if values.dtype == bool else values
            stored = file.create_dataset(name, data=plain.T, compression="gzip" if plain.ndim > 1 else None)
            stored.attrs["MATLAB_class"] = np.bytes_(classes[values.dtype.str[1:]])
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")


@pytest.mark.parametrize("kind", ["5", "7", "7.3"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_bands_come_first_whatever_the_version(tmp_path, kind, dtype):
    bands = (BANDS // 9).astype(dtype)
    save_as_matlab(tmp_path / "i.mat", kind, {"ms": bands.transpose(1, 2, 0)})
    with open_image(tmp_path / "i.mat") as image:
        assert image.shape == (8, 30, 40)
        assert image.dtype == (dtype if np.dtype(dtype).kind == "u" else np.float32)
        assert np.array_equal(image.read(WINDOW), WINDOW.of(bands))


@pytest.mark.parametrize("kind", ["4", "5", "7", "7.3"])
def test_a_matrix_is_one_band(tmp_path, kind):
    save_as_matlab(tmp_path / "i.mat", kind, {"pan": BANDS[0] / 3})
    assert np.array_equal(read_image(tmp_path / "i.mat"), (BANDS[:1] / 3).astype(np.float32))


@pytest.mark.parametrize("kind", ["5", "7.3"])
def test_bands_that_python_stored_first_stay_first_and_many_bands_stay_bands(tmp_path, kind):
    many = np.random.default_rng(0).normal(size=(20, 21, 100))
    save_as_matlab(tmp_path / "first.mat", kind, {"ms": BANDS.astype(float)})
    save_as_matlab(tmp_path / "many.mat", kind, {"ms": many})
    assert np.array_equal(read_image(tmp_path / "first.mat"), BANDS)
    assert np.array_equal(read_image(tmp_path / "many.mat"), many.transpose(2, 0, 1).astype(np.float32))


def test_whole_numbers_of_class_double_do_not_become_small_integers(tmp_path):
    savemat(tmp_path / "i.mat", {"ms": np.arange(12.0).reshape(3, 4)})
    raw = (tmp_path / "i.mat").read_bytes()
    packed = np.arange(12, dtype=np.uint8).reshape(3, 4).T.tobytes()
    head = raw[: raw.index(b"ms") - 4]
    name = b"\x01\x00\x02\x00ms\0\0"
    body = head[128 + 8 :] + name + np.array([2, 12], "<u4").tobytes() + packed + b"\0" * 4
    whole = head[:128] + np.array([14, len(body)], "<u4").tobytes() + body
    (tmp_path / "i.mat").write_bytes(whole)
    assert read_image(tmp_path / "i.mat").dtype == np.float32


@pytest.mark.parametrize("kind", ["5", "7.3"])
def test_the_name_picks_among_several(tmp_path, kind):
    arrays = {"ms": BANDS.transpose(1, 2, 0).astype(float), "pan": BANDS[0].astype(float), "ratio": np.array([[4.0]])}
    save_as_matlab(tmp_path / "i.mat", kind, arrays | {"mask": np.ones((30, 40), bool)})
    assert read_image(tmp_path / "i.mat", name="pan").shape == (1, 30, 40)
    for name in (None, "lms", "mask"):
        with pytest.raises(UserError, match=r"i.mat: .*there are: .*ms \(30, 40, 8\), pan \(30, 40\)"):
            open_image(tmp_path / "i.mat", name=name)
    save_as_matlab(tmp_path / "i.mat", kind, {key: arrays[key] for key in ("ratio", "ms")})
    assert read_image(tmp_path / "i.mat").shape == (8, 30, 40)


def test_hdf5_of_test_sets_holds_many_images(tmp_path):
    images = np.random.default_rng(0).normal(size=(3, 4, 20, 25)).astype(np.float32)
    with h5py.File(tmp_path / "t.h5", "w") as file:
        file["ms"], file["pan"] = images, images[:, :1]
        file["deep/one"] = images[0].transpose(1, 2, 0)
    with open_image(tmp_path / "t.h5", name="ms[2]") as image:
        assert np.array_equal(image.read(Region(3, 4, 9, 10)), images[2, :, 3:9, 4:10])
    assert np.array_equal(read_image(tmp_path / "t.h5", name="deep/one"), images[0])
    for name, says in [("ms", r"3 images there; name one.*\[2\]"), ("ms[3]", "3 images"), ("deep/one[0]", "leave")]:
        with pytest.raises(UserError, match=says):
            open_image(tmp_path / "t.h5", name=name)


@pytest.mark.parametrize("kind", ["5", "7.3"])
@pytest.mark.parametrize("values", [np.ones((3, 4), complex), np.zeros((0, 4)), np.zeros((2, 3, 4, 5, 6))])
def test_what_is_no_image_is_refused(tmp_path, kind, values):
    if kind == "5":
        savemat(tmp_path / "i.mat", {"ms": values})
    else:
        with h5py.File(tmp_path / "i.mat", "w") as file:
            file["ms"] = values
    with pytest.raises(UserError, match=r"i\.mat"):
        open_image(tmp_path / "i.mat")


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    save_as_matlab(tmp_path / "i.mat", "7.3", {"ms": np.ones((3, 4))})
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(UserError, match="pip install h5py"):
        open_image(tmp_path / "i.mat")


def test_mat_files_are_only_read(tmp_path):
    with pytest.raises(UserError, match=r"cannot write '\.mat'"):
        create_image(tmp_path / "i.mat", (1, 3, 4), np.uint8)


@pytest.mark.parametrize("kind", ["5", "7", "7.3"])
@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9])
def test_a_truncated_file_is_refused(tmp_path, kind, share):
    path = tmp_path / "i.mat"
    save_as_matlab(path, kind, {"ms": np.random.default_rng(0).normal(size=(30, 40, 8))})
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(UserError, match="not a readable image"):
        read_image(path)


@given(st.sampled_from(["5", "7", "7.3"]), st.integers(0, 3000), st.integers(0, 255))
@settings(max_examples=60, deadline=None)
def test_a_damaged_file_is_read_or_refused_never_a_crash(tmp_path_factory, kind, position, value):
    path = tmp_path_factory.mktemp("f") / "i.mat"
    save_as_matlab(path, kind, {"ms": BANDS[:3].transpose(1, 2, 0).astype(np.uint16)})
    content = bytearray(path.read_bytes())
    content[min(position, len(content) - 1)] = value
    path.write_bytes(content[: len(content) - position % 7])
    try:
        assert read_image(path).ndim == 3
    except UserError as error:
        assert "i.mat" in str(error)
        assert "\n" not in str(error)
