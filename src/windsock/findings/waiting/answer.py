"""The week's waiting by limit as an answer: in total, per DAG, per pool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from windsock.findings.methods.spans import Ints
from windsock.findings.methods.wait_limits import Layer, Users, Waits, inferred, period_us, split
from windsock.findings.rule import rows_of
from windsock.findings.waiting.layers import EXECUTOR, INFERRED, RUNS, SCHEDULER, Told, TryLayers
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
) | dict.fromkeys(("waits", "limit_value", "tries", "ready_told", "ready_rebuilt", "runs"), "bigint")
"""SQL types of their columns; all others are double."""
HOUR_US = 3.6e9
_MOST = np.iinfo(np.int64).max // 4


Scopes = Mapping[str, tuple[Sequence[str], Ints]]
"""Scope → the names in it, and each wait's place among them."""


@dataclass(slots=True)
class Tally:
    """Hours, hours that only this limit explains, and waits; by scope, whose, and limit."""

    sums: dict[tuple[str, str, str], tuple[float, float, int]] = field(default_factory=dict)

    def add(self, name: str, scopes: Scopes, us: Ints, alone_us: Ints) -> None:
        """Columns of waits, summed per scope and in total."""
        for scope, (names, place) in {"all": ([""], np.zeros(len(us), np.int64)), **scopes}.items():
            sums = [np.bincount(place, values, len(names)) for values in (us, alone_us, us > 0)]
            for one in np.flatnonzero(sums[0]).tolist():
                self.put(scope, names[one], name, *(float(column[one]) for column in sums))

    def put(self, scope: str, whose: str, name: str, us: float, alone_us: float, waits: float) -> None:
        """One sum more."""
        hours, alone, count = self.sums.get((scope, whose, name), (0.0, 0.0, 0))
        told = (hours + us / HOUR_US, alone + alone_us / HOUR_US, count + round(waits))
        self.sums[scope, whose, name] = told


def waiting_answers(answers: Mapping[str, Answer], week: Week) -> dict[str, Answer]:
    """`waiting_by_limit` (scope, dag_id, pool, waits_for; hours), `waiting_by_dag` (one row each, the longest first) and
    `waiting_seen` (one row: what it rests on)."""
    tally = Tally()
    told: Told = {}
    tries, runs = tries_of(answers), runs_of(answers)
    pace_us = 0
    if tries is not None:
        pace_us = _tries(tries, answers, week, tally, told)
        _launches(tries, answers, tally, told)
    if runs is not None:
        _runs(runs, answers, week, tally, told)
    for question, names in (
        ("try_waits", {UPSTREAM: "upstream_hours", RETRY: "retry_hours"}),
        ("parse_hours_by_dag", {PARSE: "parse_hours"}),
    ):
        for row in rows_of(answers, question):
            for name, column in names.items():
                for scope, whose in (("all", ""), ("dag", row["dag_id"])) if row[column] else ():
                    tally.put(scope, whose, name, row[column] * HOUR_US, 0.0, row["tries"])
    by_limit = _answer(tally, told)
    return {
        "waiting_by_limit": by_limit,
        "waiting_by_dag": _by_dag(by_limit),
        "waiting_seen": _seen(answers, runs, pace_us),
    }


def _tries(tries: Tries, answers: Mapping[str, Answer], week: Week, tally: Tally, told: Told) -> int:
    """From ready to taken."""
    chosen = np.flatnonzero((tries.ready_us != UNKNOWN) & (tries.taken_us > tries.ready_us))
    waits = Waits(tries.ready_us[chosen], tries.taken_us[chosen])
    layers = TryLayers(answers, tries, waits, chosen, week)
    found = layers.result()
    told |= layers.told
    scopes = {"dag": (tries.dag_ids, tries.dag[chosen]), "pool": (tries.pools, tries.pool[chosen])}
    for n, layer in enumerate(layers.layers):
        tally.add(layer.name, scopes, found.bound_us[:, n], found.alone_us[:, n])
    usual = np.minimum(found.rest_us, layers.pace_us)
    tally.add(SCHEDULER, scopes, usual, usual)
    tally.add(REST, scopes, found.rest_us - usual, np.zeros_like(usual))
    return layers.pace_us


def _launches(tries: Tries, answers: Mapping[str, Answer], tally: Tally, told: Told) -> None:
    """From queued to started: all workers busy, where the running tasks stood at their peak; else the launch itself."""
    is_told = (tries.started_us != UNKNOWN) & (tries.started_us > tries.taken_us) & (tries.taken_us >= 0)
    chosen = np.flatnonzero(is_told)
    waits = Waits(tries.taken_us[chosen], tries.started_us[chosen])
    if not len(waits):
        return
    ran = np.flatnonzero((tries.started_us != UNKNOWN) & (tries.given_back_us > tries.started_us))
    zero = np.zeros(1, np.int64)
    users = Users(np.zeros(len(ran), np.int64), tries.started_us[ran], tries.given_back_us[ran], zero)
    pace_us = period_us(waits, ())
    group = np.zeros(len(waits), np.int64)
    slow = waits.length_us > pace_us
    limits = inferred(users, waits.of(slow), group[slow], pace_us=pace_us)
    layers = []
    if limits:
        told.setdefault((EXECUTOR, ""), (limits[0], INFERRED))
        spans = users.levels().above(np.array([limits[0]])).joined(pace_us)
        layers = [Layer(EXECUTOR, spans, np.where(slow, 0, -1))]
    found = split(waits, layers)
    scopes = {"dag": (tries.dag_ids, tries.dag[chosen])}
    for n, layer in enumerate(layers):
        tally.add(layer.name, scopes, found.bound_us[:, n], found.alone_us[:, n])
    tally.add(LAUNCH, scopes, found.rest_us, found.rest_us)


def _runs(runs: Runs, answers: Mapping[str, Answer], week: Week, tally: Tally, told: Told) -> None:
    """From due to created to started. What nothing explains before a run exists is not counted: a paused DAG makes none."""
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
    found = inferred(users, whole.of(is_open), dag[is_open], pace_us=pace_us)
    if found:
        told |= {(RUNS, runs.dag_ids[place]): (limit, INFERRED) for place, limit in found.items()}
        least = np.array([found.get(place, _MOST) for place in range(len(known))], np.int64)
        layers.append(Layer(RUNS, users.levels().above(least).joined(pace_us), dag))
    created = runs.created_us[chosen]
    created = np.where(created == UNKNOWN, whole.start_us, np.clip(created, whole.start_us, whole.end_us))
    result, before = split(whole, layers), split(Waits(whole.start_us, created), layers)
    scopes = {"dag": (runs.dag_ids, dag)}
    for n, layer in enumerate(layers):
        tally.add(layer.name, scopes, result.bound_us[:, n], result.alone_us[:, n])
    usual = np.minimum(result.rest_us, pace_us)
    tally.add(SCHEDULER, scopes, usual, usual)
    rest = np.maximum(0, result.rest_us - before.rest_us - usual)
    tally.add(REST, scopes, rest, np.zeros_like(rest))


def _answer(tally: Tally, told: Told) -> Answer:
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
    )
    rows: list[Row] = []
    for key in sorted(tally.sums, key=lambda one: (one[0], one[1], -tally.sums[one][0], one[2])):
        scope, whose, name = key
        limit, teller = told.get((name, "" if name == EXECUTOR else whose), (None, ""))
        dag_id, pool = (whose, "") if scope == "dag" else ("", whose)
        values = (scope, dag_id, pool, name, *tally.sums[key], limit, teller)
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
