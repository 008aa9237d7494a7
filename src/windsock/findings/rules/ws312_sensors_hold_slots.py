"""WS312."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.how_to_set import has, in_code, named
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.findings.settings import FROM
from windsock.model import Answer, Finding, Row
from windsock.week import Week

DEFERRABLE = "default_deferrable"


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When waiting in a slot is worth changing."""

    min_slot_hours: float = threshold(24.0, "slot hours a week", "one slot for a day; less is not felt")
    min_share: float = threshold(0.2, "fraction of the pool's slot hours", "below it others have room")
    min_mean_s: float = threshold(
        600.0, "s held by a try", "a sensor that is done in minutes costs less than a trigger"
    )


class SensorsHoldSlots(Rule):
    """Sensors wait in the slots of a pool: they hold a slot, and a worker's, to do nothing.

    What it means: the pool and the workers are busy with waiting; when all slots are held by sensors, the tasks that they wait
    for may not run at all.
    How it is judged: tries whose operator is named as a sensor and whose log shows one process (poke mode): their slot hours,
    as hours and as a share of the pool, and how long one holds its slot. Airflow 2 names the operator in the log, Airflow 3
    in its API and database; where nothing does, nothing is said.
    What to do: `deferrable=True` (Airflow 2.7 and newer, an operator that can, and a triggerer), else `mode="reschedule"` (its log is
    put anew at each poke: WS650). A pool that counts deferred tasks (`include_deferred`) gains nothing by deferring. The way back is
    `deferrable=False`, `mode="poke"`.
    """

    code, name, section = "WS312", "sensors-hold-slots", "pools"
    questions = ("pool_sensors", "pool_sizes", *FROM)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        counting = {row["pool"] for row in rows_of(answers, "pool_sizes") if row["includes_deferred"]}
        of_pool: dict[str, list[Row]] = defaultdict(list)
        for row in rows_of(answers, "pool_sensors"):
            of_pool[row["pool"]].append(row)
        for pool, rows in sorted(of_pool.items()):
            verdicts.judged += 1
            long = [row for row in rows if row["mean_s"] >= limits.min_mean_s]
            hours, share = (sum(row[name] for row in long) for name in ("slot_hours", "share"))
            if hours >= limits.min_slot_hours and share >= limits.min_share:
                verdicts.findings.append(cls._of_pool(answers, pool, long, counts=pool in counting))
        return verdicts

    @classmethod
    def _of_pool(
        cls, answers: Mapping[str, Answer], pool: str, rows: Sequence[Row], *, counts: bool
    ) -> Finding:
        most = sorted(rows, key=lambda row: (-row["slot_hours"], row["dag_id"], row["task_id"]))
        hours, share = (sum(row[name] for row in rows) for name in ("slot_hours", "share"))
        first = most[0]
        task = f"{first['dag_id']}.{first['task_id']}"
        of_task = {"dag_id": first["dag_id"], "task_id": first["task_id"]}
        way = in_code(answers, DEFERRABLE, True, False, **of_task)
        gain = f"{wording.hours(first['slot_hours'])} of slots a week come free"
        if counts or not has(answers, DEFERRABLE):
            way = {
                name: f"task {first['task_id']!r} of {first['dag_id']!r}: mode={mode!r}"
                for name, mode in (("apply", "reschedule"), ("undo", "poke"))
            }
            why = (
                "This pool counts deferred tasks: only" if counts else "This version has no deferrable=: only"
            )
            advice = (
                f"Set mode='reschedule' for {task}: {gain}. {why} reschedule mode frees its slots. Each poke then writes the whole "
                "log anew: poke less often."
            )
        else:
            advice = (
                f"Set deferrable=True for {task}, or mode='reschedule' where its operator cannot defer: {gain}, and a worker's place "
                f"each. It needs a triggerer; {named(answers, DEFERRABLE)} = true does it for all operators that can."
            )
        return cls.finding(
            subject={"pool": pool},
            severity="info",
            headline=f"Sensors hold {wording.percent(share)} of pool {pool}: {wording.hours(hours)} of slots that only wait",
            evidence={
                "slot_hours": hours,
                "share": share,
                "sensors": [
                    f"{row['dag_id']}.{row['task_id']} {wording.hours(row['slot_hours'])}" for row in most[:8]
                ],
                "tries": sum(row["tries"] for row in rows),
                "longest_mean_s": max(row["mean_s"] for row in rows),
                **way,
            },
            advice=advice,
            rank=float(hours),
        )
