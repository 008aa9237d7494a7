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
    return tuple((rare, tuple(hints)) for rare, hints in gates.items())


_GATES = _gates()


def _may_hold(lowered: str) -> bool:
    """Whether any pattern that has a hint may match, or a key's line stands alone."""
    for rare, hints in _GATES:
        if rare in lowered:
            for hint in hints:
                if hint in lowered:
                    return True
    return len(lowered) >= 60 and " " not in lowered


def redact(text: str) -> str:
    """`text` with the secrets of the list masked; text without any comes back unchanged.

    Line by line, since the lines of tracebacks repeat by the thousand; whole where a secret may reach over a line's end.
    """
    lines = text.split("\n")
    masked: dict[str, str] = {}
    for line in _free.without(lines):
        is_short = len(line) <= _SHORT
        told = _known(line) if is_short else _redact_line(line)
        if told is None:
            return _redact(text)
        if told != line:
            masked[line] = told
        elif is_short:
            _free.add(line)
    return "\n".join([masked.get(line, line) for line in lines]) if masked else text


def _known(line: str) -> str | None:
    return _masked(line) if _is_suspect(line) else line


def _redact_line(line: str) -> str | None:
    """One line masked; None where only the whole text can tell, as with `-u user:password`, whose command may stand
    on another line."""
    lowered = line.lower()
    if "-u" in lowered and _USER_OPTION.search(line):
        return None
    if not _may_hold(lowered):
        return line
    if any(hint in lowered for hint in _OVER_LINES) or ("name" in lowered and _NAME_ALONE.search(line)):
        return None
    return _redact(line)


def _is_suspect(line: str) -> bool:
    """Whether a line needs more than a look for words."""
    lowered = line.lower()
    return _may_hold(lowered) or ("-u" in lowered and _USER_OPTION.search(line) is not None)


class _Free:
    """Lines that are known to hold no secret: the latest ones, and those before them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._late: set[str] = set()
        self._early: set[str] = set()

    def without(self, lines: list[str]) -> list[str]:
        """The lines that are not among them; those that are become the latest."""
        late, early = self._late, self._early
        rest = [line for line in lines if line not in late]
        if rest and early:
            for line in rest:
                if line in early:
                    self.add(line)
            return [line for line in rest if line not in early]
        return rest

    def add(self, line: str) -> None:
        """Take in a line."""
        if len(self._late) >= self._most:
            self._early, self._late = self._late, set()
        self._late.add(line)


_SHORT = 1000  # characters; longer lines are not kept (some 30 MB at most)
_free = _Free(8192)
_masked = lru_cache(maxsize=4096)(_redact_line)


def _redact(text: str) -> str:
    """Any text, by the hints that occur anywhere in it."""
    lowered = text.lower()
    found = _ALWAYS
    for hint, what in _HINTS:
        if hint in lowered:
            found |= what
    for place, (_hints, pattern, replacement) in enumerate(PATTERNS):
        if found >> place & 1:
            text = pattern.sub(replacement, text)
    if found >> len(PATTERNS):
        text = mask_assignments(text)
    return text


def _hints() -> tuple[int, tuple[tuple[str, int], ...]]:
    """The patterns that have no hint, as bits; and by hint those that have it. The last bit stands for assignments."""
    always, told = 0, dict.fromkeys(NAME_HINTS, 1 << len(PATTERNS))
    for place, (hints, _pattern, _to) in enumerate(PATTERNS):
        always |= (not hints) << place
        for hint in hints:
            told[hint] = told.get(hint, 0) | 1 << place
    return always, tuple(told.items())


_ALWAYS, _HINTS = _hints()
