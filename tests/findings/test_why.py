"""Why does it not run? Each cause speaks where it should, says how sure it is, and is silent where nothing speaks for it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.findings.test_rules import FROM_RULES, answers
from tests.findings.test_why_rules import dates, error, file_of, hosts, stopped
from windsock.findings import RULES
from windsock.findings.why import (
    CASE_TRIES,
    CAUSES,
    NEAR_DAGS,
    QUESTIONS,
    THRESHOLDS,
    Case,
    Told,
    explain,
    thresholds_answer,
    totals,
)
from windsock.findings.why.cause import is_same_file
from windsock.findings.why.missed_runs import MissedRuns
from windsock.model import Answer
from windsock.questions import load_questions
from windsock.resources import folder

AT = datetime(2026, 11, 17, 1, tzinfo=UTC)
LATER = AT + timedelta(days=2)
CASE = Case("d")


def told(case: Case = CASE, **rows: Sequence[Mapping[str, Any]]) -> tuple[Told, ...]:
    return explain(case, answers(**rows))


def state(**more: Any) -> dict[str, Any]:
    return {"dag_id": "d", "listed_at": LATER, "list_at": LATER, "is_gone": False, "is_paused": False, "is_broken": False,
            "unpaused_at": AT, "paused_from": None, "dag_file": "d.py", "bundle_name": "main",
            "next_run_at": LATER + timedelta(hours=5)} | more  # fmt: skip


def activity(**more: Any) -> dict[str, Any]:
    return {"dag_id": "d", "runs": 50, "scheduled_runs": 50, "runs_week": 6, "first_at": AT, "last_at": AT,
            "last_run_id": "scheduled__1", "last_state": "success", "pace_s": 86400.0, "open_runs": 0, "open_without_try": 0,
            "oldest_open_at": None, "seen_until": LATER} | more  # fmt: skip


def import_error(**more: Any) -> dict[str, Any]:
    return {"bundle_name": "main", "dag_file": "d.py", "error_signature": "ModuleNotFoundError: x", "message": "…",
            "sightings": 9, "first_at": AT, "last_at": LATER, "is_new": True, "mended_at": None, "files": 1} | more  # fmt: skip


def a_try(**more: Any) -> dict[str, Any]:
    return {"dag_id": "d", "run_id": "scheduled__1", "task_id": "t", "map_index": -1, "try_number": 1, "state": "success",
            "state_reason": None, "has_log": True, "started_at": AT, "ended_at": AT, "queued_at": AT, "ready_at": AT,
            "ready_from": "told", "pool": "p", "queue": "default", "executor": None, "hostname": "w1", "hold": None,
            "error_signature": None, "bare_signature": None, "exception_message": None, "blame": None,
            "seen_until": LATER, "failed_in_run": None} | more  # fmt: skip


QUIET: dict[str, list[dict[str, Any]]] = {
    "dag_states": [state()],
    "dag_activity": [activity()],
    "dag_files": [file_of("d.py", 0, files=1)],
    "case_tries": [a_try()],
}


# --- laws


def test_every_cause_says_what_it_reads_and_who_judges_it() -> None:
    known = set(load_questions(folder("sql"))) | FROM_RULES | {CASE_TRIES, NEAR_DAGS, "waiting_seen"}
    codes = {rule.code for rule in RULES}
    names = [cause.name for cause in CAUSES]
    assert len(set(names)) == len(names)
    for cause in CAUSES:
        assert set(cause.questions) <= known, cause.name
        assert set(cause.codes) <= codes, cause.name
        assert cause.__doc__ and cause.words


def test_a_healthy_dag_has_no_cause() -> None:
    assert told(**QUIET) == ()


def test_without_any_answer_only_the_unknown_is_told() -> None:
    (one,) = explain(CASE, {})
    assert (one.cause, one.likely) == ("gone", "possible")
    assert "[sources.airflow_api]" in one.unknown


@pytest.mark.parametrize("name", QUESTIONS)
def test_rows_of_another_dag_say_nothing(name: str) -> None:
    other = {
        "dag_states": state(dag_id="x", is_paused=True),
        "dag_activity": activity(dag_id="x", open_runs=3),
        "tasks_stopped": stopped(dag_id="x", open_later=5),
        "incidents_by_error": error(dag_ids=["x", "y"]),
        "import_errors_of_week": import_error(dag_file="x.py"),
    }
    given = {**QUIET, name: [*QUIET.get(name, []), *([other[name]] if name in other else [])]}
    assert told(**given) == ()


# --- the file


def test_its_file_fails_to_import() -> None:
    (one,) = told(**QUIET, import_errors_of_week=[import_error()])
    assert (one.cause, one.likely, one.about) == ("import error", "certain", "missing from the UI")
    assert "ModuleNotFoundError" in one.headline
    (mended,) = told(**QUIET, import_errors_of_week=[import_error(mended_at=LATER)])
    assert mended.likely == "possible"
    (by_list,) = told(**QUIET | {"dag_states": [state(is_broken=True)]})
    assert by_list.likely == "certain"


def test_a_file_that_nobody_names_is_known_by_its_name_only() -> None:
    found = told(
        import_errors_of_week=[import_error(dag_file="/opt/dags/d.py"), import_error(dag_file="other.py")]
    )
    assert [(one.cause, one.likely) for one in found] == [("import error", "possible"), ("gone", "possible")]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a/b.py", "/opt/a/b.py", True),
        ("b.py", "b.py", True),
        ("b.py", "ab.py", False),
        ("x/b.py", "y/b.py", False),
    ],
)
def test_paths_of_one_file(one: str, other: str, same: bool) -> None:
    assert is_same_file(one, other) == is_same_file(other, one) == same


def test_its_file_gives_no_dag_any_more() -> None:
    row = {"source": "stats_table", "bundle_name": "main", "dag_file": "d.py", "had_dags": 2, "had_at": AT, "lost_at": LATER,
           "zero_parses": 9, "zero_s": 900.0}  # fmt: skip
    (one,) = told(**QUIET, files_without_dags=[row])
    assert (one.cause, one.likely, one.since) == ("file without DAGs", "certain", LATER)


def parsed(**more: Any) -> dict[str, Any]:
    return {"source": "stats_table", "bundle_name": "main", "dag_file": "d.py", "parses": 99, "parses_week": 9, "usual_s": 60.0,
            "last_at": AT, "others_until": AT, "dag_count": 1, "error_count": 0} | more  # fmt: skip


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"others_until": AT + timedelta(seconds=599)}, ""),
        ({"others_until": AT + timedelta(seconds=600)}, "not parsed"),
        ({"others_until": AT + timedelta(seconds=600), "usual_s": 61.0}, ""),
        ({"dag_count": 0}, "file without DAGs"),
        ({"dag_count": 0, "error_count": 1}, ""),
    ],
)
def test_a_file_that_is_left_behind(change: dict[str, Any], cause: str) -> None:
    found = told(**QUIET, files_last_parsed=[parsed(**change)])
    assert [one.cause for one in found] == [cause] * bool(cause)


def test_a_parse_that_is_killed_each_time() -> None:
    row = {"kind": "processor_timeout", "bundle_name": "", "dag_file": "d.py", "kills": 7, "kills_prev": 0, "limit_s": 50.0,
           "first_at": AT, "last_at": LATER, "parsed_at": None}  # fmt: skip
    (one,) = told(**QUIET, parse_kills_by_file=[row])
    assert (one.cause, one.likely) == ("not parsed", "certain")
    assert not told(**QUIET, parse_kills_by_file=[row | {"parsed_at": LATER}])


def bundle(**more: Any) -> dict[str, Any]:
    return {"bundle_name": "main", "failures": 9, "first_at": AT, "last_at": LATER, "error": "GitCommandError: exit code",
            "mended_at": None} | more  # fmt: skip


@pytest.mark.parametrize(
    ("failures", "likely"),
    [
        ([bundle()], "likely"),
        ([bundle(mended_at=LATER)], "possible"),
        ([bundle(bundle_name="other")], None),
        ([], None),
    ],
)
def test_its_bundle_is_not_refreshed(failures: list[dict[str, Any]], likely: str | None) -> None:
    found = told(**QUIET, bundle_failures=failures)
    assert [(one.cause, one.likely) for one in found] == ([("bundle refresh", likely)] if likely else [])
    counted = [
        row["things"]
        for row in totals(answers(bundle_failures=failures)).rows
        if "bundle" in row["why"].lower()
    ]
    assert counted == (
        [1] if likely == "likely" else [1] if failures and failures[0]["mended_at"] is None else []
    )


def test_without_the_dag_processor_s_log_a_bundle_is_not_seen_to_be_well() -> None:
    blind = {"kind": "callbacks of DAGs and of killed tasks", "missing": "dag-processor log"}
    (row,) = totals(answers(silent_coverage=[blind])).rows
    assert "bundle refresh" in row["why"] and "dag-processor log" in row["missing"]


def test_a_dag_of_no_known_bundle_may_be_of_the_one_that_fails() -> None:
    (one, *_rest) = [one for one in told(bundle_failures=[bundle()]) if one.cause == "bundle refresh"]
    assert one.likely == "possible" and "no task log or API names its bundle" in one.unknown


def test_two_files_take_turns() -> None:
    rows = [file_of("d.py", 2), file_of("old/d.py", 2)]
    (one,) = told(**QUIET | {"dag_files": rows})
    assert (one.cause, one.evidence["files"]) == ("duplicate dag_id", ["d.py", "old/d.py"])


def test_two_files_take_turns_since_the_second_came() -> None:
    old, late = file_of("d.py", 2), file_of("old/d.py", 2)
    late["first_at"] = old["first_at"] + timedelta(days=30)
    told_at = {one.since for one in told(**QUIET | {"dag_files": [old, late]})}
    assert told_at == {late["first_at"]}
    (row,) = [
        row for row in totals(answers(dag_files=[old, late])).rows if row["why"].startswith("Two files")
    ]
    assert row["first_at"] == late["first_at"]


@pytest.mark.parametrize(
    ("states", "known", "likely", "says"),
    [
        ([state(is_gone=True)], True, "certain", "lists d no more"),
        ([state(dag_id="other")], True, "certain", "does not have d; it ran last on"),
        ([state(dag_id="dd")], False, "certain", "did you mean dd?"),
        ([], True, "", ""),
    ],
)
def test_a_dag_that_airflow_does_not_list(
    states: list[dict[str, Any]], known: bool, likely: str, says: str
) -> None:
    given = {"dag_states": states, "dag_activity": [activity()] * known, "near_dags": [{"dag_id": "dd"}]}
    found = told(**given)
    assert [one.likely for one in found] == [likely] * bool(likely)
    assert not found or says in found[0].headline


# --- the DAG


def test_a_pause_is_told_once_by_the_one_who_knows_when() -> None:
    event = {
        "dag_id": "d",
        "paused_at": AT,
        "is_auto": True,
        "failed_runs": 3,
        "runs_after": 0,
        "runs_prev": 28,
    }
    paused = QUIET | {"dag_states": [state(is_paused=True, paused_from=LATER)]}
    (one,) = told(**paused, paused_dags=[event])
    assert "by Airflow after 3 failed runs in a row on Tue 17 Nov 01:00 UTC" in one.headline
    (by_list,) = told(**paused)
    assert "between Tue 17 Nov 01:00 UTC and Thu 19 Nov 01:00 UTC" in by_list.headline
    assert "audit log" in by_list.unknown


@pytest.mark.parametrize(("scheduled", "is_told"), [(0, True), (1, False)])
def test_a_first_run_that_is_not_due_yet(scheduled: int, is_told: bool) -> None:
    found = told(**QUIET | {"dag_activity": [activity(scheduled_runs=scheduled)]})
    assert [one.cause for one in found] == ["start_date"] * is_told


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"start_date": LATER + timedelta(days=9), "moves": 0}, "lies ahead, Sat 28 Nov 01:00 UTC"),
        ({"end_date": AT, "moves": 0}, "has an end_date, Tue 17 Nov 01:00 UTC"),
        ({"start_date": LATER - timedelta(hours=1)}, "start_date that moves: Sun 15 Nov 01:00 UTC"),
        ({"start_date": AT - timedelta(days=300), "moves": 0}, ""),
    ],
)
def test_a_dag_whose_own_dates_keep_it_from_running(change: dict[str, Any], says: str) -> None:
    given = QUIET | {"dag_activity": [activity(scheduled_runs=0)], "dag_states": [state(next_run_at=None)]}
    row = dates(seen_at=LATER, **change)
    found = told(**given, dag_dates=[row])
    assert [(one.cause, one.likely) for one in found] == [("start_date", "certain")] * bool(says)
    assert all(says in one.headline for one in found)
    counted = [one for one in totals(answers(**given, dag_dates=[row])).rows if one["things"]]
    assert [one["dag_ids"] for one in counted] == [["d"]] * bool(says)
    paused = totals(answers(**given | {"dag_states": [state(is_paused=True)]}, dag_dates=[row])).rows
    assert not [one for one in paused if one["things"] and "start_date" in one["why"]]


def test_what_ended_long_ago_is_told_of_one_dag_and_counted_no_more() -> None:
    row = dates(seen_at=LATER, end_date=LATER - timedelta(days=15))
    assert [one.cause for one in told(**QUIET, dag_dates=[row])] == ["start_date"]
    assert not [one for one in totals(answers(**QUIET, dag_dates=[row])).rows if one["things"]]


def test_an_old_failure_holds_later_runs_back() -> None:
    (one,) = told(**QUIET, tasks_stopped=[stopped(open_later=3, is_told=True)])
    assert (one.cause, one.likely, one.since) == ("depends_on_past", "likely", AT)
    assert "scheduled__1" in one.next
    by_code = {"held_by": "wait_for_downstream", "held_tasks": ["extract"]}
    (certain,) = told(**QUIET, tasks_stopped=[stopped(open_later=3, is_told=True, **by_code)])
    assert (certain.likely, certain.unknown) == ("certain", "")
    assert certain.headline.endswith("by wait_for_downstream, extract of each later run waits for it")
    assert not told(**QUIET, tasks_stopped=[stopped(open_later=3, is_told=True, held_tasks=[])])
    (by_logs,) = told(**QUIET, tasks_stopped=[stopped()])
    assert (by_logs.likely, "taken out" in by_logs.unknown) == ("possible", True)


def test_the_pipeline_file_s_thresholds_hold_here_too() -> None:
    """Three open runs are enough by default, and not where `[findings.WS521]` asks for four."""
    case = {**QUIET, "tasks_stopped": [stopped(open_later=3, is_told=True)]}
    for least, is_told in ((2, True), (3, True), (4, False)):
        given = {**answers(**case), THRESHOLDS: thresholds_answer({"WS521": {"min_open": least}})}
        assert bool(explain(CASE, given)) is is_told
        counted = {row["why"] for row in totals(given).rows if row["things"]}
        assert any("failure" in one for one in counted) is is_told, counted


def hold(event: str = "max_active_runs", dag_id: str = "d") -> dict[str, Any]:
    return {"event": event, "dag_id": dag_id, "pool": "", "hour_at": AT, "held_minutes": 40, "task_minutes": 80, "tasks": 0,
            "limit_value": 2}  # fmt: skip


def test_as_many_runs_as_may_be() -> None:
    (one,) = told(**QUIET, holds_by_limit=[hold(), hold("pool_full", "")])
    assert (one.cause, one.likely) == ("max_active_runs", "certain")
    limit = [{"name": "max_active_runs", "dag_id": "d", "limit_value": 2, "told_by": "airflow"}]
    busy = QUIET | {"dag_activity": [activity(open_runs=2, oldest_open_at=AT)]}
    assert [one.likely for one in told(**busy, known_limits=limit)] == ["possible"]
    assert not told(
        **QUIET | {"dag_activity": [activity(open_runs=1, oldest_open_at=AT)]}, known_limits=limit
    )
    held = busy | {"dag_states": [state(next_run_at=None)]}
    assert [one.likely for one in told(**held, known_limits=limit)] == ["likely"]


def gap(**more: Any) -> dict[str, Any]:
    return {"component": "scheduler", "from_at": AT, "until_at": AT + timedelta(hours=3), "gap_s": 10800.0, "is_over": True,
            "seen_minutes": 170, "frozen_looks": 170, "counter_resets": 1, "job_starts": 0.0, "task_starts": 0.0,
            "starts_told": 0, "usual_gap_s": 60.0, "tries_started": 0} | more  # fmt: skip


def missing(first_at: datetime) -> dict[str, Any]:
    return {"dag_id": "d", "weeks_seen": 4, "expected": 28, "missing": 3, "runs": 25, "least_runs": 28, "first_at": first_at,
            "last_at": first_at + timedelta(hours=1), "last_run_at": AT, "every_s": None, "every_prev_s": 21600.0,
            "gap_from": [first_at], "gap_until": [first_at + timedelta(hours=1)]}  # fmt: skip


def test_a_schedule_made_rarer_is_told_as_one_and_counts_no_run_that_never_came() -> None:
    rarer = missing(AT) | {
        "every_s": 86400.0,
        "every_prev_s": 3600.0,
        "missing": 112,
        "runs": 56,
        "least_runs": 168,
    }
    (one,) = [one for one in told(**QUIET, missing_runs=[rarer]) if one.cause == "runs that never came"]
    assert "runs every day since" in one.headline and "before every hour" in one.headline
    assert "never came" not in one.headline
    assert MissedRuns.count(answers(missing_runs=[rarer])).things == 0
    assert MissedRuns.count(answers(missing_runs=[rarer | {"every_s": None}])).things == 112


def test_a_silent_scheduler_is_likely_only_where_runs_are_missing() -> None:
    during, other = [missing(AT + timedelta(hours=1))], [missing(LATER)]
    assert [
        (one.cause, one.likely) for one in told(**QUIET, heartbeat_gaps=[gap()], missing_runs=during)
    ] == [
        ("scheduler gap", "likely"),
        ("runs that never came", "possible"),
    ]
    assert told(**QUIET, heartbeat_gaps=[gap()], missing_runs=other)[0].likely == "possible"
    assert not told(**QUIET, heartbeat_gaps=[gap(gap_s=200.0), gap(component="triggerer")])


# --- the task


def test_a_pool_that_can_never_take_it() -> None:
    row = {"pool": "p", "dag_id": "d", "task_id": "t", "is_missing": False, "task_slots": 3, "total_slots": 2, "runs": 1,
           "held_minutes": 30, "first_at": AT, "last_at": LATER}  # fmt: skip
    (one,) = told(**QUIET, waits_for_ever=[row])
    assert (one.cause, one.likely) == ("pool too small", "certain")
    assert one.next.startswith("airflow pools set 'p' 3 ''")
    assert not told(Case("d", "other"), **QUIET, waits_for_ever=[row])


@pytest.mark.parametrize(("most", "is_missing", "says"), [
    (3, False, "airflow pools set 'p' 3"),
    (2, False, "a smaller pool_slots of at most 2 in the DAG: the pool may have 2 at the most (the warehouse)"),
    (0, True, "a smaller pool_slots in the DAG: the pool may have 0 at the most (the warehouse)"),
    (None, False, "airflow pools set 'p' 3"),
])  # fmt: skip
def test_no_pool_is_made_larger_than_its_bound(most: int | None, *, is_missing: bool, says: str) -> None:
    row = {"pool": "p", "dag_id": "d", "task_id": "t", "is_missing": is_missing, "task_slots": None if is_missing else 3,
           "total_slots": 2, "runs": 1, "held_minutes": 30, "first_at": AT, "last_at": LATER}  # fmt: skip
    bounds = [{"pool": "p", "max_slots": most, "protects": "the warehouse"}]
    (one,) = told(**QUIET, waits_for_ever=[row], pool_bounds=bounds)
    assert one.next.startswith(says)


@pytest.mark.parametrize(("change", "likely"), [
    ({"queued_at": AT, "ready_at": AT - timedelta(seconds=300)}, "possible"),
    ({"queued_at": AT, "ready_at": AT - timedelta(seconds=300), "hold": "pool_full"}, "certain"),
    ({"queued_at": AT - timedelta(hours=1)}, "certain"),
])  # fmt: skip
def test_what_a_try_stood_for_is_certain_only_where_somebody_says_so(
    change: dict[str, Any], likely: str
) -> None:
    found = told(Case("d", "t"), **QUIET | {"case_tries": [a_try(**change)]})
    assert [one.likely for one in found if one.cause == "waiting"] == [likely]


def queue(**more: Any) -> dict[str, Any]:
    return {"queue": "gpu", "executor": None, "tries": 3, "started": 0, "waiting": 3, "given_up": 0, "dags": 1, "dag_ids": ["d"],
            "hosts": 0, "last_start_at": None, "oldest_at": AT, "seen_until": AT + timedelta(hours=1)} | more  # fmt: skip


@pytest.mark.parametrize(
    ("change", "is_told"),
    [
        ({}, True),
        ({"seen_until": AT + timedelta(minutes=59)}, False),
        ({"last_start_at": AT - timedelta(days=9)}, True),
        ({"last_start_at": AT + timedelta(minutes=1)}, False),
        ({"waiting": 0}, False),
    ],
)
def test_a_queue_that_nobody_serves(change: dict[str, Any], is_told: bool) -> None:
    assert [one.cause for one in told(**QUIET, queues_of_week=[queue(**change)])] == [
        "queue without a worker"
    ] * is_told


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"queued_at": AT, "ready_at": AT - timedelta(seconds=299)}, ""),
        (
            {"queued_at": AT, "ready_at": AT - timedelta(seconds=300)},
            "waited 5 min for a slot of pool p, or another limit",
        ),
        (
            {"queued_at": AT, "ready_at": AT - timedelta(seconds=300), "hold": "executor_full"},
            "for an open executor slot",
        ),
        ({"queued_at": AT - timedelta(hours=1)}, "waited 1 h in the queue default for a worker"),
        (
            {"state": "queued", "started_at": None, "seen_until": AT + timedelta(hours=2)},
            "has waited 2 h in the queue default for a worker and has not begun",
        ),
        (
            {
                "state": "scheduled",
                "started_at": None,
                "queued_at": None,
                "seen_until": AT + timedelta(hours=2),
            },
            "has waited 2 h for a slot of pool p, or another limit and has not begun",
        ),
    ],
)
def test_where_a_try_stood(change: dict[str, Any], says: str) -> None:
    found = told(Case("d", "t"), **QUIET | {"case_tries": [a_try(**change)]})
    assert bool(found) == bool(says)
    assert not says or says in found[0].headline


def wait(name: str, hours: float, told_by: str = "airflow") -> dict[str, Any]:
    return {"scope": "dag", "dag_id": "d", "pool": "", "waits_for": name, "hours": hours, "alone_hours": hours, "waits": 30,
            "limit_value": 16, "told_by": told_by}  # fmt: skip


def test_what_the_tasks_waited_for() -> None:
    found = told(
        **QUIET,
        waiting_by_limit=[
            wait("max_active_tasks", 6.0),
            wait("pool", 2.0, "inferred"),
            wait("executor", 0.9),
        ],
    )
    assert [(one.likely, one.evidence["hours"]) for one in found] == [("likely", 6.0)]
    (one,) = told(
        **QUIET, waiting_by_limit=[wait("max_active_tasks", 6.0, "inferred"), wait("unattributed", 6.0)]
    )
    assert one.likely == "possible"
    (up,) = told(**QUIET, waiting_by_limit=[wait("upstream", 9.0), wait("pool", 0.5)])
    assert "its upstream tasks" in up.headline


def test_a_task_whose_upstream_failed() -> None:
    row = a_try(task_id="after", state="upstream_failed", has_log=False, try_number=0, failed_in_run=["load"])
    (one,) = told(Case("d", "after"), **QUIET | {"case_tries": [row]})
    assert "load failed in the newest of them" in one.headline
    assert not told(**QUIET | {"case_tries": [row | {"state": "skipped"}]}), (
        "branches skip in every healthy DAG"
    )


def test_runs_that_their_time_limit_ended() -> None:
    row = {"dag_id": "d", "runs": 7, "timed_out": 2, "by_component": 2, "without_fail": 2, "skipped_tasks": 4, "longest_s": 70.0,
           "shortest_s": 60.0, "prev": 0, "first_at": AT, "last_at": LATER}  # fmt: skip
    (one,) = told(**QUIET, runs_timed_out=[row])
    assert (one.cause, one.likely) == ("dagrun_timeout", "certain")


def failed(**more: Any) -> dict[str, Any]:
    return a_try(state="failed", state_reason="exception", error_signature="KeyError: a @ d.py:t",
                 bare_signature="KeyError: a", blame="user_code") | more  # fmt: skip


def test_a_failure_with_its_error_and_where_else_it_is() -> None:
    elsewhere = error(cause="KeyError: a", signatures=["KeyError: a"], dag_ids=["c", "d", "e"])
    found = told(
        Case("d", "t"),
        **QUIET | {"case_tries": [failed(), failed(run_id="r0")]},
        incidents_by_error=[elsewhere],
    )
    assert [one.cause for one in found] == ["failed"]
    assert "failed 2 times with KeyError: a @ d.py:t, last in scheduled__1" in found[0].headline
    assert "2 other DAGs with it this week: c, e" in found[0].headline
    assert found[0].next == "windsock diff d t scheduled__1 --try 1"


def test_one_credential_of_many_dags() -> None:
    found = told(**QUIET, incidents_by_error=[error(dag_ids=["a", "d"])])
    assert [(one.cause, one.likely) for one in found] == [("connection", "likely")]
    assert found[0].headline.startswith(
        "Connection wh_main failed 6 tries of d, and 1 other DAG met it this week (a)"
    )
    assert not told(Case("d", "t"), **QUIET, incidents_by_error=[error(dag_ids=["a", "d"])]), (
        "another task's error"
    )


def lost(**more: Any) -> dict[str, Any]:
    return {"dag_id": "d", "run_id": "scheduled__1", "task_id": "t", "map_index": -1, "try_number": 1, "state": "failed",
            "last_try": True, "started_at": AT, "ended_at": AT, "pool": None, "hostname": "pod-1", "event": None, "reason": None,
            "exit_code": None, "detail": None, "told_at": None, "known_by": "state", "is_judged": True} | more  # fmt: skip


def test_a_log_that_is_missing() -> None:
    rows = [lost(reason="OOMKilled", event="pod_failed"), lost(run_id="r2"), lost(run_id="r3")]
    found = told(Case("d", "t"), **QUIET, lost_tries=rows)
    assert [(one.likely, one.headline) for one in found] == [
        ("certain", "1 failed try of d left no log: out of memory"),
        ("possible", "2 failed tries of d left no log: cause not seen"),
    ]
    assert len(told(Case("d", "t", "r2"), **QUIET, lost_tries=rows)) == 1
    of_host = QUIET | {"case_tries": [a_try(hostname="bad")]}
    assert [one.cause for one in told(**of_host, logs_missing_by_place=hosts(40, 20))] == ["log missing"]
    assert not told(**QUIET, logs_missing_by_place=hosts(40, 20)), "it never ran on that host"


def test_a_worker_that_went_took_other_tries_with_it() -> None:
    mine = lost(reason="heartbeat", event="heartbeat_timeout", hostname="w1", told_at=AT)
    at_once, late = mine | {"dag_id": "e", "told_at": AT + timedelta(minutes=15)}, timedelta(minutes=16)
    rows = [
        mine,
        at_once,
        mine | {"dag_id": "f", "told_at": AT + late},
        mine | {"dag_id": "g", "hostname": "w2"},
    ]
    (one,) = told(Case("d", "t"), **QUIET, lost_tries=rows)
    assert one.evidence["lost_with_it"] == "e.t on w1"
    (alone,) = told(Case("d", "t"), **QUIET, lost_tries=[mine])
    assert alone.evidence["lost_with_it"] is None


# --- order and totals


def test_the_likeliest_first_and_what_was_asked_for_before_the_rest() -> None:
    given = QUIET | {"case_tries": [failed()], "dag_states": [state(is_paused=True, paused_from=LATER)]}
    given |= {"import_errors_of_week": [import_error(mended_at=LATER)]}
    assert [one.cause for one in told(**given)] == ["paused", "failed", "import error"]
    assert [one.cause for one in told(Case("d", "t"), **given)] == ["failed", "paused", "import error"]


def total(**rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {row["why"]: row for row in totals(answers(**rows)).rows}


def test_the_week_counts_only_causes_that_held_and_folds_what_could_not_be_seen() -> None:
    seen = total(**QUIET, import_errors_of_week=[import_error(), import_error(dag_file="e.py", mended_at=AT)])
    held = [why for why in seen if not why.startswith("Not seen")]
    assert held == ["Their file fails to import"]
    assert (seen[held[0]]["things"], seen[held[0]]["files"], seen[held[0]]["codes"]) == (
        1,
        ["d.py"],
        ["WS205"],
    )
    (unseen,) = (row for why, row in seen.items() if why not in held)
    assert "scheduler gap" in unseen["why"] and "paused" not in unseen["why"]
    assert (unseen["things"], "metrics with the heartbeat" in unseen["missing"]) == (None, True)


def test_a_dag_paused_by_list_and_by_event_counts_once() -> None:
    event = {
        "dag_id": "d",
        "paused_at": AT,
        "is_auto": True,
        "failed_runs": 3,
        "runs_after": 0,
        "runs_prev": 28,
    }
    given = QUIET | {"dag_states": [state(is_paused=True, paused_from=LATER)]}
    row = total(**given, paused_dags=[event])["Paused by Airflow or by somebody"]
    assert (row["things"], row["first_at"]) == (1, AT)
    never_ran = given | {"dag_activity": [activity(scheduled_runs=0)]}
    assert "Paused by Airflow or by somebody" not in total(**never_ran), (
        "a new DAG that nobody unpaused is no loss"
    )


def test_excluded_dags_are_in_no_count() -> None:
    given: Mapping[str, Answer] = answers(**QUIET, holds_by_limit=[hold(), hold(dag_id="sandbox_x")])
    rows = {row["why"]: row for row in totals(given, exclude=["sandbox_*"]).rows}
    assert rows["Held by max_active_runs"]["dag_ids"] == ["d"]
