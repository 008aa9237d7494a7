"""WS504."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When an empty file counts."""

    min_parses: float = threshold(2, "parses without a DAG", "a file may be read while it is being written")


class DagVanished(Rule):
    """A DAG file that held DAGs yields none any more, without an error.

    What it means: its DAGs are gone from Airflow: a guard at module level, a moved import, a factory that found no
    configuration. They do not fail, they do not run.
    How it is judged: the newest parse that found DAGs, and `min_parses` or more since then without any and without an
    import error, in the week. Each source of parse times speaks for itself.
    What to do: run the file by hand on a scheduler: python FILE; look at what it reads at import.
    """

    code, name, section = "WS504", "dag-vanished", "silent"
    questions = ("emptied_files",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts, told = Verdicts(), set()
        for row in rows_of(answers, "emptied_files"):
            verdicts.judged += 1
            subject = {"dag_file": row["dag_file"], "bundle_name": row["bundle_name"] or ""}
            if row["errors"] or row["parses"] < limits.min_parses or tuple(subject.values()) in told:
                continue
            told.add(tuple(subject.values()))
            verdicts.findings.append(
                cls.finding(
                    subject=subject,
                    severity="warning",
                    headline=f"{row['dag_file']} holds no DAG since {wording.moment(row['first_empty_at'])}, without an "
                    f"error (before: {row['dags_before']})",
                    evidence={
                        name: row[name]
                        for name in (
                            "dags_before",
                            "last_full_at",
                            "first_empty_at",
                            "parses",
                            "bundle_version",
                            "source",
                        )
                    },
                    advice="Import the file by hand and look at what decides at import whether it makes its DAGs.",
                    rank=float(row["dags_before"]),
                )
            )
        return verdicts
