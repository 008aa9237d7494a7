"""What one log says that good logs of the same task do not, and what they all say that it does not.

Pure: rows of `log_events` in, ranked lines out. Records are compared by their signature, or their first line with its values
blanked, so that times, ids and counts do not differ. A record that every good log has and this one lacks tells more than one
that some have; the first of them is where the task went another way. Airflow's own frame around a task comes last: it differs
by itself when an attempt fails. The idea is LogJuicer's (a failed log beside good ones); counts take the place of vectors.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from windsock.model import Row
from windsock.signature.blanks import blank
from windsock.signature.telling import is_telling

MAX_TEXT = 300
_LEVELS = {"debug": 0, "info": 1, "warning": 3, "error": 5, "critical": 6}
_FRAME = re.compile(
    r"::(?:end)?group::|Marking task as|Immediate failure requested|All retries failed|Task exited with|Task failed with|"
    r"Done\. Returned value|Failed to execute job|Pushing xcom|Started process|Running: \[|Running <TaskInstance|Running command|"
    r"Exporting env vars|\d+ downstream tasks|Dependencies all met|Starting attempt|Executing <|Job \d+: Subtask|Tmp dir root|"
    r"Output:$|Command exited with|-{20}|DAG bundles loaded|Filling up the DagBag|Worker startup parse complete|Task instance is in"
)


@dataclass(frozen=True, slots=True)
class Differing:
    """One record, or several alike. `sign` is `+` (only here) or `-` (only in the good logs)."""

    sign: str
    level: str
    text: str
    times: int  # here; for `-` in the newest good log that has it
    good_logs: int  # how many good logs have it
    record_no: int


@dataclass(slots=True)
class _Said:
    """All records of one log that say the same."""

    level: str
    text: str
    record_no: int
    times: int = 0


def differences(here: Iterable[Row], good: Sequence[Iterable[Row]]) -> tuple[Differing, ...]:
    """New records first, then missing ones, each by how telling they are. `good` holds good logs, the newest first."""
    mine, theirs = _said(here), [_said(one) for one in good]
    new = [
        Differing("+", one.level, one.text, one.times, 0, one.record_no)
        for key, one in mine.items()
        if not any(key in log for log in theirs)
    ]
    missing: dict[str, Differing] = {}
    for log in theirs:
        for key, one in log.items():
            if key not in mine and key not in missing:
                count = sum(key in other for other in theirs)
                if 2 * count > len(theirs):
                    missing[key] = Differing("-", one.level, one.text, one.times, count, one.record_no)
    return (*sorted(new, key=_rank), *sorted(missing.values(), key=_rank))


def _said(rows: Iterable[Row]) -> dict[str, _Said]:
    found: dict[str, _Said] = {}
    for row in rows:
        text = _text(row)
        if not text:
            continue
        one = found.setdefault(blank(text), _Said(row["level"] or "", text, row["record_no"]))
        one.times += 1
    return found


def _text(row: Row) -> str:
    """An exception by its signature (Airflow 2 tells it twice, with other frames), else the record's first line."""
    if row["error_signature"]:
        return str(row["error_signature"])
    lines = str(row["message"] or "").strip().split("\n", 1)
    return lines[0].strip()[:MAX_TEXT]


def is_frame(text: str) -> bool:
    """Whether Airflow writes this around every task: it differs by itself when one fails."""
    return _FRAME.match(text) is not None


def _rank(one: Differing) -> tuple[bool, int, int, int]:
    weight = _LEVELS.get(one.level, 1) + 3 * is_telling(one.text)
    return is_frame(one.text), -one.good_logs, -weight if one.sign == "+" else 0, one.record_no
