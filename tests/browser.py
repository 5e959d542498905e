"""A headless Chromium for tests of pages, spoken to through a pipe: no driver, no port, no network.

Source: Chrome DevTools Protocol, ``--remote-debugging-pipe``: messages are JSON, each ended by a zero byte.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-default-apps", "--disable-quic",
    "--disable-dev-shm-usage", "--remote-debugging-pipe",
)  # fmt: skip


def find_browser() -> str | None:
    """The program, or None where there is none."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


class Browser:
    """One page of a browser; events that came meanwhile are kept in ``events``."""

    def __init__(self, program: str, profile: Path) -> None:
        (to_read, self._write), (self._read, to_write) = os.pipe(), os.pipe()
        # The browser reads from descriptor 3 and writes to 4, whatever numbers the pipes have here.
        script = f'exec "$0" "$@" 3<&{to_read} 4>&{to_write}'
        command = ["bash", "-c", script, program, *_OPTIONS, f"--user-data-dir={profile}", "about:blank"]
        with (profile / "browser.log").open("wb") as log:
            self._process = subprocess.Popen(command, pass_fds=(to_read, to_write), stdout=log, stderr=log)
        os.close(to_read)
        os.close(to_write)
        self.events: list[dict[str, Any]] = []
        self._rest, self._number, self._session = b"", 0, ""
        target = next(t for t in self.ask("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self._session = self.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        message |= {"sessionId": self._session} if self._session else {}
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._write, data) :]
        while (answer := self._next()).get("id") != self._number:
            self.events.append(answer)
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    def open(self, address: str) -> None:
        """Load a page and wait until it is there."""
        self.ask("Page.navigate", url=address)
        self.wait(f"location.href === {json.dumps(address)} && document.readyState === 'complete'")

    def run(self, expression: str) -> Any:
        """Return the value of a JavaScript expression; a promise is waited for."""
        done = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def wait(self, expression: str, seconds: float = 20.0) -> None:
        """Wait until an expression holds."""
        end = time.monotonic() + seconds
        while not self.run(expression):
            assert time.monotonic() < end, f"waited in vain for {expression}"
            time.sleep(0.05)

    def press(self, key: str, code: int, shift: bool = False) -> None:
        """Press and release a key."""
        text = {"text": "\r"} if key == "Enter" else {"text": " "} if key == " " else {}
        common = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": 8 if shift else 0}
        self.ask("Input.dispatchKeyEvent", type="keyDown", **common, **text)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **common)

    def resize(self, width: int, height: int, mobile: bool = False) -> None:
        """Give the page another screen."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)

    def close(self) -> None:
        """End the browser."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for descriptor in (self._write, self._read):
            os.close(descriptor)

    def _next(self, seconds: float = 60.0) -> dict[str, Any]:
        while b"\0" not in self._rest:
            assert select.select([self._read], [], [], seconds)[0], "the browser does not answer"
            part = os.read(self._read, 1 << 20)
            assert part, "the browser has ended"
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)
