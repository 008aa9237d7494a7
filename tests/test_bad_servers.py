"""Servers that let nobody in, answer a page, or hold figures that are none: one clear line, or a counted reject; each
told by a real server, and before any log was read."""

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.airflow_server import FakeAirflow, load, serve
from tests.support.exposition import exposition
from tests.support.object_server import ObjectServer
from tests.support.prometheus_server import Reply, holding, serving
from windsock import config as configs
from windsock import pipeline
from windsock.doctor import doctor
from windsock.errors import SourceError
from windsock.output import Output
from windsock.week import Week

WEEK = Week.parse("2026-W48")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
QUIET = Output(level=0)
HEARTBEAT = {"__name__": "airflow_scheduler_heartbeat"}
POOL = {"__name__": "airflow_pool_open_slots", "pool": "default_pool"}


def config_of(tmp_path: Path, sources: str, environ: dict[str, str] | None = None) -> configs.Config:
    path = tmp_path / "p.toml"
    path.write_text(f"[deployment]\nname = 'p'\n{sources}\n[lake]\nurl = 'lake'\n")
    return configs.load(path, environ or {})


@pytest.fixture
def logs(tmp_path: Path) -> str:
    """A source of task logs that must stay unread."""
    path = tmp_path / "logs/dag_id=d/run_id=r/task_id=t/attempt=1.log"
    path.parent.mkdir(parents=True)
    path.write_text(
        "[2026-11-24T10:00:00.000+0000] {taskinstance.py:1} INFO - Marking task as SUCCESS. dag_id=d, task_id=t\n"
    )
    return f"[sources.task_logs]\nurl = '{tmp_path / 'logs'}'\n"


@pytest.fixture
def airflow() -> Iterator[FakeAirflow]:
    with serve(load(3)) as fake:
        yield fake


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_wrong_api_token_is_told_before_any_log_is_read(
    tmp_path: Path, logs: str, airflow: FakeAirflow, dry_run: bool
) -> None:
    api = f"[sources.airflow_api]\nurl = '{airflow.url}'\ntoken_env = 'WRONG'\n"
    config = config_of(tmp_path, logs + api, {"WRONG": "FAKE-wrong-token"})
    with pytest.raises(SourceError, match="refuses these credentials") as caught:
        pipeline.pull(config, now=NOW, week=WEEK, output=QUIET, dry_run=dry_run)
    assert "\n" not in str(caught.value)
    assert "FAKE-wrong" not in str(caught.value)
    assert not (tmp_path / "lake").exists()


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ((200, {}, b"<!doctype html><title>Log in</title>"), "answered HTML, not JSON"),
        ((401, {}, b""), "it does not let us in; check headers_env or token_command"),
        ((302, {"Location": "http://login.example/"}, b""), "redirects"),
        ((404, {}, b"<html>"), "is this the address of a Prometheus server"),
    ],
    ids=["a page", "a wrong token", "a login", "another server"],
)
def test_a_prometheus_that_is_none_is_told_before_any_log_is_read(
    tmp_path: Path, logs: str, reply: Reply, words: str
) -> None:
    with serving(lambda _path, _query: reply) as (url, _asked):
        config = config_of(tmp_path, f"{logs}[sources.metrics]\nprometheus = '{url}'\n")
        with pytest.raises(SourceError, match=words) as caught:
            pipeline.pull(config, now=NOW, week=WEEK, output=QUIET)
        assert "\n" not in str(caught.value)
        told = {row["what"]: row for row in doctor(config, now=NOW)}
    assert not (tmp_path / "lake").exists()
    assert told["prometheus"]["state"] == "broken"


def test_bad_snapshots_of_a_bucket_are_counted_and_the_good_one_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut in the middle of a line, a sample without a value, a StatsD line without its unit, a page, half a gzip."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "FAKE")
    whole = exposition({"scheduler_heartbeat": 12}, {"default_pool": (0, 4, 0, 2)})
    objects = {
        "100000.prom": whole.encode(),
        "100100.prom": whole.encode()[: len(whole) * 2 // 3 + 3],
        "100200.prom": whole.replace(" 12\n", "\n").encode(),
        "100300.prom": b"<!doctype html><title>502 Bad Gateway</title>",
        "100400.prom.gz": gzip.compress(whole.encode())[:60],
        "capture.statsd": f"{NOW.timestamp():.0f} airflow.pool.open_slots.db:3|g\n{NOW.timestamp():.0f} airflow.dagbag_size:3\n".encode(),
    }
    with ObjectServer() as server:
        for name, data in objects.items():
            server.put("metrics", f"2026-11-24/{name}", data, modified_at=NOW)
        config = config_of(
            tmp_path,
            f"[sources.metrics]\nurl = 's3://metrics'\n[storage.s3]\nendpoint_url = '{server.url}'\n",
        )
        summary = pipeline.pull(config, now=NOW + timedelta(hours=1), week=WEEK, output=QUIET)
    assert (summary.listed, summary.read, summary.rejected) == (6, 4, 2)
    rows = pipeline.ask(
        config,
        question="",
        week=WEEK,
        sql="select object_url, outcome, reject_reason from objects order by object_url",
    ).rows
    told = {row["object_url"].rsplit("/", 1)[-1]: (row["outcome"], row["reject_reason"]) for row in rows}
    bad = ("parsed", "1 lines that are no samples")  # what could be read is kept, what could not is counted
    assert told == {
        "100000.prom": ("parsed", None),
        "100100.prom": bad,
        "100200.prom": bad,
        "100300.prom": ("reject", "html"),
        "100400.prom.gz": ("reject", "not_metrics"),
        "capture.statsd": bad,
    }


# --- the doctor and the dry run


def test_the_doctor_tells_which_series_a_prometheus_has(tmp_path: Path) -> None:
    parse = {"__name__": "airflow_dag_processing_last_duration", "file_name": "etl"}
    with serving(holding([(HEARTBEAT, 0.2), (POOL, 0), (parse, 0)])) as (url, _asked):
        told = {
            row["what"]: row
            for row in doctor(config_of(tmp_path, f"[sources.metrics]\nprometheus = '{url}'\n"), now=NOW)
        }
    assert told["prometheus"]["state"] == "ok"
    assert "3 series of 3 names begin with airflow_" in told["prometheus"]["detail"]
    assert told["metrics: pools"]["detail"] == "1 pools (default_pool)"
    assert told["metrics: heartbeat"]["state"] == told["metrics: parse time"]["state"] == "ok"


def test_the_doctor_names_the_labels_that_part_two_deployments(tmp_path: Path) -> None:
    both = [
        (one | {"namespace": name}, grows)
        for name in ("a", "b")
        for one, grows in ((HEARTBEAT, 0.2), (POOL, 0.0))
    ]
    with serving(holding(both)) as (url, _asked):

        def rows(match: str) -> dict[str, dict[str, object]]:
            source = f"[sources.metrics]\nprometheus = '{url}'\nmatch = '{match}'\n"
            return {str(row["what"]): dict(row) for row in doctor(config_of(tmp_path, source), now=NOW)}

        told = rows("")
        assert told["prometheus: deployments"]["state"] == "broken"
        assert 'namespace = "a", "b"' in str(told["prometheus: deployments"]["mend"])
        told = rows('{namespace="b"}')
        assert "prometheus: deployments" not in told
        assert told["prometheus"]["state"] == "ok"
        told = rows('{namespace="c"}')
        assert told["prometheus"]["state"] == "broken"
        assert "without it there are 4 series (namespace is a, b)" in str(told["prometheus"]["detail"])


def test_a_prometheus_without_airflow_is_told(tmp_path: Path) -> None:
    with serving(holding([])) as (url, _asked):
        told = {
            row["what"]: row
            for row in doctor(config_of(tmp_path, f"[sources.metrics]\nprometheus = '{url}'\n"), now=NOW)
        }
    assert told["prometheus"]["state"] == "broken"
    assert "answers, but no series begin with airflow_ in the last 10 minutes" in told["prometheus"]["detail"]


def test_a_dry_run_counts_the_hours_that_prometheus_would_be_asked_for(tmp_path: Path) -> None:
    with serving(holding([(HEARTBEAT, 0.2)])) as (url, asked):
        config = config_of(tmp_path, f"[sources.metrics]\nprometheus = '{url}'\n")

        def hours(*, dry_run: bool) -> tuple[int, str]:
            done = pipeline.pull(
                config, now=NOW, week=WEEK, output=QUIET, since=NOW - timedelta(hours=5), dry_run=dry_run
            )
            return done.prometheus_hours, done.sentence()

        assert hours(dry_run=True)[0] == 5
        assert "and 5 hours from Prometheus" in hours(dry_run=True)[1]
        assert not any(path == "/api/v1/query_range" for path, _parameters, _headers in asked)
        hours(dry_run=False)
        assert hours(dry_run=True)[0] == 0
