"""What schedulers tell: of tries (tries.py), of runs, of DAGs, of themselves."""

from __future__ import annotations

import re
from datetime import tzinfo

from windsock.model import Row
from windsock.parse.component import tries
from windsock.parse.component.facts import Facts
from windsock.parse.component.ids import Who, all_from_reprs, from_repr
from windsock.parse.component.records import Told, moment
from windsock.parse.component.told_fields import fields, given
from windsock.parse.reading import FAILED

_RUN_TIMEOUT = re.compile(r"Run (?P<run>\S+) of (?P<dag>\S+) has timed-out")
_PAUSED = re.compile(r"Pausing DAG (?P<dag>\S+) because last (?P<count>\d{1,9}) DAG runs failed")
_DEFERRAL = re.compile(r"Timed out (?P<count>\d{1,9}) deferred tasks")
_LOADED = re.compile(r"Loaded executor: (?P<parts>[\w.:-]+)")
_SIGNAL = re.compile(r"Exiting gracefully upon receiving signal (?P<signal>\d+)")


def tell_scheduler(told: Told, component: str, facts: Facts, zone: tzinfo) -> None:
    """One record of a scheduler, or of another component's use of the same code."""
    text = told.text
    if text.startswith("TaskInstance Finished: "):
        tries.finished(told, facts, zone)
    elif text.startswith("DagRun Finished: "):
        _run_finished(told, facts, zone)
    elif "Marking task as" in text[:60]:
        tries.marked(told, component, facts)
    elif text.startswith(("Detected zombie job", "Detected a task instance without a heartbeat")):
        tries.lost(told, component, facts)
    elif text.startswith("Executor "):
        tries.mismatch(told, component, facts)
    elif text.startswith("Task") and (
        "stuck in queued" in text or text.startswith("Task requeue attempts exceeded max")
    ):
        is_last = "marking failed" in text or "Will be set to failed" in text
        facts.event(told.at, component, "queue_timeout" if is_last else "stuck_in_queued", from_repr(text))
    elif text.startswith("Reset the following "):
        for who in all_from_reprs(text):
            facts.event(told.at, component, "orphan_reset", who, reason=who.state)
    else:
        _about_dags(told, component, facts)


def tell_executor(told: Told, component: str, facts: Facts) -> None:
    """`Loaded executor: LocalExecutor`, `alias:module.Class` (2.x), `:CeleryExecutor:`, `team:alias:module.Class` (3.x)."""
    if match := _LOADED.match(told.text):
        name = match["parts"].rstrip(":").rpartition(":")[2].rpartition(".")[2]
        facts.event(told.at, component, "executor_loaded", reason=name)


def _about_dags(told: Told, component: str, facts: Facts) -> None:
    text = told.text
    if match := _RUN_TIMEOUT.match(text):
        dag, run = match["dag"], match["run"]
        facts.dag_ids.add(dag)
        facts.event(told.at, component, "run_timeout", Who(dag, run))
        key = (dag, run)
        facts.runs[key] = facts.runs.get(key, _run(dag, run)) | {
            "state": FAILED,
            "told_at": told.at,
            "ended_at": told.at,
        }
    elif match := _PAUSED.match(text):
        facts.dag_ids.add(match["dag"])
        facts.event(told.at, component, "dag_paused", Who(match["dag"]), limit_value=int(match["count"]))
    elif (match := _DEFERRAL.match(text)) and int(match["count"]):
        facts.event(told.at, component, "deferral_timeout", value=int(match["count"]))
    elif text.startswith(
        ("Starting the scheduler", "Starting the triggerer", "Starting the Dag Processor Job")
    ):
        facts.event(told.at, component, "started")
    elif match := _SIGNAL.match(text):
        facts.event(told.at, component, "stopping", detail=match["signal"])


def _run_finished(told: Told, facts: Facts, zone: tzinfo) -> None:
    told_of = fields(told.text.removeprefix("DagRun Finished: "))
    dag, run = told_of.get("dag_id"), told_of.get("run_id")
    if not dag or not run:
        return
    facts.dag_ids.add(dag)
    started = moment(told_of.get("run_start_date"), zone)
    facts.runs[dag, run] = _run(dag, run) | {
        "run_type": given(told_of.get("run_type")),
        "state": given(told_of.get("state")),
        "logical_date": moment(told_of.get("logical_date") or told_of.get("execution_date"), zone),
        "started_at": started,
        "ended_at": moment(told_of.get("run_end_date"), zone),
        "anchor_at": started or told.at,
        "told_at": told.at,
    }


def _run(dag: str, run: str) -> Row:
    return {"dag_id": dag, "run_id": run, "source": "component_log"}
