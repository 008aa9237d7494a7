"""Airflow 1.7 to 2.11 task logs: text records with a bracketed head.

Two steps: bytes into records (`heads.split`, then `unnested` for versions whose child processes log through another
logger), and records into what they say (`interpret`, shared with the JSON forms of the same records).
State comes only from records of Airflow's own files: user code can print the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, tzinfo
from hashlib import blake2b
from zoneinfo import ZoneInfo

from windsock.model import LogKey
from windsock.parse.airflow2.ending import LEAVING, Ending
from windsock.parse.connections import CONNECTION_FILES
from windsock.parse.heads import ANSI, Raw, head, moment, split
from windsock.parse.reading import DEFAULT_OWNER, ERRORS, TRIGGER_FAILED, WARNINGS, Reading, Record
from windsock.parse.traceback import START, last_exception

__all__ = [
    "Raw",
    "follow",
    "has_repeats",
    "interpret",
    "is_head",
    "once",
    "process_start",
    "read",
    "split",
    "split_record",
    "unnested",
]

MAX_SEEN = 500_000
"""Records that a repeat is looked for among: 45 MB."""

_SUBTASK = re.compile(r"(?:Job \S+: Subtask \S+|Subtask:)(?: |\Z)")
_EXECUTING = re.compile(
    r"Executing <(?:Task|Mapped)\((?P<operator>[\w.]+)\): .*?> on (?P<at>\S+(?: \d\d:\S+)?)"
)
# one line since 2.6, a line for each name before; a value in quotes or bare
_OWNER = re.compile(r"\bAIRFLOW_CTX_DAG_OWNER=(?:'(?P<quoted>[^'\n]{1,200})'|(?P<bare>[^\s'][^\n]{0,199}))")
_HOST = re.compile(r"Running (?:<.{0,2000}> )?on host (?P<host>\S+)")
RUNNER, STARTED = "standard_task_runner.py", "Started process"
EXECUTING, STARTED_PROCESS = "Executing <", f"{STARTED} "
HOST_FILES = frozenset(["task_command.py", "cli_action_loggers.py", "logging_mixin.py", "cli.py"])
AIRFLOW_FILES = frozenset(
    [
        "taskinstance.py",
        "local_task_job.py",
        "local_task_job_runner.py",
        RUNNER,
        "cgroup_task_runner.py",
    ]
)
# up to 1.10.3 the models were one module, then a package; trusted only under the stamps of those versions
OLD_AIRFLOW_FILES = AIRFLOW_FILES | {"models.py", "jobs.py", "__init__.py"}
_NESTING_FILES = ("base_task_runner.py", "logging_mixin.py")
COMMAND_FILES = frozenset(
    [
        "subprocess.py",
        "bash.py",
        "bash_operator.py",
        "pod_manager.py",
        "pod_launcher.py",
        "pod.py",
        "ssh.py",
        "ssh_operator.py",
        "docker.py",
        "docker_operator.py",
        "spark_submit.py",
        "spark_submit_hook.py",
    ]
)
_LEVELS = {"INFO": "info", "WARNING": "warning", "ERROR": "error", "WARN": "warning", "FATAL": "critical"}
# the commonest head, which `heads.HEAD` matches too, at a fraction of its cost
_COMMON_HEAD = re.compile(
    r"\[(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}([+-]\d{4}))\] \{([^{}:\n]+):\d+\} ([A-Z]+) - ?"
)

_MAY_BEGIN_HEAD = re.compile(r"\n[\[{\x1b]")


def read(text: str, *, key: LogKey, timezone: str = "UTC", keep_output: int = 50) -> Reading:
    """Read every record. `timezone` is the workers' zone, for logs before 2.3.4, whose stamps carry none."""
    raws, orphan = split(text)
    reading = Reading("airflow2", record_count=len(raws))
    if orphan.strip():
        reading.partial = "text before the first record"
    legacy = bool(raws) and raws[0].at_text[10:11] in (" ", "")
    if legacy:
        reading.dialect = "airflow1.10"
        raws = list(unnested(raws))
    elif raws and raws[0].at_text[10:11] == ",":
        reading.dialect = "airflow2_ui"
    return interpret(
        reading, raws, key=key, zone=ZoneInfo(timezone), is_legacy=legacy, keep_output=keep_output
    )


def is_head(line: bytes) -> bool:
    """Whether a line begins a record."""
    return head(line.decode("utf-8", "replace"), no=0) is not None


def split_record(record: bytes, *, no: int) -> list[Raw]:
    """One record's bytes as record number `no`; more than one where the text holds heads that were not seen."""
    text = record.decode("utf-8", "replace")
    if (match := _COMMON_HEAD.match(text)) and "\x1b[" not in text[:48]:
        said = text[match.end() :].rstrip("\n\r")
        if not (said.endswith("}") or _MAY_BEGIN_HEAD.search(said)):
            return [Raw(no, match[1], match[2], match[3], match[4], said)]
    raws, _orphan = split(text)
    for raw in raws:
        raw.no = no
    return raws


def interpret(
    reading: Reading, raws: list[Raw], *, key: LogKey, zone: ZoneInfo, is_legacy: bool, keep_output: int
) -> Reading:
    """What the records say together, in order; info records that tell nothing may be left out.

    Counts of warnings and errors are of the whole object, before repeated segments are dropped.
    """
    told = once(raws, reading, is_repeated=has_repeats(raws))
    return follow(reading, told, key=key, zone=zone, is_legacy=is_legacy, keep_output=keep_output)


def follow(
    reading: Reading,
    raws: Iterable[Raw],
    *,
    key: LogKey,
    zone: ZoneInfo,
    is_legacy: bool,
    keep_output: int,
    keep: Callable[[Record], None] | None = None,
) -> Reading:
    """As `interpret`, record by record as they come; `keep` takes them instead of `reading.records`."""
    following = Following(
        reading, key=key, zone=zone, is_legacy=is_legacy, keep_output=keep_output, keep=keep
    )
    for raw in raws:
        following.see(raw)
    following.conclude()
    return reading


class Following:
    """What the records of one attempt say together, taken in order."""

    def __init__(
        self,
        reading: Reading,
        *,
        key: LogKey,
        zone: tzinfo,
        is_legacy: bool = False,
        keep_output: int,
        keep: Callable[[Record], None] | None = None,
    ) -> None:
        self.reading, self.ending = reading, Ending(key)
        self._zone, self._keep_output = zone, keep_output
        self._keep = keep or reading.records.append
        self._trusted = OLD_AIRFLOW_FILES if is_legacy else AIRFLOW_FILES
        # "Executing <Task" was seen, and not yet the "Started process" that may follow
        self._is_announced = False

    def see(self, raw: Raw) -> None:
        """Take one record."""
        failure = last_exception(raw.text) if START in raw.text else None
        record = Record(raw.no, moment(raw.at_text, self._zone), level_of(raw), raw.file, raw.text, failure)
        self._keep(record)
        if raw.file in self._trusted:
            if raw.text.startswith((EXECUTING, STARTED_PROCESS)):
                self.begin(is_executing=raw.text.startswith(EXECUTING), at=record.at)
            self.ending.see(record)
            self.leave(raw.text, record.at)
        elif raw.file in COMMAND_FILES:
            self.reading.add_output(raw.text, keep=self._keep_output)
        elif raw.file in CONNECTION_FILES:
            self.reading.connect(raw.text)
        elif failure and raw.text.startswith(TRIGGER_FAILED):
            self.reading.add_trigger(failure)
        self.describe(raw.file, raw.text)

    def begin(self, *, is_executing: bool, at: datetime | None) -> None:
        """A process starts, by one of two records that Airflow writes of it."""
        if is_executing or not self._is_announced:
            self.reading.process_starts += 1
            self.reading.restart()
            self.reading.come_back(at)
            self.ending.start()
        self._is_announced = is_executing

    def leave(self, text: str, at: datetime | None) -> None:
        """The process ends, and the attempt goes on later, if this is what the record says."""
        if text.startswith(LEAVING):
            self.reading.leave(self.ending.state, at)

    def describe(self, file: str, text: str) -> None:
        """Host, owner, operator and logical date, where a record of Airflow tells them."""
        reading = self.reading
        if file in HOST_FILES:
            if reading.hostname is None and (match := _HOST.match(text)):
                reading.hostname = match["host"]
        elif file not in OLD_AIRFLOW_FILES:
            pass
        elif reading.owner is None and text.startswith("Exporting "):
            match = _OWNER.search(text)
            name = (match["quoted"] or match["bare"]).strip() if match else DEFAULT_OWNER
            reading.owner = name if name != DEFAULT_OWNER else None
        elif reading.operator is None and (match := _EXECUTING.match(text)):
            reading.operator = match["operator"]
            try:
                at = datetime.fromisoformat(match["at"])
                reading.logical_date = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
            except (ValueError, OverflowError):
                pass

    def conclude(self) -> None:
        """Say how the attempt ended."""
        self.ending.conclude(self.reading)


def level_of(raw: Raw) -> str:
    return _LEVELS.get(raw.level) or raw.level.lower()


def unnested(raws: Iterable[Raw]) -> Iterator[Raw]:
    """Up to 1.10 a child's records pass through another logger: `Job 7: Subtask t [..] {x.py:60} INFO - msg`.

    Each line of a child's traceback then has a head of its own: they are one record of the child again here.
    """
    child: Raw | None = None
    for raw in raws:
        if raw.file not in _NESTING_FILES:
            if child:
                yield child
            child = None
            yield raw
            continue
        match = _SUBTASK.match(raw.text)
        text = ANSI.sub("", raw.text[match.end() :] if match else raw.text)
        inner = head(text, no=raw.no)
        if match and not inner and child:
            child.text += "\n" + text
            continue
        if child:
            yield child
        child = None
        if match:
            child = inner or Raw(raw.no, raw.at_text, raw.zone, raw.file, raw.level, text)
        else:
            yield inner or raw
    if child:
        yield child


def once(raws: Iterable[Raw], reading: Reading, *, is_repeated: bool) -> Iterator[Raw]:
    """Where the local file survives, each further upload appends it whole: later segments repeat earlier ones.

    Only then are equal records dropped; elsewhere two equal prints in one millisecond are two records.
    """
    seen: set[bytes] = set()
    for raw in raws:
        level = level_of(raw)
        reading.warning_count += level in WARNINGS
        reading.error_count += level in ERRORS
        if is_repeated:
            text = f"{raw.at_text}\0{raw.file}\0{raw.text}".encode("utf-8", "replace")
            identity = blake2b(text, digest_size=16).digest()
            if identity in seen:
                continue
            if len(seen) < MAX_SEEN:
                seen.add(identity)
            else:
                reading.partial = "repeated segments of more records than are compared"
        yield raw


def has_repeats(raws: list[Raw]) -> bool:
    """Whether one process start is told twice: the object then holds segments more than once."""
    starts = [start for raw in raws if (start := process_start(raw))]
    return len(starts) != len(set(starts))


def process_start(raw: Raw) -> tuple[str, str] | None:
    """What tells one process start from another; None for any other record."""
    if raw.file == RUNNER and raw.text.startswith(STARTED):
        return raw.at_text, raw.text
    return None
