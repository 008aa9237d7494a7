"""The sections of the page, in their fixed order: cards, plots and capped tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from windsock.intervals import wilson
from windsock.model import BLAMES, Answer, Finding, Judgement, Row
from windsock.report.cards import card
from windsock.report.formats import cell, clean, interval, measure, share
from windsock.report.history import anchor
from windsock.report.page import Cell, Section, Table
from windsock.report.plots import Plot, curve_plot, heat_plot, rate_plot, step_plot, timeline_plot
from windsock.report.waiting import NAMES, wait_plot
from windsock.week import Week

MAX_CARDS = 40
MAX_ROWS = 50
MAX_SAMPLE = 160
MAX_PLOTTED = 10  # cards of a section that carry plots

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
        ("WS110",),
        "Errors that failed more than one try",
        "failures_by_error_signature",
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
    Spec("durations", "Durations and lateness", ("WS4",)),
    Spec(
        "waiting",
        "Why tasks waited",
        ("WS31",),
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


def sections(
    findings: Sequence[Finding],
    answers: Mapping[str, Answer],
    judgement: Judgement,
    week: Week,
    *,
    base_url: str,
) -> tuple[Section, ...]:
    """Every section, empty ones too: the order never changes."""
    taken: set[str] = set()
    made = []
    for spec in SPECS:
        mine = [one for one in findings if one.code.startswith(spec.codes) and one.id not in taken]
        taken |= {one.id for one in mine}
        # an improvement is told once, under what changed; nothing green is listed here
        mine = [one for one in mine if one.status not in ("better", "recovered")]
        drawn = _drawn(mine[:MAX_PLOTTED], answers)
        cards = tuple(
            card(one, base_url=base_url, plots=_plots(one, drawn, week) if place < MAX_PLOTTED else ())
            for place, one in enumerate(mine[:MAX_CARDS])
        )
        line: Plot | None = None
        if spec.key == "incidents":
            line = timeline_plot([(one, anchor(one.id, one.code)) for one in mine], week)
        elif spec.key == "waiting":
            line = wait_plot(answers)
        made.append(
            Section(
                key=spec.key,
                title=spec.title,
                cards=cards,
                cards_left_out=max(0, len(mine) - MAX_CARDS),
                plots=(line,) if line else (),
                table=_table(spec, answers),
                no_data="" if mine else _missing(spec, judgement),
            )
        )
    return tuple(made)


def _missing(spec: Spec, judgement: Judgement) -> str:
    """Why a section is empty when nothing was judged; empty when something was and nothing was found."""
    for one in judgement.no_data:
        if one.section == spec.key:
            return one.why
    if not any(code.startswith(spec.codes) for code in judgement.judged) and not spec.question:
        return "this version has no rule for it"
    return ""


def _table(spec: Spec, answers: Mapping[str, Answer]) -> Table | None:
    if not spec.question or spec.question not in answers:
        return None
    rows = [row for row in answers[spec.question].rows if spec.is_worth_showing(row)]
    if not rows:
        return None
    cells = tuple(tuple(make(row) for _, make in spec.columns) for row in rows[:MAX_ROWS])
    names = tuple(name for name, _ in spec.columns)
    return Table(spec.table, names, cells, max(0, len(rows) - MAX_ROWS), spec.question)


# the long answers that plots are drawn from, and the column that says of what a row is
_DRAWN = {
    "failure_counts_by_dag_day": "dag_id",
    "parse_samples_of_window": "dag_file",
    "pool_saturation_by_hour": "pool",
}


def _drawn(findings: Sequence[Finding], answers: Mapping[str, Answer]) -> dict[str, list[Row]]:
    """The rows that plots may need: a big fleet has millions, and each plot is of one subject."""
    subjects = {value for one in findings for value in one.subject.values()}
    return {
        name: [row for row in answers[name].rows if row[column] in subjects] if name in answers else []
        for name, column in _DRAWN.items()
    }


def _plots(finding: Finding, rows: Mapping[str, Sequence[Row]], week: Week) -> tuple[Plot, ...]:
    subject = finding.subject
    plots: tuple[Plot | None, ...] = ()
    if finding.code.startswith("WS10") and subject.get("dag_id"):
        plots = (rate_plot(subject["dag_id"], rows["failure_counts_by_dag_day"], week),)
    elif finding.code == "WS201" and finding.evidence.get("before_s") is not None:
        plots = (step_plot(finding, rows["parse_samples_of_window"], week),)
    elif finding.code == "WS301" and subject.get("pool"):
        plots = (heat_plot(subject["pool"], rows["pool_saturation_by_hour"]), curve_plot(finding.evidence))
    return tuple(one for one in plots if one is not None)
