"""Lines → records of Airflow's own components, whatever form they are printed in. What is nobody's record is dropped.

Forms: the bracketed head of 1.10 to 3.0 (plain, coloured, marked `[SOURCE:DAG_PROCESSOR]`, or nested in another record by
`logging_mixin.py`), structlog's console of 3.x, the JSON objects of both. With the LocalExecutor the scheduler of 3.x
repeats every line of its tasks with a stamp that has a space in place of the T: those are task logs, and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any

from windsock.parse.component.lines import Line
from windsock.parse.reading import Failure, is_user_file
from windsock.parse.traceback import last_exception

_STAMP = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d"
_HEAD = re.compile(
    rf"\[(?P<at>{_STAMP}[.,]\d{{3,6}}(?: ?[+-]\d\d:?\d\d|Z)?)\] (?:\[SOURCE:\w+\] )?"
    r"\{{1,2}(?P<file>[^{}:\n]+):\d+\}{1,2} (?P<level>[A-Z]+|Level \d+) - ?"
)
_CONSOLE = re.compile(
    r"(?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)) "
    r"\[(?P<level>debug|info|warning|error|critical) *\] ?"
)
# Celery's own head, which the workers of Airflow 2 print: no file is named, so the text must be one of Celery's. Other
# processes print what tasks say.
_CELERY = re.compile(
    rf"\[(?P<at>{_STAMP},\d{{3}}): (?P<level>[A-Z]+)/MainProcess\] "
    r"(?=(?P<worker>celery@\S+ ready\.)|(?P<gossip>missed heartbeat from )|(?P<request>Task handler raised error: ))"
)
# heads of others (gunicorn, celery, task lines of a LocalExecutor): they end a record and begin none of ours
_FOREIGN = re.compile(rf"(?:\[{_STAMP}|{_STAMP}[.,]?\d* ?(?:Z|[+-]\d\d:?\d\d)? +\[)")
_LOGGER = re.compile(r"(?:^|\s)\[([A-Za-z_]\w*(?:\.[\w-]+)+|task|supervisor)\](?=\s|$)", re.MULTILINE)
_LOC = re.compile(r"\bloc=([\w.-]+\.py):\d+")
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_MAX_LINES, _MAX_CHARS = 20_000, 4_000_000

COMPONENTS: Mapping[str, str] = {
    "scheduler_job.py": "scheduler",
    "scheduler_job_runner.py": "scheduler",
    "dagrun.py": "scheduler",
    "taskinstance.py": "",
    "dag.py": "",
    "base_executor.py": "scheduler",
    "executor_loader.py": "",
    "edge_executor.py": "scheduler",
    "kubernetes_executor.py": "scheduler",
    "kubernetes_executor_utils.py": "scheduler",
    "kubernetes_executor_types.py": "scheduler",
    "manager.py": "dag-processor",
    "processor.py": "dag-processor",
    "dag_processing.py": "dag-processor",
    "dag_processor_job_runner.py": "dag-processor",
    "dagbag.py": "",
    "python_importer.py": "",
    "triggerer_job.py": "triggerer",
    "triggerer_job_runner.py": "triggerer",
}
"""Source files whose records are read → the component; empty: whichever wrote the records around it."""

CELERY: Mapping[str, str] = {"worker.py": "worker", "gossip.py": "worker", "request.py": "worker"}
"""The same of Celery's own files, which other packages have as well: read where the logger is Celery's."""


@dataclass(frozen=True, slots=True)
class Told:
    """One record of a component. `origin` is the base name of the source file that wrote it. A nested one passed through
    `logging_mixin.py`: so do the records of the dag-processor's children, but also whatever a task prints."""

    at: datetime | None
    level: str
    origin: str
    text: str
    failure: Failure | None = None
    is_nested: bool = False


@dataclass(slots=True)
class _Open:
    at: datetime | None
    level: str
    origin: str
    is_nested: bool = False
    parts: list[str] = field(default_factory=list)
    size: int = 0

    def add(self, text: str) -> None:
        if len(self.parts) < _MAX_LINES and self.size < _MAX_CHARS:
            self.parts.append(text)
            self.size += len(text)


class Records:
    """Reads lines into records, piece by piece, and counts the heads it saw."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._waiting: dict[str, _Open] = {}
        self.heads = 0

    def read(self, lines: Iterable[Line]) -> Iterator[Told]:
        """The records of known source files that are complete, in order; of interleaved streams each keeps its own."""
        waiting = self._waiting
        for line in lines:
            if line.body is not None:
                self.heads += 1
                if done := waiting.pop(line.source, None):
                    yield from _close(done)
                if told := self._structured(line.body):
                    yield told
                continue
            text = _ANSI.sub("", line.text) if "\x1b[" in line.text else line.text
            head = self._head(text, line)
            if head is None:
                if line.source in waiting:
                    waiting[line.source].add(text)
                continue
            if done := waiting.pop(line.source, None):
                yield from _close(done)
            if head.origin != "?":
                waiting[line.source] = head

    def end(self) -> Iterator[Told]:
        """The records that the end of the object completes: the last one of each stream."""
        for one in self._waiting.values():
            yield from _close(one)
        self._waiting.clear()

    def _head(self, text: str, line: Line) -> _Open | None:
        """The record that a line begins (origin `?`: nobody's), or None where it goes on with the one before."""
        if match := _HEAD.match(text):
            self.heads += 1
            inner = _HEAD.match(text, match.end()) if match["file"] == "logging_mixin.py" else None
            match = inner or match
            origin = match["file"] if match["file"] in COMPONENTS else "?"
            one = self._opened(match["at"], match["level"].lower(), origin, text[match.end() :])
            one.is_nested = inner is not None
            return one
        if match := _CONSOLE.match(text):
            self.heads += 1
            return self._opened(match["at"], match["level"], "", text[match.end() :])
        if match := _CELERY.match(text):
            self.heads += 1
            return self._opened(
                match["at"], match["level"].lower(), f"{match.lastgroup}.py", text[match.end() :]
            )
        if line.origin:
            self.heads += 1
            origin = line.origin if line.origin in COMPONENTS else "?"
            return self._opened(line.at or "", "info", origin, text)
        return self._opened("", "", "?", "") if text[:1] in "[2" and _FOREIGN.match(text) else None

    def _opened(self, at: str, level: str, origin: str, text: str) -> _Open:
        one = _Open(moment(at, self._zone) if origin != "?" else None, level, origin)
        one.add(text)
        return one

    def _structured(self, body: Mapping[str, Any]) -> Told | None:
        origin = str(body.get("filename") or "")
        if not origin and (loc := body.get("loc")):
            origin = str(loc).partition(":")[0]
        logger = str(body.get("logger") or "")
        if origin not in COMPONENTS and not _is_known(logger, origin):
            return None
        if "event" in body:
            text = str(body["event"])
            if logger == "task" and origin == "processor.py" and body.get("dag_id"):
                text += f" dag_id={body['dag_id']}"  # the processor running a DAG's callback
            elif not _is_known(logger, origin):
                return None
            failure = failure_of(body.get("error_detail"))
            at = moment(str(body.get("timestamp") or ""), self._zone)
            return Told(at, str(body.get("level") or "").lower(), origin, text, failure)
        text = "\n".join(str(body[name]) for name in ("message", "exc_text") if body.get(name))
        at = moment(str(body.get("asctime") or ""), self._zone)
        return Told(at, str(body.get("levelname")).lower(), origin, text, last_exception(text))


def _close(one: _Open) -> Iterator[Told]:
    """The record with all its lines; of a console record without logger and pairs, which stand behind the event."""
    text = "\n".join(one.parts).rstrip()
    if one.origin:
        failure = last_exception(text) if "Traceback (most recent" in text else None
        yield Told(one.at, one.level, one.origin, text, failure, one.is_nested)
        return
    match = _LOGGER.search(text)
    loc = _LOC.search(text, match.end()) if match else None
    if not match or not loc or not _is_known(match[1], loc[1]):
        return
    failure = last_exception(text[match.end() :]) if "Traceback (most recent" in text else None
    yield Told(one.at, one.level, loc[1], text[: match.start()].rstrip(), failure)


def _is_known(logger: str, origin: str) -> bool:
    return (logger.startswith("airflow") and origin in COMPONENTS) or (
        logger.startswith("celery.") and origin in CELERY
    )


def moment(text: str | None, zone: tzinfo) -> datetime | None:
    """A time in any of Airflow's spellings, in UTC; `zone` is that of stamps without one (before 2.3.4)."""
    if not text or text[:1] not in "12":
        return None
    try:
        at = datetime.fromisoformat(text.strip().replace(",", ".").replace(" +", "+"))
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def failure_of(detail: Any) -> Failure | None:
    """What `error_detail` of 3.x says: element 0 is what was raised, the last user frame is where."""
    if not (isinstance(detail, list) and detail and isinstance(detail[0], dict)):
        return None
    raised = detail[0]
    frame: tuple[str, str] | None = None
    frames = raised.get("frames")
    for one in reversed(frames if isinstance(frames, list) else []):
        if isinstance(one, dict) and is_user_file(str(one.get("filename") or "")):
            frame = str(one["filename"]).rsplit("/", 1)[-1], str(one.get("name") or "")
            break
    return Failure(str(raised.get("exc_type") or ""), str(raised.get("exc_value") or ""), frame)
