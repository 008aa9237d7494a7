"""WS301 to WS303: what they say of pools, what they advise, and the commands to apply and to undo it."""

import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from windsock.findings.pools import options as pool_options
from windsock.findings.pools.options import GAUGES, INTERVALS, REBUILT
from windsock.findings.pools.what_if import what_if_pool
from windsock.findings.rule import Rule
from windsock.findings.rules.ws301_pool_saturated import PoolSaturated
from windsock.findings.rules.ws302_waits_for_ever import WaitsForEver
from windsock.findings.rules.ws303_pool_unused import PoolUnused
from windsock.model import Answer, Finding
from windsock.week import Week

WEEK = Week.parse("2026-W47")
AT = datetime(2026, 11, 18, 10, tzinfo=UTC)
DAY = 86_400.0


def answers(**rows: Sequence[Mapping[str, Any]]) -> dict[str, Answer]:
    return {name: Answer(name, (), tuple(map(dict, these))) for name, these in rows.items()}


def found(rule: type[Rule], given: Mapping[str, Answer], **limits: float) -> list[Finding]:
    return rule.judge(given, rule.limits(limits), week=WEEK).findings


def week(pool: str = "dwh", **changes: Any) -> dict[str, Answer]:
    """Five tasks of two hours, ready together each day, in a pool of one slot."""
    ready = [DAY * day for day in range(7) for _ in range(5)]
    taken = [DAY * day + 7200 * n for day in range(7) for n in range(5)]
    tasks = {"pool": pool, "ready_s": ready, "taken_s": taken, "given_back_s": [one + 7200 for one in taken],
             "slots": [1] * 35, "priority": [1] * 35}  # fmt: skip
    row = {"pool": pool, "tries": 50, "total_slots": 1, "busy_hours": 70.0, "full_share": 1.0, "full_share_all": 0.4,
           "wait_hours": 140.0, "ready_known": 1.0, "ready_told": 1.0, "p50_slots": 1, "p95_slots": 1,
           "gauge_mean_slots": None, "sweep_mean_slots": None}  # fmt: skip
    gauges = {
        "pool": pool,
        "samples": 999,
        "total_slots": 1,
        "busy_hours": 70.0,
        "full_share": 0.9,
        "wait_hours": 99.0,
    }
    return answers(
        pool_occupancy=[row | changes], pool_tasks=[tasks], pool_full_share=[gauges], pool_demand=[]
    )


def test_the_smallest_size_that_removes_most_of_the_wait_is_recommended() -> None:
    (finding,) = found(PoolSaturated, week())
    saved = {one["slots"]: one["wait_hours_saved"] for one in finding.evidence["options"]}
    assert saved[2] >= 0.5 * saved[3] and min(size for size in saved if saved[size] >= 0.8 * saved[3]) == 3
    assert "Raise dwh from 1 to 3 slots" in finding.advice
    assert "3 slots in use at the most" in finding.advice
    assert "parallelism or max_active_tasks may bind instead" in finding.advice


@pytest.mark.parametrize("pool", ["dwh", "a b", "it's", "$(reboot)", "-x"])
def test_the_commands_are_safe_to_paste(pool: str) -> None:
    (finding,) = found(PoolSaturated, week(pool))
    assert shlex.split(finding.evidence["apply"]) == ["airflow", "pools", "set", pool, "3", ""]
    assert shlex.split(finding.evidence["undo"]) == ["airflow", "pools", "set", pool, "1", ""]


def test_a_pool_that_counts_deferred_tasks_goes_on_doing_so() -> None:
    size = {"pool": "dwh", "from_at": WEEK.from_at, "until_at": AT, "slots": 2, "includes_deferred": True}
    (finding,) = found(PoolSaturated, week() | answers(pool_sizes=[size, size | {"from_at": AT, "slots": 1}]))
    assert (
        "--include-deferred" in finding.evidence["apply"] and "--include-deferred" in finding.evidence["undo"]
    )
    assert finding.evidence["sizes"] == "2 until Wed 18 Nov 10:00 UTC, then 1"


def test_who_fills_the_pool_is_named_with_wide_tasks_apart() -> None:
    users = [
        {"pool": "dwh", "dag_id": "b", "slots": 1, "share": 0.2},
        {"pool": "dwh", "dag_id": "a", "slots": 3, "share": 0.7},
        {"pool": "other", "dag_id": "c", "slots": 1, "share": 1.0},
    ]
    (finding,) = found(PoolSaturated, week() | answers(pool_users=users))
    assert finding.evidence["filled_by"] == ["a 70 % (3 slots a task)", "b 20 %"]


@pytest.mark.parametrize(
    ("changes", "source"),
    [
        ({}, INTERVALS),
        ({"ready_told": 0.89}, REBUILT),
        ({"ready_told": 0.9}, INTERVALS),
        ({"ready_known": 0.89}, GAUGES),
        ({"gauge_mean_slots": 1.0, "sweep_mean_slots": 1.2}, INTERVALS),
        ({"gauge_mean_slots": 1.0, "sweep_mean_slots": 1.21}, GAUGES),  # deferred tasks seem to hold slots
    ],
)
def test_what_an_answer_rests_on(changes: dict[str, Any], source: str) -> None:
    (one,) = pool_options.measured(week(**changes))
    assert (one.source, one.is_estimate) == (source, source != INTERVALS)
    told = what_if_pool(week(**changes), pool="dwh", slots=[2], week=WEEK)
    assert (told["source"], told["estimate"]) == (source, source != INTERVALS)


def test_an_estimate_is_called_one() -> None:
    (finding,) = found(PoolSaturated, week(ready_told=0.0))
    assert "an estimate: a replay with rebuilt ready times" in finding.advice
    assert finding.evidence["estimate"] is True


def wide(**changes: Any) -> dict[str, Answer]:
    row = {"pool": "dwh", "dag_id": "d", "task_id": "t", "is_missing": False, "task_slots": 4, "total_slots": 2, "runs": 1,
           "held_minutes": 10, "first_at": AT, "last_at": AT}  # fmt: skip
    return answers(waits_for_ever=[row | changes])


@pytest.mark.parametrize(
    ("changes", "is_found"),
    [
        ({"held_minutes": 9}, False),
        ({"held_minutes": 10}, True),
        ({"held_minutes": 11}, True),
        ({"held_minutes": 0}, True),  # API or database show it waiting
    ],
)
def test_a_task_that_can_never_run(changes: dict[str, Any], is_found: bool) -> None:
    assert bool(found(WaitsForEver, wide(**changes))) == is_found


def test_what_waits_for_ever_names_both_sizes_or_the_missing_pool() -> None:
    (finding,) = found(WaitsForEver, wide())
    assert finding.headline == "d.t wants 4 slots of pool dwh, which has 2: it waits for ever"
    assert shlex.split(finding.evidence["apply"])[-3:] == ["dwh", "4", ""]
    (finding,) = found(
        WaitsForEver, wide(is_missing=True, dag_id="", task_id="", task_slots=None, total_slots=None)
    )
    assert finding.headline == "Tasks wait for pool dwh, which does not exist"


@pytest.mark.parametrize(
    ("pool", "weeks", "is_found"),
    [("x", 4, False), ("x", 5, True), ("x", 6, True), ("default_pool", 9, False)],
)
def test_an_unused_pool(pool: str, weeks: int, is_found: bool) -> None:
    row = {
        "pool": pool,
        "total_slots": 3,
        "weeks_seen": weeks,
        "weeks_used": 0,
        "tries": 0,
        "last_used_at": None,
    }
    assert bool(found(PoolUnused, answers(pools_unused=[row]))) == is_found
