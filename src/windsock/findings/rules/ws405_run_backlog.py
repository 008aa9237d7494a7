"""WS405."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from windsock.findings import wording
from windsock.findings.how_to_set import in_code, named
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.findings.settings import FROM
from windsock.model import Answer, Finding, Row
from windsock.week import Week

SETTING = "max_active_runs_per_dag"
HALF_WEEK_S = 84 * 3600.0


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When a limit makes a backlog for good."""

    min_load: float = threshold(
        0.9, "of max_active_runs, in the mean", "at the limit every delay is carried on"
    )
    min_held_minutes: float = threshold(1000, "minutes of the week", "a tenth of the week: less is a burst")
    min_growth_s: float = threshold(600.0, "seconds later in the second half of the week", "a backlog grows")


class RunBacklog(Rule):
    """More runs are due than max_active_runs lets the DAG work off.

    What it means: arrivals times duration is above the limit, so each day starts later than the one before.
    How it is judged: runs active in the mean (run hours over hours seen, Little 1961), at least `min_load` of the limit that
    the scheduler named; held back for `min_held_minutes`; and runs started later in the second half of the week.
    What to do: raise max_active_runs if runs may overlap; else make them shorter, or fewer. What would be needed: runs active in the
    mean, over the share of the due ones that began (half a week less the growth of the delay, over half a week), over
    `min_load`. At that limit the backlog shrinks by what is above the need. The risk is more runs at once on pools and data.
    """

    code, name, section = "WS405", "run-backlog", "durations"
    questions = ("run_backlogs", *FROM)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        for row in rows_of(answers, "run_backlogs"):
            verdicts.judged += 1
            if not row["limit_value"] or row["late_first_s"] is None or row["late_last_s"] is None:
                verdicts.not_enough += 1
                continue
            growth = row["late_last_s"] - row["late_first_s"]
            is_full = row["mean_active"] >= limits.min_load * row["limit_value"]
            if not is_full or row["held_minutes"] < limits.min_held_minutes or growth < limits.min_growth_s:
                continue
            verdicts.findings.append(cls._of(answers, row, growth, limits))
        return verdicts

    @classmethod
    def _of(cls, answers: Mapping[str, Answer], row: Row, growth: float, limits: Limits) -> Finding:
        limit, began = row["limit_value"], 1 - growth / HALF_WEEK_S
        needed = row["mean_active"] / began if began > 0 else None
        proposed = max(limit + 1, ceil(needed / limits.min_load)) if needed else None
        way: dict[str, str] = {}
        if needed and proposed:
            way = in_code(answers, SETTING, proposed, limit, dag_id=row["dag_id"])
            clears_s = row["late_last_s"] * needed / (proposed - needed)
            advice = (
                f"Set max_active_runs of the DAG to {proposed} if its runs may overlap: {needed:.1f} at once are needed "
                f"({row['mean_active']:.1f} active, {wording.percent(began)} of the runs due began), so that the delay of "
                f"{wording.span(row['late_last_s'])} is worked off in about {wording.span(clears_s)}. Else shorten its runs. The risk: "
                f"{proposed - limit} more at once for its pools and data. {named(answers, SETTING)} is for DAGs that set none."
            )
        else:
            advice = f"Shorten its runs, or run it less often: hardly any of those due began, and {limit} at once are far too few."
        return cls.finding(
            subject={"dag_id": row["dag_id"]},
            severity="warning",
            headline=f"{row['dag_id']}: {row['mean_active']:.1f} of {limit} allowed runs active in the mean; "
            f"runs began {wording.span(growth)} later in the second half of the week",
            evidence={name: row[name] for name in row if name != "dag_id"}
            | {"growth_s": growth, "needed": needed, "limit_proposed": proposed, **way},
            advice=advice,
            rank=growth / 3600,
        )
