"""How a network is trained: budget, optimiser, schedule, loss, quirks of the released code, what others published.

Facts of the released code: Xinyil256/SFIGF@3600cd0, its training scripts and option files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from sfigf.interface import TASK_NAMES, UserError
from sfigf.registry import nearest
from sfigf.sections import Section

Quirk = Literal["corrected", "released"]
Loss = Literal["l1", "mse", "charbonnier", "mse-released", "focus-unsupervised", "raw-mono", "own"]
RELEASED_COLOURS = "released-colours"
"""The encoding that ``quirks.colour: released`` stands for."""
_OF_ONE_TASK = {"focus-unsupervised": "focus", "raw-mono": "raw"}
PRESETS = ("common", "as-published")
_VALIDATIONS = 100
"""How often a published training is validated where nobody said."""


class Quirks(Section):
    """What the released training code does otherwise than it means to.

    Attributes:
        shuffle: ``released`` walks the samples in file order (pan, focus); ``corrected`` draws them.
        selection: ``released`` chooses the best weights on the test images (depth, focus).
        colour: ``released`` reads the guide as BGR and normalises it with the statistics of RGB (depth).
        gradient: ``released`` detaches the gradients of the prediction: that term of the focus loss trains nothing.
    """

    shuffle: Quirk = "corrected"
    selection: Quirk = "corrected"
    colour: Quirk = "corrected"
    gradient: Quirk = "corrected"


TASKS_OF_QUIRK = {
    "shuffle": ("pan", "focus"),
    "selection": ("depth", "focus"),
    "colour": ("depth",),
    "gradient": ("focus",),
}


class Training(Section):
    """One loop, one step budget: optimiser, schedule, loss and patches."""

    steps: int = Field(ge=1, le=10**9)
    batch_size: int = Field(ge=1, le=10**5)
    patch_px: int = Field(ge=8, le=2**14)
    learning_rate: float = Field(gt=0)
    final_learning_rate: float = Field(default=0.0, ge=0)
    warmup_steps: int = Field(default=0, ge=0)
    schedule: Literal["cosine", "step"] = "cosine"
    decay: float = Field(default=0.2, gt=0, le=1)
    decay_at_steps: list[Annotated[int, Field(ge=1)]] = Field(default_factory=list)
    decay_every_steps: int | None = Field(default=None, ge=1)
    weight_decay: float = Field(default=0.0, ge=0)
    gradient_clip: float | None = Field(default=1.0, gt=0)
    loss: Loss = "l1"
    optimizer: Literal["adam", "adamw", "sgd"] = "adamw"
    validate_every_steps: int = Field(ge=1)
    selection: Literal["metric", "none"] = "metric"
    precision: Literal["auto", "float32"] = "auto"
    encoding: Literal["none", "detail", "develop"] = "none"
    augmentation: Literal["flips", "strong"] = "flips"
    average: float | None = Field(default=None, ge=0, lt=1)
    quirks: Quirks | Quirk = Quirks()

    @model_validator(mode="after")
    def _one_schedule(self) -> Self:
        marks, every = bool(self.decay_at_steps), self.decay_every_steps is not None
        if self.schedule == "cosine" and (marks or every):
            raise ValueError("decay_at_steps and decay_every_steps belong to `schedule: step`")
        if marks and every:
            raise ValueError("decay_at_steps and decay_every_steps exclude each other; leave one out")
        if self.schedule == "step" and self.final_learning_rate:
            raise ValueError("final_learning_rate belongs to `schedule: cosine`; set it to 0")
        return self

    def released(self, quirk: str) -> bool:
        """Whether a quirk of the released code is on."""
        return getattr(self.quirks, quirk, self.quirks) == "released"


_BELONG_TO = {
    "schedule": ("final_learning_rate", "warmup_steps", "decay", "decay_at_steps", "decay_every_steps"),
    "optimizer": ("weight_decay",),
}


def published_settings(method: Any, task: str) -> Mapping[str, Any] | None:
    """Return what a method's card states of its published training, None where it states nothing.

    ``published`` holds settings of ``Training``, or such by task name where the tasks differ.
    """
    published = getattr(method, "published", None)
    if published and set(published) <= set(TASK_NAMES):
        return published.get(task)
    return published


def preset_settings(method: Any, preset: Any, common: Training, task: str, where: str) -> dict[str, Any]:
    """Return the settings that a method's line starts from.

    ``common``: the task's. ``as-published``: what the card states, over the task's. What belongs to a stated schedule
    (warm-up, last rate, decays) or optimiser (weight decay) and is not stated itself is off, whatever the task has; a
    stated budget without a word on validation is validated a hundred times.

    Args:
        method: The method's class.
        preset: ``common`` or ``as-published``.
        common: The task's training.
        task: Task name.
        where: What messages begin with.

    Raises:
        UserError: Another preset, or a method that published no training for the task.
    """
    if preset not in PRESETS:
        known = f"{', '.join(PRESETS)}{nearest(str(preset), PRESETS)}"
        raise UserError(f"{where}.preset: '{preset}' is not one of {known}")
    settings = common.model_dump()
    if preset == "common":
        return settings
    stated = published_settings(method, task)
    if stated is None:
        raise UserError(f"{where}.preset: '{method.name}' has no published training for {task}; leave it common")
    for head, members in _BELONG_TO.items():
        if head in stated:
            settings |= {name: Training.model_fields[name].get_default(call_default_factory=True) for name in members}
    if "steps" in stated:
        settings["validate_every_steps"] = max(1, stated["steps"] // _VALIDATIONS)
    return settings | dict(stated)


def check_loss(method: Any, training: Training, where: str) -> None:
    """Refuse a loss that cannot train a method: one whose card says ``needs_own_loss`` learns by ``loss: own`` alone.

    Raises:
        UserError: If it is to learn by another.
    """
    if getattr(method, "needs_own_loss", False) and training.loss != "own":
        raise UserError(
            f"{where}.loss: no gradient of '{training.loss}' reaches the weights of '{method.name}'; set `loss: own`"
        )


def settled(training: Training, task: str, where: str) -> Training:
    """Return the training of a task with every quirk written out.

    ``quirks: released`` switches on those that the released code of the task has; the colour quirk becomes an encoding.

    Raises:
        UserError: A loss of another task, or a quirk that the task does not have.
    """
    if (only := _OF_ONE_TASK.get(training.loss, task)) != task:
        raise UserError(f"{where}.loss: '{training.loss}' is for {only}, not {task}")
    quirks = training.quirks
    if isinstance(quirks, str):
        quirks = Quirks(**{name: quirks if not _objection(name, training, task) else "corrected" for name in _NAMES})
    for name in _NAMES:
        objection = _objection(name, training, task)
        if objection and getattr(quirks, name) == "released":
            raise UserError(f"{where}.quirks.{name}: {objection}; leave it corrected")
    changes: dict[str, Any] = {"quirks": quirks}
    if quirks.colour == "released":
        changes["encoding"] = RELEASED_COLOURS
    return training.model_copy(update=changes)


_NAMES = tuple(TASKS_OF_QUIRK)


def _objection(name: str, training: Training, task: str) -> str:
    """Why a quirk cannot be had here; empty if it can."""
    if task not in TASKS_OF_QUIRK[name]:
        return f"the released {task} code does not have this quirk, that of {' and '.join(TASKS_OF_QUIRK[name])} does"
    if name == "gradient" and training.loss != "focus-unsupervised":
        return f"it is in the loss focus-unsupervised, not in {training.loss}"
    if name == "colour" and training.encoding != "none":
        return f"it needs `encoding: none`, not {training.encoding}"
    if name == "selection" and training.selection == "none":
        return "nothing is selected with `selection: none`"
    return ""
