"""All metrics of ours, by name: importing this package registers them (and loads neither scipy nor scikit-image)."""

from sfigf.metrics import depth, display, focus, pan

__all__ = ["depth", "display", "focus", "pan"]
