"""Figures of numbers: training curves, labels that do not overlap, the front of quality, one look per method."""

import itertools
import json

import numpy as np
import pytest

from sfigf.cli import present
from sfigf.interface import UserError


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
