"""One object of component output → rows, or a reject. Pure: no bytes make it raise. Redacted before anything leaves."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from windsock.model import Outcome, Parsed, Reject, Row
from windsock.parse.component.callbacks import tell_callbacks
from windsock.parse.component.celery import tell_edge, tell_workers
from windsock.parse.component.dag_processor import tell_files
from windsock.parse.component.dull import may_tell, telling
from windsock.parse.component.facts import Facts
from windsock.parse.component.holds import tell_holds
from windsock.parse.component.kubernetes import tell_pods
from windsock.parse.component.lines import Line, plain, unwrap
from windsock.parse.component.records import CELERY, COMPONENTS, Records, Told
from windsock.parse.component.scheduler import tell_executor, tell_scheduler
from windsock.parse.component.triggerer import tell_triggers
from windsock.parse.cut_lines import NO_END_TOLD, CutLines
from windsock.parse.task_log import cut, plausible
from windsock.redaction import redact
from windsock.schema import TABLES, TIME

KIND = "component_logs"
TOO_LARGE = "unpacks to too much; the rest was left out"
NOT_COMPONENT_LOG = Reject(KIND, "not_component_log", "no line is a record of an Airflow component")


def read_component_log(data: bytes, *, path: str, modified_at: datetime, timezone: str = "UTC") -> Outcome:
    """Read every record of one object. Rejects: `empty`, `bad_gzip`, `not_component_log`.

    `timezone` is the zone of stamps that carry none (before 2.3.4). A log whose records tell nothing that is kept (a
    webserver's) is understood and has no rows.
    """
    try:
        text, is_cut = plain(data)
    except zlib.error as error:
        return Reject(KIND, "bad_gzip", str(error))
    if not text.strip():
        return Reject(KIND, "empty", "the object holds no text")
    reader = Reader(path, ZoneInfo(timezone))
    reader.feed(text)
    reader.end()
    if not reader.has_records:
        return NOT_COMPONENT_LOG
    found = reader.take(modified_at)
    return replace(found, partial=TOO_LARGE) if is_cut else found


class Reader:
    """Reads an object piece by piece; what is told is handed on piece by piece, what is known stays.

    `reads_all`: the exact path, which decodes every line; the rows are the same."""

    def __init__(self, path: str, zone: tzinfo, *, reads_all: bool = False) -> None:
        self._reads_all = reads_all
        self._path, self._zone = path, zone
        self._component = _named_by(path)
        self._facts, self._records = Facts(), Records(zone)
        self._cuts = CutLines()

    @property
    def has_records(self) -> bool:
        """Whether any line was the head of a record, anybody's."""
        return self._records.heads > 0

    def feed(self, piece: bytes) -> None:
        """Whole lines. A record that they leave open is completed by the next piece, or by the end."""
        for run in [piece] if self._reads_all else telling(piece):
            self._hear(self._records.read(unwrap(run, self._cuts)))

    def end(self) -> None:
        """Nothing more comes: the open records are complete."""
        self._hear(
            self._records.read(Line(source, text) for source, text in self._cuts.unfinished(at_end=True))
        )
        self._hear(self._records.end())

    def take(self, modified_at: datetime) -> Parsed:
        """What was told since the last taking."""
        rows = {name: _finished(name, told, modified_at) for name, told in self._facts.take().items() if told}
        partial = NO_END_TOLD if self._cuts.unended else None
        return Parsed(KIND, {name: found for name, found in rows.items() if found}, partial)

    def _hear(self, records: Iterable[Told]) -> None:
        for told in records:
            if may_tell(told.text):  # what may be passed over must not say whose the next record is
                named = COMPONENTS.get(told.origin) or CELERY.get(told.origin)
                self._component = named or self._component
            _tell(told, self._component or "scheduler", self._facts, self._zone, self._path)


def _tell(told: Told, component: str, facts: Facts, zone: tzinfo, path: str) -> None:
    """Hand a record to those who know the file that wrote it."""
    if told.is_nested and component != "dag-processor":
        return  # a worker's output: a task can print what it likes
    if told.origin == "executor_loader.py":
        tell_executor(told, component, facts)
    elif told.origin in CELERY:
        tell_workers(told, facts)
    elif told.origin == "edge_executor.py":
        tell_edge(told, facts)
    elif "executor" in told.origin:
        tell_pods(told, component, facts)
        tell_holds(told, component, facts)
    elif "triggerer" in told.origin:
        tell_triggers(told, component, facts)
        tell_scheduler(told, component, facts, zone)
    elif component == "dag-processor" and told.origin != "taskinstance.py":
        tell_files(told, component, facts, path)
        tell_callbacks(told, component, facts)
        tell_scheduler(told, component, facts, zone)
    else:
        tell_scheduler(told, component, facts, zone)
        tell_holds(told, component, facts)
        tell_files(told, component, facts, path)


def _named_by(path: str) -> str:
    """The component that a path names, for records whose file several components share."""
    name = path.lower()
    if "processor" in name or ".py.log" in name:
        return "dag-processor"
    return next((one for one in ("triggerer", "worker", "scheduler") if one in name), "")


def _finished(table: str, rows: list[Row], modified_at: datetime) -> list[Row]:
    """No time that cannot be true, no secret, no text without end."""
    times = [name for name, kind in TABLES[table].columns.items() if kind == TIME]
    for row in rows:
        for name in times:
            if (at := row.get(name)) is not None:
                row[name] = plausible(at, modified_at)
        for name in ("detail", "reason"):
            if (text := row.get(name)) is not None:
                row[name] = cut(redact(text))
        for name, value in row.items():
            if isinstance(value, str) and not value.isascii():
                row[name] = value.encode("utf-8", "replace").decode("utf-8")  # half a surrogate out of JSON
    return rows if table != "parse_samples" else [row for row in rows if row["parsed_at"]]
