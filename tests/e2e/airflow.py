"""A real Airflow, started by the tests on free loopback ports, stopped by process id.

Its database is a PostgreSQL that a wheel brings, so that tasks run side by side; the executor is the caller's choice.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import adbc_driver_postgresql.dbapi as adbc
import pytest

from tests.e2e.environments import environment, interpreter, run
from tests.support.postgres import postgres

HERE = Path(__file__).parent
VERSIONS = {"3": ("3.3.2", "3.12"), "2": ("2.11.2", "3.11")}
COMPONENTS = {
    "3": (("api-server",), ("dag-processor",), ("scheduler",), ("triggerer",)),
    "2": (("scheduler",), ("triggerer",)),
}
PARALLELISM = 4
"""Tasks that may run at once: more than there are shards in any test, so that the executor is not what holds them."""
PATIENCE_S = 900
"""How long runs may take on a busy two-core machine before the test gives up."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class Airflow:
    """One Airflow with a home of its own."""

    major: str
    venv: Path
    home: Path
    logs: str  # remote_base_log_folder
    more: dict[str, str]
    database: str = ""  # postgresql://…
    components: tuple[tuple[str, ...], ...] = ()  # the words after `airflow` of what runs beside each other
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def command(self, *words: str) -> str:
        """`airflow …`, to its end."""
        return run([str(self.venv / "bin" / "airflow"), *words], env=self.env(), cwd=self.home)

    def env(self) -> dict[str, str]:
        # no AWS credentials either: what runs in Airflow has to take them from its connections
        ours = ("AIRFLOW", "PYTHON", "VIRTUAL_ENV", "AWS_")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
        return (
            kept
            | {
                "PATH": f"{self.venv / 'bin'}{os.pathsep}{kept.get('PATH', '')}",
                "AIRFLOW_HOME": str(self.home),
                "AIRFLOW__CORE__DAGS_FOLDER": str(self.home / "dags"),
                "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
                "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
                "AIRFLOW__CORE__PARALLELISM": str(PARALLELISM),
                "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": self.database.replace("://", "+psycopg2://", 1),
                "AIRFLOW__LOGGING__REMOTE_LOGGING": "True",
                "AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER": self.logs,
                "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
                "AWS_EC2_METADATA_DISABLED": "true",
                "no_proxy": "127.0.0.1,localhost",
            }
            | self.more
        )

    def start(self) -> None:
        """Database, then the processes."""
        self.command("db", "migrate")
        for words in self.components or COMPONENTS[self.major]:
            self._begin(*words)
            if words == ("api-server",):
                self._wait(lambda: _listens(int(self.more["AIRFLOW__API__PORT"])), "the api-server to listen")

    def serve_to_viewer(self, password: str) -> str:
        """The webserver of 2.x beside the rest, with a user `viewer` who may only look; its address."""
        port = free_port()
        self.more |= {"AIRFLOW__API__AUTH_BACKENDS": "airflow.api.auth.backend.basic_auth"}
        name = ("--username", "viewer", "--firstname", "v", "--lastname", "v", "--email", "v@acme.example")
        self.command("sync-perm")  # makes the roles
        self.command("users", "create", *name, "--role", "Viewer", "--password", password)
        self._begin("webserver", "--port", str(port), "--hostname", "127.0.0.1", "--workers", "1")
        self._wait(lambda: _listens(port), "the webserver to listen")
        return f"http://127.0.0.1:{port}"

    def stop(self) -> None:
        """End the process groups that `start` made, and wait for them."""
        for process in reversed(self.processes):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in reversed(self.processes):
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(30)
        self.processes.clear()

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """Read the metadata database."""
        with adbc.connect(self.database) as conn, conn.cursor() as cursor:
            cursor.execute(sql)
            return [tuple(row) for row in cursor.fetchall()]

    def finish_runs(self, dag_ids: set[str]) -> dict[str, str]:
        """Wait until every one of these DAGs has a finished run; the state of each."""
        wanted = ", ".join(f"'{one}'" for one in sorted(dag_ids))
        sql = (
            f"select dag_id, state from dag_run where dag_id in ({wanted}) and state in ('success', 'failed')"
        )
        self._wait(lambda: {str(row[0]) for row in self.rows(sql)} == dag_ids, f"runs of {wanted}")
        return {str(dag_id): str(state) for dag_id, state in self.rows(sql)}

    def finish_run(self, dag_id: str, run_id: str) -> str:
        """Wait for one run that the scheduler has to begin and end; its state."""
        sql = (
            f"select state from dag_run where dag_id = '{dag_id}' and run_id = '{run_id}' "
            "and state in ('success', 'failed')"
        )
        self._wait(lambda: bool(self.rows(sql)), f"the run {run_id} of {dag_id}")
        return str(self.rows(sql)[0][0])

    def serializes(self, dag_id: str) -> None:
        """Wait until the file of this DAG was parsed."""
        self._wait(lambda: bool(self.rows(f"select 1 from serialized_dag where dag_id = '{dag_id}'")), dag_id)

    def _begin(self, *words: str) -> None:
        with (self.home / f"{'-'.join(words)}.out").open("wb") as log:
            started = subprocess.Popen(
                [str(self.venv / "bin" / "airflow"), *words],
                env=self.env(), cwd=self.home, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.processes.append(started)

    def _wait(self, is_done: Callable[[], bool], what: str) -> None:
        for _ in range(PATIENCE_S):
            if is_done():
                return
            for process in self.processes:
                if process.poll() is not None:
                    pytest.fail(f"{process.args} ended with {process.returncode}\n{self._tail()}")
            time.sleep(1)
        pytest.fail(f"waited {PATIENCE_S} s for {what}\n{self._tail()}")

    def _tail(self) -> str:
        parts = [
            f"== {path.name}\n{path.read_text(errors='replace')[-3000:]}" for path in self.home.glob("*.out")
        ]
        return "\n".join(parts)

    def tries(self) -> dict[tuple[str, str, str, int, int], str]:
        """(dag_id, run_id, task_id, map_index, try_number) → state: what this Airflow holds to be true.

        The history table calls a try that was retried `failed` (2.11) or `up_for_retry`; both mean the latter.
        """
        columns = "dag_id, run_id, task_id, map_index, try_number, state"
        found: dict[tuple[str, str, str, int, int], str] = {}
        for table in ("task_instance_history", "task_instance"):
            for *key, state in self.rows(f"select {columns} from {table}"):
                was_retried = table == "task_instance_history" and state == "failed"
                found[tuple(key)] = "up_for_retry" if was_retried else str(state)  # type: ignore[index]
        return found


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def airflow(
    major: str,
    home: Path,
    logs: str,
    more: dict[str, str],
    *,
    executor: str = "LocalExecutor",
    extras: tuple[str, ...] = (),
    also: tuple[tuple[str, ...], ...] = (),
) -> Iterator[Airflow]:
    """Make the environment if need be, start, and stop whatever happens.

    `extras` are of the PyPI package and `also` are further processes (`("celery", "worker")`): what an executor needs.
    """
    version, python = VERSIONS[major]
    pins = str(HERE / "requirements" / f"airflow-{version}.txt")
    wanted = ",".join(sorted({"amazon", "postgres", *extras}))
    name = "-".join([f"airflow-{version}", *extras])
    venv = environment(name, interpreter(python), [f"apache-airflow[{wanted}]=={version}", "-c", pins])
    (home / "dags").mkdir(parents=True)
    for path in (HERE / "dags").glob("*.py"):
        shutil.copyfile(path, home / "dags" / path.name)
    with postgres() as server:
        server.sql("postgres", "create database airflow")
        settings = _settings(major) | {"AIRFLOW__CORE__EXECUTOR": executor} | more
        components = (*COMPONENTS[major], *also)
        one = Airflow(major, venv, home, logs, settings, server.url("airflow"), components)
        try:
            one.start()
            yield one
        finally:
            one.stop()


def _settings(major: str) -> dict[str, str]:
    ports = {
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(free_port()),
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
    }
    if major == "2":
        return ports | {
            "AIRFLOW__CORE__FERNET_KEY": "",
            "AIRFLOW__SCHEDULER__MIN_FILE_PROCESS_INTERVAL": "10",
            "AIRFLOW__SCHEDULER__DAG_DIR_LIST_INTERVAL": "10",
        }
    port = free_port()
    return ports | {
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__API_AUTH__JWT_SECRET": "FAKE" * 16,
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
    }


def s3_connection(endpoint: str) -> str:
    """`aws_default` for a server on loopback."""
    extra = {"endpoint_url": endpoint, "region_name": "us-east-1"}
    return json.dumps({"conn_type": "aws", "login": "FAKE", "password": "FAKE", "extra": extra})
