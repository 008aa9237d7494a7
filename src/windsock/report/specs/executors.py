"""Who did the work, how it went there, and how well the deployment is."""

from __future__ import annotations

from windsock.model import Row
from windsock.report.formats import cell
from windsock.report.page import Cell
from windsock.report.specs.cells import of, plain, words
from windsock.report.specs.spec import Grid, Spec


def _queue(row: Row) -> Cell:
    return Cell(cell(row["queue"]) if row["grain"] == "queue" else "all")


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
                ("Executor", plain("executor")),
                ("Queue", _queue),
                ("Hosts or pods", plain("hosts")),
                ("Tries failed", of("failed", "tries")),
                ("Ran", plain("work_hours")),
                ("Queued to started", plain("start_s")),
                ("95th percentile", plain("start_p95_s")),
            ),
            is_worth_showing=lambda row: row["grain"] != "host",
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
