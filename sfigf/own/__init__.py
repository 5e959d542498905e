"""Restore images of people's own, of any size: arrays with ``restore``, files with ``Studio`` and ``restore_all``.

``source`` reads windows and fills what is unknown, ``inputs`` and ``raw`` make of them what a network is given,
``windows`` goes through the encoding of its training and back, ``restorer`` puts the network in between.
"""

from sfigf.own.arrays import restore
from sfigf.own.options import Options

__all__ = ["Options", "restore"]
