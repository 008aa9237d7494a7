"""Rules over answers: one file, one rule. The list below is all there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from windsock.errors import ConfigError
from windsock.findings.context import with_changes
from windsock.findings.doubt import with_doubt
from windsock.findings.explained import explained_runs, retried_elsewhere, within_another
from windsock.findings.impact import place, with_impact
from windsock.findings.rule import Rule
from windsock.findings.rules.ws101_failure_rate_worse import FailureRateWorse
from windsock.findings.rules.ws102_failure_rate_better import FailureRateBetter
from windsock.findings.rules.ws103_broken import Broken
from windsock.findings.rules.ws104_born_broken import BornBroken
from windsock.findings.rules.ws105_worse_than_good_version import WorseThanGoodVersion
from windsock.findings.rules.ws106_broken_for_days import BrokenForDays
from windsock.findings.rules.ws107_retries import Retries
from windsock.findings.rules.ws108_new_dag_failing import NewDagFailing
from windsock.findings.rules.ws109_rare_run_lost import RareRunLost
from windsock.findings.rules.ws110_incident import Incident
from windsock.findings.rules.ws111_bad_hour import BadHour
from windsock.findings.rules.ws112_saved_by_retries import SavedByRetries
from windsock.findings.rules.ws113_first_run_lost import FirstRunLost
from windsock.findings.rules.ws115_known_issue import KnownIssueSeen
from windsock.findings.rules.ws116_broken_task import BrokenTask
from windsock.findings.rules.ws117_retried_every_time import RetriedEveryTime
from windsock.findings.rules.ws118_few_runs_lost import FewRunsLost
from windsock.findings.rules.ws201_parse_time_regression import ParseTimeRegression
from windsock.findings.rules.ws202_parse_time_near_limit import ParseTimeNearLimit
from windsock.findings.rules.ws203_parse_killed import ParseKilled
from windsock.findings.rules.ws205_import_error import ImportFailed
from windsock.findings.rules.ws206_worker_parse_tax import WorkerParseTax
from windsock.findings.rules.ws207_stale_parsing import StaleParsing
from windsock.findings.rules.ws301_pool_saturated import PoolSaturated
from windsock.findings.rules.ws302_waits_for_ever import WaitsForEver
from windsock.findings.rules.ws303_pool_unused import PoolUnused
from windsock.findings.rules.ws304_wide_tasks_starve import WideTasksStarve
from windsock.findings.rules.ws310_waiting_for_limit import WaitingForLimit
from windsock.findings.rules.ws311_executor_full import ExecutorFull
from windsock.findings.rules.ws312_sensors_hold_slots import SensorsHoldSlots
from windsock.findings.rules.ws313_errors_when_full import ErrorsWhenFull
from windsock.findings.rules.ws401_task_slower import TaskSlower
from windsock.findings.rules.ws402_run_slower import RunSlower
from windsock.findings.rules.ws403_late_finish import LateFinish
from windsock.findings.rules.ws404_near_timeout import NearTimeout
from windsock.findings.rules.ws405_run_backlog import RunBacklog
from windsock.findings.rules.ws406_deadline_missed import DeadlineMissed
from windsock.findings.rules.ws407_no_timeout import NoTimeout
from windsock.findings.rules.ws408_task_much_faster import TaskMuchFaster
from windsock.findings.rules.ws501_silent_dag import SilentDag
from windsock.findings.rules.ws502_missing_runs import MissingRuns
from windsock.findings.rules.ws503_dag_paused import DagPaused
from windsock.findings.rules.ws504_dag_vanished import DagVanished
from windsock.findings.rules.ws505_silent_task import SilentTask
from windsock.findings.rules.ws510_killed import Killed
from windsock.findings.rules.ws511_no_log import NoLog
from windsock.findings.rules.ws512_false_success import FalseSuccess
from windsock.findings.rules.ws513_timed_out_runs import TimedOutRuns
from windsock.findings.rules.ws514_callback_failed import CallbackFailed
from windsock.findings.rules.ws515_unheard_failures import Unheard
from windsock.findings.rules.ws516_state_mismatch import StateMismatch
from windsock.findings.rules.ws517_errors_in_successes import ErrorsInSuccesses
from windsock.findings.rules.ws518_many_messages import ManyMessages
from windsock.findings.rules.ws519_no_failure_alert import NoFailureAlert
from windsock.findings.rules.ws520_duplicate_dag_id import DuplicateDagId
from windsock.findings.rules.ws521_blocked_by_past import BlockedByPast
from windsock.findings.rules.ws522_start_date_moves import StartDateMoves
from windsock.findings.rules.ws523_logs_missing import LogsMissing
from windsock.findings.rules.ws524_connection_failing import ConnectionFailing
from windsock.findings.rules.ws530_component_silent import ComponentSilent
from windsock.findings.rules.ws531_nothing_started import NothingStarted
from windsock.findings.rules.ws533_never_resumed import NeverResumed
from windsock.findings.rules.ws534_map_shrank import MapShrank
from windsock.findings.rules.ws601_mixed_versions import MixedVersions
from windsock.findings.rules.ws602_version_inflation import VersionInflation
from windsock.findings.rules.ws603_broken_commit_rerun import BrokenCommitRerun
from windsock.findings.rules.ws604_bundle_slow import BundleSlow
from windsock.findings.rules.ws605_renamed_dag import RenamedDag
from windsock.findings.rules.ws606_mass_rerun import MassRerun
from windsock.findings.rules.ws607_renamed_task import RenamedTask
from windsock.findings.rules.ws610_limit_never_reached import LimitNeverReached
from windsock.findings.rules.ws611_parsing_behind import ParsingBehind
from windsock.findings.rules.ws612_timeouts_in_wrong_order import TimeoutsInWrongOrder
from windsock.findings.rules.ws613_heartbeat_limits import HeartbeatLimits
from windsock.findings.rules.ws614_setting_without_effect import SettingWithoutEffect
from windsock.findings.rules.ws615_queue_timeout import QueueTimeout
from windsock.findings.rules.ws620_since_change import SinceChange
from windsock.findings.rules.ws621_meanings_changed import MeaningsChanged
from windsock.findings.rules.ws630_bad_worker import BadWorker
from windsock.findings.rules.ws631_slow_worker import SlowWorker
from windsock.findings.rules.ws632_worker_lost import WorkerLost
from windsock.findings.rules.ws633_queue_without_worker import QueueWithoutWorker
from windsock.findings.rules.ws634_retries_burnt import RetriesBurnt
from windsock.findings.rules.ws635_executor_fit import ExecutorFit
from windsock.findings.rules.ws636_start_slower import StartSlower
from windsock.findings.rules.ws650_log_rewritten import LogRewritten
from windsock.findings.rules.ws651_log_growth import LogGrowth
from windsock.findings.rules.ws652_noisy_line import NoisyLine
from windsock.findings.rules.ws653_log_retention import LogRetention
from windsock.findings.rules.ws901_rejects import Rejects
from windsock.findings.rules.ws902_check_warning import CheckWarning
from windsock.findings.told_with_more import (
    hanging,
    is_hanging,
    is_paused,
    is_renamed,
    is_told_by,
    paused_since,
    told_with_more,
    went_on,
)
from windsock.findings.waiting.workers import WORKERS
from windsock.model import Answer, Finding, Judgement, NoData
from windsock.week import Week

RULES: tuple[type[Rule], ...] = (
    FailureRateWorse,
    FailureRateBetter,
    Broken,
    BornBroken,
    BrokenForDays,
    WorseThanGoodVersion,
    Retries,
    NewDagFailing,
    RareRunLost,
    FirstRunLost,
    BrokenTask,
    SavedByRetries,
    RetriedEveryTime,
    FewRunsLost,
    Incident,
    BadHour,
    KnownIssueSeen,
    ParseTimeRegression,
    ParseTimeNearLimit,
    ParseKilled,
    ImportFailed,
    WorkerParseTax,
    StaleParsing,
    PoolSaturated,
    TaskSlower,
    RunSlower,
    LateFinish,
    NearTimeout,
    RunBacklog,
    DeadlineMissed,
    NoTimeout,
    TaskMuchFaster,
    WaitsForEver,
    PoolUnused,
    WideTasksStarve,
    WaitingForLimit,
    ExecutorFull,
    SensorsHoldSlots,
    ErrorsWhenFull,
    SilentDag,
    MissingRuns,
    DagPaused,
    DagVanished,
    SilentTask,
    Killed,
    NoLog,
    FalseSuccess,
    TimedOutRuns,
    CallbackFailed,
    Unheard,
    StateMismatch,
    ErrorsInSuccesses,
    ManyMessages,
    NoFailureAlert,
    DuplicateDagId,
    BlockedByPast,
    StartDateMoves,
    LogsMissing,
    ConnectionFailing,
    ComponentSilent,
    NothingStarted,
    NeverResumed,
    MapShrank,
    MixedVersions,
    VersionInflation,
    BadWorker,
    SlowWorker,
    WorkerLost,
    QueueWithoutWorker,
    RetriesBurnt,
    BrokenCommitRerun,
    BundleSlow,
    RenamedDag,
    MassRerun,
    RenamedTask,
    LimitNeverReached,
    ParsingBehind,
    TimeoutsInWrongOrder,
    HeartbeatLimits,
    SettingWithoutEffect,
    QueueTimeout,
    ExecutorFit,
    StartSlower,
    SinceChange,
    MeaningsChanged,
    LogRewritten,
    LogGrowth,
    NoisyLine,
    LogRetention,
    Rejects,
    CheckWarning,
)

# where two cost the same: the order in which an on-call lead acts
_URGENCY = ("WS110", "WS111", "WS101", "WS106", "WS5", "WS2", "WS3")
_SEVERITY = {"critical": 0, "warning": 1, "watch": 2, "info": 3}


def validate_thresholds(values: Mapping[str, Mapping[str, float]]) -> None:
    """Refuse a rule or a threshold that does not exist."""
    known = {rule.code: rule for rule in RULES}
    for code, thresholds in values.items():
        if code not in known:
            raise ConfigError(f"[findings.{code}]: no such rule; there are {', '.join(sorted(known))}")
        known[code].limits(thresholds)


def judge_all(
    answers: Mapping[str, Answer],
    *,
    week: Week,
    thresholds: Mapping[str, Mapping[str, float]],
    exclude: Sequence[str] = (),
) -> Judgement:
    """Every rule over the week's answers; findings in rank order."""
    validate_thresholds(thresholds)
    kept = {name: _in_scope(answer, exclude) for name, answer in answers.items()}
    findings: list[Finding] = []
    no_data: list[NoData] = []
    judged: dict[str, int] = {}
    not_enough: dict[str, int] = {}
    for rule in RULES:
        verdicts = rule.judge(kept, rule.limits(thresholds.get(rule.code)), week=week)
        judged[rule.code], not_enough[rule.code] = verdicts.judged, verdicts.not_enough
        if verdicts.no_data and not any(one.section == rule.section for one in no_data):
            no_data.append(NoData(rule.section, verdicts.no_data))
        findings += verdicts.findings
    told = [with_impact(one) for one in with_doubt(told_once(findings, kept), kept)]
    findings = with_changes(told, answers, week)
    return Judgement(tuple(sorted(findings, key=_place)), tuple(no_data), judged, not_enough)


def _place(one: Finding) -> tuple[object, ...]:
    """By severity; what is over stands behind what goes on; then by what it cost."""
    is_over = bool(one.evidence.get("is_over"))
    return _SEVERITY[one.severity], is_over, *place(one), _urgency(one.code), -one.rank, one.id


OWN_EXCESS = 5.0
"""Lost runs above the usual that a DAG must have besides an incident's, to be told apart from it."""


_FOLLOWS = {
    "WS105": frozenset({"WS101", "WS103", "WS104", "WS106"}),  # it lost runs in every comparison
    "WS106": frozenset({"WS101", "WS103", "WS104"}),  # the same runs, judged by their rate, or longer
    "WS107": frozenset({"WS103", "WS104", "WS106"}),  # no number of retries helps a DAG that is broken
    "WS108": frozenset({"WS101", "WS103", "WS104", "WS106"}),  # a past was found to compare it with
    "WS109": frozenset({"WS101", "WS103", "WS104", "WS106", "WS108"}),  # it lost more than its newest run
    # what retries no longer save says more; so does which task needs one every time, and since when
    "WS112": frozenset({"WS101", "WS103", "WS104", "WS106", "WS108", "WS117", "WS118"}),
    "WS113": frozenset({"WS101", "WS103", "WS104", "WS106", "WS108"}),
    "WS116": frozenset({"WS101", "WS103", "WS104", "WS105", "WS106", "WS108", "WS109", "WS113", "WS118"}),
    "WS118": frozenset({"WS101", "WS103", "WS104", "WS105", "WS106", "WS108", "WS109", "WS113"}),
    "WS117": frozenset({"WS103", "WS104", "WS106"}),  # it is broken, and its retries with it
    "WS505": frozenset({"WS521"}),  # its last failed run holds it back
    "WS402": frozenset({"WS401"}),  # the run grew because its task did
    "WS403": frozenset({"WS401", "WS402"}),  # it is late because it takes longer
}
"""Codes that are not told of a DAG of which one of those codes is."""
_FEW_RUNS = {"WS108": "lost_runs", "WS109": "", "WS113": "", "WS116": "lost", "WS118": "failures"}
"""Codes of a few lost runs, that are not told where an incident, a bad hour or a bad host tells as many; none named: one."""


def told_once(findings: Sequence[Finding], answers: Mapping[str, Answer]) -> list[Finding]:
    """The findings without what another one tells already.

    Of one DAG: WS101 where it is broken (WS103, WS104), or incidents, bad hours or hosts explain all but `OWN_EXCESS` of its
    excess; WS106 where they explain all of its runs; WS510 where WS106 tells the kills; WS118 where WS510 does; silence of one that
    goes on under another name (WS605), and runs that it misses since it was paused (WS503); first tries that all end by the
    timeout of WS404 (WS117); what follows from another finding (`_FOLLOWS`).
    Of the fleet: an incident within a bad hour or on a bad host; rejects that WS901 tells; a slow pass of parsing where WS207 tells
    what it led to; later starts (WS636) for the full workers of WS310; wide tasks (WS304) that are most of a full pool's waiting (WS301).
    """
    broken = {one.subject["dag_id"] for one in findings if one.code in ("WS103", "WS104")}
    killed = {one.subject["dag_id"] for one in findings if one.code == "WS106" and "ending" in one.evidence}
    killed_runs = {
        one.subject["dag_id"]: one.evidence.get("lost_runs") for one in findings if one.code == "WS510"
    }
    retried = retried_elsewhere(findings, answers)
    explained, within = explained_runs(findings, answers), within_another(findings)
    elsewhere, former, paused = told_with_more(findings), went_on(findings), paused_since(findings)
    hung = hanging(findings)
    wide = {one.subject["pool"] for one in findings if one.code == "WS301" and one.evidence.get("wide_hours")}
    has_rejects = any(one.code == "WS901" for one in findings)
    has_stale_files = any(one.code == "WS207" for one in findings)
    has_full_workers = any(one.code == "WS310" and one.subject["limit"] == WORKERS for one in findings)
    codes: dict[str, set[str]] = {}
    for one in findings:
        codes.setdefault(one.subject.get("dag_id", ""), set()).add(one.code)
    kept = []
    for one in findings:
        if codes[one.subject.get("dag_id", "")] & _FOLLOWS.get(one.code, frozenset()):
            continue
        if (
            is_told_by(elsewhere, one)
            or one.id in within
            or is_renamed(former, one)
            or is_paused(paused, one)
            or is_hanging(hung, one)
        ):
            continue
        if has_rejects and one.id == "WS902:objects_readable":
            continue
        if has_stale_files and one.code == "WS611":
            continue
        if one.code == "WS304" and one.subject["pool"] in wide:
            continue
        if has_full_workers and one.code == "WS636" and (one.evidence["full_workers_share"] or 0.0) > 0.5:
            continue
        dag_id = one.subject.get("dag_id", "")
        if one.code == "WS101" and (
            dag_id in broken
            or (dag_id in explained and one.evidence["excess_failures"] - explained[dag_id] < OWN_EXCESS)
        ):
            continue
        if one.code == "WS112" and one.evidence["excess_failures"] - retried.get(dag_id, 0) < OWN_EXCESS:
            continue
        if one.code == "WS510" and dag_id in killed:
            continue
        if one.code == "WS118" and (killed_runs.get(dag_id) or 0) >= one.evidence["failures"]:
            continue
        if one.code == "WS106" and explained.get(dag_id, 0) >= one.evidence["week_runs"]:
            continue
        if one.code in _FEW_RUNS and explained.get(dag_id, 0) >= one.evidence.get(_FEW_RUNS[one.code], 1):
            continue
        kept.append(one)
    return kept


def _in_scope(answer: Answer, exclude: Sequence[str]) -> Answer:
    """Excluded DAGs are stored and counted, but never judged."""
    if not exclude or "dag_id" not in answer.columns:
        return answer
    rows = tuple(
        row for row in answer.rows if not any(fnmatchcase(str(row["dag_id"]), one) for one in exclude)
    )
    return replace(answer, rows=rows)


def _urgency(code: str) -> int:
    return next((place for place, start in enumerate(_URGENCY) if code.startswith(start)), len(_URGENCY))
