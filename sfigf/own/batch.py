"""Restore several images: one that fails does not stop the others."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sfigf.interface import UserError
from sfigf.own.bar import Bar
from sfigf.own.files import Studio
from sfigf.own.pairs import Pair
from sfigf.small_files import one_line

_LOG = logging.getLogger(__name__)


def restore_all(studio: Studio, pairs: Sequence[Pair]) -> None:
    """Restore each pair; say what failed as it fails, and how many at the end.

    Raises:
        UserError: The reason of a single image, or how many of several failed.
    """
    failed = 0
    with Bar(len(pairs)) as bar:
        for pair in pairs:
            try:
                studio.restore(pair, bar.begin(pair.target.name))
                bar.end(f"{pair.target} -> {pair.output}")
            except UserError as error:
                if len(pairs) == 1:
                    raise
                failed += 1
                _LOG.error("sfigf: %s: %s", one_line(str(pair.target)), one_line(str(error)))
    if failed:
        raise UserError(f"{failed} of {len(pairs)} images failed, see above; the others are written")
