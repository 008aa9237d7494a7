"""`windsock snapshot` against real HTTP endpoints: what it stores is what `pull` reads."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Gauge, start_http_server

from tests.support.object_server import ObjectServer
from windsock import config as configs
from windsock import pipeline
from windsock.config import Config
from windsock.errors import WindsockError
from windsock.output import Output
from windsock.snapshot import snapshot
from windsock.week import Week

NOW = datetime(2026, 11, 25, 10, 30, 5, tzinfo=UTC)
WEEK = Week.parse("2026-W48")


@pytest.fixture
def metrics() -> Iterator[str]:
    """A /metrics endpoint as a StatsD exporter shows Airflow's pools."""
    registry = CollectorRegistry()
    for name, value in {"open_slots": 3, "running_slots": 1, "queued_slots": 0}.items():
        Gauge(f"airflow_pool_{name}", "pool", ["pool"], registry=registry).labels(pool="warehouse").set(value)
    Gauge("airflow_scheduler_heartbeat", "beats", registry=registry).set(17)
    server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    yield f"http://127.0.0.1:{server.server_port}/metrics"
    server.shutdown()
    server.server_close()
    thread.join(10)


def pipeline_file(folder: Path, scrape: str, url: str = "metrics", more: str = "") -> Config:
    path = folder / "w.toml"
    path.write_text(
        f"[deployment]\nname = 'prod'\n[sources.metrics]\nscrape = '{scrape}'\nurl = '{url}'\n{more}"
    )
    return configs.load(path, {})


def test_a_snapshot_is_stored_where_pull_reads_it(metrics: str, tmp_path: Path) -> None:
    config = pipeline_file(tmp_path, metrics)
    (stored,) = snapshot(config, now=NOW)
    assert stored == str(tmp_path / "metrics/2026-11-25/103005.prom.gz")
    assert pipeline.pull(config, now=NOW, week=WEEK, output=Output(level=0)).rejected == 0
    rows = pipeline.ask(
        config, question="", sql="select pool, open_slots, running_slots from pool_samples", week=WEEK
    ).rows
    assert [tuple(row.values()) for row in rows] == [("warehouse", 3, 1)]


def test_the_same_scrape_stored_twice_changes_nothing(metrics: str, tmp_path: Path) -> None:
    config = pipeline_file(tmp_path, metrics)
    first = Path(snapshot(config, now=NOW)[0]).read_bytes()
    assert Path(snapshot(config, now=NOW)[0]).read_bytes() == first


def test_a_snapshot_goes_to_a_bucket_too(
    metrics: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "FAKE")
    with ObjectServer() as server:
        server.bucket("metrics")
        more = f"[storage.s3]\nendpoint_url = '{server.url}'\n"
        config = pipeline_file(tmp_path, metrics, "s3://metrics/airflow", more)
        assert snapshot(config, now=NOW) == ("s3://metrics/airflow/2026-11-25/103005.prom.gz",)
        assert pipeline.pull(config, now=NOW, week=WEEK, output=Output(level=0)).read == 1


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """An endpoint that says this to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/metrics"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (404, b"not here", "answered 404"),
        (503, b"", "answered 503"),
        (200, b"<!doctype html><title>Login</title>", "answered HTML"),
        (200, b"", "answered no metrics"),
        (200, b'{"status": "ok"}', "answered no metrics"),
    ],
)
def test_what_is_no_metrics_page_stores_nothing(tmp_path: Path, status: int, body: bytes, says: str) -> None:
    with answering(status, body) as url, pytest.raises(WindsockError) as caught:
        snapshot(pipeline_file(tmp_path, url), now=NOW)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "metrics").exists()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://127.0.0.1:9/metrics", "cannot be reached"),
        ("file:///etc/passwd", "http:// or https://"),
        ("", "scrape is not set"),
    ],
)
def test_an_endpoint_that_is_none_is_one_line(tmp_path: Path, url: str, says: str) -> None:
    with pytest.raises(WindsockError, match=says):
        snapshot(pipeline_file(tmp_path, url), now=NOW)


@pytest.mark.parametrize(
    ("status", "told"),
    [(200, "ended 40 bytes too early"), (401, "wants credentials"), (404, "/metrics endpoint")],
)
def test_an_answer_that_is_cut_or_refused_is_not_stored(tmp_path: Path, status: int, told: str) -> None:
    """Cut at a line's end it would read as series that are gone, and a minute later as totals born at zero."""
    body = b"airflow_ti_failures 5\nairflow_ti_successes 70\n"

    class Cut(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body) + 40))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_told: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Cut)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with pytest.raises(WindsockError, match=told):
            snapshot(pipeline_file(tmp_path, f"http://127.0.0.1:{server.server_port}/metrics"), now=NOW)
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
    assert not [path for path in tmp_path.rglob("*") if path.suffix == ".gz"]
