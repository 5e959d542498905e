"""Readers of the data sets; importing this package registers them."""

from sfigf.datasets import middlebury, photos, rendered, satellites  # noqa: F401
