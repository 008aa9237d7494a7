"""WS602."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When versions are too many for the commits that brought them."""

    min_versions: float = threshold(10, "versions a week", "a DAG that is being worked on makes some")
    min_per_commit: float = threshold(
        3.0,
        "versions per commit",
        "a DAG changes once with a commit, twice with a change of what it is built from",
    )
    min_days: float = threshold(3, "days", "a day of local editing makes many, and is over")


NO_VERSIONS = "versions of DAGs come with the API or database of Airflow 3; Airflow 2 makes none"


class VersionInflation(Rule):
    """A DAG makes a new version again and again although nobody changes it.

    What it means: its file builds another DAG each time it is parsed. The metadata database grows, the history of
    versions is of no use, and a rerun can find another structure than the run it repeats.
    How it is judged: versions made in the week by Airflow 3 (API or database): at least `min_versions` on `min_days`, and
    `min_per_commit` for each commit; a bundle without versions counts as one commit. A version is made when the
    serialised DAG differs from the last and that one has run (Airflow 3, `SerializedDagModel.write_dag`).
    What to do: look for what differs between two parses: start_date or end_date from now(), random ids, unsorted sets,
    values from a service; where Airflow 3.2 and newer warns of it (`dag_version_inflation_check_level`) and the API tells, the
    finding names the line.
    """

    code, name, section = "WS602", "version-inflation", "config"
    questions = ("dag_versions_of_week", "dag_versions")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts(no_data="" if rows_of(answers, "dag_versions") else NO_VERSIONS)
        for row in rows_of(answers, "dag_versions_of_week"):
            verdicts.judged += 1
            versions, commits = row["versions"], row["bundle_versions"]
            if versions < limits.min_versions or row["days"] < limits.min_days:
                continue
            if versions < limits.min_per_commit * max(1, commits):
                continue
            told = wording.plural(commits, "commit") if commits else "a bundle without versions"
            verdicts.findings.append(
                cls.finding(
                    subject={"dag_id": row["dag_id"]},
                    severity="watch",
                    headline=f"{row['dag_id']} made {versions:,} versions this week from {told}",
                    evidence={k: row[k] for k in ("versions", "bundle_versions", "days", "last_version")}
                    | {
                        "bundle_name": row["bundle_name"],
                        "cause": row.get("cause") or None,
                        "first_at": row["first_at"],
                        "last_at": row["last_at"],
                    },
                    advice=f"Airflow warns of it in the DAG's file, {row['cause'].rstrip('.')}."
                    if row.get("cause")
                    else f"Look for what differs between two parses of {row['dag_id']}: a start_date of now(), "
                    "a random id, an unsorted set, a value from a service.",
                    rank=float(versions),
                )
            )
        return verdicts
