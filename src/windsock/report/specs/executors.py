"""Who did the work, how it went there, and how well the deployment is."""

from __future__ import annotations

from collections.abc import Callable

from windsock.model import Row
from windsock.report.formats import cell, clean
from windsock.report.page import Cell
from windsock.report.specs.cells import known, of, plain, words
from windsock.report.specs.spec import Grid, Spec


def _host(row: Row) -> Cell:
    """Its name; pods are one row together."""
    return Cell(clean(row["hostname"]) if row["hostname"] else f"{row['hosts']:,} pods or hosts of one try")


def _told(name: str) -> Callable[[Row], Cell]:
    """An empty name is one that nobody told."""
    return lambda row: Cell(clean(cell(row[name])) or "not told")


def _queue(row: Row) -> Cell:
    return _told("queue")(row) if row["grain"] == "queue" else Cell("all")


HEALTH = Spec("health", "Health indicators", ())
"""Its table is made of many answers: `report/health.py`."""

EXECUTORS = Spec(
    "executors",
    "Executors and workers",
    ("WS63", "WS64"),
    (
        Grid(
            "What executors and queues did",
            "work_by_worker",
            (
                ("Executor", _told("executor")),
                ("Queue", _queue),
                ("Hosts or pods", plain("hosts")),
                ("Tries failed", of("failed", "tries")),
                ("Ran", plain("work_hours")),
                ("A try, median", known("work_s")),
                ("Queued to started", known("start_s")),
                ("95th percentile", known("start_p95_s")),
            ),
            is_worth_showing=lambda row: row["grain"] != "host",
        ),
        Grid(
            "What hosts did",
            "work_by_worker",
            (
                ("Host", _host),
                ("Tries failed", of("failed", "tries")),
                ("Ran", plain("work_hours")),
                ("A try, median", known("work_s")),
                ("Queued to started", known("start_s")),
                ("95th percentile", known("start_p95_s")),
            ),
            is_worth_showing=lambda row: row["grain"] == "host",
            is_folded=True,
        ),
        Grid(
            "From queued to started, beside the weeks before",
            "start_times",
            (
                ("Executor", _told("executor")),
                ("Queue", _told("queue")),
                ("Tries", plain("starts")),
                ("Median", known("median_s")),
                ("95th percentile", known("p95_s")),
                ("Last week", known("prev_s")),
                ("Usually", known("usual_s")),
                ("In all", plain("start_hours")),
            ),
            is_worth_showing=lambda row: row["starts"] > 0,
            is_folded=True,
        ),
        Grid(
            "Edge workers",
            "edge_workers",
            (
                ("Worker", plain("worker_name")),
                ("Connected", plain("connected_hours")),
                ("Offline", plain("offline_hours")),
                ("Lost", plain("losses")),
                ("In maintenance", plain("maintenance_hours")),
                ("Full", plain("full_hours")),
                ("Tasks at once", known("concurrency")),
                ("Most it ran", known("most_jobs")),
                ("Last connected", known("last_at")),
            ),
            is_folded=True,
        ),
        Grid(
            "Tries out of memory, by host and hour of the day",
            "memory_kills_by_hour",
            (
                ("Host", _told("hostname")),
                ("Hour, UTC", lambda row: Cell(f"{row['hour_of_day']:02d}:00", row["hour_of_day"])),
                ("Out of memory", plain("kills")),
                ("Within ten minutes of another", plain("together")),
                ("Days", plain("days")),
                ("Of tries that ended then", plain("tries")),
                ("Tasks", plain("tasks")),
            ),
            is_folded=True,
        ),
        Grid(
            "Tries that the infrastructure ended",
            "infrastructure_tries",
            (
                ("Trouble", words("trouble")),
                ("DAG", plain("dag_id")),
                ("Task", plain("task_id")),
                ("Tries", plain("tries")),
                ("Retries burnt", plain("retried")),
                ("Lost", plain("lost")),
                ("In Kubernetes' words", plain("reasons")),
                ("Memory request", plain("memory_request")),
            ),
        ),
    ),
)
