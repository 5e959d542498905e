"""Figures of images: shared scales, honest choice of window and image, bad input named, the same bytes twice."""

import numpy as np
import pytest
from PIL import Image

from sfigf.cli import present
from sfigf.interface import Sample, UserError
from sfigf.store import Record, write_records, write_samples
from sfigf.tables.scores import COLUMNS

RUNS = ("bicubic/full", "sfigf/full")


def depth_sample(name="room", dataset="lab", seed=0):
    rng = np.random.default_rng(seed)
    truth = np.zeros((1, 48, 64), np.float32)
    truth[:, 20:32, 30:46] = 1.0
    valid = np.ones((1, 48, 64), np.uint8)
    valid[:, :6, :6] = 0
    coarse = truth[:, ::8, ::8].copy()
    guide = rng.random((3, 48, 64), dtype=np.float32)
    meta = {"unit": "px", "dataset": dataset}
    return Sample(name, np.repeat(np.repeat(coarse, 8, 1), 8, 2), guide, truth, valid, coarse, 10.0, 5.0, meta)


def write_set(folder, samples):
    write_samples(folder / "samples.safetensors", samples)
    lines = [",".join(COLUMNS)]
    for number, run in enumerate(RUNS):
        records = []
        for place, sample in enumerate(samples):
            reference = sample.target if sample.truth is None else sample.truth
            restored = reference + np.float32(0.1 * (len(RUNS) - number)) * (reference > 0.5)
            records.append(Record(sample.name, {"restored": restored}, {}))
            method, variant = run.split("/")
            dataset = sample.meta["dataset"]
            lines.append(f"depth,x8,{dataset},{sample.name},{method},{variant},0,rmse,{3 - number + place},px,False")
        write_records(folder / f"{run.replace('/', '-')}.safetensors", records)
    (folder / "scores.csv").write_text("\n".join(lines) + "\n")


@pytest.fixture
def folder(tmp_path):
    write_set(tmp_path, [depth_sample("a"), depth_sample("b", seed=1), depth_sample("c", seed=2)])
    return tmp_path


def draw(folder, output, function=present.draw_comparison, **options):
    restored = [f"{run}={folder / run.replace('/', '-')}.safetensors" for run in RUNS]
    scores = [folder / "scores.csv"]
    given = {"task": "depth", "condition": "x8", "restored": restored, "score": scores, "image": "a"} | options
    function(samples=folder / "samples.safetensors", output=output, **given)
    return output


def test_error_maps_share_one_scale_in_units():
    from sfigf.figures.panels import error_map, error_picture, shared_limit

    sample = depth_sample()
    errors = [error_map(sample.truth + shift, sample) for shift in (np.float32(0.1), np.float32(0.2), np.float32(0.3))]
    assert np.isnan(errors[0][:6, :6]).all()
    assert errors[1][30, 30] == pytest.approx(2.0, abs=1e-5)  # 0.2 of a scale of 10
    limit = shared_limit(errors)
    assert limit == 2.0
    assert shared_limit([*errors[:2], errors[2] * 1000]) == 2.0, "one poor method must not stretch the scale"
    pictures = [error_picture(error, limit) for error in errors]
    assert pictures[0][30, 30].sum() < pictures[1][30, 30].sum()
    np.testing.assert_array_equal(pictures[1][30, 30], pictures[2][30, 30])


def test_window_lies_where_edges_and_disagreement_meet():
    from sfigf.figures.panels import choose_window

    sample = depth_sample()
    left, right = sample.truth.copy(), sample.truth.copy()
    right[:, 18:24, 28:36] += 0.5
    top, start, height, width = choose_window(sample, [left, right])
    assert top <= 21 < top + height
    assert start <= 31 < start + width
    unknown = np.ones_like(sample.valid)
    unknown[:, 14:28, 24:40] = 0
    right[:, 28:33, 42:47] += 0.1
    hidden = Sample(sample.name, sample.target, sample.guide, sample.truth, unknown)
    assert choose_window(hidden, [left, right])[0] > top, "an unknown truth must not attract the window"


def test_pan_shares_one_stretch_and_depth_its_colours():
    from sfigf.figures.panels import Painter

    rng = np.random.default_rng(0)
    truth = rng.random((4, 16, 16), dtype=np.float32)
    sample = Sample("field", truth, truth[:1], truth, coarse=truth[:, ::4, ::4])
    painter = Painter("pan", sample)
    assert (painter.result(truth * 0.5).mean(axis=(0, 1)) < painter.truth().mean(axis=(0, 1))).all()
    depth = Painter("depth", depth_sample())
    np.testing.assert_allclose(depth.limits, [5.0, 15.0])


@pytest.mark.parametrize("name", ["comparison", "zoom"])
def test_pictures_are_drawn_twice_with_the_same_bytes(folder, name):
    function = {"comparison": present.draw_comparison, "zoom": present.draw_zoom}[name]
    first, second = (draw(folder, folder / f"{turn}.png", function) for turn in (1, 2))
    assert first.read_bytes() == second.read_bytes()
    with Image.open(first) as picture:
        assert picture.size[0] == 1500
        assert "Software" not in picture.info
    assert first.stat().st_size < 1_500_000


def test_all_images_are_stacked(folder):
    one, every = draw(folder, folder / "one.png"), draw(folder, folder / "every.png", image="all")
    with Image.open(one) as small, Image.open(every) as large:
        assert large.size[1] / large.size[0] == pytest.approx(3 * small.size[1] / small.size[0], rel=0.01)


def test_typical_is_the_median_image_of_each_data_set(tmp_path):
    from sfigf.figures.cases import gather_cases, parse_named_files

    bare = depth_sample("e")
    bare = Sample("e", bare.target, bare.guide, meta=bare.meta)
    samples = [depth_sample("a"), depth_sample("b"), depth_sample("c"), depth_sample("d", dataset="other"), bare]
    write_set(tmp_path, samples)
    files = parse_named_files(f"{run}={tmp_path / run.replace('/', '-')}.safetensors" for run in RUNS)
    place, scores = tmp_path / "samples.safetensors", [tmp_path / "scores.csv"]
    chosen = [case.sample.name for case in gather_cases("depth", "x8", place, files, scores, "typical")]
    assert chosen == ["b", "d", "e"]
    cases = gather_cases("depth", "x8", place, files, scores, "b")
    assert [(result.label, result.value) for result in cases[0].results] == [("Bicubic", 4.0), ("SFIGF", 3.0)]
    unscored = gather_cases("depth", "x8", place, files, image="typical")
    assert [case.sample.name for case in unscored] == ["a", "d", "e"]


def test_an_image_without_truth_has_no_error_row(tmp_path):
    with_truth = depth_sample()
    write_set(tmp_path, [with_truth])
    tall = Image.open(draw(tmp_path, tmp_path / "truth.png", image="room")).size[1]
    write_set(tmp_path, [Sample("room", with_truth.target, with_truth.guide, meta=with_truth.meta)])
    assert Image.open(draw(tmp_path, tmp_path / "none.png", image="room")).size[1] < tall


@pytest.mark.parametrize("task", ["pan", "focus", "raw"])
def test_every_task_can_be_drawn(tmp_path, task):
    rng = np.random.default_rng(0)
    shapes = {"pan": ((4, 32, 32), (1, 32, 32), (4, 32, 32)), "focus": ((3, 32, 32),) * 3}
    shapes["raw"] = ((4, 16, 16), (4, 16, 16), (3, 32, 32))
    target, guide, truth = (rng.random(shape, dtype=np.float32) for shape in shapes[task])
    write_samples(tmp_path / "samples.safetensors", [Sample("one", target, guide, truth, meta={"dataset": "lab"})])
    for run in RUNS:
        restored = np.clip(truth + rng.normal(0, 0.1, truth.shape), -0.2, 1.2).astype(np.float32)
        write_records(tmp_path / f"{run.replace('/', '-')}.safetensors", [Record("one", {"restored": restored}, {})])
    assert draw(tmp_path, tmp_path / "f.jpg", task=task, score=None, image="all").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image": "aa"}, "no image 'aa'"),
        ({"restored": ["sfigf"]}, "is not METHOD"),
        ({"restored": ["sfigf=x", "sfigf/full=y"]}, "given twice"),
        ({"restored": ["sfigf=gone.safetensors"]}, "gone.safetensors: no such file"),
        ({"restored": []}, "no METHOD=FILE"),
    ],
)
def test_bad_input_is_named_and_leaves_no_figure(folder, options, message):
    with pytest.raises(UserError, match=message):
        draw(folder, folder / "figure.png", **options)
    assert not (folder / "figure.png").exists()


def test_an_unknown_suffix_is_refused(folder):
    with pytest.raises(UserError, match=r"not as '\.gif'"):
        draw(folder, folder / "figure.gif")


def test_shapes_that_differ_are_refused(folder):
    write_records(folder / "sfigf-full.safetensors", [Record("a", {"restored": np.zeros((1, 8, 8), np.float32)}, {})])
    with pytest.raises(UserError, match=r"'a' is \(1, 8, 8\), its truth \(1, 48, 64\)"):
        draw(folder, folder / "figure.png")
