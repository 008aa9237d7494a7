"""What failed: by cause, by DAG, by task, by where it ran, and what retries made of it."""

from __future__ import annotations

import re

from windsock.model import BLAMES, Row
from windsock.report.formats import cell, clean
from windsock.report.page import Cell
from windsock.report.specs.cells import MAX_SAMPLE, of, plain
from windsock.report.specs.spec import Grid, Spec
from windsock.standing import FLAKY, flaky_since, standing

_COMMIT = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{8,}\b")


def _sample(row: Row) -> Cell:
    """One message, short: the card and `windsock ask error_samples` tell more."""
    return Cell(clean(str(row["sample"] or ""), MAX_SAMPLE))


def _standing(row: Row) -> Cell:
    """`broken since 2026-11-02`; `flaky: loses runs since 2026-11-10, saved by retries since 2026-11-03`; `unknown since
    2026-11-17 (no known end of 4 of 7)`."""
    word, since = standing(row)
    if word == "unknown":
        all_of_it = row["ended"] + row["no_end"]
        word_since = f"{word} since {since:%Y-%m-%d}" if since else word
        return Cell(f"{word_since} (no known end of {row['no_end']:,} of {all_of_it:,})")
    if word == "flaky":
        both = [f"{FLAKY[name]} since {at:%Y-%m-%d}" for name, at in flaky_since(row).items() if at]
        return Cell(f"{word}: {', '.join(both)}" if both else word)
    return Cell(f"{word} since {since:%Y-%m-%d}" if since else word)


def _where(row: Row) -> Cell:
    """What a rate is of, by its grain; a commit by its first digits."""
    return Cell(cell(row["hostname"] or row["owner"] or _COMMIT.sub(r"\1", row["of_what"])))


SHAKY = 0.25
"""Of the first tries: a worker that fails so many is worth a line though retries saved all of them."""


def _gathers(row: Row) -> bool:
    """The few telling grains: more than one task lost by something other than a DAG or a task, or many saved by a retry only."""
    if row["grain"] in ("task", "dag", "hour"):
        return False
    is_shaky = row["first_failed"] > 1 and row["first_failed"] >= SHAKY * row["first_tries"]
    return bool(row["lost"] + row["no_end"] > 1 or is_shaky)


INCIDENTS = Spec(
    "incidents",
    "Incidents",
    ("WS110", "WS111", "WS115"),
    (
        Grid(
            "Errors that failed more than one try",
            "incidents_by_error",
            (
                ("Error", plain("error_signature")),
                ("DAGs", plain("dags")),
                ("Tries", plain("tries")),
                ("Lost for good", plain("lost")),
                ("Wasted", plain("wasted_hours")),
                ("Comes from", lambda row: Cell(BLAMES[row["blame"] or "unknown"])),
                ("Sample", _sample),
            ),
            is_worth_showing=lambda row: row["tries"] > 1,
        ),
    ),
)

RETRIES = Spec(
    "retries",
    "Retries",
    ("WS107",),
    (
        Grid(
            "What retries cost and saved, nine weeks",
            "retry_economics",
            (
                ("DAG", plain("dag_id")),
                ("Task", plain("task_id")),
                ("Saved, of failed first tries", of("saved", "failed_first")),
                ("Hours of retries", plain("retry_hours")),
                ("Of those without a chance", plain("hopeless_hours")),
            ),
            is_worth_showing=lambda row: row["retry_hours"] >= 1,
        ),
    ),
)

FAILURES = Spec(
    "failures",
    "Failure rates",
    ("WS1",),
    (
        Grid(
            "DAGs that lost runs, or may have",
            "failure_rate_by_dag",
            (
                ("DAG", plain("dag_id")),
                ("Runs lost", of("lost_runs", "runs", "no_end_runs")),
                ("First try failed", of("first_try_failed_runs", "runs")),
                ("Lost in 8 weeks before", of("lost_runs_prev", "runs_prev", "no_end_runs_prev")),
            ),
            is_worth_showing=lambda row: bool(row["lost_runs"] or row["no_end_runs"]),
        ),
    ),
)

TASKS = Spec(
    "tasks",
    "How tasks stand",
    (),
    (
        Grid(
            "Tasks that are flaky, broken, silent or unknown",
            "task_standing",
            (
                ("DAG", plain("dag_id")),
                ("Task", plain("task_id")),
                ("Stands", _standing),
                ("Lost after retries", of("lost", "ended")),
                ("Saved by a retry", of("saved", "ended")),
            ),
            is_worth_showing=lambda row: standing(row)[0] != "healthy",
        ),
    ),
)

GRAINS = Spec(
    "grains",
    "Where failures gather",
    (),
    (
        Grid(
            "Tasks lost or saved by a retry, by owner, operator, host, executor, queue and version",
            "failure_rates_by_grain",
            (
                ("By", plain("grain")),
                ("Of", _where),
                ("Failed first try", of("first_failed", "first_tries", "first_no_end")),
                ("Lost after retries", of("lost", "ended", "no_end")),
                ("Runs lost", of("lost_runs", "runs", "no_end_runs")),
            ),
            is_worth_showing=_gathers,
        ),
    ),
)
