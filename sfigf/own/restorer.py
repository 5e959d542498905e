"""A trained network ready for people's own images."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sfigf.inference import choose_device
from sfigf.interface import Array, UserError
from sfigf.own.inputs import Depth, Focus, Inputs, Pan
from sfigf.own.options import Options
from sfigf.own.raw import Mosaic, Raw
from sfigf.own.source import Source
from sfigf.own.windows import Windows
from sfigf.published import check_published
from sfigf.regions import Region
from sfigf.tasks import TASKS

if TYPE_CHECKING:
    from torch import Tensor

_LOG = logging.getLogger(__name__)
_PAIRS: dict[str, Callable[[Source, Source, Options], Inputs]] = {
    "depth": Depth,
    "pan": Pan,
    "focus": Focus,
    "raw": Raw,
}


class Restorer:
    """A network on its device, with what its weight file says of it.

    Args:
        task: depth, pan, focus or raw.
        weights: Weight file of the task.
        device: Device name.

    Raises:
        UserError: Unknown task, weights of another task, trained with a guide that no camera has, or published and
            no longer the bytes they were.
    """

    def __init__(self, task: str, weights: str | Path, device: str = "auto") -> None:
        from sfigf.weights import load_network

        check_task(task)
        self.task, self.weights, self.device = task, weights, choose_device(device)
        check_published(weights)
        network, self.facts = load_network(weights, task)
        if self.facts.get("condition") == "red-oracle":
            raise UserError(
                f"{weights}: trained with a guide taken from the truth, which no camera has; name those of mono"
            )
        self.network = network.to(self.device)
        self._said: set[int] = set()

    def inputs(self, target: Source, guide: Source | None, options: Options) -> Inputs:
        """Return what the network is given of an image.

        Raises:
            UserError: If sizes, bands or values do not fit each other or the weights.
        """
        wants = self.facts["signature"]["guide"]
        if guide is None and wants:
            raise UserError(f"{self.weights} restores with a guide of {wants} bands, and none is named; add --guide")
        if guide is not None and not wants:
            raise UserError(f"{self.weights} restores without a guide, one of {guide.shape[0]} bands is named; drop it")
        inputs = Mosaic(target, options) if guide is None else _PAIRS[self.task](target, guide, options)
        self._check_bands(inputs)
        self._note_factor(options.scale or inputs.factor)
        return inputs

    def restore(
        self,
        windows: Windows,
        write: Callable[[Region, Array], None],
        *,
        tile: int | None = None,
        scratch: Path | None = None,
        progress: Callable[[float], None] = lambda share: None,
    ) -> None:
        """Restore region by region; ``write`` gets each region of the output once, on the scale of the target.

        Raises:
            UserError: If the tile is smaller than the network can do with.
        """
        from sfigf.nets.tiled import TILE, restore_tiled

        def put(region: Region, answer: Tensor) -> None:
            write(region, windows.restored(region, answer[0].float().cpu().numpy()))

        def read(region: Region) -> tuple[Tensor, ...]:
            import torch

            return tuple(torch.from_numpy(image)[None].to(self.device) for image in windows.shown(region))

        size = windows.inputs.size
        restore_tiled(
            self.network, size, read, put, tile=TILE if tile is None else tile, scratch=scratch, progress=progress
        )

    def windows(self, inputs: Inputs) -> Windows:
        """Return the inputs in the encoding of the training."""
        return Windows(inputs, self.facts.get("training", {}).get("encoding", "none"))

    def _check_bands(self, inputs: Inputs) -> None:
        corner = inputs.sample(Region(0, 0, 1, 1))
        for role in ("target", "guide"):
            got, wanted = getattr(corner, role).shape[0], self.facts["signature"][role]
            if got != wanted:
                raise UserError(f"the {role} has {got} bands, {self.weights} was trained on {wanted}; select the bands")

    def _note_factor(self, factor: int) -> None:
        trained = re.fullmatch(r"x(\d+)", self.facts.get("condition", ""))
        if trained and factor not in (1, int(trained[1])) and factor not in self._said:
            self._said.add(factor)
            _LOG.warning("sfigf: %s: trained for x%s, used at x%d", self.weights, trained[1], factor)


def check_task(task: str) -> None:
    """Raise UserError unless there is such a task."""
    if task not in TASKS:
        raise UserError(f"unknown task '{task}'; there are {', '.join(TASKS)}")
