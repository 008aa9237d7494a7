"""WS301."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.methods.pool_replay import from_gauges
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
    min_samples: float = threshold(50, "samples", "a handful of gauges says nothing of a week")


class PoolSaturated(Rule):
    """A pool is full for a good part of its busy hours, and tasks wait for it.

    What it means: the pool, not the workers, decides when these tasks run.
    How it is judged: from gauges, time-weighted: the share of busy hours without an open slot while tasks are
    scheduled, and the task-hours waited. `pool.starving_tasks` is not used: it freezes when the pool is full.
    What to do: raise the pool to the smallest size that removes most of the wait, if what it protects allows it.
    """

    code, name, section = "WS301", "pool-saturated", "pools"
    questions = ("pool_full_share", "pool_demand")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        rows = rows_of(answers, "pool_full_share")
        verdicts = Verdicts(no_data="" if rows else "no pool gauges: no metric snapshots in this week")
        for row in rows:
            if row["samples"] < limits.min_samples or row["full_share"] is None:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            if row["full_share"] < limits.min_full_share or row["wait_hours"] < limits.min_wait_hours:
                continue
            options = pool_options(rows_of(answers, "pool_demand"), row["pool"], sizes(row["total_slots"]))
            best = next((o for o in options if o["wait_hours_saved"] >= 0.8 * row["wait_hours"]), options[-1])
            verdicts.findings.append(
                cls.finding(
                    subject={"pool": row["pool"]},
                    severity="warning",
                    headline=f"Pool {row['pool']} was full in {wording.percent(row['full_share'])} of its busy hours; "
                    f"tasks waited {wording.hours(row['wait_hours'])} for its {row['total_slots']} slots",
                    evidence={
                        "full_share": row["full_share"],
                        "wait_hours": row["wait_hours"],
                        "total_slots": row["total_slots"],
                        "busy_hours": row["busy_hours"],
                        "samples": row["samples"],
                        "options": options,
                    },
                    advice=f"Raise {row['pool']} from {row['total_slots']} to {best['slots']} slots: at least "
                    f"{wording.hours(best['wait_hours_saved'])} of waiting saved a week (from gauges; durations taken "
                    f'as unchanged). airflow pools set {row["pool"]} {best["slots"]} "" '
                    f"(undo: the same with {row['total_slots']}).",
                    rank=row["wait_hours"],
                )
            )
        return verdicts


def sizes(now: int) -> list[int]:
    """The sizes worth trying: a half more, twice, three times."""
    return sorted({now + max(1, now // 2), now * 2, now * 3})


def pool_options(demand: Sequence[Row], pool: str, slots: Sequence[int]) -> list[dict[str, Any]]:
    """Wait and wait saved at each size, from the pool's gauges."""
    mine = [row for row in demand if row["pool"] == pool]
    samples = [(float(row["span_s"]), int(row["busy_slots"]), int(row["waiting"])) for row in mine]
    now = int(mine[-1]["total_slots"]) if mine else 0
    wait_now = sum(span * waiting for span, _busy, waiting in samples) / 3600
    options = []
    for size in slots:
        load = from_gauges(samples, slots_now=now, slots=size)
        options.append(
            {
                "slots": size,
                "wait_hours": load.wait_hours,
                "wait_hours_saved": wait_now - load.wait_hours,
                "peak_slots": load.peak_slots,
            }
        )
    return options
