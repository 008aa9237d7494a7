"""What a deployment costs and how it changed, and what all of the page rests on."""

from __future__ import annotations

from windsock.report.formats import cell
from windsock.report.page import Cell
from windsock.report.specs.cells import plain, words
from windsock.report.specs.spec import Grid, Spec

LOGS = Spec(
    "logs",
    "What logs cost",
    ("WS65",),
    (
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
