"""Stands in for the ``sfigf`` command where the workflow is tested, not what the commands do.

Every output option gets a file whose content depends on the other options and on the bytes of the files they name, so
that a changed input changes what is made of it. ``train`` waits while a file named ``hold`` lies in the folder.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from pathlib import Path

WRITES = {
    "train": {"--weights", "--log"},
    "restore-set": {"--output", "--cost"},
    "tabulate": {"--csv", "--summary", "--markdown", "--cost-table", "--timing-table", "--latex"},
    "compare": {"--csv", "--words", "--latex"},
    "tabulate-robustness": {"--csv"},
    "summarise": {"--markdown", "--metrics"},
}
UNREAD = {"--config", "--checkpoints"}


def main(verb: str, *words: str) -> None:
    """Write what the verb would write."""
    pairs = [(word, words[place + 1]) for place, word in enumerate(words) if word.startswith("--")]
    writes = WRITES.get(verb, {"--output"})
    seen = hashlib.sha256(verb.encode())
    for option, value in pairs:
        if option not in writes | UNREAD:
            file = Path(value.partition("=")[2] or value)
            seen.update(file.read_bytes() if file.is_file() else value.encode())
    while verb == "train" and Path("hold").exists():
        time.sleep(0.1)
    for option, value in pairs:
        if option in writes:
            Path(value).parent.mkdir(parents=True, exist_ok=True)
            text = {"digest": seen.hexdigest(), "number": int(seen.hexdigest()[:4], 16)}
            Path(value).write_text(json.dumps(text))


if __name__ == "__main__":
    main(*sys.argv[1:])
