"""What may leave: `[report] samples = false` holds log text back, `hash_ids = true` turns names into short hashes.

Both work on the answers, before anything is judged or worded: what a rule, a page or a mail never sees cannot leak.
A text column that is not listed here is treated as the most private kind, and a test names it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from windsock.model import Answer, Row

Kind = Literal[
    "dag", "task", "run", "host", "conn", "file", "type", "signature", "text", "prose", "changed", "plain"
]

COLUMNS: Mapping[str, Kind] = {
    "dag_id": "dag",
    "dag_ids": "dag",
    "ran_dag_ids": "dag",
    "failed_dag_ids": "dag",
    "former_dag_id": "dag",
    "first_dag_id": "dag",
    "task_id": "task",
    "former_task_id": "task",
    "task_ids": "task",
    "held_tasks": "task",
    "tasks": "task",  # DAG.task
    "held_by": "plain",
    "schedule": "plain",
    "run_id": "run",
    "run_ids": "run",
    "last_run_id": "run",
    "longest_run": "run",
    "longest_end": "plain",
    "error": "text",
    "hostname": "host",
    "worker_name": "host",  # of the EdgeExecutor
    "owner": "host",  # of a DAG: a person or a team
    "dag_file": "file",
    "files": "file",
    "object_url": "file",
    "exception_type": "type",
    "fatal_type": "type",
    "fatal_signature": "signature",
    "error_signature": "signature",
    "signatures": "signature",
    "cause": "signature",
    "template": "signature",  # of log lines
    "value": "text",  # what tries share: a DAG, a host, a file
    "attribute": "plain",
    "blame": "plain",
    "said": "text",
    "issue_name": "plain",
    "title": "plain",
    "fixed": "plain",
    "advice": "plain",
    "sample": "text",
    "exception_message": "text",
    "message": "text",
    "detail": "text",  # of component events: pod names, messages of Kubernetes
    "sentence": "prose",  # of the data checks: windsock's own words, with keys of rows in them
    "state": "plain",
    "state_reason": "plain",
    "event": "plain",  # short codes of windsock
    "reason": "plain",  # short codes of Kubernetes (OOMKilled), states, types of exceptions
    "reasons": "plain",  # the same, of several tries
    "known_by": "plain",
    "unit": "plain",
    "grain": "plain",
    "of_what": "plain",  # operator, executor, queue, version, hour
    "missing": "plain",  # names of inputs
    "run_type": "plain",
    "source": "plain",
    "bundle_name": "plain",
    "bundle_version": "plain",
    "pool": "plain",
    "queue": "plain",
    "executor": "plain",
    "operator": "plain",
    "input": "plain",
    "kind": "plain",
    "outcome": "plain",
    "reject_reason": "plain",
    "size_from": "plain",
    "protects": "plain",
    "component": "plain",
    "counter": "plain",
    "check_name": "plain",
    "table_name": "plain",
    "name": "plain",
    "airflow_version": "plain",
    "metric": "plain",
    "gap": "plain",
    "scope": "plain",
    "measure": "plain",  # failures, durations, starts
    "trouble": "plain",
    "memory_request": "plain",
    "waits_for": "plain",  # names of limits
    "change": "plain",  # worse, better, no evidence, not enough data
    "weeks_source": "plain",
    "mostly_for": "plain",
    "told_by": "plain",
    "ready_from": "plain",
    "signal": "plain",
    "logger": "text",  # user code names its own
    "level": "plain",
    "currency": "plain",
    "subject": "changed",  # settings, pools, bundles, components; hosts where workers came or went
    "why": "plain",  # windsock's own words
    "codes": "plain",  # of findings
    "failed_run_id": "run",
    "last_state": "plain",
    "first_version": "plain",
    "last_version": "plain",
    "newest_version": "plain",
    "seen_by": "plain",
    "key": "plain",  # of settings, all by an allow-list of sizes and limits
    "key_now": "plain",
    "section": "plain",
    "section_now": "plain",
    "setting": "plain",
    "setting_value": "plain",
    "value_now": "plain",
    "default_value": "plain",
    "variable": "plain",
    "variable_now": "plain",
    "origin": "plain",
    "told_as": "plain",
    "bounds": "plain",
    "stands": "plain",
    "because": "plain",  # windsock's own figures of a setting's use, without names
    "lower_to": "plain",
    "lower_because": "plain",
    "status": "plain",
    "figure": "plain",
    "code": "plain",  # all, same
    "what": "plain",  # meanings that an upgrade changed, from windsock's own table
    "look_at": "plain",
    "since_version": "plain",
    "from_version": "plain",
    "to_version": "plain",
    "before": "plain",  # versions, sizes, states
    "after": "plain",
}
IDS = ("dag", "task", "run", "host", "conn", "file")
_RUN_ID = re.compile(r"(?:scheduled|manual|backfill|asset_triggered|dataset_triggered)__[^\s'\",)\]]+")
_TYPE = re.compile(r"[A-Za-z_][\w.]{0,80}")
SHORT = 6  # shorter names are replaced as whole words only: `etl` stands inside many words


def digest(text: str, salt: str = "", length: int = 8) -> str:
    """A short stable hash."""
    return hashlib.sha256(f"{salt}\0{text}".encode("utf-8", "replace")).hexdigest()[:length]


def without_log_text(answers: Mapping[str, Answer]) -> dict[str, Answer]:
    """No sample, no message; of a signature only the exception's type and a hash, stable over weeks."""
    return {name: _mapped(answer, _withheld) for name, answer in answers.items()}


def _withheld(kind: Kind, value: str, row: Row) -> str | None:
    if kind == "text":
        return None
    if kind == "type":
        return value if _TYPE.fullmatch(value) else "error"
    if kind == "signature":
        told = str(row.get("exception_type") or value.partition(":")[0])
        return f"{told if _TYPE.fullmatch(told) else 'error'} #{digest(value)}"
    return value


@dataclass(frozen=True, slots=True)
class Names:
    """Turns names into hashes. `salt` is kept in the lake, so that hashes are stable and cannot be guessed outside."""

    salt: str
    known: Mapping[str, Kind] = field(default_factory=dict)  # names that may stand in log text

    def of(self, kind: Kind, name: str) -> str:
        """`dag-3f9a0c12b4`; an empty name stays empty."""
        return f"{kind}-{digest(name, f'{self.salt}/{kind}', 10)}" if name else name

    def hashed(self, answers: Mapping[str, Answer]) -> dict[str, Answer]:
        """The answers with names as hashes, inside texts too."""
        scrub = self._scrubber(answers)

        def change(kind: Kind, value: str, row: Row) -> str | None:
            if kind == "changed" and str(row.get("kind")).startswith("worker_"):
                kind = "host"
            if kind in IDS:
                return self.of(kind, value)
            return scrub(value) if kind in ("text", "signature", "prose") else value

        return {name: _mapped(answer, change) for name, answer in answers.items()}

    def _scrubber(self, answers: Mapping[str, Answer]) -> Callable[[str], str]:
        """Only names that do occur are looked for: a pattern of thousands would take minutes."""
        kinds: dict[str, Kind] = dict(self.known)
        texts: list[str] = []
        for answer in answers.values():
            for column, kind in _kinds(answer):
                for row in answer.rows:
                    values = row[column] if isinstance(row[column], list | tuple) else [row[column]]
                    if kind in IDS:
                        kinds |= {str(one): kind for one in values if one}
                    elif kind in ("text", "signature", "prose"):
                        texts += [str(one) for one in values if one]
        kinds |= {
            one.rpartition("/")[2].removesuffix(".py"): kind for one, kind in kinds.items() if kind == "file"
        }
        whole = "\n".join(texts)
        present = sorted(
            (one for one in kinds if len(one) > 1 and one in whole), key=lambda one: (-len(one), one)
        )
        found = re.compile("|".join(_bounded(one) for one in present)) if present else None

        def scrub(text: str) -> str:
            text = _RUN_ID.sub(lambda m: self.of("run", m[0]), text)
            return found.sub(lambda m: self.of(kinds[m[0]], m[0]), text) if found else text

        return scrub


def _bounded(name: str) -> str:
    quoted = re.escape(name)
    return quoted if len(name) >= SHORT else rf"(?<!\w){quoted}(?!\w)"


def _kinds(answer: Answer) -> list[tuple[str, Kind]]:
    return [(column, COLUMNS.get(column, "text")) for column in answer.columns]


def _mapped(answer: Answer, change: Callable[[Kind, str, Row], str | None]) -> Answer:
    kinds = [(column, kind) for column, kind in _kinds(answer) if kind != "plain"]
    rows = tuple(_row(row, kinds, change) for row in answer.rows)
    return replace(answer, rows=rows)


def _row(row: Row, kinds: Iterable[tuple[str, Kind]], change: Callable[[Kind, str, Row], str | None]) -> Row:
    changed: dict[str, Any] = dict(row)
    for column, kind in kinds:
        value = row.get(column)
        if isinstance(value, str):
            changed[column] = change(kind, value, row)
        elif isinstance(value, list | tuple):
            changed[column] = [change(kind, one, row) if isinstance(one, str) else one for one in value]
    return changed
