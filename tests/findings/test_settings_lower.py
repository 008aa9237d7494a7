"""What a limit that nothing came near could be lowered to: only where every input agrees that it can be known."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.support.settings import NAMES
from windsock.findings.settings import settings_answers
from windsock.model import Answer, Row

TASKS, RUNS, WORKERS = "max_active_tasks_per_dag", "max_active_runs_per_dag", "worker_concurrency"
KEYS = {
    TASKS: "core.max_active_tasks_per_dag",
    RUNS: "core.max_active_runs_per_dag",
    WORKERS: "celery.worker_concurrency",
}


def weeks(grain: str, *most: int, unseen: int = 0) -> list[Row]:
    """Five weeks or fewer, each with the deployment's own row beside that of the grain."""
    rows: list[Row] = []
    for place, peak in enumerate(most):
        week = date(2026, 11, 16) - timedelta(weeks=len(most) - 1 - place)
        rows.append({"week": week, "grain": "deployment", "peak": 40, "tries": 1000, "unseen": unseen})
        rows.append({"week": week, "grain": grain, "peak": peak, "tries": 1000, "unseen": unseen})
    return rows


def row_of(
    setting: str, peaks: list[Row], *, value: int | None = 16, version: str = "3.3.2", **more: list[Row]
) -> Row:
    seen: dict[str, Any] = {"airflow_version": version, "major_version": int(version[0]), "has_parse_times": True,
                            "executor": "CeleryExecutor", "hosts": 2}  # fmt: skip
    told = [] if value is None else [
        {"key": f"config.{KEYS[setting]}", "setting_value": str(value), "told_by": "airflow", "since_at": None}
    ]  # fmt: skip
    tables = {"airflow_seen": [seen], "settings_told": told, "peaks_by_week": peaks, **more}
    made = settings_answers({name: Answer(name, (), tuple(rows)) for name, rows in tables.items()}, NAMES)
    (row,) = (one for one in made["settings_of_week"].rows if one["setting"] == setting)
    return row


@pytest.mark.parametrize(
    ("setting", "peaks", "options", "lower_to", "why"),
    [
        (TASKS, weeks("run", 3, 5, 4, 2, 4), {}, 8, "half as much again as the five weeks' most"),
        (TASKS, weeks("run", 3, 8, 4, 2, 4), {}, 12, "at half of the limit"),
        (TASKS, weeks("run", 3, 9, 4, 2, 4), {}, None, "above half of it in a week before"),
        (TASKS, weeks("run", 3, 3, 3, 3, 9), {}, None, "above half of it this week"),
        (TASKS, weeks("run", 5, 5, 5, 5), {}, None, "four weeks do not hold every month's end"),
        (TASKS, weeks("dag", 5, 5, 5, 5, 5), {}, None, "in Airflow 3 the limit is of a run"),
        (TASKS, weeks("dag", 5, 5, 5, 5, 5), {"version": "2.11.2"}, 8, "in Airflow 2 over all runs"),
        (TASKS, weeks("run", 5, 5, 5, 5, 5), {"value": None}, None, "nobody told the value"),
        (TASKS, weeks("run", 5, 5, 5, 5, 5, unseen=20), {}, 8, "two in a hundred tries without times"),
        (TASKS, weeks("run", 5, 5, 5, 5, 5, unseen=21), {}, None, "more of them: the peak may be higher"),
        (RUNS, weeks("dag_runs", 1, 2, 1, 1, 2), {}, 3, "runs of one DAG"),
        (RUNS, weeks("dag_runs", 1, 1, 1, 1, 1), {"value": 2}, None, "no whole number lies between"),
        (WORKERS, weeks("host", 4, 4, 3, 4, 4), {}, 6, "tasks on one host"),
        (WORKERS, weeks("host", 4, 4, 3, 4, 4, unseen=21), {}, None, "tries whose host nobody tells"),
    ],
)
def test_a_lower_value_is_told_where_it_is_known(
    setting: str, peaks: list[Row], options: dict[str, Any], lower_to: int | None, why: str
) -> None:
    row = row_of(setting, peaks, **options)
    assert row["lower_to"] == lower_to, why
    assert bool(row["lower_because"]) == (lower_to is not None)


def test_it_tells_use_risk_and_the_way_back() -> None:
    text = row_of(WORKERS, weeks("host", 4, 4, 3, 4, 4))["lower_because"]
    assert text.startswith(
        "never reached: highest use 4 of 16 in 5 weeks. 6 leaves half as much again; the risk: "
    )
    assert text.endswith("The way back is 16 again, at the next start of the workers")


def test_what_held_tasks_back_this_week_is_not_lowered() -> None:
    waited = [{"scope": "dag", "dag_id": "a", "waits_for": "max_active_tasks", "hours": 3.0}]
    row = row_of(TASKS, weeks("run", 3, 5, 4, 2, 4), waiting_by_limit=waited)
    assert (row["stands"], row["lower_to"]) == ("at the limit", None)


def test_gauges_alone_lower_nothing() -> None:
    load = [{"minutes": 9, "full_minutes": 0}]
    assert row_of(TASKS, [], executor_load_by_hour=load)["lower_to"] is None
