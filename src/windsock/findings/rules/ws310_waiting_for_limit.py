"""WS310."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from windsock.findings import wording
from windsock.findings.limit_cures import cure
from windsock.findings.rule import Rule, Thresholds, Verdicts, rows_of, threshold
from windsock.findings.settings import FROM
from windsock.findings.waiting import OWN, TRENDS
from windsock.findings.waiting.layers import EXECUTOR
from windsock.findings.waiting.tally import EVERYBODYS
from windsock.findings.waiting.weeks import risen_since
from windsock.findings.waiting.workers import WORKERS
from windsock.model import Answer, Finding, Row, Severity
from windsock.week import Week

DAG_LIMITS = frozenset(("max_active_tasks", "max_active_runs", "max_active_tis_per_dag"))
OF_TASKS = frozenset(("max_active_tasks", "max_active_tis_per_dag"))
"""What holds tasks of a run that has begun."""
PATH = "critical_path_of_runs"
CALLED = {EXECUTOR: "executor slots", WORKERS: "worker slots"}


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
        0.3, "fraction of all waiting", "executor and workers are everybody's: a third of all waiting is much"
    )
    min_waits: float = threshold(20, "waits", "a handful is one bad night")
    few_share: float = threshold(
        0.5, "of `min_hours`, in the week before it began", "four hours and six are no beginning"
    )
    warn_hours: float = threshold(24.0, "hours waited for one limit in a week", "a day of waiting a week")


class WaitingForLimit(Rule):
    """Most of a DAG's waiting, or a third of everybody's, is for one limit that is not a pool.

    What it means: tasks that could run stand still at `max_active_tasks` (per DAG in Airflow 2, per run in Airflow 3),
    `max_active_runs`, a task's own concurrency, because no executor slot is open (`parallelism`), or because all workers are
    busy: these take fewer tasks than the executor lets in, and the rest waits in the queue.
    How it is judged: each moment of each wait, from ready to queued and from due to started, belongs to the first limit
    that was reached then, in the scheduler's own order. Limits are told by API, database, configuration or the
    scheduler's log; one that nobody told is inferred where use stood at its peak during most of the waiting that nothing
    else explains, and is called inferred. On simulated fleets less than two percent of the waiting is given to a wrong
    limit. Ready times of Airflow 2 are rebuilt. What cannot be explained stays unattributed, in the section. Each limit's
    week is held against the eight before: worse or better only beyond their prediction interval (1 % by chance); weeks that
    cannot tell it as well as this one are gaps. It began in the first of the weeks in a row with `min_hours`, where the week before had
    little of it (`few_share`).
    What to do: raise the limit, if it does not protect something; of workers, their `worker_concurrency` or their number. The
    number proposed is the smallest that saves most of what room for the demand would (the 95th percentile of running and waiting
    together, in the time in which somebody waited, at most three times the limit); the hours come from a replay of the week's own
    tasks, first come first served, and never exceed those that no other limit holds at the same time. Where demand is not known,
    twice the limit is a first step. Where the DAG's tasks are known, so is what waiting on the chain of tasks that decides a run's
    length takes of its time: other tasks' waiting makes no run longer. The risk is as many more tasks at once for pools, workers and what they call.
    """

    code, name, section = "WS310", "waiting-for-limit", "waiting"
    questions = (
        "waiting_by_dag",
        "waiting_by_limit",
        TRENDS,
        "holds_by_limit",
        "try_waits",
        "run_waits",
        "work_by_worker",
        PATH,
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
            if not is_dag and not (row["scope"] == "all" and row["waits_for"] in EVERYBODYS):
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
                    cls._of(answers, row, share, limits, trend, week, is_per_run=row["dag_id"] in per_run)
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
        week: Week,
        *,
        is_per_run: bool,
    ) -> Finding:
        name, value = row["waits_for"], row["limit_value"]
        whose = f"{row['dag_id']}: " if row["dag_id"] else "All DAGs: "
        at = f" of {value}" if value else ""
        scope = " a run" if name == "max_active_tasks" and is_per_run else ""
        advice, ways = cure(answers, row, is_per_run=is_per_run)
        on_path = _on_path(answers, row["dag_id"]) if name in OF_TASKS else None
        severity: Severity = "warning" if row["hours"] >= limits.warn_hours else "watch"
        return cls.finding(
            subject={"limit": name, "dag_id": row["dag_id"]},
            severity=severity,
            headline=f"{whose}{wording.hours(row['hours'])} of waiting for {CALLED.get(name, name)}{at}{scope}, "
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
                "wanted": row.get("wanted"),
                "proposed": row.get("proposed"),
                "saved_hours": row.get("saved_hours"),
                **ways,
                **({} if on_path is None else {"wait_share_of_runs": on_path}),
                **risen_since(
                    trend.get("hours_by_week") or (),
                    limits.min_hours,
                    limits.few_share * limits.min_hours,
                    week,
                ),
            },
            advice=advice + _of_runs(on_path),
            rank=float(row["hours"]),
        )


def _on_path(answers: Mapping[str, Answer], dag_id: str) -> float | None:
    """What waiting on the chain of tasks that decides the DAG's runs takes of their time; None where no chain is known."""
    rows = [row for row in rows_of(answers, PATH) if row["dag_id"] == dag_id]
    return sum(row["wait_share"] for row in rows) if rows else None


def _of_runs(on_path: float | None) -> str:
    if on_path is None:
        return ""
    return (
        f" From a run's first start to its end, waiting on the chain of tasks that decides its length is {wording.percent(on_path)} "
        "of the time: more room shortens a run by no more than that."
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
