"""A headless Chromium driven over its debugging pipe: no driver, no port, no network."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


def chromium() -> str | None:
    """The browser of this machine, if it has one."""
    return next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))),
        None,
    )


@dataclass
class Browser:
    """One page. What the page logs and asks for is kept."""

    to: int
    back: int
    session: str = ""
    number: int = 0
    logged: list[str] = field(default_factory=list)
    requested: list[str] = field(default_factory=list)
    _rest: bytes = b""

    def call(self, method: str, **params: Any) -> Any:
        """One command of the Chrome DevTools Protocol, and its result."""
        self.number += 1
        told: dict[str, Any] = {"id": self.number, "method": method, "params": params}
        if self.session:
            told["sessionId"] = self.session
        os.write(self.to, json.dumps(told).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self._keep(answer)

    def wait_for(self, event: str) -> None:
        while True:
            told = self._next()
            self._keep(told)
            if told.get("method") == event:
                return

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            chunk = os.read(self.back, 1 << 20)
            if not chunk:
                raise RuntimeError("the browser went away")
            self._rest += chunk
        one, _, self._rest = self._rest.partition(b"\0")
        told: dict[str, Any] = json.loads(one)
        return told

    def _keep(self, told: dict[str, Any]) -> None:
        method, params = told.get("method"), told.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requested.append(params["request"]["url"])
        elif method == "Log.entryAdded":
            self.logged.append(params["entry"]["text"])
        elif method in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
            self.logged.append(json.dumps(params)[:500])

    def open(self, path: Path, *, width: int = 1200, height: int = 900, dark: bool = False) -> None:
        is_phone = width < 600
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=is_phone,
        )
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=scheme)
        self.call("Page.navigate", url=path.resolve().as_uri())
        self.wait_for("Page.loadEventFired")

    def run(self, script: str) -> Any:
        """The value of a script in the page."""
        told = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in told:
            raise RuntimeError(json.dumps(told["exceptionDetails"])[:800])
        return told["result"].get("value")

    def press(self, key: str) -> None:
        """A key as a person presses it."""
        keys: dict[str, dict[str, Any]] = {
            "Enter": {"text": "\r", "windowsVirtualKeyCode": 13},
            "Tab": {"windowsVirtualKeyCode": 9},
        }
        more = keys.get(key, {"text": key})
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **more)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        told = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(told["data"]))

    def pdf(self) -> bytes:
        told = self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)
        return base64.b64decode(told["data"])


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser with a fresh profile that ends with the block."""
    path = chromium()
    assert path
    child_in, to = os.pipe()
    back, child_out = os.pipe()

    def plumb() -> None:
        os.dup2(child_in, 3)
        os.dup2(child_out, 4)

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [
            path, "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--disable-background-networking", "--hide-scrollbars", f"--user-data-dir={profile}",
        ]  # fmt: skip
        process = subprocess.Popen(
            command, preexec_fn=plumb, pass_fds=(3, 4), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(child_in)
        os.close(child_out)
        try:
            made = Browser(to, back)
            target = made.call("Target.createTarget", url="about:blank")["targetId"]
            made.session = made.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Network", "Log"):
                made.call(f"{domain}.enable")
            yield made
        finally:
            process.terminate()
            process.wait(timeout=20)
            os.close(to)
            os.close(back)
