"""Files appear whole or not at all; sets give back what was put in, in the same bytes."""

import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfigf.files import replacing, sha256_of, write_text
from sfigf.interface import Scene, UserError
from sfigf.store import Record, RecordFile, SampleFile, read_scenes, write_records, write_samples, write_scenes
from tests.conftest import make_sample


def test_failed_write_keeps_the_old_file_and_leaves_nothing_behind(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(RuntimeError), replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_written_files_are_readable_by_others(tmp_path):
    write_samples(tmp_path / "s.safetensors", [make_sample("depth")])
    assert (tmp_path / "s.safetensors").stat().st_mode & 0o777 == 0o644


@given(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=6, unique=True), st.integers(0, 9))
@settings(max_examples=20, deadline=None)
def test_records_come_back_in_order_and_bytes_repeat(tmp_path_factory, names, seed):
    folder = tmp_path_factory.mktemp("r")
    rng = np.random.default_rng(seed)
    records = [Record(n, {"x": rng.random((1, 3, 4)), "m": rng.random((1, 2, 2)) > 0.5}, {"k": n}) for n in names]
    for file in ("one", "two"):
        write_records(folder / file, records, {"b": 1, "a": [2]})
    back = RecordFile(folder / "one")
    assert back.names == names
    assert back.about == {"a": [2], "b": 1}
    for got, put in zip(back, records, strict=True):
        assert got.facts == put.facts
        assert all(np.array_equal(got.arrays[k], put.arrays[k]) for k in put.arrays)
    assert sha256_of(folder / "one") == sha256_of(folder / "two")


def test_window_reads_the_same_as_slicing(tmp_path):
    sample = make_sample("pan", side=32)
    write_samples(tmp_path / "s", [sample])
    window = SampleFile(tmp_path / "s").records.window(0, "target", 3, 5, 8, 9)
    assert np.array_equal(window, sample.target[:, 3:11, 5:14])


def test_scene_round_trip(tmp_path):
    scene = Scene("one", "here", "train", {"rgb": np.zeros((3, 4, 5), np.uint8)}, {"unit": "px"})
    write_scenes(tmp_path / "s", [scene])
    (back,) = read_scenes(tmp_path / "s")
    assert (back.name, back.place, back.part, back.meta) == ("one", "here", "train", {"unit": "px"})


@pytest.mark.parametrize("damage", ["truncate", "garbage", "missing", "foreign"])
def test_a_damaged_set_is_named_in_one_line(tmp_path, damage):
    path = tmp_path / "s.safetensors"
    write_samples(path, [make_sample("depth")])
    if damage == "truncate":
        path.write_bytes(path.read_bytes()[:-100])
    elif damage == "garbage":
        path.write_bytes(b"not a set")
    elif damage == "foreign":
        from safetensors.numpy import save_file

        save_file({"x": np.zeros(3)}, path)
    else:
        path.unlink()
    with pytest.raises(UserError, match=r"s\.safetensors") as caught:
        SampleFile(path)
    assert "\n" not in str(caught.value)


def test_two_records_of_one_name_are_refused(tmp_path):
    with pytest.raises(UserError, match="own name"):
        write_samples(tmp_path / "s", [make_sample("depth"), make_sample("depth")])


def test_an_array_without_channels_has_windows_too(tmp_path):
    write_records(tmp_path / "s.safetensors", [Record("one", {"guide": np.zeros((0, 6, 8), np.float32)}, {})])
    assert RecordFile(tmp_path / "s.safetensors").window(0, "guide", 1, 2, 3, 4).shape == (0, 3, 4)


def test_records_are_written_one_at_a_time(tmp_path):
    alive = []

    def made():
        for index in range(50):
            array = np.full((1, 64, 64), index, np.float32)
            alive.append(weakref.ref(array))
            assert sum(reference() is not None for reference in alive) <= 3
            yield Record(f"r{index}", {"a": array}, {})

    write_records(tmp_path / "s.safetensors", made())
    assert RecordFile(tmp_path / "s.safetensors")[49].arrays["a"].max() == 49
