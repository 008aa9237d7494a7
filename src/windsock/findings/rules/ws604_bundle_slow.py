"""WS604."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When getting the code ready is a delay of its own."""

    min_tries: float = threshold(20, "tries", "a few cold workers are no pattern")
    min_p95_s: float = threshold(
        10.0, "s, 95th percentile", "a fetch of a few seconds is how a git bundle works"
    )
    min_hours: float = threshold(1.0, "hours a week", "less is not worth anybody's afternoon")


class BundleSlow(Rule):
    """Tasks wait long for their bundle before they begin.

    What it means: each worker clones or fetches the repository for itself, and tasks of one host queue for its lock.
    How it is judged: `bundle_prepare_ms` of the task logs of Airflow 3.3 and newer: the slowest twentieth at `min_p95_s` or
    more, and `min_hours` in the week. WS206 tells the files whose tasks pay most for it.
    What to do: keep bundles on a volume that workers share or reuse, make the repository smaller (history, large files), give
    each worker's disk room for its versions.
    """

    code, name, section = "WS604", "bundle-slow", "config"
    questions = ("bundles_of_week",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "bundles_of_week"):
            if row["prepared"] < limits.min_tries:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            if row["prepare_p95_s"] < limits.min_p95_s or row["prepare_hours"] < limits.min_hours:
                continue
            verdicts.findings.append(
                cls.finding(
                    subject={"bundle_name": row["bundle_name"]},
                    severity="info",
                    headline=f"One task in twenty waits {wording.span(row['prepare_p95_s'])} or longer for bundle "
                    f"{row['bundle_name']}: {wording.hours(row['prepare_hours'])} this week",
                    evidence={
                        "tries": row["prepared"],
                        "prepare_p50_s": row["prepare_p50_s"],
                        "prepare_p95_s": row["prepare_p95_s"],
                        "prepare_hours": row["prepare_hours"],
                        "prepare_share": row["prepare_share"],
                        "versions": row["versions"],
                        "dags": row["dags"],
                    },
                    advice="Keep the bundle on a volume that workers share or reuse, or make its repository smaller.",
                    rank=float(row["prepare_hours"]),
                )
            )
        return verdicts
