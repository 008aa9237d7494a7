"""WS404."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.how_to_set import in_code, named
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.findings.settings import FROM
from windsock.model import Answer, Row
from windsock.week import Week

KINDS = {"execution_timeout": "an execution_timeout", "dagrun_timeout": "a dagrun_timeout"}
SETTINGS = {"execution_timeout": "default_task_execution_timeout", "dagrun_timeout": "dagrun_timeout"}


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When a timeout is too tight."""

    min_hits: float = threshold(3, "timeouts and near misses in the week", "one or two hang now and then")
    near: float = threshold(0.8, "fraction of the limit", "what takes a fifth more data has no room left")
    beyond: float = threshold(
        1.05, "times the limit", "what ends well beyond it ran under another limit: it was raised since"
    )
    min_sample: float = threshold(50, "tries or runs that ended well", "a 99th percentile needs as many")
    room: float = threshold(
        1.5, "times the 99th percentile", "room for a bad day, and still half an hour saved of a hang"
    )


class NearTimeout(Rule):
    """Good work ends close to its timeout, or is ended by it.

    What it means: the limit was set for less data than there is; the next growth turns successes into failures.
    How it is judged: the limit is the shortest time of what it ended. Near are successes above `near` of it; none
    where any took longer than `beyond` of it, for that limit holds no more. A new value is
    proposed as `room` times the 99th percentile of what ended well in nine weeks, with its n; none below `min_sample`.
    What to do: set the proposed value if the time is honest work; a task that hangs needs a timeout of its own call. The price is
    that a hang is noticed later, by the difference; the way back is the limit as it was seen.
    """

    code, name, section = "WS404", "near-timeout", "durations"
    questions = ("timeouts", *FROM)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "timeouts"):
            verdicts.judged += 1
            near = _near_misses(row, limits)
            if row["timeouts"] + near < limits.min_hits:
                verdicts.not_enough += 1
                continue
            verdicts.findings.append(cls._of(answers, row, near, limits))
        return verdicts

    @classmethod
    def _of(cls, answers: Mapping[str, Answer], row: Row, near: int, limits: Limits) -> Any:
        what = f"{row['dag_id']}.{row['task_id']}" if row["task_id"] else f"Runs of {row['dag_id']}"
        proposed = limits.room * row["p99_s"] if row["ended_well"] >= limits.min_sample else None
        setting = SETTINGS[row["kind"]]
        default = named(answers, setting)
        kept = f" It stands over {default}." if default.startswith("[") else ""
        is_useful = proposed is not None and proposed > row["limit_s"]
        return cls.finding(
            subject={"kind": row["kind"], "dag_id": row["dag_id"], "task_id": row["task_id"] or ""},
            severity="warning" if row["timeouts"] > row["timeouts_prev"] / 8 * 2 + 1 else "watch",
            headline=f"{what}: {row['timeouts']} ended by {KINDS[row['kind']]} of about {wording.span(row['limit_s'])}, "
            f"{near} ended well above {wording.percent(limits.near)} of it",
            evidence={
                name: row[name]
                for name in (
                    "timeouts",
                    "timeouts_prev",
                    "limit_s",
                    "ended_well",
                    "median_s",
                    "p99_s",
                    "longest_s",
                    "first_at",
                    "last_at",
                )
            }
            | {"near": near, "proposed_s": proposed}
            | (
                in_code(
                    answers,
                    setting,
                    proposed,
                    row["limit_s"],
                    dag_id=row["dag_id"],
                    task_id=row["task_id"] or "",
                )
                if is_useful
                else {}
            ),
            advice=f"Set {row['kind']} to {wording.span(proposed or 0)}: {limits.room:g} times the 99th percentile of "
            f"{row['ended_well']:,} that ended well, and up to {row['timeouts']} a week end no more by it. The price: a hang is "
            f"noticed {wording.span((proposed or 0) - row['limit_s'])} later.{kept}"
            if is_useful
            else _hangs(row),
            rank=float(row["timeouts"] + near / 10),
        )


def _near_misses(row: Row, limits: Limits) -> int:
    """None where some ended well beyond the limit: it was another one when they ran."""
    if any(took_s > limits.beyond * row["limit_s"] for took_s in row["good_s"]):
        return 0
    return sum(took_s > limits.near * row["limit_s"] for took_s in row["good_s"])


def _hangs(row: Row) -> str:
    """No value is proposed: what ends well is far from the limit, too little of it did, or nothing at all."""
    if not row["ended_well"]:
        return "Do not raise the limit: nothing has ended well in nine weeks; find what it hangs on."
    return (
        f"Do not raise the limit: what ends well takes {wording.span(row['median_s'])} in the median "
        f"(n = {row['ended_well']}); find what it hangs on."
    )
