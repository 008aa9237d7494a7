"""The task's log is missing."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from windsock.findings import wording
from windsock.findings.rule import rows_of
from windsock.findings.rules.ws511_no_log import NOT_SEEN, cause_of
from windsock.findings.rules.ws523_logs_missing import LogsMissing
from windsock.findings.why.cause import Case, Cause, Count, Told, dags_of, earliest, limits_of, of_dag
from windsock.model import Answer, Row

AT_ONCE = timedelta(minutes=15)
"""What is told of the tries of a worker that went: the scheduler looks for lost heartbeats every few seconds to minutes."""


class LogMissing(Cause):
    """A log is uploaded at the end: who is killed uploads nothing, and where the upload is not set up nobody does."""

    name, words, about = "log missing", "Failed tries that left no log", "log missing"
    questions = ("lost_tries", "logs_missing_by_place", "case_tries", "silent_coverage")
    counted_by = ("silent_coverage",)
    codes = ("WS511", "WS523")

    @classmethod
    def tell(cls, case: Case, answers: Mapping[str, Answer]) -> Iterator[Told]:
        lost = [
            row
            for row in of_dag(answers, "lost_tries", case)
            if not case.run_id or row["run_id"] == case.run_id
        ]
        for cause, count in Counter(cause_of(row) for row in lost).most_common():
            rows = [row for row in lost if cause_of(row) == cause]
            newest = max(rows, key=_place)
            is_seen = cause != NOT_SEEN
            yield cls.told(
                "certain" if is_seen else "possible",
                f"{wording.plural(count, 'failed try')} of {case.dag_id} left no log: {cause}",
                since=earliest(rows, "started_at"),
                evidence={
                    "newest": f"{newest['task_id']} in {newest['run_id']}, try {newest['try_number']}",
                    "reason": newest["reason"],
                    "exit_code": newest["exit_code"],
                    "hosts": sorted({row["hostname"] for row in rows if row["hostname"]})[:20],
                    "lost_with_it": _with_it(newest, rows_of(answers, "lost_tries")),
                },
                unknown=""
                if is_seen
                else "what became of the process: the scheduler's log of that time names pod and exit code, where it is read",
                next="windsock ask lost_tries",
            )
        limits = limits_of(LogsMissing, answers)
        hosts = {row["hostname"] for row in rows_of(answers, "case_tries")}
        for place in LogsMissing.places(rows_of(answers, "logs_missing_by_place"), limits):
            if place.row["grain"] == "dag" and place.row["dag_id"] != case.dag_id:
                continue
            if place.row["grain"] == "host" and place.row["hostname"] not in hosts:
                continue
            yield cls.told(
                "likely",
                f"{place.where}: {place.row['missing']} of {wording.plural(place.row['tries'], 'try')} left no log, "
                f"{wording.percent(place.rest_share)} elsewhere; {place.cause}",
                since=place.row["first_at"],
                evidence={
                    name: place.row[name]
                    for name in ("tries", "missing", "successes", "killed", "tries_prev", "missing_prev")
                },
                unknown="whether the log lies on that machine: look there before it is gone",
                next=place.advice,
            )

    @classmethod
    def count(cls, answers: Mapping[str, Answer]) -> Count:
        rows = rows_of(answers, "lost_tries")
        coverage = [
            row for row in rows_of(answers, "silent_coverage") if row["kind"] == "tries without a log"
        ]
        missing = "" if rows else next((row["missing"] or "" for row in coverage), "")
        return Count(len(rows), "tries", earliest(rows, "started_at"), dags_of(rows), missing=missing)


def _with_it(one: Row, lost: Sequence[Row]) -> str | None:
    """Which other tries were lost on the same host at the same time: then it was the host that went, not the task."""
    if not one["hostname"] or one["told_at"] is None:
        return None
    others = [
        f"{row['dag_id']}.{row['task_id']}"
        for row in lost
        if row["hostname"] == one["hostname"]
        and row["told_at"] is not None
        and abs(row["told_at"] - one["told_at"]) <= AT_ONCE
        and (row["dag_id"], row["run_id"], row["task_id"], row["map_index"], row["try_number"])
        != (one["dag_id"], one["run_id"], one["task_id"], one["map_index"], one["try_number"])
    ]
    return f"{wording.names(others)} on {one['hostname']}" if others else None


def _place(row: Row) -> tuple[float, str, str]:
    at = row["ended_at"] or row["started_at"] or row["told_at"]
    return at.timestamp() if at else 0.0, row["run_id"], row["task_id"]
