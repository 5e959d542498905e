"""Folders for a trial; small disks of their own where a disk shall be full."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.faults.study import Study

_SIZE_BYTES = 1 << 27


@functools.cache
def mountable() -> bool:
    """Whether a small disk in memory can be mounted here: on Linux, as root."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return False
    with tempfile.TemporaryDirectory() as place:
        if _mount("-t", "tmpfs", "-o", "size=64k", "tmpfs", place):
            subprocess.run(["umount", place], check=True)
            return True
    return False


def _mount(*words: str) -> bool:
    return subprocess.run(["mount", *words], capture_output=True, check=False).returncode == 0


@contextlib.contextmanager
def folder_for(study: Study, without: tuple[str, ...], small: bool) -> Iterator[Path]:
    """A copy of the undisturbed folder without some files, on a disk of its own if ``small``; gone afterwards."""
    with contextlib.ExitStack() as stack:
        folder = study.next_folder()
        folder.mkdir()
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        if small:
            assert _mount("-t", "tmpfs", "-o", f"size={_SIZE_BYTES}", "tmpfs", str(folder))
            stack.callback(subprocess.run, ["umount", "--lazy", str(folder)], check=False)
        study.copy_to(folder, without)
        yield folder


@contextlib.contextmanager
def filled(folder: Path, room: int) -> Iterator[None]:
    """Leave so many bytes, rounded down to whole pages, on the disk of a folder."""
    free = os.statvfs(folder)
    used = (free.f_blocks - free.f_bfree) * free.f_frsize
    most = used + room // free.f_frsize * free.f_frsize
    assert _mount("-o", f"remount,size={most}", str(folder))
    try:
        yield
    finally:
        assert _mount("-o", f"remount,size={_SIZE_BYTES}", str(folder))
