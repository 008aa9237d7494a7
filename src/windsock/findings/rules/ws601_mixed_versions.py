"""WS601."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Finding, Row
from windsock.week import Week

NO_VERSIONS = "versions of bundles: task logs of Airflow 3.3 and newer tell those of git bundles; local, S3 and GCS bundles have none"


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """How many mixed runs are more than an accident."""

    min_runs: float = threshold(3, "runs a week", "one or two can be a deploy that met a retry")


class MixedVersions(Rule):
    """Runs whose tasks ran on two commits of their bundle.

    What it means: what such a run did is no one version's work; a result of it cannot be reproduced from one commit.
    How it is judged: the bundle version of each try, from its log or Airflow's API; runs in which a task ran for the
    first time on another version than the run began with, at least `min_runs` of a bundle in the week. Runs in which
    only reruns did are counted apart: clearing with the latest code does that on purpose. Bundles without versions
    (LocalDagBundle, S3DagBundle, GCSDagBundle) cannot be judged: their runs may mix code and nobody can see it.
    What to do: pin runs to their version (`disable_bundle_versioning` off, for the DAG and in the configuration).
    """

    code, name, section = "WS601", "mixed-versions", "config"
    questions = ("runs_of_two_versions", "bundles_of_week")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        seen = rows_of(answers, "bundles_of_week")
        verdicts = Verdicts(no_data="" if any(row["versioned"] for row in seen) else NO_VERSIONS)
        of_bundle: dict[str, list[Row]] = defaultdict(list)
        for row in rows_of(answers, "runs_of_two_versions"):
            of_bundle[row["bundle_name"]].append(row)
        for bundle_name, rows in sorted(of_bundle.items()):
            verdicts.judged += 1
            mixed = [row for row in rows if not row["is_rerun"]]
            if len(mixed) < limits.min_runs:
                verdicts.not_enough += 1
                continue
            verdicts.findings.append(cls._of_bundle(bundle_name, mixed, len(rows) - len(mixed)))
        return verdicts

    @classmethod
    def _of_bundle(cls, bundle_name: str, mixed: Sequence[Row], reruns: int) -> Finding:
        lost = sum(row["is_lost"] for row in mixed)
        dags = sorted({row["dag_id"] for row in mixed})
        where = f"bundle {bundle_name}" if bundle_name else "one bundle"
        return cls.finding(
            subject={"bundle_name": bundle_name},
            severity="watch",
            headline=f"{wording.plural(len(mixed), 'run')} of {wording.plural(len(dags), 'DAG')} mixed two commits of {where}",
            evidence={
                "runs": len(mixed),
                "lost_runs": lost,
                "dag_ids": dags,
                "last_run_id": mixed[-1]["run_id"],
                "before": mixed[-1]["first_version"],
                "after": mixed[-1]["last_version"],
                "first_at": mixed[0]["changed_at"],
                "last_at": mixed[-1]["changed_at"],
                "reruns_on_other_code": reruns,
            },
            advice="Pin runs to the version they began with: see that disable_bundle_versioning is off for "
            f"{wording.names(dags)} and in [dag_processor].",
            rank=float(len(mixed) + lost),
        )
