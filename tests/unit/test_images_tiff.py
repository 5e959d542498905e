"""TIFF and GeoTIFF: the ground they show, types and layouts of other programs, files larger than the memory."""

import tracemalloc
import warnings

import numpy as np
import pytest
import rasterio
import tifffile
from rasterio.enums import ColorInterp
from rasterio.transform import Affine

from sfigf.images import Georeference, create_image, open_image, read_image, write_image
from sfigf.interface import UserError
from sfigf.regions import Region

TURNED = Affine(1.9, 0.7, 400010, 0.7, -1.9, 4100000)


def noise(shape, dtype=np.uint16, seed=0):
    return np.random.default_rng(seed).integers(0, 255, shape).astype(dtype)


def write_with_gdal(path, values, **options):
    bands, height, width = values.shape
    kinds = options.pop("colorinterp", None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(
            path, "w", driver="GTiff", height=height, width=width, count=bands, dtype=values.dtype, **options
        ) as file:
            file.write(values)
            if kinds:
                file.colorinterp = kinds


@pytest.mark.parametrize(("dtype", "nodata"), [(np.uint16, 65535), (np.uint8, 0), (np.float32, -9999.0)])
def test_the_ground_and_nodata_are_kept(tmp_path, dtype, nodata):
    ground = Georeference(rasterio.CRS.from_epsg(32633), TURNED)
    with create_image(tmp_path / "i.tif", (4, 30, 40), dtype, georeference=ground, nodata=nodata) as image:
        image.write(Region(0, 0, 30, 40), np.ones((4, 30, 40)))
    with open_image(tmp_path / "i.tif") as image:
        assert image.shape == (4, 30, 40)
        assert image.georeference == ground
        assert image.nodata == nodata


def test_nan_marks_no_measurement(tmp_path):
    with create_image(tmp_path / "i.tif", (1, 3, 4), np.float32, nodata=float("nan")) as image:
        image.write(Region(0, 0, 3, 4), np.full((1, 3, 4), np.nan))
    with open_image(tmp_path / "i.tif") as image:
        assert np.isnan(image.nodata)
        assert np.isnan(image.read(Region(0, 0, 3, 4))).all()


def test_where_nothing_was_measured_integers_hold_nodata(tmp_path):
    with create_image(tmp_path / "i.tif", (1, 1, 2), np.uint16, nodata=7) as image:
        image.write(Region(0, 0, 1, 2), np.array([[[np.nan, 3.2]]]))
    assert read_image(tmp_path / "i.tif").tolist() == [[[7, 3]]]


@pytest.mark.parametrize("nodata", [-9999, 70000, 1.5, float("nan")])
def test_nodata_that_the_type_cannot_hold_is_refused(tmp_path, nodata):
    with pytest.raises(UserError, match="uint16 cannot hold the nodata value"):
        create_image(tmp_path / "i.tif", (1, 3, 4), np.uint16, nodata=nodata)


def test_nodata_has_the_type_of_the_values(tmp_path):
    lowest = float(np.finfo(np.float64).min)
    write_with_gdal(tmp_path / "i.tif", np.full((1, 3, 4), lowest), nodata=lowest)
    with open_image(tmp_path / "i.tif") as image:
        assert (image.read(Region(0, 0, 3, 4)) == image.nodata).all()


@pytest.mark.parametrize("factor", [2, 3, 8])
def test_a_finer_grid_shows_the_same_ground(factor):
    coarse, fine = (np.reshape(each, (3, 3)) for each in (TURNED, Georeference(None, TURNED).scaled(factor).transform))
    corners = np.array([[0, 0, 1], [0, 30, 1], [40, 0, 1], [40, 30, 1]])
    assert np.allclose(fine @ (corners * [factor, factor, 1]).T, coarse @ corners.T, rtol=1e-12)


def test_a_plain_tiff_has_no_ground_and_says_nothing(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_image(tmp_path / "i.tif", noise((1, 9, 9)))
        with open_image(tmp_path / "i.tif") as image:
            assert image.georeference is None
            assert image.nodata is None
            assert dict(image.meta) == {}


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.uint32, np.float64, np.float32])
def test_other_types_become_floats(tmp_path, dtype):
    values = noise((2, 9, 11), dtype) // 2
    write_with_gdal(tmp_path / "i.tif", values)
    back = read_image(tmp_path / "i.tif")
    assert back.dtype == np.float32
    assert np.array_equal(back, values)


def test_complex_values_are_refused(tmp_path):
    write_with_gdal(tmp_path / "i.tif", np.zeros((1, 4, 4), np.complex64))
    with pytest.raises(UserError, match="complex64"):
        open_image(tmp_path / "i.tif")


@pytest.mark.parametrize(
    "options", [{"interleave": "band"}, {"interleave": "pixel"}, {"BIGTIFF": "YES"}, {"tiled": True}]
)
@pytest.mark.parametrize("compress", ["none", "lzw", "zstd"])
def test_every_layout_reads_the_same(tmp_path, options, compress):
    values = noise((5, 70, 90))
    blocks = {"blockxsize": 32, "blockysize": 16} if "tiled" in options else {}
    write_with_gdal(tmp_path / "i.tif", values, compress=compress, **options, **blocks)
    with open_image(tmp_path / "i.tif") as image:
        window = Region(13, 21, 61, 88)
        assert np.array_equal(image.read(window), window.of(values))


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((5, 40, 50), {}),
        ((5, 40, 50), {"compression": "deflate"}),
        ((5, 40, 50), {"tile": (16, 16)}),
        ((5, 40, 50), {"planarconfig": "separate"}),
        ((40, 50, 5), {"planarconfig": "contig"}),
        ((40, 50, 5), {}),
    ],
)
def test_pages_are_bands(tmp_path, shape, options):
    values = noise(shape)
    tifffile.imwrite(tmp_path / "i.tif", values, photometric="minisblack", **options)
    expected = values if shape[0] == 5 else values.transpose(2, 0, 1)
    with open_image(tmp_path / "i.tif") as image:
        assert image.shape == (5, 40, 50)
        window = Region(3, 4, 38, 49)
        assert np.array_equal(image.read(window), window.of(expected))


def test_of_pages_that_differ_the_first_counts(tmp_path):
    first = noise((40, 50))
    with tifffile.TiffWriter(tmp_path / "i.tif") as file:
        file.write(first)
        file.write(noise((20, 25)))
    assert np.array_equal(read_image(tmp_path / "i.tif"), first[None])


def test_alpha_is_dropped_but_not_near_infrared(tmp_path):
    values = noise((4, 9, 11), np.uint8)
    kinds = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha]
    write_with_gdal(tmp_path / "photo.tif", values, colorinterp=kinds)
    write_with_gdal(tmp_path / "satellite.tif", values, colorinterp=kinds, crs="EPSG:32633", transform=TURNED)
    assert np.array_equal(read_image(tmp_path / "photo.tif"), values[:3])
    assert np.array_equal(read_image(tmp_path / "satellite.tif"), values)


def test_palettes_and_single_bits_are_resolved(tmp_path):
    numbers = noise((9, 11), np.uint8) % 4
    colours = np.random.default_rng(1).integers(0, 256, (3, 256)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "p.tif", numbers, photometric="palette", colormap=colours.astype(np.uint16) * 257)
    tifffile.imwrite(tmp_path / "b.tif", numbers > 1, photometric="minisblack")
    tifffile.imwrite(tmp_path / "w.tif", numbers, photometric="miniswhite")
    assert np.array_equal(read_image(tmp_path / "p.tif"), colours[:, numbers])
    assert np.array_equal(read_image(tmp_path / "b.tif"), 255 * (numbers > 1)[None])
    assert np.array_equal(read_image(tmp_path / "w.tif"), 255 - numbers[None])


def test_a_file_larger_than_it_may_be_held_is_read_and_written_by_windows(tmp_path):
    path, window = tmp_path / "i.tif", Region(29900, 12345, 30000, 12445)
    values = noise((4, 100, 100), np.float32)
    tracemalloc.start()
    with create_image(path, (4, 30000, 30000), np.float32) as image:
        image.write(window, values)
    with open_image(path) as image:
        assert image.shape == (4, 30000, 30000)
        assert np.array_equal(image.read(window), values)
        assert not image.read(Region(0, 0, 200, 200)).any()
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()
    assert path.stat().st_size < 5e6
    with pytest.raises(UserError, match="over the limit of 1,600,000,000 values"):
        read_image(path)


def test_what_can_only_be_decoded_whole_is_refused_when_it_is_too_large(tmp_path):
    with rasterio.open(
        tmp_path / "i.tif", "w", driver="GTiff", height=40001, width=40001, count=1, dtype="uint8",
        tiled=True, blockxsize=40016, blockysize=40016, compress="deflate", SPARSE_OK=True, crs="EPSG:4326",
        transform=TURNED,
    ):  # fmt: skip
        pass
    with pytest.raises(UserError, match="save it in tiles"):
        open_image(tmp_path / "i.tif")


def test_more_bands_than_any_sensor_has_are_refused(tmp_path):
    write_with_gdal(tmp_path / "i.tif", np.zeros((513, 2, 2), np.uint8))
    with pytest.raises(UserError, match="513 bands; at most 512"):
        open_image(tmp_path / "i.tif")


@pytest.mark.parametrize("options", [{}, {"compression": "deflate"}])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated_pages_are_refused_in_one_line(tmp_path, capfd, options, share):
    path = tmp_path / "i.tif"
    tifffile.imwrite(path, noise((5, 60, 80)), photometric="minisblack", **options)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(UserError, match="not a readable image"):
        read_image(path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["a b#c?d!e%20.tif", "été:1.tif", "[0].tif"])
def test_names_are_taken_as_they_are(tmp_path, name):
    for file in (tmp_path / name, (tmp_path / name).with_suffix(".png")):
        write_image(file, noise((3, 9, 9)))
        assert np.array_equal(read_image(file), noise((3, 9, 9)))
