"""Prometheus text: increases between snapshots, gauges of the living, and prometheus_client as the oracle."""

import gzip
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Summary, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from windsock.matchers import Match, parse_match
from windsock.model import Outcome, Parsed, Reject
from windsock.parse.metrics import Known, SnapshotStream, read_snapshot, stream_of, taken_at
from windsock.parse.metrics.heads import Heads
from windsock.parse.metrics.prometheus_text import Scan, scan_text

NOW = datetime(2026, 11, 23, 15, 23, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Source:
    """Snapshots of one source, a minute apart unless told otherwise."""

    def __init__(self, *, match: str = "", known: Known | None = None) -> None:
        self.stream = SnapshotStream.new(match=parse_match(match), known=known or Known())
        self.at = NOW

    def outcome(self, text: str | bytes, *, after: timedelta = MINUTE) -> Outcome:
        self.at += after
        data = text if isinstance(text, bytes) else text.encode()
        return read_snapshot(data, object_url="x.prom", taken_at=self.at, stream=self.stream)

    def read(self, text: str | bytes, *, after: timedelta = MINUTE) -> Parsed:
        outcome = self.outcome(text, after=after)
        assert isinstance(outcome, Parsed), outcome
        return outcome

    def values(self, text: str | bytes, *, after: timedelta = MINUTE) -> dict[str, float]:
        return {row["name"]: row["value"] for row in self.read(text, after=after).rows["metric_samples"]}


def counter(name: str, value: float) -> str:
    return f"# TYPE airflow_{name} counter\nairflow_{name} {value}\n"


def summary(name: str, total: float, count: int, labels: str = "") -> str:
    braces = f"{{{labels}}}" if labels else ""
    return f"# TYPE airflow_{name} summary\nairflow_{name}_sum{braces} {total}\nairflow_{name}_count{braces} {count}\n"


def test_a_counter_is_worth_its_increase() -> None:
    source = Source()
    assert source.values(counter("ti_failures", 214)) == {}  # nobody knows since when
    assert source.values(counter("ti_failures", 216)) == {"ti_failures": 2}
    assert source.values(counter("ti_failures", 216)) == {}
    row = source.read(counter("ti_failures", 3)).rows["metric_samples"][0]
    assert (row["value"], row["reset_count"]) == (3, 1)  # the exporter began anew
    assert (row["from_at"], row["until_at"]) == (source.at - MINUTE, source.at)


def test_a_total_that_was_not_there_before_was_born_at_zero() -> None:
    source = Source()
    source.read(counter("ti_failures", 1))
    assert source.values(counter("ti_failures", 1) + counter("ti_successes", 4)) == {"ti_successes": 4}


def test_a_snapshot_that_was_cut_does_not_make_totals_new() -> None:
    source = Source()
    both = counter("job_end", 5) + counter("ti_successes", 90)
    source.read(both)
    cut = source.read(both[:-6])
    assert cut.partial == "1 lines that are no samples"
    assert source.values(counter("job_end", 5) + counter("ti_successes", 91)) == {"ti_successes": 1}


def test_a_total_of_which_only_the_first_digits_are_left_is_no_restart() -> None:
    source = Source()
    source.read(counter("ti_successes", 128))
    assert source.values(b"# TYPE airflow_ti_successes counter\nairflow_ti_successes 12") == {}
    assert source.values(counter("ti_successes", 130)) == {"ti_successes": 2}


def test_a_timer_is_the_mean_of_what_came_in_between() -> None:
    source = Source()
    source.read(summary("task_duration", 10, 4, 'dag_id="d",task_id="t"'))
    (row,) = source.read(summary("task_duration", 16, 6, 'dag_id="d",task_id="t"')).rows["metric_samples"]
    assert (row["name"], row["kind"], row["value"], row["sample_count"]) == ("task.duration", "timer", 3, 2)


def test_a_heartbeat_that_stands_still_is_stored_as_such() -> None:
    source = Source()
    source.read(counter("scheduler_heartbeat", 7))
    assert source.values(counter("scheduler_heartbeat", 7)) == {"scheduler_heartbeat": 0}


def pools(open_slots: int, beat: int) -> str:
    return (
        counter("scheduler_heartbeat", beat)
        + f'# TYPE airflow_pool_open_slots gauge\nairflow_pool_open_slots 99\nairflow_pool_open_slots{{pool="db"}} {open_slots}\n'
    )


def test_pool_gauges_count_only_while_the_scheduler_lives() -> None:
    source = Source()
    told = [len(source.read(pools(0, beat)).rows["pool_samples"]) for beat in (10, 22, 22, 22, 34)]
    assert told == [1, 1, 0, 0, 1]
    quick = Source()
    for beat in (10, 12, 12, 12):  # every 15 s; a heartbeat may be late for some seconds
        assert quick.read(pools(0, beat), after=timedelta(seconds=15)).rows["pool_samples"]
    assert not quick.read(pools(0, 12), after=timedelta(seconds=45)).rows["pool_samples"]


def test_what_was_seen_of_the_dead_stays_in_metric_samples() -> None:
    source = Source()
    source.read(pools(0, 10))
    names = source.values(pools(0, 10))
    assert names == {"scheduler_heartbeat": 0, "pool.open_slots": 0}


def test_unmapped_gauges_of_a_pool_join_its_mapped_ones() -> None:
    text = (
        'airflow_pool_open_slots{pool="my-pool"} 3\nairflow_pool_running_slots_my_pool 4\n'
        "airflow_pool_queued_slots_my_pool 1\nairflow_pool_running_slots 77\n"
    )
    (row,) = Source().read(text).rows["pool_samples"]
    assert (row["pool"], row["open_slots"], row["running_slots"], row["total_slots"]) == ("my-pool", 3, 4, 8)


def test_twins_by_label_and_by_name_are_one_pool() -> None:
    text = (
        'airflow_pool_open_slots{pool_name="db"} 3\nairflow_pool_open_slots_db 3\nairflow_pool_open_slots 9\n'
    )
    told = Source().read(text)
    assert len(told.rows["pool_samples"]) == 1
    assert len(told.rows["metric_samples"]) == 1


TWO = "".join(
    f'airflow_pool_open_slots{{namespace="{one}",pool="default_pool"}} {n}\n' for n, one in enumerate("ab")
)


def test_two_series_sets_for_one_pool_name_the_labels_to_choose_from() -> None:
    outcome = Source().outcome(TWO)
    assert isinstance(outcome, Reject)
    assert outcome.reason == "several_deployments"
    assert 'namespace = "a", "b"' in outcome.detail
    (row,) = Source(match='{namespace="b"}').read(TWO).rows["pool_samples"]
    assert row["open_slots"] == 1
    nothing = Source(match='{namespace="c"}').outcome(TWO)
    assert isinstance(nothing, Reject)
    assert nothing.reason == "no_match"


def parse_rows(source: Source, *texts: str) -> list[dict[str, Any]]:
    for text in texts[:-1]:
        source.read(text)
    return list(source.read(texts[-1]).rows["parse_samples"])


def test_parse_time_behind_an_exporter_is_a_thousand_times_too_small_in_3() -> None:
    name = "dag_processing_last_duration_dags_folder_finance_close"
    seen = 'airflow_dag_processing_last_run_seconds_ago{dag_file="finance_close"} 3\n'
    (row,) = parse_rows(Source(), summary(name, 0.002, 2) + seen, summary(name, 0.0042, 4) + seen)
    assert (row["bundle_name"], row["dag_file"]) == ("dags-folder", "finance_close")
    assert row["parse_s"] == pytest.approx(1.1)


def test_parse_time_behind_an_exporter_is_right_in_2() -> None:
    name = "dag_processing_last_duration_etl"
    (row,) = parse_rows(Source(), summary(name, 2.0, 2), summary(name, 3.5, 3))
    assert (row["bundle_name"], row["dag_file"], row["parse_s"]) == (None, "etl", pytest.approx(1.5))


def test_a_bundle_is_found_where_a_file_of_another_gauge_ends_the_name() -> None:
    name = "dag_processing_last_duration_git_marketing_spend_marketing_spend"
    seen = "".join(
        f'airflow_dag_processing_last_run_seconds_ago{{dag_file="{one}"}} 1\n'
        for one in ("spend", "marketing_spend")
    )
    (row,) = parse_rows(Source(), summary(name, 1, 1) + seen, summary(name, 2, 2) + seen)
    assert (row["bundle_name"], row["dag_file"]) == ("git_marketing_spend", "marketing_spend")


def test_a_parse_time_gauge_that_only_repeats_itself_is_one_parse() -> None:
    source = Source()
    line = 'airflow_dag_processing_last_duration{file_name="etl"} 1.25\n'
    assert len(source.read(line).rows["parse_samples"]) == 1
    assert source.read(line).rows["parse_samples"] == []


@pytest.mark.parametrize(
    ("line", "name", "labels"),
    [
        ('airflow_dagrun_duration{dag_id="d"} 1', "dagrun.duration.success", {"dag_id": "d"}),
        ('airflow_dagrun_failed{dag_id="d"} 1', "dagrun.duration.failed", {"dag_id": "d"}),
        ('airflow_executor_open_slots{executor="LocalExecutor"} 1', "executor.open_slots", {"executor": "LocalExecutor"}),
        ('airflow_dagrun_schedule_delay{dag_id="ml__scoring_v2"} 1', "dagrun.schedule_delay", {"dag_id": "ml.scoring_v2"}),
        ('airflow_task_duration{dag_id="ml__scoring_v2",task_id="a__b"} 1', "task.duration", {"dag_id": "ml.scoring_v2", "task_id": "a__b"}),
        ('airflow_task_duration{dag_id="tenant_acme__sync",task_id="t"} 1', "task.duration", {"dag_id": "tenant_acme__sync", "task_id": "t"}),
        ("airflow_executor_open_slots 1", "executor.open_slots", {}),
        ("airflow_ti_running_default_ml_scoring_v2_score 1", "ti.running", {"queue": "default", "dag_id": "ml.scoring_v2", "task_id": "score"}),
        ("airflow_triggers_running_host_1 1", "triggers.running", {"hostname": "host_1"}),
        ("airflow_edge_worker_free_concurrency_field_1 1", "edge_worker.free_concurrency", {"worker_name": "field_1"}),
        ('airflow_edge_worker_connected{worker_name="field-1"} 1', "edge_worker.connected", {"worker_name": "field-1"}),
        ("airflow_dag_processing_import_errors 1", "dag_processing.import_errors", {}),
        ("airflow_something_new 1", "something_new", {}),
    ],
)  # fmt: skip
def test_names_are_airflows_own(line: str, name: str, labels: dict[str, str]) -> None:
    (row,) = (
        Source(known=Known(["ml.scoring_v2", "tenant_acme__sync"])).read(f"{line}\n").rows["metric_samples"]
    )
    assert (row["name"], dict(row["labels"]), row["raw_name"]) == (
        name,
        labels,
        line.split("{")[0].split(" ")[0],
    )


def test_states_with_underscores_end_a_name() -> None:
    source = Source(known=Known(["bash_etl"]))
    source.read("airflow_job_end 1\n")
    (row,) = source.read(counter("ti_finish_bash_etl_cmd_missing_up_for_retry", 2)).rows["metric_samples"]
    assert dict(row["labels"]) == {"dag_id": "bash_etl", "task_id": "cmd_missing", "state": "up_for_retry"}


def test_openmetrics_with_its_own_times_and_exemplars() -> None:
    text = (
        "# TYPE airflow_ti_failures counter\n"
        'airflow_ti_failures_total 3 1795447260.5 # {trace_id="a"} 1.0 1795447260.5\n'
        "airflow_ti_failures_created 1795440000.0\n"
        "airflow_ti_failures_total 5 1795447320.5\n# EOF\n"
    )
    told = Source().read(text)
    assert told.partial is None
    (row,) = told.rows["metric_samples"]
    assert (row["name"], row["value"]) == ("ti_failures", 2)
    assert row["sampled_at"] == datetime(2026, 11, 23, 15, 22, tzinfo=UTC)


def test_a_time_that_cannot_be_is_no_sample() -> None:
    told = Source().read(
        "airflow_a 1 1795447260000\nairflow_a 2 1\nairflow_a 3 1e300\nairflow_a 4 9999999999999\n"
    )
    assert [row["value"] for row in told.rows["metric_samples"]] == [1]
    assert told.partial == "3 lines that are no samples"


def test_gzip_is_unpacked_also_when_it_was_cut() -> None:
    text = "".join(f"airflow_x_{n} {n}\n" for n in range(3000))
    packed = gzip.compress(text.encode())
    assert len(Source().read(packed).rows["metric_samples"]) == 3000
    assert 0 < len(Source().read(packed[:-2000]).rows["metric_samples"]) < 3000


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"<html>", "html"),
        (b"\x1f\x8bjunk", "bad_gzip"),
        (b"\x00\x01", "not_metrics"),
        (b'{"a": 1}', "not_metrics"),
    ],
)
def test_what_is_no_snapshot_is_a_reject_with_its_reason(data: bytes, reason: str) -> None:
    outcome = Source().outcome(data)
    assert isinstance(outcome, Reject)
    assert outcome.reason == reason


def test_nan_and_infinity_are_no_values_and_the_last_of_two_equal_series_holds() -> None:
    text = "airflow_a NaN\nairflow_b +Inf\nairflow_c 1\nairflow_c 2\nairflow_d\n"
    told = Source().read(text)
    assert {row["name"]: row["value"] for row in told.rows["metric_samples"]} == {"c": 2}
    assert told.partial == "1 lines that are no samples"


@pytest.mark.parametrize(
    ("path", "at", "stream"),
    [
        ("prod/2026-11-23/152300.prom", "2026-11-23T15:23:00", "prod/"),
        ("a-1/2026/11/23/15/23.prom.gz", "2026-11-23T15:23:00", "a-1/"),
        ("20261123T152305Z.prom", "2026-11-23T15:23:05", ""),
        ("m/1795447380.prom", "2026-11-23T15:23:00", "m/"),
        ("m/latest.prom", "2026-01-01T00:00:00", "m"),
        ("m/2026-13-45/999999.prom", "2026-01-01T00:00:00", "m/2026-13-45"),
    ],
)
def test_a_key_tells_the_time_and_what_it_follows(path: str, at: str, stream: str) -> None:
    modified_at = datetime(2026, 1, 1, tzinfo=UTC)
    assert (taken_at(path, modified_at), stream_of(path)) == (datetime.fromisoformat(f"{at}+00:00"), stream)


LABEL = st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), max_size=12)
NUMBER = st.floats(allow_nan=False, allow_infinity=False, width=32)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(LABEL, NUMBER), max_size=6, unique_by=lambda one: one[0]), st.booleans())
def test_values_and_labels_equal_those_of_prometheus_client(
    series: list[tuple[str, float]], is_open: bool
) -> None:
    registry = CollectorRegistry()
    gauge = Gauge("airflow_g", "help with \\ and\nlines", ["dag_id"], registry=registry)
    Counter("airflow_events", "c", registry=registry).inc(3)
    Summary("airflow_took", "s", registry=registry).observe(2)
    for label, value in series:
        gauge.labels(dag_id=label).set(value)
    text = generate_openmetrics(registry) if is_open else generate_latest(registry)
    heads = Heads(match=Match(), known=Known())
    scan = scan_text(text, heads, taken_at=NOW)
    assert isinstance(scan, Scan)
    assert scan.bad == 0
    (moment,) = scan.moments
    told = {
        (heads.table[head].raw_name, dict(heads.table[head].name.labels).get("dag_id"), value)  # type: ignore[union-attr]
        for head, value in moment.values.items()
    }
    oracle = {
        (sample.name, sample.labels.get("dag_id"), sample.value)
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
        if not sample.name.endswith("_created")
    }
    assert told == oracle


@given(
    st.binary(max_size=300)
    | st.text(alphabet='airflow_pool{}=",\\ \n0123456789.e+-#TYPE', max_size=300).map(str.encode)
)
def test_no_bytes_break_the_reader(data: bytes) -> None:
    assert isinstance(Source().outcome(data), Parsed | Reject)
