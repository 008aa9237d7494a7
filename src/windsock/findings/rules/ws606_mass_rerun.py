"""WS606."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Finding, Row
from windsock.week import Week

_TOLD = {
    "backfill": "Backfills",
    "cleared": "Clears",
    "quiet": "Scheduled runs inside quiet windows",
}
"""Kinds that come in bulk; manual runs are many DAGs' ordinary way."""


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When repeated work is a load of its own."""

    min_runs: float = threshold(20, "runs a week", "clearing a failed run or two is a day's work")
    min_hours_share: float = threshold(
        0.05, "fraction of the hours of all tries", "less is not felt by the others"
    )


class MassRerun(Rule):
    """Backfills, clears or a maintenance window were a good part of the week's work.

    What it means: no fault; they explain full pools, waiting and late runs of other DAGs, and they count in no rate.
    How it is judged: runs of a kind with tries that started in the week: at least `min_runs`, and `min_hours_share` of the
    hours that all tries ran. A clear is known by tries that follow the end of a task's first execution.
    What to do: nothing, if it was planned. Else run them in quiet hours, in a pool of their own, with fewer active runs.
    """

    code, name, section = "WS606", "mass-rerun", "config"
    questions = ("runs_made_by_hand",)
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        of_kind: dict[str, list[Row]] = defaultdict(list)
        for row in rows_of(answers, "runs_made_by_hand"):
            if row["kind"] in _TOLD:
                of_kind[row["kind"]].append(row)
        for kind, rows in sorted(of_kind.items()):
            verdicts.judged += 1
            runs, share = sum(row["runs"] for row in rows), sum(row["hours_share"] for row in rows)
            has_run = any(row["first_at"] for row in rows)
            if has_run and runs >= limits.min_runs and share >= limits.min_hours_share:
                verdicts.findings.append(cls._of_kind(kind, rows, runs, share))
        return verdicts

    @classmethod
    def _of_kind(cls, kind: str, rows: Sequence[Row], runs: int, share: float) -> Finding:
        most = sorted(rows, key=lambda row: (-row["hours"], row["dag_id"]))
        dags = [row["dag_id"] for row in most]
        hours = sum(row["hours"] for row in rows)
        lost = sum(row["lost_runs"] for row in rows)
        failed = f" ({lost:,} of them lost)" if lost else ""
        started = [row for row in rows if row["first_at"]]
        first_at, last_at = min(row["first_at"] for row in started), max(row["last_at"] for row in started)
        return cls.finding(
            subject={"kind": kind},
            severity="info",
            headline=f"{_TOLD[kind]}: {wording.plural(runs, 'run')} of {wording.plural(len(dags), 'DAG')}{failed}, "
            f"{wording.hours(hours)} of work, {wording.percent(share)} of the week's",
            evidence={
                "runs": runs,
                "tries": sum(row["tries"] for row in rows),
                "lost_runs": lost,
                "work_hours": hours,
                "hours_share": share,
                "dag_ids": dags,
                "first_at": first_at,
                "last_at": last_at,
            },
            advice="Nothing to do if it was planned: it is in no rate. It may explain waiting and late runs of other DAGs "
            f"between {wording.moment(first_at)} and {wording.moment(last_at)}.",
            rank=float(hours),
        )
