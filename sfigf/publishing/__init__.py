"""Publish the weights of a finished study: files, a card beside each, and the index that vouches for them."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from sfigf.files import replacing, sha256_of, write_text
from sfigf.plan import Run
from sfigf.published import Entry, Mean, read_index, write_index
from sfigf.publishing.card import card_text
from sfigf.publishing.log import thinned
from sfigf.publishing.rounding import Rounding, measure, save_rounded
from sfigf.publishing.study import FinishedStudy, means_of

SMALL_BYTES = 2_000_000
BOUND = 0.005
AUDIT = "splits.json"


@dataclasses.dataclass(frozen=True)
class Publisher:
    """Where to, and how.

    Attributes:
        folder: Folder of the index.
        cards: Folder of the data set cards.
        floats: float32 or bfloat16; None for float32 below ``SMALL_BYTES``, and above it bfloat16 within the bound.
        bound: Largest share by which rounding may worsen the main metric on any test set.
        device: Device that restores for the comparison.
        commit: Of the repository, for the card.
        say: Gets a line per file.
    """

    folder: Path
    cards: Path
    floats: str | None = None
    bound: float = BOUND
    device: str = "auto"
    commit: str = "unknown"
    say: Callable[[str], None] = lambda line: None

    def publish(self, study: FinishedStudy, only: Sequence[str] = ()) -> list[Entry]:
        """Publish every learned run, or those whose path begins with one of ``only``; return their entries.

        Raises:
            UserError: If the study is not whole, its audit or a self-test failed, or bfloat16 was asked for and loses
                more than the bound.
        """
        chosen = study.learned(only)
        study.check(chosen)
        shelf = self.folder / study.name
        entries = [self._publish(study, run, shelf) for run in chosen]
        write_text(shelf / AUDIT, study.audit.read_text(encoding="utf-8"))
        return entries

    def _publish(self, study: FinishedStudy, run: Run, shelf: Path) -> Entry:
        weights = shelf / f"{run.path}.safetensors"
        rounding = self._write_weights(study, run, weights)
        write_text(weights.with_suffix(".jsonl"), thinned(study.log(run)))
        entry = self._entry(study, run, weights, rounding)
        write_text(weights.with_suffix(".md"), card_text(study, run, entry, rounding, self))
        write_index(self.folder, [*(read_index(self.folder) | {entry.path: entry}).values()])
        self.say(f"{weights}: {entry.floats}, {entry.bytes:,} bytes")
        return entry

    def _write_weights(self, study: FinishedStudy, run: Run, output: Path) -> Rounding | None:
        """Write the file; return what rounding it lost, None where nothing was rounded."""
        source = study.weights(run)
        small = source.stat().st_size < SMALL_BYTES
        if self.floats == "float32" or (self.floats is None and small):
            _copy(source, output)
            return None
        with replacing(output) as temporary:
            save_rounded(source, temporary)
            rounding = measure(study, run, temporary, self.device)
            if rounding.loss > self.bound:
                rounding.refuse(run, self.bound, asked=self.floats is not None)
                self.say(f"{output}: {rounding.told()}, above {self.bound:.2%}: kept as float32")
                shutil.copyfile(source, temporary)
        return rounding if rounding.loss <= self.bound else None

    def _entry(self, study: FinishedStudy, run: Run, weights: Path, rounding: Rounding | None) -> Entry:
        cost = json.loads(study.cost(run).read_text(encoding="utf-8"))
        metrics: tuple[Mean, ...] = rounding.after if rounding else means_of(study.scores(run), study.metrics(run))
        return Entry(
            weights.relative_to(self.folder).as_posix(),
            sha256_of(weights),
            weights.stat().st_size,
            study.name,
            *(run.task, run.condition, run.method, run.variant, run.seed),
            "bfloat16" if rounding else "float32",
            cost["parameters"],
            cost["multiply_adds_per_megapixel"],
            metrics,
        )


def _copy(source: Path, output: Path) -> None:
    with replacing(output) as temporary:
        shutil.copyfile(source, temporary)
