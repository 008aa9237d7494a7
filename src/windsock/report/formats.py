"""Numbers and times as the page shows them. The only place that rounds."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

MAX_LIST = 8


def share(value: float | None) -> str:
    """A fraction as percent."""
    if value is None or not math.isfinite(value):
        return "no data"
    percent = value * 100
    return f"{percent:.0f} %" if abs(percent) >= 10 or percent == 0 else f"{percent:.1f} %"


def interval(low: float, high: float) -> str:
    """Two fractions as a range of percent."""
    return f"{share(low).removesuffix(' %')} to {share(high)}"


def size(value: float | None) -> str:
    """Bytes in decimal units."""
    if value is None:
        return "no data"
    for unit in ("B", "kB", "MB", "GB"):
        if abs(value) < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def hours(value: float | None) -> str:
    """Hours; minutes below one."""
    if value is None or not math.isfinite(value):
        return "no data"
    if 0 < abs(value) < 1:
        return f"{value * 60:.0f} min" if abs(value) * 60 >= 1 else "under 1 min"
    return f"{value:,.0f} h" if abs(value) >= 10 or value == 0 else f"{value:.1f} h"


def seconds(value: float | None) -> str:
    """Seconds."""
    if value is None or not math.isfinite(value):
        return "no data"
    if value == 0:
        return "0 s"
    return (
        f"{value:,.0f} s" if abs(value) >= 100 else f"{value:.1f} s" if abs(value) >= 1 else f"{value:.2f} s"
    )


def span(value: float | None) -> str:
    """Seconds as people say them: minutes from two on, hours from two on."""
    if value is None or not math.isfinite(value) or value < 120:
        return seconds(value)
    return f"{value / 60:.0f} min" if value < 7200 else hours(value / 3600)


def number(value: float | None) -> str:
    """A count or a measure without a unit."""
    if value is None or not math.isfinite(value):
        return "no data"
    return f"{value:,.0f}" if abs(value) >= 100 or float(value).is_integer() else f"{value:.3g}"


def moment(at: datetime) -> str:
    """`Wed 18 Nov 09:00 UTC`."""
    return f"{at.astimezone(UTC):%a %d %b %H:%M} UTC"


def days(from_at: str, to_at: str) -> str:
    """`16 to 22 November 2026`: the days between two midnights, the second one not included."""
    first = datetime.fromisoformat(from_at)
    last = datetime.fromisoformat(to_at) - timedelta(days=1)
    if first.year != last.year:
        return f"{first.day} {first:%B %Y} to {last.day} {last:%B %Y}"
    if first.month != last.month:
        return f"{first.day} {first:%B} to {last.day} {last:%B %Y}"
    return f"{first.day} to {last.day} {last:%B %Y}"


def chance(value: float) -> str:
    """A probability in words that do not pretend to more digits than there are."""
    if value < 0.0001:
        return "under 0.01 %"
    if value > 0.9999:
        return "over 99.99 %"
    return f"{value * 100:.2g} %" if value < 0.1 else f"{value * 100:.4g} %"


def measure(name: str, value: Any) -> str:
    """A value of an answer or of evidence, formatted by what its name ends in."""
    if value is None or isinstance(value, bool) or not isinstance(value, int | float):
        return cell(value)
    if name.endswith(("_share", "_rate")) or "_share_" in name or name in ("rate", "share", "occupancy"):
        return share(value)
    if name in ("probability", "p_value"):
        return chance(value)
    if name.endswith("_hours"):
        return hours(value)
    if name.endswith("_s"):
        return seconds(value)
    if name.endswith("_bytes") or name == "bytes":
        return size(value)
    return number(value)


def cell(value: Any) -> str:
    """Any value of an answer, for a table cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value) if math.isfinite(value) else ""
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        shown = ", ".join(cell(one) for one in value[:MAX_LIST])
        return f"{shown} and {len(value) - MAX_LIST} more" if len(value) > MAX_LIST else shown
    return clean(str(value))


_HIDDEN = dict.fromkeys(
    [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C], "\ufffd"
)  # marks that turn the direction of text: they could disguise what stands there


def clean(text: str, most: int = 400) -> str:
    """Log text as one line without control or direction characters."""
    kept = "".join(" " if c in "\r\n\t" else c if c.isprintable() else "\ufffd" for c in text[: most * 4])
    kept = " ".join(kept.translate(_HIDDEN).split())
    return kept if len(kept) <= most else kept[: most - 1] + "…"


def sentences(text: str, most: int) -> str:
    """The whole sentences that fit; a first one that is too long is cut."""
    kept = clean(text, len(text))
    if len(kept) <= most:
        return kept
    end = kept.rfind(". ", 0, most)
    return kept[: end + 1] if end > 0 else clean(kept, most)


_UNIT = re.compile(r"(?<=\d) (?=(?:%|s|h|min|B|kB|MB|GB|TB)(?![\w]))")


def tight(text: str) -> str:
    """A number and its unit stay on one line."""
    return _UNIT.sub("\u00a0", text)


def plural(count: int, noun: str) -> str:
    """`1 run`, `2 runs`, `2 tries`."""
    if count == 1:
        return f"1 {noun}"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{count:,} {noun[:-1]}ies"
    return f"{count:,} {noun}s"
