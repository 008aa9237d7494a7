"""WS110."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from windsock.findings import wording
from windsock.findings.incident_shape import Shape, by_cause, known_by, shape
from windsock.findings.methods.counts import chance_of_more
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import BLAMES, Answer, Finding, Row
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """What makes failures one incident."""

    min_dags: float = threshold(3, "DAGs", "fewer share an error by chance")
    min_tasks: float = threshold(
        20, "tasks, whatever number of DAGs", "so many tasks of one DAG fail for one cause, too"
    )
    min_tries: float = threshold(6, "failed tries", "a handful is noise")
    min_rise: float = threshold(
        3.0, "times the weekly rate before", "an old, steady error is not an incident"
    )
    min_share: float = threshold(0.9, "fraction 0-1", "a few strays do not unmake what nearly all share")
    max_common: float = threshold(0.5, "fraction 0-1", "what most tries of the week have, too, tells nothing")
    max_chance: float = threshold(
        0.0001, "probability", "hundreds of signatures are looked at in a week; none may pass by luck"
    )
    rare_days: float = threshold(
        8, "days from run to run", "what comes sooner is made good before the next report"
    )
    max_first_hours: float = threshold(
        24, "hours from first to last", "where no week before is known, errors of every week look new"
    )


class Incident(Rule):
    """One error hit many DAGs: most likely one cause.

    What it means: failures that look like many problems share one error signature, name one login, connection or host, or
    could not reach something over the one connection that their logs say they took last.
    How it is judged: one cause (without the place in the code) in at least `min_dags` DAGs that each have it `min_rise` times
    as often as before (who has it every week is not hit), or in `min_tasks` tasks, and `min_tries` failed tries this week; at least `min_rise` times its weekly rate before, and more runs
    than its own past explains by chance (negative binomial prediction). Where no week before is known, it must be over within
    `max_first_hours`, or end most of the runs that it hits while most of its tasks have not run well since. upstream_failed tasks have no signature and
    never count. It is over when every task it hit has run well since. What its tries share is told where at least
    `min_share` of them have it and at most `max_common` of all tries of the week. Ranked by lost runs and wasted hours. A
    DAG whose lost runs an incident tells is not told again. DAGs whose newest run was lost and whose next one comes in
    `rare_days` or more are counted: that run has to be cleared.
    What to do: look for what the DAGs share (a connection, a host, a release) before looking into any one of them; once it is
    mended, clear the lost runs that no next run soon makes good.
    """

    code, name, section = "WS110", "incident", "incidents"
    questions = ("incidents_by_error", "incident_shares", "runs_lost_since")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        shares = by_cause(rows_of(answers, "incident_shares"))
        for row in rows_of(answers, "incidents_by_error"):
            verdicts.judged += 1
            if is_incident(row, limits):
                place = shape(row, shares.get(row["cause"], ()), limits)
                verdicts.findings.append(cls._told(row, place, _rare(answers, row, limits.rare_days)))
        return verdicts

    @classmethod
    def _told(cls, row: Row, place: Shape, rare: Mapping[str, int]) -> Finding:
        is_over = row["tasks_well"] >= row["tasks"]
        kind = row["exception_type"] or "one error"
        named = "" if row["cause"] in row["signatures"] else f"{row['cause']}, "
        finding = cls.finding(
            subject={"error_signature": row["error_signature"]},
            severity="critical"
            if row["weeks_prev"] and row["lost_runs"] >= 10 and not is_over
            else "warning",
            headline=f"One error in {_place(row)}: {named}{kind}, "
            f"{wording.plural(row['tries'], 'try')} failed, {row['lost']:,} for good"
            f"{'; all well since' if is_over else ''}",
            evidence=_evidence(row, place)
            | {"is_over": is_over}
            | ({"rare_dags": list(rare), "rare_runs": sum(rare.values())} if rare else {}),
            advice=_advice(row, place, is_over=is_over) + _to_clear(rare),
            rank=float(row["lost_runs"] + row["wasted_hours"]),
        )
        # the words of a cause change from week to week, its name does not
        return replace(finding, id=f"{cls.code}:{row['cause']}") if named else finding


def _rare(answers: Mapping[str, Answer], row: Row, rare_days: float) -> dict[str, int]:
    """DAG that was hit and runs so rarely, or ran once → runs of the week that it lost since its last good one."""
    return {
        one["dag_id"]: one["week_runs"]
        for one in rows_of(answers, "runs_lost_since")
        if one["dag_id"] in row["dag_ids"] and (one["gap_s"] is None or one["gap_s"] >= rare_days * 86400)
    }


def _to_clear(rare: Mapping[str, int]) -> str:
    if not rare:
        return ""
    runs = sum(rare.values())
    whose = "run, as the next one is" if runs == 1 else "runs whose next ones are"
    return f" Then clear {runs} lost {whose} a week or more away (Grid, the run, Clear, only failed tasks)."


def is_incident(row: Row, limits: Limits) -> bool:
    """Whether so many, and so many more than before, failed for one cause."""
    weeks = row["weeks_prev"]
    counts = zip(row["dag_tries"], row["dag_tries_prev"], strict=True)
    risen = sum(tries * weeks >= limits.min_rise * before for tries, before in counts)
    if risen < limits.min_dags and row["tasks"] < limits.min_tasks:
        return False
    if row["tries"] < limits.min_tries or row["tries"] * weeks < limits.min_rise * row["tries_prev"]:
        return False
    if not weeks:
        return _stands_out(row, limits)
    return chance_of_more(row["runs"], row["runs_prev"], weeks) <= limits.max_chance


def _stands_out(row: Row, limits: Limits) -> bool:
    """Whether an error without any past is pressed together, or has come to stay."""
    if row["last_at"] - row["first_at"] <= timedelta(hours=limits.max_first_hours):
        return True
    return bool(row["lost_runs"] * 2 > row["runs"] and row["tasks_well"] * 2 < row["tasks"])


def _evidence(row: Row, place: Shape) -> dict[str, Any]:
    """The contract's facts first, then what helps to find the cause."""
    names = ("dags", "dag_ids", "runs", "lost_runs", "tries", "lost", "wasted_hours", "first_at", "last_at")
    told: dict[str, Any] = {name: row[name] for name in names} | {"dag_ids": list(row["dag_ids"])}
    told |= {
        "concentration": place.concentration,
        "shared": list(place.shared),
        "blame": BLAMES[row["blame"] or "unknown"],
        "blocked": row["blocked"] or None,
        "well_since": f"{row['tasks_well']} of {wording.plural(row['tasks'], 'task')}",
        "tries_prev": row["tries_prev"],
        "sample": row["sample"],
    }
    told |= known_by(row)
    if len(row["signatures"]) > 1:
        told["signatures"] = list(row["signatures"])
    return told


def _place(row: Row) -> str:
    """Many DAGs by their number; one by its name, with how many of its tasks."""
    if row["dags"] > 1:
        return wording.plural(row["dags"], "DAG")
    return f"{wording.plural(row['tasks'], 'task')} of {row['dag_ids'][0]}, {wording.plural(row['lost_runs'], 'run')} lost"


_FIRST_STEP = {
    "login": "Renew or unlock the credentials of {}.",
    "connection": "Define or mend the connection {}.",
    "host": "Ask who runs {} whether it was down or no longer reachable.",
}


def _advice(row: Row, place: Shape, *, is_over: bool) -> str:
    kind, _, name = row["cause"].partition(" ")
    is_named = row["cause"] not in row["signatures"] and kind in _FIRST_STEP
    dags = wording.names(list(row["dag_ids"]))
    began, ended = wording.moment(row["first_at"]), wording.moment(row["last_at"])
    # of executions, not of tries: of three tries that all fail, two are followed by a retry and none was saved
    if is_over and row["lost"] * 2 < row["executions"]:
        saved = row["executions"] - row["lost"]
        return (
            f"Retries saved {saved:,} of {wording.plural(row['executions'], 'task execution')} that failed from {began} to {ended}. "
            f"If it comes again, look for what {dags} share."
        )
    if is_over:
        shared = f" (they share: {'; '.join(place.shared)})" if place.shared else ""
        return f"It lasted from {began} to {ended}; find out what mended it in {dags}{shared}, so that it stays mended."
    first = f"{_FIRST_STEP[kind].format(name)} " if is_named else ""
    if row["dags"] == 1:
        return f"{first}Look at what changed in {dags}, and at what these tasks were given; it began {began}."
    shared = f": {'; '.join(place.shared)}" if place.shared else ""
    return f"{first}Look for what {dags} share{shared}; it began {began}."
