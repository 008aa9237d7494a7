"""Why tasks waited, as the page tells it: a plot, and a line of the trust box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from windsock.model import Answer, Row
from windsock.report.formats import hours, number, plural, share
from windsock.report.plots import WaitPlot

NAMES = {
    "pool": "a slot of their pool",
    "max_active_tasks": "max_active_tasks",
    "max_active_runs": "max_active_runs",
    "max_active_tis_per_dag": "max_active_tis_per_dag",
    "executor": "executor slots",
    "workers": "worker slots",
    "scheduler": "the scheduler",
    "launch": "worker launch",
    "unattributed": "not known",
}
_LIMITS = ("pool", "max_active_tasks", "max_active_runs", "max_active_tis_per_dag", "executor", "workers")


def wait_plot(answers: Mapping[str, Answer]) -> WaitPlot | None:
    """Hours of the whole deployment by limit, the longest first, what nothing explains last."""
    waited = _held(answers)
    if not waited:
        return None
    bars = [(NAMES[row["waits_for"]], float(row["hours"]), _style(row["waits_for"])) for row in waited]
    bars.sort(key=lambda bar: (bar[2] == "unknown", -bar[1]))
    told = ", ".join(f"{hours(value)} for {label}" for label, value, style in bars if style != "unknown")
    unknown = sum(value for _, value, style in bars if style == "unknown")
    rest = f"; of {hours(unknown)} it is not known" if unknown else ""
    return WaitPlot(
        tuple(bars),
        "What ready tasks and due runs waited for, task-hours",
        f"{_seen(answers)}{told}{rest}.{_gauges(answers)}{_moved(answers)}{_beside(answers)}",
    )


def _seen(answers: Mapping[str, Answer]) -> str:
    """Whose waiting it is: `Of 355 of 680 tries, in 9 of 22 DAGs, that tell when they were queued: `."""
    seen = next(iter(_rows(answers, "waiting_seen")), None)
    tries = [row for row in _rows(answers, "try_waits") if row["tries"]]
    if seen is None or not seen["tries"]:
        return ""
    told = seen["ready_told"] + seen["ready_rebuilt"]
    dags = {row["dag_id"] for row in tries}
    known = {row["dag_id"] for row in tries if row["ready_told"] or row["ready_rebuilt"]}
    whose = f", in {number(len(known))} of {plural(len(dags), 'DAG')}" if dags else ""
    return f"Of {number(told)} of {plural(seen['tries'], 'try')}{whose}, that tell when they were queued: "


def _gauges(answers: Mapping[str, Answer]) -> str:
    """That gauges see more, where they do: hours of other tasks are no part of the plot."""
    rows = [row for row in _rows(answers, "pools_of_week") if row["source"] == "gauges" and row["wait_hours"]]
    if not rows:
        return ""
    total = sum(row["wait_hours"] for row in rows)
    return f" Not in it: {hours(total)} that gauges saw in {plural(len(rows), 'pool')} whose tasks do not tell their own times."


LEAST_TOLD = 0.5  # hours


def is_trend_told(row: Row) -> bool:
    """The deployment's limits, and of DAGs and pools what left its habit."""
    if row["waits_for"] not in NAMES:
        return False
    if row["scope"] == "all":
        return max(row["wait_hours"] or 0.0, row["usual_hours"] or 0.0) >= LEAST_TOLD
    return row["change"] in ("worse", "better")


def _style(name: str) -> str:
    return "limit" if name in _LIMITS else "unknown" if name == "unattributed" else "other"


def _held(answers: Mapping[str, Answer]) -> list[Row]:
    return [
        row
        for row in _rows(answers, "waiting_by_limit")
        if row["scope"] == "all" and row["waits_for"] in NAMES
    ]


def _moved(answers: Mapping[str, Answer]) -> str:
    """What left its habit, in the whole deployment; also that nothing is known to have."""
    rows = [
        row for row in _rows(answers, "waiting_trends") if row["scope"] == "all" and row["waits_for"] in NAMES
    ]
    if not rows:
        return ""
    told = [
        f"{row['change']} than usual: {NAMES[row['waits_for']]} ({hours(row['usual_hours'])})"
        for row in rows
        if row["change"] in ("worse", "better")
    ]
    if told:
        return f" Against eight weeks, {'; '.join(told)}."
    if all(row["change"] == "not enough data" for row in rows):
        return " Not enough weeks before to tell a change."
    return " No evidence of a change against eight weeks."


def _beside(answers: Mapping[str, Answer]) -> str:
    """What is the DAGs' own work, and no limit."""
    own = {
        row["waits_for"]: row["hours"] for row in _rows(answers, "waiting_by_limit") if row["scope"] == "all"
    }
    words = {
        "upstream": "for upstream tasks",
        "retry": "for their retry",
        "parse": "while their file was parsed",
    }
    told = [f"{hours(own[name])} {text}" for name, text in words.items() if own.get(name)]
    return f" Besides, their own DAG's doing: {', '.join(told)}." if told else ""


def waiting_lines(answers: Mapping[str, Answer]) -> list[tuple[str, str]]:
    """What the split rests on, for the trust box."""
    seen = next(iter(_rows(answers, "waiting_seen")), None)
    waited = _held(answers)
    if seen is None or not waited:
        return []
    total = sum(row["hours"] for row in waited)
    unknown = sum(row["hours"] for row in waited if row["waits_for"] == "unattributed")
    rebuilt = f", rebuilt for {number(seen['ready_rebuilt'])} (estimates)" if seen["ready_rebuilt"] else ""
    told = (
        f"{hours(total)} of the tries that tell when they were queued, {share(unknown / total)} of it not attributed; ready "
        f"times told for {number(seen['ready_told'])} of {number(seen['tries'])} tries{rebuilt}"
    )
    return [("Waiting", told)]


def _rows(answers: Mapping[str, Answer], name: str) -> Sequence[Row]:
    return answers[name].rows if name in answers else ()
