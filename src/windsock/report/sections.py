"""The sections of the page, in their fixed order: cards, plots and capped tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from windsock.model import Answer, Finding, Judgement, Row
from windsock.report.cards import card
from windsock.report.health import health_table
from windsock.report.history import anchor
from windsock.report.page import Section, Table
from windsock.report.plots import Plot, curve_plot, heat_plot, rate_plot, step_plot, timeline_plot
from windsock.report.specs import SPECS, Grid, Spec
from windsock.report.waiting import wait_plot
from windsock.week import Week

MAX_CARDS = 40
MAX_ROWS = 50
MAX_PLOTTED = 10  # cards of a section that carry plots


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
                tables=(health_table(answers, judgement, week),)
                if spec.key == "health"
                else tuple(
                    one for grid in spec.grids if (one := table_of(grid, answers, is_folded=not cards))
                ),
                no_data="" if mine else _missing(spec, judgement),
                is_judged=bool(spec.codes),
            )
        )
    return tuple(made)


def _missing(spec: Spec, judgement: Judgement) -> str:
    """Why a section is empty when nothing was judged; empty when something was and nothing was found."""
    for one in judgement.no_data:
        if one.section == spec.key:
            return one.why
    if spec.codes and not any(code.startswith(spec.codes) for code in judgement.judged) and not spec.grids:
        return "this version has no rule for it"
    return ""


def table_of(grid: Grid, answers: Mapping[str, Answer], *, is_folded: bool) -> Table | None:
    """What no finding speaks of is folded: it is there for who asks."""
    if grid.question not in answers:
        return None
    rows = [row for row in answers[grid.question].rows if grid.is_worth_showing(row)]
    if not rows:
        return None
    columns = [
        (name, make)
        for name, make in grid.columns
        if name not in grid.optional or any(make(row).text for row in rows)
    ]
    cells = tuple(tuple(make(row) for _, make in columns) for row in rows[:MAX_ROWS])
    names = tuple(name for name, _ in columns)
    return Table(
        grid.title, names, cells, max(0, len(rows) - MAX_ROWS), grid.question, is_folded or grid.is_folded
    )


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
