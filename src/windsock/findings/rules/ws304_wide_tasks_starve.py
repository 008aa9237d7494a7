"""WS304."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.methods.binomial import chance_of_at_least
from windsock.findings.pools.split import TwoPools, in_two_pools
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Finding, Row
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When wide tasks are passed by."""

    min_wait_s: float = threshold(60.0, "seconds, median", "a minute in the line is no starving")
    min_ratio: float = threshold(
        3.0, "times as long as tasks of one slot", "several slots take a while to come free"
    )
    min_excess_hours: float = threshold(1.0, "task-hours more a week", "less does not pay for a change")
    warn_hours: float = threshold(10.0, "task-hours more a week", "an hour and a half each day")
    alpha: float = threshold(
        0.01, "probability", "a deployment has a handful of such pools; seven nights in a row are enough"
    )


class WideTasksStarve(Rule):
    """Tasks that take several slots of a pool wait while tasks of one slot pass them by.

    What it means: the scheduler gives the slots that are free to whoever fits; a wide task goes only when enough are free at once,
    and its priority does not reserve them.
    How it is judged: hour by hour, the mean wait of the wide tasks that became ready in it beside that of the pool's tasks of one
    slot: longer in so many hours that luck is out (sign test), `min_ratio` times as long, at least `min_wait_s` in the median and
    `min_excess_hours` in all. Ready times as for WS301. A task wider than its pool is WS302's.
    Where WS301 says that the pool is full and most of its waiting is theirs, that is said there, once.
    What to do: give the wide tasks a pool of their own, out of the same slots, where a replay says that it saves them more than it
    costs the others. Else let them take fewer slots. The risk: slots that stand idle in one pool while the other is full.
    """

    code, name, section = "WS304", "wide-tasks-starve", "pools"
    questions = ("waits_by_width", "pool_tasks", "pool_sizes")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "waits_by_width"):
            told = row["longer_hours"] + row["shorter_hours"]
            if row["slots"] <= 1:
                continue
            if not told or chance_of_at_least(told, told, 0.5) > limits.alpha:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            chance = chance_of_at_least(row["longer_hours"], told, 0.5)
            is_long = row["wait_s"] >= max(limits.min_wait_s, limits.min_ratio * row["narrow_s"])
            if is_long and chance <= limits.alpha and row["excess_hours"] >= limits.min_excess_hours:
                verdicts.findings.append(cls._of(answers, row, chance, limits))
        return verdicts

    @classmethod
    def _of(cls, answers: Mapping[str, Answer], row: Row, chance: float, limits: Limits) -> Finding:
        pool, slots = row["pool"], row["slots"]
        split = in_two_pools(answers, pool, least_slots=slots)
        return cls.finding(
            subject={"pool": pool, "slots": str(slots)},
            severity="warning" if row["excess_hours"] >= limits.warn_hours else "watch",
            headline=f"Pool {pool}: tasks of {slots} slots wait {wording.short(row['wait_s'])} (median), those of one slot "
            f"{wording.short(row['narrow_s'])} in the same hours: {wording.hours(row['excess_hours'])} more this week",
            evidence={
                "excess_hours": row["excess_hours"],
                "wait_hours": row["wait_hours"],
                "tries": row["tries"],
                "longer_hours_of": f"{row['longer_hours']} of {row['hours']}",
                "p_value": chance,
                "longest_s": row["longest_s"],
                "priority": row["priority"],
                "narrow_priority": row["narrow_priority"],
                "dag_ids": list(row["dag_ids"][:8]),
                "saved_hours": split.part_hours - split.part_hours_then if split and split.pays else None,
            },
            advice=f"{_cure(pool, split)} Priority alone does not help: the scheduler passes over what does not fit and lets smaller "
            "tasks go.",
            rank=float(row["excess_hours"]),
        )


def _cure(pool: str, split: TwoPools | None) -> str:
    """A pool of their own only where that saves more than it costs the others."""
    name = wording.name(pool)
    if split is None:
        return "Give them a pool of their own, or let them take fewer slots (pool_slots)."
    then, now = wording.hours(split.rest_hours_then), wording.hours(split.rest_hours)
    if not split.pays:
        return (
            f"Let them take fewer slots (pool_slots), or give {name} more. Its slots in two pools help nobody: by a replay of this week's "
            f"tasks the others would wait {then} instead of {now}."
        )
    return (
        f"Give them {wording.plural(split.slots, 'slot')} of {name} as a pool of their own, {split.rest_slots} for the rest. By a "
        f"replay of this week's tasks they wait {wording.hours(split.part_hours_then)} instead of {wording.hours(split.part_hours)}, "
        f"the others {then} instead of {now}. Or let them take fewer slots (pool_slots)."
    )
