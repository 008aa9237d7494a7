"""A failed try's log against the good logs of its task, both read from where they are: what `windsock diff` shows.

The lake tells which objects to read and holds only their errors; so they are fetched again, and it is said when one is gone.
The work is bounded: the newest good logs, and no object above `MAX_BYTES`.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from windsock.compare.difference import Differing, differences, is_frame
from windsock.config import Config
from windsock.errors import SourceError
from windsock.model import Finding, LogKey, Parsed, Row
from windsock.parse import parse_key, read_task_log
from windsock.parse.plain import TooMuch, joined
from windsock.sources.parts import log_at
from windsock.store import NotFound, ObjectUnreadable, open_store

GOOD_LOGS = 3
MAX_BYTES = 32_000_000

# which try is asked for; without a number the last one that failed
WANTED = """
select log.*, tries.state as told_state
from task_logs as log
left join task_tries as tries
    on tries.dag_id = log.dag_id and tries.task_id = log.task_id and tries.try_number = log.try_number
    and tries.map_index = coalesce(log.map_index, -1) and tries.run_id = log.run_id
where log.dag_id = $dag_id and log.task_id = $task_id and log.run_id = $run_id
    and ($try_number is null or log.try_number = $try_number)
    and ($map_index is null or coalesce(log.map_index, -1) = $map_index)
order by
    coalesce(tries.state, log.state) in ('failed', 'up_for_retry') desc,
    log.try_number desc,
    log.map_index,
    log.object_url
limit 1
"""
# good logs before it first, the newest first; of a mapped task those of the same index first
GOOD = """
select log.*
from task_logs as log
where log.dag_id = $dag_id and log.task_id = $task_id and log.state = 'success' and log.object_url <> $object_url
order by
    coalesce(log.map_index, -1) = $map_index desc,
    log.started_at < $started_at desc,
    abs(epoch(log.started_at) - epoch(cast($started_at as timestamptz))),
    log.object_url
limit 3
"""


@dataclass(frozen=True, slots=True)
class Try:
    """Which try of which task is asked for; None: the last one that failed, any index."""

    dag_id: str
    task_id: str
    run_id: str
    try_number: int | None = None
    map_index: int | None = None


# the newest judged failure of a DAG in the week, by one of these errors where any is named
NEWEST = """
select dag_id, task_id, run_id, try_number, map_index
from task_tries
where week = report_week() and is_judged and has_log and state in ('failed', 'up_for_retry')
    and list_contains($dag_ids, dag_id)
    and (len($signatures) = 0 or list_contains($signatures, without_frame(error_signature)))
order by final_try desc, started_at desc, dag_id, run_id, task_id, map_index, try_number desc
limit 1
"""
TOLD_CODES = ("WS101", "WS103", "WS104", "WS106", "WS110")
MAX_TOLD = 5  # findings of a report that get lines: each costs up to four objects
TOLD_LINES = 3


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was compared and what differs. `gone` says of each object that could not be read why."""

    here: Row
    good: tuple[Row, ...]
    lines: tuple[Differing, ...]
    gone: tuple[str, ...] = ()


def rows_for(conn: Any, wanted: Try) -> tuple[Row, ...]:
    """The try and the good logs of its task, as the lake knows them; empty when it does not know the try."""
    found = _rows(conn, WANTED, {name: getattr(wanted, name) for name in Try.__slots__})
    if not found:
        return ()
    here = found[0]
    asked = {name: here[name] for name in ("dag_id", "task_id", "object_url", "started_at")}
    good = _rows(conn, GOOD, asked | {"map_index": -1 if here["map_index"] is None else here["map_index"]})
    return (here, *good[:GOOD_LOGS])


def compare(config: Config, rows: Sequence[Row]) -> Comparison:
    """Read the objects of `rows_for` from their source and set the first against the others."""
    here, gone = rows[0], []
    mine = _events(config, here)
    if isinstance(mine, str):
        raise SourceError(
            f"{here['object_url']}: {mine}; what the lake holds of it: `windsock ask error_samples`"
        )
    good, logs = [], []
    for row in rows[1:]:
        events = _events(config, row)
        if isinstance(events, str):
            gone.append(f"{row['object_url']}: {events}")
        else:
            good.append(row)
            logs.append(events)
    return Comparison(here, tuple(good), differences(mine, logs) if logs else (), tuple(gone))


def newest_failures(conn: Any, findings: Sequence[Finding]) -> dict[str, tuple[Row, ...]]:
    """By finding id, the rows to compare for the gravest findings about failures."""
    chosen = [one for one in findings if one.code in TOLD_CODES and one.severity in ("warning", "critical")]
    found: dict[str, tuple[Row, ...]] = {}
    for one in chosen[:MAX_TOLD]:
        signature = one.subject.get("error_signature")
        asked = {
            "dag_ids": list(one.evidence.get("dag_ids") or [one.subject.get("dag_id", "")]),
            "signatures": list(one.evidence.get("signatures") or ([signature] if signature else [])),
        }
        if tries := _rows(conn, NEWEST, asked):
            found[one.id] = rows_for(conn, Try(**tries[0]))
    return found


def with_differences(
    config: Config, findings: Sequence[Finding], rows: Mapping[str, Sequence[Row]]
) -> tuple[Finding, ...]:
    """The findings, some with what their newest failure's log has that good logs have not. An object that is gone costs a
    finding its lines, never the report."""
    return tuple(_with_lines(config, one, rows.get(one.id, ())) for one in findings)


def _with_lines(config: Config, finding: Finding, rows: Sequence[Row]) -> Finding:
    if len(rows) < 2:
        return finding
    try:
        lines = [one for one in compare(config, rows).lines if not is_frame(one.text)]
    except SourceError:
        return finding
    new = [one for one in lines if one.sign == "+"]
    missing = [one for one in lines if one.sign == "-"]
    chosen = [*new[:2], *missing[: TOLD_LINES - len(new[:2])]]
    told = [f"{one.sign} {one.text}" for one in chosen]
    return replace(finding, evidence={**finding.evidence, "different": told}) if told else finding


def _rows(conn: Any, sql: str, values: Mapping[str, Any]) -> list[Row]:
    cursor = conn.execute(sql, dict(values))
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _events(config: Config, row: Row) -> Sequence[Row] | str:
    """Every record of the row's object, redacted; or why it cannot be read."""
    url = str(row["object_url"] or "")
    data = _fetch(config, url)
    if isinstance(data, str):
        return data
    logs = config.pipeline.sources.task_logs
    key = parse_key(url, (logs and logs.filename_template) or None) or LogKey(
        row["dag_id"], row["run_id"], row["task_id"], row["map_index"] or -1, row["try_number"] or 1
    )
    outcome = read_task_log(
        key,
        data,
        object_url=url,
        etag="",
        modified_at=None,
        lines="all",
        timezone=logs.timezone if logs else "UTC",
    )
    if not isinstance(outcome, Parsed):
        return "is no longer a task log"
    return outcome.rows["log_events"]


def _fetch(config: Config, url: str) -> bytes | str:
    logs = config.pipeline.sources.task_logs
    for root in config.urls(logs.url) if logs else ():
        store = open_store(root, config.storage)
        if not url.startswith(store.url.rstrip("/") + "/"):
            continue
        path = url[len(store.url.rstrip("/")) + 1 :]
        try:
            log = log_at(store, path)
            if log.obj.size > MAX_BYTES:
                return f"holds {log.obj.size:,} bytes, too many to compare"
            if not log.parts:
                return store.get(path)
            return b"".join(joined(log.bodies(), size=log.obj.size))
        except (zlib.error, TooMuch):
            return "cannot be read: bad_gzip"
        except NotFound:
            return "is gone at the source"
        except ObjectUnreadable as error:
            return f"cannot be read: {error.reason}"
    return "lies under none of [sources.task_logs] url"
