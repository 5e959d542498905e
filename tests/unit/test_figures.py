"""Figures: shared scales, honest choice of window and image, one look per method, the same bytes twice."""

import itertools
import json

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


def write_log(path, level, steps=60):
    events = [{"event": "train", "step": step, "loss": level + 1 / step} for step in range(1, steps + 1)]
    values = [3.0, level, 2.9]
    marks = enumerate(values, start=1)
    events += [{"event": "validate", "step": 20 * n, "metric": "rmse", "value": value} for n, value in marks]
    path.write_text("".join(json.dumps(event) + "\n" for event in [*events, {"event": "end", "seconds": 1.0}]))
    return path


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_training_curves_are_deterministic_and_name_their_metric(tmp_path, suffix):
    logs = [f"svlrm={write_log(tmp_path / 'a.jsonl', 1.0)}", f"sfigf={write_log(tmp_path / 'b.jsonl', 0.5)}"]
    paths = [tmp_path / f"{turn}{suffix}" for turn in (1, 2)]
    for path in paths:
        present.draw_training(title="depth x8", log=logs, output=path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert b"dc:date" not in paths[0].read_bytes()


def test_smoothing_is_a_running_geometric_mean():
    from sfigf.figures.training import read_curve, smoothed

    np.testing.assert_allclose(smoothed(np.full(50, 0.3)), 0.3)
    assert smoothed(np.array([1.0, 100.0, 1.0]))[1] == pytest.approx(100 ** (1 / 3))
    with pytest.raises(UserError, match="no such training log"):
        read_curve("gone.jsonl", "sfigf", "full")


def placed_labels(labels, points):
    from matplotlib import pyplot

    from sfigf.figures.labels import place_labels
    from sfigf.figures.style import styled

    with styled():
        figure, axes = pyplot.subplots(figsize=(4, 3))
        axes.set(xlim=(0, 10), ylim=(0, 10))
        place_labels(axes, labels, points, [False] * len(labels), np.array([(0, 6), (5, 6), (5, 2), (10, 2)]))
        boxes = [text.get_window_extent() for text in axes.texts]
        frame, leaders = axes.get_window_extent(), len(axes.lines)
    pyplot.close(figure)
    return boxes, frame, leaders


CLOSE = [(5, 5), (5.1, 5.1), (5.2, 4.9), (9.5, 9.5), (0.5, 0.5)]
CROWD = [*CLOSE, *((3 + 0.2 * n, 7 + 0.3 * (n % 3)) for n in range(9))]
PILE = [*((0.5, 4 + 0.05 * n) for n in range(8)), (5, 5), (6, 5)]


@pytest.mark.parametrize("points", [CLOSE, CROWD, PILE], ids=["close", "crowd", "pile"])
def test_quality_labels_do_not_overlap(points):
    names = ["SFIGF", "SFIGF image-only", "SFIGF feature-only", "Guided filter", "Bicubic"]
    boxes, frame, leaders = placed_labels((names * 3)[: len(points)], points)
    pairs = [(one, other) for index, one in enumerate(boxes) for other in boxes[:index]]
    assert not any(one.overlaps(other) for one, other in pairs)
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 for box in boxes)
    assert all(frame.y0 <= box.y0 and box.y1 <= frame.y1 for box in boxes)
    assert (leaders > 0) == (points is not CLOSE)


def test_a_pile_is_named_in_its_order():
    boxes, _, _ = placed_labels([f"method {n}" for n in range(len(PILE))], PILE)
    assert all(lower.y0 < upper.y0 for lower, upper in itertools.pairwise(boxes[:8]))
    assert len({round(box.x0) for box in boxes[:8]}) == 1


@pytest.mark.parametrize(
    ("qualities", "higher", "front"),
    [((3, 2, 2.5, 1), False, [0, 1, 3]), ((3, 2, 2.5, 1), True, [0]), ((2, 2, 3, 3), True, [0, 2])],
)
def test_the_front_holds_what_nothing_cheaper_matches(qualities, higher, front):
    from sfigf.figures.quality import pareto_front

    assert pareto_front([1, 2, 3, 4], qualities, higher) == front
    turned = pareto_front([4, 3, 2, 1], qualities[::-1], higher)
    assert [3 - index for index in turned] == front


def test_of_equal_cost_only_the_best_is_on_the_front():
    from sfigf.figures.quality import pareto_front

    assert pareto_front([1, 1, 1], [3, 1, 2], False) == [1]


def test_one_failed_method_does_not_press_the_others_together():
    from sfigf.figures.quality import _worst_shown

    good = [2.0, 2.1, 2.2, 2.05, 2.15]
    assert _worst_shown(good, False) == 2.2
    assert 2.2 < _worst_shown([*good, 60.0], False) < 2.3
    assert 1.9 < _worst_shown([*good, 0.1], True) < 2.0


def test_quality_figure_reads_the_tables(tmp_path):
    head = "task,condition,dataset,metric,method,variant,group,mean,seed_deviation,images,undefined,seeds,rank"
    rows = [f"{head},unit,higher_is_better"]
    rows += [f"depth,x8,all,rmse,{m},full,{g},{v},nan,2,0,1,1,px,false" for m, g, v in
             (("bicubic", "classical", 3), ("sfigf", "both", 2))]  # fmt: skip
    (tmp_path / "summary.csv").write_text("\n".join(rows) + "\n")
    costs = ["task,condition,method,variant,kind,parameters,multiply_adds_per_megapixel,train_steps"]
    costs += ["depth,x8,bicubic,full,classical,0,nan,nan", "depth,x8,sfigf,full,both,50000,4e9,700"]
    (tmp_path / "cost.csv").write_text("\n".join(costs) + "\n")
    times = ["task,condition,method,variant,seed,seconds_per_megapixel,train_seconds,device,threads"]
    times += ["depth,x8,bicubic,full,0,0.1,nan,cpu,1", "depth,x8,sfigf,full,0,3,80,cpu,1"]
    (tmp_path / "timing.csv").write_text("\n".join(times) + "\n")
    inputs = {"summary": tmp_path / "summary.csv", "cost": [tmp_path / "cost.csv"]}
    paths = [tmp_path / f"{turn}.svg" for turn in (1, 2)]
    for path in paths:
        present.draw_quality(**inputs, timing=[tmp_path / "timing.csv"], output=path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    present.draw_quality(**inputs, output=tmp_path / "without.svg")
    assert len(paths[0].read_bytes()) > len((tmp_path / "without.svg").read_bytes())


def test_a_method_keeps_its_look_and_no_two_of_ours_share_one():
    from sfigf.figures.style import _LOOKS, look_of

    ours = [look_of("svlrm"), look_of("djfr"), *(look_of("sfigf", v) for v in ("image-only", "feature-only", "full"))]
    assert len({look.colour for look in ours}) == len({look.marker for look in ours}) == 5
    assert look_of("my-own") == look_of("my-own")
    assert look_of("my-own").colour not in {look.colour for look in _LOOKS.values()}


@pytest.mark.parametrize("task", ["depth", "pan", "focus", "raw"])
def test_every_method_of_a_task_has_a_look_of_its_own(task):
    from sfigf.figures.style import _LOOKS, look_of
    from sfigf.registry import registered

    ours = [cls for cls in registered("method").values() if task in cls.tasks and cls.__module__.startswith("sfigf.")]
    runs = [(cls.name, variant) for cls in ours for variant in getattr(cls, "variants", ("full",))]
    assert all(run in _LOOKS for run in runs)
    looks = [look_of(*run) for run in runs]
    assert len({(look.colour, look.marker) for look in looks}) == len(looks)


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
