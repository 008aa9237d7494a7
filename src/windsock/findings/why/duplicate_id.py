"""Two files define one dag_id."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from windsock.findings import wording
from windsock.findings.rule import rows_of
from windsock.findings.rules.ws520_duplicate_dag_id import DuplicateDagId, by_dag, turns_of
from windsock.findings.why.cause import Case, Cause, Count, Told, dags_of, limits_of, of_dag
from windsock.model import Answer, Row


class DuplicateId(Cause):
    """Whichever file was parsed last is the DAG: each run may run another one."""

    name, words, about = "duplicate dag_id", "Two files define one dag_id", "missing from the UI"
    questions = ("dag_files",)
    codes = ("WS520",)

    @classmethod
    def tell(cls, case: Case, answers: Mapping[str, Answer]) -> Iterator[Told]:
        limits = limits_of(DuplicateDagId, answers)
        for files in by_dag(of_dag(answers, "dag_files", case)).values():
            turns = turns_of(files)
            if turns < limits.min_turns:
                continue
            names = sorted({row["dag_file"] for row in files})
            yield cls.told(
                "certain",
                f"{wording.names(names)} take turns as {case.dag_id}: {turns} changes this week",
                since=_since(files),
                evidence={
                    "files": names,
                    "turns": turns,
                    "turns_in_nine_weeks": sum(row["turns"] for row in files),
                    "last_at": max(row["last_at"] for row in files),
                },
                unknown="which of them you mean",
                next=f"grep -rn {case.dag_id!r} <dags folder>  # give one of the files another dag_id, or remove it",
            )

    @classmethod
    def count(cls, answers: Mapping[str, Answer]) -> Count:
        least = limits_of(DuplicateDagId, answers).min_turns
        rows = rows_of(answers, "dag_files")
        taken = [one for one in by_dag(rows).values() if turns_of(one) >= least]
        flat = [row for one in taken for row in one]
        since = min((_since(files) for files in taken), default=None)
        missing = "" if rows else "task logs of Airflow 3.3, API or database"
        return Count(len(taken), "DAGs", since, dags_of(flat), missing=missing)


def _since(files: Sequence[Row]) -> datetime:
    """When a second file first defined it."""
    firsts: list[datetime] = sorted(row["first_at"] for row in files)
    return firsts[min(1, len(firsts) - 1)]
