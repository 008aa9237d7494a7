"""A real Prometheus: `query_range` gives the rows that text snapshots of the same series give. Run by `make e2e`."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from tests.support.exposition import exposition, minutes, store
from windsock import config as configs
from windsock import pipeline
from windsock.output import Output
from windsock.week import Week

pytestmark = pytest.mark.e2e
HOURS = 3


@pytest.fixture(scope="module")
def programs() -> Iterator[Path]:
    """The folder of `prometheus` and `promtool`: installed ones, else Debian's package, unpacked but not installed."""
    if found := shutil.which("prometheus"):
        yield Path(found).parent
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        pytest.skip("no prometheus here, and nobody who may fetch Debian's")
    # pytest's own folders are closed to nobody, who is to run it
    with tempfile.TemporaryDirectory(prefix="prometheus-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        for command in (["apt-get", "update", "-qq"], ["apt-get", "download", "-qq", "prometheus"]):
            subprocess.run(command, cwd=folder, check=True, capture_output=True)
        (package,) = folder.glob("prometheus_*.deb")
        subprocess.run(["dpkg", "-x", package, folder], check=True)
        yield folder / "usr/bin"


@pytest.fixture
def home() -> Iterator[Path]:
    """Where the server lives."""
    with tempfile.TemporaryDirectory(prefix="prometheus-home-") as made:
        yield Path(made)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(programs: Path, folder: Path, *, scrape_port: int) -> Iterator[str]:
    """A Prometheus on a loopback port, as nobody where we are root."""
    port = free_port()
    (folder / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s}\nscrape_configs:\n- job_name: live\n  static_configs:\n"
        f"  - targets: ['127.0.0.1:{scrape_port}']\n    labels: {{namespace: live}}\n"
    )
    data = folder / "data"
    data.mkdir(exist_ok=True)
    is_root = os.geteuid() == 0
    if is_root:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, 65534, 65534)
    command = [
        str(programs / "prometheus"), f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={data}",
        f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.retention.time=30d", "--log.level=warn",
    ]  # fmt: skip
    process = subprocess.Popen(
        command,
        user=65534 if is_root else None,
        group=65534 if is_root else None,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/-/ready", lambda _body: True)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def wait_for(url: str, is_there: Any, tries: int = 300) -> None:
    for _ in range(tries):
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if is_there(answer.read()):
                    return
        except OSError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"{url}: not there after {tries} tries")


def history(since: datetime) -> dict[datetime, str]:
    """Two deployments, one of them silent for 25 minutes and with an exporter that began anew."""
    found = {}
    beats, total = 100, 7
    for n, at in enumerate(minutes(since, since + timedelta(hours=HOURS))):
        beats += 0 if 40 <= n < 65 else 12
        total = 2 if n == 90 else total + n % 3
        b = exposition(
            {"scheduler_heartbeat": beats, "ti_failures": total, "ti_finish_d_t_success": n // 2},
            {"default_pool": (n % 7, 9, 1, 0), "db": (0, 2, 0, n % 5)},
            {"namespace": "b"},
        )
        a = exposition({"scheduler_heartbeat": n * 12}, {"default_pool": (128, 0, 0, 0)}, {"namespace": "a"})
        found[at] = a + b
    return found


def openmetrics(snapshots: dict[datetime, str]) -> str:
    """All snapshots as one OpenMetrics text with times, families together, as `promtool` wants it."""
    families: dict[str, list[str]] = {}
    types: dict[str, str] = {}
    for at, text in snapshots.items():
        for line in text.splitlines():
            if line.startswith("# TYPE"):
                types[line.split()[2]] = line.split()[3]
            else:
                head, value = line.rsplit(" ", 1)
                families.setdefault(head.split("{")[0], []).append(f"{head} {value} {at.timestamp():.0f}")
    # untyped: OpenMetrics would want `_total`, and an exporter's counters have none
    parts = [f"# TYPE {name} unknown\n" + "\n".join(lines) for name, lines in families.items()]
    return "\n".join(parts) + "\n# EOF\n"


def config(folder: Path, source: str) -> configs.Config:
    folder.mkdir()
    (folder / "p.toml").write_text(
        f"[deployment]\nname = 'p'\n[sources.metrics]\n{source}\nmatch = '{{namespace=\"b\"}}'\n[lake]\nurl = 'lake'\n"
    )
    return configs.load(folder / "p.toml", {})


def test_a_server_gives_the_rows_that_snapshots_give(programs: Path, home: Path, tmp_path: Path) -> None:
    since = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS + 3)
    now, week = since + timedelta(hours=HOURS, minutes=1), Week.of(since)
    snapshots = history(since)
    for at, text in snapshots.items():
        store(tmp_path / "snapshots", at, text)
    (home / "history.txt").write_text(openmetrics(snapshots))
    subprocess.run(
        [
            programs / "promtool",
            "tsdb",
            "create-blocks-from",
            "openmetrics",
            home / "history.txt",
            home / "data",
        ],
        check=True,
        capture_output=True,
    )
    registry, scrape_port = CollectorRegistry(), free_port()
    Gauge("airflow_pool_open_slots", "live", ["pool"], registry=registry).labels(pool="p").set(4)
    Counter("airflow_scheduler_heartbeat", "live", registry=registry).inc()
    exporter, thread = start_http_server(scrape_port, addr="127.0.0.1", registry=registry)
    try:
        with running(programs, home, scrape_port=scrape_port) as url:
            told = {}
            for name, source in (
                ("text", f"url = '{tmp_path / 'snapshots'}'"),
                ("server", f"prometheus = '{url}'"),
            ):
                one = config(tmp_path / name, source)
                done = pipeline.pull(one, now=now, week=week, output=Output(level=0), since=since)
                assert done.rejected == 0
                told[name] = [
                    row
                    for table in (
                        "select sampled_at, name, cast(labels as varchar) as labels, kind, value, reset_count from metric_samples order by all",
                        "select sampled_at, pool, total_slots, open_slots, running_slots, queued_slots, scheduled_slots "
                        "from pool_samples order by all",
                    )
                    for row in pipeline.ask(one, question="", sql=table, week=week).rows
                ]
            assert len(told["text"]) > 1500
            assert told["server"] == told["text"]
            # what is scraped right now comes with types, from the server's own metadata
            query = f"{url}/api/v1/query?query=airflow_pool_open_slots%7Bnamespace%3D%22live%22%7D"
            wait_for(query, lambda body: b'"4"' in body)
            wait_for(f"{url}/api/v1/metadata", lambda body: b'"airflow_scheduler_heartbeat' in body)
    finally:
        exporter.shutdown()
        thread.join()
