"""A package index on a bad line: every request may meet another fault."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FAULTS = (
    "cut", "stall", "closed", "short", "long", "wrong bytes", "moved", "moved to nowhere", "moved in a loop", "500",
    "429", "ranges ignored", "ranges wrong", "no HTTP",
)  # fmt: skip


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Any
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        if self.path.startswith("/simple/"):
            return self._send(self.server.page)
        fault = self.server.faults.pop(0) if self.server.faults else "moved" if self.path == "/gift" else ""
        fault = "" if fault == "moved" and self.path == "/moved" else fault
        if fault in ("500", "429"):
            return self.send_error(int(fault))
        if fault.startswith("moved"):
            place = {"moved": "/moved", "moved to nowhere": "http://127.0.0.1:9/gift"}.get(fault, self.path)
            self.server.faults[:0] = [fault] * (20 if fault == "moved in a loop" else 0)
            self.send_response(302)
            self.send_header("Location", place)
            return self.end_headers()
        return self._bad(fault) if fault else self._file()

    def _bad(self, fault: str) -> None:
        content: bytes = self.server.content
        if fault == "closed":
            self.connection.shutdown(socket.SHUT_RDWR)
        elif fault == "no HTTP":
            self.wfile.write(b"\0\xff" * 100)
        elif fault == "wrong bytes":
            self._file(content[::-1])
        elif fault in ("short", "long"):
            self._file(content[:-9] if fault == "short" else content + b"more")
        elif fault.startswith("ranges"):
            self._file(ranges=fault.removeprefix("ranges "))
        else:
            self._file(cut=True)
            self.server.released.wait(1 if fault == "stall" else 0)

    def _file(self, content: bytes | None = None, ranges: str = "kept", cut: bool = False) -> None:
        content = self.server.content if content is None else content
        wanted = self.headers.get("Range", "")
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and ranges != "ignored" else 0
        self.send_response(206 if start else 200)
        if start:
            shown = start if ranges == "kept" else start // 2
            self.send_header("Content-Range", f"bytes {shown}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        rest = content[start:]
        self.wfile.write(rest[: len(rest) // 2] if cut else rest)
        self.wfile.flush()

    def _send(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.pypi.simple.v1+json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@contextlib.contextmanager
def bad_line(gift: Path) -> Iterator[Any]:
    """Serve a file. Yield the server: its ``index``, and its ``faults``, of which each request meets the next."""
    server: Any = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.content, server.faults, server.released = gift.read_bytes(), [], threading.Event()
    entry = {
        "filename": gift.name,
        "url": "../../gift",
        "hashes": {"sha256": hashlib.sha256(server.content).hexdigest()},
    }
    server.page = json.dumps({"files": [entry]}).encode()
    server.handle_error = lambda request, address: None
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        server.index = f"http://127.0.0.1:{server.server_port}/simple"
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
