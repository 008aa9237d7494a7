"""What the tasks waited for, by the wait decomposition, and how far this case's tries came."""

from collections.abc import Iterator, Mapping, Sequence

from windsock.findings import wording
from windsock.findings.rule import rows_of
from windsock.findings.waiting import OWN
from windsock.findings.why.cause import Case, Cause, Count, Told, dags_of
from windsock.model import Answer, Row

WORDS = {
    "pool": "an open slot of their pool",
    "max_active_tasks": "max_active_tasks",
    "max_active_runs": "max_active_runs",
    "max_active_tis_per_dag": "the task's own concurrency (max_active_tis_per_dag)",
    "executor": "an open executor slot (parallelism)",
    "workers": "a free worker",
    "launch": "a worker to launch it",
    "scheduler": "the scheduler",
    "upstream": "its upstream tasks",
    "retry": "the retry delay",
    "parse": "parsing its file on the worker",
}
HOLDS = {
    "pool_full": "for an open slot of pool {pool}",
    "pool_slots_short": "for enough open slots of pool {pool}",
    "max_active_tasks": "for max_active_tasks of the DAG",
    "max_active_runs": "for max_active_runs of the DAG",
    "max_active_tis_per_dag": "for the task's own concurrency (max_active_tis_per_dag)",
    "max_active_tis_per_dagrun": "for the task's own concurrency within a run (max_active_tis_per_dagrun)",
    "executor_full": "for an open executor slot",
}
"""What the scheduler said most often while the try stood, in words."""
LEAST_HOURS = 1.0
"""Hours waited in the week: less does not keep a task from running."""
IN_QUEUE = "in the queue"
LONG_S = 300.0
"""Seconds that one try must have stood at one place to be told."""


class WaitingFor(Cause):
    """From the run's start to the worker's: upstream, limits, pool, executor, launch."""

    name, words, about = "waiting", "Tasks waited an hour or more for a limit", "task not running"
    questions = ("case_tries", "waiting_by_dag", "waiting_by_limit", "waiting_seen")
    codes = ("WS301", "WS310", "WS311")

    @classmethod
    def tell(cls, case: Case, answers: Mapping[str, Answer]) -> Iterator[Told]:
        yield from cls._tries(case, rows_of(answers, "case_tries"))
        rows = [
            row
            for row in rows_of(answers, "waiting_by_limit")
            if row["scope"] == "dag" and row["dag_id"] == case.dag_id
        ]
        held = [row for row in rows if row["waits_for"] not in OWN]
        total = sum(row["hours"] for row in held)
        for row in held:
            if row["hours"] < LEAST_HOURS or row["hours"] < total / 4 or row["waits_for"] not in WORDS:
                continue  # what is less than a quarter of it is not why; what nothing explains is no cause
            is_told = row["told_by"] not in ("inferred", "", None)
            limit = f" ({row['limit_value']})" if row["limit_value"] else ""
            yield cls.told(
                "likely" if is_told else "possible",
                f"Tasks of {case.dag_id} waited {wording.hours(row['hours'])} this week for "
                f"{WORDS[row['waits_for']]}{limit}, {wording.percent(row['hours'] / total)} of their waiting",
                evidence={
                    "waits": row["waits"],
                    "hours": row["hours"],
                    "only_for_this_hours": row["alone_hours"],
                    "limit": row["limit_value"],
                    "told_by": row["told_by"],
                },
                unknown="which of its tries waited for which limit: it is told for the whole DAG; `windsock ask try_waits` has each",
                next="windsock ask waiting_by_limit",
            )

        for row in rows:
            if row["waits_for"] in ("upstream", "retry") and row["hours"] >= max(LEAST_HOURS, total):
                yield cls.told(
                    "possible",
                    f"Tasks of {case.dag_id} waited {wording.hours(row['hours'])} this week for {WORDS[row['waits_for']]}, "
                    "more than for any limit",
                    evidence={"hours": row["hours"], "hours_for_limits": total},
                    unknown="which chain of tasks decides it: `windsock ask critical_path_of_runs` has it where the DAG's tasks are read",
                    next="windsock ask critical_path_of_runs",
                )

    @classmethod
    def _tries(cls, case: Case, tries: Sequence[Row]) -> Iterator[Told]:
        """The newest try that stood long before it began, or has not begun."""
        for row in tries:
            place = where(row)
            if place is None:
                continue
            name = f"{row['dag_id']}.{row['task_id']}, try {row['try_number']} of {row['run_id']},"
            doing, length_s, begun = place
            is_said = bool(row["hold"]) or doing.startswith(IN_QUEUE)
            verb = "waited" if begun else "has waited"
            # that it stood there is certain, what it stood for only where somebody says so
            yield cls.told(
                "certain" if is_said else "possible",
                f"{name} {verb} {wording.span(length_s)} {doing}" + ("" if begun else " and has not begun"),
                since=row["ready_at"] or row["queued_at"],
                evidence={
                    name: row[name]
                    for name in (
                        "state",
                        "ready_from",
                        "ready_at",
                        "queued_at",
                        "started_at",
                        "pool",
                        "queue",
                        "executor",
                        "hold",
                    )
                },
                unknown=""
                if row["hold"]
                else "which limit held it: the scheduler's log names it in these minutes",
                next="windsock ask waiting_by_limit",
            )
            return

    @classmethod
    def count(cls, answers: Mapping[str, Answer]) -> Count:
        rows = [row for row in rows_of(answers, "waiting_by_dag") if row["wait_hours"] >= LEAST_HOURS]
        seen = next(iter(rows_of(answers, "waiting_seen")), None)
        known = seen is not None and bool(seen["ready_told"] or seen["ready_rebuilt"] or seen["runs"])
        missing = "" if known else "API, database, or scheduler log"
        return Count(len(rows), "DAGs", None, dags_of(rows), missing=missing)


def where(row: Row) -> tuple[str, float, bool] | None:
    """Where a try stood longest, if long: in words, seconds, and whether it has begun since."""
    until = row["started_at"] or row["seen_until"]
    if row["queued_at"] and until:
        in_queue = (until - row["queued_at"]).total_seconds()
        if in_queue >= LONG_S and (row["started_at"] or row["state"] == "queued"):
            return (
                f"{IN_QUEUE} {row['queue'] or '(default)'} for a worker",
                in_queue,
                row["started_at"] is not None,
            )
    if row["ready_at"] and (row["queued_at"] or until):
        ready = ((row["queued_at"] or until) - row["ready_at"]).total_seconds()
        if ready >= LONG_S and (row["queued_at"] or row["started_at"] or row["state"] == "scheduled"):
            for_what = HOLDS.get(row["hold"] or "", "for a slot of pool {pool}, or another limit").format(
                pool=row["pool"] or "(not told)"
            )
            return for_what, ready, bool(row["started_at"])
    return None
