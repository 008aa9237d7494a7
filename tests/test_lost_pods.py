"""Lost pods, from objects to the report's first line: with the scheduler's log, and without it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest
from benchmarks.fleet.records import Attempt

from tests.support.weeks import LOGS, put, put_logs, report_of
from windsock.week import Week

pytestmark = pytest.mark.long

WEEK = Week.parse("2026-W47")
LOST_DAGS = [f"etl_{n}" for n in range(6)]
DAGS = [*LOST_DAGS, "steady", "sometimes_fails"]
HIT = WEEK.from_at + timedelta(days=2)
LOST_RUNS, SAVED_RUNS = 13, 15  # both tries lost; the first lost and the second done: 41 tries in all


def attempt(dag_id: str, due: datetime, task_id: str, *, number: int = 1, ending: str = "success") -> Attempt:
    begun = due + timedelta(minutes=2 if task_id == "extract" else 10 + 20 * number)
    error = ("ValueError", "no rows") if ending == "failed" else ("", "")
    return Attempt(dag_id, f"scheduled__{due.isoformat()}", task_id, number, 2, begun, 300, ending, error)


def told(one: Attempt) -> str:
    """What the scheduler of a KubernetesExecutor writes of a pod that was killed for its memory."""
    at, state = one.ended_at, "up_for_retry" if one.try_number == 1 else "failed"
    return (
        f"[{at:%Y-%m-%dT%H:%M:%S}.000+0000] {{kubernetes_executor.py:857}} WARNING - Task TaskInstanceKey(dag_id='{one.dag_id}', "
        f"task_id='{one.task_id}', run_id='{one.run_id}', try_number={one.try_number}, map_index=-1) failed in pod airflow/x. "
        "Pod phase: Failed, reason: None, message: None, container_type: main, container_name: base, container_state: "
        "terminated, container_reason: OOMKilled, container_message: None, exit_code: 137\n"
        f"[{at:%Y-%m-%dT%H:%M:%S}.500+0000] {{scheduler_job_runner.py:813}} INFO - TaskInstance Finished: dag_id={one.dag_id}, "
        f"task_id={one.task_id}, run_id={one.run_id}, map_index=-1, run_start_date={one.started_at:%Y-%m-%d %H:%M:%S}.000000+00:00, "
        f"run_end_date={at:%Y-%m-%d %H:%M:%S}.000000+00:00, run_duration=300.0, state={state}, executor=KubernetesExecutor, "
        f"executor_state=failed, try_number={one.try_number}, max_tries=1, job_id=64, pool=default_pool, queue=default, "
        f"priority_weight=1, operator=PythonOperator, queued_dttm={one.started_at:%Y-%m-%d %H:%M:%S}.000000+00:00, "
        "queued_by_job_id=62, pid=698\n"
    )


def fleet() -> tuple[list[Attempt], list[Attempt]]:
    """Tries that left an object, and those that left none: nine weeks, two runs a day of each DAG."""
    kept, lost = [], []
    hit = set(islice(hits(), LOST_RUNS + SAVED_RUNS))
    ends = dict.fromkeys(islice(hits(), LOST_RUNS), 2)
    for dag_id in DAGS:
        for n in range(126):
            due = WEEK.minus(8).from_at + timedelta(hours=12 * n)
            kept.append(attempt(dag_id, due, "extract"))
            if dag_id == "sometimes_fails" and n % 14 in (3, 9):
                kept += [attempt(dag_id, due, "load", number=k, ending="failed") for k in (1, 2)]
            elif (dag_id, due) in hit:
                lost += [
                    attempt(dag_id, due, "load", number=k) for k in range(1, ends.get((dag_id, due), 1) + 1)
                ]
                kept += [attempt(dag_id, due, "load", number=2)] if (dag_id, due) not in ends else []
            else:
                kept.append(attempt(dag_id, due, "load"))
    return kept, lost


def hits() -> Iterator[tuple[str, datetime]]:
    return ((dag_id, HIT + timedelta(hours=12 * n)) for n in range(6) for dag_id in LOST_DAGS)


@pytest.fixture
def pods(tmp_path: Path) -> tuple[Path, list[Attempt]]:
    kept, lost = fleet()
    put_logs(tmp_path, kept)
    assert (len(lost), len({one.dag_id for one in lost})) == (41, 6)
    return tmp_path, lost


def test_the_first_line_says_what_ran_out_of_memory_and_what_it_cost(
    pods: tuple[Path, list[Attempt]],
) -> None:
    root, lost = pods
    lines = "".join(told(one) for one in sorted(lost, key=lambda one: one.ended_at))
    put(root / "components/scheduler.log", lines.encode(), WEEK.to_at)
    body, _ = report_of(root, WEEK, f"{LOGS}[sources.component_logs]\nurl = 'components'\n")
    assert body["verdict"] == "worse"
    assert body["verdict_sentence"].startswith(
        "Worse: 41 tries in 6 DAGs ran out of memory and left no log; the fleet lost 15 runs this week, 2 in the median of the weeks before"
    )
    first = body["findings"][0]
    assert (first["code"], first["evidence"]["exit_codes"], first["evidence"]["reasons"]) == (
        "WS511",
        [137],
        ["OOMKilled"],
    )


def test_without_the_schedulers_log_the_cause_is_not_seen_and_it_is_never_the_same(
    pods: tuple[Path, list[Attempt]],
) -> None:
    """Only tries that a later one proves can be counted; runs short of a task are told apart from them."""
    body, _ = report_of(pods[0], WEEK)
    assert body["verdict"] == "worse"
    assert body["verdict_sentence"].startswith(
        "Worse: 15 tries in 6 DAGs left no log, cause not seen; in 13 runs a task that always ran left nothing"
    )
    first = body["findings"][0]
    assert (first["evidence"]["known_by_next_try"], first["evidence"]["runs_short_of_a_task"]) == (15, 13)
    assert "component_logs" in first["advice"]
