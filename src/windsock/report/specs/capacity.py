"""Time and room: how late runs were, what tasks waited for, and which pools were full."""

from __future__ import annotations

from windsock.intervals import wilson
from windsock.model import Row
from windsock.report.formats import clean, hours, share
from windsock.report.page import Cell
from windsock.report.specs.cells import changed, give_or_take, known, of, plain, weeks, words
from windsock.report.specs.spec import Grid, Spec
from windsock.report.waiting import NAMES, is_trend_told

DEFERRED = "Deferred, slot-hours"


def _is_late(row: Row) -> bool:
    """More late runs than a habit of one in twenty explains, and late enough for somebody to notice."""
    if row["late_runs"] < 2 or row["finish_prev_s"] is None:
        return False
    return wilson(row["late_runs"], row["runs"])[0] > 0.05 and row["finish_s"] - row["finish_prev_s"] >= 60


DURATIONS = Spec(
    "durations",
    "Durations and lateness",
    ("WS4",),
    (
        Grid(
            "Runs that finished later than usual",
            "run_finishes",
            (
                ("DAG", plain("dag_id")),
                ("Late runs", of("late_runs", "runs")),
                ("Finished after it was due", changed("finish_s", "finish_prev_s")),
                ("Run time", changed("took_s", "took_prev_s")),
            ),
            is_worth_showing=_is_late,
        ),
        Grid(
            "Tasks that decide how long runs take",
            "critical_path_of_runs",
            (
                ("DAG", plain("dag_id")),
                ("Task", plain("task_id")),
                ("On the chain", of("on_path", "runs")),
                ("Run time", plain("took_s")),
                ("Of it", plain("share")),
                ("Waiting before it", plain("wait_share")),
                ("Task, median", plain("task_s")),
            ),
            is_worth_showing=lambda row: row["share"] >= 0.25 and row["took_s"] >= 600,
            is_folded=True,
        ),
    ),
)

WAITING = Spec(
    "waiting",
    "Why tasks waited",
    ("WS310", "WS311"),
    (
        Grid(
            "What changed in the waiting",
            "waiting_trends",
            (
                ("For", lambda row: Cell(NAMES[row["waits_for"]])),
                ("Whose", lambda row: Cell(clean(row["dag_id"] or row["pool"] or "all"))),
                ("This week", known("wait_hours")),
                ("Last week", known("prev_hours")),
                ("Usually", known("usual_hours")),
                ("Against the habit", plain("change")),
                ("Nine weeks", weeks("hours_by_week")),
            ),
            is_worth_showing=is_trend_told,
        ),
        Grid(
            "DAGs whose tasks waited an hour or more",
            "waiting_by_dag",
            (
                ("DAG", plain("dag_id")),
                ("Waited", plain("wait_hours")),
                ("Mostly for", lambda row: Cell(NAMES[row["mostly_for"]])),
                ("Of it", plain("mostly_share")),
                ("Its limit", plain("limit_value")),
                ("Told by", words("told_by")),
                ("Not known", plain("unattributed_share")),
            ),
            is_worth_showing=lambda row: row["wait_hours"] >= 1,
        ),
        Grid(
            "Tasks that were deferred or rescheduled",
            "time_away_by_task",
            (
                ("DAG", plain("dag_id")),
                ("Task", plain("task_id")),
                ("Tries", plain("tries")),
                ("Worked", plain("work_hours")),
                ("Deferred", plain("deferred_hours")),
                ("Rescheduled", plain("rescheduled_hours")),
                ("Way back, mean", plain("way_back_s")),
                ("Tries without a log", plain("untold_tries")),
            ),
            is_worth_showing=lambda row: row["deferred_hours"] + row["rescheduled_hours"] >= 0.1,
            is_folded=True,
        ),
    ),
)


def _filled_by(row: Row) -> Cell:
    shares = zip(row["dag_ids"], row["dag_shares"], row["dag_slots"], strict=True)
    return Cell(
        clean(
            ", ".join(
                f"{dag} {share(part)}" + f" ({wide} slots a task)" * (wide > 1) for dag, part, wide in shares
            )
        )
    )


def _deferred(row: Row) -> Cell:
    """Slots times hours of deferred tasks, by gauges (Airflow tells them since 2.7.3): nothing where there were none."""
    told = row["deferred_hours"] or 0.0
    return Cell(hours(told), told) if told > 0 else Cell("")


POOLS = Spec(
    "pools",
    "Pools and waiting",
    ("WS3",),
    (
        Grid(
            "Pools that were waited for, or held deferred tasks",
            "pools_of_week",
            (
                ("Pool", plain("pool")),
                ("Slots", plain("total_slots")),
                ("Full, of busy hours", give_or_take("full_share", "full_error_share")),
                ("Of all hours", plain("full_share_all")),
                ("In use, median", plain("p50_slots")),
                ("95 %", plain("p95_slots")),
                ("Most", plain("peak_slots")),
                (DEFERRED, _deferred),
                ("Waited", known("wait_hours")),
                ("Usually", known("usual_hours")),
                ("Against the habit", plain("change")),
                ("Filled by", _filled_by),
                ("Told by", words("source")),
            ),
            is_worth_showing=lambda row: bool(row["wait_hours"] or row["deferred_hours"]),
            optional=frozenset({DEFERRED}),
        ),
    ),
)
