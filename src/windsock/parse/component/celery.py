"""What is told of workers: a worker that is killed says nothing, Celery's others and the EdgeExecutor miss it.

Texts of celery 5.6 (worker/consumer/gossip.py, worker/request.py, apps/worker.py), as the worker of Airflow 3 prints them,
with Celery's own head in 2.x (`records.py`), and of edge_executor.py in apache-airflow-providers-edge3 5.1.0: 1.1.0, 2.0.0
and 3.0.0 set a lifeless worker's state as well and log nothing of it. The tasks of an edge worker
that was killed alone go on: it is lost with them only where its machine is.
"""

from __future__ import annotations

import re

from windsock.parse.component.facts import Facts
from windsock.parse.component.ids import Who
from windsock.parse.component.records import Told

_READY = re.compile(r"celery@(?P<host>\S+) ready\.")
_MISSED = re.compile(r"missed heartbeat from celery@(?P<host>\S+)")
_LOST = re.compile(
    r"Task handler raised error: WorkerLostError\(.{0,80}?(?P<signal>SIG[A-Z]+|exitcode \d+)", re.DOTALL
)


_LIFELESS = re.compile(r"Worker (?P<host>\S+) is lifeless\. Setting state to ")


def tell_edge(told: Told, facts: Facts) -> None:
    """One record of the EdgeExecutor, in the scheduler."""
    if match := _LIFELESS.match(told.text):
        facts.event(told.at, "worker", "worker_missed", Who(hostname=match["host"]))


def tell_workers(told: Told, facts: Facts) -> None:
    """One record of Celery itself."""
    if match := _READY.match(told.text):
        facts.worker = match["host"]
        facts.event(told.at, "worker", "worker_ready", Who(hostname=match["host"]))
    elif match := _MISSED.match(told.text):
        facts.event(told.at, "worker", "worker_missed", Who(hostname=match["host"]))
    elif match := _LOST.match(told.text):
        facts.event(
            told.at, "worker", "worker_process_lost", Who(hostname=facts.worker), reason=match["signal"]
        )
