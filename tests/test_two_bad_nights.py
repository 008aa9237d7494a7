"""Two bad nights and then normal: from objects to the mail, nobody is warned."""

from collections.abc import Callable, Container, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from benchmarks.fleet.records import Attempt

from tests.support.weeks import put_logs, report_of
from windsock.week import Week

pytestmark = pytest.mark.long

WEEK = Week.parse("2026-W47")
FIRST = WEEK.minus(8).from_at
NIGHTS = (1, 2)  # Tuesday's and Wednesday's, of the judged week
ERROR = ("ReadTimeout", "upstream did not answer")


def steady(dags: int = 8) -> Iterator[Attempt]:
    """Beside it: hourly DAGs that now and then lose a run, as in every week."""
    for dag in range(dags):
        for n in range(63 * 6):
            due = FIRST + timedelta(hours=4 * n)
            ending = "failed" if n % 61 == 7 * dag % 61 else "success"
            yield one(f"steady_{dag}", due, ending)


def one(dag_id: str, due: datetime, ending: str, number: int = 1) -> Attempt:
    error = ERROR if ending in ("failed", "retry") else ("", "")
    return Attempt(dag_id, f"scheduled__{due.isoformat()}", "load", number, 2,
                   due + timedelta(minutes=5 + 10 * number), 300, ending, error)  # fmt: skip


def nightly(bad: Container[int] = NIGHTS, *, retried: bool = False) -> Iterator[Attempt]:
    """One run a night, for nine weeks."""
    for day in range(63):
        due = FIRST + timedelta(days=day, hours=2)
        yield from _run("nightly", due, is_bad=day - 56 in bad, retried=retried)


def half_hourly(bad: Container[int] = NIGHTS, *, retried: bool = False) -> Iterator[Attempt]:
    """A run each half hour; between one and four nothing works on a bad night."""
    for n in range(63 * 48):
        due = FIRST + timedelta(minutes=30 * n)
        is_bad = n // 48 - 56 in bad and 1 <= due.hour < 4
        yield from _run("half_hourly", due, is_bad=is_bad, retried=retried)


def _run(dag_id: str, due: datetime, *, is_bad: bool, retried: bool) -> Iterator[Attempt]:
    if is_bad and retried:
        yield one(dag_id, due, "retry")
        yield one(dag_id, due, "success", 2)
    else:
        yield one(dag_id, due, "failed" if is_bad else "success")


def loud(body: dict[str, Any]) -> list[tuple[str, dict[str, str]]]:
    return [(f["code"], f["subject"]) for f in body["findings"] if f["severity"] in ("warning", "critical")]


@pytest.mark.parametrize("retried", [False, True], ids=["lost", "saved by a retry"])
@pytest.mark.parametrize("fleet", [nightly, half_hourly])
def test_nobody_is_warned(tmp_path: Path, fleet: Callable[..., Iterator[Attempt]], retried: bool) -> None:
    put_logs(tmp_path, [*steady(), *fleet(retried=retried)])
    body, mail = report_of(tmp_path, WEEK)
    assert loud(body) == []
    assert (body["verdict"], body["actions"]) == ("same", [])
    assert "What to do" not in mail


@pytest.mark.parametrize("fleet", [nightly, half_hourly])
def test_nights_that_stay_bad_are_told(tmp_path: Path, fleet: Callable[..., Iterator[Attempt]]) -> None:
    put_logs(tmp_path, [*steady(), *fleet(range(1, 7))])
    body, _ = report_of(tmp_path, WEEK)
    assert [code for code, subject in loud(body) if subject.get("dag_id") == fleet.__name__]
    assert body["verdict"] == "worse"


def test_a_daily_dag_that_broke_is_told_with_the_task_and_the_error(tmp_path: Path) -> None:
    put_logs(tmp_path, [*steady(2), *nightly(range(1, 7))])
    body, _ = report_of(tmp_path, WEEK)
    (finding,) = [one for one in body["findings"] if one["code"] == "WS106"]
    assert "lost every run to load since Tue 17 Nov" in finding["headline"]
    assert finding["evidence"]["task_ids"] == ["load"]
    assert ERROR[0] in finding["evidence"]["error_signature"] and ERROR[0] in finding["advice"]
