"""Camera files: a small DNG, written here tag by tag, comes back as the sensor saw it."""

import sys

import numpy as np
import pytest
import tifffile

from sfigf.degrade.camera import camera_from_srgb, develop, pack
from sfigf.images import open_image, read_image
from sfigf.interface import UserError
from sfigf.regions import Region

BLACK, WHITE = 512, 16383
# XYZ -> camera of the camera that sfigf.degrade.camera describes.
MATRIX = (0.5838, -0.1430, -0.0246, -0.3497, 1.1477, 0.2297, -0.0748, 0.1885, 0.5778)
RGGB, GRBG, GBRG, BGGR = (0, 1, 1, 2), (1, 0, 2, 1), (1, 2, 0, 1), (2, 1, 1, 0)
XTRANS = (1, 1, 0, 1, 1, 2, 1, 1, 2, 1, 1, 0, 2, 0, 1, 0, 2, 1, 1, 1, 2, 1, 1, 0, 1, 1, 0, 1, 1, 2, 0, 2, 1, 2, 0, 1)
SENSOR = np.random.default_rng(0).integers(400, 16384, (41, 65)).astype(np.uint16)


def fractions(values):
    return tuple(number for value in values for number in (round(value * 10000), 10000))


def write_dng(path, sensor, pattern=RGGB, black=(BLACK,), matrix=MATRIX, neutral=(0.5, 1, 0.6), camera=("Maker", "M1")):
    """An uncompressed DNG 1.4. Source: Adobe's DNG specification, chapter 4; TIFF/EP for tags 33421 and 33422."""
    side = int(len(pattern) ** 0.5)
    tags = [
        (50706, 1, 4, (1, 4, 0, 0)), (50708, 2, 0, " ".join(camera)), (271, 2, 0, camera[0]), (272, 2, 0, camera[1]),
        (33421, 3, 2, (side, side)), (33422, 1, len(pattern), pattern), (50710, 1, 3, (0, 1, 2)),
        (50713, 3, 2, (2, 2) if len(black) == 4 else (1, 1)), (50714, 5, len(black), fractions(black)),
        (50717, 4, 1, WHITE),
    ]  # fmt: skip
    if matrix:
        tags += [(50721, 10, 9, fractions(matrix)), (50778, 3, 1, 21)]
    if neutral:
        tags += [(50728, 5, 3, fractions(neutral))]
    photometric = 34892 if sensor.ndim == 3 else 32803
    tifffile.imwrite(path, sensor, photometric=photometric, metadata=None, extratags=[(*tag, True) for tag in tags])


@pytest.mark.parametrize(("pattern", "top", "left"), [(RGGB, 0, 0), (GRBG, 0, 1), (GBRG, 1, 0), (BGGR, 1, 1)])
def test_the_mosaic_begins_with_red_and_is_in_units_of_its_range(tmp_path, pattern, top, left):
    write_dng(tmp_path / "i.dng", SENSOR, pattern)
    with open_image(tmp_path / "i.dng") as image:
        assert (image.shape, image.dtype) == ((1, 40, 64), np.float32)
        expected = np.clip((SENSOR[top : top + 40, left : left + 64] - float(BLACK)) / (WHITE - BLACK), 0, 1)
        window = Region(3, 5, 31, 64)
        assert np.allclose(image.read(window)[0], window.of(expected), atol=1e-6)
        assert not image.nodata
        assert image.georeference is None


def test_every_colour_has_its_own_black(tmp_path):
    black = (500, 510, 520, 530)
    write_dng(tmp_path / "i.dng", SENSOR, BGGR, black)
    with open_image(tmp_path / "i.dng") as image:
        assert image.meta["black_level"] == [530, 520, 510, 500]
    packed = pack(read_image(tmp_path / "i.dng"))
    for plane, level, sensor in zip(packed, black[::-1], pack(SENSOR[None, 1:41, 1:65]), strict=True):
        assert np.allclose(plane, np.clip((sensor - float(level)) / (WHITE - level), 0, 1), atol=1e-6)


@pytest.mark.parametrize(("matrix", "camera"), [(MATRIX, ("Maker", "M1")), (None, ("SONY", "ILCE-7SM2"))])
def test_the_camera_says_what_developing_needs(tmp_path, matrix, camera):
    write_dng(tmp_path / "i.dng", SENSOR, matrix=matrix, camera=camera)
    with open_image(tmp_path / "i.dng") as image:
        meta = image.meta
    assert meta["camera"] == " ".join(camera)
    assert meta["white_level"] == WHITE
    assert meta["white_balance"] == pytest.approx([2, 1, 1 / 0.6])
    assert np.allclose(np.sum(meta["colour_matrix"], axis=1), 1, atol=1e-6)
    assert np.allclose(meta["colour_matrix"], np.linalg.inv(camera_from_srgb()), atol=1e-3)
    assert develop(np.full((4, 8, 8), 0.5), meta).shape == (3, 16, 16)


def test_without_an_as_shot_white_balance_daylight_counts(tmp_path):
    write_dng(tmp_path / "i.dng", SENSOR, neutral=None)
    with open_image(tmp_path / "i.dng") as image:
        red, green, blue = image.meta["white_balance"]
    assert green == 1
    assert red > 1.5
    assert blue > 1.2


@pytest.mark.parametrize(
    ("sensor", "options", "says"),
    [
        (SENSOR, {"pattern": XTRANS}, "6x6 pixels; raw takes 2x2 Bayer"),
        (np.zeros((41, 65, 3), np.uint16), {}, "no mosaic; raw takes 2x2 Bayer"),
        (SENSOR, {"pattern": (0, 1, 2, 1)}, "raw takes 2x2 Bayer"),
        (SENSOR, {"matrix": None}, "no colour matrix"),
    ],
)
def test_other_sensors_and_unknown_cameras_are_refused(tmp_path, sensor, options, says):
    write_dng(tmp_path / "i.dng", sensor, **options)
    with pytest.raises(UserError, match=f"i.dng: .*{says}"):
        open_image(tmp_path / "i.dng")


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9])
def test_a_truncated_camera_file_is_refused(tmp_path, share):
    write_dng(tmp_path / "i.dng", SENSOR)
    content = (tmp_path / "i.dng").read_bytes()
    (tmp_path / "i.dng").write_bytes(content[: int(share * len(content))])
    with pytest.raises(UserError, match="not a readable image"):
        open_image(tmp_path / "i.dng")


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    write_dng(tmp_path / "i.dng", SENSOR)
    monkeypatch.setitem(sys.modules, "rawpy", None)
    with pytest.raises(UserError, match="pip install rawpy"):
        open_image(tmp_path / "i.dng")
