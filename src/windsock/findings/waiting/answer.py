"""The week's waiting by limit as an answer: in total, per DAG, per pool."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from windsock.findings.methods.more_room import Room, Wanted
from windsock.findings.methods.spans import Ints
from windsock.findings.methods.wait_limits import Layer, Users, Waits, inferred, period_us, split
from windsock.findings.rule import rows_of
from windsock.findings.waiting.layers import EXECUTOR, INFERRED, RUNS, SCHEDULER, TASKS, TryLayers
from windsock.findings.waiting.material import (
    UNKNOWN,
    Runs,
    Tries,
    hold_spans,
    limits_of,
    runs_of,
    silences,
    tries_of,
)
from windsock.findings.waiting.tally import EVERYBODYS, HOUR_US, Found
from windsock.findings.waiting.workers import WORKERS, Launches
from windsock.model import Answer, Row
from windsock.week import Week

QUESTIONS = ("try_waits", "run_waits", "known_limits", "hold_minutes", "executor_minutes", "parse_hours_by_dag",
             "pool_sizes", "heartbeat_gaps")  # fmt: skip
LAUNCH, PARSE, UPSTREAM, RETRY, REST = "launch", "parse", "upstream", "retry", "unattributed"
OWN = (UPSTREAM, RETRY, PARSE)
"""What a task waits for that is its own DAG's work, and no limit: told beside, never summed with the others."""
ANSWERS = {
    "waiting_by_limit": "For which limit did tasks and runs wait this week, in total, by DAG and by pool?",
    "waiting_by_dag": "How long did each DAG's tasks and runs wait this week, and mostly for what?",
    "waiting_seen": "What do the hours of waiting rest on?",
}
"""Name → title of each answer that no SQL gives alone."""
TYPES = dict.fromkeys(
    ("scope", "dag_id", "pool", "waits_for", "told_by", "mostly_for"), "varchar"
) | dict.fromkeys(
    ("waits", "limit_value", "wanted", "proposed", "tries", "ready_told", "ready_rebuilt", "runs"), "bigint"
)
"""SQL types of their columns; all others are double."""
_MOST = np.iinfo(np.int64).max // 4


def waiting_answers(
    answers: Mapping[str, Answer], week: Week, *, has_rooms: bool = True
) -> dict[str, Answer]:
    """`waiting_by_limit` (scope, dag_id, pool, waits_for; hours), `waiting_by_dag` (one row each, the longest first) and
    `waiting_seen` (one row: what it rests on). `has_rooms`: with what a larger limit would save, which takes a replay each."""
    found = Found()
    tries, runs = tries_of(answers), runs_of(answers)
    pace_us = _tries(tries, Launches.of(tries), answers, week, found) if tries is not None else 0
    if runs is not None:
        _runs(runs, answers, week, found)
    for question, names in (
        ("try_waits", {UPSTREAM: "upstream_hours", RETRY: "retry_hours"}),
        ("parse_hours_by_dag", {PARSE: "parse_hours"}),
    ):
        for row in rows_of(answers, question):
            for name, column in names.items():
                for scope, whose in (("all", ""), ("dag", row["dag_id"])) if row[column] else ():
                    found.tally.put(scope, whose, name, row[column] * HOUR_US, 0.0, row["tries"])
    rooms = found.rooms(tries.dag_ids if tries else [], runs.dag_ids if runs else []) if has_rooms else {}
    by_limit = _answer(found, rooms)
    return {
        "waiting_by_limit": by_limit,
        "waiting_by_dag": _by_dag(by_limit),
        "waiting_seen": _seen(answers, runs, pace_us),
    }


def _tries(tries: Tries, launches: Launches, answers: Mapping[str, Answer], week: Week, found: Found) -> int:
    """From ready to taken."""
    chosen = np.flatnonzero((tries.ready_us != UNKNOWN) & (tries.taken_us > tries.ready_us))
    waits = Waits(tries.ready_us[chosen], tries.taken_us[chosen])
    layers = TryLayers(answers, tries, waits, chosen, week, workers_full=launches.full)
    result = layers.result()
    found.told |= layers.told
    scopes = {"dag": (tries.dag_ids, tries.dag[chosen]), "pool": (tries.pools, tries.pool[chosen])}
    bound = {name: np.zeros(len(tries.dag), np.int64) for name in (EXECUTOR, TASKS, WORKERS)}
    for n, layer in enumerate(layers.layers):
        found.tally.add(layer.name, scopes, result.bound_us[:, n], result.alone_us[:, n])
        if layer.name in bound:
            bound[layer.name][chosen] += result.bound_us[:, n]
    usual = np.minimum(result.rest_us, layers.pace_us)
    found.tally.add(SCHEDULER, scopes, usual, usual)
    found.tally.add(REST, scopes, result.rest_us - usual, np.zeros_like(usual))
    for name, users in ((EXECUTOR, layers.everybody()), (TASKS, layers.dag_users())):
        found.wanted[name] = Wanted(
            users.group, users.start_us - bound[name], users.start_us, users.end_us, users.family
        )
    _launches(tries, launches, bound[WORKERS], found)
    return layers.pace_us


def _launches(tries: Tries, launches: Launches, before_us: Ints, found: Found) -> None:
    """From taken to started. `before_us`: what each waited for workers before it was taken."""
    if launches.limit is not None:
        found.told[WORKERS, ""] = (launches.limit, INFERRED)
    result = launches.result()
    scopes = {"dag": (tries.dag_ids, tries.dag[launches.chosen])}
    bound = result.bound_us.sum(axis=1)
    if len(launches.waits):
        found.tally.add(WORKERS, scopes, bound, result.alone_us.sum(axis=1))
        found.tally.add(LAUNCH, scopes, result.rest_us, result.rest_us)
    all_us = before_us.copy()
    all_us[launches.chosen] += bound
    ran = np.flatnonzero(tries.started_us != UNKNOWN)
    started, zero = tries.started_us[ran], np.zeros(1, np.int64)
    found.wanted[WORKERS] = Wanted(
        np.zeros(len(ran), np.int64), started - all_us[ran], started, tries.given_back_us[ran], zero
    )


def _runs(runs: Runs, answers: Mapping[str, Answer], week: Week, found: Found) -> None:
    """From due to created to started. What nothing explains before a run exists is not counted: a paused DAG makes none."""
    tally, told = found.tally, found.told
    users = Users(runs.dag, runs.started_us, runs.ended_us, np.arange(len(runs.dag_ids)))
    own, default = limits_of(answers, RUNS)
    known = [own.get(dag_id, default) for dag_id in runs.dag_ids]
    least = np.array([one[0] if one else _MOST for one in known], np.int64)
    told |= {(RUNS, dag): one for dag, one in zip(runs.dag_ids, known, strict=True) if one}
    holds = [row for row in rows_of(answers, "hold_minutes") if row["event"] == RUNS]
    unknown = {dag: place for place, dag in enumerate(runs.dag_ids) if known[place] is None}
    chosen = np.flatnonzero(runs.waits & (runs.started_us > runs.due_us))
    dag = runs.dag[chosen]
    whole = Waits(runs.due_us[chosen], runs.started_us[chosen])
    layers = [
        Layer(SCHEDULER, silences(answers, week), np.zeros(len(chosen), np.int64)),
        Layer(RUNS, users.levels().above(least), dag),
        Layer(RUNS, hold_spans(holds, unknown, lambda row: row["dag_id"]), dag),
    ]
    pace_us = period_us(whole, layers)
    layers = [Layer(one.name, one.spans.joined(pace_us), one.group) for one in layers]
    is_open = np.array([one is None for one in known], bool)[dag] & (split(whole, layers).rest_us > pace_us)
    shown = inferred(users, whole.of(is_open), dag[is_open], pace_us=pace_us)
    if shown:
        told |= {(RUNS, runs.dag_ids[place]): (limit, INFERRED) for place, limit in shown.items()}
        least = np.array([shown.get(place, _MOST) for place in range(len(known))], np.int64)
        layers.append(Layer(RUNS, users.levels().above(least).joined(pace_us), dag))
    created = runs.created_us[chosen]
    created = np.where(created == UNKNOWN, whole.start_us, np.clip(created, whole.start_us, whole.end_us))
    result, before = split(whole, layers), split(Waits(whole.start_us, created), layers)
    scopes = {"dag": (runs.dag_ids, dag)}
    want = runs.started_us.copy()
    for n, layer in enumerate(layers):
        tally.add(layer.name, scopes, result.bound_us[:, n], result.alone_us[:, n])
        if layer.name == RUNS:
            want[chosen] -= result.bound_us[:, n]
    found.wanted[RUNS] = Wanted(runs.dag, want, runs.started_us, runs.ended_us, users.family)
    usual = np.minimum(result.rest_us, pace_us)
    tally.add(SCHEDULER, scopes, usual, usual)
    rest = np.maximum(0, result.rest_us - before.rest_us - usual)
    tally.add(REST, scopes, rest, np.zeros_like(rest))


def _answer(found: Found, rooms: Mapping[tuple[str, str], Room]) -> Answer:
    columns = (
        "scope",
        "dag_id",
        "pool",
        "waits_for",
        "hours",
        "alone_hours",
        "waits",
        "limit_value",
        "told_by",
        "wanted",
        "proposed",
        "saved_hours",
    )
    rows: list[Row] = []
    sums = found.tally.sums
    for key in sorted(sums, key=lambda one: (one[0], one[1], -sums[one][0], one[2])):
        scope, whose, name = key
        of = (name, "" if name in EVERYBODYS else whose)
        limit, teller = found.told.get(of, (None, ""))
        dag_id, pool = (whose, "") if scope == "dag" else ("", whose)
        more = rooms.get(of) if (scope == "all") == (name in EVERYBODYS) else None
        # others' limits hold at the same time: no replay of one limit saves more than it alone explains
        saved = min(more.saved_hours, sums[key][1]) if more else None
        told = (more and more.wanted, more and more.proposed, saved)
        values = (scope, dag_id, pool, name, *sums[key], limit, teller, *told)
        rows.append(dict(zip(columns, values, strict=True)))
    return Answer("waiting_by_limit", columns, tuple(rows))


def _by_dag(by_limit: Answer) -> Answer:
    columns = ("dag_id", "wait_hours", "mostly_for", "mostly_hours", "mostly_share", "waits", "limit_value", "told_by",
               "unattributed_share", "upstream_hours")  # fmt: skip
    mine: dict[str, list[Row]] = {}
    for row in by_limit.rows:
        if row["scope"] == "dag":
            mine.setdefault(row["dag_id"], []).append(row)
    rows: list[Row] = []
    for dag_id, parts in mine.items():
        held = [row for row in parts if row["waits_for"] not in OWN]
        total = sum(row["hours"] for row in held)
        if not total:
            continue
        most = max(held, key=lambda row: row["hours"])
        hours = {row["waits_for"]: row["hours"] for row in parts}
        values = (
            dag_id, total, most["waits_for"], most["hours"], most["hours"] / total, most["waits"], most["limit_value"],
            most["told_by"], hours.get(REST, 0.0) / total, hours.get(UPSTREAM, 0.0),
        )  # fmt: skip
        rows.append(dict(zip(columns, values, strict=True)))
    rows.sort(key=lambda row: (-row["wait_hours"], row["dag_id"]))
    return Answer("waiting_by_dag", columns, tuple(rows))


def _seen(answers: Mapping[str, Answer], runs: Runs | None, pace_us: int) -> Answer:
    columns = ("tries", "ready_told", "ready_rebuilt", "runs", "pace_s")
    rows = rows_of(answers, "try_waits")
    counts = [sum(row[name] for row in rows) for name in ("tries", "ready_told", "ready_rebuilt")]
    values = (*counts, len(runs.dag) if runs else 0, pace_us / 1e6)
    return Answer("waiting_seen", columns, (dict(zip(columns, values, strict=True)),))
