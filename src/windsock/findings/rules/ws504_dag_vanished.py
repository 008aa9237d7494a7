"""WS504."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.parsing.files import once_a_file
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Finding, Row
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """How long a file must give nothing."""

    min_parses: float = threshold(3, "parses", "one that ran callbacks only counts no DAG")
    min_seconds: float = threshold(600, "seconds", "a deploy in two steps is over by then")


class DagVanished(Rule):
    """A DAG file that held DAGs is parsed without error, but gives none any more.

    What it means: its DAGs have stopped without any message; nothing fails, nothing runs.
    How it is judged: the DAG count of the dag-processor's logs: zero in the last `min_parses` parses, over `min_seconds`,
    without an import error, after a parse that gave some. A file that is removed is parsed no more and is no finding.
    What to do: look at what the file builds its DAGs from: a variable, a template, a list from a service that was empty.
    """

    code, name, section = "WS504", "dag-vanished", "silent"
    questions = ("files_without_dags",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        found: list[Finding] = []
        for row in rows_of(answers, "files_without_dags"):
            if row["zero_parses"] < limits.min_parses or row["zero_s"] < limits.min_seconds:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            found.append(cls._of_file(row, week))
        verdicts.findings.extend(once_a_file(found))
        return verdicts

    @classmethod
    def _of_file(cls, row: Row, week: Week) -> Finding:
        count = row["had_dags"]
        return cls.finding(
            subject={"dag_file": row["dag_file"], "bundle_name": row["bundle_name"]},
            severity="critical",
            headline=f"{row['dag_file']} gives no DAG since {wording.moment(row['lost_at'])}, without an error; "
            f"it held {wording.plural(count, 'DAG')}",
            evidence={
                "had_dags": count,
                "last_seen_at": row["had_at"],
                "lost_at": row["lost_at"],
                "parses_without": row["zero_parses"],
                "bundle_version": row["bundle_version"],
                "source": row["source"],
            },
            advice=f"Look at what {row['dag_file']} builds its DAGs from; if they were taken out on purpose, accept this finding.",
            rank=float(count),
            status="new" if row["lost_at"] >= week.from_at else "still",
        )
