"""WS115."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When a known issue is worth a line."""

    min_times: float = threshold(2, "failed tries or events", "one may be a stray word in a message")


class KnownIssueSeen(Rule):
    """What failed carries the signs of an issue that is known upstream.

    What it means: an error message or a component's event is one that an issue of Airflow or its providers is known by.
    How it is judged: reviewed rules, one file each in `sql/known_issues/`, of which none fires on the log of a success (a
    test proves it), over this week's failed tries and component events; at least `min_times` of them, and only rules that
    concern the version of the deployment, where it is known. A sign is no proof: the same words can have another cause.
    What to do: read the issue; `windsock explain NAME` shows its signs, versions and what mends it.
    """

    code, name, section = "WS115", "known issue", "incidents"
    questions = ("known_issue_signs", "known_issues")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "known_issues"):
            verdicts.judged += 1
            if row["times"] < limits.min_times:
                continue
            where = f" in {wording.plural(row['dags'], 'DAG')}" if row["dags"] else ""
            verdicts.findings.append(
                cls.finding(
                    subject={"issue": row["issue_name"]},
                    severity="watch",
                    headline=f"Known issue: {row['title']}; seen {wording.plural(row['times'], 'time')}{where}",
                    evidence={
                        "times": row["times"],
                        "dags": row["dags"],
                        "dag_ids": list(row["dag_ids"]),
                        "first_at": row["first_at"],
                        "last_at": row["last_at"],
                        "upstream": f"apache/airflow #{row['issue']}",
                        "fixed": row["fixed"],
                        "sample": row["sample"],
                    },
                    advice=f"{row['advice']} `windsock explain {row['issue_name']}`.",
                    rank=float(row["times"]),
                )
            )
        return verdicts
