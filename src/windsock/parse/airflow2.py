"""Airflow 1.10 to 2.11 task logs: text records with a bracketed head, in every version's spelling.

A record is a head line with its continuation lines. State comes from the last trusted marking: a head at line start,
written by Airflow's own file, naming the attempt of the key. User code can print the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from windsock.model import LogKey
from windsock.parse.reading import (
    FAILED,
    REASON_OF_EXCEPTION,
    RETRY,
    SKIPPED,
    STATES,
    SUCCESS,
    UNKNOWN,
    Failure,
    Reading,
    Record,
)
from windsock.parse.traceback import last_exception

HEAD = re.compile(
    r"\[(?P<at>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,]\d{3}(?P<zone>[+-]\d{4})?)\] "
    r"\{{1,2}(?P<file>[^}:\n]+):(?P<line>\d+)\}{1,2} (?P<level>[A-Z]+|Level \d+) - ?"
)
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_COMPOSER = re.compile(r"@-@(\{.*\})\s*\Z", re.DOTALL)
_SUBTASK = re.compile(r"Job \d+: Subtask \S+ (?=\[\d{4}-)")
_MARK = re.compile(
    r"(?:Immediate failure requested\. )?Marking task as (?P<state>[A-Z_]+)\. ?(?P<rest>dag_id=.*)?",
    re.DOTALL,
)
_RETURN = re.compile(r"Task exited with return code (?P<code>-?\d+|Negsignal\.\w+)")
_EXTERNAL = re.compile(r"State of this instance has been externally set to (?P<state>\w+)")
_OPERATOR = re.compile(r"Executing <(?:Task|Mapped)\((?P<operator>[\w.]+)\): .*?> on (?P<at>\S+(?: \S+)?)")
_HOST = re.compile(r"Running .{0,2000} on host (?P<host>\S+)")
_AIRFLOW_FILES = frozenset(
    [
        "taskinstance.py",
        "local_task_job.py",
        "local_task_job_runner.py",
        "standard_task_runner.py",
        "cgroup_task_runner.py",
    ]
)
_COMMAND_FILES = frozenset(
    [
        "subprocess.py",
        "bash.py",
        "bash_operator.py",
        "pod_manager.py",
        "ssh.py",
        "docker.py",
        "spark_submit.py",
    ]
)
_LEVELS = {"WARN": "warning", "FATAL": "critical"}


@dataclass(slots=True)
class Raw:
    """A head with its text, before it is judged. `no` counts from 0 within the object."""

    no: int
    at_text: str
    zone: str | None
    file: str
    level: str
    text: str


def read(text: str, *, key: LogKey, timezone: str = "UTC", keep_output: int = 50) -> Reading:
    """Read every record. `timezone` is the workers' zone, for logs before 2.3.4, whose stamps carry none."""
    raws, orphan = _split(text)
    reading = Reading("airflow2")
    if orphan.strip():
        reading.partial = "text before the first record"
    legacy = bool(raws) and raws[0].at_text[10] == " "
    if legacy:
        reading.dialect = "airflow1.10"
        raws = [_unnested(raw) for raw in raws]
    return interpret(reading, raws, key=key, zone=_zone(timezone), is_legacy=legacy, keep_output=keep_output)


def interpret(
    reading: Reading, raws: list[Raw], *, key: LogKey, zone: ZoneInfo, is_legacy: bool, keep_output: int
) -> Reading:
    """What the records say together; shared with the JSON wrapper, whose records carry the same texts."""
    ending = _Ending(key, is_legacy)
    for raw in _without_repeats(raws):
        level = _LEVELS.get(raw.level, raw.level.lower())
        failure = last_exception(raw.text) if "Traceback (most recent call last):" in raw.text else None
        record = Record(raw.no, _moment(raw, zone), level, raw.file, raw.text, failure)
        reading.records.append(record)
        if raw.file in _AIRFLOW_FILES:
            if raw.text.startswith("Started process ") and raw.text.rstrip().endswith("to run task"):
                reading.process_starts += 1
                reading.command_output.clear()
                ending.start()
            ending.see(record)
        elif raw.file in _COMMAND_FILES:
            reading.command_output.append(raw.text)
            del reading.command_output[:-keep_output]
        _describe(reading, record)
    ending.conclude(reading)
    return reading


def _split(text: str) -> tuple[list[Raw], str]:
    """Records by their heads; split on newline only (form feeds and U+2028 are text)."""
    raws: list[Raw] = []
    orphan: list[str] = []
    for line in text.split("\n"):
        plain = _ANSI.sub("", line) if "\x1b[" in line[:40] else line
        if match := HEAD.match(plain):
            raws.append(
                Raw(
                    len(raws), match["at"], match["zone"], match["file"], match["level"], plain[match.end() :]
                )
            )
        elif raws:
            raws[-1].text += "\n" + line
        else:
            orphan.append(line)
    for raw in raws:
        raw.text = raw.text.rstrip("\n\r")
        if "@-@{" in raw.text:
            raw.text = _COMPOSER.sub("", raw.text)
    return raws, "\n".join(orphan)


def is_head(line: bytes) -> bool:
    """Whether a line begins a record."""
    text = line.decode("utf-8", "replace")
    return HEAD.match(_ANSI.sub("", text) if "\x1b[" in text[:40] else text) is not None


def split(record: bytes, *, no: int) -> list[Raw]:
    """One record's bytes as record number `no`; more than one where the text holds heads that were not seen."""
    raws, _orphan = _split(record.decode("utf-8", "replace"))
    for raw in raws:
        raw.no = no
    return raws


def _unnested(raw: Raw) -> Raw:
    """1.10 passes a child's records through another logger: `Job 7: Subtask t [..] {x.py:60} INFO - msg`."""
    if raw.file not in ("base_task_runner.py", "logging_mixin.py"):
        return raw
    inner = _SUBTASK.sub("", raw.text, count=1)
    if match := HEAD.match(inner):
        return Raw(raw.no, match["at"], match["zone"], match["file"], match["level"], inner[match.end() :])
    return raw


def _without_repeats(raws: list[Raw]) -> Iterator[Raw]:
    """Where the local file survives, each further upload appends it whole: later segments repeat earlier ones.

    Only then are equal records dropped; elsewhere two equal prints in one millisecond are two records.
    """
    if not has_repeats(raws):
        yield from raws
        return
    seen: set[tuple[str, str, str]] = set()
    for raw in raws:
        identity = (raw.at_text, raw.file, raw.text)
        if identity not in seen:
            seen.add(identity)
            yield raw


def has_repeats(raws: list[Raw]) -> bool:
    """Whether one process start is told twice: the object then holds segments more than once."""
    starts = [
        (r.at_text, r.text)
        for r in raws
        if r.file == "standard_task_runner.py" and r.text.startswith("Started process")
    ]
    return len(starts) != len(set(starts))


def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _moment(raw: Raw, zone: ZoneInfo) -> datetime | None:
    try:
        at = datetime.fromisoformat(raw.at_text.replace(",", "."))
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _describe(reading: Reading, record: Record) -> None:
    """Host, operator and logical date, where a record of Airflow tells them."""
    if (
        reading.operator is None
        and record.logger == "taskinstance.py"
        and (m := _OPERATOR.match(record.message))
    ):
        reading.operator = m["operator"]
        try:
            at = datetime.fromisoformat(m["at"])
            reading.logical_date = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    elif (
        record.logger in ("task_command.py", "cli_action_loggers.py", "logging_mixin.py")
        and reading.hostname is None
        and (m := _HOST.match(record.message))
    ):
        reading.hostname = m["host"]


class _Ending:
    """Follows the trusted records and knows, at the end, how the attempt ended."""

    def __init__(self, key: LogKey, is_legacy: bool) -> None:
        self.key, self.is_legacy = key, is_legacy
        self.state, self.reason = "", ""
        self.failure: Failure | None = None
        self.code = ""
        self.is_timeout = self.is_terminated = False

    def start(self) -> None:
        """A new process: what an earlier one said of its own ending no longer decides."""
        self.state, self.reason, self.code = "", "", ""
        self.failure = None
        self.is_timeout = self.is_terminated = False

    def see(self, record: Record) -> None:
        text = record.message
        if (mark := _MARK.match(text)) and self._names_me(mark["rest"] or ""):
            self._marked(mark["state"].lower(), text)
        elif match := _RETURN.match(text):
            self.code = "" if "(task deferral)" in text else match["code"]
        elif match := _EXTERNAL.match(text):
            state = match["state"].lower()
            self.state, self.reason = (state if state in STATES else UNKNOWN), "external"
        elif text.startswith("Pausing task as DEFERRED"):
            self.state, self.reason = "deferred", "deferral"
        elif text.startswith("Rescheduling task, marking task as UP_FOR_RESCHEDULE"):
            self.state, self.reason = "up_for_reschedule", "reschedule"
        elif text.startswith("Received SIGTERM"):
            self.is_terminated = True
        elif record.level in ("error", "critical"):
            self._failed(record)

    def _names_me(self, rest: str) -> bool:
        """A marking names its attempt; text printed by another task of the same process does not."""
        return (
            not rest
            or not self.key.dag_id
            or f"dag_id={self.key.dag_id}, task_id={self.key.task_id}," in rest + ","
        )

    def _marked(self, state: str, text: str) -> None:
        if self.is_legacy and self.state == SKIPPED and state == SUCCESS:
            return  # 1.10 to 2.0 write SKIPPED and then SUCCESS for one skip
        self.state = state if state in STATES else UNKNOWN
        self.reason = "fail_now" if text.startswith("Immediate") else "skip" if state == SKIPPED else ""

    def _failed(self, record: Record) -> None:
        is_repeat = record.message.startswith("Failed to execute job")
        if (
            record.failure
            and not (is_repeat and self.failure)
            and not record.message.startswith("Error in callback")
        ):
            if "callback" not in record.message.split("\n", 1)[0].lower():
                self.failure = record.failure
        elif is_repeat and not self.failure:
            self.failure = Failure("", record.message.split("(", 1)[-1].rsplit(";", 1)[0].strip("'\" "))

    def conclude(self, reading: Reading) -> None:
        reading.state, reading.state_reason = self.state or UNKNOWN, self.reason or None
        if self.state in (FAILED, RETRY) and self.reason != "external":
            reading.failure = self.failure
            reading.state_reason = self._why()
        elif not self.state and self.code not in ("", "0"):
            reading.state = FAILED
            killed = self.code.startswith(("-", "Negsignal"))
            reading.state_reason = "signal" if killed else "exit_code"
            reading.failure = self.failure or Failure("", f"return code {self.code}")
        elif not self.state:
            reading.state_reason = "truncated"

    def _why(self) -> str:
        kind = self.failure.type if self.failure else ""
        by_exception = REASON_OF_EXCEPTION.get(kind, "exception")
        if by_exception in ("timeout", "signal"):
            return by_exception
        if self.failure and self.failure.message.startswith("Task failed due to SystemExit"):
            return "exit_code"
        if self.reason:
            return self.reason
        if self.code.startswith(("-", "Negsignal")) or (self.is_terminated and not self.failure):
            return "signal"
        return by_exception
