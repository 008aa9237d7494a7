"""WS105."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.methods.proportions import chance_of_rise
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Row
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """What is a good version, and what is worse."""

    min_runs: float = threshold(20, "runs on either version", "fewer do not tell a rate")
    max_good_rate: float = threshold(0.1, "fraction of runs lost", "a version that loses more was never good")
    min_excess: float = threshold(
        5, "lost runs above the good version's rate", "fewer are no reason to roll back"
    )
    max_chance: float = threshold(
        0.0001, "probability", "runs of one night fail together, which this test does not know"
    )


class WorseThanGoodVersion(Rule):
    """A DAG loses clearly more runs than under the last good version of its bundle.

    What it means: each week is like the week before, and yet much worse than it once was: a slow drift that a comparison
    with the recent past calls normal.
    How it is judged: of the versions seen in nine weeks with `min_runs` runs, the newest one with no more than
    `max_good_rate` of them lost is the good one; this week's runs on later versions against it (Fisher's exact test).
    Runs of the good version of which nobody knows how they ended count as lost. Told only where WS101 does not tell the same. The version is a coincidence in time, no proof.
    What to do: compare the two versions; roll back when the difference explains it.
    """

    code, name, section = "WS105", "worse-than-good-version", "failures"
    questions = ("lost_runs_by_bundle_version",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        by_dag: dict[str, list[Row]] = {}
        for row in rows_of(answers, "lost_runs_by_bundle_version"):
            by_dag.setdefault(row["dag_id"], []).append(row)
        for dag_id, rows in sorted(by_dag.items()):
            good = _last_good(rows, limits)
            later = [row for row in rows if good and row["first_at"] > good["first_at"]]
            runs, lost = (sum(row[name] for row in later) for name in ("runs_now", "lost_now"))
            if good is None or runs < limits.min_runs:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            excess = lost - runs * good["lost_runs"] / good["runs"]
            # it must hold, too, if those of the good version that nobody saw end were lost
            least = lost - runs * _most_lost(good) / good["runs"]
            chance = chance_of_rise(lost, runs, _most_lost(good), good["runs"])
            if least >= limits.min_excess and chance <= limits.max_chance:
                verdicts.findings.append(cls._of(dag_id, good, later, (lost, runs, excess, chance)))
        return verdicts

    @classmethod
    def _of(cls, dag_id: str, good: Row, later: Sequence[Row], counted: tuple[int, int, float, float]) -> Any:
        lost, runs, excess, chance = counted
        open_ = sum(row["no_end_now"] for row in later)
        return cls.finding(
            subject={"dag_id": dag_id},
            severity="warning",
            headline=f"{dag_id}: {lost} of {wording.plural(runs, 'run')} lost{_unknown(open_)}; {good['lost_runs']} of {good['runs']}"
            f"{_unknown(good['no_end_runs'])} under its last good version {str(good['bundle_version'])[:12]}",
            evidence={
                "lost_runs": lost,
                "runs": runs,
                "excess_failures": excess,
                "p_value": chance,
                "no_end_runs": open_ or None,
                "no_end_runs_prev": good["no_end_runs"] or None,
                "good_version": good["bundle_version"],
                "good_runs": good["runs"],
                "good_lost_runs": good["lost_runs"],
                "good_until": good["last_at"],
                "first_at": later[0]["first_at"],
                "versions_since": [row["bundle_version"] for row in later][:20],
            },
            advice=f"Compare {str(later[0]['bundle_version'])[:12]}, the first version after it "
            f"({wording.moment(later[0]['first_at'])}), with the good one.",
            rank=excess,
        )


def _most_lost(row: Row) -> int:
    """Runs lost, and those that may have been: nobody knows how they ended."""
    return int(row["lost_runs"] + row["no_end_runs"])


def _unknown(count: int) -> str:
    return f", {count:,} without a known end" if count else ""


def _last_good(rows: Sequence[Row], limits: Limits) -> Row | None:
    good = [
        row
        for row in rows
        if row["runs"] >= limits.min_runs and _most_lost(row) <= limits.max_good_rate * row["runs"]
    ]
    return good[-1] if good else None
