"""StatsD captures in three wire forms: names, ids, units, twins, and what is no capture."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windsock.matchers import parse_match
from windsock.model import Outcome, Parsed, Reject
from windsock.parse.metrics import Known, read_statsd

NOW = datetime(2026, 11, 24, tzinfo=UTC)
AT = 1795447300  # 2026-11-23 15:21:40


def read(text: str, *, match: str = "", known: Known | None = None) -> Outcome:
    return read_statsd(
        (text.encode(),), object_url="x.statsd", modified_at=NOW, match=parse_match(match), known=known
    )


def parsed(*lines: str, match: str = "", known: Known | None = None) -> Parsed:
    outcome = read("".join(f"{AT + n} {line}\n" for n, line in enumerate(lines)), match=match, known=known)
    assert isinstance(outcome, Parsed), outcome
    return outcome


def test_the_bare_twin_without_tags_is_no_pool_and_no_file() -> None:
    told = parsed(
        "airflow.pool.open_slots.db:2|g",
        "airflow.pool.open_slots:7|g",
        "airflow.dag_processing.last_duration:9|ms",
    )
    assert [(row["pool"], row["open_slots"]) for row in told.rows["pool_samples"]] == [("db", 2)]
    assert told.rows["parse_samples"] == []
    assert [row["raw_name"] for row in told.rows["metric_samples"]] == ["airflow.pool.open_slots.db"]


@pytest.mark.parametrize(
    "twins",
    [
        ("airflow.ti.finish.d.t.success:1|c", "airflow.ti.finish:1|c"),
        (
            "airflow.ti.finish.d.t.success,dag_id=d,task_id=t:1|c",
            "airflow.ti.finish,dag_id=d,task_id=t,state=success:1|c",
        ),
        (
            "airflow.ti.finish.d.t.success:1|c|#env:p",
            "airflow.ti.finish:1|c|#dag_id:d,task_id:t,state:success,env:p",
        ),
    ],
)
def test_an_event_sent_under_two_names_counts_once(twins: tuple[str, str]) -> None:
    (row,) = parsed(*twins).rows["metric_samples"]
    labels = dict(row["labels"])
    assert (row["name"], row["kind"], row["value"]) == ("ti.finish", "counter", 1)
    assert (labels["dag_id"], labels["task_id"], labels["state"]) == ("d", "t", "success")


@pytest.mark.parametrize(
    ("line", "bundle", "stem", "seconds"),
    [
        ("airflow.dag_processing.last_duration.etl:2040.5|ms", None, "etl", 2.0405),
        ("airflow.dag_processing.last_duration.dags-folder.finance:1.05|ms", "dags-folder", "finance", 1.05),
        ("airflow.dag_processing.last_duration:0.39|ms|#file_name:rules,env:prod", None, "rules", 0.39),
        ("airflow.dag_processing.last_duration,bundle_name=b,file_name=f:0.58|ms", "b", "f", 0.58),
        ("airflow.dag_processing.last_duration,file_name=f:580.1|ms", None, "f", 0.5801),
    ],
)
def test_parse_time_is_seconds_whatever_the_type_says(
    line: str, bundle: str | None, stem: str, seconds: float
) -> None:
    (row,) = parsed(line).rows["parse_samples"]
    assert (row["bundle_name"], row["dag_file"], row["parse_s"]) == (bundle, stem, pytest.approx(seconds))
    assert row["source"] == "metric"


@pytest.mark.parametrize(
    ("lines", "name", "seconds"),
    [
        # 2.x: seconds typed ms; six decimals are microseconds
        (["airflow.dag.d.t.queued_duration:0.581783|ms"], "task.queued_duration", 0.581783),
        # 2.x with timer_unit_consistency, and 3.x
        (["airflow.dag.d.t.queued_duration:3039.680000|ms"], "task.queued_duration", 3.03968),
        (["airflow.dag.d.t.duration:43.936194|ms"], "task.duration", 0.043936194),
        (["airflow.scheduler.scheduler_loop_duration:127.649943|ms"], "scheduler.scheduler_loop_duration", 0.127649943),
        # DogStatsD: timers around code are seconds, computed durations what their digits say
        (["airflow.scheduler.scheduler_loop_duration:0.31|ms", "airflow.x:1|c|#a:b"], "scheduler.scheduler_loop_duration", 0.31),
        (["airflow.task.duration:3324.123|ms|#dag_id:o,task_id:e"], "task.duration", 3.324123),
        (["airflow.task.duration:33.241237|ms|#dag_id:o,task_id:e"], "task.duration", 33.241237),
    ],
)  # fmt: skip
def test_timers_are_seconds(lines: list[str], name: str, seconds: float) -> None:
    (row,) = [row for row in parsed(*lines).rows["metric_samples"] if row["name"] == name]
    assert row["value"] == pytest.approx(seconds)
    assert row["kind"] == "timer"


def test_dots_and_underscores_in_ids_are_resolved_by_what_is_known() -> None:
    known = Known(["team_a.etl", "ml.scoring_v2", "tenant__sync"])
    told = parsed(
        "airflow.ti.start.team_a.etl.load.dim-customers_v1:1|c",
        "airflow.ti.start.ml__scoring_v2.score:1|c",
        "airflow.ti.start.tenant__sync.t:1|c",
        "airflow.ti.start.a.b.c:1|c",
        known=known,
    )
    assert [dict(row["labels"]) for row in told.rows["metric_samples"]] == [
        {"dag_id": "team_a.etl", "task_id": "load.dim-customers_v1"},
        {"dag_id": "ml.scoring_v2", "task_id": "score"},
        {"dag_id": "tenant__sync", "task_id": "t"},
        {"ids": "a.b.c"},  # nobody knows where the DAG ends
    ]


def test_a_spelling_that_two_dags_share_is_left_as_it_is() -> None:
    (row,) = parsed("airflow.ti.start.a__b.t:1|c", known=Known(["a.b", "a__b"])).rows["metric_samples"]
    assert dict(row["labels"])["dag_id"] == "a__b"


def test_a_series_is_stored_by_the_minute() -> None:
    text = "1795447259 airflow.x:1|g\n1795447260 airflow.x:5|g\n1795447319 airflow.x:3|g\n1795447300 airflow.n:2|c|@0.5\n"
    outcome = read(text)
    assert isinstance(outcome, Parsed)
    rows = {(row["name"], row["sampled_at"].minute): row for row in outcome.rows["metric_samples"]}
    assert rows["x", 20]["value"] == 1
    gauge = rows["x", 21]
    assert (gauge["value"], gauge["sample_count"], gauge["min_value"], gauge["max_value"]) == (3, 2, 3, 5)
    assert (gauge["from_at"].second, gauge["until_at"].second) == (0, 59)
    assert rows["n", 21]["value"] == 4  # every second one was sent


def test_a_counter_of_zero_is_an_announcement_not_an_event() -> None:
    told = parsed("airflow.ti.finish.d.t.failed:0|c", "airflow.ti.finish.d.t.success:1|c")
    assert [dict(row["labels"])["state"] for row in told.rows["metric_samples"]] == ["success"]


def test_a_gauge_may_move_by_steps_but_not_in_dogstatsd() -> None:
    (row,) = parsed("airflow.x:5|g", "airflow.x:-2|g").rows["metric_samples"]
    assert row["value"] == 3
    (row,) = parsed("airflow.x:5|g|#a:b", "airflow.x:-2|g|#a:b").rows["metric_samples"]
    assert row["value"] == -2


def test_an_overfull_pool_has_fewer_than_no_open_slots() -> None:
    """The client sends a negative gauge as 0 and a step down."""
    told = parsed("airflow.pool.open_slots.db:0|g", "airflow.pool.open_slots.db:-3|g")
    assert told.rows["pool_samples"][-1]["open_slots"] == -3


def test_a_datagram_of_several_lines_has_one_time() -> None:
    outcome = read(f"{AT} airflow.job_start:1|c\nairflow.job_end:1|c\n")
    assert isinstance(outcome, Parsed)
    assert {row["name"] for row in outcome.rows["metric_samples"]} == {"job_start", "job_end"}
    assert outcome.partial is None


def test_another_prefix_than_airflow_is_found() -> None:
    told = parsed("prod.af.scheduler_heartbeat:1|c", "prod.af.pool.open_slots.db:2|g")
    assert [row["name"] for row in told.rows["metric_samples"]] == ["scheduler_heartbeat", "pool.open_slots"]
    assert told.rows["pool_samples"][0]["pool"] == "db"


def test_two_deployments_in_one_capture_are_told_apart_by_match() -> None:
    lines = [
        f"airflow.pool.open_slots:{n}|g|#pool_name:default_pool,env:{env}" for n in (1, 2) for env in "ab"
    ]
    outcome = read("".join(f"{AT + n} {line}\n" for n, line in enumerate(lines)))
    assert isinstance(outcome, Reject)
    assert (outcome.reason, 'env = "a", "b"' in outcome.detail) == ("several_deployments", True)
    told = parsed(*lines, match='{env="b"}')
    assert len(told.rows["pool_samples"]) == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "empty"), ("\n\n", "empty"), ("<html>no</html>", "not_statsd"), ("1795447300 nan\n", "not_statsd")],
)
def test_what_is_no_capture_is_a_reject_with_its_reason(text: str, reason: str) -> None:
    outcome = read(text)
    assert isinstance(outcome, Reject)
    assert outcome.reason == reason


def test_lines_that_are_no_samples_are_counted_and_the_rest_is_kept() -> None:
    outcome = read(f"{AT} airflow.x:1|g\n{AT} airflow.y:nan|g\n{AT} airflow.z|g\nnonsense\n{AT} airflow.x:2")
    assert isinstance(outcome, Parsed)
    assert outcome.partial == "4 lines that are no samples"
    assert [row["value"] for row in outcome.rows["metric_samples"]] == [1]


def test_a_time_that_cannot_be_is_no_sample() -> None:
    outcome = read(
        f"{AT} airflow.x:1|g\n1 airflow.x:2|g\n9999999999 airflow.x:3|g\n{AT + 3 * 86400} airflow.x:4|g\n"
    )
    assert isinstance(outcome, Parsed)
    assert [row["value"] for row in outcome.rows["metric_samples"]] == [1]
    assert outcome.partial == "3 lines that are no samples"


@given(
    st.binary(max_size=400)
    | st.text(alphabet="0123456789 airflow.:|,#@=gcms\n-+e_", max_size=300).map(str.encode)
)
def test_no_bytes_break_the_reader(data: bytes) -> None:
    assert isinstance(read_statsd((data,), object_url="x", modified_at=NOW), Parsed | Reject)
