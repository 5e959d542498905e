"""HDF5 files of others: open, and hand out arrays that can be read an example at a time without surprises."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sfigf.datasets.decode import check_size, decoding
from sfigf.datasets.listing import named
from sfigf.images.reading import needed
from sfigf.images.whole import check_blocks
from sfigf.interface import UserError

# Chunks that span several examples are unpacked once, not once an example.
_CACHE_BYTES = 64 * 1024**2
_CACHE = {"rdcc_nbytes": _CACHE_BYTES, "rdcc_nslots": 100_003}
# Deflate shrinks at most 1032 times (zlib, technical details): what announces more is not all there.
_MOST_SHRUNK = 1100


@contextlib.contextmanager
def opened(path: Path, kind: str) -> Iterator[Any]:
    """Open an HDF5 file; whatever goes wrong while it is read becomes one line with its name.

    Raises:
        UserError: If it is not ``kind``, or h5py is not installed.
    """
    try:
        import h5py
    except ImportError:
        raise needed(path, "h5py") from None
    with decoding(path, kind), h5py.File(path, "r", locking=False, **_CACHE) as file:
        yield file


def array_in(file: Any, key: str, path: Path) -> Any:
    """Return an array of an open file, still on disk.

    Raises:
        UserError: If there is none of that name in the file itself (links are not followed), its values are not
            whole, or one example or block of it would fill the memory.
    """
    import h5py

    where = f"{named(path)}: {key}"
    if key not in file.keys():  # noqa: SIM118 (a file's own "in" follows links)
        held = ", ".join(sorted(name for name in file if not name.startswith("#"))) or "nothing"
        raise UserError(f"{named(path)}: has no {key}; it holds {held[:200]}; is this the right file, and whole?")
    array = file[key] if isinstance(file.get(key, getlink=True), h5py.HardLink) else None
    if not isinstance(array, h5py.Dataset) or array.external or array.is_virtual:
        raise UserError(f"{where} is no array in the file itself but a group or a link; get the publisher's file")
    if not array.shape or 0 in array.shape:
        raise UserError(f"{where} is empty; get the publisher's file")
    check_size(path, array.shape[1:] or (1,))
    if array.nbytes > _MOST_SHRUNK * (array.id.get_storage_size() + 1024):
        raise UserError(f"{where} announces {array.nbytes:,} bytes that are not in the file; get it again")
    if array.chunks and math.prod(array.chunks) * array.dtype.itemsize > _CACHE_BYTES:
        raise UserError(f"{where} is packed in blocks of {array.chunks}, each over 64 MiB; repack it with h5repack")
    check_blocks(array, path.stat().st_size)
    return array
