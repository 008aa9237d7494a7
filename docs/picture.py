"""The README's picture, taken of the committed sample report by a headless Chromium: `python -m docs.picture`."""

from __future__ import annotations

import base64
import tempfile
from pathlib import Path

from tests.support.browser import Browser, browser

HERE = Path(__file__).parent
SAMPLE = HERE.parent / "reports" / "sample" / "2026-W47"
SIZE = (1180, 760)
FRAME = """<!DOCTYPE html><meta charset="utf-8"><style>
body { margin: 0; width: 1180px; height: 760px; background: #e9edf2; position: relative; overflow: hidden; }
img { position: absolute; display: block; border-radius: 10px; box-shadow: 0 2px 24px rgb(23 33 44 / 22%); }
.page { left: 32px; top: 32px; width: 800px; height: 728px; object-fit: cover; object-position: top; }
.mail { left: 786px; top: 92px; width: 352px; border: 7px solid #17212c; border-radius: 30px; }
</style>"""


def main() -> None:
    """The page on a wide screen, and the mail on a phone before it."""
    with browser() as chrome, tempfile.TemporaryDirectory() as folder:
        frame = Path(folder) / "frame.html"
        images = [
            _shot(chrome, "report.html", "page", 800, 728),
            _shot(chrome, "email.html", "mail", 352, 600),
        ]
        frame.write_text(FRAME + "".join(images), encoding="utf-8")
        chrome.open(frame, width=SIZE[0], height=SIZE[1])
        chrome.screenshot(HERE / "report.png")


def _shot(chrome: Browser, name: str, place: str, width: int, height: int) -> str:
    chrome.open(SAMPLE / name, width=width, height=height)
    told = chrome.call("Page.captureScreenshot", format="png")
    assert base64.b64decode(told["data"]).startswith(b"\x89PNG")
    return f'<img class="{place}" alt="" src="data:image/png;base64,{told["data"]}">'


if __name__ == "__main__":
    main()
