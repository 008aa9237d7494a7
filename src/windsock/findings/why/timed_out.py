"""The run was ended by its time limit."""

from collections.abc import Iterator, Mapping

from windsock.findings import wording
from windsock.findings.rule import rows_of
from windsock.findings.why.cause import Case, Cause, Count, Told, dags_of, earliest, of_dag
from windsock.model import Answer


class TimedOut(Cause):
    """`dagrun_timeout` calls the tasks that have not ended skipped: none of them failed, none runs any more."""

    name, words, about = "dagrun_timeout", "Runs ended by dagrun_timeout", "task not running"
    questions = ("runs_timed_out", "silent_coverage")
    counted_by = ("silent_coverage",)
    codes = ("WS513",)

    @classmethod
    def tell(cls, case: Case, answers: Mapping[str, Answer]) -> Iterator[Told]:
        for row in of_dag(answers, "runs_timed_out", case):
            yield cls.told(
                "certain" if row["by_component"] else "likely",
                f"{wording.plural(row['timed_out'], 'run')} of {case.dag_id} ended by dagrun_timeout this week; "
                f"{wording.plural(row['skipped_tasks'], 'task')} of theirs became skipped",
                since=row["first_at"],
                evidence={
                    name: row[name]
                    for name in ("runs", "timed_out", "without_fail", "longest_s", "last_at", "prev")
                },
                unknown=""
                if row["by_component"]
                else "whether the time limit ended them: the scheduler's log says so",
                next=f"airflow dags list-runs -d {case.dag_id!r} --state failed",
            )

    @classmethod
    def count(cls, answers: Mapping[str, Answer]) -> Count:
        rows = rows_of(answers, "runs_timed_out")
        coverage = [
            row for row in rows_of(answers, "silent_coverage") if row["kind"] == "runs that timed out"
        ]
        missing = "" if rows else next((row["missing"] or "" for row in coverage), "")
        total = sum(row["timed_out"] for row in rows)
        return Count(total, "runs", earliest(rows, "first_at"), dags_of(rows), missing=missing)
