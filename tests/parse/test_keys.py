"""Keys: what is rendered is read back, whatever the ids; other files of an attempt are known for what they are."""

from datetime import UTC, datetime

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from windsock.errors import ConfigError
from windsock.model import LogKey
from windsock.parse import parse_key, render_key

ids = st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1, max_size=30)
hostile = st.one_of(
    ids,
    st.sampled_from(
        ["prüfen", "load.stage", "a=b", "attempt=1.log", "..", "日本", "a b\tc", "dag_id=x", "%2F", "{x}"]
    ),
)
numbers = st.integers(0, 999_999_999)
times = st.datetimes(min_value=datetime(2015, 1, 1), max_value=datetime(2030, 1, 1)).map(
    lambda at: at.replace(tzinfo=UTC).isoformat()
)
prefixes = st.sampled_from(["", "prod/", "s3://b/a/b/", "file:///x/logs/", "a=b/"])


@settings(max_examples=300, deadline=None)
@given(prefixes, hostile, hostile, hostile, st.integers(-1, 999_999_999), numbers)
def test_the_layout_of_2_3_and_newer(
    prefix: str, dag: str, run: str, task: str, index: int, attempt: int
) -> None:
    key = LogKey(dag, run, task, index, attempt)
    assert parse_key(prefix + render_key(key)) == key


@settings(max_examples=200, deadline=None)
@given(prefixes, hostile, times, hostile, numbers)
def test_the_layout_of_1_10_to_2_2(prefix: str, dag: str, run: str, task: str, attempt: int) -> None:
    assume(not dag.startswith("dag_id="))
    key = LogKey(dag, run, task, -1, attempt, logical_date=datetime.fromisoformat(run), layout="1.10-2.2")
    assert parse_key(prefix + render_key(key)) == key


TEMPLATES = [
    ("{{ ti.dag_id }}/{{ ti.task_id }}/{{ ts }}/{{ try_number }}.log", "{d}/{t}/{r}/{n}.log"),
    ("{dag_id}/{task_id}/{execution_date}/{try_number}.log", "{d}/{t}/{r}/{n}.log"),
    (
        "tenant-7/{{ti.dag_id}}/{{ti.run_id}}/{{ti.task_id}}.{{ti.map_index}}/{{try_number}}.log",
        "tenant-7/{d}/{r}/{t}.{i}/{n}.log",
    ),
    (
        "dag_id={{ ti.dag_id }}/run_id={{ ti.run_id }}/task_id={{ ti.task_id }}/{% if ti.map_index >= 0 %}map_index={{ ti.map_index }}/{% endif %}attempt={{ try_number|default(ti.try_number) }}.log",
        "dag_id={d}/run_id={r}/task_id={t}/map_index={i}/attempt={n}.log",
    ),
    (
        "{{ ti.dag_id }}/{{ ti.dag_id }}-{{ ti.task_id }}/{{ ti.run_id }}/{{ try_number }}.log",
        "{d}/{d}-{t}/{r}/{n}.log",
    ),
]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(TEMPLATES), hostile, hostile, hostile, numbers, numbers)
def test_a_template_of_ones_own(
    template: tuple[str, str], dag: str, run: str, task: str, index: int, attempt: int
) -> None:
    path = "logs/" + template[1].replace("{d}", "\0d").replace("{t}", "\0t").replace("{r}", "\0r").replace(
        "{i}", str(index)
    ).replace("{n}", str(attempt)).replace("\0d", dag).replace("\0t", task).replace("\0r", run)
    assume("\0" not in dag + run + task)
    key = parse_key(path, template[0])
    assert key is not None
    assert (key.dag_id, key.run_id, key.task_id, key.try_number) == (dag, run, task, attempt)
    assert key.map_index == (index if "{i}" in template[1] else -1)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80), st.none() | st.sampled_from([t[0] for t in TEMPLATES]))
def test_no_path_makes_it_raise(path: str, template: str | None) -> None:
    key = parse_key(path, template)
    assert key is None or isinstance(key, LogKey)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("p/dag_id=a/run_id=r/task_id=t/attempt=1.log", "attempt"),
        ("p/dag_id=a/run_id=r/task_id=t/attempt=1.log.trigger.2.log", "trigger"),
        ("p/dag_id=a/run_id=r/task_id=t/map_index=3/attempt=1.log.trigger.12.log", "trigger"),
        ("p/dag_id=a/run_id=r/task_id=t/attempt=1.log.SchedulerJob.log", "scheduler_job"),
    ],
)
def test_other_files_of_an_attempt_are_no_attempts(path: str, kind: str) -> None:
    key = parse_key(path)
    assert key is not None and key.kind == kind


@pytest.mark.parametrize(
    "path",
    [
        "dag_processor_manager/dag_processor_manager.log",
        "scheduler/2026-11-23/team_a/etl.py.log",
        "dag_id=a/run_id=r/task_id=t/attempt=x.log",
        "dag_id=a/run_id=r/task_id=t/attempt=1.log/",
        "dag_id=a/run_id=r/task_id=t/attempt=99999999999.log",
        "dag_id=a/run_id=r/task_id=t/",
        "case_017.log",
        "",
    ],
)
def test_what_names_no_attempt(path: str) -> None:
    assert parse_key(path) is None


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("p/dag_id=d/run_id=scheduled__2026-11-23T06:00:00+00:00/task_id=t/attempt=2.log", ""),
        ("p/d/t/2026-11-23T06:00:00+00:00/2.log", ""),
        ("p/d/t/scheduled__1/2.log", "{{ ti.dag_id }}/{{ ti.task_id }}/{{ run_id }}/{{ try_number }}.log"),
    ],
)
def test_an_archived_log_is_the_log_of_the_same_attempt(path: str, template: str) -> None:
    assert parse_key(f"{path}.gz", template) == parse_key(path, template) is not None


@pytest.mark.parametrize(
    ("folder", "part", "told"),
    [
        ("dag_id=d-run_id=scheduled__2026-11-23T06_00_00+00_00-task_id=g.load-attempt=2.log", 0,
         ("d", "scheduled__2026-11-23T06:00:00+00:00", "g.load", -1, 2, "attempt")),
        ("dag_id=my-dag-run_id=manual__2026-11-23T06_00_00.123456+00_00-task_id=a-b-map_index=7-attempt=1.log", 0,
         ("my-dag", "manual__2026-11-23T06:00:00.123456+00:00", "a-b", 7, 1, "attempt")),
        ("dag_id=d-run_id=asset_triggered__2026-11-23T06_00_00+00_00_ab12-task_id=t-attempt=1.log", 1,
         ("d", "asset_triggered__2026-11-23T06:00:00+00:00_ab12", "t", -1, 1, "attempt")),
        ("dag_id=d-run_id=free-form-task_id=t-attempt=1.log.trigger.3.log", 0,
         ("d", "free-form", "t", -1, 1, "trigger")),
    ],
)  # fmt: skip
def test_a_stream_that_cloudwatch_exported_names_its_attempt(
    folder: str, part: int, told: tuple[object, ...]
) -> None:
    key = parse_key(f"exportedlogs/0f1e-22/{folder}/{part:06d}.gz")
    assert key is not None
    assert (key.dag_id, key.run_id, key.task_id, key.map_index, key.try_number, key.kind) == told


def test_cloudwatch_writes_underscores_for_colons() -> None:
    key = parse_key("d/t/2023-01-14T06_00_00+00_00/2.log")
    assert key is not None and key.logical_date == datetime(2023, 1, 14, 6, tzinfo=UTC)


def test_a_template_without_the_ids_is_refused_with_the_mending() -> None:
    with pytest.raises(ConfigError, match="names no run_id, task_id"):
        parse_key("x", "{{ ti.dag_id }}/{{ try_number }}.log")
