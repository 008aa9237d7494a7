"""Rules of DAG parsing: what a step costs, who is suspected, forecasts, kills, import errors, taxes, waits."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from windsock.findings.methods.trend import reaches
from windsock.findings.parsing.one_pass import Pass, Settings, week_pass
from windsock.findings.rule import Rule
from windsock.findings.rules.ws201_parse_time_regression import ParseTimeRegression
from windsock.findings.rules.ws202_parse_time_near_limit import ParseTimeNearLimit
from windsock.findings.rules.ws203_parse_killed import ParseKilled
from windsock.findings.rules.ws205_import_error import ImportFailed
from windsock.findings.rules.ws206_worker_parse_tax import WorkerParseTax
from windsock.findings.rules.ws207_stale_parsing import StaleParsing
from windsock.model import Answer, Finding
from windsock.week import Week

WEEK = Week.parse("2026-W47")
WEDNESDAY = datetime(2026, 11, 18, 9, tzinfo=UTC)
Rows = Sequence[Mapping[str, Any]]


def answers(**rows: Rows) -> dict[str, Answer]:
    return {
        name: Answer(name, tuple(these[0]) if these else (), tuple(map(dict, these)))
        for name, these in rows.items()
    }


def found(rule: type[Rule], given: Mapping[str, Answer], **limits: float) -> list[Finding]:
    return rule.judge(given, rule.limits(limits), week=WEEK).findings


def parses(dag_file: str, before: float, after: float, *, step: datetime = WEDNESDAY, bundle: str = "git",
           source: str = "stats_table", seed: int = 1) -> list[dict[str, Any]]:  # fmt: skip
    rng = np.random.default_rng(seed)
    start = WEEK.minus(8).from_at
    return [
        {"source": source, "bundle_name": bundle, "dag_file": dag_file, "parsed_at": (at := start + timedelta(hours=2 * n)),
         "parse_s": float((after if at >= step else before) * np.exp(rng.normal(0, 0.05))), "bundle_version": None}
        for n in range(9 * 7 * 12)
    ]  # fmt: skip


def load(dag_file: str, mean_s: float, *, interval_s: float | None = 60.0, source: str = "stats_table",
         parses: float = 10_080) -> dict[str, Any]:  # fmt: skip
    return {"source": source, "bundle_name": "git", "dag_file": dag_file, "parses": parses, "mean_s": mean_s,
            "parse_hours": parses * mean_s / 3600, "interval_s": interval_s}  # fmt: skip


def settings(**told: float) -> dict[str, Any]:
    names = ("parsing_processes", "min_file_process_interval", "import_timeout_s", "processor_timeout_s")
    return {"airflow_version": "3.3.2"} | dict.fromkeys(names) | told


# --- what it costs


def test_a_step_costs_its_seconds_times_the_parses_of_a_week() -> None:
    given = answers(
        parse_samples_of_window=parses("etl.py", 1.0, 3.0),
        parse_load_by_file=[load("etl.py", 2.0), load("b.py", 30.0)],
        parse_settings=[settings(parsing_processes=2, min_file_process_interval=30)],
    )
    (finding,) = found(ParseTimeRegression, given)
    # one parse a minute, two seconds more each
    assert finding.evidence["more_parse_hours"] == pytest.approx(7 * 24 * 60 * 2 / 3600, rel=0.05)
    assert "5.5 hours more of parsing a week" in finding.advice
    assert "One pass over 2 files with 2 parsing processes takes 16.0 s, 15.0 s before" in finding.advice
    assert "still within min_file_process_interval (30.0 s)" in finding.advice


def test_a_pass_longer_than_the_interval_says_how_many_processes_would_keep_up() -> None:
    told = Pass(40, 130.0, Settings(2, 30.0, 30, 50, is_told=True)).sentence(less_s=80.0)
    assert "takes 65.0 s, 25.0 s before" in told
    assert "parsing_processes = 5 would keep up" in told
    assumed = Pass(40, 13.0, Settings.of({})).sentence(less_s=1.0)
    assert "(Airflow's defaults are assumed)" in assumed


def test_a_file_whose_interval_nobody_tells_is_parsed_as_the_settings_say() -> None:
    given = answers(
        parse_samples_of_window=parses("etl.py", 1.0, 3.0, source="api"),
        parse_load_by_file=[load("etl.py", 3.0, interval_s=None, source="api")],
        parse_settings=[settings(min_file_process_interval=300)],
    )
    (finding,) = found(ParseTimeRegression, given)
    assert finding.evidence["more_parse_hours"] == pytest.approx(7 * 24 * 12 * 2 / 3600, rel=0.05)


def test_a_step_in_the_workers_costs_workers_time() -> None:
    given = answers(
        parse_samples_of_window=parses("etl.py", 1.0, 3.0, source="task_log"),
        parse_load_by_file=[load("etl.py", 3.0, interval_s=None, source="task_log", parses=1800)],
    )
    (finding,) = found(ParseTimeRegression, given)
    assert finding.evidence["more_parse_hours"] == pytest.approx(1.0, rel=0.05)
    assert "of the workers' time" in finding.advice
    assert week_pass(given) is None


def test_the_pass_is_told_by_the_best_source_that_knows_nearly_all_files() -> None:
    few = [load("a.py", 1.0, source="processor_log")]
    all_of_them = [load(f"{n}.py", 1.0, source="metric") for n in range(10)]
    whole = week_pass(answers(parse_load_by_file=[*few, *all_of_them]))
    assert whole is not None
    assert (whole.files, whole.cycle_s) == (10, 5.0)


# --- who is suspected


def version(dag_id: str, number: int, at: datetime, dag_file: str = "") -> dict[str, Any]:
    return {
        "dag_id": dag_id,
        "version_number": number,
        "bundle_name": "git",
        "dag_file": dag_file,
        "first_at": at,
    }


@pytest.mark.parametrize(
    ("row", "suspect"),
    [
        (version("spend", 3, WEDNESDAY + timedelta(minutes=1), "team/etl.py"), "spend version 3"),
        (version("etl", 2, WEDNESDAY), "etl version 2"),
        (version("other", 2, WEDNESDAY), None),
        (version("spend", 3, WEDNESDAY - timedelta(days=3), "team/etl.py"), None),
        (version("spend", 1, WEDNESDAY, "team/etl.py"), None),
    ],
    ids=["by the file of its logs", "by its name", "of another file", "days before", "its first version"],
)
def test_a_local_bundle_has_dag_versions_to_suspect(row: dict[str, Any], suspect: str | None) -> None:
    given = answers(parse_samples_of_window=parses("etl.py", 1.0, 3.0), dag_versions=[row])
    (finding,) = found(ParseTimeRegression, given)
    assert finding.evidence["suspect"] == suspect
    assert ("tells no versions, so this is time-correlated only" in finding.advice) == (suspect is None)


def test_a_versioned_bundle_without_a_new_version_is_not_blamed() -> None:
    versions = [{"bundle_name": "git", "bundle_version": "v1", "first_at": WEEK.minus(7).from_at}]
    given = answers(parse_samples_of_window=parses("etl.py", 1.0, 3.0), bundle_versions=versions)
    (finding,) = found(ParseTimeRegression, given)
    assert "No version of its bundle first appeared" in finding.advice


# --- many files at once


@pytest.mark.parametrize(("slower", "is_shared"), [(4, False), (5, True), (10, True)])
def test_five_files_and_half_of_all_that_step_together_are_one_finding(slower: int, is_shared: bool) -> None:
    rows = [row for n in range(10) for row in parses(f"{n:02}.py", 1.0, 1.5 if n < slower else 1.0, seed=n)]
    got = found(ParseTimeRegression, answers(parse_samples_of_window=rows))
    assert len(got) == (1 if is_shared else slower)
    if is_shared:
        assert got[0].subject == {"dag_file": "*", "bundle_name": ""}
        assert f"{slower} of 10 files parse 1.5 times as long" in got[0].headline
        assert (
            got[0].evidence["changed_from"] <= WEDNESDAY <= got[0].evidence["changed_to"] + timedelta(hours=2)
        )


def test_a_file_that_stands_out_of_a_shared_step_is_told_by_itself() -> None:
    rows = [row for n in range(8) for row in parses(f"{n:02}.py", 1.0, 6.0 if n == 3 else 1.5, seed=n)]
    got = found(ParseTimeRegression, answers(parse_samples_of_window=rows))
    assert sorted(one.subject["dag_file"] for one in got) == ["*", "03.py"]


# --- steps that were taken back


def hump(dag_file: str, *, ratio: float, seed: int = 1) -> list[dict[str, Any]]:
    """Slower from Wednesday 09:00 for two days."""
    rows = parses(dag_file, 1.0, 1.0, seed=seed)
    for row in rows:
        if WEDNESDAY <= row["parsed_at"] < WEDNESDAY + timedelta(days=2):
            row["parse_s"] *= ratio
    return rows


@pytest.mark.parametrize(("ratio", "is_found"), [(1.8, False), (2.2, True), (6.0, True)])
def test_a_step_that_was_taken_back_within_the_week_is_information(ratio: float, is_found: bool) -> None:
    got = found(ParseTimeRegression, answers(parse_samples_of_window=hump("etl.py", ratio=ratio)))
    assert bool(got) == is_found
    if got:
        (one,) = got
        assert one.severity == "info"
        assert one.evidence["changed_from"] <= WEDNESDAY <= one.evidence["changed_to"] + timedelta(hours=2)
        assert abs(one.evidence["ended_at"] - WEDNESDAY - timedelta(days=2)) <= timedelta(hours=4)


def test_a_slow_day_of_the_machine_is_no_news_of_its_files() -> None:
    rows = [row for n in range(6) for row in hump(f"{n}.py", ratio=3.0, seed=n)]
    assert found(ParseTimeRegression, answers(parse_samples_of_window=rows)) == []


# --- forecasts


def weekly(values: Sequence[float], samples: int = 100) -> list[dict[str, Any]]:
    first = len(values) - 1
    return [
        {"source": "metric", "bundle_name": "", "dag_file": "slow.py", "week": WEEK.minus(first - n).monday,
         "samples": samples, "median_s": value, "p95_s": value}
        for n, value in enumerate(values)
    ]  # fmt: skip


def now(p95_s: float, *, source: str = "metric", median_s: float = 1.0) -> dict[str, Any]:
    return {"source": source, "bundle_name": "", "dag_file": "slow.py", "samples": 100, "median_s": median_s,
            "p95_s": p95_s, "max_s": p95_s, "median_prev_s": None}  # fmt: skip


def test_a_file_that_grows_reaches_the_limit_in_weeks_with_an_interval() -> None:
    values = [4.3, 4.9, 5.6, 7.4, 8.2, 8.6, 10.3, 11.4, 11.7]
    given = answers(parse_time_by_file=[now(12.0)], parse_time_by_week=weekly(values))
    assert found(ParseTimeNearLimit, given) == []  # in 18 weeks: not yet
    (finding,) = found(ParseTimeNearLimit, given, horizon_weeks=20)
    evidence = finding.evidence
    assert finding.severity == "watch"
    assert evidence["weeks_left"] == pytest.approx(18, rel=0.1)
    assert 14 < evidence["weeks_left_low"] < evidence["weeks_left"] < evidence["weeks_left_high"] < 24
    assert "reaches it in 18 weeks (16 to 21)" in finding.headline


@pytest.mark.parametrize(
    "values",
    [
        [12.0, 12.3, 11.8, 12.1, 12.0, 11.9, 12.2, 12.1, 12.0],
        [4.0, 4.1, 4.0, 4.05, 12.0, 12.1, 11.9, 12.0, 12.05],
        [12.0, 11.0, 10.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0],
        [4.0, 8.0, 12.0],
    ],
    ids=["flat", "one step", "falling", "too short"],
)
def test_what_does_not_grow_has_no_forecast(values: list[float]) -> None:
    assert reaches([(float(n), value) for n, value in enumerate(values)], 30.0) is None


def test_the_limits_are_the_deployments_own() -> None:
    given = answers(
        parse_time_by_file=[now(40.0)],
        parse_settings=[settings(import_timeout_s=120.0, processor_timeout_s=180.0)],
    )
    assert found(ParseTimeNearLimit, given) == []


def test_a_file_over_the_import_timeout_that_parses_nears_the_processors() -> None:
    (finding,) = found(ParseTimeNearLimit, answers(parse_time_by_file=[now(46.0, median_s=35.0)]))
    assert (finding.evidence["limit"], finding.severity) == ("dag_file_processor_timeout", "critical")
    assert "92 % of the 50 s limit" in finding.headline


def test_a_stem_that_another_source_spells_out_is_told_once() -> None:
    rows = [
        now(20.0) | {"dag_file": "slow"},
        now(21.0, source="processor_log") | {"dag_file": "/dags/slow.py"},
    ]
    (finding,) = found(ParseTimeNearLimit, answers(parse_time_by_file=rows))
    assert finding.subject["dag_file"] == "/dags/slow.py"


# --- kills


def kill(**changes: Any) -> dict[str, Any]:
    return {"kind": "processor_timeout", "bundle_name": "git", "dag_file": "slow.py", "kills": 3, "kills_prev": 0,
            "limit_s": None, "first_at": WEDNESDAY, "last_at": WEDNESDAY,
            "parsed_at": WEDNESDAY + timedelta(hours=1)} | changes  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ({"kills": 2}, None),
        ({"kills": 3}, "warning"),
        ({"kills": 4}, "warning"),
        ({"kills": 1, "parsed_at": None}, "critical"),
        ({"kills": 1, "parsed_at": None, "dag_file": "never_seen_parsed.py"}, None),
    ],
)
def test_kills_are_a_pattern_or_the_last_word(changes: dict[str, Any], severity: str | None) -> None:
    given = answers(parse_kills_by_file=[kill(**changes)], parse_time_by_file=[now(40.0)])
    assert [one.severity for one in found(ParseKilled, given)] == ([severity] if severity else [])


def test_a_counter_of_kills_names_no_file_and_says_what_would() -> None:
    (finding,) = found(ParseKilled, answers(parse_kills_by_file=[kill(dag_file="", parsed_at=None, kills=7)]))
    assert "DAG files hit the 50 s dag_file_processor_timeout 7 times" in finding.headline
    assert "[sources.component_logs]" in finding.advice


def test_without_an_input_that_tells_them_nobody_says_that_there_were_none() -> None:
    for rule in (ParseKilled, ImportFailed):
        blind = rule.judge(answers(parse_time_by_file=[now(1.0)]), rule.limits(), week=WEEK)
        assert "dag-processor's logs" in blind.no_data
        told = rule.judge(
            answers(parse_time_by_file=[now(1.0, source="stats_table")]), rule.limits(), week=WEEK
        )
        asked = rule.judge(answers(parse_settings=[settings()]), rule.limits(), week=WEEK)
        assert told.no_data == asked.no_data == ""


# --- import errors


def broken(dag_file: str, *, hours: float | None = None, first_at: datetime = WEDNESDAY) -> dict[str, Any]:
    return {"bundle_name": "git", "dag_file": dag_file, "error_signature": "ModuleNotFoundError: No module named 'x'",
            "message": "ModuleNotFoundError: No module named 'x'", "sightings": 3, "first_at": first_at,
            "last_at": WEDNESDAY, "is_new": first_at >= WEEK.from_at, "unseen_at": None,
            "began_week": Week.of(first_at).monday,
            "mended_at": None if hours is None else first_at + timedelta(hours=hours), "files": 1}  # fmt: skip


@pytest.mark.parametrize(
    ("files", "severity"), [(1, "warning"), (4, "warning"), (5, "critical"), (6, "critical")]
)
def test_one_cause_over_many_files_is_one_finding(files: int, severity: str) -> None:
    rows = [broken(f"{n}.py") for n in range(files)]
    (finding,) = found(ImportFailed, answers(import_errors_of_week=rows))
    assert (finding.severity, finding.evidence["file_count"]) == (severity, files)


@pytest.mark.parametrize(("hours", "severity"), [(0.9, None), (1.0, "info"), (30.0, "info")])
def test_what_was_mended_within_the_hour_was_a_deploy(hours: float, severity: str | None) -> None:
    got = found(ImportFailed, answers(import_errors_of_week=[broken("a.py", hours=hours)]))
    assert [one.severity for one in got] == ([severity] if severity else [])


def test_an_old_import_error_tells_its_age() -> None:
    rows = [broken("a.py", first_at=WEDNESDAY - timedelta(weeks=3))]
    (finding,) = found(ImportFailed, answers(import_errors_of_week=rows))
    assert (finding.status, finding.since_week, finding.weeks) == ("still", "2026-W44", 4)


def test_an_error_told_right_after_the_week_names_both_moments_between_which_it_began() -> None:
    asked_at, before = WEEK.to_at + timedelta(minutes=10), WEEK.from_at + timedelta(minutes=10)
    row = broken("a.py", first_at=asked_at) | {"unseen_at": before, "began_week": WEEK.monday, "is_new": True}
    (finding,) = found(ImportFailed, answers(import_errors_of_week=[row]))
    assert "since between Mon 16 Nov 00:10 UTC and Mon 23 Nov 00:10 UTC" in finding.headline
    assert (finding.status, finding.since_week, finding.weeks) == ("new", str(WEEK), 1)


def test_an_import_error_told_as_a_traceback_is_named_by_its_last_line() -> None:
    message = 'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\nModuleNotFoundError: no crm\n'
    (finding,) = found(ImportFailed, answers(import_errors_of_week=[broken("a.py") | {"message": message}]))
    assert finding.headline.endswith(": ModuleNotFoundError: no crm")


# --- the tax of workers


@pytest.mark.parametrize(
    ("hours", "share", "tries", "is_found"),
    [
        (4.9, 0.5, 100, False),
        (5.0, 0.5, 100, True),
        (6.0, 0.09, 100, False),
        (6.0, 0.1, 100, True),
        (6.0, 0.5, 19, False),
    ],
)
def test_a_tax_is_hours_and_a_share_of_the_tasks_time(
    hours: float, share: float, tries: int, is_found: bool
) -> None:
    row = {"bundle_name": "git", "dag_file": "heavy.py", "tries": tries, "parse_hours": hours - 1, "parse_p95_s": 9.0,
           "prepare_hours": 1.0, "prepare_p95_s": 1.0, "run_hours": hours / share, "tax_share": share}  # fmt: skip
    assert bool(found(WorkerParseTax, answers(worker_parse_tax_by_file=[row]))) == is_found


# --- stale parsing


@pytest.mark.parametrize(
    ("longest_s", "usual_s", "looks", "is_found"),
    [
        (599.0, 30.0, 99, False),
        (600.0, 30.0, 99, True),
        (700.0, 150.0, 99, False),
        (750.0, 150.0, 99, True),
        (900.0, 30.0, 19, False),
    ],
)
def test_a_wait_is_long_by_the_clock_and_by_the_files_own_habit(
    longest_s: float, usual_s: float, looks: int, is_found: bool
) -> None:
    row = {"source": "stats_table", "bundle_name": "git", "dag_file": "a.py", "looks": looks, "usual_s": usual_s,
           "waits_s": [longest_s], "others_rate": [1.0], "untils_s": [WEDNESDAY.timestamp() + longest_s]}  # fmt: skip
    assert bool(found(StaleParsing, answers(parse_staleness_by_file=[row]))) == is_found


@pytest.mark.parametrize(("others", "waited"), [(0.49, 700.0), (0.5, 5000.0), (0.51, 5000.0)])
def test_a_wait_in_which_nothing_else_was_parsed_is_not_the_files(others: float, waited: float) -> None:
    row = {"source": "stats_table", "bundle_name": "git", "dag_file": "a.py", "looks": 99, "usual_s": 30.0,
           "waits_s": [5000.0, 700.0], "others_rate": [others, 1.0],
           "untils_s": [WEDNESDAY.timestamp(), WEDNESDAY.timestamp() + 9000]}  # fmt: skip
    (finding,) = found(StaleParsing, answers(parse_staleness_by_file=[row]))
    assert finding.evidence["longest_s"] == waited
    assert (finding.evidence["until_at"] - finding.evidence["from_at"]).total_seconds() == waited
