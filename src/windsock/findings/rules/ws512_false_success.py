"""WS512."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Row
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """How many false endings matter."""

    min_success: float = threshold(
        1, "tries called success whose log says otherwise", "each is work not done"
    )
    min_no_end: float = threshold(3, "logs that stop without an end", "one or two may be a lost node")
    min_rise: float = threshold(
        3.0, "times the share before", "less is how this task's logs have always been"
    )


class FalseSuccess(Rule):
    """Tries that were called a success did not run to their end, or their log stops without any end.

    What it means: the process left early (`os._exit(0)`), or was killed while the executor saw a clean exit: downstream
    tasks ran on work that was not done. No rate of failures holds it.
    How it is judged: the log says killed, failed, or stops before Airflow's own last line, while API, database or a
    component say success. Logs that stop and of which nobody tells are counted apart (`no_end`): the end is not known; they
    are a warning where `min_rise` times as many tries end so as in the weeks before, and dated from the first one after the
    last week without any. Endings set from outside are left out.
    What to do: see what the task's last lines were; replace `os._exit`; look at the pod's or worker's exit then.
    """

    code, name, section = "WS512", "false-success", "silent"
    questions = ("endings_that_disagree",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "endings_that_disagree"):
            verdicts.judged += 1
            task, tries = f"{row['dag_id']}.{row['task_id']}", wording.plural(row["tries"], "try")
            is_false = row["reported_success"] >= limits.min_success
            if not is_false and row["no_end"] < limits.min_no_end:
                verdicts.not_enough += bool(row["no_end"])
                continue
            ends = ", ".join(row["reasons"])
            verdicts.findings.append(
                cls.finding(
                    subject={"dag_id": row["dag_id"], "task_id": row["task_id"]},
                    severity="warning" if is_false or _is_risen(row, limits) else "watch",
                    headline=f"{task}: {row['reported_success']} of {tries} called success did not run to their end ({ends})"
                    if is_false
                    else f"{task}: the log of {row['no_end']} of {tries} stops without an end "
                    f"(since {wording.moment(row['no_end_since'])}), and nobody tells how they ended",
                    evidence={
                        "tries": row["tries"],
                        "reported_success": row["reported_success"],
                        "no_end": row["no_end"],
                        "no_end_prev": row["no_end_prev"],
                        "reasons": list(row["reasons"]),
                        "not_known": row["tries"] - row["both_known"],
                        "first_at": row["first_at"] if is_false else row["no_end_since"],
                        "last_at": row["last_at"],
                    },
                    advice="Check what these runs left behind, and rerun them: what follows took them as done."
                    if is_false
                    else "Add the scheduler's log, the API or the database: they know how these tries ended.",
                    rank=float(3 * row["reported_success"] + row["no_end"]),
                )
            )
        return verdicts


def _is_risen(row: Row, limits: Limits) -> bool:
    """Whether clearly more of the tries end so than before."""
    return bool(row["no_end"] * row["tries_prev"] >= limits.min_rise * row["no_end_prev"] * row["tries"])
