"""Published trainings as presets: what a card states over the task's budget, single keys of the line on top."""

from typing import ClassVar

import pytest
from pydantic import BaseModel

from sfigf import registry
from sfigf.config import load_settings, method_of, read_yaml
from sfigf.interface import UserError
from sfigf.plan import digest_of_run, runs
from sfigf.registry import registered
from sfigf.training_settings import Training, published_settings, settled

COMMON = Training(
    steps=400,
    batch_size=4,
    patch_px=64,
    learning_rate=4e-3,
    final_learning_rate=4e-5,
    warmup_steps=10,
    weight_decay=1e-4,
    gradient_clip=0.5,
    loss="mse",
    validate_every_steps=80,
    encoding="detail",
)
LEARNED = [
    cls for cls in registered("method").values() if cls.__module__.startswith("sfigf.") and hasattr(cls, "build")
]
STATED = [(cls, task) for cls in LEARNED for task in cls.tasks if published_settings(cls, task) is not None]


class Unpublished(BaseModel, frozen=True, extra="forbid"):
    """A learned method nobody has published."""

    name: ClassVar[str] = "test-unpublished"
    tasks: ClassVar[tuple[str, ...]] = ("depth",)
    kind: ClassVar[str] = "feature-level"
    source: ClassVar[str] = "tests"
    variants: ClassVar[tuple[str, ...]] = ("full",)

    def build(self, signature, variant):
        raise NotImplementedError


@pytest.fixture
def unpublished(monkeypatch):
    """Register it for one test: what lists every method must not meet it."""
    registered("method")
    monkeypatch.setitem(registry._REGISTERED["method"], Unpublished.name, Unpublished)


def line(name, task="depth", base=COMMON, **settings):
    return method_of(name, settings, base, task, f"tasks.{task}.methods.{name}")


def test_common_is_the_budget_of_the_task_and_the_default():
    assert line("djfr").training == line("djfr", preset="common").training == settled(COMMON, "depth", "here")


def test_as_published_takes_the_card_and_the_line_changes_single_keys():
    training = line("djfr", preset="as-published").training
    assert (training.steps, training.loss, training.optimizer, training.encoding) == (200_000, "l1", "adam", "none")
    assert (training.decay, training.decay_every_steps, training.gradient_clip) == (0.2, 60_000, None)
    changed = line("djfr", preset="as-published", training={"steps": 7}).training
    assert changed == training.model_copy(update={"steps": 7})


def test_what_belongs_to_a_stated_schedule_is_not_the_tasks():
    training = line("djfr", preset="as-published").training
    assert (training.warmup_steps, training.final_learning_rate, training.weight_decay) == (0, 0, 0)
    assert training.validate_every_steps == 2000
    stepped = COMMON.model_copy(update={"schedule": "step", "final_learning_rate": 0.0, "decay_at_steps": [100]})
    assert line("djfr", base=stepped, preset="as-published").training.decay_at_steps == []
    assert line("nafnet", "raw", preset="as-published").training.steps == 400  # not stated: the task's


@pytest.mark.parametrize(
    ("name", "preset", "says"),
    [
        ("djfr", "as-publishd", "methods.djfr.preset: 'as-publishd' is not one of common, as-published, did you mean"),
        ("djfr", 3, "methods.djfr.preset: '3' is not one of common, as-published"),
        ("test-unpublished", "as-published", "'test-unpublished' has no published training for depth; leave it common"),
        ("guided-filter", "as-published", "'guided-filter' has no published training for depth"),
    ],
)
@pytest.mark.usefixtures("unpublished")
def test_a_preset_that_is_not_there_is_named_in_one_line(name, preset, says):
    with pytest.raises(UserError) as caught:
        line(name, preset=preset)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_card_may_publish_for_some_tasks_only():
    assert line("svlrm", preset="as-published").training.loss == "charbonnier"
    with pytest.raises(UserError, match="'svlrm' has no published training for pan"):
        line("svlrm", "pan", preset="as-published")


def test_every_learned_method_of_ours_publishes_for_some_task():
    assert len(LEARNED) >= 25
    assert {cls for cls, _ in STATED} == set(LEARNED)
    assert {task for cls, task in STATED if cls.name == "sfigf"} == {"depth", "pan", "focus", "raw"}


@pytest.mark.parametrize(("cls", "task"), STATED, ids=lambda value: getattr(value, "name", value))
def test_what_a_card_states_are_settings_of_the_loop(cls, task):
    training = line(cls.name, task, preset="as-published").training
    for key, value in published_settings(cls, task).items():
        assert getattr(training, key) == value
    assert training.encoding == "none"


def test_pnn_is_trained_with_sgd():
    training = line("pnn", "pan", preset="as-published").training
    assert (training.optimizer, training.learning_rate) == ("sgd", pytest.approx(0.2312))


def test_a_method_that_learns_by_its_own_loss_alone_refuses_another():
    says = r"methods.sesf-fuse.training.loss: no gradient of 'mse' reaches the weights of 'sesf-fuse'; set `loss: own`"
    with pytest.raises(UserError, match=says):
        line("sesf-fuse", "focus")
    assert line("sesf-fuse", "focus", training={"loss": "own"}).training.steps == 400
    assert line("sesf-fuse", "focus", preset="as-published").training.loss == "own"
    assert line("gacn", "focus").training.loss == "mse"


@pytest.mark.parametrize("task", ["depth", "pan", "focus", "raw"])
def test_the_reproduction_trains_sfigf_as_published(root, task):
    paper = Training(**(read_yaml(root / "config/paper.yaml")["tasks"][task]["training"]))
    published = line("sfigf", task, base=paper, preset="as-published").training
    # Ours selects on validation everywhere; the released raw code selects nothing.
    assert published.model_copy(update={"selection": "metric"}) == settled(paper, task, "here")


def test_a_digest_is_that_of_the_settled_settings(root):
    def digests(**changes):
        settings = read_yaml(root / "config/default.yaml")
        settings["tasks"]["depth"]["methods"]["djfr"] = changes
        study = load_settings(settings)
        return study.part("depth"), {run.path: run.digest for run in runs(study)}["depth/x8/djfr/full/seed0"]

    part, plain = digests()
    assert digests(preset="common")[1] == plain
    _, published = digests(preset="as-published")
    assert published != plain
    spelled = line("djfr", base=part.training, preset="as-published")
    assert digests(training=spelled.training.model_dump())[1] == published
    assert digest_of_run(part, spelled, "full", 0) == published
