"""Rules of settings: below, at and above their thresholds; nothing where nobody tells, nothing on Airflow's own defaults."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.settings import NAMES
from tests.support.settings import week_of_settings as week
from windsock.findings import told_once
from windsock.findings.rule import Rule
from windsock.findings.rules.ws207_stale_parsing import StaleParsing
from windsock.findings.rules.ws610_limit_never_reached import LimitNeverReached
from windsock.findings.rules.ws611_parsing_behind import ParsingBehind
from windsock.findings.rules.ws612_timeouts_in_wrong_order import TimeoutsInWrongOrder
from windsock.findings.rules.ws613_heartbeat_limits import HeartbeatLimits
from windsock.findings.rules.ws614_setting_without_effect import SettingWithoutEffect
from windsock.findings.rules.ws615_queue_timeout import QueueTimeout
from windsock.findings.settings import settings_answers
from windsock.model import Answer, Finding, Row
from windsock.week import Week

WEEK = Week.parse("2026-W47")
RULES = (
    LimitNeverReached,
    ParsingBehind,
    TimeoutsInWrongOrder,
    HeartbeatLimits,
    SettingWithoutEffect,
    QueueTimeout,
)


def found(rule: type[Rule], given: Mapping[str, Answer]) -> list[Finding]:
    return rule.judge(given, rule.limits(), week=WEEK).findings


def stands(given: Mapping[str, Answer]) -> dict[str, tuple[str, str]]:
    return {row["setting"]: (row["stands"], row["because"]) for row in given["settings_of_week"].rows}


def peaks(*values: int, grain: str = "deployment") -> list[Row]:
    return [{"week": date(2026, 10, 19), "grain": grain, "peak": value, "tries": 1000} for value in values]


def load(files: int, mean_s: float) -> list[Row]:
    return [
        {"source": "processor_log", "bundle_name": "", "dag_file": f"{n}.py", "parses": 100.0, "mean_s": mean_s,
         "parse_hours": 1.0, "interval_s": 30.0} for n in range(files)
    ]  # fmt: skip


# --- the quiet: Airflow's own defaults, told or assumed, are no finding


@pytest.mark.parametrize("version", ["2.3.4", "2.11.2", "3.0.0", "3.3.2", ""])
@pytest.mark.parametrize("is_told", [False, True])
def test_airflows_defaults_on_a_quiet_fleet_are_no_finding(version: str, is_told: bool) -> None:
    names = [
        one for one in NAMES if one.status == "current" and one.section and one.concerns(version or "3.3.2")
    ]
    told = {f"{one.section}.{one.key}": one.default for one in names if one.default} if is_told else {}
    given = week(
        version, told, peaks_by_week=peaks(3, 3, 3, 3, 3), parse_load_by_file=load(40, 0.5),
        queue_times=[{"tries": 5000, "median_s": 1.0, "p99_s": 5.0, "longest_s": 60.0}], limit_hits=[],
    )  # fmt: skip
    assert [one.headline for rule in RULES for one in found(rule, given)] == []


def test_nothing_told_is_no_data_and_not_healthy() -> None:
    for rule in (LimitNeverReached, TimeoutsInWrongOrder, HeartbeatLimits, SettingWithoutEffect):
        assert "[sources.airflow_config]" in rule.judge(week(), rule.limits(), week=WEEK).no_data
    assert week("")["settings_of_week"].rows == ()  # without a version no default is assumed


# --- WS610


@pytest.mark.parametrize(
    ("value", "weeks", "is_found"),
    [
        (128, (40, 20, 30, 64, 10), True),  # at half
        (128, (40, 20, 30, 65, 10), False),
        (128, (40, 20, 30, 64), False),  # a week short
        (32, (1, 1, 1, 1, 1), False),  # Airflow's own value is nobody's raise
        (33, (1, 1, 1, 1, 1), True),
        (16, (1, 1, 1, 1, 1), False),
    ],
)
def test_a_raise_that_was_never_used(value: int, weeks: tuple[int, ...], is_found: bool) -> None:
    given = week(told={"core.parallelism": value}, peaks_by_week=peaks(*weeks))
    assert bool(found(LimitNeverReached, given)) is is_found


def test_the_proposal_leaves_room_and_goes_both_ways() -> None:
    (one,) = found(
        LimitNeverReached, week(told={"core.parallelism": 128}, peaks_by_week=peaks(40, 20, 30, 38, 10))
    )
    assert one.severity == "info"
    assert one.evidence["apply"] == "AIRFLOW__CORE__PARALLELISM=60"
    assert one.evidence["undo"] == "AIRFLOW__CORE__PARALLELISM=128"


@pytest.mark.parametrize(
    ("value", "files", "is_found"),
    [
        (8, 60, True),  # 120 s of parsing in 30 s: four busy, at half
        (8, 61, False),
        (2, 1, False),  # Airflow's own value
        (3, 1, True),
    ],
)
def test_parsing_processes_that_stand_by(value: int, files: int, is_found: bool) -> None:
    given = week(told={"dag_processor.parsing_processes": value}, parse_load_by_file=load(files, 2.0))
    findings = found(LimitNeverReached, given)
    assert bool(findings) is is_found
    for one in findings:
        assert one.evidence["undo"] == f"AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES={value}"
        assert "give their memory back" in one.advice


def test_an_executor_that_was_full_reached_its_limit() -> None:
    full = [{"executor": "", "minutes": 60, "full_minutes": 1}]
    given = week(
        told={"core.parallelism": 128}, peaks_by_week=peaks(9, 9, 9, 9, 9), executor_load_by_hour=full
    )
    assert found(LimitNeverReached, given) == []
    assert stands(given)["parallelism"] == ("at the limit", "no slot open in 1.7 % of the minutes seen")


# --- WS611


@pytest.mark.parametrize(
    ("files", "mean_s", "is_found"),
    [
        (60, 2.0, True),  # 120 s over 2 processes are 60 s: at both thresholds
        (59, 2.0, False),  # under a minute
        (4, 60.0, False),  # a handful of files
        (5, 60.0, True),
    ],
)
def test_a_pass_that_takes_longer_than_its_interval(files: int, mean_s: float, is_found: bool) -> None:
    assert bool(found(ParsingBehind, week(parse_load_by_file=load(files, mean_s)))) is is_found


@pytest.mark.parametrize(("interval", "is_found"), [(39, True), (40, True), (41, False)])
def test_the_pass_is_held_against_the_interval(interval: int, is_found: bool) -> None:
    given = week(told={"dag_processor.min_file_process_interval": interval}, parse_load_by_file=load(60, 2.0))
    assert bool(found(ParsingBehind, given)) is is_found


@pytest.mark.parametrize(
    ("version", "variable"),
    [
        ("2.11.2", "AIRFLOW__SCHEDULER__PARSING_PROCESSES"),
        ("3.3.2", "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES"),
    ],
)
def test_the_cure_is_named_as_the_version_names_it(version: str, variable: str) -> None:
    (one,) = found(ParsingBehind, week(version, parse_load_by_file=load(100, 2.0)))
    assert one.evidence["apply"] == f"{variable}=7"  # 200 s over 30 s
    assert one.evidence["undo"] == f"unset {variable}"  # nobody had set it
    assert "asks for 30 s (default assumed)" in one.headline


def test_many_processes_are_no_cure() -> None:
    (one,) = found(ParsingBehind, week(parse_load_by_file=load(300, 2.0)))
    assert one.evidence["apply"] == "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL=300"


def test_stale_files_tell_it_with_the_cure() -> None:
    stale = {"source": "processor_log", "bundle_name": "", "dag_file": "1.py", "looks": 500, "usual_s": 60.0,
             "waits_s": [7200.0], "others_rate": [1.0], "untils_s": [WEEK.from_at.timestamp()]}  # fmt: skip
    given = week(parse_load_by_file=load(100, 2.0), parse_staleness_by_file=[stale])
    findings = [*found(StaleParsing, given), *found(ParsingBehind, given)]
    assert [one.code for one in told_once(findings, given)] == ["WS207"]
    assert findings[0].evidence["apply"] == "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES=7"
    assert "2 (default assumed) of [dag_processor] parsing_processes, and 7 would keep" in findings[0].advice


def test_an_old_name_does_not_tell_how_many_processes_there_are() -> None:
    """Airflow 3 passes over `[scheduler] parsing_processes`: two processes parse."""
    given = week("3.3.2", {"scheduler.parsing_processes": 8}, parse_load_by_file=load(100, 2.0))
    (one,) = found(ParsingBehind, given)
    assert one.evidence["pass_s"] == 100.0
    assert (
        found(
            ParsingBehind,
            week("2.11.2", {"scheduler.parsing_processes": 8}, parse_load_by_file=load(100, 2.0)),
        )
        == []
    )


# --- WS612


@pytest.mark.parametrize(
    ("outer", "inner", "is_found"), [(50, 49, False), (50, 49.5, True), (50, 50, True), (50, 60, True)]
)
def test_the_processor_may_not_die_before_the_import(outer: float, inner: float, is_found: bool) -> None:
    told = {"dag_processor.dag_file_processor_timeout": outer, "core.dagbag_import_timeout": inner}
    assert bool(found(TimeoutsInWrongOrder, week(told=told))) is is_found


def test_one_told_timeout_is_enough_and_kills_make_it_a_warning() -> None:
    kills = [{"kind": "processor_timeout", "bundle_name": "", "dag_file": "a.py", "kills": 4},
             {"kind": "import_timeout", "bundle_name": "", "dag_file": "b.py", "kills": 9}]  # fmt: skip
    (one,) = found(
        TimeoutsInWrongOrder, week("2.11.2", {"core.dagbag_import_timeout": 120}, parse_kills_by_file=kills)
    )
    assert (one.severity, one.evidence["kills"]) == ("warning", 4)
    assert one.evidence["apply"] == "AIRFLOW__CORE__DAG_FILE_PROCESSOR_TIMEOUT=140"
    assert one.evidence["undo"] == "unset AIRFLOW__CORE__DAG_FILE_PROCESSOR_TIMEOUT"
    (calm,) = found(TimeoutsInWrongOrder, week("2.11.2", {"core.dagbag_import_timeout": 120}))
    assert calm.severity == "watch"


# --- WS613


@pytest.mark.parametrize(("limit", "is_found"), [(9, True), (9.9, True), (10, False), (30, False)])
def test_a_scheduler_may_be_late_once(limit: float, is_found: bool) -> None:
    given = week(told={"scheduler.scheduler_health_check_threshold": limit})
    assert bool(found(HeartbeatLimits, given)) is is_found


@pytest.mark.parametrize(
    ("limit", "killed", "is_found"),
    [(60, 2, False), (60, 3, True), (299, 3, True), (300, 3, False), (600, 9, False)],
)
def test_a_short_limit_that_fails_tasks(limit: int, killed: int, is_found: bool) -> None:
    given = week(
        told={"scheduler.task_instance_heartbeat_timeout": limit},
        limit_hits=[{"event": "heartbeat_timeout", "tries": killed}],
        killed_tries=[{"state_reason": "oom", "tries": 99}],
    )
    findings = found(HeartbeatLimits, given)
    assert bool(findings) is is_found
    if is_found:
        assert findings[0].evidence["apply"] == "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT=300"
        assert findings[0].evidence["undo"] == f"AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT={limit}"


# --- WS614


@pytest.mark.parametrize(
    ("version", "told", "dead"),
    [
        ("3.3.2", {"scheduler.parsing_processes": 8}, ["parsing_processes"]),
        ("3.3.2", {"scheduler.parsing_processes": 2}, []),  # what holds anyway
        ("3.3.2", {"scheduler.parsing_processes": 8, "dag_processor.parsing_processes": 8}, []),
        ("2.11.2", {"scheduler.parsing_processes": 8}, []),
        ("3.3.2", {"core.dag_file_processor_timeout": 90}, []),  # read again since 3.1.6
        ("3.1.5", {"core.dag_file_processor_timeout": 90}, ["dag_file_processor_timeout"]),
        ("3.0.6", {"scheduler.scheduler_zombie_task_threshold": 60}, ["scheduler_zombie_task_threshold"]),
        ("3.0.6", {"scheduler.dag_dir_list_interval": 60}, []),
    ],
)
def test_settings_under_names_that_are_passed_over(
    version: str, told: dict[str, object], dead: list[str]
) -> None:
    findings = found(SettingWithoutEffect, week(version, told))
    assert [key for one in findings for key in dead if key in one.headline] == dead
    assert bool(findings) == bool(dead)


def test_all_dead_settings_are_one_finding() -> None:
    told = {
        "scheduler.parsing_processes": 8,
        "scheduler.min_file_process_interval": 60,
        "scheduler.dag_dir_list_interval": 9,
    }
    (one,) = found(SettingWithoutEffect, week("3.1.6", told))
    assert (
        one.headline
        == "2 settings without effect in Airflow 3.1.6: min_file_process_interval, parsing_processes"
    )
    assert one.evidence["apply"] == (
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL=60; AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES=8"
    )
    assert one.evidence["still_read"] == ["[scheduler] dag_dir_list_interval"]
    refresh = next(
        row for row in week("3.1.6", told)["settings_of_week"].rows if row["setting"] == "refresh_interval"
    )
    assert (refresh["setting_value"], refresh["told_as"]) == ("9", "[scheduler] dag_dir_list_interval")


# --- WS615


@pytest.mark.parametrize(
    ("ended", "tries", "p99_s", "is_found"),
    [
        (3, 200, 300.0, True),
        (2, 200, 300.0, False),
        (3, 199, 300.0, False),
        (3, 200, 299.0, False),  # the others start soon: these were lost
    ],
)
def test_a_queue_that_is_as_slow_as_its_limit(ended: int, tries: int, p99_s: float, is_found: bool) -> None:
    given = week(
        limit_hits=[{"event": "stuck_in_queued", "tries": ended - 1}, {"event": "queue_timeout", "tries": 1}],
        queue_times=[{"tries": tries, "median_s": 9.0, "p99_s": p99_s, "longest_s": 599.0}],
    )
    findings = found(QueueTimeout, given)
    assert bool(findings) is is_found
    if is_found:
        assert findings[0].evidence["apply"] == "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT=660"
        assert findings[0].evidence["failed"] == 1


# --- the table of the page


def test_each_setting_says_how_the_week_stood_against_it() -> None:
    given = week(
        "2.11.2",
        {"core.max_active_tasks_per_dag": 16, "scheduler.max_tis_per_query": 512, "core.dagbag_import_timeout": 30},
        peaks_by_week=[*peaks(20), *peaks(9, grain="dag"), *peaks(3, grain="dag_runs"), *peaks(4, grain="host")],
        parse_time_by_file=[{"p95_s": 20.0}, {"p95_s": 1.0}],
        pool_full_share=[{"pool": "default_pool", "total_slots": 64, "full_share": 0.2, "peak_slots": 64}],
        waiting_by_limit=[{"scope": "dag", "dag_id": "a", "waits_for": "max_active_runs", "hours": 12.0, "waits": 30},
                          {"scope": "all", "dag_id": "", "waits_for": "max_active_runs", "hours": 12.0, "waits": 30}],
    )  # fmt: skip
    now = stands(given)
    assert now["max_active_tasks_per_dag"] == ("in use", "at most 9 tasks of a DAG at once this week")
    assert now["max_active_runs_per_dag"] == ("at the limit", "12 hours waited in 1 DAG")
    assert now["max_tis_per_query"] == ("no effect", "never more than parallelism (32)")
    assert now["dagbag_import_timeout"] == ("in use", "the slowest file takes 20.0 s (95th percentile)")
    assert now["dag_file_processor_timeout"][0] == "never reached"
    assert now["default_pool_task_slot_count"] == ("no effect", "default_pool has 64 slots")
    assert now["task_queued_timeout"] == ("not known", "")
    assert "worker_concurrency" not in now  # no CeleryExecutor is told


USES = yaml.safe_load((Path(__file__).parent / "settings_use.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("setting", "rows", "told", "word", "says"),
    [(name, *case) for name, cases in USES.items() for case in cases],
)
def test_how_the_week_stood_against_each_setting(
    setting: str, rows: dict[str, list[Row]], told: dict[str, object], word: str, says: str
) -> None:
    stood, because = stands(week("3.3.2", told, **rows))[setting]
    assert (stood, says in because) == (word, True), because


def test_no_setting_of_the_table_is_left_out_and_without_input_none_is_judged() -> None:
    blind = stands(week("3.3.2"))
    assert set(USES) == set(blind)
    assert {word for word, _ in blind.values()} == {"not known"}


def test_within_a_run_since_airflow_3() -> None:
    rows = [*peaks(9, grain="dag"), *peaks(5, grain="run")]
    assert stands(week("3.3.2", peaks_by_week=rows))["max_active_tasks_per_dag"] == (
        "never reached",
        "at most 5 tasks of a run at once this week",
    )


def test_origins_are_told_apart() -> None:
    rows = {row["setting"]: row for row in week("3.3.2", {"core.parallelism": 9})["settings_of_week"].rows}
    assert rows["parallelism"]["origin"] == "told by a file"
    assert rows["parsing_processes"]["origin"] == "default assumed"
    assert rows["max_active_tis_per_dag"]["origin"] == "set in the DAG's code"
    assert rows["parallelism"]["default_value"] == "32"


@pytest.mark.parametrize(
    ("seen", "version"),
    [
        ({"airflow_version": "2.10.5+composer"}, "2.10.5"),
        ({"airflow_version": None, "major_version": 2}, "2.11"),
        ({"airflow_version": None, "major_version": 3}, "3.0"),
        ({"airflow_version": None, "major_version": 3, "has_parse_times": True}, "3.3"),
    ],
)
def test_the_version_is_the_lowest_that_is_sure(seen: Row, version: str) -> None:
    whole: dict[str, Any] = {
        "major_version": None,
        "has_parse_times": False,
        "executor": None,
        "hosts": 1,
    } | seen
    made = settings_answers({"airflow_seen": Answer("airflow_seen", tuple(whole), (whole,))}, NAMES)
    assert {row["airflow_version"] for row in made["settings_of_week"].rows} == {version}


@pytest.mark.parametrize(
    ("peak", "told", "word", "says"),
    [
        (8, {}, "never reached", "at most 8 at once on a host"),
        (15, {}, "in use", "at most 15 at once on a host"),
        (16, {}, "at the limit", "at most 16 at once on a host; 2 hosts x 16 are 32 places, parallelism lets 32 in"),
        (16, {"core.parallelism": 20}, "at the limit", "2 hosts x 16 are 32 places, parallelism lets only 20 in"),
        (21, {}, "exceeded", "at most 21 at once on a host"),
    ],
)  # fmt: skip
def test_celery_has_its_own(peak: int, told: dict[str, object], word: str, says: str) -> None:
    hosts = [{"grain": "host", "hostname": name} for name in ("w1", "w2")]
    given = week(
        told={"core.executor": "x", "celery.worker_concurrency": 16, **told},
        peaks_by_week=peaks(peak, grain="host"),
        work_by_worker=hosts,
    )
    stood, because = stands(given)["worker_concurrency"]
    assert (stood, says in because) == (word, True), because


@pytest.mark.parametrize(("executor", "is_told", "has_it"), [
    ("CeleryExecutor", False, True), ("LocalExecutor", True, False), (None, True, True), (None, False, False),
])  # fmt: skip
def test_who_sets_a_celery_setting_and_names_no_executor_runs_celery(
    executor: str | None, *, is_told: bool, has_it: bool
) -> None:
    seen = {
        "airflow_version": "3.3.2",
        "major_version": 3,
        "has_parse_times": True,
        "executor": executor,
        "hosts": 2,
    }
    fact = {
        "key": "config.celery.worker_concurrency",
        "setting_value": "8",
        "told_by": "file",
        "since_at": None,
    }
    given = {
        "airflow_seen": Answer("airflow_seen", tuple(seen), (seen,)),
        "settings_told": Answer("settings_told", (), (fact,) if is_told else ()),
    }
    assert ("worker_concurrency" in stands(settings_answers(given, NAMES))) is has_it
