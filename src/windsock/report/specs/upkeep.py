"""What a deployment costs and how it changed, and what all of the page rests on."""

from __future__ import annotations

from windsock.model import Row
from windsock.report.formats import cell
from windsock.report.page import Cell
from windsock.report.specs.cells import plain, words
from windsock.report.specs.spec import Grid, Spec


def _setting(row: Row) -> Cell:
    """`[core] parallelism`; a limit that stands in the DAG's code has no section."""
    return Cell(cell(f"[{row['section']}] {row['key']}" if row["section"] else row["key"]))


def _is_told_or_felt(row: Row) -> bool:
    """Settings that somebody told, and of the others those that the week felt."""
    return row["origin"].startswith("told") or row["stands"] in (
        "at the limit",
        "exceeded",
        "ended tries",
        "harmful",
        "no effect",
    )


SETTINGS = Spec(
    "settings",
    "Settings",
    ("WS61",),
    (
        Grid(
            "Airflow's settings, and how the week stood against them",
            "settings_of_week",
            (
                ("Setting", _setting),
                ("Value", lambda row: Cell(cell(row["setting_value"] or "none"))),
                ("Origin", plain("origin")),
                ("Of", plain("scope")),
                ("This week", plain("stands")),
                ("By", lambda row: Cell(cell(row["lower_because"] or row["because"]))),
            ),
            is_worth_showing=_is_told_or_felt,
        ),
    ),
)

LOGS = Spec(
    "logs",
    "What logs cost",
    ("WS65",),
    (
        Grid(
            "DAGs whose logs cost one or more a month, if a year of them is kept",
            "log_bill_by_dag",
            (
                ("DAG", plain("dag_id")),
                ("Tasks", plain("tasks")),
                ("Kept this week", plain("kept_bytes")),
                ("Week before", plain("kept_bytes_prev")),
                ("Objects", plain("objects")),
                ("Cost a month", plain("month_cost")),
                ("Most of it", plain("dearest_task")),
            ),
            is_worth_showing=lambda row: (row.get("month_cost") or 0) >= 1,
        ),
        Grid(
            "Tasks whose logs cost one or more a month, if a year of them is kept (list price unless [log_bill] says more)",
            "log_bill_by_task",
            (
                ("DAG", plain("dag_id")),
                ("Task", plain("task_id")),
                ("Kept this week", plain("kept_bytes")),
                ("Week before", plain("kept_bytes_prev")),
                ("Objects", plain("objects")),
                ("Written, estimate", plain("written_bytes")),
                ("Puts", plain("puts")),
                ("Cost a month", plain("month_cost")),
            ),
            is_worth_showing=lambda row: (row.get("month_cost") or 0) >= 1,
        ),
    ),
)

CONFIG = Spec(
    "config",
    "Configuration and versions",
    ("WS6",),
    (
        Grid(
            "What was changed",
            "changes_of_week",
            (
                ("Change", words("kind")),
                ("Of", lambda row: Cell(cell(row["dag_id"] or row["subject"]))),
                ("Before", plain("before")),
                ("After", plain("after")),
                ("Not before", plain("from_at")),
                ("Seen", plain("until_at")),
            ),
        ),
    ),
)

TRUST = Spec("trust", "Trust in the data", ("WS9",))
