"""WS530."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Row, Severity
from windsock.week import Week

RESTART, STALL, BLIND = "restart", "stall", "metrics missing"
_CALLED = {"scheduler": "scheduler", "triggerer": "triggerer", "dag_processor": "dag-processor"}
_EFFECT = {
    "scheduler": "No task is started while it is silent.",
    "triggerer": "Deferred tasks do not wake while it is silent.",
    "dag_processor": "New and changed DAG files are not seen while it is silent.",
}


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """Which silence matters."""

    min_silence_s: float = threshold(
        300.0, "seconds", "a restart with its migrations check takes minutes; Airflow itself alarms at 30 s"
    )
    min_ratio: float = threshold(
        3.0,
        "times the usual distance of heartbeats",
        "captures may hold one minute in ten: that is no silence",
    )
    critical_s: float = threshold(
        1800.0, "seconds", "half an hour without a scheduler delays more than one hourly run"
    )
    max_backlog_s: float = threshold(
        3600.0, "seconds after the silence", "a run that starts later than that was held by something else"
    )
    min_runs_known: float = threshold(4, "runs of a DAG in five weeks", "fewer do not tell when it is due")


class ComponentSilent(Rule):
    """The scheduler, the triggerer or the dag-processor was not heard of for minutes or hours.

    What it means: while the scheduler is silent nothing starts, and nothing fails either, so nobody is told.
    How it is judged: from the heartbeat's counter: a total that stands still, in snapshots or captures that show other
    series, and much longer than heartbeats are usually apart. Where no metric at all was seen it is no finding unless no task started either. It is called a restart when
    the component's log or its jobs tell a start at the end, else a stall. A run started late because of it when its own
    habit (the median over five weeks) puts it inside the silence and it started in the hour after. Pool gauges of these
    hours are not used anywhere.
    What to do: look at the component's log and its host at that moment: memory, the database, a deploy.
    """

    code, name, section = "WS530", "component-silent", "silent"
    questions = ("heartbeat_gaps", "heartbeats_by_component", "run_starts")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        heard = [row["component"] for row in rows_of(answers, "heartbeats_by_component")]
        gaps = rows_of(answers, "heartbeat_gaps")
        # without any heartbeat there is nothing to say, and the trust box says that no metrics were seen
        verdicts = Verdicts(judged=len({*heard, *(row["component"] for row in gaps)}))
        runs = [row for row in rows_of(answers, "run_starts") if row["runs_known"] >= limits.min_runs_known]
        for component, all_of_it in groupby(gaps, key=lambda row: str(row["component"])):
            mine = [row for row in all_of_it if is_silence(row, limits)]
            if mine:
                verdicts.findings.append(
                    cls._of(component, mine, runs if component == "scheduler" else (), limits)
                )
        return verdicts

    @classmethod
    def _of(cls, component: str, gaps: Sequence[Row], runs: Sequence[Row], limits: Limits) -> Any:
        longest = max(gaps, key=lambda row: row["gap_s"])
        late = [run for run in runs if any(_is_late_by(run, gap, limits) for gap in gaps)]
        total_s, called = sum(row["gap_s"] for row in gaps), _CALLED[component]
        severity: Severity = (
            "critical" if component == "scheduler" and total_s >= limits.critical_s else "warning"
        )
        more = f", {len(gaps)} times in all for {wording.span(total_s)}" if len(gaps) > 1 else ""
        return cls.finding(
            subject={"component": component},
            severity=severity,
            headline=f"The {called} was silent for {wording.span(longest['gap_s'])} "
            f"({_from_to(longest)}{more}){_late_words(component, runs, late)}",
            evidence={
                "longest_s": longest["gap_s"],
                "total_s": total_s,
                "silences": len(gaps),
                "first_at": gaps[0]["from_at"],
                "last_at": gaps[-1]["until_at"],
                "kind": kind_of(longest),
                "late_runs": len(late) if runs else None,
                "late_hours": sum(run["late_s"] for run in late) / 3600 if runs else None,
                "late_dags": len({run["dag_id"] for run in late}) if runs else None,
                "dag_ids": sorted({run["dag_id"] for run in late})[:20],
                "tries_started": longest["tries_started"],
            },
            advice=f"{_EFFECT[component]} Look at the {called}'s log and host from {wording.moment(longest['from_at'])} on: "
            "memory, the database, a deploy. Pool and executor gauges of this time are left out of the report.",
            rank=total_s / 3600 + len(late),
        )


def is_silence(gap: Row, limits: Limits) -> bool:
    least_s = max(limits.min_silence_s, limits.min_ratio * gap["usual_gap_s"])
    return bool(gap["gap_s"] >= least_s and kind_of(gap) != BLIND)


def kind_of(gap: Row) -> str:
    """Restart or stall; `metrics missing` when nothing at all was seen and tasks went on starting, or may have."""
    if gap["starts_told"] or gap["job_starts"] > gap["task_starts"]:
        return RESTART
    if gap["seen_minutes"] == 0 and gap["frozen_looks"] == 0:
        return BLIND
    return STALL


def _is_late_by(run: Row, gap: Row, limits: Limits) -> bool:
    latest = gap["until_at"] + timedelta(seconds=limits.max_backlog_s)
    is_unusual = run["late_s"] > run["usual_spread_s"]
    return bool(
        is_unusual and gap["from_at"] < run["due_at"] <= gap["until_at"] <= run["started_at"] <= latest
    )


def _from_to(gap: Row) -> str:
    """`Tue 24 Nov 02:00 to 04:10 UTC`."""
    since, until = gap["from_at"], gap["until_at"]
    if not gap["is_over"]:
        return f"since {wording.moment(since)}, not over when last seen"
    if since.date() == until.date():
        return f"{since:%a %d %b %H:%M} to {until:%H:%M} UTC"
    return f"{since:%a %d %b %H:%M} to {wording.moment(until)}"


def _late_words(component: str, runs: Sequence[Row], late: Sequence[Row]) -> str:
    if component != "scheduler":
        return ""
    if not runs:
        return "; how many runs started late is not known: no runs were seen"
    return f"; {wording.plural(len(late), 'run')} started late" if late else "; no run was due in it"
