"""The scheduler's log of Airflow 2.11, one file a day: how each try and each run ended (shapes taken from a real one)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta
from itertools import groupby

from benchmarks.fleet.records import Attempt

STATES = {"success": "success", "retry": "up_for_retry", "failed": "failed", "killed": "failed"}


def logs_of(attempts: Iterable[Attempt]) -> Iterator[tuple[str, bytes, datetime]]:
    """Name, text and time of upload of each day's log."""
    lines = sorted(line for run in _runs(attempts) for line in _lines(run))
    for day, told in groupby(lines, key=lambda line: line[0].date()):
        body = "".join(f"{text}\n" for _, text in told).encode()
        yield (
            f"scheduler/{day}.log",
            body,
            datetime.combine(day + timedelta(days=1), time(), lines[0][0].tzinfo),
        )


def _runs(attempts: Iterable[Attempt]) -> Iterator[list[Attempt]]:
    ordered = sorted(attempts, key=lambda one: (one.dag_id, one.run_id, one.started_at))
    for _, run in groupby(ordered, key=lambda one: (one.dag_id, one.run_id)):
        yield list(run)


def _lines(run: list[Attempt]) -> Iterator[tuple[datetime, str]]:
    for one in run:
        if one.ending == "lost":
            yield _given_up(one)
            continue
        queued = one.queued_at or one.started_at - timedelta(seconds=2)
        yield _line(one.ended_at + timedelta(seconds=1), "scheduler_job_runner.py:813", (
            f"TaskInstance Finished: dag_id={one.dag_id}, task_id={one.task_id}, run_id={one.run_id}, map_index=-1, "
            f"run_start_date={_at(one.started_at)}, run_end_date={_at(one.ended_at)}, run_duration={one.seconds:.6f}, "
            f"state={STATES[one.ending]}, executor=CeleryExecutor(parallelism=32), executor_state=success, "
            f"try_number={one.try_number}, max_tries={one.max_tries - 1}, job_id=410, pool={one.pool}, queue={one.queue}, "
            f"priority_weight=1, operator=PythonOperator, queued_dttm={_at(queued)}, queued_by_job_id=1, pid=7798"
        ))  # fmt: skip
    first, last = run[0], run[-1]
    began, ended = (
        first.run_started_at or first.started_at - timedelta(seconds=4),
        last.ended_at + timedelta(seconds=2),
    )
    state = "success" if last.ending == "success" else "failed"
    logical = datetime.fromisoformat(first.run_id.partition("__")[2])
    yield _line(ended, "dagrun.py:905", (
        f"DagRun Finished: dag_id={first.dag_id}, execution_date={logical.isoformat(sep=' ')}, run_id={first.run_id}, "
        f"run_start_date={_at(began)}, run_end_date={_at(ended)}, run_duration={(ended - began).total_seconds():.6f}, "
        f"state={state}, external_trigger=False, run_type=scheduled, dag_hash=2ed2639a4b4cc1ba52ca25dbe591ea0b"
    ))  # fmt: skip


def _given_up(one: Attempt) -> tuple[datetime, str]:
    """A try whose heartbeat stopped: the one thing that is told of it."""
    began, file = one.started_at, f"/opt/airflow/dags/{one.dag_id}.py"
    parts = f"{began.year}, {began.month}, {began.day}, {began.hour}, {began.minute}, {began.second}, {began.microsecond}"
    ids = f"dag_id='{one.dag_id}', task_id='{one.task_id}', run_id='{one.run_id}'"
    return _line(one.ended_at, "scheduler_job_runner.py:2154", (
        f"Detected zombie job: {{'full_filepath': '{file}', 'processor_subdir': '/opt/airflow/dags', 'msg': \"{{'DAG Id': "
        f"'{one.dag_id}', 'Task Id': '{one.task_id}', 'Run Id': '{one.run_id}', 'Hostname': '{one.host}'}}\", "
        f"'simple_task_instance': SimpleTaskInstance({ids}, map_index=-1, start_date=datetime.datetime({parts}, "
        f"tzinfo=Timezone('UTC')), end_date=None, try_number={one.try_number}, state='running', executor=None, "
        f"executor_config={{}}, run_as_user=None, pool='{one.pool}', priority_weight=1, queue='{one.queue}', "
        f"key=TaskInstanceKey({ids}, try_number={one.try_number}, map_index=-1)), 'task_callback_type': None}} (See "
        "https://airflow.apache.org/docs/apache-airflow/stable/core-concepts/tasks.html#zombie-undead-tasks)"
    ), "ERROR")  # fmt: skip


def _line(at: datetime, place: str, text: str, level: str = "INFO") -> tuple[datetime, str]:
    return at, f"[{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000] {{{place}}} {level} - {text}"


def _at(at: datetime) -> str:
    return at.isoformat(sep=" ", timespec="microseconds")
