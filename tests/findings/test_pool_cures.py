"""Free cures before more slots, and no more slots where tries fail more often the fuller a pool is."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windsock.findings.methods.occupancy_errors import trend_z, without_largest
from windsock.findings.pools.cures import Cure, cures
from windsock.findings.pools.errors import rises
from windsock.findings.pools.options import INTERVALS, Measured, measured
from windsock.findings.pools.split import MAX_TASKS, in_two_pools
from windsock.findings.pools.what_if import what_if_pool
from windsock.findings.rule import Rule
from windsock.findings.rules.ws301_pool_saturated import PoolSaturated, _free
from windsock.findings.rules.ws302_waits_for_ever import WaitsForEver
from windsock.findings.rules.ws304_wide_tasks_starve import WideTasksStarve
from windsock.findings.rules.ws312_sensors_hold_slots import SensorsHoldSlots
from windsock.findings.rules.ws313_errors_when_full import ErrorsWhenFull
from windsock.model import MAX_ADVICE, Answer, Finding
from windsock.week import Week

pytestmark = pytest.mark.long

WEEK = Week.parse("2026-W47")
DAY, HOUR = 86_400.0, 3600.0
AT = datetime(2026, 11, 18, 10, tzinfo=UTC)


def answers(**rows: Sequence[Mapping[str, Any]]) -> dict[str, Answer]:
    return {name: Answer(name, (), tuple(map(dict, these))) for name, these in rows.items()}


def found(rule: type[Rule], given: Mapping[str, Answer]) -> list[Finding]:
    return rule.judge(given, rule.limits(), week=WEEK).findings


def pool(name: str, tasks: Sequence[tuple[float, float, float, str, bool]], slots: int) -> dict[str, Answer]:
    """A week of (ready, taken, given back, DAG, poking)."""
    dags = sorted({task[3] for task in tasks})
    ready, taken, back = ([task[n] for task in tasks] for n in range(3))
    row = {"pool": name, "ready_s": ready, "taken_s": taken, "given_back_s": back, "slots": [1] * len(tasks),
           "priority": [1] * len(tasks), "is_poking": [task[4] for task in tasks],
           "dag": [dags.index(task[3]) + 1 for task in tasks], "dag_ids": dags}  # fmt: skip
    waited = sum(task[1] - task[0] for task in tasks) / HOUR
    full = {"pool": name, "tries": len(tasks), "total_slots": slots, "busy_hours": 70.0, "full_share": 0.5,
            "full_share_all": 0.4, "wait_hours": waited, "ready_known": 1.0, "ready_told": 1.0, "p50_slots": 1,
            "p95_slots": 1, "gauge_mean_slots": None, "sweep_mean_slots": None}  # fmt: skip
    return answers(pool_occupancy=[full], pool_tasks=[row], pool_full_share=[], pool_demand=[])


def meeting(name: str = "dwh", minutes: float = 20) -> dict[str, Answer]:
    """Each day at nine four DAGs bring two tasks each to four slots: four of them wait for the first four to end."""
    tasks = []
    for day in range(7):
        start = DAY * day + 9 * HOUR
        for n in range(8):
            taken = start + (60 * minutes if n >= 4 else 5)
            tasks.append((start, taken, taken + 60 * minutes, f"d{n % 4}", False))
    minute = {"pool": name, "minute_of_day": 540, "days": 7, "dags": 4, "dag_ids": ["d0", "d1", "d2", "d3"], "tries": 56,
              "slots": 8.0, "wait_hours": 28 * minutes / 60}  # fmt: skip
    return pool(name, tasks, 4) | answers(pool_collisions=[minute])


def test_a_later_start_is_advised_with_what_a_replay_says_it_saves() -> None:
    """Twenty minutes later d0's two tasks wait no more: the other six want four slots, two wait twenty minutes."""
    given = meeting()
    (one,) = measured(given)
    (cure,) = cures(given, one)
    assert cure.kind == "shift"
    assert cure.told == "start d0 20 minutes later: tasks of 4 DAGs meet at 09:00 UTC on 7 days"
    # four of eight waited 20 minutes; with d0 later two of six do, and d0's two take the slots of the first four
    assert cure.wait_hours_saved == pytest.approx(7 * 2 * 20 / 60, rel=0.05)


def test_a_dag_that_took_its_slots_after_the_week_is_passed_over() -> None:
    given = meeting()
    minute = dict(given["pool_collisions"].rows[0], dag_ids=["late", "d0", "d1", "d2", "d3"])
    (cure,) = cures(given | answers(pool_collisions=[minute]), measured(given)[0])
    assert cure.told.startswith("start d0 ")


def test_the_advice_names_it_before_more_slots() -> None:
    (finding,) = found(PoolSaturated, meeting(minutes=30))
    assert finding.advice.startswith("Before more slots: start d0 ")
    assert "Raise dwh from 4 to" in finding.advice and finding.evidence["cures"][0]["kind"] == "shift"


def test_a_cure_that_saves_little_is_not_told() -> None:
    """The tasks of one DAG fill the pool by themselves: no other start of the small one changes that."""
    tasks = [
        (DAY * d + n, DAY * d + n * 1800.0 + 5, DAY * d + (n + 1) * 1800.0, "big", False)
        for d in range(7)
        for n in range(10)
    ]
    tasks += [(DAY * d, DAY * d, DAY * d + 5, "small", False) for d in range(7)]
    minute = {"pool": "dwh", "minute_of_day": 0, "days": 7, "dags": 2, "dag_ids": ["small"], "tries": 77, "slots": 9.0,
              "wait_hours": 9.0}  # fmt: skip
    given = pool("dwh", tasks, 1) | answers(pool_collisions=[minute])
    assert cures(given, measured(given)[0]) == []


def test_sensors_that_give_their_slot_back_are_replayed() -> None:
    """A sensor holds the only slot for two hours while a task of a minute waits: deferred, nobody waits."""
    tasks = []
    for day in range(7):
        start = DAY * day
        tasks.append((start, start + 5, start + 2 * HOUR, "wait", True))
        tasks.append((start + 60, start + 2 * HOUR, start + 2 * HOUR + 60, "work", False))
    given = pool("dwh", tasks, 1)
    (cure,) = cures(given, measured(given)[0])
    assert (cure.kind, cure.told) == ("defer", "make the sensors of wait deferrable, or reschedule them")
    assert cure.wait_hours_saved == pytest.approx(14 - 7 / 60, rel=0.02)


@pytest.mark.parametrize(("name", "is_told"), [("default_pool", True), ("dwh", False)])
def test_what_crowds_default_pool_gets_a_pool_of_its_own(name: str, is_told: bool) -> None:
    tasks = []
    for day in range(7):
        start = DAY * day
        tasks += [(start, start + n * HOUR + 5, start + (n + 1) * HOUR, "heavy", False) for n in range(3)]
        tasks += [(start + 60, start + 3 * HOUR, start + 3 * HOUR + 60, "light", False)]
    given = pool(name, tasks, 1)
    told = [(cure.kind, cure.told) for cure in cures(given, measured(given)[0])]
    assert told == (
        [("own_pool", "give heavy a pool of its own: it holds 99 % of default_pool")] if is_told else []
    )


def test_gauges_tell_no_cure_and_a_huge_pool_is_not_replayed_a_dozen_times() -> None:
    given = meeting()
    one = measured(given)[0]
    assert cures(given, Measured(one.pool, "gauges", 4, 56, one.row)) == []
    row = dict(given["pool_tasks"].rows[0], ready_s=range(MAX_TASKS + 1))
    assert cures(answers(pool_tasks=[row]), Measured("dwh", INTERVALS, 4, 56, one.row)) == []


# --- errors and occupancy


def hours_of(used: Any, failed: Any, task: Any, hour: Any, name: str = "dwh") -> list[dict[str, Any]]:
    """What `pool_errors_by_hour` answers, worked out plainly."""
    rows: dict[int, dict[str, Any]] = {}
    for one in np.unique(task):
        mine = task == one
        if not 0 < failed[mine].sum() < mine.sum():
            continue
        mean, rate = used[mine].mean(), failed[mine].mean()
        for x, y, h in zip(used[mine], failed[mine], hour[mine], strict=True):
            row = rows.setdefault(int(h), {"pool": name, "hour_at": WEEK.from_at + timedelta(hours=int(h)), "tries": 0,
                                           "failures": 0, "score": 0.0, "full_tries": 0, "full_failures": 0})  # fmt: skip
            row["tries"] += 1
            row["failures"] += int(y)
            row["score"] += float((x - mean) * (y - rate))
            row["full_tries"] += int(x > mean)
            row["full_failures"] += int(x > mean and y)
    return [rows[h] for h in sorted(rows)]


def fleet(seed: int, *, slope: float, outages: int) -> list[dict[str, Any]]:
    """Two weeks of a pool of 16 slots: a daily cycle of occupancy, tasks of different reliability that prefer different hours,
    outages of one to three hours in which most tries fail (their retries fill the pool), and a rate that rises by `slope` from
    empty to full."""
    rng = np.random.default_rng(seed)
    n = 6000
    hour = rng.integers(0, 336, n)
    task = rng.integers(0, 25, n)
    base = rng.beta(1, 40, 25)
    likes_busy = rng.random(25) < 0.5
    busy = 8 + 6 * np.sin(2 * np.pi * (hour % 24) / 24) + rng.normal(0, 2, n)
    busy = np.where(likes_busy[task], busy + 2, busy - 2)
    down = np.zeros(336, bool)
    for _ in range(outages):
        start = rng.integers(0, 333)
        down[start : start + rng.integers(1, 4)] = True
    used = np.clip(np.round(busy + np.where(down[hour], 4, 0)), 0, 16)
    chance = np.where(down[hour], 0.6, np.clip(base[task] + slope * used / 16, 0, 1))
    return hours_of(used, rng.random(n) < chance, task, hour)


def test_pools_whose_failures_do_not_depend_on_occupancy_are_left_in_peace() -> None:
    """400 simulated pools, half of them with outages that fill the pool: a false alarm in no more than 1 %."""
    alarms = sum(
        bool(rises(answers(pool_errors_by_hour=fleet(seed, slope=0.0, outages=seed % 2 * 2))))
        for seed in range(400)
    )
    assert alarms <= 4


def test_a_rate_that_rises_with_occupancy_is_seen() -> None:
    """Ten points more when full: seen in nine of ten pools; three points: seen in some."""
    seen = sum(
        bool(rises(answers(pool_errors_by_hour=fleet(seed, slope=0.10, outages=seed % 2 * 2))))
        for seed in range(60)
    )
    assert seen >= 54


def test_one_outage_in_a_full_hour_is_no_trend() -> None:
    scores = [200.0] + [0.1, -0.1] * 50
    assert trend_z(scores) == pytest.approx(1.0, abs=0.01)
    assert trend_z(without_largest(scores)) < 1
    assert trend_z([]) == 0.0


def errors(
    *,
    hours: int = 30,
    failing: int = 10,
    failures: int = 20,
    full: int = 150,
    full_failures: int = 15,
    score: float = 1.0,
) -> list[dict[str, Any]]:
    """Hours that all speak for a trend; the first `failing` share the failures."""
    rows = []
    for n in range(hours):
        mine = failures // failing + (n < failures % failing) if n < failing else 0
        rows.append({"pool": "dwh", "hour_at": AT, "tries": 10, "failures": mine, "score": score,
                     "full_tries": full // hours, "full_failures": 0})  # fmt: skip
    rows[0]["full_failures"] = full_failures
    return rows


@pytest.mark.parametrize(
    ("changes", "is_found"),
    [
        ({}, True),
        ({"failures": 19}, False),
        ({"failures": 21}, True),
        ({"failing": 9}, False),
        ({"failing": 11}, True),
        ({"full_failures": 12}, True),  # 12 of 150 beside 8 of 150: exactly half as many again
        ({"full_failures": 11}, False),
        ({"score": -1.0}, False),
        ({"hours": 10}, True),  # nine hours that agree are three standard deviations
    ],
)
def test_the_thresholds_of_errors_when_full(changes: dict[str, Any], is_found: bool) -> None:
    told = found(ErrorsWhenFull, answers(pool_errors_by_hour=errors(**changes)))
    assert [one.severity for one in told] == ["info"] * is_found


def test_no_rise_is_advised_where_errors_rise_with_occupancy() -> None:
    bounds = [{"pool": "dwh", "max_slots": 99, "protects": "the warehouse's sessions"}]
    given = meeting() | answers(pool_errors_by_hour=errors(), pool_bounds=bounds)
    (finding,) = found(PoolSaturated, given)
    assert "Do not raise dwh" in finding.advice and "the warehouse's sessions" in finding.advice
    assert "apply" not in finding.evidence and finding.evidence["failed_when_fuller"] == "10 %, else 3.3 %"
    assert finding.advice.startswith("Before more slots: start d0")
    (calm,) = found(PoolSaturated, meeting() | answers(pool_errors_by_hour=errors(score=-1.0)))
    assert "Raise dwh" in calm.advice and "apply" in calm.evidence


@pytest.mark.parametrize(
    ("rows", "is_checked"),
    [
        (errors(score=-1.0), True),
        (errors(score=-1.0, failures=19), False),
        (errors(score=-1.0, failing=9), False),
        ([], False),
    ],
)
def test_a_rise_whose_errors_could_not_be_checked_says_so(rows: list[Any], *, is_checked: bool) -> None:
    (finding,) = found(PoolSaturated, meeting() | answers(pool_errors_by_hour=rows))
    assert "Raise dwh" in finding.advice
    assert ("Too few tries failed to check" in finding.advice) is not is_checked


# --- bounds


def wide() -> dict[str, Any]:
    return {"pool": "dwh", "dag_id": "d", "task_id": "t", "task_slots": 8, "total_slots": 4, "runs": 3, "held_minutes": 100,
            "first_at": AT, "last_at": AT, "is_missing": False}  # fmt: skip


@pytest.mark.parametrize(("most", "is_raised"), [(None, True), (8, True), (9, True), (7, False)])
def test_a_pool_is_not_raised_above_its_bound_for_a_wide_task(most: int | None, is_raised: bool) -> None:
    bound = [{"pool": "dwh", "max_slots": most, "protects": "12 sessions"}]
    (finding,) = found(WaitsForEver, answers(waits_for_ever=[wide()], pool_bounds=bound))
    assert ("apply" in finding.evidence) == is_raised
    assert ("raise the pool to 8" in finding.advice) == is_raised
    assert ("the pool may have 7 at the most (12 sessions)" in finding.advice) != is_raised


def test_what_if_says_which_sizes_are_above_the_bound() -> None:
    told = what_if_pool(meeting(), pool="dwh", slots=[4, 8, 9], week=WEEK, max_slots=8, protects="sessions")
    assert (told["max_slots"], told["above_bound"], told["protects"]) == (8, [9], "sessions")
    assert "max_slots" not in what_if_pool(meeting(), pool="dwh", slots=[8], week=WEEK)


# --- WS312


def sensor(**changes: Any) -> dict[str, Any]:
    return {"pool": "dwh", "dag_id": "d", "task_id": "wait", "operator": "FileSensor", "tries": 20, "slot_hours": 24.0,
            "share": 0.2, "mean_s": 600.0} | changes  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "is_found"),
    [
        ([sensor()], True),
        ([sensor(slot_hours=23.9)], False),
        ([sensor(slot_hours=50.0, share=0.5)], True),
        ([sensor(share=0.19)], False),
        ([sensor(mean_s=599.0)], False),
        ([sensor(slot_hours=12.0, share=0.1), sensor(task_id="w2", slot_hours=12.0, share=0.1)], True),
        ([], False),
    ],
)
def test_sensors_in_poke_mode_are_told_by_the_slots_they_hold(
    rows: list[dict[str, Any]], is_found: bool
) -> None:
    told = found(SensorsHoldSlots, answers(pool_sensors=rows))
    assert [one.severity for one in told] == ["info"] * is_found


def test_a_pool_that_counts_deferred_tasks_gains_nothing_by_deferring() -> None:
    sizes = [{"pool": "dwh", "from_at": AT, "until_at": AT, "slots": 4, "includes_deferred": True}]
    (finding,) = found(SensorsHoldSlots, answers(pool_sensors=[sensor()], pool_sizes=sizes))
    assert "counts deferred tasks" in finding.advice


# --- one pool with two workloads


def two_workloads(short_s: float = 20.0, long_s: float = 2 * HOUR, poking: bool = False) -> dict[str, Answer]:
    """Each night four long tasks take all four slots at two, and a short one is ready every five minutes."""
    tasks = []
    for day in range(7):
        start = DAY * day + 2 * HOUR
        tasks += [(start, start + 5, start + long_s, "train", poking)] * 4
        for n in range(48):
            ready = start + 300 * (n + 0.5)
            taken = max(ready + 5, start + long_s + 5)
            tasks.append((ready, taken, taken + short_s, "ping", False))
    return pool("dwh", tasks, 4)


def test_short_tasks_behind_long_ones_are_told_what_two_pools_save() -> None:
    given = two_workloads()
    (one,) = measured(given)
    (cure,) = [cure for cure in cures(given, one) if cure.kind == "split"]
    # 24 short ones a night wait an hour in the mean; with one slot of their own they wait no more, and of the four long
    # tasks one waits two hours for its slot
    assert cure.told == (
        "split it into two pools: 3 slots for the long tasks of train (1 h 59 min each, median), 1 for the rest (20.0 s)"
    )
    assert cure.wait_hours_saved == pytest.approx(7 * (24 - 2), rel=0.05)
    (finding,) = found(PoolSaturated, given)
    assert finding.advice.startswith("One of two is enough: split it into two pools: 3 slots for")
    assert "of waiting), or more slots. Raise dwh from 4 to " in finding.advice


@pytest.mark.parametrize(
    ("saved", "start"),
    [(8.0, "One of two is enough: do it (a replay saves 8.0 hours of waiting), or more slots."),
     (7.9, "Before more slots: do it; a replay saves 7.9 hours of waiting.")],
)  # fmt: skip
def test_a_free_cure_that_saves_as_much_as_more_slots_stands_in_their_place(saved: float, start: str) -> None:
    assert _free([Cure("shift", "do it", saved)], 10.0, 0.8) == [start]
    assert _free([Cure("shift", "do it", saved)], 0.0, 0.8)[0].startswith("Before more slots: do it")


IDS = st.text(st.characters(categories=("L", "Nd"), include_characters="_.-"), min_size=1, max_size=250)


@given(
    pool=st.one_of(IDS, st.just("default_pool")),
    names=st.lists(IDS, min_size=4, max_size=4, unique=True),
    kind=st.sampled_from(("meeting", "workloads", "sensors", "gauges")),
    most=st.one_of(st.none(), st.integers(1, 10**6)),
    protects=st.text(max_size=600),
    rows=st.sampled_from(("", "rise", "few")),
)
@settings(deadline=None, max_examples=60)
def test_the_whole_advice_always_fits(
    pool: str, names: list[str], kind: str, most: int | None, protects: str, rows: str
) -> None:
    """What it says first (the cure that costs none, the size, the bound) is never what gives way."""
    told: dict[str, Answer] = {
        "meeting": meeting(),
        "workloads": two_workloads(),
        "sensors": two_workloads(poking=True),
        "gauges": answers(
            pool_full_share=[{"pool": "dwh", "samples": 1008, "total_slots": 4, "full_share": 0.3, "wait_hours": 174.0,
                              "busy_hours": 100.0}]
        ),
    }[kind]  # fmt: skip
    if rows:
        told |= answers(pool_errors_by_hour=errors(score=9.0 if rows == "rise" else -1.0))
    told |= answers(pool_bounds=[{"pool": "dwh", "max_slots": most, "protects": protects}])
    known = {
        "dwh": pool,
        **dict(zip(("d0", "d1", "d2", "d3"), names, strict=True)),
        "train": names[0],
        "etl": names[1],
    }

    def named(value: Any) -> Any:
        if isinstance(value, list):
            return [named(one) for one in value]
        return known.get(value, value) if isinstance(value, str) else value

    renamed = {
        name: replace(one, rows=tuple({key: named(value) for key, value in row.items()} for row in one.rows))
        for name, one in told.items()
    }
    (finding,) = found(PoolSaturated, renamed)
    assert len(finding.advice) <= MAX_ADVICE
    assert finding.advice.endswith(".")
    if most is None and rows != "rise":
        assert " slots: " in finding.advice


def test_a_full_pool_says_whose_waiting_it_saw() -> None:
    (exact,) = found(PoolSaturated, two_workloads())
    assert exact.evidence["sees"] == "364 tries that tell when they were queued"
    gauges = {
        "pool": "dwh",
        "samples": 1008,
        "total_slots": 4,
        "full_share": 0.3,
        "wait_hours": 174.0,
        "busy_hours": 100.0,
    }
    (looked,) = found(PoolSaturated, answers(pool_full_share=[gauges]))
    assert looked.evidence["sees"] == "every task of the pool, at 1,008 moments"


def test_one_kind_of_work_is_not_split() -> None:
    assert not [
        cure
        for long_s in (60.0, 99.0)
        for given in [two_workloads(short_s=20.0, long_s=long_s)]
        for cure in cures(given, measured(given)[0])
        if cure.kind == "split"
    ]


def test_sensors_are_a_workload_of_their_own() -> None:
    given = two_workloads(poking=True)
    told = [cure.told for cure in cures(given, measured(given)[0])]
    assert any(one.startswith("split it into two pools: 3 slots for the sensors of train") for one in told)
    assert any("deferrable" in one for one in told)


# --- WS304


def width(slots: int = 4, **changes: Any) -> dict[str, Any]:
    row = {"pool": "dwh", "slots": slots, "tries": 70, "dag_ids": ["wide"], "wait_hours": 20.0, "wait_s": 600.0,
           "wait_p95_s": 3000.0, "longest_s": 4000.0, "priority": 5.0, "hours": 30, "longer_hours": 30, "shorter_hours": 0,
           "narrow_s": 20.0, "narrow_priority": 1.0, "excess_hours": 12.0}  # fmt: skip
    return row | changes


@pytest.mark.parametrize(
    ("row", "severity", "why"),
    [
        (width(), "warning", "all of thirty hours"),
        (width(excess_hours=9.9), "watch", "below ten hours"),
        (width(excess_hours=1.0), "watch", "at the least"),
        (width(excess_hours=0.99), None, "below the least"),
        (width(wait_s=60.0), "warning", "at a minute, three times as long"),
        (width(wait_s=59.0), None, "below a minute"),
        (width(narrow_s=200.0), "warning", "at three times"),
        (width(narrow_s=201.0), None, "below three times"),
        (width(hours=7, longer_hours=7), "warning", "seven nights of seven"),
        (width(hours=6, longer_hours=6), None, "six of six may be luck"),
        (width(longer_hours=20, shorter_hours=10), None, "longer now, shorter then"),
        (width(longer_hours=22, shorter_hours=8), "warning", "mostly longer"),
        (width(hours=30, longer_hours=0), None, "never anybody beside it"),
        (width(1), None, "tasks of one slot"),
    ],
)
def test_wide_tasks_that_are_passed_by(row: dict[str, Any], severity: str | None, why: str) -> None:
    told = found(WideTasksStarve, answers(waits_by_width=[row]))
    assert [one.severity for one in told] == ([severity] if severity else []), why


@pytest.mark.parametrize(("wides", "pays"), [(1, False), (60, True)])
def test_starving_tasks_are_told_what_a_pool_of_their_own_saves_them_and_costs_the_others(
    wides: int, pays: bool
) -> None:
    """Each noon an hour of narrow tasks, one a minute of six minutes each, four slots: a line of them from the fifth
    minute on. The wide ones that are ready at half past need two slots at once, and go when the line is empty."""
    ready, taken, back, slots = [], [], [], []
    for day in range(7):
        noon = DAY * day + 12 * HOUR
        for n in range(60):
            ready.append(noon + 60 * n)
            taken.append(noon + max(60 * n, 90 * (n - 3)))
            back.append(taken[-1] + 355)
            slots.append(1)
        for n in range(wides):
            ready.append(noon + 1800)
            taken.append(noon + 5490 + n // 2 * 20)
            back.append(taken[-1] + (300 if wides == 1 else 15))
            slots.append(2)
    row = {"pool": "dwh", "ready_s": ready, "taken_s": taken, "given_back_s": back, "slots": slots, "priority": [1] * len(ready),
           "is_poking": [False] * len(ready), "dag": [1] * len(ready), "dag_ids": ["d"]}  # fmt: skip
    given = answers(waits_by_width=[width(2)], pool_tasks=[row], pool_sizes=[{"pool": "dwh", "slots": 4}])
    (one,) = found(WideTasksStarve, given)
    assert one.headline == (
        "Pool dwh: tasks of 2 slots wait 10 min (median), those of one slot 20.0 s in the same hours: 12 hours more this week"
    )
    split = in_two_pools(given, "dwh", least_slots=2)
    assert split is not None and (split.slots, split.rest_slots) == (2, 2)
    # each wide task of a day from half past twelve until the line is empty at about half past one
    assert split.part_hours == pytest.approx(7.0 * wides, rel=0.15)
    assert split.part_hours_then < 0.3 * split.part_hours
    assert split.rest_hours_then > split.rest_hours > 0  # half the slots for the same work
    assert split.pays == pays
    assert ("Give them 2 slots of dwh as a pool of their own" in one.advice) == pays
    assert (
        "Let them take fewer slots (pool_slots), or give dwh more. Its slots in two pools help nobody"
        in one.advice
    ) != pays
    assert "Priority alone does not help" in one.advice
    saved = pytest.approx(split.part_hours - split.part_hours_then) if pays else None
    assert one.evidence["saved_hours"] == saved
    (blind,) = found(WideTasksStarve, answers(waits_by_width=[width(2)]))
    assert "replay" not in blind.advice
    assert blind.advice.startswith("Give them a pool of their own, or let them take fewer slots")


def test_without_wide_tasks_there_is_nothing() -> None:
    assert found(WideTasksStarve, {}) == []
    assert found(WideTasksStarve, answers(waits_by_width=[])) == []
