"""Whole weeks of which the report said something untrue or unknown, read as their user would."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from benchmarks.fleet.records import Attempt
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
