"""Airflow's audit log → what befell tries, and what people and programs did: clears, marks, pauses, pools, backfills.

An entry tells that somebody asked for something. Asking to see what would happen is written down like doing it: those looks are
passed over. Names of people, values of variables and connections are never read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from windsock.model import Row
from windsock.parse.told.facts import MAX_VALUE, fact
from windsock.parse.told.rows import Teller, moment, number, text
from windsock.redaction import redact

_OF_TRIES = {
    "state mismatch": "state_mismatch",
    "heartbeat timeout": "heartbeat_timeout",
    "stuck in queued reschedule": "stuck_in_queued",
    "stuck in queued tries exceeded": "queue_timeout",
}
_V1 = {
    "tasks_cleared": "clear_dag_run post_clear_task_instances",
    "state_marked": "patch_task_instance patch_mapped_task_instance post_set_task_instances_state update_dag_run_state",
    "dag_changed": "patch_dag patch_dags",
    "dag_deleted": "delete_dag",
    "runs_deleted": "delete_dag_run",
    "pool_changed": "patch_pool post_pool delete_pool",
}
"""REST API of Airflow 2; since 2.8 its entries begin with `api.`, from the web pages with `ui.`."""
_DONE = {
    "tasks_cleared": "clear_dag_run clear_dag_runs clear_dag_run_partitions post_clear_task_instances clear dagrun_clear action_clear "
    "action_clear_downstream cli_task_clear cli_dag_clear cli_clear",
    "state_marked": "patch_dag_run bulk_dag_runs patch_task_instance patch_task_group_instances success failed dagrun_success "
    "dagrun_failed dagrun_queued action_set_success action_set_failed action_set_queued action_set_running action_set_retry "
    "action_set_skipped",
    "dag_changed": "patch_dag patch_dags paused cli_dag_pause cli_dag_unpause",
    "dag_deleted": "delete_dag delete cli_dag_delete",
    "runs_deleted": "delete_dag_run action_muldelete",
    "pool_changed": "patch_pool post_pool delete_pool bulk_pools pool.create pool.edit pool.delete cli_pool_set cli_pool_delete "
    "cli_pool_import",
    "backfill_created": "create_backfill cli_create_backfill cli_dag_backfill",
    "backfill_changed": "cancel_backfill pause_backfill unpause_backfill",
}
"""REST API of Airflow 3, web pages of Airflow 2, and the command line of both."""
EVENTS: dict[str, str] = {
    **_OF_TRIES,
    **{
        f"{by}{one}": kind
        for kind, names in _V1.items()
        for one in names.split()
        for by in ("", "api.", "ui.")
    },
    **{one: kind for kind, names in _DONE.items() for one in names.split()},
}
"""Entries that are read (action-logged names of 2.11.2 and 3.3.2, held against their sources by
`tests/data/audit_events.csv`), and what they are called in the lake."""
_STATES = {
    "success": "success", "failed": "failed", "dagrun_success": "success", "dagrun_failed": "failed", "dagrun_queued": "queued",
    "action_set_success": "success", "action_set_failed": "failed", "action_set_queued": "queued",
    "action_set_running": "running", "action_set_retry": "up_for_retry", "action_set_skipped": "skipped",
}  # fmt: skip
"""The state that an entry's name tells."""
_CONFIRMED = frozenset({"clear", "dagrun_clear", "dagrun_success", "dagrun_failed", "dagrun_queued"})
"""Pages of Airflow 2 that first show what would happen, under the same name."""
_DRY_BY_DEFAULT = frozenset(
    {"clear_dag_run", "clear_dag_runs", "clear_dag_run_partitions", "post_clear_task_instances"}
)
_DRY_BY_DEFAULT_V1 = _DRY_BY_DEFAULT | {
    "patch_task_instance",
    "patch_mapped_task_instance",
    "post_set_task_instances_state",
}
_FORMS = frozenset({"pool.create", "pool.edit"})
"""Logged also when the empty form is shown."""
_NOTED = frozenset({"patch_dag_run", "patch_task_instance", "patch_task_group_instances"})
"""Set a state or a note: a note is no mark."""
_EXTRA = ("new_state", "only_failed", "task_ids", "dag_run_id", "is_paused", "from_date", "to_date", "max_active_runs")  # fmt: skip
_OF_PATH = frozenset({"method", "dag_id", "dag_run_id", "task_id", "map_index"})
_CLI_POOL = re.compile(r"'pools', '(?:set|delete)', '([^']*)'(?:, '(-?\d+)')?")
_DRY_COMMAND = re.compile(r"'(?:--dry-run|-n)'")
_WHOLE = re.compile(r"-?[0-9]{1,9}")
_EVERY = "~"


def event_rows(
    raws: Iterable[Mapping[str, Any]], teller: Teller, *, tables: Iterable[str]
) -> dict[str, list[Row]]:
    """Entries of the audit log: what befell tries goes to `component_events` where the lake has it, what people and
    programs did goes to `deployments`. Names of people are left out."""
    events: list[Row] = []
    facts: list[Row] = []
    for raw in raws:
        name, at = str(raw.get("event") or ""), moment(raw.get("when"))
        kind = EVENTS.get(name)
        if kind is None or at is None:
            continue
        ids = {key: text(raw.get(key)) for key in ("dag_id", "run_id", "task_id")}
        ids["run_id"] = ids["run_id"] or text(raw.get("dag_run_id"))
        tries = {key: number(raw.get(key)) for key in ("map_index", "try_number")}
        if name in _OF_TRIES and "component_events" in tables:
            events.append({"event_at": at, "component": teller.source, "event": kind, **ids, **tries,
                           "detail": redact(text(raw.get("extra")) or "")[:MAX_VALUE], "object_url": teller.object_url})  # fmt: skip
            continue
        extra = _dict(raw.get("extra"))
        if _is_look(name, extra):
            continue
        told = {k: None if v == _EVERY else v for k, v in {**ids, **tries}.items()} | _told(name, extra)
        for part_kind, part in _parts(name, kind, extra):
            whole = {k: v for k, v in {**told, **part}.items() if v is not None}
            facts.append(fact(f"event.{part_kind}", whole, teller, at))
    return {"component_events": events, "deployments": facts} if events else {"deployments": facts}


def _is_look(name: str, extra: Mapping[str, Any]) -> bool:
    """Whether the entry asked for what would happen, showed a form, or set a note. An entry without its body says nothing
    of it, and counts."""
    base = name.removeprefix("api.").removeprefix("ui.")
    if "dry_run" in extra:
        return extra["dry_run"] is not False
    if name in _CONFIRMED:
        return str(extra.get("confirmed", "")).lower() != "true" and bool(extra)
    if name in _FORMS:
        return "slots" not in extra
    if name.startswith("cli_"):
        return bool(_DRY_COMMAND.search(str(extra.get("full_command", ""))))
    if not set(extra) - _OF_PATH:
        return False
    if base in _NOTED and "note" in extra and not {"state", "new_state"} & set(extra):
        return True
    return base in (_DRY_BY_DEFAULT if base == name else _DRY_BY_DEFAULT_V1)


def _told(name: str, extra: Mapping[str, Any]) -> dict[str, Any]:
    """What the entry's own text adds, by an allow-list of its keys; a pool set on the command line by its words."""
    if match := _CLI_POOL.search(str(extra.get("full_command", ""))):
        return {"pool_name": match[1]} | ({"slots": int(match[2])} if match[2] else {})
    told = {key: extra[key] for key in _EXTRA if key in extra and not isinstance(extra[key], dict)}
    if name.startswith("cli_dag_") and name.endswith("pause"):
        told["is_paused"] = name == "cli_dag_pause"
    if EVENTS[name] == "state_marked" and (state := _STATES.get(name) or text(extra.get("state"))):
        told["new_state"] = state
    if EVENTS[name] == "pool_changed":
        pool = text(extra.get("pool_name") or extra.get("name") or extra.get("pool"))
        slots = str(extra.get("slots", ""))
        told = {"pool_name": pool} | ({"slots": int(slots)} if _WHOLE.fullmatch(slots) else {})
    return told


def _parts(name: str, kind: str, extra: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """One entry may ask for many things: each pool by itself, runs by their DAG and state. Else one part without more."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for of, one in _entities(extra):
        if kind == "pool_changed":
            pool = text(one.get("name") or one.get("pool") or one.get("id"))
            part = {"pool_name": pool} | (
                {"slots": one["slots"]} if number(one.get("slots")) is not None else {}
            )
            found[f"{pool}"] = (kind, part)
        else:
            what = "runs_deleted" if of == "delete" else kind
            state = text(one.get("state")) if kind == "state_marked" and of != "delete" else None
            if kind == "state_marked" and of != "delete" and state is None:
                continue  # a note
            dag_id = text(one.get("dag_id"))
            found[f"{what} {dag_id} {state}"] = (what, {"dag_id": dag_id, "new_state": state})
    if not found and not name.startswith("bulk_"):
        yield kind, {}
    for what, part in found.values():
        yield what, {key: value for key, value in part.items() if value is not None}


def _entities(extra: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(action, entity) of a bulk request, or the runs that a clear names. What is deleted may be named by its id alone."""
    for action in _dicts(extra.get("actions")):
        entities = action.get("entities")
        for one in entities if isinstance(entities, list) else ():
            if isinstance(one, dict | str):
                yield str(action.get("action")), one if isinstance(one, dict) else {"id": one}
    for one in _dicts(extra.get("dag_runs")):
        yield "clear", one


def _dict(value: Any) -> dict[str, Any]:
    try:
        told = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
