"""WS118."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from windsock.findings import rates, wording
from windsock.findings.methods.counts import chance_of_as_many_lost
from windsock.findings.rule import Rule, Thresholds, Verdicts, threshold
from windsock.intervals import wilson
from windsock.model import Answer, Finding, Row
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When a DAG of few runs counts as one that loses more of them."""

    max_runs: float = threshold(20, "runs, of the week or before", "from there on WS101 compares them")
    min_runs_prev: float = threshold(3, "runs with a known end before", "fewer are no past")
    min_lost: float = threshold(4, "runs lost", "two or three can be bad nights")
    min_days: float = threshold(3, "UTC days with a lost run", "many runs of one night are one bad night")
    min_share: float = threshold(0.5, "fraction of the week's runs", "less is told by more weeks only")
    max_chance: float = threshold(0.005, "probability, of a warning", "thousands of DAGs are looked at")
    max_watch: float = threshold(
        0.02, "probability, of a watch", "after one week of few runs no more can be known"
    )


class FewRunsLost(Rule):
    """A DAG of few runs, most of which came well, lost most of them this week.

    What it means: a daily DAG has too few runs a week for its rate to be compared (WS101), and as some of them came well it
    did not lose each of the last ones (WS106); still, so many are not what it was.
    How it is judged: at least `min_lost` and `min_share` of its runs on `min_days` days, and so many are less likely than
    `max_chance` by its own past (upper tail of the beta-binomial prediction under Jeffreys' prior; runs before without a
    known end count as lost). It needs no other DAG, and no more than one week before. A watch up to `max_watch`, or where
    the newest day and the one before it came well. Not told where another finding tells the DAG's lost runs.
    What to do: look at the error named beside it, and at what changed in the DAG.
    """

    code, name, section = "WS118", "few-runs-lost", "failures"
    questions = (*rates.QUESTIONS, "lost_runs_by_dag_error")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts, errors = Verdicts(), rates.main_errors(answers)
        for dag_id, days in sorted(rates.days_by_dag(answers).items()):
            now = [row for row in days if row["week"] == week.monday]
            before = [row for row in days if row["week"] != week.monday]
            runs, runs_prev = _sum(now, "runs"), _sum(before, "runs")
            if not runs or (runs >= limits.max_runs and runs_prev >= limits.max_runs):
                continue
            if runs_prev - _sum(before, "no_end_runs") < limits.min_runs_prev:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            if _is_much(now, limits):
                lost_prev = _sum(before, "lost_runs") + _sum(before, "no_end_runs")
                chance = chance_of_as_many_lost(_sum(now, "lost_runs"), runs, lost_prev, runs_prev)
                if chance <= limits.max_watch:
                    is_grave = chance <= limits.max_chance and _goes_on(now)
                    verdicts.findings.append(
                        cls._told(dag_id, now, before, chance, errors.get(dag_id), is_grave=is_grave)
                    )
        return verdicts

    @classmethod
    def _told(
        cls, dag_id: str, now: Sequence[Row], before: Sequence[Row], chance: float, error: Row | None, *, is_grave: bool
    ) -> Finding:  # fmt: skip
        runs, lost = _sum(now, "runs"), _sum(now, "lost_runs")
        runs_prev, lost_prev = _sum(before, "runs"), _sum(before, "lost_runs")
        low, high = wilson(lost, runs)
        named = f"{error['lost_runs']} were lost to {error['error_signature']}. " if error else ""
        first = next((at for row in now if (at := row.get("first_lost_at"))), None)
        over = "" if _goes_on(now) else "; the newest ones came well"
        return cls.finding(
            subject={"dag_id": dag_id},
            severity="warning" if is_grave else "watch",
            headline=f"{dag_id}: {lost} of {wording.plural(runs, 'run')} failed (before: {lost_prev} of {runs_prev}){over}",
            evidence={
                "tries": runs,
                "failures": lost,
                "rate": lost / runs,
                "rate_low": low,
                "rate_high": high,
                "baseline_tries": runs_prev,
                "baseline_failures": lost_prev,
                "baseline_rate": lost_prev / runs_prev,
                "excess_failures": lost - runs * (lost_prev + 0.5) / (runs_prev + 1),
                "chance": chance,
            }
            | ({"began_at": first} if first else {})
            | ({"error_signature": error["error_signature"]} if error else {}),
            advice=f"{named}Look at what changed in {dag_id}, though few runs tell of it.",
            rank=float(lost),
        )


def _sum(rows: Sequence[Row], name: str) -> int:
    return sum(row[name] for row in rows)


def _is_much(now: Sequence[Row], limits: Limits) -> bool:
    lost = _sum(now, "lost_runs")
    return (
        lost >= limits.min_lost
        and lost >= limits.min_share * _sum(now, "runs")
        and sum(row["lost_runs"] > 0 for row in now) >= limits.min_days
    )


def _goes_on(now: Sequence[Row]) -> bool:
    """Whether a run was lost on the newest day with runs, or on the day before it."""
    return any(row["lost_runs"] for row in now if now[-1]["day"] - row["day"] <= timedelta(days=1))
