"""What nobody was told about, and why things did not run."""

from __future__ import annotations

from windsock.model import Row
from windsock.report.formats import clean
from windsock.report.page import Cell
from windsock.report.specs.cells import MAX_SAMPLE, plain
from windsock.report.specs.spec import Grid, Spec

SILENT = Spec(
    "silent",
    "Silent problems",
    ("WS50", "WS51", "WS53"),
    (
        Grid(
            "What was looked at, and what could not be known",
            "silent_coverage",
            (
                ("Looked for", plain("kind")),
                ("Of", plain("unit")),
                ("Looked at", plain("looked_at")),
                ("Not known", plain("not_known")),
                ("What would tell", plain("missing")),
            ),
            is_worth_showing=lambda row: bool(row["looked_at"] or row["not_known"]),
            is_folded=True,  # what could not be known is there for who asks; it is no finding
        ),
        Grid(
            "What callbacks could tell of failures",
            "callbacks_of_week",
            (
                ("Of", plain("kind")),
                ("Failures", plain("failures")),
                ("A callback of the task ran, if there is one", plain("could_tell")),
                ("A component says that one ran", plain("told")),
                ("A callback failed", plain("failed")),
                ("DAGs", plain("dags")),
                ("With a sign of callbacks", plain("dags_heard")),
                ("Errors behind", plain("causes")),
            ),
            is_worth_showing=lambda row: bool(row["failures"]) and not row["dag_id"],
            is_folded=True,
        ),
        Grid(
            "DAGs whose failures nobody would be told of, or may not be",
            "failure_alerts",
            (
                ("DAG", plain("dag_id")),
                ("Owner", plain("owner")),
                ("Runs", plain("runs")),
                ("Tasks failed for good", plain("lost")),
                ("Told by", plain("told_by")),
            ),
            # what nobody could look at is counted in the first table, not listed as if it had been seen
            is_worth_showing=lambda row: row["told_by"] != "not known" and not row["has_alert"],
            is_folded=True,
            optional=frozenset({"Owner"}),
        ),
    ),
)


def _counted(row: Row) -> Cell:
    """`3 DAGs`; what could not be seen has no number."""
    if row["things"] is None:
        return Cell("not seen", -1.0)
    one = "try" if row["unit"] == "tries" else row["unit"].removesuffix("s")
    return Cell(f"{row['things']:,} {one if row['things'] == 1 else row['unit']}", float(row["things"]))


def _examples(row: Row) -> Cell:
    """The first of its DAGs or files."""
    names = [str(one) for one in row["dag_ids"] or row["files"]]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return Cell(clean(", ".join(names[:3]) + more, MAX_SAMPLE))


WHY = Spec(
    "why",
    "Why it did not run",
    ("WS52",),
    (
        Grid(
            "Causes of the week; windsock why DAG tells of one",
            "why_not_run",
            (
                ("Why", plain("why")),
                ("How many", _counted),
                ("Since", plain("first_at")),
                ("For example", _examples),
                ("Findings", lambda row: Cell(", ".join(row["codes"]))),
                ("What would tell", plain("missing")),
            ),
        ),
    ),
)
