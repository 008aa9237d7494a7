"""Advice names each setting as the version at hand writes it, with a line to apply it and a line to undo it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.findings import test_duration_rules as durations
from tests.findings import test_pools as pools
from tests.findings import test_waiting as waiting
from tests.support.settings import NAMES, week_of_settings
from windsock.findings.how_to_set import in_code, in_environment, named, spellings
from windsock.findings.rule import Rule
from windsock.findings.rules.ws103_broken import Broken
from windsock.findings.rules.ws107_retries import Retries
from windsock.findings.rules.ws202_parse_time_near_limit import ParseTimeNearLimit
from windsock.findings.rules.ws301_pool_saturated import PoolSaturated
from windsock.findings.rules.ws310_waiting_for_limit import WaitingForLimit
from windsock.findings.rules.ws311_executor_full import ExecutorFull
from windsock.findings.rules.ws312_sensors_hold_slots import SensorsHoldSlots
from windsock.findings.rules.ws404_near_timeout import NearTimeout
from windsock.findings.rules.ws405_run_backlog import RunBacklog
from windsock.model import Answer, Finding
from windsock.week import Week

WEEK = Week.parse("2026-W47")
GOLDEN = yaml.safe_load((Path(__file__).parent / "how_to_set.yaml").read_text(encoding="utf-8"))
CASES = [
    (name, version, expected)
    for name, by_version in GOLDEN.items()
    for version, expected in by_version.items()
]


def parsed(p95_s: float, median_s: float) -> dict[str, Any]:
    row = {"source": "metric", "bundle_name": "", "dag_file": "etl.py", "samples": 99, "median_s": median_s, "p95_s": p95_s,
           "max_s": p95_s}  # fmt: skip
    return {"parse_time_by_file": [row]}


def waited(limit: str) -> dict[str, Any]:
    scope, dag_id = ("all", "") if limit == "executor" else ("dag", "d")
    given = waiting.waited(waits_for=limit, scope=scope, dag_id=dag_id)
    return {name: given[name].rows for name in ("waiting_by_limit", "waiting_seen", "try_waits")}


def full() -> dict[str, Any]:
    rows = [
        {"executor": "", "hour_at": WEEK.from_at + timedelta(hours=n), "minutes": 60, "full_minutes": 60, "slots": 32.0,
         "running_most": 32.0, "queued_mean": 6.0, "queued_usual": 6.0, "weeks_before": 8} for n in range(100)
    ]  # fmt: skip
    return {"executor_load_by_hour": rows}


def sensors(*, counts: bool = False) -> dict[str, Any]:
    row = {"pool": "dwh", "dag_id": "d", "task_id": "wait", "operator": "FileSensor", "tries": 9, "slot_hours": 30.0,
           "share": 0.9, "mean_s": 12000.0}  # fmt: skip
    size = {"pool": "dwh", "slots": 8, "includes_deferred": counts, "until_at": WEEK.to_at}
    return {"pool_sensors": [row], "pool_sizes": [size]}


def timeout(kind: str, task_id: str | None) -> dict[str, Any]:
    return {"timeouts": [durations.limit(kind=kind, task_id=task_id)]}


BACKLOG = {"dag_id": "d", "limit_value": 2, "held_minutes": 5000, "runs": 84, "run_hours": 330.0, "mean_active": 1.97,
           "late_first_s": 600.0, "late_last_s": 40_000.0}  # fmt: skip
EARLY = durations.useful(early=30, early_hours=4.5, recovery_s=700.0, recovery_p90_s=850.0)
MADE: dict[str, tuple[type[Rule], dict[str, Any]]] = {
    "retries": (Retries, {"retry_economics": [durations.retries()]}),
    "retry_delay": (Retries, {"retry_economics": [EARLY]}),
    "near_import_timeout": (ParseTimeNearLimit, parsed(16.0, 15.0)),
    "near_processor_timeout": (ParseTimeNearLimit, parsed(48.0, 40.0)),
    "default_pool": (
        PoolSaturated,
        {name: one.rows for name, one in pools.week("default_pool").items()},
    ),
    "max_active_tasks": (WaitingForLimit, waited("max_active_tasks")),
    "max_active_runs": (WaitingForLimit, waited("max_active_runs")),
    "max_active_tis_per_dag": (WaitingForLimit, waited("max_active_tis_per_dag")),
    "executor_slots": (WaitingForLimit, waited("executor")),
    "executor_full": (ExecutorFull, full()),
    "sensors": (SensorsHoldSlots, sensors()),
    "sensors_in_a_pool_that_counts_them": (SensorsHoldSlots, sensors(counts=True)),
    "execution_timeout": (NearTimeout, timeout("execution_timeout", "t")),
    "dagrun_timeout": (NearTimeout, timeout("dagrun_timeout", None)),
    "backlog": (RunBacklog, {"run_backlogs": [BACKLOG]}),
}


def finding(name: str, version: str, told: dict[str, object] | None = None) -> Finding:
    rule, rows = MADE[name]
    given = week_of_settings(version, told, **rows)
    (one,) = rule.judge(given, rule.limits(), week=WEEK).findings
    return one


@pytest.mark.parametrize(("name", "version", "expected"), CASES)
def test_each_advice_names_the_setting_of_its_version_and_both_ways(
    name: str, version: str, expected: dict[str, Any]
) -> None:
    one = finding(name, version)
    assert one.evidence.get("apply") == expected["apply"]
    assert one.evidence.get("undo") == expected["undo"]
    assert [text for text in expected["says"] if text not in one.advice] == [], one.advice


@pytest.mark.parametrize(
    ("version", "runs", "says"),
    [
        ("2.8.4", 30, None),
        ("2.9.3", 10, None),
        ("2.9.3", 20, "paused itself, 10 hours of workers ago"),
        ("", 40, "paused itself, 15 hours of workers ago"),
    ],
)
def test_a_broken_dag_would_have_paused_itself(version: str, runs: int, says: str | None) -> None:
    """Half of twenty runs, three quarters of forty: the hours after the tenth failure."""
    rows = [
        {"dag_id": "d", "week": WEEK.monday if day == 0 else WEEK.minus(1 + day // 7).monday, "day": WEEK.monday - timedelta(days=day),
         "runs": runs // 10, "lost_runs": runs // 10, "hours": 2.0} for day in range(18, -2, -2)
    ]  # fmt: skip
    (one,) = Broken.judge(
        week_of_settings(version, failure_counts_by_dag_day=rows), Broken.limits(), week=WEEK
    ).findings
    assert (says in one.advice) if says else ("paused itself" not in one.advice), one.advice


def test_what_is_told_is_what_undo_sets_back() -> None:
    told: dict[str, object] = {"core.parallelism": 24, "core.dagbag_import_timeout": 31}
    assert finding("executor_full", "3.3.2", told).evidence["undo"] == "AIRFLOW__CORE__PARALLELISM=24"
    undo = finding("near_import_timeout", "3.3.2", told).evidence["undo"]
    assert undo == (
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT=31; unset AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT"
    )


def test_advice_fits_on_its_card() -> None:
    """The page cuts advice after 600 characters."""
    for name, version, _expected in CASES:
        assert len(finding(name, version).advice) <= 600, (name, version)


def test_a_setting_that_this_version_lacks_has_no_line() -> None:
    given = {"setting_names": spellings(NAMES, "2.3.4")}
    assert in_environment(given, "default_deferrable", "true") == {}
    assert in_code(given, "default_deferrable", True, False, dag_id="d") == {}
    assert named(given, "default_deferrable") == "default_deferrable"


def test_without_a_version_a_moved_setting_has_both_names_and_others_one() -> None:
    given: dict[str, Answer] = {"setting_names": spellings(NAMES, "")}
    assert named(given, "parsing_processes") == (
        "[scheduler] parsing_processes in Airflow 2, [dag_processor] parsing_processes in Airflow 3"
    )
    assert named(given, "parallelism") == "[core] parallelism"
    both = in_environment(given, "task_heartbeat_timeout", 300)
    assert both["apply"] == (
        "AIRFLOW__SCHEDULER__SCHEDULER_ZOMBIE_TASK_THRESHOLD=300 in Airflow 2, "
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT=300 in Airflow 3"
    )


def test_a_parameter_without_a_value_before_is_taken_out_again() -> None:
    given = {"setting_names": spellings(NAMES, "3.3.2")}
    way = in_code(given, "default_task_execution_timeout", 60, None, dag_id="d", task_id="t")
    assert way["undo"] == "task 't' of 'd': no execution_timeout"
