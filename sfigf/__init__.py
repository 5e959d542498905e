"""Guided image restoration by simultaneous feature and image guided fusion."""

__version__ = "0.1.0"
