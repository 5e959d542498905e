"""Readers, members of archives, verify and prepare."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from sfigf.cards import Card, Carrier, Crop, Member, carrier_of, load_card, load_carriers
from sfigf.datasets import members
from sfigf.datasets.decode import halve, read_rgb
from sfigf.datasets.members import open_members
from sfigf.datasets.photos import LONGEST_PX
from sfigf.datasets.prepare import prepare, read_card, verify
from sfigf.datasets.satellites import align_pan
from sfigf.interface import Scene, UserError
from sfigf.store import RecordFile, read_scenes

ROOT = Path(__file__).parents[2]
CARRIER = Carrier(
    kind="index", project="gift", version="1", file="gift.zip", sha256="0" * 64, size_bytes=1, licence="MIT", origin="x"
)


def _card(contents: dict[str, bytes], name: str = "photos", **facts: object) -> Card:
    pins = {
        f"role-{i}": {"path": path, "sha256": hashlib.sha256(data).hexdigest()}
        for i, (path, data) in enumerate(contents.items())
    }
    texts = dict.fromkeys(("title", "licence", "citation", "homepage", "unit", "split"), "text")
    return Card.model_validate({"name": name, "tasks": ["raw"], "carrier": "gift", "members": pins, **texts, **facts})


def _png(height: int = 6, width: int = 8, value: int = 40) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.full((height, width, 3), value, np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def _archive(folder: Path, contents: dict[str, bytes], kind: str) -> Path:
    path = folder / f"gift.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in contents.items():
                archive.writestr(name, data)
        return path
    with tarfile.open(path, "w:gz") as archive:
        for name, data in contents.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_members_come_out_under_names_of_our_own(tmp_path: Path, kind: str) -> None:
    contents = {"a/one.png": b"one", "../../evil.png": b"two", "/etc/three.png": b"three", "spare": b"no"}
    archive = _archive(tmp_path, contents, kind)
    for outside in ("../../evil.png", "/etc/three.png"):
        with pytest.raises(ValueError, match=f"path '{outside}' leaves the folder of the set"):
            _card({outside: b"two"})
    unchecked = {
        f"role-{i}": Member.model_construct(path=path, sha256=hashlib.sha256(contents[path]).hexdigest())
        for i, path in enumerate(list(contents)[:3])
    }
    card = _card({"a/one.png": b"one"}).model_copy(update={"members": unchecked})
    found = open_members(card, CARRIER, archive, tmp_path / "out")
    assert [path.read_bytes() for path in found.values()] == [b"one", b"two", b"three"]
    assert all(path.resolve().is_relative_to(tmp_path / "out") for path in found.values())
    assert {path.name for path in tmp_path.iterdir()} == {archive.name, "out"}


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_missing_changed_and_oversized_members(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = _archive(tmp_path, {"a/one.png": b"one"}, kind)
    with pytest.raises(UserError, match=r"1 members missing, first a/on.png, did you mean 'a/one.png'"):
        open_members(_card({"a/on.png": b"one"}), CARRIER, archive, tmp_path / "out")
    with pytest.raises(UserError, match=r"a/one.png: sha256 is"):
        open_members(_card({"a/one.png": b"other"}), CARRIER, archive, tmp_path / "out")
    monkeypatch.setattr(members, "MEMBER_LIMIT_BYTES", 2)
    with pytest.raises(UserError, match="larger than the 2 bytes"):
        open_members(_card({"a/one.png": b"one"}), CARRIER, archive, tmp_path / "out")


def test_archive_missing_or_damaged(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such archive"):
        open_members(_card({"a": b"one"}), CARRIER, tmp_path / "gift.zip", tmp_path)
    archive = _archive(tmp_path, {"a": b"one" * 9999}, "tar.gz")
    archive.write_bytes(archive.read_bytes()[:-40])
    with pytest.raises(UserError, match="cannot be unpacked"):
        open_members(_card({"a": b"one" * 9999}), CARRIER, archive, tmp_path / "out")


def test_folder_of_ones_own_serves_as_carrier(tmp_path: Path) -> None:
    (tmp_path / "one.png").write_bytes(b"one")
    assert open_members(_card({"one.png": b"one"}), CARRIER, tmp_path, tmp_path)["role-0"] == tmp_path / "one.png"
    with pytest.raises(UserError, match=r"not a whole copy of photos: two.png is missing"):
        open_members(_card({"two.png": b"one"}), CARRIER, tmp_path, tmp_path)


def test_package_that_is_not_installed() -> None:
    carrier = Carrier(kind="installed", project="gift-box", package="gift_box_x", licence="MIT", origin="x")
    with pytest.raises(UserError, match="pip install gift-box"):
        open_members(_card({"a": b""}), carrier, None, ".")


def test_verify_names_the_file_that_cannot_be_decoded(tmp_path: Path) -> None:
    contents = {"good.png": _png(), "broken.png": _png(600, 800)[:200]}
    archive = _archive(tmp_path, contents, "zip")
    with pytest.raises(UserError, match=r"broken.png: not a picture"):
        verify(_card(contents), CARRIER, archive, tmp_path / "report.json")
    assert not (tmp_path / "report.json").exists()


def test_verify_refuses_values_that_are_not_finite(tmp_path: Path) -> None:
    stream = io.BytesIO()
    tifffile.imwrite(stream, np.where(np.eye(5) > 0, np.nan, 9000).astype(np.float32))
    contents = {f"b{band}.tif": stream.getvalue() for band in (2, 3, 4, 8)}
    card = _card(contents, "sentinel2")
    named = dict(zip(("b02", "b03", "b04", "b08"), card.members.values(), strict=True))
    with pytest.raises(UserError, match="scene 'sentinel2': multispectral holds values that are not finite"):
        verify(
            card.model_copy(update={"members": named}),
            CARRIER,
            _archive(tmp_path, contents, "zip"),
            tmp_path / "r.json",
        )


def test_verify_and_prepare_are_repeatable_and_carry_the_card(tmp_path: Path) -> None:
    contents = {"a/one.png": _png(value=10), "two.png": _png(LONGEST_PX + 2, 4)}
    archive = _archive(tmp_path, contents, "zip")
    card = _card(contents, meta={"sensor": "toy"})
    pinned = card.members["role-0"].model_copy(update={"place": "garden", "part": "validation"})
    card = card.model_copy(update={"members": {**card.members, "role-0": pinned}})
    report = verify(card, CARRIER, archive, tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text()) == json.loads(json.dumps(report))
    assert report["members"]["role-0"]["bytes"] == len(contents["a/one.png"])
    for name in ("first", "second"):
        prepare(card, CARRIER, archive, tmp_path / f"{name}.safetensors")
    assert (tmp_path / "first.safetensors").read_bytes() == (tmp_path / "second.safetensors").read_bytes()
    one, two = read_scenes(tmp_path / "first.safetensors")
    assert (one.place, one.part, one.meta["sensor"], one.meta["licence"]) == ("garden", "validation", "toy", "text")
    assert (one.arrays["rgb"].shape, one.arrays["rgb"].dtype, int(one.arrays["rgb"].max())) == ((3, 6, 8), np.uint8, 10)
    assert two.arrays["rgb"].shape == (3, LONGEST_PX // 2 + 1, 2)
    about = RecordFile(tmp_path / "first.safetensors").about
    assert about["digests"] == {role: member.sha256 for role, member in card.members.items()}
    assert about["dataset"] == "photos"


def test_crops_cut_every_array_on_its_own_grid(tmp_path: Path) -> None:
    card = load_card(ROOT / "config" / "datasets" / "landsat8.yaml")
    crop = Crop(name="cut", place="here", part="test", rows=(2, 4), columns=(1, 4))
    files = {f"b{band}": tmp_path / f"b{band}.tif" for band in (2, 3, 4, 5, 8)}
    for role, path in files.items():
        side = (13, 17) if role == "b8" else (6, 8)
        tifffile.imwrite(path, np.add.outer(100 * np.arange(side[0]), np.arange(side[1])).astype(np.uint16) + 9000)
    (scene,) = read_card(card.model_copy(update={"crops": [crop]}), files)
    assert scene.arrays["multispectral"].shape == (4, 2, 3)
    assert scene.arrays["multispectral"][0, 0, 0] == pytest.approx(0.2 * (9000 + 201) - 1000)
    assert scene.arrays["pan"].shape == (1, 4, 6)
    assert scene.arrays["pan"][0, 0, 0] == pytest.approx(0.2 * (9000 + 503) - 1000)  # pan row 5, column 3
    assert (scene.meta["source"], scene.meta["rows"], scene.meta["peak"]) == ("landsat8", [2, 4], 5000)
    outside = crop.model_copy(update={"rows": (4, 9)})
    with pytest.raises(UserError, match=r"crop 'cut' rows .4, 9. columns .1, 4. leaves"):
        list(read_card(card.model_copy(update={"crops": [outside]}), files))


def test_aligned_pan_puts_coarse_pixel_m_on_pan_pixel_2m() -> None:
    pan = np.arange(31 * 31, dtype=np.float64).reshape(1, 31, 31)
    aligned = align_pan(pan, (15, 15))
    assert np.array_equal(aligned[0, ::2, ::2], pan[0, 1:31:2, 1:31:2])
    assert align_pan(pan[:, :, :30], (15, 15)).shape == (1, 30, 30)
    with pytest.raises(UserError, match="does not cover"):
        align_pan(pan, (16, 15))


def test_halving_averages_light_not_codes() -> None:
    checkerboard = np.tile(np.array([[0, 255], [255, 0]], np.uint8), (3, 2, 2))
    assert np.unique(halve(checkerboard)).tolist() == [188]
    assert halve(np.full((3, 5, 7), 77, np.uint8)).tolist() == np.full((3, 2, 3), 77).tolist()


def test_transparent_and_grey_pictures_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((4, 4, 4), np.uint8)).save(tmp_path / "clear.png")
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "grey.png")
    with pytest.raises(UserError, match=r"clear.png: has transparent pixels"):
        read_rgb(tmp_path / "clear.png")
    with pytest.raises(UserError, match=r"grey.png: expected 8-bit RGB"):
        read_rgb(tmp_path / "grey.png")


def _scenes(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Scene]:
    monkeypatch.chdir(ROOT)
    card = load_card(f"config/datasets/{name}.yaml")
    prepare(card, carrier_of(card, load_carriers("config/carriers.yaml")), None, tmp_path / "set.safetensors")
    return list(read_scenes(tmp_path / "set.safetensors"))


def test_motorcycle_as_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (scene,) = _scenes("motorcycle", monkeypatch, tmp_path)
    disparity, valid = scene.arrays["disparity"], scene.arrays["valid"]
    assert scene.arrays["rgb"].shape == (3, 500, 741)
    assert valid.mean() == pytest.approx(0.9265, abs=1e-4)
    assert disparity[valid == 1].min() == pytest.approx(7.19, abs=0.01)
    assert disparity.max() == pytest.approx(59.9, abs=0.1)
    assert (disparity[valid == 0] == 0).all()
    assert (scene.part, scene.meta["unit"], scene.meta["focal_px"]) == ("test", "px", 994.978)


def test_aloe_as_vendored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (scene,) = _scenes("aloe", monkeypatch, tmp_path)
    assert scene.arrays["rgb"].shape == (3, 1110, 1282)
    assert 1 - scene.arrays["valid"].mean() == pytest.approx(0.0345, abs=1e-4)
    assert scene.arrays["disparity"].max() == 211
    assert scene.part == "train"


def test_scikit_image_photos(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    scenes = _scenes("photos-test", monkeypatch, tmp_path)
    assert {s.name for s in scenes} == {"astronaut", "chelsea", "coffee", "rocket"}
    assert {s.part for s in scenes} == {"test"}
