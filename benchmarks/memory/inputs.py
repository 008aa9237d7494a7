"""What the pulls of the memory benchmark read: many small objects, objects of gigabytes, lines of megabytes.

All are made of real records of data/sample/real, repeated, with a real beginning and a real ending around them.
"""

from __future__ import annotations

import gzip
import json
import os
import random
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from itertools import chain, count, islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.reading.corpus import AT, large, real
from windsock.lake import Lake
from windsock.lake.files import arrow_schema
from windsock.schema import TABLES

RUN = "dag_id={dag}/run_id=scheduled__2026-11-23T10:00:00+00:00/task_id={task}/attempt=1.log"
BLOCK_BYTES = 8_000_000
_LINKS = 50_000  # below what file systems allow for one file


def small_objects(root: Path, count: int) -> None:
    """`count` real logs, as links to a few files: what they take on disk is not what is measured."""
    logs = [one.data for name in ("airflow3", "airflow2") for one in real(name).objects]
    for first in range(0, count, _LINKS):
        sources = [
            _written(root.parent / f"sources/{first}-{place}", data) for place, data in enumerate(logs)
        ]
        for number in range(first, min(count, first + _LINKS)):
            path = root / RUN.format(dag=f"dag_{number % 200:03d}", task=f"task_{number // 200:06d}")
            path.parent.mkdir(parents=True, exist_ok=True)
            os.link(sources[number % len(sources)], path)


def long_log(root: Path, dialect: str, size: int, *, is_failed: bool) -> None:
    """One object of `size` bytes: varied user lines, some warnings, and an ending; a failed one is a command's."""
    (model,) = large(dialect, megabytes=BLOCK_BYTES // 1_000_000, count=1).objects
    lines = model.data.split(b"\n")
    head, block = b"\n".join(lines[:20]) + b"\n", b"\n".join(lines[20:-20]) + b"\n"
    tail = _FAILED[dialect] if is_failed else b"\n".join(lines[-20:])
    path = root / RUN.format(dag=f"long_{dialect}", task="failed" if is_failed else "done")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as handle:
        handle.write(head)
        while handle.tell() < size:
            handle.write(block)
        handle.write(tail)
    _dated(path)


def wrapped_log(root: Path, form: str, size: int) -> None:
    """The log of a task as a collector wrote it into a bucket, of `size` bytes: `docker`'s objects in order, the `runtime`'s
    own file, or a `loki` export stream by stream."""
    (model,) = large("airflow3", megabytes=BLOCK_BYTES // 1_000_000, count=1).objects
    lines = model.data.decode().split("\n")
    body, tail = lines[:-20], lines[-20:]
    path = root / RUN.format(dag=f"wrapped_{form}", task="done")
    path.parent.mkdir(parents=True, exist_ok=True)
    wrap, more = _WRAPPED[form]
    times = size // (sum(map(len, body)) + len(body) * more) + 1
    total = times * len(body) + len(tail)
    streams = _STREAMS if form == "loki" else 1
    with path.open("w") as handle:
        for no in chain.from_iterable(range(first, total, streams) for first in range(streams)):
            line = tail[no - total] if no >= total - len(tail) else body[no % len(body)]
            handle.write(wrap(line, no))
    _dated(path)


def _docker(line: str, _no: int) -> str:
    return json.dumps({"log": line + "\n", "stream": "stdout", "time": "2026-11-23T15:23:27.467692Z"}) + "\n"


def _runtime(line: str, _no: int) -> str:
    return f"2026-11-23T15:23:27.467692Z stdout F {line}\n"


def _loki(line: str, no: int) -> str:
    return json.dumps({"line": line, "timestamp": 1_795_447_300_000_000_000 + no}) + "\n"


_STREAMS = 8
_WRAPPED = {"docker": (_docker, 80), "runtime": (_runtime, 40), "loki": (_loki, 60)}


def single_line(root: Path, dialect: str, size: int) -> None:
    """A log in which the task printed one line of `size` bytes."""
    (model,) = large(dialect, megabytes=1, count=1).objects
    lines = model.data.split(b"\n")
    path = root / RUN.format(dag=f"line_{dialect}", task="print")
    path.parent.mkdir(parents=True, exist_ok=True)
    head, tail = _LINE[dialect]
    piece = b"0123456789abcdef" * 65536
    with path.open("wb") as handle:
        handle.write(b"\n".join(lines[:20]) + b"\n" + head)
        while handle.tell() < size:
            handle.write(piece)
        handle.write(tail + b"\n" + b"\n".join(lines[-20:]))
    _dated(path)


def scheduler_log(root: Path, size: int, *, is_zipped: bool) -> None:
    """A scheduler's output: of 25 lines one tells of a finished try, one of a run, the rest is what it prints all day."""
    path = root / ("scheduler.log.gz" if is_zipped else "scheduler.log")
    path.parent.mkdir(parents=True, exist_ok=True)
    numbers, written = count(), 0
    with gzip.open(path, "wb", compresslevel=1) if is_zipped else path.open("wb") as handle:
        while written < size:
            block = "".join(_around_a_try(number) for number in islice(numbers, 2000)).encode()
            handle.write(block)
            written += len(block)
    _dated(path)


def _around_a_try(number: int) -> str:
    at = AT - timedelta(days=1) + timedelta(seconds=number / 10)
    dag_id = f"dag_{number % 500}"
    return _SCHEDULER.format(at=at.isoformat(timespec="milliseconds"), dag=dag_id, n=number, started=at)


def statsd_capture(root: Path, size: int) -> None:
    """Days of a fleet's StatsD lines: pools, heartbeats, 300 files' parse times, 2,000 tasks' timers and counters."""
    path = root / "airflow.statsd"
    path.parent.mkdir(parents=True, exist_ok=True)
    rng, at = random.Random(7), (AT - timedelta(days=6)).timestamp()
    gauges = ("open_slots", "running_slots", "queued_slots", "deferred_slots", "scheduled_slots")
    with path.open("w") as handle:
        while handle.tell() < size:
            lines = [f"{at:.3f} airflow.scheduler_heartbeat:1|c"]
            lines += [
                f"{at:.3f} airflow.pool.{gauge}.pool_{no}:{no}|g" for no in range(20) for gauge in gauges
            ]
            for no in range(300):
                lines.append(
                    f"{at:.3f} airflow.dag_processing.last_duration.file_{no}:{rng.random() * 2000:.6f}|ms"
                )
            for no in rng.sample(range(2000), 400):
                name = f"dag_{no // 10}.task_{no % 10}"
                lines.append(f"{at:.3f} airflow.dag.{name}.duration:{rng.random() * 1e6:.6f}|ms")
                lines.append(f"{at:.3f} airflow.ti.finish.{name}.success:1|c")
            handle.write("\n".join(lines) + "\n")
            at += 5
    _dated(path)


def failed_log(root: Path) -> None:
    """A small log of a command that failed: one event on the day of `partition`."""
    path = root / RUN.format(dag="orders", task="load")
    _written(path, _FAILED["airflow2"])


def partition(lake: Path, size: int, *, seed: int = 7) -> None:
    """A lake whose file of one day's `log_events` has `size` bytes: messages of 3 kB that no compression makes small."""
    Lake.open(str(lake), deployment="memory", create=True)
    path = lake / "log_events/week=2026-11-23/part-000-of-001-d1.parquet"
    path.parent.mkdir(parents=True)
    schema, rng, at = (
        arrow_schema(TABLES["log_events"]),
        random.Random(seed),
        datetime(2026, 11, 23, 10, tzinfo=UTC),
    )
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while path.stat().st_size < size:
            rows = [
                {"dag_id": f"dag_{no // 1000:06d}", "run_id": "r", "task_id": f"t{no:09d}", "map_index": -1, "try_number": 1,
                 "logged_at": at, "record_no": 1, "level": "error", "message": b64encode(rng.randbytes(2250)).decode(),
                 "object_url": f"s3://logs/{no}", "read_at": at}
                for no in range(count, count + 4000)
            ]  # fmt: skip
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
            count += len(rows)


def _written(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    _dated(path)
    return path


def _dated(path: Path, at: datetime = AT) -> None:
    os.utime(path, (at.timestamp(), at.timestamp()))


_DULL = (
    "[{at}] {{scheduler_job_runner.py:1}} INFO - 3 tasks up for execution: <TaskInstance: {dag}.t r{n} [scheduled]>\n"
    "[{at}] {{scheduler_job_runner.py:2}} INFO - Sending tasks to the executor with priority 1 and queue default\n"
)
_SCHEDULER = (
    _DULL
    * 11
    + "[{at}] {{scheduler_job_runner.py:813}} INFO - TaskInstance Finished: dag_id={dag}, task_id=t, run_id=r{n}, map_index=-1, "
    "run_start_date={started}, run_end_date={started}, run_duration=5.5, state=success, "
    "executor=CeleryExecutor(parallelism=8), executor_state=success, try_number=1, max_tries=0, job_id=64, "
    "pool=default_pool, queue=default, priority_weight=2, operator=PythonOperator, queued_dttm={started}, "
    "queued_by_job_id=62, pid=698\n"
    "[{at}] {{scheduler_job_runner.py:1}} INFO - Run r{n} of {dag} has timed-out\n"
)
"""What a scheduler prints around one try."""
_LINE = {
    "airflow3": (
        b'{"timestamp":"2026-11-23T15:23:27.467692Z","level":"info","event":"',
        b'","logger":"task.stdout"}',
    ),
    "airflow2": (b"[2026-11-23T15:22:59.673+0000] {logging_mixin.py:190} INFO - ", b""),
}
_FAILED = {
    "airflow3": b"".join(
        b'{"timestamp":"2026-11-23T15:23:2%d.000001Z","level":"info","event":"out %d","logger":"airflow.task.hooks.x.SubprocessHook"}\n'
        % (no % 10, no)
        for no in range(90)
    )
    + b'{"timestamp":"2026-11-23T15:23:30.000001Z","level":"error","event":"Task failed with exception","logger":"task","error_detail":'
    b'[{"exc_type":"AirflowException","exc_value":"Bash command failed. The command returned a non-zero exit code 1.","frames":[]}]}\n',
    "airflow2": b"".join(
        b"[2026-11-23T15:23:2%d.000+0000] {subprocess.py:106} INFO - out %d\n" % (no % 10, no)
        for no in range(90)
    )
    + b"[2026-11-23T15:23:30.000+0000] {taskinstance.py:3313} ERROR - Task failed with exception\n"
    b'Traceback (most recent call last):\n  File "/opt/dags/d.py", line 1, in f\n'
    b"airflow.exceptions.AirflowException: Bash command failed. The command returned a non-zero exit code 1.\n"
    b"[2026-11-23T15:23:30.100+0000] {taskinstance.py:1226} INFO - Marking task as FAILED. dag_id=long_airflow2, task_id=failed\n",
}
"""The end of a command that failed, with its last lines of output."""
