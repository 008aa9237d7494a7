"""The table of health indicators: what is seen, what is not, and what is judged."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from windsock.findings.methods.trend import growth
from windsock.findings.queue_trend import queue_trends
from windsock.model import Answer, Judgement
from windsock.report import tested
from windsock.report.health import COLUMNS, health_table
from windsock.week import Week

WEEK = Week.parse("2026-W47")
AT = datetime(2026, 11, 17, 10, tzinfo=UTC)


def answers(**rows: list[dict[str, Any]]) -> dict[str, Answer]:
    return {
        name: Answer(name, tuple(these[0]) if these else (), tuple(these)) for name, these in rows.items()
    }


def lines(**rows: list[dict[str, Any]]) -> dict[str, tuple[str, ...]]:
    """Indicator → its other cells."""
    table = health_table(answers(**rows), Judgement((), (), {}, {}), WEEK)
    assert table.columns == COLUMNS
    return {row[0].text: tuple(cell.text for cell in row[1:]) for row in table.rows}


def test_without_any_input_each_line_says_no_data_and_why() -> None:
    told = lines()
    assert list(told) == [
        "Scheduler alive", "Triggerer alive", "Dag-processor alive", "Slowest file to parse", "Queue depth", "Ready without a slot", "Fullest pool",
        "Runs with a failed first try", "Tries that failed", "Runs lost after retries", "Runs that finish late",
        "Ended by a timeout, or near it",
    ]  # fmt: skip
    assert all(cells[0] == "no data" and cells[2].startswith("not judged: ") for cells in told.values())
    assert all(cells[3] for cells in told.values())


BEAT = {"component": "scheduler", "beats": 900.0, "seen_minutes": 900}
GAP = {"component": "scheduler", "from_at": AT, "until_at": AT + timedelta(minutes=5), "gap_s": 300.0, "is_over": True,
       "seen_minutes": 5, "frozen_looks": 0, "counter_resets": 0, "job_starts": 1.0, "task_starts": 0.0, "starts_told": 0,
       "usual_gap_s": 5.0, "tries_started": 0}  # fmt: skip


@pytest.mark.parametrize(
    ("gaps", "judged", "told"),
    [
        ([], "alive where it was heard", "heard in 900 of 10,080 minutes; no gap"),
        ([GAP | {"gap_s": 299.0}], "short gaps", "longest gap 5 min; 1 gap, 1 restart"),
        ([GAP], "silent", "longest gap 5 min; 1 gap, 1 restart"),
        (
            [GAP | {"seen_minutes": 0, "job_starts": 0.0}],
            "alive where it was heard",
            "heard in 900 of 10,080 minutes; no gap",
        ),
        (
            [GAP | {"usual_gap_s": 101.0}],
            "alive where it was heard",
            "heard in 900 of 10,080 minutes; no gap",
        ),
        ([GAP, GAP | {"gap_s": 900.0, "job_starts": 0.0}], "silent", "longest gap 15 min; 2 gaps, 1 restart"),
    ],
)
def test_a_component_is_alive_or_silent(gaps: list[dict[str, Any]], judged: str, told: str) -> None:
    this, _usual, word, common = lines(heartbeats_by_component=[BEAT], heartbeat_gaps=gaps)["Scheduler alive"]
    assert (this, word) == (told, judged)
    assert common.startswith("30 s: ")


def week(n: int, lost: int) -> dict[str, Any]:
    return {"week": WEEK.minus(n).monday, "runs": 200, "lost_runs": lost, "first_try_failed_runs": lost, "tries": 1000,
            "failures": lost, "no_end_runs": 0, "no_end_first_runs": 0, "no_end_tries": 0}  # fmt: skip


def test_a_rate_is_judged_against_its_own_past_and_not_against_five_percent() -> None:
    often = [week(n, 40) for n in range(9)]
    this, usual, judged, _common = lines(scoreboard=often)["Runs lost after retries"]
    assert (this, usual, judged) == ("40 of 200, 20 % (15 to 26 %)", "20 %, 8 weeks", "no change")
    rare = [week(n, 1) for n in range(1, 9)] + [week(0, 9)]
    this, usual, judged, _common = lines(scoreboard=rare)["Runs lost after retries"]
    assert usual == "0.5 %, 8 weeks"
    assert judged.startswith("higher (by luck in ")
    few = lines(scoreboard=[week(0, 9), week(1, 1)])["Runs lost after retries"]
    assert few[2] == "not judged: fewer than four weeks"


def test_what_has_no_known_end_is_named_and_is_neither_a_rise_nor_a_fall() -> None:
    cut = week(0, 0) | {"no_end_runs": 40}
    this, _, judged, _common = lines(scoreboard=[cut, *(week(n, 40) for n in range(1, 9))])[
        "Runs lost after retries"
    ]
    assert (this, judged) == ("0 of 200, 40 without a known end, 0 % (0.0 to 26 %)", "no change")
    known = lines(scoreboard=[week(0, 0), *(week(n, 40) for n in range(1, 9))])["Runs lost after retries"]
    assert known[2].startswith("lower (by luck in ")


def queue(
    growing: float,
    *,
    weeks: int = 8,
    level: float = 4.0,
    measure: str = "queued",
    source: str = "executor_gauge",
    executor: str = "CeleryExecutor",
) -> list[dict[str, Any]]:
    """A week of hours with a batch each night; `growing` is the growth of the queue beyond the usual one, a day."""
    rows = []
    for hour in range(168):
        usual = 10 * level if hour % 24 < 3 else level
        depth = usual * (1 + growing) ** (hour // 24)
        rows.append({"measure": measure, "source": source, "executor": executor,
                     "hour_at": WEEK.from_at + timedelta(hours=hour), "depth": depth,
                     "depth_usual": usual if weeks else None, "weeks_before": weeks})  # fmt: skip
    return rows


def depths(*queues: list[dict[str, Any]]) -> dict[str, tuple[str, ...]]:
    given = answers(queue_depth_by_hour=[row for rows in queues for row in rows])
    return lines(queue_trends=list(queue_trends(given).rows))


@pytest.mark.parametrize(
    ("growing", "weeks", "judged"),
    [
        (0.0, 8, "no trend (+0 % a day"),
        (0.05, 8, "no trend (+4 % a day"),  # of four tasks and one, below the least
        (0.08, 8, "growing (+7 % a day"),
        (0.2, 8, "growing (+"),
        (-0.2, 8, "no trend (-"),
        (0.2, 0, "not judged: no earlier week"),
    ],
)
def test_a_queue_grows_against_its_own_weekdays_and_hours(growing: float, weeks: int, judged: str) -> None:
    told = depths(queue(growing, weeks=weeks))["Queue depth, CeleryExecutor"]
    assert told[2].startswith(judged)
    assert "batch day" in told[3]


def test_an_almost_empty_queue_does_not_grow() -> None:
    told = depths(queue(0.2, level=0.01))["Queue depth, CeleryExecutor"]
    assert told[2].startswith("no trend (+0 % a day")


def test_the_queue_is_told_by_the_best_source_that_can_be_judged_and_named() -> None:
    gauge = queue(0.0, weeks=0)
    pools = queue(0.3, source="pool_gauges", executor="")
    tries = queue(0.0, source="tries", executor="")
    told = depths(gauge, pools, tries)
    assert "by the pools' gauges" in told["Queue depth"][0]
    assert told["Queue depth"][2].startswith("growing")
    assert "Queue depth, CeleryExecutor" not in told
    assert "by the executor's gauge" in depths(gauge)["Queue depth, CeleryExecutor"][0]
    only = depths(tries)
    assert only["Queue depth"][0] == "8.5 tasks queued, mean of 168 hours by the times that tries tell"
    assert only["Ready without a slot"][0] == "no data"
    assert "Airflow 3's API" in only["Ready without a slot"][2]
    ready = depths(queue(0.2, measure="ready", source="tries", executor=""))
    assert ready["Ready without a slot"][2].startswith("growing")
    assert ready["Queue depth"][0] == "no data"


def test_the_slowest_file_is_told_beside_its_limit() -> None:
    parse = {"source": "metric", "bundle_name": "", "dag_file": "etl.py", "samples": 50, "p95_s": 12.0}
    past = [
        {"source": "metric", "dag_file": "etl.py", "week": WEEK.minus(n).monday, "p95_s": 6.0} for n in (1, 2)
    ]
    told = lines(
        parse_time_by_file=[parse],
        parse_time_by_week=past,
        parse_settings=[{"import_timeout_s": 60.0, "processor_timeout_s": 90.0}],
    )
    this, usual, judged, _common = told["Slowest file to parse"]
    assert this == "etl.py: 12.0 s (95th percentile), 20 % of the 60 s limit"
    assert (usual, judged) == ("6.0 s, 2 weeks", "no step, not near the limit")
    assumed = lines(parse_time_by_file=[parse])["Slowest file to parse"]
    assert assumed[0].endswith("40 % of the 30 s limit, assumed")
    assert assumed[1:3] == ("no data", "not near the limit; no earlier week to compare")
    few = lines(parse_time_by_file=[parse | {"samples": 4}])["Slowest file to parse"]
    assert few[2] == "not judged: 4 parses"
    short = [{"import_timeout_s": 60.0, "processor_timeout_s": 24.0}]
    assert lines(parse_time_by_file=[parse], parse_settings=short)["Slowest file to parse"][0].endswith(
        "50 % of the 24 s limit"
    )


def full(
    pool: str,
    share: float | None,
    hours: float | None = 3.0,
    *,
    past: tuple[float | None, ...] = (),
    source: str = "gauges",
    weeks_source: str = "gauges",
) -> dict[str, Any]:
    weeks = [*(None,) * (8 - len(past)), *past, hours]
    return {"pool": pool, "source": source, "full_share": share, "wait_hours": hours, "hours_by_week": weeks,
            "weeks_source": weeks_source}  # fmt: skip


def test_the_fullest_pool_is_told_by_its_busy_hours_its_past_and_who_saw_it() -> None:
    rows = [full("dwh", 0.2, 9.0, past=(4.0, 6.0)), full("x", 0.1)]
    told = lines(pools_of_week=rows)["Fullest pool"]
    assert told[:2] == (
        "dwh: full in 20 % of its busy hours, 9 task-hours waited, by gauges",
        "5 task-hours, 2 weeks",
    )
    assert told[3].startswith("80 %")
    exact = lines(pools_of_week=[full("dwh", 0.3, source="task intervals")])["Fullest pool"]
    assert exact[0].endswith("by task intervals") and exact[1] == "no data"
    mixed = lines(pools_of_week=[full("dwh", 0.3, past=(4.0,), source="task intervals")])["Fullest pool"]
    assert mixed[1] == "4 task-hours, 1 week, by gauges"
    untold = lines(pools_of_week=[full("dwh", 0.3, None)])["Fullest pool"]
    assert "waiting not told" in untold[0]
    assert lines(pools_of_week=[full("dwh", None)])["Fullest pool"][0] == "no data"


def finish(runs: int, late: int) -> dict[str, Any]:
    return {"runs": runs, "late_runs": late, "p95_prev_s": 60.0}


@pytest.mark.parametrize(
    ("rows", "missed", "judged"),
    [
        ([finish(100, 5)], [], "as usual"),
        ([finish(1000, 90)], [], "more than usual"),
        ([finish(100, 5)], [{"samples": 9, "missed": 2}], "deadlines missed; as usual"),
        (
            [],
            [{"samples": 9, "missed": 2}],
            "deadlines missed; not judged: no earlier week to know when runs are due",
        ),
        ([], [{"samples": 9, "missed": 0}], "not judged: no earlier week to know when runs are due"),
    ],
)
def test_lateness_is_against_habit_and_deadline(
    rows: list[dict[str, Any]], missed: list[dict[str, Any]], judged: str
) -> None:
    assert lines(run_finishes=rows, deadlines_missed=missed)["Runs that finish late"][2] == judged


def test_what_came_near_a_timeout_is_told_and_no_timeout_at_all_is_no_data() -> None:
    row = {"timeouts": 3, "timeouts_prev": 16, "limit_s": 100.0, "good_s": [81.0, 80.0, 9.0]}
    told = lines(timeouts=[row])["Ended by a timeout, or near it"]
    assert told[:2] == (
        "3 ended by one; 1 ended well above 80 % of it, 1 known limit",
        "2 a week ended by one",
    )
    assert lines(timeouts=[])["Ended by a timeout, or near it"][2].startswith("not judged: limits show only")


@given(st.lists(st.integers(-1000, 1000), min_size=4, max_size=9, unique=True))
def test_the_chance_of_growth_is_kendalls(values: list[int]) -> None:
    _slope, chance = growth([float(one) for one in values])
    known = kendalltau(range(len(values)), values, alternative="greater", method="exact").pvalue
    assert chance == pytest.approx(known, rel=1e-9)


def test_the_slope_is_the_median_of_all_pairs() -> None:
    assert growth([1.0, 2.0, 3.0, 100.0, 5.0, 6.0, 7.0])[0] == 1.0
    assert growth([1.0]) == (0.0, 1.0)


# --- the trust box

TESTED = [{"kind": "executor", "name": "LocalExecutor", "how": "run", "where": ""}, {"kind": "version", "name": "3.3", "how": "run", "where": ""}, {"kind": "version", "name": "2.3", "how": "logs", "where": ""},
          {"kind": "executor", "name": "CeleryExecutor", "how": "run", "where": ""},
          {"kind": "executor", "name": "KubernetesExecutor", "how": "texts", "where": ""}]  # fmt: skip


def ran(version: str, executor: str, tries: int) -> dict[str, Any]:
    return {"airflow_version": version, "executor": executor, "tries": tries, "first_at": AT, "last_at": AT}


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([ran("3.3.2", "CeleryExecutor", 10)], "100 % of 10 tries"),
        (
            [ran("3.3.2", "CeleryExecutor", 5), ran("3.3.2", "my.module.EdgeExecutor", 5)],
            "50 % of 10 tries; 50 % by EdgeExecutor, which no test saw",
        ),
        ([ran("2.7.1", "CeleryExecutor", 4)], "0 % of 4 tries; 100 % by Airflow 2.7, which no test saw"),
        ([ran("2.3.4", "CeleryExecutor", 4)], "0 % of 4 tries; 100 % by Airflow 2.3, known from logs"),
        (
            [ran("3.3.2", "KubernetesExecutor", 4)],
            "0 % of 4 tries; 100 % by KubernetesExecutor, known from upstream's texts only",
        ),
        (
            [ran("", "CeleryExecutor", 3), ran("", "LocalExecutor", 1)],
            "executor of 100 % of 4 tries (CeleryExecutor, LocalExecutor); version not told; API or database would",
        ),
        (
            [ran("3.3.2", "", 4)],
            "executor not told; API or database would; version of 100 % of 4 tries (3.3)",
        ),
        (
            [ran("3.3.2", "", 1), ran("", "LocalExecutor", 3)],
            "executor of 75 % of 4 tries (LocalExecutor); version of 25 % of 4 tries (3.3)",
        ),
        ([ran("", "", 4)], "cannot be said: executor and version not told; API or database would"),
        (
            [ran("3.3.2", "CeleryExecutor", 6), ran("", "", 2)],
            "75 % of 8 tries; executor not told for 25 %; version not told for 25 %",
        ),
    ],
)
def test_the_trust_box_says_what_no_test_saw(rows: list[dict[str, Any]], told: str) -> None:
    ((_label, text),) = tested.tested_lines(answers(versions_and_executors=rows, tested=TESTED))
    assert text == told


def test_without_tries_nothing_is_said() -> None:
    assert tested.tested_lines(answers(versions_and_executors=[], tested=TESTED)) == []
