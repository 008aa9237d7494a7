"""Whole weeks of which the report said something untrue or unknown, read as their user would."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from benchmarks.fleet.records import Attempt, airflow2
from benchmarks.fleet.scheduler import logs_of

from tests.support.fleets import WEEK, calm, every, runs, since
from tests.support.weeks import LOGS, put, put_logs, report_of

pytestmark = pytest.mark.long

MINUTE = timedelta(minutes=1)
WITH_SCHEDULER = f"{LOGS}[sources.component_logs]\nurl = 'components'\n"
NO_DATABASE = ("OperationalError", 'could not connect to server "db1.acme.example": Connection refused')


def outage(due: datetime, dag: int, failures: int, *, is_saved: bool) -> list[Attempt]:
    """A run that begins as the database goes: so many tries fail, twenty minutes apart; is it back then, the next one is well."""
    ends = ["retry"] * (failures - 1) + (["retry", "success"] if is_saved else ["failed"])
    run, at = f"scheduled__{due.isoformat()}", due + dag * MINUTE
    return [
        Attempt(f"dag_{dag}", run, "load", number, len(ends), at + number * 20 * MINUTE, 30, ending,
                ("", "") if ending == "success" else NO_DATABASE, connection="warehouse")
        for number, ending in enumerate(ends, 1)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("failures", "saved", "sentence"),
    [(5, 25, "Retries saved 25 of 25 task executions that failed from Thu 19 Nov"), (1, 20, "Retries saved 20 of 25 task executions"),
     (3, 0, "It lasted from Thu 19 Nov")],
)  # fmt: skip
def test_an_outage_says_how_many_executions_its_retries_saved(
    tmp_path: Path, failures: int, saved: int, sentence: str
) -> None:
    tries = calm(3)
    for dag in range(25):
        for due in every(1 / 8, since(6) + timedelta(hours=21), since(-14)):
            if due == since(3) + timedelta(hours=9):
                tries += outage(due, dag, failures, is_saved=dag < saved)
            else:
                tries += [Attempt(f"dag_{dag}", f"scheduled__{due.isoformat()}", "load", 1, 2, due + dag * MINUTE, 60, "success")]  # fmt: skip
    put_logs(tmp_path, tries)
    body, mail = report_of(tmp_path, WEEK)
    assert [one["code"] for one in body["findings"]] == ["WS110"]
    assert sentence in mail


def test_a_dag_that_airflow_paused_is_told_once_and_is_no_silence_of_the_fleet(tmp_path: Path) -> None:
    """The only DAG that runs by day is paused on Wednesday: Sunday after the last nightly one nothing runs."""
    paused_at = since(2.5) + 3 * MINUTE
    tries = calm(6) + list(
        runs("auto", [due for due in every(1 / 4, since(6.75)) if due < paused_at],
             lambda due: "failed" if since(2) <= due else "success")
    )  # fmt: skip
    line = f"[{paused_at:%Y-%m-%dT%H:%M:%S}.000+0000] {{dagrun.py:1234}} INFO - Pausing DAG auto because last 3 DAG runs failed.\n"
    for name, body, at in logs_of(tries):
        put(tmp_path / "components" / name, body + (line.encode() if "2026-11-18" in name else b""), at)
    put_logs(tmp_path, tries)
    body, mail = report_of(tmp_path, WEEK, WITH_SCHEDULER)
    assert [one["code"] for one in body["findings"]] == ["WS503"]
    assert "1. auto was paused by Airflow after 3 failed runs in a row on Wed 18 Nov 12:03 UTC" in mail
    assert "Nothing started" not in mail and "never came" not in mail


def without_image(one: Attempt) -> str:
    """What the scheduler of a KubernetesExecutor writes of a pod whose image cannot be pulled."""
    at = one.started_at
    ids = f"dag_id={one.dag_id}, task_id={one.task_id}, run_id={one.run_id}, map_index=-1"
    key = f"{one.dag_id}.{one.task_id}"
    return (
        f"[{at:%Y-%m-%dT%H:%M:%S}.000+0000] {{kubernetes_executor_utils.py:301}} ERROR - Event: {one.dag_id}-{one.task_id}-"
        f"{at:%d%H%M} has container base with fatal reason ErrImagePull, task: {key}.{one.try_number}\n"
        f"[{at:%Y-%m-%dT%H:%M:%S}.100+0000] {{scheduler_job_runner.py:813}} INFO - TaskInstance Finished: {ids}, "
        "run_start_date=None, run_end_date=None, run_duration=None, state=queued, executor=KubernetesExecutor, "
        f"executor_state=failed, try_number={one.try_number}, max_tries=1, job_id=None, pool=default_pool, queue=default, "
        f"priority_weight=1, operator=PythonOperator, queued_dttm={at - MINUTE:%Y-%m-%d %H:%M:%S}.000000+00:00, "
        "queued_by_job_id=62, pid=None\n"
        f"[{at:%Y-%m-%dT%H:%M:%S}.200+0000] {{scheduler_job_runner.py:900}} ERROR - Executor reported that the task instance "
        f"<TaskInstance: {key} {one.run_id} [queued]> finished with state failed, but the task instance's state attribute is "
        "queued. Learn more: https://airflow.apache.org/docs/apache-airflow/stable/troubleshooting.html"
        "#task-state-changed-externally\n"
    )


def test_pods_without_an_image_are_told_by_their_reason_and_by_no_other_name(tmp_path: Path) -> None:
    """The executor reports each as ended while queued, which elsewhere means a file that does not import."""
    kept = list(runs("score", [due for due in every(1, since(6)) if due < since(2)]))
    put_logs(tmp_path, [*calm(4), *kept])
    for due in every(1, since(6), since(2)):
        run = f"scheduled__{due.isoformat()}"
        lines = "".join(
            without_image(Attempt("score", run, "load", number, 2, due + number * 15 * MINUTE, 0, "lost"))
            for number in (1, 2)
        )
        put(tmp_path / "components" / f"{due:%Y-%m-%d}.log", lines.encode(), due + timedelta(days=1))
    body, mail = report_of(tmp_path, WEEK, WITH_SCHEDULER)
    assert [one["code"] for one in body["findings"]] == ["WS106", "WS511"]
    assert "10 tries in 1 DAG left no log: their pod never started (ErrImagePull)" in mail
    assert "Mend image name, tag or pull secret of score: no retry helps." in mail


@pytest.mark.parametrize("is_told", [True, False], ids=["the scheduler's log tells", "logs alone"])
def test_logs_of_a_worker_that_uploads_none_for_two_days(tmp_path: Path, is_told: bool) -> None:
    """The scheduler's log of Airflow 2 tells how each try ended, and not on which host; logs alone tell nothing of them."""
    tries = [
        Attempt(f"dag_{dag}", f"scheduled__{due.isoformat()}", "load", 1, 1, due + dag * MINUTE, 120, "success",
                host=f"worker-{(place + dag) % 4}")
        for dag in range(12)
        for place, due in enumerate(every(1 / 4, since(6.75)))
    ]  # fmt: skip
    missing = 0
    for one in tries:
        is_missing = one.host == "worker-2" and since(2) <= one.started_at < since(4)
        missing += is_missing
        if not is_missing:
            put(tmp_path / "logs" / one.key, airflow2(one), one.ended_at)
    for name, body, at in logs_of(tries):
        put(tmp_path / "components" / name, body, at)
    assert missing == 24
    body, mail = report_of(tmp_path, WEEK, WITH_SCHEDULER if is_told else LOGS)
    if is_told:
        assert [one["code"] for one in body["findings"]] == ["WS523"]
        assert "24 of 336 tries left no log, 24 of them successes, Wed 18 Nov" in mail
    else:
        assert [one["code"] for one in body["findings"]] == ["WS502"]
        assert "If Airflow has these runs, their logs never arrived" in mail
