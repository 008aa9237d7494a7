"""Pages made by hand: one finding of each kind, in any number, with any names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from windsock.model import Answer, Finding, Judgement, NoData, Row
from windsock.report import Frame, Page, Told, build_page
from windsock.week import Week

WEEK = Week.parse("2026-W47")
AT = datetime(2026, 11, 18, 13, 8, tzinfo=UTC)


def finding(code: str = "WS101", dag_id: str = "orders", **more: Any) -> Finding:
    """A finding of a DAG; `more` overrides any field."""
    fields: dict[str, Any] = {
        "id": f"{code}:{dag_id}",
        "code": code,
        "name": "made",
        "severity": "warning",
        "subject": {"dag_id": dag_id},
        "headline": f"{dag_id}: 22 of 56 runs failed (before: 0 of 392)",
        "evidence": {"tries": 56, "failures": 22, "rate": 0.39, "rate_low": 0.28, "rate_high": 0.52,
                     "baseline_rate": 0.0, "probability": 0.9997},
        "advice": f"Look at what changed in {dag_id}.",
        "question": "failure_rate_by_dag",
        "rank": 22.0,
    }  # fmt: skip
    return Finding(**{**fields, **more})


def one_of_each(name: str = "orders", text: str = "boom") -> list[Finding]:
    """Every kind of finding, with `name` in each id and `text` in each place of log text."""
    return [
        finding(
            "WS110", name, id=f"WS110:{text}", subject={"error_signature": text}, severity="critical",
            headline=f"One error in 3 DAGs: {text}, 24 tries failed", advice=f"Look for what {name} shares.",
            evidence={"dags": 3, "dag_ids": [name, f"{name}2"], "tries": 24, "first_at": AT,
                      "last_at": AT + timedelta(hours=9), "sample": text},
        ),
        finding("WS101", name),
        finding("WS501", name, headline=f"{name} did not run this week", evidence={"last_run_id": name}),
        finding(
            "WS201", name, id=f"WS201:{name}.py:{name}", subject={"dag_file": f"{name}.py", "bundle_name": name},
            headline=f"{name}.py parses 4.7 times as long",
            evidence={"before_s": 0.4, "after_s": 1.9, "ratio": 4.7, "p_value": 1e-9, "suspect": name,
                      "changed_at": AT, "changed_from": AT - timedelta(hours=6), "changed_to": AT, "source": "metric"},
        ),
        finding(
            "WS301", name, id=f"WS301:{name}", subject={"pool": name}, headline=f"Pool {name} was full",
            evidence={"full_share": 0.23, "wait_hours": 174.5, "total_slots": 4,
                      "options": [{"slots": 8, "wait_hours_saved": 112.0}],
                      "apply": f"airflow pools set '{name}' 8 ''", "undo": f"airflow pools set '{name}' 4 ''"},
        ),
        finding("WS410", name, headline=f"{name} runs late", evidence={"late_s": 90.0}),
        finding("WS601", name, headline=f"{name} has no timeout", severity="watch", evidence={}),
        finding("WS901", name, subject={"input": name}, headline=f"{name} could not be read", severity="watch"),
        finding("WS102", f"{name}3", status="better", severity="info", headline=f"{name}3 recovered", rank=1.0),
    ]  # fmt: skip


def answers(names: list[str], text: str = "boom", *, weeks: int = 9) -> dict[str, Answer]:
    """Answers in which every name appears: as DAG, as file, as pool, as error."""
    days = [WEEK.minus(n) for n in range(weeks - 1, -1, -1)]
    rows: dict[str, list[Row]] = {
        "inputs_seen": [_seen(one) for one in ("task_logs", "parse_samples", "pool_samples")],
        "objects_by_outcome": [{"kind": "task_logs", "outcome": "parsed", "reject_reason": "", "objects": 500, "bytes": 10}],
        "scoreboard": [
            {"week": day.monday, "dags": 9, "runs": 400, "first_try_failed_runs": 30, "lost_runs": 20 + n,
             "tries": 600, "failures": 50, "no_end_runs": 0,
             "no_end_first_runs": 0, "no_end_tries": 0, "failed_hours": 0.5, "log_bytes": 1_100_000}
            for n, day in enumerate(days)
        ],
        "runs_made_by_hand": [{"kind": "backfill", "dag_id": "old", "runs": 10, "lost_runs": 4}],
        "failure_rate_by_dag": [
            {"dag_id": one, "runs": 56, "first_try_failed_runs": 22, "lost_runs": 22, "lost_rate": 0.39, "tries": 56,
             "failures": 22, "runs_prev": 392, "first_try_failed_prev": 0, "lost_runs_prev": 0, "no_end_runs": 0,
             "no_end_runs_prev": 0}
            for one in names
        ],
        "failure_counts_by_dag_day": [
            {"dag_id": one, "day": day.monday, "week": day.monday, "runs": 56, "lost_runs": 2, "no_end_runs": 0,
             "tries": 56, "failures": 2}
            for one in names[:20] for day in days
        ],
        "incidents_by_error": [
            {"error_signature": f"{text} {one}", "dags": 2, "runs": 3, "tries": 6, "lost": 2, "executions": 3, "wasted_hours": 0.2,
             "exception_type": "ValueError", "sample": text, "dag_ids": [one], "blame": None}
            for one in names
        ],
        "parse_time_by_file": [
            {"source": "metric", "bundle_name": one, "dag_file": f"{one}.py", "samples": 50, "median_s": 1.9,
             "p95_s": 2.0, "max_s": 3.0, "median_prev_s": 0.4}
            for one in names
        ],
        "parse_time_by_week": [
            {"source": "metric", "bundle_name": "b", "dag_file": "f", "week": day.monday, "samples": 5,
             "median_s": 1.0, "p95_s": 1.0, "first_at": day.from_at, "last_at": day.to_at - timedelta(hours=1)}
            for day in days
        ],
        "parse_samples_of_window": [
            {"source": "metric", "bundle_name": one, "dag_file": f"{one}.py", "parsed_at": AT - timedelta(hours=n),
             "parse_s": 1.9 if n < 12 else 0.4, "bundle_version": None}
            for one in names[:12] for n in range(200, 0, -1)
        ],
        "pool_full_share": [
            {"pool": one, "samples": 1000, "total_slots": 4, "full_share": 0.2, "wait_hours": 9.0, "busy_hours": 100.0}
            for one in names
        ],
        "pools_of_week": [
            {"pool": one, "source": "gauges", "total_slots": 4, "full_share": 0.2, "full_error_share": 0.01, "full_share_all": 0.1,
             "busy_hours": 100.0, "p50_slots": 2, "p95_slots": 4, "peak_slots": 4, "wait_hours": 9.0, "dag_ids": [one], "dag_shares": [0.5], "dag_slots": [2],
             "deferred_hours": 0.0, "change": "no evidence", "usual_hours": 9.0, "hours_by_week": [9.0] * 9,
             "weeks_source": "gauges"}
            for one in names
        ],
        "pool_saturation_by_hour": [
            {"pool": one, "weekday": day, "hour": hour, "samples": 12, "full_share": 0.5 if hour == 2 else 0.0,
             "occupancy": hour / 24}
            for one in names[:12] for day in range(1, 8) for hour in range(24)
        ],
        "pool_wait_by_week": [{"pool": "p", "week": day.monday, "samples": 9, "seen_hours": 168.0, "wait_hours": 8.0} for day in days],
    }  # fmt: skip
    return {name: Answer(name, tuple(told[0]) if told else (), tuple(told)) for name, told in rows.items()}


def _seen(name: str) -> Row:
    return {"input": name, "row_count": 4000, "hours_seen": 168, "first_at": AT, "last_at": AT}


def page(
    findings: list[Finding] | None = None,
    told: Told | None = None,
    *,
    given: dict[str, Answer] | None = None,
    no_data: tuple[NoData, ...] = (),
    change: Callable[[dict[str, Any]], None] | None = None,
) -> Page:
    """A page of these findings over these answers."""
    judgement = Judgement(
        tuple(findings or ()),
        no_data,
        {"WS101": 9, "WS110": 2, "WS201": 3, "WS301": 1, "WS501": 9, "WS901": 1},
    )
    fields: dict[str, Any] = {
        "deployment": "prod",
        "base_url": "https://airflow.example.com",
        "week": WEEK,
        "version": "1.2.3",
    }
    if change:
        change(fields)
    return build_page(
        Frame(**fields),
        judgement=judgement,
        answers=answers(["orders"]) if given is None else given,
        trust={"checks": 31, "check_warnings": 0, "version": "1.2.3"},
        told=told,
    )
