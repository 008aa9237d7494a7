"""The task runs, and fails."""

from collections import Counter
from collections.abc import Iterator, Mapping
from shlex import quote

from windsock.findings import wording
from windsock.findings.rule import rows_of
from windsock.findings.why.cause import Case, Cause, Count, Told, dags_of
from windsock.model import BLAMES, Answer

SHOWN = 5
"""Different errors of one case: more are a list, no answer."""


class Failed(Cause):
    """By error: the newest try that had it, where else it was seen, and what its log has that good ones have not."""

    name, words, about = "failed", "Runs lost because a task failed", "task failed"
    questions = ("case_tries", "incidents_by_error", "failure_rate_by_dag")
    counted_by = ("failure_rate_by_dag",)
    codes = (
        "WS101",
        "WS103",
        "WS104",
        "WS106",
        "WS108",
        "WS109",
        "WS110",
        "WS111",
        "WS113",
        "WS116",
        "WS118",
    )

    @classmethod
    def tell(cls, case: Case, answers: Mapping[str, Answer]) -> Iterator[Told]:
        failed = [
            row
            for row in rows_of(answers, "case_tries")
            if row["state"] in ("failed", "up_for_retry") and row["has_log"]
        ]
        elsewhere = {one: row for row in rows_of(answers, "incidents_by_error") for one in row["signatures"]}
        errors = Counter(_error(row) for row in failed)
        for error, times in errors.most_common(SHOWN):
            row = next(one for one in failed if _error(one) == error)
            known = elsewhere.get(row["bare_signature"])
            others = [one for one in (known["dag_ids"] if known else ()) if one != case.dag_id]
            also = (
                f"; {wording.plural(len(others), 'other DAG')} with it this week: {wording.names(others)}"
                if others
                else ""
            )
            try_ = f"try {row['try_number']}" + (
                f" of index {row['map_index']}" if row["map_index"] >= 0 else ""
            )
            yield cls.told(
                "certain",
                f"{row['dag_id']}.{row['task_id']} failed {wording.plural(times, 'time')} with {error}, last in {row['run_id']}, "
                f"{try_}{also}",
                since=min(one["started_at"] or one["seen_until"] for one in failed if _error(one) == error),
                evidence={
                    "state": row["state"],
                    "reason": row["state_reason"],
                    "error_signature": row["error_signature"],
                    "comes_from": BLAMES[row["blame"] or "unknown"],
                    "hostname": row["hostname"],
                    "ended_at": row["ended_at"],
                    "other_dags": others[:20],
                    "sample": row["exception_message"],
                },
                unknown="" if row["blame"] else "whose fault it is: no rule knows this error",
                next=f"windsock diff {quote(row['dag_id'])} {quote(row['task_id'])} {quote(row['run_id'])} --try {row['try_number']}"
                + (f" --map-index {row['map_index']}" if row["map_index"] >= 0 else ""),
            )

    @classmethod
    def count(cls, answers: Mapping[str, Answer]) -> Count:
        rows = [row for row in rows_of(answers, "failure_rate_by_dag") if row["lost_runs"]]
        return Count(sum(row["lost_runs"] for row in rows), "runs", None, dags_of(rows))


def _error(row: Mapping[str, object]) -> str:
    return str(
        row["error_signature"] or f"no error in its log (ended by {row['state_reason'] or 'something else'})"
    )
