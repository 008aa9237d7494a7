"""How a DAG's failures would be told, from its serialised form → rows of `deployments`: booleans and counts alone.

The serialised form is what Airflow's metadata database keeps (`serialized_dag`). It holds arguments and, in 2.x, the source of
callbacks: nothing of it leaves this module but how many tasks have what. Read from real rows of 2.11.2 and 3.3.2; 2.x and 3.0
keep a task's `on_failure_callback` as text, later releases `has_on_failure_callback`.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from windsock.model import Row
from windsock.parse.told.facts import fact
from windsock.parse.told.rows import Teller, text

MAX_SERIALIZED = 16 * 1024 * 1024
"""Bytes of one DAG's JSON: some 20,000 tasks. Driver, text and copies take seven times as much."""
TOO_LARGE = "larger than 16 MB"
ON_FAILURE = frozenset({"one_failed", "all_failed"})
"""Trigger rules of tasks that run because others failed: such a task may tell."""


class _Fields(msgspec.Struct):
    on_failure_callback: Any = None
    has_on_failure_callback: Any = None
    email: Any = None
    email_on_failure: Any = None
    sla: Any = None
    trigger_rule: Any = None


class _Fixed(_Fields):
    """A task; a mapped one keeps its arguments one level below."""

    partial_kwargs: _Fields = msgspec.field(default_factory=_Fields)


class _Task(_Fixed):
    """Before 2.6 the fields stood in the list itself."""

    inner: _Fixed | None = msgspec.field(default=None, name="__var")


class _Dag(msgspec.Struct):
    tasks: list[_Task]
    has_on_failure_callback: Any = None
    deadline: Any = msgspec.UNSET


class _Defaults(msgspec.Struct):
    tasks: _Fields = msgspec.field(default_factory=_Fields)


class _Serialized(msgspec.Struct):
    dag: _Dag
    client_defaults: _Defaults = msgspec.field(default_factory=_Defaults)


_read = msgspec.json.Decoder(_Serialized).decode


class Unread(Exception):
    """Why a serialised DAG tells nothing, without any of its text."""


def alert_facts(
    raws: Iterable[Mapping[str, Any]],
    teller: Teller,
    also: Callable[[str, bytes | str], None] = lambda dag_id, form: None,
) -> tuple[list[Row], Counter[str]]:
    """One row a DAG, and how many could not be read, by reason. `also` is handed each form, for it is fetched but once. `raws`: `dag_id`, `size` in bytes, and either `data`, JSON as
    text, or `data_compressed`, zlib bytes; both are null where one was too large to send."""
    rows, unread = [], Counter[str]()
    for raw in raws:
        if (dag_id := text(raw.get("dag_id"))) is None:
            unread["no dag_id"] += 1
            continue
        try:
            form = _plain(raw)
            told: dict[str, Any] = alerts_of(form)
            also(dag_id, form)
        except Unread as why:
            told = {"unread": str(why)}
            unread[str(why)] += 1
        rows.append(fact(f"dag_alerts.{dag_id}", told, teller))
    return rows, unread


def alerts_of(serialized: bytes | str) -> dict[str, Any]:
    """What one serialised DAG has to tell of a failure. `deadline` is null where the release has none (before 3.1)."""
    try:
        told = _read(serialized)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        # msgspec's message may quote the value
        raise Unread("not the JSON of a DAG") from None
    mails = told.client_defaults.tasks.email_on_failure is not False
    tasks = [one.inner or one for one in told.dag.tasks]
    called = [_has_callback(one) or _has_callback(one.partial_kwargs) for one in tasks]
    mailed = [_is_mailed(one, mails) or _is_mailed(one.partial_kwargs, mails) for one in tasks]
    deadline = told.dag.deadline
    return {
        "tasks": len(tasks),
        "dag_callback": bool(told.dag.has_on_failure_callback),
        "callback_tasks": sum(called),
        "mailed_tasks": sum(mailed),
        "told_tasks": sum(one or other for one, other in zip(called, mailed, strict=True)),
        "failure_tasks": sum(_runs_on_failure(one) or _runs_on_failure(one.partial_kwargs) for one in tasks),
        "sla_tasks": sum(bool(one.sla or one.partial_kwargs.sla) for one in tasks),
        "deadline": None if deadline is msgspec.UNSET else bool(deadline),
    }


def _has_callback(fields: _Fields) -> bool:
    return bool(fields.has_on_failure_callback or fields.on_failure_callback)


def _is_mailed(fields: _Fields, default: bool) -> bool:
    """An address alone is enough: `email_on_failure` is true unless said otherwise, by the task or by [email] (3.x)."""
    wanted = default if fields.email_on_failure is None else bool(fields.email_on_failure)
    return bool(fields.email) and wanted


def _runs_on_failure(fields: _Fields) -> bool:
    return isinstance(fields.trigger_rule, str) and fields.trigger_rule in ON_FAILURE


def _plain(raw: Mapping[str, Any]) -> bytes | str:
    """Where it is compressed, Airflow stores JSON's `null` as `data`, not SQL's."""
    data, packed = raw.get("data"), raw.get("data_compressed")
    if (raw.get("size") or 0) > MAX_SERIALIZED:
        raise Unread(TOO_LARGE)
    if not isinstance(packed, bytes):
        if not isinstance(data, str) or data == "null":
            raise Unread("empty")
        return data
    unpacking = zlib.decompressobj()
    try:
        plain = unpacking.decompress(packed, MAX_SERIALIZED)
    except zlib.error:
        raise Unread("not zlib") from None
    if unpacking.unconsumed_tail:
        raise Unread(TOO_LARGE)
    if not unpacking.eof:
        raise Unread("cut off")
    return plain
