"""WS603."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Finding, Row
from windsock.reviewed.metric_gaps import version_numbers
from windsock.week import Week

_SINCE_ORIGINAL, _SINCE_SETTING = (3, 1, 0), (3, 2, 0)
"""3.0 cleared onto the latest code (apache/airflow#50040), 3.1 onto that of the run; 3.2 has a setting (#63884)."""


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """How many vain reruns are a habit."""

    min_repeated: float = threshold(
        3, "task instances a week", "one or two were tried before the fix was thought of"
    )


class BrokenCommitRerun(Rule):
    """Failed tasks were cleared and ran the commit again that had failed, although a newer one was there.

    What it means: the fix was deployed and did not run. From Airflow 3.1 on a cleared task runs the code of its run, not the
    latest, unless it is told otherwise.
    How it is judged: task instances that failed on a version of their bundle, were cleared, ran on the same version although
    a newer one had been seen before, and failed again: at least `min_repeated` of a DAG in the week. How reruns on the same
    and on newer code fared is told beside; both are few and chosen by people, so they are shown and not tested.
    What to do: clear with "run with latest bundle version" (`run_on_latest_version` of the API); in 3.2 and newer
    `rerun_with_latest_version` does so for a DAG or for all.
    """

    code, name, section = "WS603", "broken-commit-rerun", "config"
    questions = ("reruns_by_bundle", "parse_settings")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        version = next((str(row["airflow_version"] or "") for row in rows_of(answers, "parse_settings")), "")
        for row in rows_of(answers, "reruns_by_bundle"):
            verdicts.judged += 1
            if row["repeated"] >= limits.min_repeated:
                verdicts.findings.append(cls._of_dag(row, version))
        return verdicts

    @classmethod
    def _of_dag(cls, row: Row, version: str) -> Finding:
        return cls.finding(
            subject={"dag_id": row["dag_id"]},
            severity="watch",
            headline=f"{row['dag_id']}: {wording.plural(row['repeated'], 'cleared task')} of "
            f"{wording.plural(row['repeated_runs'], 'run')} ran the commit again that had failed, and failed again; "
            f"{row['newest_version'][:12]} was there",
            evidence={
                "repeated": row["repeated"],
                "repeated_runs": row["repeated_runs"],
                "reruns": row["reruns"],
                "on_the_same_code": f"{row['same_failed']} of {row['same']} failed",
                "on_newer_code": f"{row['newer_failed']} of {row['newer']} failed",
                "last_run_id": row["last_run_id"],
                "last_version": row["last_version"],
                "newest_version": row["newest_version"],
                "bundle_name": row["bundle_name"],
                "first_at": row["first_at"],
                "last_at": row["last_at"],
            },
            advice=_advice(version),
            rank=float(row["repeated"]),
        )


def _advice(version: str) -> str:
    at = version_numbers(version)
    if _SINCE_ORIGINAL > at >= (3, 0, 0):
        return (
            f"Airflow {version} clears onto the latest code it knows: see that its dag-processor had refreshed the bundle "
            "before the tasks were cleared."
        )
    told = "Clear again with the latest bundle version: by default a cleared task runs the code of its run."
    if at >= _SINCE_SETTING or at < (0,):
        return f"{told} rerun_with_latest_version, of the DAG or in [core], makes the latest the default (3.2 and newer)."
    return f"{told} If it was chosen already, clear the whole run: 3.1 may keep the old one for a single task (#67657)."
