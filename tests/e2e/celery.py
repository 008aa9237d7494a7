"""A real CeleryExecutor on loopback: Redis, PostgreSQL from a wheel, and workers with host names and queues of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.e2e.airflow import VERSIONS, Airflow, _listens, _settings, free_port
from tests.e2e.environments import environment, interpreter
from tests.support.postgres import Postgres, postgres

HERE = Path(__file__).parent
HOST_NAME = "WINDSOCK_E2E_HOST"
_HEARTBEATS = {
    "3": {
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "45",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "5",
    },
    "2": {
        "AIRFLOW__SCHEDULER__SCHEDULER_ZOMBIE_TASK_THRESHOLD": "45",
        "AIRFLOW__SCHEDULER__ZOMBIE_DETECTION_INTERVAL": "5",
        "AIRFLOW__SCHEDULER__LOCAL_TASK_JOB_HEARTBEAT_SEC": "5",
    },
}
_HOSTNAME_CALLABLE = f'import os\n\n\ndef name():\n    return os.environ.get("{HOST_NAME}", "control")\n'


@dataclass(slots=True)
class CeleryAirflow(Airflow):
    """An Airflow whose tasks run on workers that the tests may kill."""

    server: Postgres | None = None
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        assert self.server
        text = self.server.sql("airflow", f"copy ({sql}) to stdout (format text, null '')")
        return [tuple(line.split("\t")) for line in text.splitlines()]

    def tries(self) -> dict[tuple[str, str, str, int, int], str]:
        told = Airflow.tries(self)
        return {
            (dag, run, task, int(index), int(number)): state
            for (dag, run, task, index, number), state in told.items()
        }

    def token(self) -> str:
        """For the REST API."""
        with urllib.request.urlopen(
            f"{self.more['AIRFLOW__API__BASE_URL']}/auth/token", timeout=30
        ) as answer:
            return str(json.load(answer)["access_token"])

    def start_worker(self, host: str, queues: str, slots: int) -> None:
        """One worker, in a process group of its own, that calls its machine `host`."""
        log = (self.home / f"worker-{host}.out").open("wb")
        words = [
            *("celery", "worker", "--queues", queues, "--concurrency", str(slots)),
            *("--celery-hostname", f"celery@{host}", "--skip-serve-logs", "--without-mingle"),
        ]
        self.workers[host] = subprocess.Popen(
            [str(self.venv / "bin" / "airflow"), *words],
            env=self.env() | {HOST_NAME: host}, cwd=self.home, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip

    def start_edge_worker(self, host: str, queues: str, slots: int) -> None:
        """One worker of the EdgeExecutor, that speaks to the api-server alone."""
        log = (self.home / f"worker-{host}.out").open("wb")
        words = [
            *("edge", "worker", "--queues", queues, "--concurrency", str(slots), "--edge-hostname", host),
            *("--pid", str(self.home / f"{host}.pid")),
        ]
        self.workers[host] = subprocess.Popen(
            [str(self.venv / "bin" / "airflow"), *words],
            env=self.env() | {HOST_NAME: host}, cwd=self.home, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip

    def kill_worker(self, host: str) -> None:
        """SIGKILL for the worker and all that it started, as when a machine goes away."""
        worker = self.workers.pop(host)
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait(30)
        _end_session(worker.pid)

    def stop(self) -> None:
        for worker in self.workers.values():
            os.killpg(worker.pid, signal.SIGTERM)
        for worker in self.workers.values():
            try:
                worker.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(worker.pid, signal.SIGKILL)
                worker.wait(30)
            _end_session(worker.pid)
        self.workers.clear()
        Airflow.stop(self)


def _end_session(leader: int) -> None:
    """SIGKILL for what outlived a worker: an edge worker's tasks are process groups of their own in its session."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # ended meanwhile
            if int(stat.read_text().rpartition(")")[2].split()[3]) == leader:
                os.kill(int(stat.parent.name), signal.SIGKILL)


@contextmanager
def redis(home: Path) -> Iterator[str]:
    """The address of a Redis that keeps nothing."""
    server = shutil.which("redis-server")
    if server is None:
        pytest.skip("no redis-server here; install Debian's package redis-server")
    port = free_port()
    with (home / "redis.out").open("wb") as log:
        process = subprocess.Popen(
            [server, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"],
            cwd=home, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        for _ in range(100):
            if _listens(port):
                break
            time.sleep(0.1)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def celery_airflow(
    home: Path,
    logs: str,
    more: dict[str, str],
    *,
    major: str = "3",
    dags: str = "celery_dags",
    also: tuple[str, ...] = (),
) -> Iterator[CeleryAirflow]:
    """Everything but the workers, started; stopped whatever happens. `also`: further extras (`edge3`, `statsd`)."""
    version, python = VERSIONS[major]
    pins = [
        f"airflow-{version}",
        *(f"airflow-{version}-{one}" for one in ("celery", *also) if one != "statsd"),
    ]
    constraints = [word for one in pins for word in ("-c", str(HERE / "requirements" / f"{one}.txt"))]
    extras = f"apache-airflow[{','.join(sorted(('amazon', 'celery', 'postgres', *also)))}]=={version}"
    (home / "dags").mkdir(parents=True)
    for path in (HERE / dags).glob("*.py"):
        shutil.copyfile(path, home / "dags" / path.name)
    (home / "modules").mkdir()
    (home / "modules" / "windsock_e2e_host.py").write_text(_HOSTNAME_CALLABLE)
    with redis(home) as broker, postgres() as server:
        venv = environment(pins[-1], interpreter(python), [extras, *constraints])
        server.sql("postgres", 'create database "airflow"')
        place = server.url("airflow").removeprefix("postgresql://")
        settings = {
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            "AIRFLOW__CORE__PARALLELISM": "32",
            "AIRFLOW__CORE__HOSTNAME_CALLABLE": "windsock_e2e_host.name",
            "PYTHONPATH": str(home / "modules"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{place}",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"postgresql+asyncpg://{place}",
            "AIRFLOW__CELERY__BROKER_URL": broker,
            "AIRFLOW__CELERY__RESULT_BACKEND": f"db+postgresql://{place}",
            "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "60",
            "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "5",
            "AIRFLOW__SCHEDULER__NUM_STUCK_IN_QUEUED_RETRIES": "1",
        }
        settings = _settings(major) | settings | _HEARTBEATS[major] | more
        if "edge3" in also:
            settings["AIRFLOW__EDGE__API_ENABLED"] = "True"
            settings["AIRFLOW__EDGE__API_URL"] = f"{settings['AIRFLOW__API__BASE_URL']}/edge_worker/v1/rpcapi"
        one = CeleryAirflow(major, venv, home, logs, settings, server=server)
        try:
            one.start()
            yield one
        finally:
            one.stop()
