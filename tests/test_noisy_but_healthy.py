"""A week that is noisy but healthy, from objects to the mail: the same as before, nothing to do, eight lines."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from benchmarks.fleet.records import Attempt

from tests.support.weeks import put_logs, report_of
from windsock.week import Week

pytestmark = pytest.mark.long

WEEK = Week.parse("2026-W47")
FIRST = WEEK.minus(8).from_at
ERROR = ("KeyError", "old_schema")


def attempt(dag_id: str, due: datetime, ending: str = "success", *, kind: str = "scheduled", at: datetime | None = None,
            number: int = 1, seconds: float = 600) -> Attempt:  # fmt: skip
    error = ERROR if ending == "failed" else ("", "")
    begun = at or due + timedelta(minutes=5)
    return Attempt(dag_id, f"{kind}__{due.isoformat()}", "load", number, 1, begun, seconds, ending, error)


def scheduled() -> Iterator[Attempt]:
    """Six DAGs, four runs a day, of which one loses a run each third day; as in every week, so in this one."""
    for dag in range(6):
        for n in range(63 * 4):
            is_lost = dag == 0 and n % 12 == 5
            yield attempt(f"dag_{dag}", FIRST + timedelta(hours=6 * n), "failed" if is_lost else "success")


def sandboxes() -> Iterator[Attempt]:
    for name in ("sandbox_a", "sandbox_b"):
        for day in range(63):
            yield attempt(name, FIRST + timedelta(days=day, hours=5), "failed", seconds=1800)


def weekly() -> Iterator[Attempt]:
    """Seven runs of a weekly DAG, of which the newest failed."""
    for week in range(7):
        yield attempt(
            "weekly", WEEK.minus(week).from_at + timedelta(hours=6), "success" if week else "failed"
        )


def backfill() -> Iterator[Attempt]:
    for n in range(3000):
        due = WEEK.from_at - timedelta(days=400, hours=n)
        at = WEEK.from_at + timedelta(minutes=2 * n)
        yield attempt("dag_1", due, "failed" if n % 10 < 3 else "success", kind="backfill", at=at)


def cleared() -> Iterator[Attempt]:
    """All runs that dag_2 had four weeks ago, cleared on Monday evening: they succeed once more, or fail now."""
    for n in range(28):
        due = WEEK.minus(4).from_at + timedelta(hours=6 * n)
        at = WEEK.from_at + timedelta(hours=20, minutes=n)
        yield attempt("dag_2", due, "failed" if n % 2 else "success", at=at, number=2)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], str]:
    """report.json and the mail's text."""
    root = tmp_path_factory.mktemp("noisy")
    put_logs(root, (*scheduled(), *sandboxes(), *weekly(), *backfill(), *cleared()))
    return report_of(root, WEEK)


def test_the_verdict_is_the_same_and_there_is_nothing_to_do(told: tuple[dict[str, Any], str]) -> None:
    body, mail = told
    assert (body["verdict"], body["actions"]) == ("same", [])
    assert [one["code"] for one in body["findings"] if one["severity"] in ("warning", "critical")] == []
    assert "What to do" not in mail


def test_the_mail_has_eight_lines_one_for_the_backfill_and_one_for_the_broken_dags(
    told: tuple[dict[str, Any], str],
) -> None:
    body, mail = told
    lines = body["quiet"]
    assert len(lines) == 8
    assert all(line in mail for line in lines)
    (noise,) = (line for line in lines if "backfill" in line)
    assert noise == (
        "Not judged: backfill: 3,000 runs in 1 DAG, 900 of them lost; cleared: 28 runs in 1 DAG, 14 of them lost."
    )
    (broken,) = (line for line in lines if "sandbox" in line)
    assert broken == (
        "Broken: 2 DAGs have failed every run for 9 weeks, 63 h of workers: sandbox_a, sandbox_b. Pause or fix."
    )


def test_rates_hold_scheduled_runs_alone(told: tuple[dict[str, Any], str]) -> None:
    """28 runs of six DAGs each, 14 of the sandboxes, one of the weekly DAG."""
    measures = {one["key"]: one for one in told[0]["measures"]}
    assert measures["runs"]["this_week"] == "183"
    assert measures["lost_runs"]["detail"].startswith("17 of 183")
