"""The reviewed table of settings: complete rows, one current name at a time, and the defaults that Airflow's own files have.

`tests/data/airflow_defaults.csv` was extracted from `config_templates/config.yml` of the releases that it names.
"""

import csv
from itertools import pairwise
from pathlib import Path

import pytest

from windsock import resources
from windsock.parse.told.facts import SETTINGS
from windsock.reviewed.metric_gaps import version_numbers
from windsock.reviewed.settings import load_settings, names_of, plain, variable

NAMES = load_settings(resources.folder("sql"))
DEFAULTS = list(csv.DictReader((Path(__file__).parent / "data" / "airflow_defaults.csv").open()))
VERSIONS = sorted({row["version"] for row in DEFAULTS}, key=version_numbers)
ASKED = (
    "parallelism max_active_tasks_per_dag max_active_runs_per_dag dagbag_import_timeout dag_file_processor_timeout "
    "min_file_process_interval parsing_processes refresh_interval scheduler_heartbeat_sec task_heartbeat_timeout "
    "scheduler_health_check_threshold default_pool_task_slot_count max_active_tis_per_dag default_task_execution_timeout "
    "default_task_retries default_task_retry_delay dagrun_timeout default_deferrable max_consecutive_failed_dag_runs_per_dag task_queued_timeout max_tis_per_query worker_concurrency"
).split()


def test_every_setting_is_there_with_its_source() -> None:
    assert {one.setting for one in NAMES} == set(ASKED)
    for one in NAMES:
        assert one.source and one.status in ("current", "still_read", "ignored"), one
        assert one.status != "current" or (one.unit and one.scope and one.bounds), one
        assert not one.section or one.key in SETTINGS[one.section], f"{one.fact} may not enter the lake"


def test_a_setting_has_one_current_name_at_a_time() -> None:
    for setting in ASKED:
        mine = [one for one in NAMES if one.setting == setting and one.status == "current"]
        assert all(a.before_version == b.since_version for a, b in pairwise(mine)), setting
        assert mine[-1].before_version == ""


@pytest.mark.parametrize("version", VERSIONS)
def test_names_and_defaults_are_those_of_airflow(version: str) -> None:
    real = {(row["section"], row["key"]): row["default"] for row in DEFAULTS if row["version"] == version}
    known = [one for one in names_of(NAMES, version) if one.section and one.section != "celery"]
    for one in known:
        place = (one.section, one.key)
        if one.status == "current":
            assert place in real, f"{version} has no {place}"
            assert one.default == real[place] or float(one.default) == float(real[place]), (version, place)
        else:
            assert place not in real, f"{version} still has {place}"
    named = {(one.section, one.key) for one in known if one.status == "current"}
    # 2.0 has settings that the table tells from a later version on
    assert version_numbers(version) < (2, 9) or set(real) - {("celery", "worker_concurrency")} == named


@pytest.mark.parametrize(
    ("version", "setting", "section", "scope"),
    [
        (
            "2.11.2",
            "parsing_processes",
            "scheduler",
            "each scheduler, or dag-processor where it stands alone",
        ),
        ("3.0.0", "parsing_processes", "dag_processor", "each dag-processor"),
        ("2.11.2", "max_active_tasks_per_dag", "core", "each DAG, over all its runs"),
        ("v3.0.6+astro.1", "max_active_tasks_per_dag", "core", "each DAG run"),
        ("2 (schema of 2.11)", "task_heartbeat_timeout", "scheduler", "each running task"),
    ],
)
def test_sections_and_scopes_follow_the_version(version: str, setting: str, section: str, scope: str) -> None:
    (one,) = [one for one in names_of(NAMES, version) if one.setting == setting and one.status == "current"]
    assert (one.section, one.scope) == (section, scope)


@pytest.mark.parametrize(
    ("version", "key", "status"),
    [
        ("2.11.2", "parsing_processes", None),
        ("3.0.0", "parsing_processes", "ignored"),
        ("3.3.2", "parsing_processes", "ignored"),
        ("3.1.5", "dag_file_processor_timeout", "ignored"),
        ("3.1.6", "dag_file_processor_timeout", "still_read"),
        ("3.3.2", "dag_dir_list_interval", "still_read"),
        ("3.0.0", "scheduler_zombie_task_threshold", "ignored"),
        ("2.10.5", "dag_concurrency", "still_read"),
    ],
)
def test_old_names_are_read_or_passed_over(version: str, key: str, status: str | None) -> None:
    old = [one.status for one in names_of(NAMES, version) if one.key == key and one.status != "current"]
    assert old == ([status] if status else [])


def test_no_version_has_no_settings() -> None:
    assert names_of(NAMES, "") == names_of(NAMES, "unknown") == ()
    assert plain("unknown") == ""
    assert variable("core", "parallelism") == "AIRFLOW__CORE__PARALLELISM"
