"""Files that bear hostile names, or are none: restored or refused, never run, never waited for."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sfigf.images import READABLE, create_image, open_image, write_image
from sfigf.interface import UserError
from sfigf.own.source import KnownImage
from sfigf.regions import Region
from tests.hostile.images_seeds import picture
from tests.hostile.mutations import AWKWARD_NAMES, REPLACEMENTS
from tests.unit.test_restore import tiny_weights

NOT_UTF8 = os.fsdecode(b"not-\xff\xfe-utf8.png")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sfigf(*arguments: str | bytes) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "sfigf", *arguments]
    return subprocess.run(command, capture_output=True, timeout=300, check=False)


def test_files_of_any_name_are_restored_and_shown_without_control_letters(here: Path) -> None:
    tiny_weights(Path("w.safetensors"), "focus", "thin-lens")
    names = [f"{name}.png" for name in AWKWARD_NAMES]
    for folder in ("near", "far"):
        Path(folder).mkdir()
        Image.fromarray(picture(3).transpose(1, 2, 0)).save("one.png")
        for name in names:
            Path(folder, name).write_bytes(Path("one.png").read_bytes())
    Path("near/two\nlines.png").write_bytes(b"no image")
    words = ["--guide", "far", "--weights", "w.safetensors"]
    ended = sfigf("restore", "--task", "focus", "--target", "near", *words, "--output", "out")
    assert ended.returncode == 2, ended.stderr
    assert sorted(path.name for path in Path("out").iterdir()) == sorted({*names} - {"two\nlines.png", NOT_UTF8})
    assert b"its name is not UTF-8" in ended.stderr
    assert not [byte for byte in ended.stdout + ended.stderr if byte < 32 and byte != 10]
    assert len(ended.stderr.splitlines()) == len(names) + 1
    assert sorted(path.name for path in here.iterdir()) == ["far", "near", "one.png", "out", "w.safetensors"]


def test_a_name_that_looks_like_an_option_is_refused_or_read_as_a_file(here: Path) -> None:
    tiny_weights(Path("w.safetensors"), "focus", "thin-lens")
    for name in ("-rf.png", "--help.png"):
        write_image(name, picture(3))
    words = ["--task", "focus", "--guide=--help.png", "--weights", "w.safetensors", "--output=-out.png"]
    ended = sfigf("restore", "--target=-rf.png", *words)
    assert ended.returncode == 0, ended.stderr
    assert Path("-out.png").is_file()


@pytest.mark.parametrize("suffix", sorted(READABLE))
@pytest.mark.parametrize("put", REPLACEMENTS, ids=lambda put: put.__name__.strip("_"))
def test_what_is_no_file_is_refused_at_once(put: Callable[[Path], None], suffix: str, tmp_path: Path) -> None:
    put(tmp_path / f"i{suffix}")
    with pytest.raises(UserError, match=rf"i\{suffix}: "):
        open_image(tmp_path / f"i{suffix}")


@pytest.mark.parametrize("suffix", sorted(READABLE))
@pytest.mark.parametrize("content", ["png", "jpg", "tif", "npy"])
def test_a_wrong_ending_is_refused_or_read_as_what_it_is(content: str, suffix: str, tmp_path: Path) -> None:
    values = picture(3)
    if content == "jpg":
        Image.fromarray(values.transpose(1, 2, 0)).save(tmp_path / "i.jpg")
    else:
        write_image(tmp_path / f"i.{content}", values)
    wrong = (tmp_path / f"i.{content}").rename(tmp_path / f"wrong{suffix}")
    try:
        with open_image(wrong) as image:
            assert image.shape == values.shape
    except UserError as error:
        assert len(str(error).splitlines()) == 1


@pytest.mark.parametrize("hole", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("suffix", [".tif", ".npy"])
def test_values_that_are_not_finite_are_refused_where_they_would_spread(
    hole: float, suffix: str, tmp_path: Path
) -> None:
    values = picture(1, np.float32)
    values[0, 3, 4] = hole
    with create_image(tmp_path / f"i{suffix}", (1, *values.shape[1:]), np.float32) as image:
        image.write(Region(0, 0, *values.shape[1:]), values)
    with (
        open_image(tmp_path / f"i{suffix}") as image,
        pytest.raises(UserError, match="1 values of the target are NaN or infinite"),
    ):
        KnownImage(image, "target")


def test_a_link_to_an_image_is_one(tmp_path: Path) -> None:
    write_image(tmp_path / "i.png", picture(3))
    os.symlink("i.png", tmp_path / "link.png")
    with open_image(tmp_path / "link.png") as image:
        assert image.shape == picture(3).shape
