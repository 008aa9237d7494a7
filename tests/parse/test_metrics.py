"""Metric snapshots: what is stored equals an independent, naive reading of the raw lines."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from windsock.model import Parsed, Reject
from windsock.parse.prometheus import read_prometheus
from windsock.parse.statsd import read_statsd

CORPORA = Path(os.environ.get("WINDSOCK_CORPORA", Path(__file__).parents[3] / "shared" / "corpora"))
NOW = datetime(2026, 11, 24, tzinfo=UTC)
with_corpora = pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora are not beside this checkout")


def statsd(text: str) -> Parsed:
    outcome = read_statsd(text.encode(), object_url="x.statsd", modified_at=NOW)
    assert isinstance(outcome, Parsed)
    return outcome


def test_the_bare_twin_without_tags_is_no_pool_and_no_file() -> None:
    parsed = statsd(
        "1795447300 airflow.pool.open_slots.db:2|g\n1795447300 airflow.pool.open_slots:7|g\n"
        "1795447300 airflow.dag_processing.last_duration:9|ms\n"
    )
    assert [(row["pool"], row["open_slots"]) for row in parsed.rows["pool_samples"]] == [("db", 2)]
    assert parsed.rows["parse_samples"] == []


@pytest.mark.parametrize(
    ("line", "bundle", "stem", "seconds"),
    [
        ("airflow.dag_processing.last_duration.etl:2040.5|ms", None, "etl", 2.0405),
        ("airflow.dag_processing.last_duration.dags-folder.finance:1.05|ms", "dags-folder", "finance", 1.05),
        ("airflow.dag_processing.last_duration:0.39|ms|#file_name:rules,env:prod", None, "rules", 0.39),
    ],
)
def test_parse_time_is_seconds_whatever_the_type_says(
    line: str, bundle: str | None, stem: str, seconds: float
) -> None:
    (row,) = statsd(f"1795447300 {line}\n").rows["parse_samples"]
    assert (row["bundle_name"], row["dag_file"], row["parse_s"]) == (bundle, stem, pytest.approx(seconds))


def test_a_counter_of_zero_is_an_announcement_not_an_event() -> None:
    rows = statsd(
        "1795447300 airflow.ti.finish.d.t.failed:0|c\n1795447301 airflow.ti.finish.d.t.success:1|c\n"
    ).rows
    assert [row["name"] for row in rows["metric_samples"]] == ["ti.finish.d.t.success"]


def test_a_gauge_may_move_by_steps() -> None:
    (row,) = statsd("1795447300 airflow.x:5|g\n1795447301 airflow.x:-2|g\n").rows["metric_samples"]
    assert row["value"] == 3


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", "empty"), (b"<html>", "html"), (b"\x1f\x8bjunk", "bad_gzip"), (b"\x00\x01", "not_metrics")],
)
def test_what_is_no_snapshot_is_a_reject_with_its_reason(data: bytes, reason: str) -> None:
    outcome = read_prometheus(data, object_url="a.prom", modified_at=NOW)
    assert isinstance(outcome, Reject)
    assert outcome.reason == reason


def test_a_snapshot_cut_in_the_middle_keeps_what_was_whole() -> None:
    data = b'airflow_pool_open_slots{pool="a"} 3\nairflow_pool_open_slots{pool="b'
    outcome = read_prometheus(data, object_url="2026-11-23/152300.prom", modified_at=NOW)
    assert isinstance(outcome, Parsed)
    (row,) = outcome.rows["pool_samples"]
    assert (row["pool"], row["open_slots"], row["sampled_at"]) == (
        "a",
        3,
        datetime(2026, 11, 23, 15, 23, tzinfo=UTC),
    )
    assert outcome.partial == "1 lines that are no samples"


@with_corpora
def test_parse_samples_of_a_real_capture_equal_a_naive_reading() -> None:
    data = (CORPORA / "airflow3/metrics/statsd_raw.txt").read_bytes()
    naive = []
    for line in data.decode().splitlines():
        at, _, metric = line.partition(" ")
        if metric.startswith("airflow.dag_processing.last_duration."):
            name, _, value = metric.partition(":")
            naive.append((float(at), name.split(".")[-1], float(value.split("|")[0])))
    outcome = read_statsd(data, object_url="x", modified_at=NOW)
    assert isinstance(outcome, Parsed)
    rows = outcome.rows["parse_samples"]
    assert len(rows) == len(naive) > 200
    assert [(r["dag_file"], r["parse_s"]) for r in rows] == [(stem, value) for _at, stem, value in naive]


@with_corpora
def test_pool_samples_of_a_real_capture_equal_a_naive_reading() -> None:
    data = (CORPORA / "airflow2/metrics/statsd.raw").read_bytes()
    prefix = "airflow.pool.open_slots."
    naive = [
        (line.split(prefix)[1].split(":")[0], int(line.split(":")[-1].split("|")[0]))
        for line in data.decode().split("\n")
        if f" {prefix}" in line
    ]
    outcome = read_statsd(data, object_url="x", modified_at=NOW)
    assert isinstance(outcome, Parsed)
    assert sorted((r["pool"], r["open_slots"]) for r in outcome.rows["pool_samples"]) == sorted(naive)
    assert naive
