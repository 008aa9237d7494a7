"""WS106."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import rates, wording
from windsock.findings.methods.counts import chance_of_all_lost
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.findings.rules.ws510_killed import words
from windsock.model import Answer, Finding, Row
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When a DAG counts as broken though it has few runs."""

    min_runs: float = threshold(3, "runs lost in a row, the newest among them", "two can be two bad nights")
    min_days: float = threshold(3, "UTC days with such a run", "many runs of one night are one bad night")
    max_chance: float = threshold(
        0.005, "probability", "thousands of DAGs are looked at, and some lose runs in a row by their nature"
    )


class BrokenForDays(Rule):
    """A DAG that worked has lost every run for days, and still does.

    What it means: a daily DAG has too few runs a week for its rate to be compared (WS101), but each of the last ones
    failed: whoever waits for its data has had none since.
    How it is judged: the newest judged runs were all lost, at least `min_runs` of them on `min_days` days, and so many in a
    row are less likely than `max_chance` by the DAG's own nine weeks before them (beta-binomial prediction under Jeffreys'
    prior). Two bad nights that are over are none. Not told where WS101, WS103 or WS104 tells the DAG, or an incident, a bad
    hour or a bad host tells all of the runs. Where every run of nine weeks was lost, and neither of them tells it (a lake of its
    first weeks), it is a watch: nothing is known of better days.
    A run of which nobody knows how it ended is no lost one, and none that worked.
    What to do: look at the task and the error named beside it, then at what was deployed between the last run that worked and the
    first that did not.
    """

    code, name, section = "WS106", "broken-for-days", "failures"
    questions = ("runs_lost_since", "lost_runs_by_dag_error", "killed_tries")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        errors = rates.main_errors(answers)
        for row in rows_of(answers, "runs_lost_since"):
            verdicts.judged += 1
            if row["runs"] < limits.min_runs or row["days"] < limits.min_days:
                continue
            if row["until_at"] is not None and _chance(row) > limits.max_chance:
                continue
            verdicts.findings.append(cls._told(row, errors.get(row["dag_id"]), _killed(answers, row)))
        return verdicts

    @classmethod
    def _told(cls, row: Row, error: Row | None, killed: tuple[str, str] | None) -> Finding:
        dag_id, since = row["dag_id"], f"{row['since']:%a %d %b}"
        evidence = {
            name: row[name] for name in ("runs", "week_runs", "days", "since", "last_at", "hours")
        } | {"rate": 1.0, "task_ids": list(row["task_ids"] or ())}
        task = f" to {wording.names(evidence['task_ids'], 2)}{_of_map(row)}" if evidence["task_ids"] else ""
        if maps := _mapped(row):
            evidence["mapped_tasks"] = maps
        cause = f"{error['error_signature']} ended the runs. " if error else ""
        if error:
            evidence["error_signature"] = error["error_signature"]
        if killed:
            cause, evidence["ending"] = f"Their tries were {killed[0]}. {killed[1]} ", killed[0]
        if row["until_at"] is None:
            return cls.finding(
                subject={"dag_id": dag_id},
                severity="watch",
                headline=f"{dag_id} has lost every run that was seen{task} ({row['runs']} since {since})",
                evidence=evidence,
                advice=f"{cause}Mend it, or pause it until it is mended: airflow dags pause '{dag_id}'.",
                rank=float(row["runs"]),
            )
        return cls.finding(
            subject={"dag_id": dag_id},
            severity="critical",
            headline=f"{dag_id} has lost every run{task} since {since} ({row['runs']}; before: {row['lost_prev']} of "
            f"{row['runs_prev']})",
            evidence=evidence
            | {
                "well_at": row["well_at"],
                "baseline_rate": row["lost_prev"] / row["runs_prev"] if row["runs_prev"] else None,
                "baseline_tries": row["runs_prev"],
                "chance": _chance(row),
            },
            advice=f"{cause}Look at what changed in {dag_id} {_between(row)}.",
            rank=float(row["runs"]),
        )


def _of_map(row: Row) -> str:
    """` (4 of 20 map indexes)`, of a task that alone lost the runs; empty where it is not mapped."""
    lost, whole = list(row.get("maps_lost") or ()), list(row.get("maps") or ())
    return f" ({lost[0]:,} of {wording.plural(whole[0], 'map index')})" if len(lost) == 1 and lost[0] else ""


def _mapped(row: Row) -> list[str]:
    """`load: 4 of 20 map indexes failed`, of the first mapped tasks."""
    told = zip(row["task_ids"] or (), row.get("maps_lost") or (), row.get("maps") or (), strict=False)
    return [
        f"{task}: {lost:,} of {wording.plural(whole, 'map index')} failed"
        for task, lost, whole in told
        if lost
    ][:5]


def _between(row: Row) -> str:
    """When what broke it came. A run without a known end may have worked, or not."""
    if row["well_at"] is None:
        return f"up to {wording.moment(row['since'])}; of no run before is it known that it worked"
    unknown = "" if row["well_at"] == row["until_at"] else " (how those in between ended is not known)"
    return (
        f"between {wording.moment(row['well_at'])}, when the last run that worked began, and "
        f"{wording.moment(row['since'])}{unknown}"
    )


def _chance(row: Row) -> float:
    return chance_of_all_lost(row["runs"], row["lost_prev"], row["runs_prev"])


def _killed(answers: Mapping[str, Answer], broken: Row) -> tuple[str, str] | None:
    """How the tries of these runs were ended from outside, and what to do, where that is what took all of them (WS510)."""
    for row in rows_of(answers, "killed_tries"):
        if row["dag_id"] == broken["dag_id"] and row["lost"] >= broken["week_runs"]:
            return words(row["state_reason"], row["signal"])
    return None
