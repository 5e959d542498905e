"""The field's multi-focus sets: read as they are laid out, paired, and refused by file name where they are broken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from sfigf.cards import Card, Expect, load_card
from sfigf.datasets.focus_sets import read_display
from sfigf.datasets.members import open_members
from sfigf.datasets.prepare import read_card
from sfigf.degrade.focus import ThinLensDefocus
from sfigf.degrade.focus_real import RealPair
from sfigf.interface import Array, Scene, UserError
from tests.miniature import lytro, mffw, mfi_whu, mfifb, real_mff

ROOT = Path(__file__).parents[2]
MINIATURES = {"lytro": lytro, "mffw": mffw, "mfi-whu": mfi_whu, "mfifb": mfifb, "real-mff": real_mff}


def _card(name: str) -> Card:
    return load_card(ROOT / "config" / "datasets" / f"{name}.yaml")


def _small(card: Card, folder: Path) -> Card:
    """The card with the numbers, sizes and digests of a miniature; its roles, patterns and splits stay."""
    members = {
        role: member.model_copy(
            update={"sha256": None, "count": member.pattern and len(list((folder / member.path).glob(member.pattern)))}
        )
        for role, member in card.members.items()
    }
    numbers = {f"real-mff-{path.stem[:3]}" for path in folder.glob("imageA/*.png")}
    parts = {part: [scene for scene in scenes if scene in numbers] for part, scenes in card.parts.items()}
    return card.model_copy(update={"members": members, "expect": Expect(), "parts": parts})


def _scenes(name: str, folder: Path) -> Iterator[Scene]:
    card = _small(_card(name), folder)
    return read_card(card, open_members(card, None, folder, folder))


def _written(name: str, folder: Path) -> Path:
    MINIATURES[name].write(folder)
    return folder


def _detail(picture: Array, half: str) -> float:
    width = picture.shape[2] // 2
    part = picture[:, :, :width] if half == "left" else picture[:, :, width:]
    return float(np.abs(np.diff(part.astype(float), axis=1)).mean())


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("lytro", [f"lytro-{number:02d}" for number in range(1, 21)]),
        ("mffw", ["mffw-01", "mffw-02", "mffw-03", "mffw-13"]),
        ("mfi-whu", ["mfi-whu-001", "mfi-whu-002", "mfi-whu-010", "mfi-whu-120"]),
        ("mfifb", ["aymaz-01", "aymaz-03", "lytro-01", "stand-01"]),
        ("real-mff", [f"real-mff-{n:03d}" for n in (1, 2, 3, 590, 591, 650, 651, 710)]),
    ],
)
def test_every_pair_is_read_and_each_picture_is_in_its_role(tmp_path: Path, name: str, names: list[str]) -> None:
    scenes = list(_scenes(name, _written(name, tmp_path)))
    assert [scene.name for scene in scenes] == [scene.place for scene in scenes] == names
    for scene in scenes:
        assert set(scene.arrays) == {"focus-a", "focus-b"} | ({"sharp"} if name in ("mfi-whu", "real-mff") else set())
        assert {(array.shape, array.dtype.name) for array in scene.arrays.values()} == {((3, 128, 160), "uint8")}
        first, second = scene.arrays["focus-a"], scene.arrays["focus-b"]
        assert _detail(first, "left") > 2 * _detail(second, "left")
        assert _detail(second, "right") > 2 * _detail(first, "right")
        assert "sharp" not in scene.arrays or _detail(scene.arrays["sharp"], "right") > 2 * _detail(first, "right")


def test_real_mff_parts_are_the_split_files_and_pixels_are_the_files(tmp_path: Path) -> None:
    scenes = {scene.name: scene for scene in _scenes("real-mff", _written("real-mff", tmp_path))}
    parts = [[name[-3:] for name, scene in scenes.items() if scene.part == part] for part in ("train", "validation")]
    assert parts == [["001", "002", "003", "590"], ["591", "650"]]
    assert [name for name, scene in scenes.items() if scene.part == "test"] == ["real-mff-651", "real-mff-710"]
    for role, file in (("focus-a", "imageA/651_A"), ("focus-b", "imageB/651_B"), ("sharp", "Fusion/651_F")):
        pixels = np.asarray(Image.open(tmp_path / f"{file}.png")).transpose(2, 0, 1)
        np.testing.assert_array_equal(scenes["real-mff-651"].arrays[role], pixels)


def test_released_real_mff_split_is_590_60_60_and_whole() -> None:
    parts = _card("real-mff").parts
    assert [len(parts[part]) for part in ("train", "validation", "test")] == [590, 60, 60]
    assert [name for part in parts.values() for name in part] == [f"real-mff-{n:03d}" for n in range(1, 711)]


def test_sets_without_a_split_are_for_testing_alone(tmp_path: Path) -> None:
    for name in ("lytro", "mffw", "mfi-whu", "mfifb"):
        assert {scene.part for scene in _scenes(name, _written(name, tmp_path / name))} == {"test"}


def test_scenes_come_one_at_a_time(tmp_path: Path) -> None:
    """A set of 710 pairs does not fit into memory: the second pair is not touched before it is asked for."""
    scenes = _scenes("real-mff", _written("real-mff", tmp_path))
    (tmp_path / "imageB" / "002_B.png").write_bytes(b"no picture")
    assert next(scenes).name == "real-mff-001"
    with pytest.raises(UserError, match=r"imageB/002_B.png: not a picture"):
        next(scenes)


def test_grey_pictures_fill_three_channels_and_the_scene_says_so(tmp_path: Path) -> None:
    scenes = {scene.name: scene for scene in _scenes("mfifb", _written("mfifb", tmp_path))}
    grey = scenes.pop("stand-01")
    assert grey.meta["grey"] == ["focus-a", "focus-b"]
    assert all((array == array[:1]).all() for array in grey.arrays.values())
    assert all("grey" not in scene.meta for scene in scenes.values())
    assert RealPair().samples(grey, np.random.default_rng(0))[0].meta == {"grey": ["focus-a", "focus-b"]}


@pytest.mark.parametrize(
    ("name", "lost", "message"),
    [
        ("real-mff", "Fusion/003_F.png", "imageA/003_A.png: its partner 'sharp' is missing"),
        ("real-mff", "imageA/003_A.png", "imageB/003_B.png: its partner 'focus-a' is missing"),
        ("mfi-whu", "source_2/10.jpg", "source_1/10.jpg: its partner 'focus-b' is missing"),
        ("mfifb", "input/aymaz_03/aymaz_03_B.png", "aymaz_03/aymaz_03_A.png: its partner 'focus-b' is missing"),
    ],
)
def test_missing_partner_is_named(tmp_path: Path, name: str, lost: str, message: str) -> None:
    (_written(name, tmp_path) / lost).unlink()
    with pytest.raises(UserError, match=message) as caught:
        list(_scenes(name, tmp_path))
    assert "\n" not in str(caught.value)


def test_pictures_of_two_sizes_are_named(tmp_path: Path) -> None:
    path = _written("mffw", tmp_path) / "input" / "mffw_02" / "mffw_02_B.jpg"
    Image.open(path).resize((80, 64)).save(path)
    with pytest.raises(UserError, match=r"mffw_02_B.jpg: 64x80 px, its partner mffw_02/mffw_02_A.jpg 128x160 px"):
        list(_scenes("mffw", tmp_path))


def test_truncated_picture_is_named(tmp_path: Path) -> None:
    path = _written("lytro", tmp_path) / "lytro-07-B.jpg"
    path.write_bytes(path.read_bytes()[:-900])
    with pytest.raises(UserError, match=r"lytro-07-B.jpg: not a picture that can be decoded"):
        list(_scenes("lytro", tmp_path))


def test_a_copy_that_is_not_whole_is_counted(tmp_path: Path) -> None:
    folder = _written("mfi-whu", tmp_path)
    with pytest.raises(UserError, match="4 of 120 files source_1/"):
        open_members(_card("mfi-whu"), None, folder, folder)


@pytest.mark.parametrize(
    ("mode", "message"), [("I;16", "expected 8-bit grey or opaque RGB"), ("LA", "LA, expected"), ("RGBA", "RGBA")]
)
def test_other_kinds_of_picture_are_refused(tmp_path: Path, mode: str, message: str) -> None:
    Image.new(mode, (8, 8)).save(tmp_path / "a.png")
    with pytest.raises(UserError, match=message):
        read_display(tmp_path / "a.png")


def test_palette_and_opaque_alpha_are_colour(tmp_path: Path) -> None:
    colour = Image.new("RGB", (8, 8), (200, 100, 50))
    colour.quantize(4).save(tmp_path / "palette.png")
    colour.convert("RGBA").save(tmp_path / "opaque.png")
    for name in ("palette.png", "opaque.png"):
        picture, grey = read_display(tmp_path / name)
        assert not grey
        assert picture[:, 3, 3].tolist() == [200, 100, 50]


def test_the_twenty_real_lytro_pairs() -> None:
    folder = ROOT.parent / "shared" / "data" / "lytro"
    if not folder.is_dir():
        pytest.skip("real files not present: ../shared/data/lytro")
    card = _card("lytro")
    scenes = list(read_card(card, open_members(card, None, folder, folder)))
    assert len(scenes) == 20
    apart = [
        np.abs(np.subtract(*(scene.arrays[r].astype(int) for r in ("focus-a", "focus-b")))).mean() for scene in scenes
    ]
    assert 4 < min(apart) < max(apart) < 22  # A and B of one pair: neither one picture twice nor two scenes


def _made(**arrays: Array) -> Scene:
    return Scene("made", "made", "test", {role.replace("_", "-"): array for role, array in arrays.items()})


@pytest.mark.parametrize("sharp", [True, False])
def test_a_real_pair_passes_through_with_the_truth_it_has(sharp: bool) -> None:
    pictures = {role: np.full((3, 8, 9), value, np.uint8) for role, value in (("focus_a", 51), ("focus_b", 255))}
    scene = _made(**pictures, **({"sharp": np.full((3, 8, 9), 102, np.uint8)} if sharp else {}))
    rng = np.random.default_rng(0)
    for sample in (RealPair()(scene, rng), RealPair().samples(scene, rng)[0], ThinLensDefocus()(scene, rng)):
        assert sample.target.dtype == np.float32
        assert (sample.target == np.float32(0.2)).all()
        assert (sample.guide == 1).all()
        assert sample.truth is None if not sharp else (sample.truth == np.float32(0.4)).all()


def test_a_single_picture_is_no_real_pair() -> None:
    scene = _made(rgb=np.zeros((3, 8, 8), np.uint8), disparity=np.ones((1, 8, 8), np.float32))
    rng = np.random.default_rng(0)
    assert RealPair().samples(scene, rng) == []
    with pytest.raises(UserError, match="'made' is no multi-focus pair: it has rgb, disparity"):
        RealPair()(scene, rng)


def test_a_pair_of_two_shapes_is_refused() -> None:
    scene = _made(focus_a=np.zeros((3, 8, 8), np.uint8), focus_b=np.zeros((3, 8, 9), np.uint8))
    with pytest.raises(UserError, match="differ in shape"):
        RealPair().samples(scene, np.random.default_rng(0))


@pytest.mark.parametrize("miniature", MINIATURES.values(), ids=MINIATURES)
def test_miniatures_are_the_same_every_time(tmp_path: Path, miniature: ModuleType) -> None:
    for turn in "ab":
        miniature.write(tmp_path / turn)
    files = [path for path in sorted((tmp_path / "a").rglob("*")) if path.is_file()]
    assert files
    assert all(path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes() for path in files)
