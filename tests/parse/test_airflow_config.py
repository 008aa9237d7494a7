"""Airflow's configuration as a file: three forms, an allow-list, and nothing that could be a secret."""

import json
from datetime import UTC, datetime

import pytest

from windsock.parse.told.rows import Teller
from windsock.parse.told.settings import config_facts

TELLER = Teller("config", "config:/etc/airflow.cfg", (0, 0), datetime(2026, 11, 23, 6, tzinfo=UTC))


def told(text: str) -> dict[str, str]:
    rows = config_facts(text, TELLER)
    assert all(row["object_url"] == "config:/etc/airflow.cfg" and row["seen_at"] == TELLER.at for row in rows)
    return {row["key"]: row["value"] for row in rows}


CFG = """
[core]
# The executor
executor = LocalExecutor
parallelism = 12
fernet_key = FAKE-fernet-key
  parallelism = 99
# max_active_runs_per_dag = 3
[database]
sql_alchemy_conn = postgresql://airflow:FAKE-password@db/airflow
sql_alchemy_pool_size = 5
[scheduler]
#
# Source: airflow.cfg
parsing_processes = 8
max_tis_per_query=16
[smtp]
parallelism = 7
"""


def test_ini_tells_what_is_set_and_allowed() -> None:
    assert told(CFG) == {
        "config.core.executor": "LocalExecutor",
        "config.core.parallelism": "12",
        "config.database.sql_alchemy_pool_size": "5",
        "config.scheduler.parsing_processes": "8",
        "config.scheduler.max_tis_per_query": "16",
    }


def test_the_environment_stands_over_the_file_and_tells_the_version() -> None:
    text = (
        "AIRFLOW_VERSION=3.1.6\nAIRFLOW__CORE__PARALLELISM=64\nexport AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES='4'\n"
        "AIRFLOW__CORE__FERNET_KEY=FAKE\nAIRFLOW__DATABASE__SQL_ALCHEMY_CONN=postgresql://u:FAKE@db/x\nPATH=/bin\n"
        "AIRFLOW__KUBERNETES_EXECUTOR__WORKER_PODS_CREATION_BATCH_SIZE=3\n"
    )
    assert told(text + CFG) == told(CFG) | {
        "airflow.version": "3.1.6",
        "config.core.parallelism": "64",
        "config.dag_processor.parsing_processes": "4",
        "config.kubernetes_executor.worker_pods_creation_batch_size": "3",
    }


def test_the_answer_of_the_api_is_read_too() -> None:
    options = [{"key": "parallelism", "value": "9"}, {"key": "fernet_key", "value": "FAKE"}]
    assert told(json.dumps({"sections": [{"name": "core", "options": options}]})) == {
        "config.core.parallelism": "9"
    }


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[core]\n# parallelism = \n",  # `airflow config list` of 3.2 and newer without --show-values
        "{not json",
        '["a", "list"]',
        "[core]\nparallelism = {{ a secret }} with words\n",
        "[core]\nparallelism = postgresql://u:FAKE@db/x\n",
        "[core]\nparallelism = " + "9" * 200,
        "parallelism = 3\n",
        "[core\nparallelism = 3\n",
        "\x00\x01[core]\x00",
    ],
)
def test_what_tells_nothing_gives_nothing(text: str) -> None:
    assert told(text) == {}


def test_no_line_of_a_real_configuration_with_a_secret_is_kept() -> None:
    for value in told(CFG).values():
        assert "FAKE" not in value


CHART = """
# of a deployment; FAKE secrets
airflowVersion: "2.9.0"
defaultAirflowTag: "2.9.0"
images:
  airflow:
    repository: registry.example.com/airflow
    tag: 2.10.5-python3.11
executor: CeleryExecutor
config:
  core:
    parallelism: 64
    dags_are_paused_at_creation: 'True'
    load_examples: false
    fernet_key: FAKE-fernet-key
    max_active_tasks_per_dag: '{{ .Values.tasks }}'
  celery:
    worker_concurrency: 16
  database:
    sql_alchemy_conn: postgresql://airflow:FAKE-password@db/airflow
env:
  - name: AIRFLOW__CORE__PARALLELISM
    value: "96"
  - name: AIRFLOW__SCHEDULER__PARSING_PROCESSES
    valueFrom:
      secretKeyRef: {name: s, key: k}
scheduler:
  env:
    - name: AIRFLOW__SCHEDULER__PARSING_PROCESSES
      value: 4
data:
  metadataConnection: {user: airflow, pass: FAKE-password}
"""


def test_the_helm_charts_values_are_what_the_chart_hands_to_airflow() -> None:
    assert told(CHART) == {
        "airflow.version": "2.10.5",
        "config.core.executor": "CeleryExecutor",
        "config.core.parallelism": "96",
        "config.core.load_examples": "False",
        "config.celery.worker_concurrency": "16",
        "config.scheduler.parsing_processes": "4",
    }


@pytest.mark.parametrize(
    "text",
    [
        "config:\n  core: [1, 2\n",  # broken
        "config: 7\nenv: {}\nimages: []\nexecutor: [a]\n",
        "config:\n  - core\n",
        "env:\n- 1\n- {name: null, value: null}\n",
        "executor: !!python/object/apply:os.system ['true']\n",
        "a: &a [x, x]\nb: &b [*a, *a]\nconfig: {core: *b}\n",
        "config:\n" + "".join(" " * (2 * n) + "a:\n" for n in range(1, 400)),
        "executor: \x00\n",
    ],
)
def test_values_that_are_no_chart_tell_nothing(text: str) -> None:
    assert told(text) == {}
