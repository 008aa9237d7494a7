"""What each section of the page holds: its findings, and the table below them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from windsock.intervals import wilson
from windsock.model import BLAMES, Row
from windsock.report.formats import cell, clean, interval, measure, share, span
from windsock.report.page import Cell
from windsock.report.waiting import NAMES
from windsock.standing import standing

MAX_SAMPLE = 160

Column = tuple[str, Callable[[Row], Cell]]


@dataclass(frozen=True, slots=True)
class Spec:
    """One section: which findings belong to it, and which table stands below them."""

    key: str
    title: str
    codes: tuple[str, ...]
    table: str = ""
    question: str = ""
    is_worth_showing: Callable[[Row], bool] = bool
    columns: tuple[Column, ...] = ()


_COMMIT = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{8,}\b")


def _plain(name: str) -> Callable[[Row], Cell]:
    def made(row: Row) -> Cell:
        value = row[name]
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return Cell(measure(name, value), float(value)) if is_number else Cell(cell(value))

    return made


def _words(name: str) -> Callable[[Row], Cell]:
    """A name with underscores, as words."""
    return lambda row: Cell(cell(row[name]).replace("_", " "))


def _of(part: str, whole: str) -> Callable[[Row], Cell]:
    """`22 of 56, 39 % (28 to 52 %)`."""

    def made(row: Row) -> Cell:
        k, n = row[part], row[whole]
        if not n:
            return Cell("no runs", -1.0)
        return Cell(f"{k:,} of {n:,}, {share(k / n)} ({interval(*wilson(k, n))})", k / n)

    return made


def _sample(row: Row) -> Cell:
    """One message, short: the card and `windsock ask error_samples` tell more."""
    return Cell(clean(str(row["sample"] or ""), MAX_SAMPLE))


def _standing(row: Row) -> Cell:
    """`broken since 2026-11-02`."""
    word, since = standing(row)
    return Cell(f"{word} since {since:%Y-%m-%d}" if since else word)


def _where(row: Row) -> Cell:
    """What a rate is of, by its grain; a commit by its first digits."""
    return Cell(cell(row["hostname"] or row["owner"] or _COMMIT.sub(r"\1", row["of_what"])))


def _is_late(row: Row) -> bool:
    """More late runs than a habit of one in twenty explains, and late enough for somebody to notice."""
    if row["late_runs"] < 2 or row["finish_prev_s"] is None:
        return False
    return wilson(row["late_runs"], row["runs"])[0] > 0.05 and row["finish_s"] - row["finish_prev_s"] >= 60


def _gathers(row: Row) -> bool:
    """The few telling grains: failures of something other than a DAG or a task, and more than one of them."""
    return row["grain"] not in ("task", "dag", "hour") and row["lost"] > 1


def _setting(row: Row) -> Cell:
    """`[core] parallelism`; a limit that stands in the DAG's code has no section."""
    return Cell(cell(f"[{row['section']}] {row['key']}" if row["section"] else row["key"]))


def _is_told_or_felt(row: Row) -> bool:
    """Settings that somebody told, and of the others those that the week felt."""
    return row["origin"].startswith("told") or row["stands"] in ("at the limit", "harmful", "no effect")


def _changed(now: str, before: str) -> Callable[[Row], Cell]:
    """`44 min, before 8 min`, of lengths in seconds."""
    return lambda row: Cell(f"{span(row[now])}, before {span(row[before])}", row[now])


SPECS = (
    Spec(
        "silent",
        "Silent problems",
        ("WS5",),
        "What was looked at, and what could not be known",
        "silent_coverage",
        lambda row: bool(row["looked_at"] or row["not_known"]),
        (
            ("Looked for", _plain("kind")),
            ("Of", _plain("unit")),
            ("Looked at", _plain("looked_at")),
            ("Not known", _plain("not_known")),
            ("What would tell", _plain("missing")),
        ),
    ),
    Spec(
        "incidents",
        "Incidents",
        ("WS110", "WS115"),
        "Errors that failed more than one try",
        "incidents_by_error",
        lambda row: row["tries"] > 1,
        (
            ("Error", _plain("error_signature")),
            ("DAGs", _plain("dags")),
            ("Tries", _plain("tries")),
            ("Lost for good", _plain("lost")),
            ("Wasted", _plain("wasted_hours")),
            ("Comes from", lambda row: Cell(BLAMES[row["blame"] or "unknown"])),
            ("Sample", _sample),
        ),
    ),
    Spec(
        "retries",
        "Retries",
        ("WS107",),
        "What retries cost and saved, nine weeks",
        "retry_economics",
        lambda row: row["retry_hours"] >= 1,
        (
            ("DAG", _plain("dag_id")),
            ("Task", _plain("task_id")),
            ("Saved, of failed first tries", _of("saved", "failed_first")),
            ("Hours of retries", _plain("retry_hours")),
            ("Of those without a chance", _plain("hopeless_hours")),
        ),
    ),
    Spec(
        "failures",
        "Failure rates",
        ("WS1",),
        "DAGs that lost runs",
        "failure_rate_by_dag",
        lambda row: bool(row["lost_runs"]),
        (
            ("DAG", _plain("dag_id")),
            ("Runs lost", _of("lost_runs", "runs")),
            ("First try failed", _of("first_try_failed_runs", "runs")),
            ("Lost in 8 weeks before", _of("lost_runs_prev", "runs_prev")),
        ),
    ),
    Spec(
        "tasks",
        "How tasks stand",
        (),
        "Tasks that are flaky, broken or silent",
        "task_standing",
        lambda row: standing(row)[0] != "healthy",
        (
            ("DAG", _plain("dag_id")),
            ("Task", _plain("task_id")),
            ("Stands", _standing),
            ("Lost after retries", _of("lost", "ended")),
            ("Saved by a retry", _of("saved", "ended")),
        ),
    ),
    Spec(
        "grains",
        "Where failures gather",
        (),
        "Tasks lost by owner, operator, host, executor, queue and version",
        "failure_rates_by_grain",
        _gathers,
        (
            ("By", _plain("grain")),
            ("Of", _where),
            ("Failed first try", _of("first_failed", "first_tries")),
            ("Lost after retries", _of("lost", "ended")),
            ("Runs lost", _of("lost_runs", "runs")),
        ),
    ),
    Spec(
        "imports",
        "Import errors and killed parses",
        ("WS203", "WS205"),
        "Files that failed to import",
        "import_errors_of_week",
        lambda row: True,
        (
            ("File", _plain("dag_file")),
            ("Error", _plain("error_signature")),
            ("Files with it", _plain("files")),
            ("First seen", _plain("first_at")),
            ("Last seen", _plain("last_at")),
            ("Mended", _plain("mended_at")),
        ),
    ),
    Spec(
        "parsing",
        "DAG parsing",
        ("WS201", "WS202", "WS204", "WS207"),
        "Files that take a second or more",
        "parse_time_by_file",
        lambda row: row["median_s"] >= 1,
        (
            ("File", _plain("dag_file")),
            ("Seen by", _words("source")),
            ("Parses", _plain("samples")),
            ("Median", _plain("median_s")),
            ("4 weeks before", _plain("median_prev_s")),
            ("95th percentile", _plain("p95_s")),
        ),
    ),
    Spec(
        "workers",
        "Parsing inside of tasks",
        ("WS206",),
        "Files that cost tasks an hour or more",
        "worker_parse_tax_by_file",
        lambda row: row["parse_hours"] + row["prepare_hours"] >= 1,
        (
            ("File", _plain("dag_file")),
            ("Tries", _plain("tries")),
            ("Parsing", _plain("parse_hours")),
            ("Bundle", _plain("prepare_hours")),
            ("Of the tasks' time", _plain("tax_share")),
            ("Parse, 95th percentile", _plain("parse_p95_s")),
        ),
    ),
    Spec(
        "durations",
        "Durations and lateness",
        ("WS4",),
        "Runs that finished later than usual",
        "run_finishes",
        _is_late,
        (
            ("DAG", _plain("dag_id")),
            ("Late runs", _of("late_runs", "runs")),
            ("Finished after it was due", _changed("finish_s", "finish_prev_s")),
            ("Run time", _changed("took_s", "took_prev_s")),
        ),
    ),
    Spec(
        "waiting",
        "Why tasks waited",
        ("WS310", "WS311"),
        "DAGs whose tasks waited an hour or more",
        "waiting_by_dag",
        lambda row: row["wait_hours"] >= 1,
        (
            ("DAG", _plain("dag_id")),
            ("Waited", _plain("wait_hours")),
            ("Mostly for", lambda row: Cell(NAMES[row["mostly_for"]])),
            ("Of it", _plain("mostly_share")),
            ("Its limit", _plain("limit_value")),
            ("Told by", _words("told_by")),
            ("Not known", _plain("unattributed_share")),
        ),
    ),
    Spec(
        "pools",
        "Pools and waiting",
        ("WS3",),
        "Pools that were waited for",
        "pool_full_share",
        lambda row: bool(row["wait_hours"]),
        (
            ("Pool", _plain("pool")),
            ("Slots", _plain("total_slots")),
            ("Full, of busy hours", _plain("full_share")),
            ("Waited", _plain("wait_hours")),
            ("Busy", _plain("busy_hours")),
        ),
    ),
    Spec(
        "settings",
        "Settings",
        ("WS61",),
        "Airflow's settings, and how the week stood against them",
        "settings_of_week",
        _is_told_or_felt,
        (
            ("Setting", _setting),
            ("Value", lambda row: Cell(cell(row["setting_value"] or "none"))),
            ("Origin", _plain("origin")),
            ("Of", _plain("scope")),
            ("This week", _plain("stands")),
            ("By", _plain("because")),
        ),
    ),
    Spec(
        "logs",
        "What logs cost",
        ("WS65",),
        "Tasks whose logs cost one or more a month, if a year of them is kept (list price unless [log_bill] says more)",
        "log_bill_by_task",
        lambda row: (row.get("month_cost") or 0) >= 1,
        (
            ("DAG", _plain("dag_id")),
            ("Task", _plain("task_id")),
            ("Kept this week", _plain("kept_bytes")),
            ("Week before", _plain("kept_bytes_prev")),
            ("Objects", _plain("objects")),
            ("Written, estimate", _plain("written_bytes")),
            ("Puts", _plain("puts")),
            ("Cost a month", _plain("month_cost")),
        ),
    ),
    Spec(
        "config",
        "Configuration and versions",
        ("WS6",),
        "What was changed",
        "changes_of_week",
        columns=(
            ("Change", _words("kind")),
            ("Of", lambda row: Cell(cell(row["dag_id"] or row["subject"]))),
            ("Before", _plain("before")),
            ("After", _plain("after")),
            ("Not before", _plain("from_at")),
            ("Seen", _plain("until_at")),
        ),
    ),
    Spec("trust", "Trust in the data", ("WS9",)),
)
