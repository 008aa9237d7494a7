"""Nine weeks of waiting: gaps are no zeros, words are earned, and a lake's weeks are what each week's own report says."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from benchmarks.judging import waits as simulated

from windsock import config as configs
from windsock import pipeline
from windsock.findings.beginnings import began_at
from windsock.findings.methods.week_amounts import judge_weeks
from windsock.findings.rules.ws310_waiting_for_limit import WaitingForLimit
from windsock.findings.waiting import WaitingWeek, waiting_answers, waiting_trends
from windsock.model import Answer, Row
from windsock.week import Week

pytestmark = pytest.mark.long

WEEK = Week.parse("2026-W47")
KEY = ("dag", "d", "max_active_tasks")


@pytest.mark.parametrize(
    ("past", "now", "word"),
    [
        ([10.0] * 8, 30.0, "worse"),
        ([30.0] * 8, 10.0, "better"),
        ([10.0] * 8, 12.0, "no evidence"),  # sure, and small
        ([0.0] * 8, 0.9, "no evidence"),  # not an hour
        ([0.0] * 8, 9.0, "worse"),  # zeros are a habit
        ([5.0, 40.0, 8.0, 22.0, 4.0, 31.0, 9.0, 15.0], 45.0, "no evidence"),  # it was ever uneven
        ([10.0] * 3, 90.0, "not enough data"),
        ([None] * 5 + [10.0] * 3, 90.0, "not enough data"),  # gaps are no zeros
        ([None] * 4 + [10.0] * 4, 90.0, "worse"),
        ([10.0] * 8, None, "not enough data"),
    ],
)
def test_a_week_is_judged_against_the_weeks_with_data(
    past: Sequence[float | None], now: float | None, word: str
) -> None:
    assert judge_weeks([*past, now]).word == word


def test_unchanged_habits_raise_one_false_word_in_a_hundred_and_a_threefold_week_is_seen() -> None:
    rng = np.random.default_rng(7)
    steady = rng.lognormal(np.log(20), 0.4, (2000, 9))
    false = sum(judge_weeks(list(map(float, row))).word != "no evidence" for row in steady)
    assert false / 2000 <= 0.015
    steady[:, -1] *= 3
    found = sum(judge_weeks(list(map(float, row))).word == "worse" for row in steady)
    assert found / 2000 >= 0.25  # where weeks vary by half, eight of them cannot tell more
    calm = rng.lognormal(np.log(20), 0.15, (500, 9))
    calm[:, -1] *= 3
    assert sum(judge_weeks(list(map(float, row))).word == "worse" for row in calm) >= 495


def week(hours: float | None = 8.0, *, rest: Any = None, **changes: Any) -> WaitingWeek:
    told = rest or ({KEY: hours} if hours is not None else {})
    seen = WaitingWeek(told, frozenset(), frozenset({("all", ""), ("dag", "d")}), known=1.0, runs=9)
    return replace(seen, **changes)


@pytest.mark.parametrize(
    ("past", "value"),
    [
        (week(), 8.0),
        (week(None), 0.0),  # nobody waited
        (week(known=0.0), None),  # task logs alone
        (week(known=0.79), None),
        (week(known=0.8), 8.0),
        (week(present=frozenset({("all", "")})), None),  # the DAG did not run
        (week(rest={("dag", "d", "unattributed"): 5.0}), None),  # it may be hidden in there
        (week(rest={("dag", "d", "unattributed"): 5.0}, told=frozenset({KEY})), 0.0),
        (week(rest={("dag", "d", "unattributed"): 1.0, ("dag", "d", "pool"): 4.0}), 0.0),
    ],
)
def test_what_a_week_cannot_tell_is_a_gap_and_never_zero(past: WaitingWeek, value: float | None) -> None:
    (row,) = (row for row in waiting_trends([past, week()]).rows if row["waits_for"] == KEY[2])
    assert row["hours_by_week"] == [value, 8.0]
    assert (row["prev_hours"], row["weeks_before"]) == (value, int(value is not None))


def _of_tries(ready_told: int) -> dict[str, Answer]:
    """A pool of known size that three tries filled; nobody or Airflow says when they were ready."""
    tries = {"dag_id": "d", "task_id": "t", "pool": "p", "tries": 3, "is_per_run": False, "ready_told": ready_told,
             "ready_rebuilt": 0, "upstream_hours": 0.0, "retry_hours": 2.0, "run_no": [1, 2, 3], "slots": [1, 1, 1],
             "ready_s": [0.0 if no < ready_told else None for no in range(3)], "taken_s": [0.0, 3600.0, 7200.0],
             "started_s": [None] * 3, "given_back_s": [3600.0, 7200.0, 10800.0]}  # fmt: skip
    pool = {
        "pool": "p",
        "from_at": WEEK.from_at,
        "until_at": WEEK.to_at,
        "slots": 1,
        "includes_deferred": False,
    }
    return {
        "try_waits": Answer("", (), (tries,)),
        "run_waits": Answer("", (), ()),
        "pool_sizes": Answer("", (), (pool,)),
    }


def test_a_week_that_tells_no_ready_time_and_no_run_is_asked_no_further() -> None:
    asked = _of_tries(0)
    whole = WaitingWeek.of(asked, waiting_answers(asked, WEEK, has_rooms=False))
    untold = WaitingWeek.untold(asked)
    assert untold is not None
    assert ("dag", "d") in whole.present and whole.told  # there was something to look at
    for key in (
        KEY,
        ("pool", "p", "pool"),
        ("all", "", "pool"),
        ("all", "", "unattributed"),
        ("dag", "d", "max_active_runs"),
    ):
        assert (whole.value(key, like=week()), untold.value(key, like=week())) == (None, None)
    assert WaitingWeek.untold(_of_tries(1)) is None
    runs = Answer("", (), ({"dag_id": "d", "runs": 1},))
    assert WaitingWeek.untold(asked | {"run_waits": runs}) is None


def trend(**changes: Any) -> Row:
    return {"scope": "dag", "dag_id": "d", "pool": "", "waits_for": "max_active_tasks", "wait_hours": 6.0, "prev_hours": 2.0,
            "usual_hours": 1.5, "weeks_before": 8, "change": "worse", "p_value": 0.001, "hours_by_week": []} | changes  # fmt: skip


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (trend(), "; worse: 2.0 hours last week, usually 1.5 hours"),
        (trend(change="better"), "; better: 2.0"),
        (trend(change="no evidence"), "; no evidence of a change: 2.0 hours last week, usually 1.5 hours"),
        (trend(prev_hours=None), "; worse: no data of last week, usually 1.5 hours"),
        (
            trend(change="not enough data", usual_hours=None, prev_hours=None),
            "; not enough weeks to tell a change",
        ),
    ],
)
def test_the_finding_says_what_changed_since_last_week_and_against_the_habit(row: Row, words: str) -> None:
    limit = {"scope": "dag", "dag_id": "d", "pool": "", "waits_for": "max_active_tasks", "hours": 6.0, "alone_hours": 4.0,
             "waits": 20, "limit_value": 4, "told_by": "airflow"}  # fmt: skip
    given = {"waiting_by_limit": Answer("", (), (limit,)), "waiting_trends": Answer("", (), (row,))}
    (finding,) = WaitingForLimit.judge(given, WaitingForLimit.limits(), week=WEEK).findings
    assert words in finding.headline
    assert (finding.evidence["change"], finding.evidence["usual_hours"]) == (
        row["change"],
        row["usual_hours"],
    )


def _write(root: Path, table: str, monday: object, rows: Sequence[Row]) -> None:
    place = root / table / f"week={monday}"
    place.mkdir(parents=True)
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(place / "x.parquet")


def _moved(rows: Sequence[Row], by: timedelta, run: str) -> list[Row]:
    found = []
    for row in rows:
        times = {name: at + by for name, at in row.items() if isinstance(at, datetime)}
        found.append(row | times | {"run_id": row["run_id"] + run})
    return found


def test_the_finding_says_since_which_week_it_is_waited_so_long() -> None:
    limit = {"scope": "dag", "dag_id": "d", "pool": "", "waits_for": "max_active_tasks", "hours": 9.0, "waits": 50, "alone_hours": 9.0,
             "limit_value": 4, "told_by": "api"}  # fmt: skip
    given = {
        "waiting_by_limit": Answer("", (), (limit,)),
        "waiting_trends": Answer(
            "",
            (),
            (trend(dag_id="d", waits_for="max_active_tasks", hours_by_week=[0.0] * 6 + [8.0, 7.0, 9.0]),),
        ),
    }
    (one,) = WaitingForLimit.judge(given, WaitingForLimit.limits(), week=WEEK).findings
    began = WEEK.minus(2).from_at
    assert began_at(one, WEEK) == (began, began + timedelta(days=7))


def test_a_lake_s_nine_weeks_are_what_each_week_s_own_answer_says() -> None:
    """Simulated weeks, the tight pool of the last one wider before, one week without any data."""
    made = simulated.fleet(np.random.default_rng(0), is_per_run=True)
    load = sum(t.slots * t.run_s / d.every_s for d in made.dags for t in d.tasks if t.pool == "dwh")
    with tempfile.TemporaryDirectory() as root:
        lake, file = Path(root) / "lake", Path(root) / "p.toml"
        file.write_text(
            "[deployment]\nname = 'sim'\n[sources.task_logs]\nurl = './none'\n[lake]\nurl = './lake'\n"
        )
        for back in (0, 1, 2, 3, 5, 6):
            made.pools["dwh"] = max(2, round(load * (1.3 if back == 0 else 2.5)))
            seen = simulated.simulate(np.random.default_rng(back), made, hours=12)
            shift, monday = -timedelta(weeks=back), WEEK.minus(back).monday
            _write(lake, "task_instances", monday, _moved(seen.tries, shift, str(back)))
            _write(lake, "dag_runs", monday, _moved(seen.runs, shift, str(back)))
            size = {"sampled_at": WEEK.minus(back).from_at, "pool": "dwh", "total_slots": made.pools["dwh"],
                    "open_slots": 0, "running_slots": 0, "queued_slots": 0, "source": "api"}  # fmt: skip
            _write(lake, "pool_samples", monday, [size])
        config = configs.load(file, {})
        told = pipeline.ask(config, question="waiting_trends", sql="", week=WEEK)
        own = [
            pipeline.ask(config, question="waiting_by_limit", sql="", week=WEEK.minus(back))
            for back in range(8, -1, -1)
        ]
    pool = next(row for row in told.rows if (row["scope"], row["waits_for"]) == ("all", "pool"))
    alone = [
        {(row["scope"], row["dag_id"], row["pool"], row["waits_for"]): row["hours"] for row in one.rows}
        for one in own
    ]
    gaps = [n for n, hours in enumerate(pool["hours_by_week"]) if hours is None]
    assert gaps == [0, 1, 4]
    for row in told.rows:
        key = (row["scope"], row["dag_id"], row["pool"], row["waits_for"])
        for n, hours in enumerate(row["hours_by_week"]):
            if hours is not None:
                assert hours == pytest.approx(alone[n].get(key, 0.0), abs=1e-9)
    assert pool["change"] == "worse" and pool["wait_hours"] > 3 * pool["usual_hours"]
