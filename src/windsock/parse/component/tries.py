"""How tries ended, as the scheduler tells it: the one component that sees every ending.

`TaskInstance Finished` (2.2 and newer, scheduler_job_runner.py) is written when the executor is done with a try. Its
try_number is the executor's; everything else is the task instance's row at that moment, which may have moved on:
- state `queued` or `scheduled` with an end: the try has ended and its retry waits, so it was `up_for_retry`, and the queue
  times are the retry's own;
- a start after the try was already closed belongs to a later try: the line says nothing more of this one.
`executor_state=success` means only that a process exited.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, tzinfo

from windsock.model import Row
from windsock.parse.component.facts import Facts, TryKey
from windsock.parse.component.ids import Who, from_names, from_repr
from windsock.parse.component.records import Told, moment
from windsock.parse.component.told_fields import fields, given, number
from windsock.parse.reading import FAILED, RETRY
from windsock.schema import STATES

_MISMATCH = re.compile(
    r"Executor (?:(?P<executor>.+?) )?report(?:ed that the|s) task instance (?P<ti>.+?) finished (?:with state |\()(?:TaskInstanceState\.)?(?P<done>\w+)"
    r".*?(?:attribute is|says its) (?:TaskInstanceState\.)?(?P<state>\w+)\.?\)?(?P<more>.*)",
    re.DOTALL,
)
_MARK = re.compile(
    r"(?:Immediate failure requested\. )?Marking task as (?P<state>[A-Z_]+)\. ?(?P<fields>dag_id=.*)",
    re.DOTALL,
)
_STARTED_AT = re.compile(r"start_date=datetime\.datetime\((\d+), (\d+), (\d+), (\d+), (\d+)(?:, (\d+))?")


def finished(told: Told, facts: Facts, zone: tzinfo) -> None:
    """The executor is done with a try: its row as it is now."""
    told_of = fields(told.text.removeprefix("TaskInstance Finished: "))
    key = _key(told_of)
    if key is None:
        return
    facts.dag_ids.add(key[0])
    started, ended = moment(told_of.get("run_start_date"), zone), moment(told_of.get("run_end_date"), zone)
    if started and _is_of_a_later_try(key, started, facts):
        return
    state = told_of.get("state", "").rsplit(".", 1)[-1].lower()
    queued, scheduled = moment(told_of.get("queued_dttm"), zone), moment(told_of.get("scheduled_dttm"), zone)
    max_tries = number(told_of.get("max_tries"))
    if (
        state in ("queued", "scheduled")
        and ended
        and started
        and ended >= started
        and key[4] <= (max_tries or 0)
    ):
        state = RETRY
        queued = queued if queued and queued <= started else None
        scheduled = scheduled if scheduled and scheduled <= started else None
    row: Row = dict(zip(("dag_id", "run_id", "task_id", "map_index", "try_number"), key, strict=True)) | {
        "state": state if state in STATES else None,
        "max_tries": max_tries,
        "operator": given(told_of.get("operator")),
        "pool": given(told_of.get("pool")),
        "queue": given(told_of.get("queue")),
        "executor": given(told_of.get("executor", "").split("(", 1)[0].strip(":")),
        "priority_weight": number(told_of.get("priority_weight")),
        "scheduled_at": scheduled,
        "queued_at": queued,
        "started_at": started,
        "ended_at": ended,
        "anchor_at": started or queued or scheduled or told.at,
        "source": "component_log",
    }
    facts.latest[key[:4]] = key
    facts.told(key, row, told.at)


def _is_of_a_later_try(key: TryKey, started: datetime, facts: Facts) -> bool:
    """A start after the try was closed, or after its row was seen running without its process, is another try's."""
    before = facts.tries.get(key)
    if before and before["state"] == "running" and before["told_at"] and started > before["told_at"]:
        facts.told(key, before | {"state": _failed(before)}, before["told_at"])
        facts.close(key, before["told_at"])
    closed_at = facts.closed.get(key)
    return closed_at is not None and started > closed_at


def _key(told_of: dict[str, str]) -> TryKey | None:
    """The five ids; before 2.2 the execution date stands for the run."""
    run = told_of.get("run_id") or told_of.get("execution_date")
    try_number = number(told_of.get("try_number"))
    if not (told_of.get("dag_id") and told_of.get("task_id") and run) or try_number is None:
        return None
    return told_of["dag_id"], run, told_of["task_id"], number(told_of.get("map_index", "-1")) or 0, try_number


def marked(told: Told, component: str, facts: Facts) -> None:
    """`Marking task as FAILED. dag_id=…, start_date=20261123T152107`: no try number, but the second it began in."""
    match = _MARK.search(told.text)
    if not match:
        return
    told_of, state = fields(match["fields"]), match["state"].lower()
    dag, task = told_of.get("dag_id"), told_of.get("task_id")
    if not dag or not task or state not in STATES:
        return
    facts.dag_ids.add(dag)
    started, ended = _compact(told_of.get("start_date")), _compact(told_of.get("end_date"))
    # before 2.9 the marking names the logical date in place of the run: the start alone then tells which try
    who = Who(dag, told_of.get("run_id"), task, number(told_of.get("map_index", "-1")))
    facts.event(told.at, component, "state_marked", who, reason=state, started_at=started)
    if started and (key := facts.known_try(who, started)):
        facts.told(key, facts.tries[key] | {"state": state, "ended_at": ended or told.at}, told.at)
        facts.close(key, told.at)


def _compact(text: str | None) -> datetime | None:
    """`20261123T152107`, in UTC whatever the zone of the log (taskinstance.py formats the stored value)."""
    return moment(text, UTC) if text and re.match(r"\d{8}T", text) else None


def lost(told: Told, component: str, facts: Facts) -> None:
    """A try that is not heard of any more: its state is set by a callback that the dag-processor runs."""
    who = from_names(told.text) or from_repr(told.text)
    if not who:
        return
    key = facts.known_try(who)
    try_number = who.try_number if who.try_number is not None else key[4] if key else None
    named = replace(who, try_number=try_number, state=None)
    once = (named.joined or named.dag_id, named.run_id, named.task_id, named.map_index, try_number)
    if not facts.is_lost_anew(once):
        return
    facts.event(
        told.at, component, "heartbeat_timeout", named, reason="heartbeat", started_at=_began(told.text)
    )
    if key and facts.tries[key]["state"] in ("running", "queued", None):
        facts.told(key, facts.tries[key] | {"state": _failed(facts.tries[key])}, told.at)
        facts.close(key, told.at)


def _began(text: str) -> datetime | None:
    # 3.3 prints its own context behind the task instance, in which start_date is the run's
    if not (match := _STARTED_AT.search(text.partition("context_from_server=")[0])):
        return None
    parts = "{}-{:0>2}-{:0>2}T{:0>2}:{:0>2}:{:0>2}+00:00".format(*(part or "0" for part in match.groups()))
    return moment(parts, UTC)


def mismatch(told: Told, component: str, facts: Facts) -> None:
    """The executor is done, the database says queued or running: the scheduler fails the try there and then."""
    match = _MISMATCH.match(told.text)
    who = from_repr(match["ti"]) if match else None
    if not match or not who:
        return
    key = facts.known_try(who)
    state, info = match["state"].lower(), match["more"].partition("Extra info: ")[2]
    detail = f"executor {match['done'].lower()}, state {state}" + (f": {info}" if info else "")
    named = replace(who, try_number=key[4] if key else None, state=None)
    facts.event(
        told.at,
        component,
        "state_mismatch",
        named,
        reason=f"{state}_but_{match['done'].lower()}",
        detail=detail,
    )
    if key:
        row = facts.tries[key]
        facts.told(key, row | {"state": _failed(row), "ended_at": row.get("ended_at") or told.at}, told.at)
        facts.close(key, told.at)


def _failed(row: Row) -> str:
    """A failed try is retried while max_tries (retries, grown by clears) allows one more."""
    return RETRY if row["try_number"] <= (row.get("max_tries") or 0) else FAILED
