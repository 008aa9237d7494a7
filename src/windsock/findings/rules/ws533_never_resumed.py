"""WS533."""

from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Finding, Row
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When a try that waits counts as forgotten."""

    min_hours: float = threshold(6, "hours", "a restart or an upgrade may take that long")
    min_times: float = threshold(3.0, "times the longest wait that ended", "less may be a slow day")
    min_lone_hours: float = threshold(24, "hours", "one try that waits alone is a warning only from then on")


class NeverResumed(Rule):
    """Tries that deferred, or were rescheduled, have never come back.

    What it means: they do not fail, time out or log: their runs stay open, nothing alerts, and with max_active_runs the DAG
    stops. Most often no triggerer runs, or the trigger was lost.
    How it is judged: the last word of a try's log is that it leaves its worker, and no input knows a later one; it has waited
    for `min_hours` and `min_times` the longest wait after which a try of this task did come back. A task of which none ever
    did is not judged: its trigger may end it by itself. A warning where no later try of the task came back, and there are
    two of them or one that waits for `min_lone_hours`.
    What to do: see that a triggerer runs (for rescheduled sensors: the scheduler), then clear the tries that wait.
    """

    code, name, section = "WS533", "never-resumed", "silent"
    questions = ("never_resumed",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "never_resumed"):
            if row["longest_away_s"] is None:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            hours = row["waited_s"] / 3600
            if hours >= limits.min_hours and row["waited_s"] >= limits.min_times * row["longest_away_s"]:
                is_alone = row["waiting"] < 2 and hours < limits.min_lone_hours
                verdicts.findings.append(cls._told(row, is_grave=not row["resumed_since"] and not is_alone))
        return verdicts

    @classmethod
    def _told(cls, row: Row, *, is_grave: bool) -> Finding:
        is_one = row["waiting"] == 1
        left = (
            "deferred" if row["kind"] == "deferred" else "was rescheduled" if is_one else "were rescheduled"
        )
        when = f"{'on' if is_one else 'since'} {wording.moment(row['first_at'])}"
        later = (
            f"{row['resumed_since']} later ones were"
            if row["resumed_since"]
            else "nor was any that began later"
        )
        return cls.finding(
            subject={"dag_id": row["dag_id"], "task_id": row["task_id"]},
            severity="warning" if is_grave else "watch",
            headline=f"{row['dag_id']}.{row['task_id']}: {wording.plural(row['waiting'], 'try')} {left} {when} and "
            f"{'was' if is_one else 'were'} never resumed, {'' if is_one else 'the longest '}for {wording.span(row['waited_s'])} (usually "
            f"at most {wording.span(row['longest_away_s'])}); {later}",
            evidence={
                name: row[name]
                for name in ("waiting", "runs", "kind", "first_at", "last_at", "waited_s", "waited_hours", "resumed",
                             "resumed_since", "resumed_prev", "longest_away_s")
            },
            advice=f"{_who(row)} Then clear the tries that wait: windsock why {quote(row['dag_id'])} {quote(row['task_id'])}.",
            rank=float(row["waited_hours"]),
        )  # fmt: skip


def _who(row: Row) -> str:
    if row["kind"] == "deferred":
        return "See that a triggerer runs and has room (airflow jobs check --job-type TriggererJob)."
    return "See that the scheduler runs, and what else holds the task (its pool, its queue)."
