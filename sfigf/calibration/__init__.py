"""Ours beside the reference implementations': every metric, row by row of a table of their values.

The table (``expected.csv``) and the arrays it was taken of lie in one folder, which is not part of this repository.
"""

from sfigf.calibration.compare import calibrate
from sfigf.calibration.rows import Result, Row, Verdict, read_rows

__all__ = ["Result", "Row", "Verdict", "calibrate", "read_rows"]
