"""WS310."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.how_to_set import in_code, in_environment, named
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.findings.settings import FROM
from windsock.findings.waiting import OWN, TRENDS
from windsock.model import Answer, Finding, Row, Severity
from windsock.week import Week

EXECUTOR = "executor"
SETTINGS = {
    "max_active_tasks": "max_active_tasks_per_dag",
    "max_active_runs": "max_active_runs_per_dag",
    "max_active_tis_per_dag": "max_active_tis_per_dag",
    EXECUTOR: "parallelism",
}
"""The setting behind each limit."""
DAG_LIMITS = frozenset(SETTINGS) - {EXECUTOR}
GROWTH = 2  # times the limit: what is proposed first


@dataclass(frozen=True, slots=True)
class Limits(Thresholds):
    """When one limit is worth telling."""

    min_hours: float = threshold(
        5.0, "hours waited for one limit in a week", "less does not pay for a change"
    )
    min_share: float = threshold(
        0.5, "fraction of the DAG's waiting", "where no limit dominates raising one only moves the wait"
    )
    min_executor_share: float = threshold(
        0.3, "fraction of all waiting", "executor slots are everybody's: a third of all waiting is much"
    )
    min_waits: float = threshold(20, "waits", "a handful is one bad night")
    warn_hours: float = threshold(24.0, "hours waited for one limit in a week", "a day of waiting a week")


class WaitingForLimit(Rule):
    """Most of a DAG's waiting, or a third of everybody's, is for one limit that is not a pool.

    What it means: tasks that could run stand still at `max_active_tasks` (per DAG in Airflow 2, per run in Airflow 3),
    `max_active_runs`, a task's own concurrency, or because no executor slot is open.
    How it is judged: each moment of each wait, from ready to queued and from due to started, belongs to the first limit
    that was reached then, in the scheduler's own order. Limits are told by API, database, configuration or the
    scheduler's log; one that nobody told is inferred where use stood at its peak during most of the waiting that nothing
    else explains, and is called inferred. On simulated fleets less than two percent of the waiting is given to a wrong
    limit. Ready times of Airflow 2 are rebuilt. What cannot be explained stays unattributed, in the section. Each limit's
    week is held against the eight before: worse or better only beyond their prediction interval (1 % by chance); weeks that
    cannot tell it as well as this one are gaps.
    What to do: raise the limit, if it does not protect something. At most the hours that no other limit holds at the same
    time are saved; the risk is as many more tasks at once for pools, workers and what they call. Twice the limit is a first
    step to look at for a week.
    """

    code, name, section = "WS310", "waiting-for-limit", "waiting"
    questions = (
        "waiting_by_dag",
        "waiting_by_limit",
        TRENDS,
        "holds_by_limit",
        "try_waits",
        "run_waits",
        *FROM,
    )
    thresholds = Limits

    @classmethod
    def judge(cls, answers: Mapping[str, Answer], limits: Any, *, week: Week) -> Verdicts:
        verdicts = Verdicts(no_data=_no_data(answers))
        rows = rows_of(answers, "waiting_by_limit")
        totals: dict[str, float] = {}
        for row in rows:
            if row["scope"] in ("all", "dag") and row["waits_for"] not in OWN:
                totals[row["dag_id"]] = totals.get(row["dag_id"], 0.0) + row["hours"]
        trends = {(row["scope"], row["dag_id"], row["waits_for"]): row for row in rows_of(answers, TRENDS)}
        per_run = {row["dag_id"] for row in rows_of(answers, "try_waits") if row["is_per_run"]}
        for row in rows:
            is_dag = row["scope"] == "dag" and row["waits_for"] in DAG_LIMITS
            if not is_dag and not (row["scope"] == "all" and row["waits_for"] == EXECUTOR):
                continue
            if row["waits"] < limits.min_waits:
                verdicts.not_enough += 1
                continue
            verdicts.judged += 1
            share = row["hours"] / totals[row["dag_id"]]
            if row["hours"] >= limits.min_hours and share >= (
                limits.min_share if is_dag else limits.min_executor_share
            ):
                trend = trends.get((row["scope"], row["dag_id"], row["waits_for"]), {})
                verdicts.findings.append(
                    cls._of(answers, row, share, limits, trend, is_per_run=row["dag_id"] in per_run)
                )
        return verdicts

    @classmethod
    def _of(
        cls,
        answers: Mapping[str, Answer],
        row: Row,
        share: float,
        limits: Limits,
        trend: Row,
        *,
        is_per_run: bool,
    ) -> Finding:
        name, value = row["waits_for"], row["limit_value"]
        whose = f"{row['dag_id']}: " if row["dag_id"] else "All DAGs: "
        at = f" of {value}" if value else ""
        scope = " a run" if name == "max_active_tasks" and is_per_run else ""
        called = "executor slots" if name == EXECUTOR else name
        severity: Severity = "warning" if row["hours"] >= limits.warn_hours else "watch"
        return cls.finding(
            subject={"limit": name, "dag_id": row["dag_id"]},
            severity=severity,
            headline=f"{whose}{wording.hours(row['hours'])} of waiting for {called}{at}{scope}, "
            f"{wording.percent(share)} of its waiting; {_change(trend)}",
            evidence={
                "wait_hours": row["hours"],
                "share": share,
                "prev_hours": trend.get("prev_hours"),
                "usual_hours": trend.get("usual_hours"),
                "weeks_before": trend.get("weeks_before"),
                "change": trend.get("change"),
                "waits": row["waits"],
                "most_saved_hours": row["alone_hours"],
                "limit_value": value,
                "told_by": row["told_by"].replace("_", " ") or None,
                **_commands(answers, name, value, row["dag_id"]),
            },
            advice=_advice(answers, name, row, is_per_run=is_per_run),
            rank=float(row["hours"]),
        )


def _change(trend: Row) -> str:
    """Since last week, and against the habit; a week without data is said to be one."""
    if not trend or trend["change"] == "not enough data":
        return f"not enough weeks to tell a change{_before(trend)}"
    word = trend["change"]
    return f"{word if word in ('worse', 'better') else 'no evidence of a change'}{_before(trend)}"


def _before(trend: Row) -> str:
    if trend.get("usual_hours") is None:
        return ""
    last = trend["prev_hours"]
    told = f"{wording.hours(last)} last week" if last is not None else "no data of last week"
    return f": {told}, usually {wording.hours(trend['usual_hours'])}"


def _no_data(answers: Mapping[str, Answer]) -> str:
    seen = next(iter(rows_of(answers, "waiting_seen")), None)
    if seen is None or not (seen["ready_told"] or seen["ready_rebuilt"] or seen["runs"]):
        return (
            "task logs alone do not tell when a task was ready; set [sources.airflow_api], [sources.airflow_db] "
            "or [sources.component_logs]"
        )
    return ""


def _commands(answers: Mapping[str, Answer], name: str, value: int | None, dag_id: str) -> dict[str, str]:
    """Both ways, where the value is known. A DAG's limits stand in its code."""
    if not value:
        return {}
    if name == EXECUTOR:
        return in_environment(answers, SETTINGS[name], GROWTH * value, before=value)
    return in_code(answers, SETTINGS[name], GROWTH * value, value, dag_id=dag_id)


def _advice(answers: Mapping[str, Answer], name: str, row: Row, *, is_per_run: bool) -> str:
    saved = f"At most {wording.hours(row['alone_hours'])} of waiting can be saved: the rest meets another limit as well."
    inferred = (
        " The limit is inferred from the waiting, nobody told it." if row["told_by"] == "inferred" else ""
    )
    default = named(answers, SETTINGS[name])
    what = {
        "max_active_tasks": "Raise max_active_tasks of the DAG, which counts "
        + ("within each run since Airflow 3" if is_per_run else "over all its runs in Airflow 2")
        + f" ({default} is for DAGs that set none)",
        "max_active_runs": "Let more runs go side by side (max_active_runs of the DAG; "
        f"{default} is for DAGs that set none), if they do not need each other's results, or make runs shorter than their interval",
        "max_active_tis_per_dag": "Raise the concurrency of the task (max_active_tis_per_dag), if what it calls allows it",
        EXECUTOR: f"Raise {default} of each scheduler, and the workers with it ({named(answers, 'worker_concurrency')} where Celery "
        "runs them), or move DAGs to quieter hours",
    }[name]
    more = row["limit_value"]
    risk = f" The risk: {more} more at once for pools, workers and what they call." if more else ""
    return f"{what}. {saved}{inferred}{risk}"
