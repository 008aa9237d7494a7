"""WS516."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """How many mismatches are a pattern."""

    min_tries: float = threshold(2, "tries in the week", "one can be a restart")


class StateMismatch(Rule):
    """The executor ended tries that Airflow believed queued, deferred or running.

    What it means: the task failed without an error of its own. For deferrable tasks under load an old event of the executor
    meets the resumed task; otherwise the file does not import on the worker, or the process left without a word.
    How it is judged: the scheduler's word or the audit log's, each try once; and tries recorded as failed whose log ends at
    a deferral, without any error.
    What to do: deferrable: raise retries, or upgrade; queued: import the file on a worker.
    """

    code, name, section = "WS516", "state-mismatch", "silent"
    questions = ("state_mismatches", "endings_that_disagree")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        told = {(row["dag_id"], row["task_id"]): row for row in rows_of(answers, "state_mismatches")}
        seen = {
            (row["dag_id"], row["task_id"]): row
            for row in rows_of(answers, "endings_that_disagree")
            if row["deferred_unseen"]
        }
        verdicts = Verdicts()
        for key in sorted(told.keys() | seen.keys()):
            verdicts.judged += 1
            word, end = told.get(key, {}), seen.get(key, {})
            tries = max(word.get("mismatches", 0), end.get("deferred_unseen", 0))
            if tries < limits.min_tries:
                verdicts.not_enough += 1
                continue
            is_deferrable = bool(word.get("at_deferral") or end)
            known = word.get("tries") or end["tries"]
            verdicts.findings.append(
                cls.finding(
                    subject={"dag_id": key[0], "task_id": key[1]},
                    severity="watch" if word.get("prev") else "warning",
                    headline=f"{key[0]}.{key[1]}: {tries} of {wording.plural(known, 'try')} ended by the executor while "
                    f"{'deferred' if is_deferrable else 'queued or running'}, without an error of their own",
                    evidence={
                        "tries": tries,
                        "all_tries": known,
                        "told_by_scheduler": word.get("mismatches", 0),
                        "seen_in_logs": end.get("deferred_unseen", 0),
                        "lost": word.get("lost"),
                        "deferrable": is_deferrable,
                        "reasons": list(word.get("reasons") or ()),
                        "prev": word.get("prev"),
                        "first_at": word.get("first_at") or end["first_at"],
                        "last_at": word.get("last_at") or end["last_at"],
                    },
                    advice="Give the task one retry more: the resume meets an old event of the executor under load."
                    if is_deferrable
                    else "Import the DAG's file on a worker, and look at the worker's output at these times.",
                    rank=float(tries + 2 * (word.get("lost") or 0)),
                )
            )
        return verdicts
