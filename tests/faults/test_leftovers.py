"""What a kill -9 leaves behind, a temporary file, is read by nobody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sfigf.files import write_text
from sfigf.report.files import drawn
from sfigf.report.folder import Folder
from sfigf.tables.finished import Finished
from tests.conftest import ROOT
from tests.faults import judge

KILLED = """
import os, signal, sys
from sfigf.files import replacing
with replacing(sys.argv[1]) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def leave(path: Path) -> None:
    """Write the file, then kill a process in the middle of writing it again."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(path)], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
    )
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize("name", ["figures/depth-quality.png", "training/depth/x8/sfigf/full/seed0.jsonl"])
def test_the_report_and_the_readme_pass_it_over(tmp_path: Path, name: str) -> None:
    write_text(tmp_path / name, '{"event": "end", "seconds": 2.5, "device": "cpu"}\n')
    leave(tmp_path / name)
    assert len(judge.left(tmp_path)) == 1
    assert (tmp_path / name).read_text().endswith("}\n")
    if name.startswith("figures"):
        assert drawn(Folder(tmp_path, None)) == ["depth-quality.png"]
    else:
        assert [training.path for training in Finished(tmp_path, "mini").trainings] == ["depth/x8/sfigf/full/seed0"]
