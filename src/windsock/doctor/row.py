"""One row of what `windsock doctor` says."""

from __future__ import annotations

from datetime import timedelta

from windsock.errors import WindsockError
from windsock.model import Row
from windsock.redaction import redact

COLUMNS = ("kind", "what", "state", "detail", "mend", "answered_from", "since_week", "never_on")
"""`kind` is value, check or section; `state` of a value is its origin, else ok, watch (works, and will not for long or
not wholly), missing or broken. The last three are of sections only."""

CLOCK_SKEW = timedelta(minutes=2)
"""Two machines whose clocks are kept by NTP differ by less; S3 refuses requests that are 15 minutes off."""


def row(
    what: str,
    state: str,
    detail: str,
    mend: str = "",
    *,
    kind: str = "check",
    answered_from: str = "",
    since_week: str = "",
    never_on: str = "",
) -> Row:
    """What was looked at, how it is, and the cheapest step to mend it. Secrets that a server quotes are taken out."""
    return {
        "kind": kind,
        "what": what,
        "state": state,
        "detail": redact(detail),
        "mend": redact(mend),
        "answered_from": answered_from,
        "since_week": since_week,
        "never_on": never_on,
    }


def of_error(what: str, error: WindsockError) -> Row:
    """An error's line says what and how to mend; it is told in two columns here."""
    told, _, mend = str(error).rpartition("; ")
    return row(what, "broken", told or str(error), mend or "see the line before")
