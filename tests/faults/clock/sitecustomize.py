"""A clock that is wrong by FAULTS_CLOCK_S seconds, for every Python process that finds this folder on its path.

The monotonic clock stays right, as it does on a machine whose date is set.
"""

import os

from tests.faults.hooks import shift_clock

shift_clock(float(os.environ.get("FAULTS_CLOCK_S", "0")))
