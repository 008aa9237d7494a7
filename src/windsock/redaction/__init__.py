"""Secrets leave log text before anything is stored. One list of patterns, reviewed here, applied in bulk.

Airflow's own masker knows only the values of connections and variables that the task loaded (facts of real runs):
literal keys in exception texts, URLs with passwords and `api_key=` parameters pass it.
Key shapes: AWS IAM "Identifiers" guide, Google API key format, GitHub token formats (2021), GitLab token overview,
Slack token types, Stripe key prefixes, RFC 7519 (JWT), RFC 7468 (PEM), RFC 6750 (bearer), SigV4 and GCS signed URLs,
Azure storage connection strings, Databricks, dbt Cloud and Snowflake token formats, Kafka `sasl.jaas.config`, JDBC URLs of
the vendors' drivers, Oracle Easy Connect, `AIRFLOW_CONN_*` as URI and JSON, Kubernetes `env` lists as clients print them.
`python -m benchmarks.redaction` says what the list misses and what it hits without need. Every pattern is linear in the
text: runs are possessive (`++`) or bounded, because log text is hostile.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from windsock.redaction.assignments import NAME_HINTS, mask_assignments
from windsock.redaction.mask import MASK
from windsock.redaction.patterns import PATTERNS

__all__ = ["MASK", "redact"]

# a key block; an AWS id, whose key may follow on the next line
_OVER_LINES = ("-----begin", "akia", "asia", "abia", "acca")
_NAME_ALONE = re.compile(
    r"(?i)\bname[\"']?[ \t]{0,3}[:=][ \t]{0,3}[\"']?[\w.-]++[\"']?,?\s*\Z"
)  # its value stands on the next line
_USER_OPTION = next(pattern for hints, pattern, _to in PATTERNS if "curl" in hints)


def _gates() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """All hints by a character that their secrets hold and most lines lack: its absence spares the hints behind it."""
    told = {hint for hints, _pattern, _to in PATTERNS if "curl" not in hints for hint in hints} | {
        *NAME_HINTS
    }
    told = {hint for hint in told if not any(other in hint for other in told - {hint})}
    gates: dict[str, list[str]] = {}
    for hint in sorted(told):
        rare = next((c for c in "~/:=-_." if c in hint), {"xox": "-", "eyj": "."}.get(hint, ""))
        gates.setdefault(rare, []).append(hint)
    return tuple((rare, tuple(held)) for rare, held in gates.items())


_GATES = _gates()


def _may_hold(lowered: str) -> bool:
    """Whether any pattern that has a hint may match."""
    for rare, hints in _GATES:
        if rare in lowered:
            for hint in hints:
                if hint in lowered:
                    return True
    return False


def redact(text: str) -> str:
    """`text` with the secrets of the list masked; text without any comes back unchanged.

    Line by line, since the lines of tracebacks repeat by the thousand; whole where a secret may reach over a line's end.
    """
    if (done := learnt.get(text)) is not None:
        return done
    lines = text.split("\n")
    rest = free_lines.without(lines)
    return put_together(text, {line: _told(line) for line in rest}) if rest else text


def put_together(text: str, told: Mapping[str, str | None]) -> str:
    """A text of which each line is free or told: masked, or None where only the whole text can tell, as with
    `-u user:password`, whose command may stand on another line."""
    if None in told.values():
        return _redact(text)
    masked = {line: done for line, done in told.items() if done != line and done is not None}
    return "\n".join([masked.get(line, line) for line in text.split("\n")]) if masked else text


def _told(line: str) -> str | None:
    lowered = line.lower()
    if not (_may_hold(lowered) or may_be_odd(line, lowered)):
        return set_free(line)
    return told_of_suspect(line, found_in(lowered, HINTS))


def set_free(line: str) -> str:
    """A line that holds no secret; it is known from now on."""
    if len(line) <= SHORT:
        free_lines.add(line)
    return line


def may_be_odd(line: str, lowered: str) -> bool:
    """Whether a line needs a closer look though it holds no hint."""
    is_block = len(line) >= 60 and " " not in line
    return is_block or ("-u" in lowered and _USER_OPTION.search(line) is not None)


def told_of_suspect(line: str, found: int) -> str | None:
    """As `put_together` wants it, of a line that needs a closer look; `found` are its hints (`found_in`)."""
    told = _masked(line, found) if len(line) <= SHORT else _masked.__wrapped__(line, found)
    return set_free(line) if told == line else told


@lru_cache(maxsize=4096)
def _masked(line: str, found: int) -> str | None:
    lowered = line.lower()
    if "-u" in lowered and _USER_OPTION.search(line):
        return None
    if any(hint in lowered for hint in _OVER_LINES) or ("name" in lowered and _NAME_ALONE.search(line)):
        return None
    return _redact(line, found)


class Latest:
    """The latest of many texts, and those before them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._late: set[str] = set()
        self._early: set[str] = set()

    def without(self, texts: list[str]) -> list[str]:
        """The texts that are not among them; those that are become the latest."""
        late, early = self._late, self._early
        rest = [text for text in texts if text not in late]
        if rest and early:
            for text in rest:
                if text in early:
                    self.add(text)
            return [text for text in rest if text not in early]
        return rest

    def add(self, text: str) -> None:
        """Take in a text."""
        if len(self._late) >= self._most:
            self._early, self._late = self._late, set()
        self._late.add(text)


SHORT = 1000  # characters; longer lines are not kept (some 30 MB at most)
free_lines = Latest(8192)
"""Lines that hold no secret."""
learnt: dict[str, str] = {}
"""Texts of which `bulk.learn` has told what `redact` makes of them."""


def _redact(text: str, found: int | None = None) -> str:
    """Any text, by the hints that occur anywhere in it (`found`, if they are known)."""
    found = _ALWAYS | (found_in(text.lower(), HINTS) if found is None else found)
    for place, (_hints, pattern, replacement) in enumerate(PATTERNS):
        if found >> place & 1:
            text = pattern.sub(replacement, text)
    if found >> len(PATTERNS):
        text = mask_assignments(text)
    return text


def found_in(lowered: str, hints: Iterable[str]) -> int:
    """Which patterns may match a lower-cased text, as bits, by those of some hints that occur in it."""
    found = 0
    for hint in hints:
        if hint in lowered:
            found |= HINTS[hint]
    return found


def _bits() -> tuple[int, dict[str, int]]:
    """The patterns that have no hint, as bits; and by hint those that have it. The last bit stands for assignments."""
    always, told = 0, dict.fromkeys(NAME_HINTS, 1 << len(PATTERNS))
    for place, (hints, _pattern, _to) in enumerate(PATTERNS):
        always |= (not hints) << place
        for hint in hints:
            told[hint] = told.get(hint, 0) | 1 << place
    return always, told


_ALWAYS, HINTS = _bits()
IS_SUSPECT = ~HINTS["curl"]
"""Bits of the patterns whose hints make a line suspect; that of the others needs `-u` besides (`may_be_odd`)."""
