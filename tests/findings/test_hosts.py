"""Bad and slow hosts: the method against exact counting, the SQL against numpy, the rules at their thresholds."""

from collections.abc import Mapping
from math import log
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from benchmarks.judging import workers
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom

from tests.findings.test_rules import answers, found
from windsock.findings.methods.hosts import chance_of_counts, inflation, stand
from windsock.findings.rules.ws630_bad_worker import BadWorker
from windsock.findings.rules.ws631_slow_worker import SlowWorker
from windsock.lake import Lake
from windsock.questions import ask, load_questions

SQL = Path(__file__).parents[2] / "sql"
STRATA = st.lists(
    st.integers(2, 30).flatmap(
        lambda n: st.tuples(st.just(n), st.integers(1, n // 2), st.integers(1, n // 2))
    ),
    min_size=1, max_size=12,
)  # fmt: skip


def of_strata(strata: list[tuple[int, int, int]], observed: float) -> dict[str, Any]:
    """(tries, tries that failed, tries of the host) per stratum as a row; each stratum an hour of its own."""
    expected = [own * failed / n for n, failed, own in strata]
    variance = [own * (n - own) * failed * (n - failed) / (n * n * (n - 1)) for n, failed, own in strata]
    excess = [(observed - sum(expected)) / len(strata)] * len(strata)
    return {
        "observed": observed, "expected": sum(expected), "variance": sum(variance),
        "cell_square": sum(one**2 for one in excess), "cell_variance": sum(one**2 for one in variance),
        "cell_cross": sum(a * b for a, b in zip(excess, variance, strict=True)),
    }  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(strata=STRATA, data=st.data())
def test_the_tail_is_that_of_the_exact_distribution(strata: list[tuple[int, int, int]], data: Any) -> None:
    exact = np.ones(1)
    for n, failed, own in strata:
        exact = np.convolve(exact, hypergeom(n, failed, own).pmf(np.arange(0, min(own, failed) + 1)))
    most = len(exact) - 1
    observed = data.draw(st.integers(0, most))
    row = of_strata(strata, observed)
    told, true = (
        chance_of_counts(observed, row["expected"], row["variance"]),
        float(exact[observed:].sum()),
    )
    # matched in two moments, for a host of at most half the tries, tasks that fail at most every second time: never ten times too sure, and near enough
    assert told >= 0.1 * true or true < 1e-3
    assert told <= 4 * true + 0.2


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), hosts=st.integers(2, 12))
def test_what_hosts_cannot_change(seed: int, hosts: int) -> None:
    rng = np.random.default_rng(seed)
    fleet = workers.simulate(rng, hosts=hosts, tasks=20, tries=600, bad=0.1, slow=0.0)
    rows = [row for row in workers.rows(fleet) if row["measure"] == "failures"]
    # what one host has too many, the others have too few
    assert sum(row["observed"] - row["expected"] for row in rows) == pytest.approx(0, abs=1e-8)
    assert all(inflation(row) >= 1 for row in rows if row["variance"] > 0)
    told = {one.row["hostname"]: one.p_value for one in stand(rows, fdr=0.05, chance=0.01, are_counts=True)}
    again = stand(rows[::-1], fdr=0.05, chance=0.01, are_counts=True)
    assert {one.row["hostname"]: one.p_value for one in again} == told


def test_failures_of_one_hour_count_less_than_failures_of_many() -> None:
    row = of_strata([(40, 8, 10)] * 20, 80.0)
    spread = stand([row], fdr=0.05, chance=0.01, are_counts=True)[0]
    excess = row["observed"] - row["expected"]
    one_hour = row | {"cell_square": excess**2, "cell_cross": excess * row["variance"] / 20}
    assert stand([one_hour], fdr=0.05, chance=0.01, are_counts=True)[0].p_value > 1000 * spread.p_value


@pytest.mark.parametrize(
    ("strata", "named"),
    [
        ((40, 17), 0),  # by itself 1.2 % likely: a quiet week has such a host once in a while
        ((40, 18), 1),
        ((40, 17, 30), 2),  # beside a host that is bad beyond doubt it is likely to be another
        ((40, 9, 30), 1),
    ],
)
def test_that_any_host_is_bad_is_shown_before_the_likely_ones_are_named(
    strata: tuple[int, ...], named: int
) -> None:
    tries, *failures = strata
    rows = [
        of_strata([(tries, 1, 10)] * 40, float(failed)) | {"hostname": str(failed)} for failed in failures
    ]
    judged = stand(rows, fdr=0.05, chance=0.01, are_counts=True)
    assert sum(one.is_named for one in judged) == named


def test_sql_sums_what_numpy_sums(tmp_path: Path) -> None:
    fleet = workers.simulate(np.random.default_rng(7), hosts=6, tasks=30, tries=3000, bad=0.2, slow=0.2)
    folder = tmp_path / "task_instances" / "week=2026-11-16"
    folder.mkdir(parents=True)
    columns = {
        "task": fleet.task, "host": fleet.host, "hour": fleet.hour, "failed": fleet.is_failed, "took": fleet.duration_s,
        "no": np.arange(len(fleet.task)),
    }  # fmt: skip
    maker = duckdb.connect()
    maker.execute("set TimeZone = 'UTC'")
    maker.register("given", columns)
    maker.execute(
        "copy (select 'd' as dag_id, 'scheduled__' || no as run_id, 't' || task as task_id, -1 as map_index, 1 as try_number,"
        " case when failed then 'failed' else 'success' end as state, 'CeleryExecutor' as executor, 'default' as queue,"
        " 'host-' || lpad(host::varchar, 3, '0') as hostname, began as started_at, began as anchor_at,"
        " began + to_microseconds(cast(took * 1e6 as bigint)) as ended_at from (select *, timestamptz '2026-11-16 00:10:00+00'"
        " + to_hours(cast(hour as integer)) + to_microseconds(cast(no as bigint)) as began from given)) "
        f"to '{folder}/rows.parquet' (format parquet)"
    )
    conn = Lake.open(str(tmp_path), deployment="prod", create=True).connect(workers.WEEK)
    told = ask(conn, load_questions(SQL)["host_standing"]).rows
    conn.close()
    wanted = {(row["measure"], row["hostname"]): row for row in workers.rows(fleet)}
    assert {(row["measure"], row["hostname"]) for row in told} == set(wanted)
    for row in told:
        for name, value in wanted[row["measure"], row["hostname"]].items():
            if name not in ("first_at", "last_at"):
                same = pytest.approx(value, rel=1e-5, abs=1e-6) if isinstance(value, float) else value
                assert row[name] == same, (row["measure"], row["hostname"], name)


def test_bad_and_slow_hosts_are_named_and_others_are_not() -> None:
    for of in ("failures", "durations"):
        got = workers.score(range(5000, 5006), hosts=12, tries=8000, of=of)
        assert got.false_share <= 0.1
        assert got.power >= 0.8
        assert got.quiet <= 0.2
        assert got.rejected <= 0.03


# --- the rules


def host(**changes: Any) -> dict[str, Any]:
    """A host of ten with 12 failures where 3 were to be expected."""
    row = {
        "measure": "failures", "hostname": "w7", "executor": "CeleryExecutor", "queue": "default", "tries": 200, "tasks": 20,
        "hosts": 10, "observed": 12.0, "expected": 3.0, "variance": 2.6, "usual": 2.0, "cell_square": 12.0, "cell_cross": 0.2,
        "cell_variance": 0.05, "log_ratio": None, "median_s": None, "first_at": None, "last_at": None,
        "error_signature": "OSError: [Errno <>] No space left on device",
    }  # fmt: skip
    return row | changes


SLOW = {"measure": "durations", "observed": 150.0, "expected": 100.0, "variance": 16.0, "usual": 95.0, "cell_square": 30.0,
        "cell_cross": 9.0, "cell_variance": 3.0, "log_ratio": log(1.5), "median_s": 60.0, "error_signature": None}  # fmt: skip
LATE = SLOW | {"measure": "starts", "median_s": 12.0}


@pytest.mark.parametrize(
    ("row", "is_found", "why"),
    [
        (host(), True, "nine more than the other hosts' rate gives"),
        (host(tries=19), False, "below the sample"),
        (host(tries=20), True, "at it"),
        (host(usual=7.1), False, "excess below five"),
        (host(usual=6.0), True, "twice the others' rate, excess above five"),
        (host(observed=40.0, expected=30.0, usual=20.1, variance=2.6), False, "below twice the others' rate"),
        (host(expected=9.0, variance=8.0), False, "as many come by chance"),
        (host(cell_square=100.0), False, "they failed together in one hour"),
    ],
)
def test_a_bad_host_is_named(row: Mapping[str, Any], is_found: bool, why: str) -> None:
    assert (
        bool(found(BadWorker, answers(host_standing=[row, host(hostname="w1", observed=2.0)]))) == is_found
    ), why


@pytest.mark.parametrize(
    ("row", "is_found", "why"),
    [
        (host(**SLOW), True, "half as long again"),
        (host(**SLOW | {"log_ratio": log(1.29)}), False, "below the ratio"),
        (host(**SLOW | {"log_ratio": log(1.31)}), True, "above it"),
        (host(**SLOW, tries=49), False, "below the sample"),
        (host(**SLOW, tries=50), True, "at it"),
        (host(**SLOW | {"observed": 105.0}), False, "as slow comes by chance"),
        (host(**LATE), True, "tasks start late there"),
        (host(**LATE | {"median_s": 4.9}), False, "nobody waits"),
        (host(**LATE | {"median_s": 5.0}), True, "at the seconds"),
    ],
)
def test_a_slow_host_is_named(row: Mapping[str, Any], is_found: bool, why: str) -> None:
    given = answers(host_standing=[dict(row) | ({"tries": row["tries"]})])
    assert bool(found(SlowWorker, given)) == is_found, why


def test_the_finding_says_what_and_how_to_take_it_out() -> None:
    (one,) = found(BadWorker, answers(host_standing=[host()]))
    assert one.headline == (
        "Host w7: 12 of 200 first tries on queue default failed; the same tasks on other hosts would have failed 2.0"
    )
    assert one.severity == "warning"
    assert "cancel_consumer default -d celery@w7" in one.evidence["apply"]
    assert "add_consumer" in one.evidence["undo"]
    (local,) = found(BadWorker, answers(host_standing=[host(executor="EdgeExecutor")]))
    assert "apply" not in local.evidence
    (slow,) = found(SlowWorker, answers(host_standing=[host(**SLOW)]))
    assert slow.headline == (
        "Host w7: the same tasks take 1.5 times as long as on the other hosts (200 tries of 20 tasks)"
    )
