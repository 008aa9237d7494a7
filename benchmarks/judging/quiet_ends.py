"""What people and the end of the week leave behind in a healthy fleet: callbacks, reruns, a pause, a deploy half done, open runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from benchmarks.judging.quiet_fleet import DAY, HOUR, MINUTE, START, WEEK, Dag, Fleet, one_try, run, told


def end(fleet: Fleet, dags: dict[str, Dag]) -> None:
    """All of it; the tries are there already."""
    _callbacks(fleet, dags)
    _reruns(fleet, dags)
    _last_hours(fleet, dags["hourly_check"])
    _lost(fleet, dags["new_this_week"], WEEK.to_at - 6 * HOUR)
    _deferred(fleet)
    _at_the_ends(fleet)


def _callbacks(fleet: Fleet, dags: dict[str, Dag]) -> None:
    """Of each lost run of every second DAG the dag-processor says that its callback ran, within a minute."""
    heard = {name for place, name in enumerate(dags) if place % 2 == 0}
    for row in fleet.tables["dag_runs"]:
        if row["state"] == "failed" and row["dag_id"] in heard:
            fleet.event(
                row["ended_at"] + timedelta(seconds=20),
                "callback_ran",
                component="dag-processor",
                dag_id=row["dag_id"],
                run_id=row["run_id"],
            )


def _reruns(fleet: Fleet, dags: dict[str, Dag]) -> None:
    """By hand: eight runs of a past week once more, and three successes cleared, on the code of that day."""
    dag = dags["branches"]
    for n in range(8):
        due = START + timedelta(days=40, hours=3 * n)
        run(fleet, dag, "backfill", due, 0.0, began=WEEK.from_at + DAY + 10 * HOUR + n * MINUTE)
    retried = {
        row["run_id"]
        for row in fleet.tables["task_instances"]
        if row["dag_id"] == "wait_and_load" and row["try_number"] == 2
    }
    done = [
        row
        for row in fleet.tables["dag_runs"]
        if row["dag_id"] == "wait_and_load"
        and row["run_type"] == "scheduled"
        and row["state"] == "success"
        and WEEK.from_at < row["started_at"] < WEEK.from_at + 2 * DAY
        and row["run_id"] not in retried
    ]
    for row in done[:3]:
        at = row["ended_at"] + 3 * DAY
        one_try(
            fleet,
            dags["wait_and_load"],
            row["run_id"],
            dags["wait_and_load"].tasks[3],
            2,
            at,
            row["anchor_at"],
            fleet.version_at(at),
        )


def _last_hours(fleet: Fleet, dag: Dag) -> None:
    """The last run but one was lost, and the newest one stands before its first task."""
    due = _lost(fleet, dag, WEEK.to_at - 2 * HOUR)
    newest = due + HOUR
    run_id = f"scheduled__{newest.isoformat()}"
    fleet.add("dag_runs", dag_id=dag.dag_id, run_id=run_id, run_type="scheduled", state="running", logical_date=newest, run_after=newest,
              queued_at=newest, started_at=newest, anchor_at=newest, source="api", told_at=newest + MINUTE)  # fmt: skip
    fleet.add(
        "task_instances",
        **told(dag, run_id, dag.tasks[0], 1, "scheduled"),
        scheduled_at=newest,
        anchor_at=newest,
        told_at=newest + MINUTE,
    )


def _lost(fleet: Fleet, dag: Dag, from_at: datetime) -> datetime:
    """A run that was lost at `from_at`, and the newest of its DAG; returns when it was due."""
    due = from_at + dag.place * MINUTE
    first = f"scheduled__{due.isoformat()}"
    fleet.drop(
        lambda row: (
            row["dag_id"] == dag.dag_id and row["run_id"].startswith("scheduled") and row["run_id"] >= first
        ),
    )
    run(fleet, replace(dag, saved=0.0), "scheduled", due, 1.0)
    return due


def _deferred(fleet: Fleet) -> None:
    """The newest query still waits for its answer, as it may for some hours."""
    logs = [
        row for row in fleet.tables["task_logs"] if row["task_id"] == "run_query" and row["try_number"] == 1
    ]
    newest = max(logs, key=lambda row: row["started_at"])
    mine = (newest["dag_id"], newest["run_id"])
    left = newest["started_at"] + timedelta(seconds=2)
    fleet.drop(
        lambda row: (
            (row["dag_id"], row["run_id"]) == mine
            and (row.get("task_id") == "sift" or row.get("try_number", 1) > 1)
        )
    )
    newest |= {"state": "deferred", "state_reason": "deferral", "ended_at": left, "object_modified_at": left,
               "process_starts": 1, "deferred_s": None, "away": None, "error_signature": None, "exception_type": None,
               "exception_message": None, "error_count": 0}  # fmt: skip
    for row in fleet.tables["task_instances"]:
        if (row["dag_id"], row["run_id"], row["task_id"]) == (*mine, "run_query"):
            row |= {"state": "deferred", "ended_at": None, "told_at": WEEK.to_at}
    for row in fleet.tables["dag_runs"]:
        if (row["dag_id"], row["run_id"]) == mine:
            row |= {"state": "running", "ended_at": None, "told_at": WEEK.to_at}


def _at_the_ends(fleet: Fleet) -> None:
    """A person paused what was tried out; a file is between two steps of a deploy; a DAG moved to another file; a task of a
    branch was not needed lately."""
    fleet.add(
        "deployments",
        seen_at=WEEK.from_at + DAY,
        key="event.dag_changed",
        value='{"dag_id": "sandbox_report", "is_paused": "true"}',
    )
    last = max(
        (
            row
            for row in fleet.tables["parse_samples"]
            if row["dag_file"] == "dag_07.py" and row["source"] == "stats_table"
        ),
        key=lambda row: row["parsed_at"],
    )
    last["dag_count"] = 0
    for row in fleet.tables["task_logs"]:
        if row["dag_id"] == "dag_08" and row["started_at"] < WEEK.from_at - 10 * DAY:
            row["dag_file"] = "old/dag_08.py"
    runs = sorted(
        {
            row["run_id"]
            for row in fleet.tables["dag_runs"]
            if row["dag_id"] == "branches" and row["run_type"] == "scheduled"
        }
    )
    lately = set(runs[-4:])
    fleet.drop(lambda row: row.get("task_id") == "rare_branch" and row["run_id"] in lately)
