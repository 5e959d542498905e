"""Tiny files in the exact format of the field's data sets: each module has ``write(folder)``."""
