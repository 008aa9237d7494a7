"""Whole simulated weeks as lakes: a quiet fleet, a noisy but healthy one, and sixty tasks behind one credential."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from windsock.findings import judge_all
from windsock.lake import Lake
from windsock.model import Finding
from windsock.questions import ask, load_questions
from windsock.week import Week

WEEK = Week.parse("2026-W47")
QUESTIONS = load_questions(Path(__file__).parents[2] / "sql")
ERRORS = ("KeyError: <>", "TimeoutError: read timed out after <n> s", "ConnectionError: <>", "ValueError: <>")


def attempt(dag_id: str, run_id: str, at: datetime, state: str = "success", *, task_id: str = "t", try_number: int = 1,
            error: str | None = None, minutes: float = 5) -> dict[str, Any]:  # fmt: skip
    return {"dag_id": dag_id, "run_id": run_id, "task_id": task_id, "map_index": -1, "try_number": try_number,
            "state": state, "started_at": at, "ended_at": at + timedelta(minutes=minutes), "error_signature": error,
            "exception_type": error and error.split(":")[0], "object_url": f"s3://b/{dag_id}/{run_id}/{task_id}/{try_number}"}  # fmt: skip


def fleet(seed: int, dags: int = 40) -> list[dict[str, Any]]:
    """Nine weeks of DAGs that run 1 to 24 times a day and fail now and then, some in clusters."""
    rng = np.random.default_rng(seed)
    rows = []
    for n in range(dags):
        dag_id, every = f"dag_{n}", int(rng.choice([1, 3, 6, 24, 24]))
        rate, own = float(rng.beta(0.6, 14)), str(rng.choice(ERRORS))
        for day in range(63):
            today = min(0.9, rate * float(rng.lognormal(-0.08, 0.4)))
            for hour in range(0, 24, every):
                at = WEEK.minus(8).from_at + timedelta(days=day, hours=hour, minutes=n % 50)
                run = f"scheduled__{at.isoformat()}"
                is_lost = rng.random() < today
                error = f"{own} @ {dag_id}.py:t" if is_lost else None
                rows.append(attempt(dag_id, run, at, "failed" if is_lost else "success", error=error))
    return rows


def judged(
    tmp_path: Path, rows: Sequence[dict[str, Any]], **scope: Any
) -> tuple[tuple[Finding, ...], dict[str, Any]]:
    frame = pl.DataFrame(rows, infer_schema_length=None)
    frame = frame.with_columns(pl.col("started_at").dt.truncate("1w").dt.date().alias("week"))
    for (week,), part in frame.group_by("week"):
        folder = tmp_path / "task_logs" / f"week={week}"
        folder.mkdir(parents=True, exist_ok=True)
        part.drop("week").write_parquet(folder / "x.parquet")
    conn = Lake.open(str(tmp_path), deployment="prod").connect(WEEK, **scope)
    Lake.keep_tries(conn)
    answers = {name: ask(conn, one) for name, one in QUESTIONS.items()}
    conn.close()
    return judge_all(answers, week=WEEK, thresholds={}).findings, answers


def loud(findings: Sequence[Finding]) -> list[str]:
    return [one.headline for one in findings if one.severity in ("warning", "critical")]


@pytest.mark.long
def test_quiet_weeks_stay_quiet(tmp_path: Path) -> None:
    """Of ten quiet weeks at most one may have a warning (the promise is one in twenty)."""
    warned = [loud(judged(tmp_path / str(seed), fleet(seed, dags=25))[0]) for seed in range(10)]
    assert sum(bool(one) for one in warned) <= 1, warned


def test_sixty_tasks_behind_one_credential_are_one_incident(tmp_path: Path) -> None:
    rows = fleet(100)
    at = datetime(2026, 11, 18, 8, tzinfo=UTC)
    for n in range(60):
        dag_id = f"wh_{n % 12}"
        rows += [attempt(dag_id, f"scheduled__{at - timedelta(days=day)}", at - timedelta(days=day), task_id=f"load_{n}")
                 for day in range(-4, 40) if day]  # fmt: skip
        rows.append(
            attempt(
                dag_id,
                f"scheduled__{at}",
                at,
                "failed",
                task_id=f"load_{n}",
                error=f"AuthError: no @ {dag_id}.py:load",
            )
        )
        # what waits downstream never started and is no failure
        rows.append(
            attempt(dag_id, f"scheduled__{at}", at, "upstream_failed", task_id=f"report_{n}", try_number=0)
        )
    findings, _ = judged(tmp_path, rows)
    assert [(one.code, one.subject) for one in findings if one.severity in ("warning", "critical")] == [
        ("WS110", {"error_signature": "AuthError: no"})
    ]
    (incident,) = (one for one in findings if one.code == "WS110")
    assert (incident.evidence["dags"], incident.evidence["tries"], incident.evidence["lost_runs"]) == (
        12,
        60,
        12,
    )
    assert incident.evidence["first_at"] == at


@pytest.mark.parametrize("is_excluded", [True, False])
def test_noisy_but_healthy_is_the_same(tmp_path: Path, is_excluded: bool) -> None:
    """A backfill with failures, a mass clear, two broken sandboxes, a weekly DAG that failed once: nothing to do."""
    rows = fleet(7)
    start = WEEK.from_at
    for n in range(3000):
        old = start - timedelta(days=400, hours=n)
        is_lost = n % 10 < 3
        rows.append(attempt("dag_1", f"backfill__{old.isoformat()}", start + timedelta(minutes=n), "failed" if is_lost else "success",
                            error="KeyError: old schema" if is_lost else None))  # fmt: skip
    cleared = [
        row
        for row in rows
        if row["dag_id"] == "dag_2" and WEEK.minus(4).from_at <= row["started_at"] < WEEK.minus(3).from_at
    ]
    for n, row in enumerate(cleared):
        rows.append(row | {"try_number": 2, "started_at": start + timedelta(hours=20, minutes=n), "object_url": row["object_url"] + "-2",
                           "ended_at": start + timedelta(hours=21, minutes=n), "state": "failed", "error_signature": "E: cleared"})  # fmt: skip
    for name in ("sandbox_a", "sandbox_b"):
        for day in range(63):
            at = WEEK.minus(8).from_at + timedelta(days=day, hours=5)
            rows.append(attempt(name, f"scheduled__{at}", at, "failed", error=f"E: {name}", minutes=30))
    for week in range(9):
        at = WEEK.minus(week).from_at + timedelta(hours=6)
        rows.append(
            attempt(
                "weekly",
                f"scheduled__{at}",
                at,
                "failed" if week == 0 else "success",
                error="E: x" if week == 0 else None,
            )
        )
    findings, answers = judged(tmp_path, rows, exclude=["sandbox_*"] if is_excluded else [])
    assert loud(findings) == []
    broken = [one for one in findings if one.code == "WS103"]
    assert [one.evidence["hours"] for one in broken] == ([] if is_excluded else [31.5, 31.5])
    unjudged = {
        (row["kind"], row["dag_id"]): (row["runs"], row["lost_runs"])
        for row in answers["runs_made_by_hand"].rows
    }
    assert unjudged["backfill", "dag_1"] == (3000, 900)
    assert unjudged["cleared", "dag_2"] == (len(cleared), len(cleared))
