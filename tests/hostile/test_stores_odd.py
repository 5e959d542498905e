"""What damaged stores once did to their readers: hang at a pipe, end in a traceback, ask for all memory."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from sfigf.checkpoint import load_checkpoint, save_checkpoint
from sfigf.datasets.members import open_members
from sfigf.figures.training import read_curve
from sfigf.interface import UserError
from sfigf.publishing.log import thinned
from sfigf.records.jobs import Records
from sfigf.released.reading import read_state
from sfigf.tables.costs import read_costs
from sfigf.tables.scores import read_scores
from sfigf.tables.summary import read_summary
from tests.hostile import stores_seeds
from tests.hostile.archives import card
from tests.hostile.mutations import ended

STEP = '{"event": "train", "step": 1, "loss": 0.5}\n'
READERS: dict[str, Callable[[Path], Any]] = {
    "curve": lambda path: read_curve(path, "sfigf", "full"),
    "thinned": thinned,
    "costs": lambda path: read_costs([path]),
    "scores": lambda path: read_scores([path]),
    "summary": read_summary,
}


def refused(read: Callable[[Path], Any], path: Path) -> None:
    with pytest.raises(UserError) as caught:
        read(path)
    ended(str(caught.value))


@pytest.mark.parametrize("name", READERS)
def test_what_never_ends_is_no_file(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "endless").symlink_to("/dev/zero")
    for odd in ("pipe", "endless"):
        refused(READERS[name], tmp_path / odd)


@pytest.mark.parametrize("loss", ['""', "1" + "0" * 400, "[1]", "null", '"1e5x"'])
def test_a_loss_that_is_no_number_is_refused(loss: str, tmp_path: Path) -> None:
    (log := tmp_path / "seed0.jsonl").write_text(STEP + STEP.replace("0.5", loss))
    refused(READERS["curve"], log)
    refused(thinned, log)


@pytest.mark.parametrize("seed", ["9" * 25, str(2**63), "1" * 400])
def test_a_seed_beyond_all_whole_numbers_is_refused(seed: str, tmp_path: Path) -> None:
    path = stores_seeds.tables(tmp_path)["scores"][0]
    head, first, *rest = path.read_text().splitlines()
    cells = dict(zip(head.split(","), first.split(","), strict=True)) | {"seed": seed}
    path.write_text("\n".join([head, ",".join(cells.values()), *rest]) + "\n")
    refused(READERS["scores"], path)


def test_a_record_nested_without_end_is_refused(tmp_path: Path) -> None:
    folder = stores_seeds.record_folder(tmp_path)[0]
    name, path = next(iter(Records(folder).files.items()))
    path.write_text("[" * 100_000)
    refused(lambda folder: Records(folder).find(name), folder)


@pytest.mark.parametrize("pickled", [b".", b"N.", b"\x80\x02(K\x01Q.", b"\x80\x02K\x01Q.", b""])
def test_a_checkpoint_whose_pickle_ends_anyhow_is_set_aside(pickled: bytes, tmp_path: Path) -> None:
    save_checkpoint(tmp_path, {"step": 1})
    path, out = tmp_path / "last.pt", io.BytesIO()
    with zipfile.ZipFile(path) as given, zipfile.ZipFile(out, "w") as changed:
        for name in given.namelist():
            changed.writestr(name, pickled if name.endswith("data.pkl") else given.read(name))
    path.write_bytes(out.getvalue())
    assert load_checkpoint(tmp_path) is None
    assert (tmp_path / "unreadable.pt").is_file()


def test_a_checkpoint_with_one_changed_bit_is_set_aside(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, {"network": torch.arange(64.0)})
    path = tmp_path / "last.pt"
    change_a_bit(path)
    assert torch.load(path, weights_only=True)["network"][2] != 2.0, "torch has begun to look at checksums"
    assert load_checkpoint(tmp_path) is None
    assert (tmp_path / "unreadable.pt").is_file()


def test_a_checkpoint_of_the_authors_with_one_changed_bit_is_refused(tmp_path: Path) -> None:
    torch.save({"smfe.init_rgb.0.weight": torch.arange(64.0)}, path := tmp_path / "released.pth")
    assert read_state(path)
    change_a_bit(path)
    refused(read_state, path)


def change_a_bit(path: Path) -> None:
    """Flip a bit of the third number."""
    data = bytearray(path.read_bytes())
    data[data.index(torch.arange(64.0).numpy().tobytes()) + 9] ^= 1
    path.write_bytes(bytes(data))


def test_a_folder_whose_name_no_system_holds_is_refused(tmp_path: Path) -> None:
    (found := tmp_path / "found.json").write_text(json.dumps({"folder": "x" * 5000}))
    refused(lambda found: open_members(card(pinned=True, own=True), None, found, tmp_path / "unused"), found)


def test_means_of_a_method_without_scores_are_refused(tmp_path: Path) -> None:
    results = stores_seeds.results(tmp_path)[0]
    path = results / "tables/depth-summary.csv"
    path.write_text(path.read_text().replace("svlrm", "slvrm"))
    with pytest.raises(UserError, match=r"depth-summary.csv: x8/slvrm/full has no image in depth.csv"):
        stores_seeds.report(results)
