"""Logs of a `log_format` of the operator's own: the real logs of Airflow 2, put into other formats, say what they said."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from windsock.model import LogKey, Parsed
from windsock.parse import parse_key, read_task_log
from windsock.parse.heads import Raw, split
from windsock.parse.stream import read_stream

REAL = Path(__file__).parents[2] / "data/sample/real/airflow2"
LOGS = sorted(REAL.rglob("attempt=*.log"))
SAME = ("state", "state_reason", "exception_type", "exception_message", "error_signature", "blame", "record_count",
        "warning_count", "error_count", "process_starts", "started_at", "ended_at", "hostname", "operator", "owner")  # fmt: skip
LOGGERS = {
    "taskinstance.py": "airflow.models.taskinstance.TaskInstance",
    "local_task_job_runner.py": "airflow.jobs.local_task_job_runner.LocalTaskJobRunner",
    "standard_task_runner.py": "airflow.task.task_runner.standard_task_runner.StandardTaskRunner",
    "subprocess.py": "airflow.task.hooks.airflow.providers.standard.hooks.subprocess.SubprocessHook",
}


def logger_of(raw: Raw) -> str:
    return LOGGERS.get(raw.file, f"airflow.task.operators.some.{raw.file.removesuffix('.py')}.Class")


FORMATS: dict[str, Callable[[Raw], str]] = {
    "%(asctime)s %(levelname)s %(filename)s:%(lineno)d - %(message)s": lambda r: f"{r.at_text} {r.level} {r.file}:12 - {r.text}",
    "%(asctime)s [%(levelname)-8s] %(pathname)s(%(lineno)d): %(message)s": lambda r: (
        f"{r.at_text} [{r.level:<8}] /usr/lib/python3.12/site-packages/x/{r.file}(9): {r.text}"
    ),
    "[%(levelname)s] [%(process)d] {%(filename)s} %(asctime)s | %(message)s": lambda r: (
        f"[{r.level}] [{len(r.text)}] {{{r.file}}} {r.at_text} | {r.text}"
    ),
    "%(asctime)s %(threadName)s %(name)s %(levelname)s: %(message)s": lambda r: (
        f"{r.at_text} MainThread {logger_of(r)} {r.level}: {r.text}"
    ),
    "coloured": lambda r: f"\x1b[34m{r.at_text}\x1b[0m {r.level} \x1b[35m{r.file}:3\x1b[0m -- {r.text}",
    "python-json-logger": lambda r: json.dumps(
        {"timestamp": r.at_text, "level": r.level, "name": logger_of(r), "message": r.text, "filename": r.file}
    ),
    "ECS": lambda r: json.dumps(
        {"@timestamp": r.at_text, "log": {"level": r.level.lower(), "origin": {"file": {"name": r.file}}}, "message": r.text}
    ),
    "severity, logger and a trace of its own": lambda r: json.dumps(
        {"time": r.at_text, "severity": r.level, "logger": logger_of(r), "msg": r.text.split("\nTraceback", 1)[0]}
        | ({"exc_info": "Traceback" + r.text.split("\nTraceback", 1)[1]} if "\nTraceback" in r.text else {})
    ),
}  # fmt: skip


def told(key: LogKey, data: bytes, *, is_long: bool = False) -> dict[str, object]:
    options = {"object_url": "x", "etag": "e", "modified_at": datetime(2026, 11, 24, tzinfo=UTC)}
    if is_long:
        outcome = read_stream(key, lambda: [data], size=len(data), whole_bytes=0, piece_bytes=500, **options)  # type: ignore[arg-type]
    else:
        outcome = read_task_log(key, data, **options)  # type: ignore[arg-type]
    assert isinstance(outcome, Parsed), outcome
    (row,) = outcome.rows["task_logs"]
    return {name: row[name] for name in SAME}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("is_long", [False, True], ids=["whole", "in pieces"])
def test_a_log_in_another_format_says_the_same(name: str, is_long: bool) -> None:
    count = 0
    for path in LOGS:
        raws, before = split(path.read_text(encoding="utf-8", errors="replace"))
        key = parse_key(str(path))
        if not raws or before or key is None or not any(raw.file in LOGGERS for raw in raws):
            continue
        text = "\n".join(map(FORMATS[name], raws)) + "\n"
        usual = "".join(f"[{r.at_text}] {{{r.file}:1}} {r.level} - {r.text}\n" for r in raws)
        assert told(key, text.encode(), is_long=is_long) == told(key, usual.encode()), path
        count += 1
    assert count >= 40


def test_what_a_user_prints_in_the_usual_format_is_no_record_of_such_a_log() -> None:
    key = LogKey("d", "r", "t", -1, 1)
    text = (
        "2026-11-20T05:48:30.617+0000 INFO taskinstance.py:1 - Executing <Task(PythonOperator): t> on 2026-11-20\n"
        "2026-11-20T05:48:31.617+0000 INFO d.py:1 - as the docs show:\n"
        "[2026-11-20T05:48:30.617+0000] {taskinstance.py:1} INFO - Marking task as FAILED. dag_id=d, task_id=t, x\n"
        "2026-11-20T05:48:32.617+0000 INFO taskinstance.py:1 - Marking task as SUCCESS. dag_id=d, task_id=t, x\n"
    )
    row = told(key, text.encode())
    assert (row["state"], row["record_count"]) == ("success", 3)


@pytest.mark.parametrize(
    "text",
    [
        "Marking task as SUCCESS. dag_id=d, task_id=t\n",
        "INFO - Marking task as SUCCESS. dag_id=d, task_id=t\n",
        "2026-11-20 05:48:30 Marking task as SUCCESS. dag_id=d, task_id=t\n",
        '{"message": "Marking task as SUCCESS", "level": "INFO"}\n',
        '{"message": "Marking task as SUCCESS", "level": 20, "time": "2026-11-20 05:48:30"}\n',
    ],
)
def test_a_format_without_time_or_level_is_not_guessed_at(text: str) -> None:
    outcome = read_task_log(
        LogKey("d", "r", "t", -1, 1), text.encode(), object_url="x", etag="e", modified_at=None
    )
    assert getattr(outcome, "reason", "") == "not_a_log"


def test_a_time_in_seconds_since_1970_is_a_time() -> None:
    line = {
        "created": 1763617710.5,
        "levelname": "INFO",
        "message": "Marking task as SUCCESS. dag_id=d, task_id=t, x",
    }
    row = told(LogKey("d", "r", "t", -1, 1), json.dumps(line).encode() + b"\n")
    assert (row["state"], row["started_at"]) == (
        "success",
        datetime(2025, 11, 20, 5, 48, 30, 500000, tzinfo=UTC),
    )


def test_no_line_makes_the_look_for_a_format_slow() -> None:
    """A head of thousands of words would be an expression that backtracks: heads are looked for in a line's beginning."""
    line = "2026-11-20 05:48:30 INFO " + "a1 " * 100_000 + "Marking task as SUCCESS\n"
    outcome = read_task_log(
        LogKey("d", "r", "t", -1, 1), line.encode() * 3, object_url="x", etag="e", modified_at=None
    )
    assert re.match("not_a_log", getattr(outcome, "reason", ""))
