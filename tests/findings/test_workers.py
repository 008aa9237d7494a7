"""Full workers are a limit of their own: whose cure they are, what more of them saves, and what is never called a rise."""

import heapq
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.findings import test_how_to_set as made
from tests.support.settings import week_of_settings
from windsock.findings.methods.more_room import Wanted, replayed_us, room
from windsock.findings.methods.spans import Spans
from windsock.findings.rules.ws310_waiting_for_limit import WaitingForLimit
from windsock.findings.rules.ws311_executor_full import ExecutorFull
from windsock.findings.waiting import waiting_answers
from windsock.model import Answer, Finding, Row
from windsock.week import Week

WEEK = Week.parse("2026-W47")
HOURS = 40
S = 1_000_000


def fleet(burst: int, slots: int, *, parallelism: int) -> Row:
    """Each hour so many tasks of ten minutes at once, on workers with so many places: an executor takes up to `parallelism`,
    also those that wait for a worker."""
    free = [0.0] * slots
    inside: list[float] = []
    ready, taken, started, back = [], [], [], []
    for hour in range(HOURS):
        for n in range(burst):
            came = hour * 3600 + n * 1.0
            into = came + 1.0
            while inside and inside[0] <= into:
                heapq.heappop(inside)
            if len(inside) >= parallelism:
                into = heapq.heappop(inside)
            began = max(into + 1.0, heapq.heappop(free))
            heapq.heappush(free, began + 600)
            heapq.heappush(inside, began + 600)
            ready.append(came)
            taken.append(into)
            started.append(began)
            back.append(began + 600)
    count = len(ready)
    return {"dag_id": "d", "task_id": "t", "pool": "default_pool", "tries": count, "is_per_run": True, "ready_told": count,
            "ready_rebuilt": 0, "upstream_hours": 0.0, "retry_hours": 0.0, "run_no": list(range(count)), "slots": [1] * count,
            "ready_s": ready, "taken_s": taken, "started_s": started, "given_back_s": back}  # fmt: skip


def waits(row: Row, parallelism: int | None) -> dict[str, Answer]:
    known = (
        [{"name": "parallelism", "dag_id": "", "limit_value": parallelism, "told_by": "config"}]
        if parallelism
        else []
    )
    asked = {"try_waits": [row], "known_limits": known}
    return waiting_answers({name: Answer(name, (), tuple(rows)) for name, rows in asked.items()}, WEEK)


def by_limit(answers: Mapping[str, Answer]) -> dict[str, Row]:
    return {row["waits_for"]: row for row in answers["waiting_by_limit"].rows if row["scope"] == "all"}


def hosts(count: int) -> list[Row]:
    return [{"grain": "host", "hostname": f"w{n}"} for n in range(count)]


def found(answers: Mapping[str, Answer], told: Mapping[str, object], **rows: Sequence[Row]) -> list[Finding]:
    given_rows = {name: list(one.rows) for name, one in answers.items()} | rows
    week = week_of_settings("3.3.2", told, **given_rows)
    return WaitingForLimit.judge(week, WaitingForLimit.limits(), week=WEEK).findings


CELERY = {"core.parallelism": 64, "celery.worker_concurrency": 4}


def test_full_workers_are_not_executor_slots() -> None:
    told = by_limit(waits(fleet(20, 8, parallelism=64), 64))
    assert "executor" not in told
    assert (told["workers"]["limit_value"], told["workers"]["told_by"]) == (8, "inferred")
    assert told["workers"]["hours"] > 100 * max(told[name]["hours"] for name in ("scheduler", "launch"))


def test_executor_slots_that_wait_for_a_worker_are_the_workers_too() -> None:
    """Parallelism 12 with 8 places: four of twelve slots are held by tasks in the queue, and twenty more stand before it."""
    told = by_limit(waits(fleet(32, 8, parallelism=12), 12))
    assert told["workers"]["hours"] > 20 * told.get("executor", {"hours": 0.0})["hours"]
    assert told["workers"]["alone_hours"] == pytest.approx(told["workers"]["hours"], rel=0.05)


def test_slots_that_run_out_before_workers_do_are_executor_slots() -> None:
    told = by_limit(waits(fleet(20, 32, parallelism=8), 8))
    assert "workers" not in told
    assert told["executor"]["limit_value"] == 8 and told["executor"]["hours"] > 10


def test_the_cure_of_full_workers_is_workers_with_the_arithmetic() -> None:
    answers = waits(fleet(20, 8, parallelism=64), 64)
    (finding,) = found(answers, CELERY, work_by_worker=hosts(2))
    row = by_limit(answers)["workers"]
    assert 8 < row["proposed"] <= row["wanted"] == 20
    each, more = -(-4 * row["proposed"] // 8), -(-(row["proposed"] - 8) // 4)
    assert "of waiting for worker slots of 8" in finding.headline
    assert finding.evidence["apply"] == f"AIRFLOW__CELERY__WORKER_CONCURRENCY={each}"
    assert finding.evidence["undo"] == "AIRFLOW__CELERY__WORKER_CONCURRENCY=4"
    for text in (f"from 4 to {each}, or run {more} more workers", "2 hosts x 4 are 8 places, 8 were taken at the most",
                 "up to 20 were wanted at once", f"memory for {each} tasks instead of 4",
                 "[core] parallelism lets 64 in already: raising it only moves the wait"):  # fmt: skip
        assert text in finding.advice
    assert len(finding.advice) <= 600


@pytest.mark.parametrize(
    ("told", "says", "has_line"),
    [
        ({"core.parallelism": 10, "celery.worker_concurrency": 4}, "[core] parallelism (10 of each scheduler) must let as many in", True),
        ({"celery.worker_concurrency": 4}, "[core] parallelism is another limit", True),
        ({**CELERY, "celery.worker_autoscale": "16,4"}, "worker_autoscale (16,4, which stands over [celery] worker_concurrency)", False),
        ({"core.executor": "KubernetesExecutor"}, "the cluster's nodes or quota where Kubernetes does", False),
    ],
)  # fmt: skip
def test_what_stands_beside_the_workers_is_told(
    told: dict[str, object], says: str, *, has_line: bool
) -> None:
    (finding,) = found(waits(fleet(20, 8, parallelism=64), 64), told)
    assert says in finding.advice, finding.advice
    assert ("apply" in finding.evidence) is has_line
    assert "PARALLELISM" not in finding.evidence.get("apply", "")


def test_more_workers_save_what_the_advice_says() -> None:
    """The truth: the same fleet on the proposed number of places."""
    row = by_limit(waits(fleet(20, 8, parallelism=64), 64))["workers"]
    after = by_limit(waits(fleet(20, row["proposed"], parallelism=64), 64)).get("workers", {"hours": 0.0})
    assert row["saved_hours"] == pytest.approx(row["hours"] - after["hours"], rel=0.03)


def test_several_schedulers_share_what_is_proposed() -> None:
    """24 at work where 12 is told: two schedulers. The line is for each."""
    row = {"scope": "all", "dag_id": "", "pool": "", "waits_for": "executor", "hours": 40.0, "alone_hours": 40.0, "waits": 500,
           "limit_value": 24, "told_by": "inferred", "wanted": 31, "proposed": 30, "saved_hours": 33.0}  # fmt: skip
    (finding,) = found({"waiting_by_limit": Answer("", (), (row,))}, {"core.parallelism": 12})
    assert (finding.evidence["apply"], finding.evidence["undo"]) == (
        "AIRFLOW__CORE__PARALLELISM=15",
        "AIRFLOW__CORE__PARALLELISM=12",
    )
    assert "to 15 (24 in use are those of 2 schedulers)" in finding.advice
    assert "a replay of the week at 30 saves 33 hours of the 40 hours" in finding.advice


# --- WS311


def full(
    told: Mapping[str, object], *, full_minutes: int = 30, queue: float = 6.0, **more: Sequence[Row]
) -> Finding:
    rows = [
        {"executor": "", "hour_at": WEEK.from_at + timedelta(hours=n), "minutes": 60, "full_minutes": full_minutes, "slots": 32.0,
         "running_most": 32.0, "queued_mean": queue, "queued_usual": 1.0, "weeks_before": 8} for n in range(100)
    ]  # fmt: skip
    week = week_of_settings("3.3.2", told, executor_load_by_hour=rows, **more)
    (finding,) = ExecutorFull.judge(week, ExecutorFull.limits(), week=WEEK).findings
    return finding


def minutes(queued: Sequence[float]) -> list[Row]:
    count = len(queued)
    return [{"executor": "", "minute_s": [60.0 * n for n in range(count)], "open_slots": [0.0] * count,
             "running_tasks": [32.0] * count, "queued_tasks": list(queued)}]  # fmt: skip


def test_the_number_of_slots_comes_from_the_full_minutes() -> None:
    finding = full({"core.parallelism": 32}, executor_minutes=minutes([4.0] * 57 + [9.0] * 38 + [90.0] * 5))
    assert finding.evidence["apply"] == "AIRFLOW__CORE__PARALLELISM=41"
    assert "up to 41 were wanted (95th percentile, running and queued)" in finding.advice
    queued = (57 * 4 + 38 * 9 + 5 * 90) / 60
    assert f"of {queued:.0f} hours in the queue" in finding.advice.replace("17.0", "17")
    assert "10 hours would have run" in finding.advice.replace("10.2", "10")


def test_the_waits_themselves_tell_more_than_gauges() -> None:
    row = {"scope": "all", "waits_for": "executor", "hours": 40.0, "alone_hours": 40.0, "limit_value": 32, "told_by": "config",
           "wanted": 60, "proposed": 50, "saved_hours": 33.0}  # fmt: skip
    finding = full({}, executor_minutes=minutes([4.0] * 50), waiting_by_limit=[row])
    assert finding.evidence["apply"] == "AIRFLOW__CORE__PARALLELISM=50"
    assert "a replay of the week at 50 saves 33 hours of the 40 hours" in finding.advice


def test_slots_held_by_tasks_that_wait_for_a_worker_are_no_reason_for_more_slots() -> None:
    rows = list(waits(fleet(20, 8, parallelism=64), 64)["waiting_by_limit"].rows)
    finding = full(CELERY, waiting_by_limit=rows, work_by_worker=hosts(2))
    assert finding.advice.startswith(
        "Its slots are held by tasks that wait for a worker. Raise [celery] worker_concurrency from 4"
    )
    assert "PARALLELISM" not in finding.evidence["apply"] and len(finding.advice) <= 600


def test_a_queue_beside_open_slots_is_a_slow_launch() -> None:
    finding = full({}, full_minutes=0)
    assert "More slots would not shorten it" in finding.advice
    assert "apply" not in finding.evidence


# --- no rise that is none


@pytest.mark.parametrize("factor", [0.4, 1.0, 1.2, 4.0])
@pytest.mark.parametrize("version", ["2.11.2", "3.3.2"])
@pytest.mark.parametrize("name", list(made.MADE))
def test_what_is_called_a_rise_rises(name: str, version: str, factor: float) -> None:
    """Every rule that proposes a value, beside settings told below, at and above what was at work."""
    names = {"core.parallelism": 32, "celery.worker_concurrency": 16, "core.dagbag_import_timeout": 30,
             "core.dag_file_processor_timeout": 50, "dag_processor.dag_file_processor_timeout": 50,
             "core.default_pool_task_slot_count": 128, "core.max_active_tasks_per_dag": 16,
             "core.max_active_runs_per_dag": 16, "core.default_task_execution_timeout": 3600}  # fmt: skip
    told: dict[str, object] = {key: round(value * factor) for key, value in names.items()}
    rule, rows = made.MADE[name]
    week = week_of_settings(version, told, **rows)
    for finding in rule.judge(week, rule.limits(), week=WEEK).findings:
        ways = [numbers(str(finding.evidence.get(way, ""))) for way in ("apply", "undo")]
        if re.search(r"\b([Rr]aise (?!Airflow)|Let more\b|keeps its DAGs\b)", finding.advice):
            assert all(new > ways[1].get(key, 0) for key, new in ways[0].items()), (finding.advice, ways)


def numbers(line: str) -> dict[str, float]:
    """`NAME=48` and `pools set NAME 3` → their numbers by name."""
    pairs = re.findall(r"([A-Za-z_]+)=(?:timedelta\(seconds=)?(\d+(?:\.\d+)?)", line)
    pools = re.findall(r"pools set (?:--include-deferred )?(\S+) (\d+)", line)
    return {key: float(value) for key, value in [*pairs, *pools]}


@pytest.mark.parametrize("limit", ["executor", "workers", "max_active_tasks", "max_active_runs"])
@pytest.mark.parametrize("value", [1, 8, 16, 32, 64])
@pytest.mark.parametrize("told", [None, 4, 16, 32, 200])
def test_no_limit_is_raised_to_less(limit: str, value: int, told: int | None) -> None:
    scope, dag_id = ("dag", "d") if limit.startswith("max") else ("all", "")
    row = {"scope": scope, "dag_id": dag_id, "pool": "", "waits_for": limit, "hours": 40.0, "alone_hours": 40.0, "waits": 500,
           "limit_value": value, "told_by": "inferred", "wanted": value + 9, "proposed": value + 3, "saved_hours": 9.0}  # fmt: skip
    settings_told = {"core.parallelism": told, "celery.worker_concurrency": told} if told else {}
    (finding,) = found({"waiting_by_limit": Answer("", (), (row,))}, settings_told)
    new, old = (numbers(finding.evidence.get(way, "")) for way in ("apply", "undo"))
    assert all(new[key] > old.get(key, 0) for key in new), (new, old)
    if not new:
        assert not re.match(r"Raise \[core\]", finding.advice), finding.advice


# --- the methods

spans = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40), st.integers(0, 12)), max_size=10)


@settings(max_examples=150, deadline=None)
@given(spans, spans)
def test_both_and_without_equal_brute_force(
    one: list[tuple[int, int, int]], two: list[tuple[int, int, int]]
) -> None:
    def of(these: list[tuple[int, int, int]]) -> tuple[Spans, set[tuple[int, int]]]:
        group, start, lasts = np.array(these or [(0, 0, 0)], np.int64).T
        return Spans.of(group, start, start + lasts), {(g, t) for g, s, n in these for t in range(s, s + n)}

    (mine, mine_ticks), (others, other_ticks) = of(one), of(two)
    group = np.repeat(np.arange(3), 60)
    tick = np.tile(np.arange(60), 3)
    for found_spans, expected in (
        (mine.both(others), mine_ticks & other_ticks),
        (mine.without(others), mine_ticks - other_ticks),
    ):
        on = found_spans.overlap(group, tick, tick + 1) > 0
        assert set(zip(group[on].tolist(), tick[on].tolist(), strict=True)) == expected


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 60), st.integers(1, 20)), min_size=1, max_size=25),
    st.integers(1, 4),
)
def test_the_replay_equals_a_tick_by_tick_queue(users: list[tuple[int, int, int]], limit: int) -> None:
    users = sorted(users, key=lambda one: one[1])
    waited, queue, running = 0, list(users), {0: [], 1: []}  # type: ignore[var-annotated]
    for tick in range(1000):
        for group in running:
            running[group] = [end for end in running[group] if end > tick]
        for one in [one for one in queue if one[1] <= tick]:
            if len(running[one[0]]) < limit:
                running[one[0]].append(tick + one[2])
                waited += tick - one[1]
                queue.remove(one)
    groups, wants, lasts = (list(column) for column in zip(*users, strict=True))
    assert not queue
    assert replayed_us(groups, wants, lasts, limit) == waited


def test_nothing_is_proposed_where_nobody_waited() -> None:
    start = np.arange(10, dtype=np.int64) * 100 * S
    zero = np.zeros(10, np.int64)
    calm = Wanted(zero, start, start, start + 50 * S, np.zeros(1, np.int64))
    assert room(calm, {0: 1}) == {}
    assert room(calm, {}) == {}
    pairs = Wanted(zero, start // 200 * 200, start, start + 100 * S, np.zeros(1, np.int64))
    assert room(pairs, {0: 1}) == {} or room(pairs, {0: 1})[0].proposed >= 2


def test_three_times_the_limit_is_the_most() -> None:
    ready = np.repeat(np.arange(20, dtype=np.int64) * 4000 * S, 60)
    began = ready + np.tile(np.arange(60, dtype=np.int64), 20) * 60 * S
    zero = np.zeros(len(ready), np.int64)
    told = room(Wanted(zero, ready, began, began + 60 * S, np.zeros(1, np.int64)), {0: 1})[0]
    assert told.wanted > 50
    assert 2 <= told.proposed <= 3
    assert told.saved_hours > 0.5 * float((began - ready).sum()) / 3.6e9 * 0.8
