"""The rooms this project renders itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from sfigf.interface import Scene
from sfigf.registry import register
from sfigf.store import read_scenes


@register("dataset")
class Rendered:
    """Procedural rooms with exact depth; the rendering commands write them, nothing is fetched."""

    name: ClassVar[str] = "rendered"

    def read(self, files: Mapping[str, Path]) -> list[Scene]:
        """Any number of roles, each one a file of scenes."""
        return [scene for path in files.values() for scene in read_scenes(path)]
