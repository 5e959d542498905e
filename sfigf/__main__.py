"""``python -m sfigf``: the same command line as ``sfigf``."""

from sfigf.cli import main

main()
