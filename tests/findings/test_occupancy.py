"""`pool_occupancy` beside brute force: every moment at which anything changes, every task, one by one."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from windsock.lake import Lake
from windsock.questions import ask, load_questions
from windsock.week import Week

pytestmark = pytest.mark.long

WEEK = Week.parse("2026-W47")
QUESTION = load_questions(Path(__file__).parents[2] / "sql")["pool_occupancy"]
WEEK_US = 7 * 86_400_000_000
UNLIMITED = 2_147_483_647

# moments in microseconds from the week's start, coarse enough that ends and starts fall together, fine enough to be odd
moments = st.one_of(
    st.integers(-90_000_000_000, WEEK_US + 90_000_000_000),
    st.integers(-3, 20).map(lambda n: n * 3_600_000_000),
)
tasks = st.lists(
    st.tuples(
        moments,
        st.one_of(st.just(0), st.integers(0, 40_000_000_000)),  # how long: zero-length ones too
        st.integers(1, 4),
        st.sampled_from(["success", "failed", "running", "queued", "deferred", "deferred and done"]),
    ),
    min_size=1,
    max_size=25,
)
sizes = st.lists(st.tuples(st.integers(-WEEK_US, WEEK_US - 1), st.sampled_from([1, 2, 3, 5, -1])), max_size=4)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    conn = Lake.open(str(tmp_path_factory.mktemp("lake")), deployment="p", create=True).connect(WEEK)
    yield conn
    conn.close()


def at(us: int) -> datetime:
    return WEEK.from_at + timedelta(microseconds=us)


def intervals(
    given_tasks: list[tuple[int, int, int, str]], *, counts_deferred: bool
) -> list[tuple[int, int, int]]:
    """From, until, slots inside the week."""
    found = []
    for start, lasts, slots, state in given_tasks:
        is_open = state in ("running", "queued") or (state == "deferred" and counts_deferred)
        if state == "deferred" and not counts_deferred:
            continue
        end = WEEK_US if is_open else start + lasts
        if start < WEEK_US and end > 0 and end > start:
            found.append((max(start, 0), min(end, WEEK_US), slots))
    return found


def brute_force(
    held: list[tuple[int, int, int]], told: list[tuple[int, int]]
) -> tuple[float, float, float, int, dict[int, int]]:
    """Busy hours, full hours, slot-hours, peak, and time by use: summed over every span in which nothing changes."""
    ordered = sorted(told)
    cuts = sorted(
        {0, WEEK_US, *(one for span in held for one in span[:2]), *(max(0, when) for when, _ in ordered)}
    )
    peak = max(sum(s for f, u, s in held if f <= cut < u) for cut in cuts)
    busy = full = slot_us = 0
    by_use: dict[int, int] = {}
    for begin, end in pairwise(cuts):
        used = sum(slots for f, u, slots in held if f <= begin and end <= u)
        known = [size for when, size in ordered if when <= begin] or [size for _, size in ordered[:1]]
        size = (UNLIMITED if known[-1] < 0 else known[-1]) if known else peak
        if used:
            busy += end - begin
            full += (end - begin) * (used >= size)
            slot_us += (end - begin) * used
            by_use[used] = by_use.get(used, 0) + end - begin
    return busy / 3.6e9, full / 3.6e9, slot_us / 3.6e9, peak, by_use


def quantile(by_use: dict[int, int], q: float) -> int:
    total, passed = sum(by_use.values()), 0
    for used in sorted(by_use):
        passed += by_use[used]
        if passed / total >= q:
            return used
    raise AssertionError("no time at all")


def put(
    conn: duckdb.DuckDBPyConnection, view: str, rows: list[dict[str, Any]], empty: dict[str, Any]
) -> None:
    """Replace a view by these rows; columns that they lack stay null."""
    columns = {row[0]: row[1] for row in conn.execute(f"describe {view}").fetchall()}
    frame = pl.DataFrame(rows, infer_schema_length=None) if rows else pl.DataFrame([empty]).clear()
    conn.register("given_frame", frame.to_arrow())
    casts = ", ".join(
        f"cast({name if name in frame.columns else 'null'} as {kind}) as {name}"
        for name, kind in columns.items()
    )
    conn.execute(f"create or replace temp table made_{view} as select {casts} from given_frame")
    conn.unregister("given_frame")
    conn.execute(f"create or replace temp view {view} as select * from made_{view}")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_tasks=tasks, told=sizes, counts_deferred=st.booleans())
def test_occupancy_equals_brute_force(
    lake: duckdb.DuckDBPyConnection,
    given_tasks: list[tuple[int, int, int, str]],
    told: list[tuple[int, int]],
    counts_deferred: bool,
) -> None:
    told = list({when: (when, size) for when, size in told}.values())
    rows = [
        {"dag_id": "d", "run_id": f"scheduled__{n}", "task_id": "t", "map_index": -1, "try_number": 1, "pool": "p",
         "pool_slots": slots, "state": state.split()[0], "queued_at": at(start), "started_at": at(start),
         "ended_at": at(start + lasts) if state in ("success", "failed", "deferred and done") else None,
         "anchor_at": at(start), "object_url": "db:x"}
        for n, (start, lasts, slots, state) in enumerate(given_tasks)
    ]  # fmt: skip
    looks = [
        {"pool": "p", "sampled_at": at(when), "total_slots": size, "open_slots": None if size < 0 else size,
         "running_slots": 0, "queued_slots": 0, "source": "db"}
        for when, size in told
    ]  # fmt: skip
    put(lake, "task_instances", rows, {"dag_id": "d"})
    put(lake, "pool_samples", looks, {"pool": "p"})
    key = {
        "seen_at": datetime(2026, 11, 1, tzinfo=UTC),
        "key": "pool.p.include_deferred",
        "value": str(counts_deferred),
    }
    put(lake, "deployments", [key], {})
    found = ask(lake, QUESTION).rows
    held = intervals(given_tasks, counts_deferred=counts_deferred)
    if not held:
        assert found == ()
        return
    busy, full, slot_hours, peak, by_use = brute_force(held, told)
    (row,) = found
    assert row["tries"] == len(held)
    assert row["busy_hours"] == pytest.approx(busy, abs=1e-9)
    assert row["full_hours"] == pytest.approx(full, abs=1e-9)
    assert row["full_share_all"] == pytest.approx(full / 168, abs=1e-9)
    assert row["mean_slots"] == pytest.approx(slot_hours / busy, abs=1e-9)
    assert row["peak_slots"] == peak
    assert (row["p50_slots"], row["p95_slots"]) == (quantile(by_use, 0.5), quantile(by_use, 0.95))


def test_a_quiet_pool_has_no_row(lake: duckdb.DuckDBPyConnection) -> None:
    put(lake, "task_instances", [], {"dag_id": "d"})
    assert ask(lake, QUESTION).rows == ()
