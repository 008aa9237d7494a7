"""WS502."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.cadence import MIN_RARER, another_name, every, gaps_of, in_gaps, is_rarer
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.model import Answer, Row
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """Which gap in a cadence is a finding."""

    min_missing: float = threshold(2, "runs that never came", "one may be skipped by a restart")
    min_share: float = threshold(
        0.05, "fraction of the runs expected", "fewer are told by WS530 and the scoreboard"
    )
    min_rarer: float = threshold(
        MIN_RARER,
        "times the usual distance of runs",
        "runs that keep a distance so much longer have another schedule",
    )
    many_dags: float = threshold(5, "DAGs", "so many at once have one cause, and are told in one line")


class MissingRuns(Rule):
    """A DAG ran this week, but runs that its cadence leads one to expect never came.

    What it means: nobody is told of a run that does not exist: the scheduler was down, the DAG was paused for hours,
    `max_active_runs` and `catchup=False` let it skip intervals, or its schedule was changed.
    How it is judged: weekday and minute of the logical dates; expected is what each of the last four weeks had. A DAG
    without any run at all is WS501's, and a week with as many runs as before is a changed schedule, no gap. Quiet windows
    are not expected. Where the runs that came keep one distance, longer than before, it is a watch: most likely a schedule
    that was changed. DAGs whose gaps begin and end together are told in one line.
    What to do: look at what the missing hours share; `airflow dags backfill` or a backfill in the UI fills them.
    """

    code, name, section = "WS502", "missing-runs", "silent"
    questions = ("missing_runs", "renamed_dags")
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts()
        found: list[Row] = []
        rarer: list[Row] = []
        for row in rows_of(answers, "missing_runs"):
            verdicts.judged += 1
            missing = min(row["missing"], row["least_runs"] - row["runs"])
            if (
                row["runs"]
                and missing >= limits.min_missing
                and missing >= limits.min_share * row["expected"]
            ):
                (rarer if is_rarer(row, limits.min_rarer) else found).append(row | {"missing": missing})
        if len(found) >= limits.many_dags:
            verdicts.findings.append(cls._of_many(found))
        else:
            verdicts.findings += [cls._of_one(answers, row) for row in found]
        verdicts.findings += [cls._rarer(row) for row in rarer]
        return verdicts

    @classmethod
    def _rarer(cls, row: Row) -> Any:
        now, before = every(row["every_s"]), every(row["every_prev_s"])
        return cls.finding(
            subject={"dag_id": row["dag_id"]},
            severity="watch",
            headline=f"{row['dag_id']} runs {now} since {wording.moment(row['first_at'])}, before {before}",
            evidence={
                "runs": row["runs"],
                "first_at": row["first_at"],
                "runs_now": now,
                "ran_before": before,
                "every_s": row["every_s"],
                "every_prev_s": row["every_prev_s"],
            },
            advice="Nothing to do if its schedule was changed; else its runs take longer than their interval, and with "
            "catchup=False the ones between are left out.",
            rank=0.0,
        )

    @classmethod
    def _of_one(cls, answers: Mapping[str, Answer], row: Row) -> Any:
        gaps = gaps_of([row])
        return cls.finding(
            subject={"dag_id": row["dag_id"]},
            severity="warning",
            headline=f"{row['dag_id']}: {row['missing']} of {wording.plural(row['expected'], 'run')} expected by its own "
            f"cadence never came, {in_gaps(gaps)}",
            evidence={
                "missing": row["missing"],
                "expected": row["expected"],
                "gaps": len(gaps) if len(gaps) > 1 else None,
                "runs": row["runs"],
                "first_at": row["first_at"],
                "last_at": row["last_at"],
                "last_run_at": row["last_run_at"],
            },
            advice=f"{another_name(rows_of(answers, 'renamed_dags'), row['dag_id']) or 'See'} whether it was paused or held then: "
            f"airflow dags list-runs -d '{row['dag_id']}'.",
            rank=float(row["missing"]),
        )

    @classmethod
    def _of_many(cls, rows: Sequence[Row]) -> Any:
        dags = sorted(rows, key=lambda row: (-row["missing"], row["dag_id"]))
        missing = sum(row["missing"] for row in rows)
        first, last = min(row["first_at"] for row in rows), max(row["last_at"] for row in rows)
        gaps = gaps_of(rows)
        return cls.finding(
            subject={"reach": "many DAGs"},
            severity="warning",
            headline=f"{wording.plural(missing, 'run')} of {wording.plural(len(rows), 'DAG')} expected by their own cadence "
            f"never came, {in_gaps(gaps)}",
            evidence={
                "missing": missing,
                "expected": sum(row["expected"] for row in rows),
                "gaps": len(gaps) if len(gaps) > 1 else None,
                "dags": len(rows),
                "dag_ids": [row["dag_id"] for row in dags[:20]],
                "first_at": first,
                "last_at": last,
            },
            advice=f"Look at the scheduler and at what was deployed then; {wording.names([row['dag_id'] for row in dags])} "
            "miss most. If Airflow has these runs, their logs never arrived: look at the workers that did them.",
            rank=float(missing),
        )
