"""What logs cost: prices, retention, rewritten logs, growth, noisy lines; at, below and above each threshold."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.parse.component.test_corpora import CORPORA
from tests.support.settings import week_of_settings
from windsock import pipeline, resources
from windsock.config import load
from windsock.findings.log_bill import GIB, log_bill_answers
from windsock.findings.rule import Rule
from windsock.findings.rules.ws650_log_rewritten import LogRewritten
from windsock.findings.rules.ws651_log_growth import LogGrowth
from windsock.findings.rules.ws652_noisy_line import NoisyLine
from windsock.findings.rules.ws653_log_retention import LogRetention
from windsock.model import Answer, Finding
from windsock.output import Output
from windsock.reviewed.log_prices import LogPrices, load_list_prices, own_prices
from windsock.week import Week

WEEK = Week.parse("2026-W47")
PRICES = LogPrices(0.02, 0.005, 0.0004, "USD", "a list")


def answers(**rows: list[dict[str, Any]]) -> dict[str, Answer]:
    return {
        name: Answer(name, tuple(these[0]) if these else (), tuple(these)) for name, these in rows.items()
    }


def found(rule: type[Rule], given: dict[str, Answer]) -> list[Finding]:
    return rule.judge(given, rule.limits(), week=WEEK).findings


def task(**changes: Any) -> dict[str, Any]:
    """A sensor at all three thresholds: ten pokes of one object, a gigabyte beyond what is kept, three times of it."""
    return {"dag_id": "d", "task_id": "wait", "operator": "FileSensor", "objects": 10, "kept_bytes": 500_000_000,
            "share": 1.0, "puts": 100, "gets": 190, "written_bytes": 1.5e9, "fetched_bytes": 1e9, "rewritten": 10,
            "rewritten_bytes": 1e9, "most_starts": 10, "objects_prev": 10, "kept_bytes_prev": 1} | changes  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "is_found"),
    [
        ({}, True),
        ({"most_starts": 9}, False),
        ({"most_starts": 11}, True),
        ({"rewritten_bytes": 0.999e9}, False),
        ({"rewritten_bytes": 1.1e9}, True),
        ({"written_bytes": 1.49e9}, False),
        ({"written_bytes": 1.6e9}, True),
        ({"rewritten": 0}, False),
    ],
)
def test_a_sensor_that_rewrites_its_log_is_told(changes: dict[str, Any], is_found: bool) -> None:
    told = found(LogRewritten, answers(log_bill_by_task=[task(**changes)]))
    assert [one.severity for one in told] == ["info"] * is_found


def weeks(now: float, before: list[float], objects: int = 10) -> list[dict[str, Any]]:
    rows = [{"dag_id": "d", "week": WEEK.monday, "objects": objects, "kept_bytes": now}]
    rows += [
        {"dag_id": "d", "week": WEEK.monday - timedelta(weeks=n + 1), "objects": 10, "kept_bytes": one}
        for n, one in enumerate(before)
    ]
    return rows


@pytest.mark.parametrize(
    ("now", "before", "is_found"),
    [
        (2e9, [1e9] * 4, True),
        (1.99e9, [1e9] * 4, False),
        (2e9, [1e9] * 3, False),  # too few weeks to know what is usual
        (1.8e9, [0.9e9] * 4, False),  # twice as much, and not a gigabyte more
        (2.4e9, [1e9] * 7 + [2.5e9], False),  # it was larger before
        (2.6e9, [1e9] * 7 + [2.5e9], True),
        (2e9, [], False),
    ],
)
def test_growth_is_a_level_above_every_week_before(now: float, before: list[float], is_found: bool) -> None:
    assert bool(found(LogGrowth, answers(log_bytes_by_dag_week=weeks(now, before)))) == is_found


def test_larger_logs_and_more_logs_are_told_apart() -> None:
    bill = [task(task_id="small", kept_bytes=1), task(task_id="big", kept_bytes=9)]
    (larger,) = found(LogGrowth, answers(log_bytes_by_dag_week=weeks(4e9, [1e9] * 5), log_bill_by_task=bill))
    assert larger.headline.endswith("each log is larger") and "d.big" in larger.advice
    (more,) = found(LogGrowth, answers(log_bytes_by_dag_week=weeks(4e9, [1e9] * 5, objects=40)))
    assert more.headline.endswith("there are more of them")


def line(**changes: Any) -> dict[str, Any]:
    return {"template": "row # of #", "logger": "my.loop", "level": "info", "records": 10**7, "message_bytes": 10**9,
            "share": 0.9, "dags": 1, "tries": 3} | changes  # fmt: skip


@pytest.mark.parametrize(
    ("message_bytes", "kept_bytes", "is_found"),
    [
        (10**9, 10**10, True),
        (10**9 - 1, 10**9, False),
        (10**9, 10**10 + 10**8, False),
        (2 * 10**9, 10**10, True),
    ],
)
def test_a_line_is_noisy_beside_all_logs(message_bytes: int, kept_bytes: int, is_found: bool) -> None:
    given = answers(
        log_templates=[line(message_bytes=message_bytes)], log_bill_by_task=[task(kept_bytes=kept_bytes)]
    )
    assert bool(found(NoisyLine, given)) == is_found


def days(count: int, size: float) -> dict[str, Answer]:
    rows = [
        {"day": date(2026, 11, 22) - timedelta(days=n), "objects": 1, "kept_bytes": size}
        for n in range(count)
    ]
    return answers(log_bytes_by_day=rows)


@pytest.mark.parametrize(("saved", "is_found"), [(19.99, False), (20.01, True), (100.0, True)])
def test_retention_is_told_from_twenty_a_month_on(saved: float, is_found: bool) -> None:
    """Beside a year of 364 days, 90 days save 274 days at 0.02 for each GiB a day."""
    given = log_bill_answers(days(63, saved / (274 * 0.02) * GIB), PRICES)
    assert bool(found(LogRetention, given)) == is_found


@pytest.mark.parametrize(("known", "is_found"), [(13, False), (14, True), (15, True)])
def test_a_rate_needs_two_weeks(known: int, is_found: bool) -> None:
    assert bool(found(LogRetention, log_bill_answers(days(known, 10 * GIB), PRICES))) == is_found


def test_what_the_ledger_cannot_see_is_not_called_zero() -> None:
    """63 days are known: of logs older than 30 days it knows 33 days, of those older than 90 nothing."""
    month, quarter = log_bill_answers(days(63, GIB), PRICES)["log_retention"].rows
    assert (month["older_bytes"], quarter["older_bytes"]) == (33 * GIB, None)
    assert month["known_days"] == 63 and month["week_bytes"] == 7 * GIB
    assert month["month_cost"] == pytest.approx(30 * 0.02)
    assert month["month_cost_year"] == pytest.approx(364 * 0.02)


def test_a_month_costs_a_year_of_bytes_and_a_month_of_requests() -> None:
    row = task(kept_bytes=GIB, puts=12_000, gets=24_000)
    (told,) = log_bill_answers(answers(log_bill_by_task=[row]), PRICES)["log_bill_by_task"].rows
    assert told["month_cost"] == pytest.approx(52 * 0.02 + (12 * 0.005 + 24 * 0.0004) * 52 / 12)


def test_the_bill_is_told_with_the_prices_it_is_made_of_and_their_date() -> None:
    rows = [
        task(task_id="small", kept_bytes=1, puts=0, gets=0),
        task(task_id="big", kept_bytes=GIB, puts=0, gets=0),
    ]
    listed = load_list_prices(resources.folder("sql"))["s3"]
    big, small = log_bill_answers(answers(log_bill_by_task=rows), listed)["log_bill"].rows
    assert (big["task_id"], small["task_id"]) == ("big", "small")
    assert big["month_cost"] == pytest.approx(52 * listed.storage_gb_month)
    assert (big["currency"], big["priced_as_of"]) == ("USD", "2026-11") and "Amazon S3" in big["priced_by"]


def test_the_bill_of_a_dag_is_the_sum_of_its_tasks() -> None:
    rows = [
        task(task_id="small", kept_bytes=1),
        task(task_id="big", kept_bytes=GIB),
        task(dag_id="", kept_bytes=7),
    ]
    given = answers(log_bill_by_task=rows)
    of_tasks = log_bill_answers(given, PRICES)["log_bill"].rows
    dag, unnamed = log_bill_answers(given, PRICES)["log_bill_by_dag"].rows
    assert (dag["tasks"], dag["dearest_task"], dag["kept_bytes"], unnamed["dag_id"]) == (
        2,
        "big",
        GIB + 1,
        "",
    )
    assert dag["month_cost"] + unnamed["month_cost"] == pytest.approx(
        sum(one["month_cost"] for one in of_tasks)
    )
    assert [one["month_cost"] for one in log_bill_answers(given, None)["log_bill_by_dag"].rows] == [
        None,
        None,
    ]


def test_a_noisy_line_and_a_rewritten_log_have_their_price_and_a_way_back() -> None:
    given = week_of_settings(log_templates=[line()], log_bill_by_task=[task(kept_bytes=10**9)])
    given |= log_bill_answers(given, PRICES)
    (noisy,) = found(NoisyLine, given)
    assert noisy.evidence["month_cost"] == pytest.approx(10**9 / GIB * 52 * 0.02)
    assert "the way back is the old level" in noisy.advice
    (sensor,) = found(LogRewritten, week_of_settings(log_bill_by_task=[task(written_bytes=3.1e9)]))
    assert sensor.evidence["apply"] == "task 'wait' of 'd': deferrable=True"
    assert sensor.evidence["undo"] == "task 'wait' of 'd': deferrable=False"
    assert "Up to 1.0 GB a week need not be written" in sensor.advice


def test_without_a_price_nothing_is_priced() -> None:
    given = log_bill_answers(answers(log_bill_by_task=[task()]) | days(63, 1e12), None)
    assert given["log_bill_by_task"].rows[0]["month_cost"] is None
    assert given["log_prices"].rows == () and found(LogRetention, given) == []


def test_list_prices_name_their_source_and_give_way_to_the_users() -> None:
    known = load_list_prices(resources.folder("sql"))
    assert set(known) == {"s3", "gs"}
    assert all(
        one.is_list_price and one.as_of >= "2026-11" and one.source and one.storage_gb_month > 0
        for one in known.values()
    )
    own = own_prices(known["s3"], storage_gb_month=0.01, put_1000=None, get_1000=None, currency="EUR")
    assert own is not None and not own.is_list_price
    assert (own.storage_gb_month, own.put_1000, own.currency) == (0.01, 0.005, "EUR")
    assert own_prices(None, storage_gb_month=None, put_1000=None, get_1000=None, currency="") is None


@pytest.mark.parametrize("rule", [LogRewritten, LogGrowth, NoisyLine, LogRetention], ids=lambda one: one.code)
def test_a_quiet_fleet_is_told_nothing(rule: type[Rule]) -> None:
    given = answers(
        log_bill_by_task=[task(rewritten=0, most_starts=1, rewritten_bytes=0.0, written_bytes=5e8)],
        log_bytes_by_dag_week=weeks(1.1e9, [1e9] * 8),
        log_templates=[line(message_bytes=1000)],
    )
    given |= log_bill_answers(days(63, 1e8), PRICES)
    assert found(rule, given) == []


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora are not beside this checkout")
@pytest.mark.parametrize(
    ("logs", "rewriter"),
    [
        ("airflow3/s3/airflow-logs/prod", ("sensors_wait", "sensor_timeout")),
        ("airflow2/gcs/acme-airflow-logs/logs", ("sensors_mixed", "resched_timeout")),
    ],
)
def test_the_bill_of_a_real_bucket_is_its_bytes(logs: str, rewriter: tuple[str, str], tmp_path: Path) -> None:
    """Every object counts once, whether it was read or not; a sensor that was rescheduled is seen to rewrite its log."""
    path = tmp_path / "a.toml"
    path.write_text(
        f"[deployment]\nname = 'a'\n[sources.task_logs]\nurl = '{CORPORA / logs}'\n[lake]\nurl = '{tmp_path}/lake'\n"
    )
    files = [one for one in (CORPORA / logs).rglob("*") if one.is_file()]
    seen = datetime.fromtimestamp(max(one.stat().st_mtime for one in files), UTC)
    week, config = Week.of(seen), load(path, {})
    pipeline.pull(config, now=seen + timedelta(hours=1), week=week, output=Output(level=0), full=True)
    rows = pipeline.ask(config, question="log_bill_by_task", sql="", week=week).rows
    assert sum(row["kept_bytes"] for row in rows) == sum(one.stat().st_size for one in files)
    assert sum(row["objects"] for row in rows) == len(files)
    (sensor,) = [row for row in rows if (row["dag_id"], row["task_id"]) == rewriter]
    assert sensor["most_starts"] > 1 and sensor["written_bytes"] > sensor["kept_bytes"]
    bill = pipeline.ask(config, question="log_bill", sql="", week=week)
    assert sum(row["kept_bytes"] for row in bill.rows) == sum(one.stat().st_size for one in files)
    assert {row["month_cost"] for row in bill.rows} == {None}, (
        "logs in a folder have no price, and are not for nothing"
    )
    with path.open("a") as file:
        file.write("[log_bill]\nstorage_gb_month = 0.02\nput_1000 = 5.0\ncurrency = 'EUR'\n")
    priced = pipeline.ask(load(path, {}), question="log_bill", sql="", week=week).rows
    truth = {
        (row["dag_id"], row["task_id"]): row["kept_bytes"] / GIB * 52 * 0.02
        + row["puts"] / 1000 * 5 * 52 / 12
        for row in rows
    }
    assert {(row["dag_id"], row["task_id"]): row["month_cost"] for row in priced} == pytest.approx(truth)
    assert {(row["currency"], row["priced_as_of"]) for row in priced} == {("EUR", None)}
    kept = {
        row["keep_days"]: row["month_cost"]
        for row in pipeline.ask(load(path, {}), question="log_retention", sql="", week=week).rows
    }
    assert kept[90] == pytest.approx(3 * kept[30]) and kept[30] > 0
    plain = [row for row in rows if row["task_id"] == "chatty"]
    assert all(row["most_starts"] == 1 and row["rewritten_bytes"] == 0 for row in plain)
