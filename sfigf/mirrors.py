"""Data mirrors are folders: an address may hold a login, which must not get into settings, records and messages."""

from __future__ import annotations

import re
from typing import TypeVar

from sfigf.interface import UserError

_ADDRESS = re.compile(r"://|(?:^|/)(?:https?|ftps?|sftp|ssh|s3|gs):/", re.IGNORECASE)
T = TypeVar("T")


def folders_only(places: T) -> T:
    """Return the mirrors, one or a sequence of them, as they are.

    Raises:
        UserError: If one is an address, or was one before its slashes were made one; does not repeat it.
    """
    listed = places if isinstance(places, list | tuple) else [places]
    if any(_ADDRESS.search(str(place)) for place in listed):
        raise UserError("data_mirrors and --mirror name folders, not addresses; PIP_INDEX_URL names a package index")
    return places
