"""All metrics of ours, by name: importing this package registers them (and loads neither scipy nor scikit-image)."""

from sfigf.metrics import depth, display, focus, focus_liu, focus_more, focus_tang, pan

__all__ = ["depth", "display", "focus", "focus_liu", "focus_more", "focus_tang", "pan"]
