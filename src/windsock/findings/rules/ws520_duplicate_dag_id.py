"""WS520."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Finding, Row
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When files take turns."""

    min_turns: float = threshold(
        3, "changes of file in the week", "a rename is one change, one that is taken back is two"
    )


class DuplicateDagId(Rule):
    """Two files define one dag_id, and take turns.

    What it means: whichever file was parsed last is the DAG. Runs alternate between two sets of tasks, and one of the two
    DAGs is never seen in the UI. Airflow warns of nothing.
    How it is judged: the file that each try's log names (Airflow 3.3 and newer), or API and database at each pull; each
    by itself; at least `min_turns` changes from one file to another in the week. A file that was renamed changes once.
    What to do: give one of the DAGs another dag_id, or remove the file that is left over.
    """

    code, name, section = "WS520", "duplicate-dag-id", "why"
    questions = ("dag_files",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for dag_id, files in by_dag(rows_of(answers, "dag_files")).items():
            verdicts.judged += 1
            turns = turns_of(files)
            if turns >= limits.min_turns:
                verdicts.findings.append(cls._of(dag_id, files, turns))
        return verdicts

    @classmethod
    def _of(cls, dag_id: str, files: Sequence[Row], turns: int) -> Finding:
        names = sorted({row["dag_file"] for row in files})
        bundles = sorted({row["bundle_name"] for row in files if row["bundle_name"]})
        # one path in two bundles is one file deployed twice
        where = f"{names[0]} of {len(bundles)} bundles" if len(names) == 1 else wording.names(names)
        return cls.finding(
            subject={"dag_id": dag_id},
            severity="warning",
            headline=f"{dag_id} comes from {wording.plural(len(files), 'file')} by turns, {turns} changes this week: {where}",
            evidence={
                "files": names,
                "bundles": bundles,
                "turns": turns,
                "sights": sum(row["sights_week"] for row in files),
                "last_at": max(row["last_at"] for row in files),
            }
            | _began(files),
            advice=f"Give one of the DAGs in {wording.names(names)} another dag_id, or remove the file that is left over.",
            rank=float(turns),
        )


def by_dag(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """DAGs of which one teller names more than one file: the rows of the teller that saw most changes."""
    told: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row["files"] > 1:
            told.setdefault((row["dag_id"], row["told_by"]), []).append(row)
    found: dict[str, list[Row]] = {}
    for (dag_id, _), files in sorted(told.items()):
        if dag_id not in found or turns_of(files) > turns_of(found[dag_id]):
            found[dag_id] = files
    return found


def turns_of(files: Sequence[Row]) -> int:
    """Changes from one file to another in the week."""
    return sum(row["turns_week"] for row in files)


def _began(files: Sequence[Row]) -> dict[str, Any]:
    """When the second file was first named, unless both were as soon as any was: then it may be older than what is read."""
    first, second = sorted(row["first_at"] for row in files)[:2]
    return {"began_at": second} if second - first >= timedelta(days=1) else {}
