"""Real captures and snapshots: rows equal an independent, naive reading of the raw lines (counts, units, times)."""

import os
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from windsock.matchers import Match
from windsock.model import Parsed
from windsock.parse.metrics import Known, SnapshotStream, read_snapshot, read_statsd, taken_at

CORPORA = Path(os.environ.get("WINDSOCK_CORPORA", Path(__file__).parents[4] / "shared" / "corpora"))
NOW = datetime(2026, 11, 25, tzinfo=UTC)
pytestmark = pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora are not beside this checkout")

PLAIN, INFLUX, DOG = "plain", "influx", "dog"
CAPTURES = [
    ("airflow2/metrics/statsd.raw", PLAIN, 0.001),
    ("airflow2/metrics/statsd_influx.raw", INFLUX, 0.001),
    ("airflow2/metrics/statsd_dogstatsd.raw", DOG, 1.0),
    ("airflow3/metrics/statsd_raw.txt", PLAIN, 1.0),
    ("airflow3/metrics/statsd_influxdb_raw.txt", INFLUX, 1.0),
    ("airflow3/metrics/statsd_datadog_raw.txt", DOG, 1.0),
]
captures = pytest.mark.parametrize(
    ("path", "form", "unit_s"), CAPTURES, ids=[path for path, _f, _u in CAPTURES]
)


def lines_of(path: str, form: str) -> list[tuple[float, str, dict[str, str], float, str]]:
    """(epoch, name, tags, value, type) of every line, the slow way."""
    found = []
    for line in (CORPORA / path).read_text().split("\n"):
        if not line:
            continue
        at, rest = line.split(" ", 1)
        tags: dict[str, str] = {}
        if form == DOG and "|#" in rest:
            rest, text = rest.split("|#")
            tags = dict(one.split(":", 1) for one in text.split(","))
        name_and_tags, value_and_type = rest.rsplit(":", 1)
        name, *pairs = name_and_tags.split(",")
        tags |= dict(one.split("=", 1) for one in pairs)
        value, kind = value_and_type.split("|", 1)
        found.append((float(at), name.removeprefix("airflow."), tags, float(value), kind))
    return found


def rows_of(path: str) -> Parsed:
    outcome = read_statsd(((CORPORA / path).read_bytes(),), object_url=path, modified_at=NOW)
    assert isinstance(outcome, Parsed)
    assert outcome.partial is None
    return outcome


@captures
def test_parse_samples(path: str, form: str, unit_s: float) -> None:
    naive = []
    for at, name, tags, value, _kind in lines_of(path, form):
        if form == PLAIN and name.startswith("dag_processing.last_duration."):
            *bundle, stem = name.removeprefix("dag_processing.last_duration.").split(".")
            naive.append((at, bundle[0] if bundle else None, stem, value * unit_s))
        elif form != PLAIN and name == "dag_processing.last_duration":
            naive.append((at, tags.get("bundle_name"), tags["file_name"], value * unit_s))
    rows = rows_of(path).rows["parse_samples"]
    told = [(r["parsed_at"].timestamp(), r["bundle_name"], r["dag_file"], r["parse_s"]) for r in rows]
    assert sorted(told, key=str) == [
        (pytest.approx(at, abs=1e-5), bundle, stem, pytest.approx(seconds))
        for at, bundle, stem, seconds in sorted(
            naive, key=lambda one: str((datetime.fromtimestamp(one[0], UTC).timestamp(), *one[1:]))
        )
    ]
    if rows:
        assert 0.02 < min(row["parse_s"] for row in rows) <= max(row["parse_s"] for row in rows) < 50


@captures
def test_pool_samples(path: str, form: str, unit_s: float) -> None:
    naive: list[dict[str, object]] = []
    for at, name, tags, value, _kind in lines_of(path, form):
        match = re.fullmatch(r"pool\.(open|running|queued|deferred|scheduled)_slots(?:\.(.+))?", name)
        pool = match and (match[2] if form == PLAIN else tags.get("pool_name") if not match[2] else None)
        if not match or not pool:
            continue
        if match[1] == "open":
            naive.append({"pool": pool, "at": round(at, 4)})
        last = next(one for one in reversed(naive) if one["pool"] == pool)
        last[f"{match[1]}_slots"] = int(value)
    told = [
        {"at": round(row["sampled_at"].timestamp(), 4)} | {k: v for k, v in row.items() if k == "pool" or (k.endswith("_slots") and k != "total_slots")}
        for row in rows_of(path).rows["pool_samples"]
    ]  # fmt: skip
    assert sorted(told, key=lambda one: (one["at"], one["pool"])) == sorted(
        naive, key=lambda one: (one["at"], one["pool"])
    )  # type: ignore[arg-type, return-value]
    assert all(row["total_slots"] in (1, 2, 3, 4, 128) for row in rows_of(path).rows["pool_samples"])


@captures
def test_finished_attempts_and_heartbeats(path: str, form: str, unit_s: float) -> None:
    naive: Counter[tuple[str, str]] = Counter()
    for _at, name, tags, value, kind in lines_of(path, form):
        if kind != "c" or not value:
            continue
        if form == PLAIN and name.startswith("ti.finish."):
            naive["ti.finish", name.rsplit(".", 1)[1]] += int(value)
        elif form != PLAIN and name == "ti.finish":
            naive["ti.finish", tags["state"]] += int(value)
        elif name in ("ti_failures", "ti_successes", "scheduler_heartbeat", "triggerer_heartbeat"):
            naive[name, ""] += int(value)
    told: Counter[tuple[str, str]] = Counter()
    for row in rows_of(path).rows["metric_samples"]:
        if row["name"] in {name for name, _state in naive}:
            told[row["name"], dict(row["labels"]).get("state", "")] += int(row["value"])
    assert told == naive
    assert naive or "dogstatsd" in path


@captures
def test_no_duration_is_a_thousand_times_off(path: str, form: str, unit_s: float) -> None:
    """The runs took 20 minutes; a task took more than 20 ms and no more than they did, catch-up runs aside."""
    for row in rows_of(path).rows["metric_samples"]:
        if row["kind"] == "timer" and row["name"] in (
            "task.duration",
            "task.queued_duration",
            "dagrun.duration.success",
        ):
            assert 0.02 < row["min_value"] <= row["max_value"] < 1400, row


def snapshots() -> list[tuple[str, str]]:
    folder = CORPORA / "airflow3/metrics/prom_snapshots"
    return [(str(path.relative_to(folder)), path.read_text()) for path in sorted(folder.rglob("*.prom"))]


def naive_samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name.removesuffix("_total"), tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_snapshots_of_a_real_exporter() -> None:
    stream = SnapshotStream.new(match=Match(), known=Known())
    before: dict[tuple[str, tuple[tuple[str, str], ...]], float] | None = None
    prefix = "airflow_dag_processing_last_duration_"
    parses = 0
    for path, text in snapshots():
        at = taken_at(path, NOW)
        outcome = read_snapshot(text.encode(), object_url=path, taken_at=at, stream=stream)
        assert isinstance(outcome, Parsed)
        now = naive_samples(text)
        for pool in ("api_rate_limit", "database_pool", "default_pool"):
            (row,) = [row for row in outcome.rows["pool_samples"] if row["pool"] == pool]
            assert row["open_slots"] == now["airflow_pool_open_slots", (("pool", pool),)]
            for gauge in ("running", "queued", "scheduled", "deferred"):
                assert row[f"{gauge}_slots"] == now[f"airflow_pool_{gauge}_slots_{pool}", ()]
        metrics = {(row["name"], row["labels"]): row for row in outcome.rows["metric_samples"]}
        told = {
            (row["bundle_name"], row["dag_file"]): row["parse_s"] for row in outcome.rows["parse_samples"]
        }
        if before is None:
            assert told == {}
            before = now
            continue
        failures = now["airflow_ti_failures", ()] - before.get(("airflow_ti_failures", ()), 0)
        assert metrics["ti_failures", ()]["value"] == failures
        expected = {}
        for (name, labels), count in now.items():
            if name.startswith(prefix) and name.endswith("_count") and name != f"{prefix}count":
                total = name.replace("_count", "_sum")
                grown = count - before.get((name, labels), 0)
                joined = name.removeprefix(prefix).removesuffix("_count")
                bundle = "git_marketing" if joined.startswith("git_marketing_") else "dags-folder"
                if grown:
                    seconds = (now[total, labels] - before.get((total, labels), 0)) / grown * 1000
                    expected[bundle, joined[len(bundle) + 1 :]] = pytest.approx(seconds)
                    parses += int(grown)
        assert told == expected
        before = now
    assert parses > 1000
