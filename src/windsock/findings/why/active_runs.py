"""The DAG has as many runs under way as it may have."""

from collections.abc import Iterator, Mapping

from windsock.findings import wording
from windsock.findings.rule import rows_of
from windsock.findings.why.cause import (
    Case,
    Cause,
    Count,
    Told,
    activity_of,
    dags_of,
    earliest,
    of_dag,
    state_of,
)
from windsock.model import Answer


class ActiveRuns(Cause):
    """New runs are not made, or stay queued, until an older one ends: one that hangs holds all others."""

    name, words, about = "max_active_runs", "Held by max_active_runs", "not running"
    questions = ("holds_by_limit", "known_limits", "dag_activity", "dag_states")
    codes = ("WS310", "WS405")

    @classmethod
    def tell(cls, case: Case, answers: Mapping[str, Answer]) -> Iterator[Told]:
        held = [row for row in of_dag(answers, "holds_by_limit", case) if row["event"] == "max_active_runs"]
        limit = next(
            (
                row["limit_value"]
                for row in of_dag(answers, "known_limits", case)
                if row["name"] == "max_active_runs"
            ),
            None,
        )
        activity, state = activity_of(answers, case), state_of(answers, case)
        is_open = activity is not None and activity["open_runs"] > 0
        open_evidence = (
            {"open_runs": activity["open_runs"], "oldest_open_at": activity["oldest_open_at"]}
            if activity and is_open
            else {}
        )
        show = f"airflow dags list-runs -d {case.dag_id!r} --state running"
        if held:
            minutes = sum(row["held_minutes"] for row in held)
            yield cls.told(
                "certain",
                f"The scheduler held runs of {case.dag_id} back for max_active_runs"
                f"{f' ({limit})' if limit else ''} in {wording.plural(minutes, 'minute')} of the week, last in the hour "
                f"of {wording.moment(max(row['hour_at'] for row in held))}",
                since=earliest(held, "hour_at"),
                evidence={"held_minutes": minutes, "limit": limit, **open_evidence},
                unknown="" if is_open else "which run is the oldest open one: API or database would tell",
                next=show,
            )
        elif activity and limit and activity["open_runs"] >= limit:
            no_next = state is not None and state["next_run_at"] is None
            yield cls.told(
                "likely" if no_next else "possible",
                f"{case.dag_id} has {wording.plural(activity['open_runs'], 'open run')}, as many as max_active_runs allows "
                f"({limit}); the oldest was due {wording.moment(activity['oldest_open_at'])}",
                since=activity["oldest_open_at"],
                evidence={
                    **open_evidence,
                    "open_without_a_try": activity["open_without_try"],
                    "limit": limit,
                },
                unknown="whether the oldest run works or hangs: look at its tasks",
                next=show,
            )

    @classmethod
    def count(cls, answers: Mapping[str, Answer]) -> Count:
        told = [row for row in rows_of(answers, "holds_by_limit") if row["dag_id"]]
        rows = [row for row in told if row["event"] == "max_active_runs"]
        dags = dags_of(rows)
        missing = (
            "" if rows_of(answers, "holds_by_limit") or rows_of(answers, "dag_states") else "scheduler log"
        )
        return Count(len(dags), "DAGs", earliest(rows, "hour_at"), dags, missing=missing)
