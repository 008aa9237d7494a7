"""Runs that the DAG's own cadence leads one to expect never came."""

from collections.abc import Iterator, Mapping

from windsock.findings import wording
from windsock.findings.cadence import every, gaps_of, in_gaps, is_rarer
from windsock.findings.rule import rows_of
from windsock.findings.why.cause import Case, Cause, Count, Told, activity_of, dags_of, earliest, of_dag
from windsock.model import Answer, Row


class MissedRuns(Cause):
    """Not a cause by itself, but the fact that others explain: since when, and how many."""

    name, words, about = "runs that never came", "Runs that their cadence expects never came", "not running"
    questions = ("missing_runs", "runs_by_dag_week", "dag_activity")
    codes = ("WS501", "WS502")

    @classmethod
    def tell(cls, case: Case, answers: Mapping[str, Answer]) -> Iterator[Told]:
        weekly = next(iter(of_dag(answers, "runs_by_dag_week", case)), None)
        if weekly and not weekly["runs"] and weekly["median_runs"]:
            activity = activity_of(answers, case)
            by_hand = activity["runs_week"] if activity else 0
            yield cls.told(
                "possible",
                f"{case.dag_id} had no scheduled run this week, usually {weekly['median_runs']:.0f}; the last one began "
                f"{wording.moment(weekly['last_at'])}"
                + (f"; {by_hand} other runs this week" if by_hand else ""),
                since=weekly["last_at"],
                evidence={"median_runs": weekly["median_runs"], "weeks_seen": weekly["weeks_seen"]},
                unknown="whether Airflow made runs that never began: API or database would tell",
                next=f"airflow dags list-runs -d {case.dag_id!r}",
            )
        for row in of_dag(answers, "missing_runs", case):
            if row["missing"] and row["runs"] and is_rarer(row):
                yield cls.told(
                    "possible",
                    f"{case.dag_id} runs {every(row['every_s'])} since {wording.moment(row['first_at'])}, before "
                    f"{every(row['every_prev_s'])}: most likely its schedule was changed",
                    since=row["first_at"],
                    evidence={name: row[name] for name in ("runs", "every_s", "every_prev_s")},
                    unknown="whether its schedule was changed, or its runs take longer than their interval: the DAG's code says",
                    next=f"airflow dags list-runs -d {case.dag_id!r}",
                )
            elif missing(row) > 0 and row["runs"]:
                yield cls.told(
                    "possible",
                    f"{missing(row)} of {row['expected']} runs that the cadence of {case.dag_id} expects never came, "
                    f"{in_gaps(gaps_of([row]))}",
                    since=row["first_at"],
                    evidence={
                        name: row[name]
                        for name in ("expected", "missing", "runs", "least_runs", "last_run_at")
                    },
                    unknown="whether its schedule was changed, or catchup is off: the DAG's code says",
                    next=f"airflow dags list-runs -d {case.dag_id!r}",
                )

    @classmethod
    def count(cls, answers: Mapping[str, Answer]) -> Count:
        rows = [row for row in rows_of(answers, "missing_runs") if missing(row) > 0]
        total = sum(missing(row) for row in rows)
        return Count(total, "runs", earliest(rows, "first_at"), dags_of(rows))


def missing(row: Row) -> int:
    """A week with as many runs as before is a changed schedule, no gap; so are runs that keep a longer distance."""
    if row["runs"] and is_rarer(row):
        return 0
    return int(max(0, min(row["missing"], (row["least_runs"] or 0) - row["runs"])))
