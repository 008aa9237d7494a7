"""Numbers and times as the page shows them. The only place that rounds."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any


def share(value: float | None) -> str:
    """A fraction as percent."""
    if value is None or not math.isfinite(value):
        return "no data"
    percent = value * 100
    return f"{percent:.0f} %" if percent >= 10 else f"{percent:.1f} %"


def size(value: float | None) -> str:
    """Bytes in decimal units."""
    if value is None:
        return "no data"
    for unit in ("B", "kB", "MB", "GB"):
        if abs(value) < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def cell(value: Any) -> str:
    """Any value of an answer, for a table cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return "" if not math.isfinite(value) else f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        shown = ", ".join(cell(one) for one in value[:5])
        return f"{shown} and {len(value) - 5} more" if len(value) > 5 else shown
    return clean(str(value))


def clean(text: str, most: int = 400) -> str:
    """Log text as one line without control or direction characters, which could disguise what stands there."""
    kept = "".join(" " if c in "\r\n\t" else c if c.isprintable() else "\ufffd" for c in text)
    hidden = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C], "\ufffd")
    kept = " ".join(kept.translate(hidden).split())
    return kept if len(kept) <= most else kept[: most - 1] + "…"
