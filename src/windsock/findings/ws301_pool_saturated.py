"""WS301."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from windsock.findings import pool_options, wording
from windsock.findings.pool_options import Measured
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Row
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When a pool is too small."""

    min_full_share: float = threshold(
        0.10, "fraction of busy hours", "below this waiting is a moment, not a habit"
    )
    min_wait_hours: float = threshold(2.0, "task-hours a week", "less does not pay for a change")
    min_samples: float = threshold(50, "tries or samples", "a handful says nothing of a week")
    worth_saving: float = threshold(
        0.8,
        "fraction of the saving that the largest size tried brings",
        "the rest costs more slots than it is worth",
    )


class PoolSaturated(Rule):
    """A pool is full for a good part of its busy hours, and tasks wait for it.

    What it means: the pool, not the workers, decides when these tasks run.
    How it is judged: from the exact intervals of its tasks where API, database or scheduler log tell when each was
    ready, queued and ended; else from gauges, time-weighted, which misstate the share of full time by up to five
    points and bound the saving from below. The options replay the week's own tasks at other sizes, durations taken as
    unchanged. `pool.starving_tasks` is not used: it freezes when the pool is full.
    What to do: raise the pool to the smallest size that removes most of the wait, if what it protects allows it
    (`[pools.NAME] max_slots` bounds the advice).
    """

    code, name, section = "WS301", "pool-saturated", "pools"
    questions = pool_options.QUESTIONS
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        pools = pool_options.measured(answers)
        verdicts = Verdicts(
            no_data="" if pools else "no pool gauges and no queue times of tasks in this week"
        )
        bounds = {row["pool"]: row for row in rows_of(answers, "pool_bounds")}
        for one in pools:
            if one.samples < limits.min_samples or one.row["full_share"] is None:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            if (
                one.row["full_share"] >= limits.min_full_share
                and one.row["wait_hours"] >= limits.min_wait_hours
            ):
                verdicts.findings.append(cls._of_pool(answers, one, bounds.get(one.pool, {}), limits))
        return verdicts

    @classmethod
    def _of_pool(cls, answers: Mapping[str, Answer], one: Measured, bound: Row, limits: Limits) -> Any:
        tried = pool_options.sizes(one.slots_now, bound.get("max_slots"))
        options = pool_options.options(answers, one, tried)
        row = one.row
        finding = cls.finding(
            subject={"pool": one.pool},
            severity="warning",
            headline=f"Pool {one.pool} was full in {wording.percent(row['full_share'])} of its busy hours; "
            f"tasks waited {wording.hours(row['wait_hours'])} for its {one.slots_now} slots",
            evidence={
                "full_share": row["full_share"],
                "wait_hours": row["wait_hours"],
                "total_slots": one.slots_now,
                "busy_hours": row["busy_hours"],
                "samples": one.samples,
                "source": one.source,
                "max_slots": bound.get("max_slots"),
                "protects": bound.get("protects") or None,
                "options": options,
            },
            advice=_advice(one, options, bound, limits.worth_saving),
            rank=float(row["wait_hours"]),
        )
        asked = "pool_full_share" if one.source == pool_options.GAUGES else "pool_occupancy"
        return replace(finding, question=asked)


def _advice(one: Measured, options: Sequence[Mapping[str, Any]], bound: Row, worth: float) -> str:
    """The smallest size that removes most of the wait, how sure that is, and the commands both ways."""
    protects = f" ({bound['protects']})" if bound.get("protects") else ""
    if not options:
        return (
            f"{one.pool} is at its bound of {bound['max_slots']} slots{protects}: move tasks to quieter hours, "
            "or make them shorter."
        )
    most = max(option["wait_hours_saved"] for option in options)
    best = next(option for option in options if option["wait_hours_saved"] >= worth * most)
    how = (
        "estimated from gauges, at least so much"
        if one.source == pool_options.GAUGES
        else "a replay of this week's tasks"
    )
    kept = f" It stays within {bound['max_slots']}{protects}." if bound.get("max_slots") else ""
    return (
        f"Raise {one.pool} from {one.slots_now} to {best['slots']} slots: {wording.hours(max(0.0, best['wait_hours_saved']))} "
        f"of waiting saved a week ({how}; durations taken as unchanged, another limit may bind).{kept} "
        f'airflow pools set {one.pool} {best["slots"]} "" (undo: the same with {one.slots_now}).'
    )
