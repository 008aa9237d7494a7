"""What is known of one try or run told more than once: the newest telling, and what it leaves open by the next that fills it.

API and database answer `executor` only where a task names one, the scheduler's log says which executor ran it and knows
neither host nor slots, and the line of a timed-out run names nothing but the run. So the newest telling decides the row
(state, object, time of telling), and each further column is the first of these that is told:

1. the newest telling (a component's line was told when it was written, API and database when they were asked),
2. of one moment: database, API, component log; a task instance before its history,
3. the next older telling, and so on.

A state and the row's own handle are never mixed: an end belongs to a state that has ended, a start to one that began.
"""

from __future__ import annotations

from collections.abc import Mapping

_BEGAN = "state not in ('queued', 'scheduled', 'restarting', 'removed')"
_ENDED = "state in ('success', 'failed', 'skipped', 'up_for_retry', 'upstream_failed')"
_ALWAYS = "true"

FILLED: Mapping[str, Mapping[str, str]] = {
    "task_instances": dict.fromkeys(
        ("max_tries", "operator", "pool", "pool_slots", "queue", "executor", "priority_weight", "hostname"),
        _ALWAYS,
    )
    | {
        # queue times after the start are those of the next try
        "scheduled_at": "coalesce({0} <= started_at, true)",
        "queued_at": "coalesce({0} <= started_at, true)",
        "started_at": f"{_BEGAN} and coalesce({{0}} <= ended_at, true)",
        "ended_at": f"{_ENDED} and coalesce({{0}} >= started_at, true)",
    },
    "dag_runs": dict.fromkeys(("run_type", "logical_date", "run_after", "bundle_version"), _ALWAYS)
    | {
        "queued_at": "coalesce({0} <= started_at, true)",
        "started_at": f"{_BEGAN} and coalesce({{0}} <= ended_at, true)",
        "ended_at": f"{_ENDED} and coalesce({{0}} >= started_at, true)",
    },
}
"""By table and column: when an older telling may fill it (`{0}` is its value, names are the newest telling's columns)."""


def replaced(table: str, window: str) -> str:
    """`column` lists for `select * replace (…)`: each column filled over a named window, ordered newest first."""
    parts = []
    for name, condition in FILLED[table].items():
        older = f"first_value({name} ignore nulls) over {window}"
        when = condition.format(older)
        filled = older if condition == _ALWAYS else f"coalesce({name}, case when {when} then {older} end)"
        parts.append(f"{filled} as {name}")
    return ",\n        ".join(parts)


def told_once(
    table: str, rows: str, *, key: str, order: str, window: str, more: Mapping[str, str] | None = None
) -> str:
    """SQL for one row per key of a relation; `window` is a name that the statement has not used yet. `more`: further columns,
    each the oldest value of an expression that is told."""
    oldest = "".join(
        f",\n    last_value({value} ignore nulls) over {window} as {name}"
        for name, value in (more or {}).items()
    )
    return f"""select *
    replace (
        {replaced(table, window)}
    ){oldest}
    from {rows}
    window {window} as (
        partition by {key} order by {order} rows between unbounded preceding and unbounded following
    )
    qualify row_number() over {window} = 1"""
