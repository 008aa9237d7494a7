"""Every rule: below, at and above its thresholds; and the laws that all rules keep."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import betabinom

from windsock.errors import ConfigError
from windsock.findings import RULES, judge_all, told_once, validate_thresholds
from windsock.findings.doubt import with_doubt
from windsock.findings.methods.counts import chance_of_all_lost, chance_of_as_many_lost, chance_of_more
from windsock.findings.rule import Rule
from windsock.findings.rules.ws101_failure_rate_worse import FailureRateWorse
from windsock.findings.rules.ws102_failure_rate_better import FailureRateBetter
from windsock.findings.rules.ws103_broken import Broken
from windsock.findings.rules.ws104_born_broken import BornBroken
from windsock.findings.rules.ws106_broken_for_days import BrokenForDays
from windsock.findings.rules.ws108_new_dag_failing import NewDagFailing
from windsock.findings.rules.ws109_rare_run_lost import RareRunLost
from windsock.findings.rules.ws110_incident import Incident
from windsock.findings.rules.ws112_saved_by_retries import SavedByRetries
from windsock.findings.rules.ws113_first_run_lost import FirstRunLost
from windsock.findings.rules.ws115_known_issue import KnownIssueSeen
from windsock.findings.rules.ws116_broken_task import BrokenTask
from windsock.findings.rules.ws117_retried_every_time import RetriedEveryTime
from windsock.findings.rules.ws118_few_runs_lost import FewRunsLost
from windsock.findings.rules.ws201_parse_time_regression import ParseTimeRegression
from windsock.findings.rules.ws202_parse_time_near_limit import ParseTimeNearLimit
from windsock.findings.rules.ws301_pool_saturated import PoolSaturated
from windsock.findings.rules.ws501_silent_dag import SilentDag
from windsock.findings.rules.ws510_killed import Killed
from windsock.findings.rules.ws901_rejects import Rejects
from windsock.findings.rules.ws902_check_warning import CheckWarning
from windsock.model import Answer, Finding
from windsock.questions import load_questions
from windsock.week import Week

WEEK = Week.parse("2026-W47")
MONDAY = WEEK.monday
FROM_RULES = {
    "data_checks",
    "pool_bounds",
    "waiting_by_dag",
    "waiting_trends",
    "pools_of_week",
    "waiting_by_limit",
    "known_issues",
    "log_prices",
    "log_retention",
}  # answers that the pipeline makes, not sql/


def answers(**rows: Sequence[Mapping[str, Any]]) -> dict[str, Answer]:
    return {
        name: Answer(name, tuple(these[0]) if these else (), tuple(map(dict, these)))
        for name, these in rows.items()
    }


def found(rule: type[Rule], given: Mapping[str, Answer], **limits: float) -> list[Finding]:
    return rule.judge(given, rule.limits(limits), week=WEEK).findings


# --- laws


def test_codes_are_unique_and_well_formed() -> None:
    codes = [rule.code for rule in RULES]
    assert len(set(codes)) == len(codes)
    assert all(code.startswith("WS") and code[2:].isdigit() and len(code) == 5 for code in codes)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_says_what_it_means_how_it_judges_and_what_to_do(rule: type[Rule]) -> None:
    text = rule.explanation()
    assert all(part in text for part in ("What it means:", "How it is judged:", "What to do:"))
    known = set(load_questions(Path(__file__).parents[2] / "sql")) | FROM_RULES
    assert set(rule.questions) <= known
    for one in fields(rule.thresholds):
        assert one.metadata["unit"] and len(one.metadata["reason"]) > 10


def test_an_override_of_what_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigError, match="no such rule"):
        validate_thresholds({"WS999": {}})
    with pytest.raises(ConfigError, match="no threshold 'min_trys'"):
        validate_thresholds({"WS101": {"min_trys": 3}})


# --- WS101, WS102


def days(
    dag_id: str, now: Sequence[tuple[int, int]], before: tuple[int, int], weeks: int = 8
) -> list[dict[str, Any]]:
    rows = []
    for n in range(-7 * weeks, 7):
        runs, lost = before if n < 0 else now[n]
        day = MONDAY + timedelta(days=n)
        rows.append({"dag_id": dag_id, "day": day, "week": day - timedelta(days=day.weekday()), "runs": runs,
                     "lost_runs": lost, "saved_runs": 0, "no_end_runs": 0, "tries": runs, "failures": lost, "hours": float(runs)})  # fmt: skip
    return [row for row in rows if row["runs"]]


def rates(*dags: list[dict[str, Any]]) -> dict[str, Answer]:
    quiet = [row for i in range(20) for row in days(f"quiet_{i}", [(8, 0)] * 7, (8, 0))]
    return answers(
        failure_counts_by_dag_day=[*quiet, *(row for rows in dags for row in rows)], failure_rate_by_dag=[]
    )


def test_a_dag_that_loses_more_runs_is_worse_with_its_evidence() -> None:
    (finding,) = found(FailureRateWorse, rates(days("d", [(8, 3)] * 7, (8, 0))))
    assert finding.subject == {"dag_id": "d"}
    evidence = finding.evidence
    assert (evidence["tries"], evidence["failures"], evidence["baseline_rate"]) == (56, 21, 0.0)
    assert evidence["rate"] == 21 / 56
    assert 19 <= evidence["excess_failures"] <= 21
    assert evidence["probability"] > 0.9


@pytest.mark.parametrize(
    ("now", "why"),
    [
        ([(1, 1), *[(1, 0)] * 6], "one failure in seven runs"),
        ([(8, 0), (8, 7), (8, 7), *[(8, 0)] * 4], "two bad nights, then normal"),
        ([(8, 0)] * 7, "nothing happened"),
    ],
)
def test_noise_is_no_finding(now: list[tuple[int, int]], why: str) -> None:
    assert found(FailureRateWorse, rates(days("d", now, now[-1]))) == [], why


def open_days(now: tuple[int, int, int], before: tuple[int, int, int]) -> dict[str, Answer]:
    """A DAG with so many (runs, lost, without a known end) each day of the week, and of the eight before."""
    rows = days("d", [now[:2]] * 7, before[:2])
    given = rates([row | {"no_end_runs": (now if row["day"] >= MONDAY else before)[2]} for row in rows])
    told = {"dag_id": "d", "no_end_runs": 7 * now[2], "no_end_runs_prev": 56 * before[2]}
    return given | answers(failure_rate_by_dag=[told])


@pytest.mark.parametrize(
    ("now", "before", "is_better"),
    [
        ((8, 0, 0), (8, 3, 0), True),
        ((8, 0, 3), (8, 3, 0), False),  # what failed before has no end now
        ((8, 0, 8), (8, 3, 5), True),  # of those that did not fail none ever told its end
    ],
)
def test_failures_whose_logs_are_cut_now_are_no_recovery(
    now: tuple[int, int, int], before: tuple[int, int, int], is_better: bool
) -> None:
    assert [one.code for one in found(FailureRateBetter, open_days(now, before))] == ["WS102"] * is_better


@pytest.mark.parametrize(
    ("now", "before", "is_worse"),
    [
        ((8, 3, 0), (8, 0, 0), True),
        ((8, 3, 0), (8, 0, 3), False),  # they may have failed before, and nobody knew
        ((8, 3, 5), (8, 0, 8), True),
        ((8, 3, 2), (8, 0, 0), True),
    ],
)
def test_failures_that_are_only_known_now_are_no_change(
    now: tuple[int, int, int], before: tuple[int, int, int], is_worse: bool
) -> None:
    made = found(FailureRateWorse, open_days(now, before))
    assert [one.code for one in made] == ["WS101"] * is_worse
    if now[2]:
        assert f"21 of 56 runs failed, {7 * now[2]} without a known end" in made[0].headline


@pytest.mark.parametrize(("runs", "is_found"), [(19, False), (20, True), (21, True)])
def test_the_minimum_sample_of_a_rate(runs: int, is_found: bool) -> None:
    now = [(3, 2)] * 6 + [(runs - 18, 1)]
    assert bool(found(FailureRateWorse, rates(days("d", now, (3, 0))))) == is_found


@pytest.mark.parametrize(("failures", "is_judged"), [(4, False), (5, True), (6, True)])
def test_the_minimum_failures_of_a_rate(failures: int, is_judged: bool) -> None:
    now = [(8, 1 if n < failures else 0) for n in range(7)]
    verdicts = FailureRateWorse.judge(rates(days("d", now, (8, 0))), FailureRateWorse.limits(), week=WEEK)
    assert verdicts.judged == int(is_judged)


def test_a_stricter_fdr_makes_fewer_findings() -> None:
    given = rates(days("d", [(8, 1)] * 6 + [(8, 2)], (8, 0)))
    assert found(FailureRateWorse, given)
    assert not found(FailureRateWorse, given, fdr=1e-15)


def test_a_dag_that_recovered_is_better_and_needs_nothing() -> None:
    (finding,) = found(FailureRateBetter, rates(days("d", [(8, 0)] * 7, (8, 3))))
    assert (finding.severity, finding.status) == ("info", "better")
    assert found(FailureRateBetter, rates(days("d", [(8, 3)] * 7, (8, 0)))) == []


# --- WS103, WS104


@pytest.mark.parametrize(("lost_days", "is_found"), [(13, False), (14, True), (15, True)])
def test_broken_for_two_weeks(lost_days: int, is_found: bool) -> None:
    rows = days("d", [(1, 0)] * 7, (1, 0))
    for row in rows[-lost_days:]:
        row["lost_runs"] = 1
    given = found(Broken, answers(failure_counts_by_dag_day=rows))
    assert bool(given) == is_found
    if is_found:
        assert given[0].evidence == {"runs": lost_days, "since": rows[-lost_days]["day"].isoformat(),
                                     "weeks": 2, "hours": float(lost_days), "week_runs": 7, "week_hours": 7.0}  # fmt: skip


@pytest.mark.parametrize(("runs", "is_found"), [(4, False), (5, True), (6, True)])
def test_broken_needs_runs_enough(runs: int, is_found: bool) -> None:
    rows = [row | {"lost_runs": 1} for row in days("d", [(1, 1)] * 7, (1, 1))][-7 * runs :: 7]
    rows = [row | {"week": MONDAY} if row is rows[-1] else row for row in rows]
    assert bool(found(Broken, answers(failure_counts_by_dag_day=rows))) == is_found


@pytest.mark.parametrize(
    ("runs", "lost", "since", "is_found"),
    [
        (2, 2, 5, False),  # too few
        (3, 3, 4, True),
        (4, 4, 3, True),
        (4, 3, 3, False),  # one worked
        (9, 9, -7, True),  # fourteen days ago: still young
        (9, 9, -8, False),  # fifteen: no longer new
    ],
)
def test_born_broken(runs: int, lost: int, since: int, is_found: bool) -> None:
    old = days("old", [(1, 0)] * 7, (1, 0))
    row = {"dag_id": "d", "week": MONDAY, "tries": 1, "failures": 1, "hours": 0.1}
    new = [row | {"day": MONDAY + timedelta(days=since), "runs": runs - 1, "lost_runs": lost - 1},
           row | {"day": MONDAY + timedelta(days=6), "runs": 1, "lost_runs": 1}]  # fmt: skip
    assert bool(found(BornBroken, answers(failure_counts_by_dag_day=[*old, *new]))) == is_found


def test_the_first_week_of_a_lake_has_no_new_dags() -> None:
    rows = days("d", [(1, 1)] * 7, (0, 0))
    assert found(BornBroken, answers(failure_counts_by_dag_day=rows)) == []


# --- WS106


def lost_since(**changes: Any) -> dict[str, Answer]:
    """A daily DAG that broke on Friday, after eight good weeks."""
    row = {"dag_id": "d", "runs": 3, "week_runs": 3, "days": 3, "since": FRIDAY, "last_at": FRIDAY + timedelta(days=2),
           "until_at": FRIDAY - timedelta(days=1), "well_at": FRIDAY - timedelta(days=1), "task_ids": ["load"], "hours": 1.5, "runs_prev": 60, "lost_prev": 0,
           "gap_s": 86400.0}  # fmt: skip
    error = {"dag_id": "d", "error_signature": "KeyError: <>", "lost_runs": 3}
    return answers(runs_lost_since=[row | changes], lost_runs_by_dag_error=[error])


FRIDAY = datetime(2026, 11, 20, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "is_found"),
    [
        ({"runs": 2, "days": 2}, False),  # two bad nights
        ({"runs": 3}, True),
        ({"runs": 4, "days": 4}, True),
        ({"runs": 40, "days": 2}, False),  # two nights of an hourly DAG
        ({"lost_prev": 10}, False),  # one run in six is lost anyway: .0062
        ({"lost_prev": 9}, True),  # .0047
        ({"runs_prev": 5}, False),  # five good runs do not tell that three in a row are rare: .0056
        ({"runs_prev": 6}, True),  # .0037
    ],
)
def test_a_dag_of_few_runs_is_broken_when_so_many_in_a_row_are_no_luck(
    changes: dict[str, Any], is_found: bool
) -> None:
    assert bool(found(BrokenForDays, lost_since(**changes))) == is_found


def test_what_broke_says_since_when_between_which_runs_and_with_which_error() -> None:
    (finding,) = found(BrokenForDays, lost_since())
    assert (finding.id, finding.severity) == ("WS106:d", "critical")
    assert finding.headline == "d has lost every run to load since Fri 20 Nov (3; before: 0 of 60)"
    assert finding.evidence["task_ids"] == ["load"]
    assert "KeyError: <>" in finding.advice
    assert "Thu 19 Nov 02:00 UTC" in finding.advice and "Fri 20 Nov 02:00 UTC" in finding.advice


@pytest.mark.parametrize(
    ("well_at", "told"),
    [
        (
            FRIDAY - timedelta(days=3),
            "Tue 17 Nov 02:00 UTC, when the last run that worked began, and Fri 20 Nov 02:00 UTC (how",
        ),
        (None, "of no run before is it known that it worked"),
    ],
)
def test_a_run_without_a_known_end_is_not_called_one_that_worked(well_at: datetime | None, told: str) -> None:
    (finding,) = found(BrokenForDays, lost_since(well_at=well_at))
    assert told in finding.advice


def test_of_many_tasks_that_lost_runs_the_first_ones_are_named() -> None:
    (finding,) = found(BrokenForDays, lost_since(task_ids=["load", "publish", "mail"]))
    assert "lost every run to load, publish and 1 more since" in finding.headline


@pytest.mark.parametrize(
    ("tasks", "maps_lost", "maps", "told"),
    [
        (["load"], [4], [20], "d has lost every run to load (4 of 20 map indexes) since"),
        (["load"], [0], [0], "d has lost every run to load since"),
        (["load", "publish"], [20, 0], [20, 0], "d has lost every run to load, publish since"),
    ],
)
def test_what_broke_says_how_many_map_indexes_failed(
    tasks: list[str], maps_lost: list[int], maps: list[int], told: str
) -> None:
    (finding,) = found(BrokenForDays, lost_since(task_ids=tasks, maps_lost=maps_lost, maps=maps))
    assert told in finding.headline
    facts = finding.evidence.get("mapped_tasks", [])
    assert facts == ([f"load: {maps_lost[0]} of {maps[0]} map indexes failed"] if maps[0] else [])


def test_a_dag_that_never_worked_is_watched_where_nobody_else_tells_it() -> None:
    """As in the first week of a lake; later it is WS103's, and WS104's where others were seen before."""
    (finding,) = found(BrokenForDays, lost_since(until_at=None, well_at=None, runs_prev=0))
    assert (finding.severity, finding.headline) == (
        "watch",
        "d has lost every run that was seen to load (3 since Fri 20 Nov)",
    )
    for code in ("WS103", "WS104"):
        other = replace(finding, id=f"{code}:d", code=code)
        assert told_once([other, finding], {}) == [other]


def test_what_was_killed_is_told_with_the_dag_that_it_broke() -> None:
    row = {"dag_id": "d", "task_id": "t", "state_reason": "oom", "signal": "SIGKILL", "tries": 3, "all_tries": 7, "lost": 3,
           "tries_prev": 0, "first_at": FRIDAY, "last_at": FRIDAY, "lost_runs": 3, "wasted_hours": 0.5}  # fmt: skip
    given = lost_since() | answers(killed_tries=[row])
    both = [*found(BrokenForDays, given), *found(Killed, given)]
    (finding,) = told_once(both, given)
    assert finding.code == "WS106" and "Raise the task's memory limit" in finding.advice
    given = lost_since() | answers(killed_tries=[row | {"lost": 2}])  # one run was lost to something else
    both = [*found(BrokenForDays, given), *found(Killed, given)]
    assert [one.code for one in told_once(both, given)] == ["WS106", "WS510"]


def test_the_chance_of_runs_lost_in_a_row_is_the_integral_over_all_rates() -> None:
    rate = np.linspace(0, 1, 200_001)[1:-1]
    prior = rate ** (4 + 0.5 - 1) * (1 - rate) ** (56 + 0.5 - 1)
    assert chance_of_all_lost(3, 4, 60) == pytest.approx(
        float((prior * rate**3).sum() / prior.sum()), rel=1e-4
    )


def test_a_broken_dag_is_told_once() -> None:
    """By its rate where that is judged, or by the incident that took all of its runs."""
    (broken,) = found(BrokenForDays, lost_since())
    rate = replace(broken, id="WS101:d", code="WS101", evidence={"excess_failures": 9.0})
    assert told_once([rate, broken], {}) == [rate]
    (incident,) = found(Incident, error())

    def said(lost: int) -> dict[str, Answer]:
        row = {"dag_id": "d", "error_signature": "AuthError: <>", "lost_runs": lost}
        return answers(lost_runs_by_dag_error=[row])

    assert told_once([broken, incident], said(3)) == [incident]
    assert told_once([broken, incident], said(2)) == [broken, incident]


# --- WS108, WS109


@pytest.mark.parametrize(
    ("runs", "lost", "since", "last_lost", "is_found"),
    [
        (15, 2, 2, 1, False),  # too few
        (15, 3, 2, 1, True),  # one in five
        (16, 3, 2, 1, False),
        (15, 3, 2, 0, False),  # all well on its last day
        (15, 15, 2, 1, False),  # WS104's
        (15, 3, -7, 1, True),  # fourteen days ago: still young
        (15, 3, -8, 1, False),
    ],
)
def test_a_new_dag_that_loses_runs(runs: int, lost: int, since: int, last_lost: int, is_found: bool) -> None:
    old = days("old", [(1, 0)] * 7, (1, 0))
    row = {"dag_id": "d", "week": MONDAY, "tries": 1, "failures": 1, "hours": 0.1}
    new = [row | {"day": MONDAY + timedelta(days=since), "runs": runs - 1, "lost_runs": lost - last_lost},
           row | {"day": MONDAY + timedelta(days=6), "runs": 1, "lost_runs": last_lost}]  # fmt: skip
    error = {"dag_id": "d", "error_signature": "KeyError: 'amount'", "lost_runs": lost}
    findings = found(
        NewDagFailing, answers(failure_counts_by_dag_day=[*old, *new], lost_runs_by_dag_error=[error])
    )
    assert bool(findings) == is_found
    if is_found:
        assert f"{lost} of {runs} runs" in findings[0].headline
        assert findings[0].advice.startswith(f"{lost} were lost to KeyError: 'amount'.")


def test_in_a_lake_s_first_week_no_dag_is_new() -> None:
    rows = days("d", [(8, 4)] * 7, (8, 4), weeks=0)
    assert found(NewDagFailing, answers(failure_counts_by_dag_day=rows)) == []


@pytest.mark.parametrize(
    ("changes", "is_found"),
    [
        ({}, True),
        ({"gap_s": 8 * 86400.0}, True),
        ({"gap_s": 8 * 86400.0 - 1}, False),  # the next one comes before the next report
        ({"gap_s": None}, False),  # nobody knows when
        ({"lost_prev": 4}, False),  # half of those before
        ({"lost_prev": 3}, True),
        ({"well_at": None, "runs_prev": 0}, False),  # it never worked: WS106 watches it
    ],
)
def test_a_rare_run_that_was_lost_is_told(changes: dict[str, Any], is_found: bool) -> None:
    row = {"runs": 1, "week_runs": 1, "runs_prev": 8, "lost_prev": 0, "gap_s": 30 * 86400.0}
    findings = found(RareRunLost, lost_since(**row | changes))
    assert bool(findings) == is_found
    if is_found and "gap_s" not in changes:
        assert (
            findings[0].headline
            == "d lost its newest run, of Sun 22 Nov 02:00 UTC; the next one comes 30 days after it"
        )


@pytest.mark.parametrize("code", ["WS101", "WS106"])
def test_a_rare_run_is_not_told_beside_what_tells_more(code: str) -> None:
    row = {"runs": 1, "week_runs": 1, "runs_prev": 8, "lost_prev": 0, "gap_s": 30 * 86400.0}
    (rare,) = found(RareRunLost, lost_since(**row))
    other = replace(rare, id=f"{code}:d", code=code, evidence={"excess_failures": 9.0, "week_runs": 3})
    assert told_once([other, rare], {}) == [other]
    (incident,) = found(Incident, error())
    told = answers(
        lost_runs_by_dag_error=[{"dag_id": "d", "error_signature": "AuthError: <>", "lost_runs": 1}]
    )
    assert told_once([rare, incident], told) == [incident]


def month_ends(lost: int, rare: int = 20) -> dict[str, Answer]:
    """Twenty monthly DAGs that were well a month before; `lost` of them lost this month's run."""
    row = {"runs": 1, "week_runs": 1, "runs_prev": 1, "lost_prev": 0, "gap_s": 30 * 86400.0}
    since = [lost_since(dag_id=f"d{n}", **row)["runs_lost_since"].rows[0] for n in range(lost)]
    days = [
        {"dag_id": f"d{n}", "day": day, "week": day - timedelta(days=day.weekday()), "runs": 1, "lost_runs": lost_now}
        for n in range(rare)
        for day, lost_now in ((MONDAY - timedelta(days=30), 0), (MONDAY, int(n < lost)))
    ]  # fmt: skip
    return answers(runs_lost_since=since, failure_counts_by_dag_day=days)


@pytest.mark.parametrize(("lost", "severity"), [(3, "watch"), (7, "watch"), (8, "warning"), (9, "warning")])
def test_rare_runs_lost_by_many_at_once_are_no_chance(lost: int, severity: str) -> None:
    """Seven of twenty beside none of twenty have a chance of .004, eight one of .0016, nine one of .0006."""
    findings = found(RareRunLost, month_ends(lost), max_chance=0.002)
    assert [one.severity for one in findings] == [severity] * lost


def test_two_rare_runs_are_never_a_swarm() -> None:
    assert {one.severity for one in found(RareRunLost, month_ends(2, rare=2), max_chance=1)} == {"watch"}
    assert {one.severity for one in found(RareRunLost, month_ends(3, rare=3), max_chance=1)} == {"warning"}


# --- WS113


@pytest.mark.parametrize(
    ("changes", "begins", "is_found"),
    [
        ({"runs": 1}, 7, True),
        ({"runs": 2}, 7, True),
        ({"runs": 3}, 7, False),  # WS104's, WS106's
        ({"runs": 1}, 6, False),  # the lake is too young to call it the first one
        (
            {"runs": 1, "until_at": datetime(2026, 11, 10, tzinfo=UTC)},
            30,
            False,
        ),  # one before may have worked
    ],
)
def test_a_first_run_that_was_lost_is_told(changes: dict[str, Any], begins: int, is_found: bool) -> None:
    row = {"until_at": None, "well_at": None, "runs_prev": 0, "lost_prev": 0, "gap_s": None}
    given = lost_since(**row | changes)
    since = given["runs_lost_since"].rows[0]["since"].date()
    given |= answers(
        failure_counts_by_dag_day=[{"dag_id": "old", "day": since - timedelta(days=begins), "runs": 1}]
    )
    findings = found(FirstRunLost, given)
    assert bool(findings) == is_found
    if is_found:
        assert findings[0].severity == "watch"
        assert findings[0].headline.endswith(
            "; none was seen in " + ("7 days" if begins == 7 else "") + " before"
        )
    assert found(FirstRunLost, lost_since(**row)) == []


# --- WS116


@pytest.mark.parametrize(
    ("changes", "is_found"),
    [
        ({}, True),
        ({"failing_ends": 2}, False),
        ({"failing_days": 2}, False),
        ({"lost": 0}, False),  # not this week
        ({"last_success_at": None, "ended_well": 0}, False),  # it never worked: its DAG's rules tell it
        ({"ended_well": 11}, True),  # three in a row after none of eleven: .0009
        ({"ended_well": 10}, False),
        ({"lost_well": 4}, False),  # it loses one in five as it is
    ],
)
def test_a_task_that_is_broken_behind_a_branch_is_told(changes: dict[str, Any], is_found: bool) -> None:
    row = {"dag_id": "d", "task_id": "a", "lost": 2, "failing_ends": 3, "failing_days": 3, "failing_since": AT, "dag_runs": 7,
           "last_success_at": AT - timedelta(days=3), "ended_well": 20, "lost_well": 0}  # fmt: skip
    findings = found(BrokenTask, answers(task_standing=[row | changes]))
    assert bool(findings) == is_found
    if is_found and not changes:
        assert findings[0].headline.startswith("d.a failed each time since ")
        (broken,) = found(BrokenForDays, lost_since())
        assert told_once([broken, *findings], {}) == [broken]
        (incident,) = found(Incident, error())
        for lost, kept in ((2, [incident]), (1, [*findings, incident])):
            error_of = {"dag_id": "d", "error_signature": "AuthError: <>", "lost_runs": lost}
            assert told_once([*findings, incident], answers(lost_runs_by_dag_error=[error_of])) == kept


# --- WS112


def saved(now: Sequence[tuple[int, int]], before: tuple[int, int]) -> dict[str, Answer]:
    rows = [row | {"saved_runs": row["lost_runs"], "lost_runs": 0} for row in days("d", now, before)]
    error = {"dag_id": "d", "error_signature": "Deadlock: <>", "lost_runs": 0, "first_runs": 21}
    return rates(rows) | answers(lost_runs_by_dag_error=[error])


@pytest.mark.parametrize(
    ("now", "is_found", "why"),
    [
        ([(8, 3)] * 7, True, "a retry saves three of eight, and none was needed"),
        ([(8, 0), (8, 7), (8, 7), *[(8, 0)] * 4], False, "two bad nights, then normal"),
        ([(8, 0)] * 7, False, "nothing happened"),
        ([(2, 1)] * 7, False, "fourteen runs say too little"),
    ],
)
def test_more_runs_that_a_retry_saved_are_told(
    now: Sequence[tuple[int, int]], is_found: bool, why: str
) -> None:
    findings = found(SavedByRetries, saved(now, (8, 0)))
    assert bool(findings) == is_found, why
    if is_found:
        assert findings[0].headline == "d: a retry saved 21 of 56 runs (before: 0 of 448)"
        assert findings[0].advice.startswith("In 21 runs a first try failed with Deadlock: <>.")
        assert found(FailureRateWorse, saved(now, (8, 0))) == []


def test_what_a_retry_saved_is_not_told_beside_what_it_did_not_save() -> None:
    (one,) = found(SavedByRetries, saved([(8, 3)] * 7, (8, 0)))
    other = replace(one, id="WS101:d", code="WS101")
    assert told_once([other, one], {}) == [other]
    (incident,) = found(Incident, error(dag_ids=["b", "c", "d"]))
    assert told_once([one, incident], {}) == [incident]
    assert told_once([one], {}) == [one]
    host = replace(one, id="WS630:w3", code="WS630", subject={"hostname": "w3"}, evidence={})

    def on_host(tries: int) -> dict[str, Answer]:
        return answers(lost_runs_by_host=[{"hostname": "w3", "dag_id": "d", "tries": tries, "lost_runs": 0}])

    assert told_once([one, host], on_host(20)) == [host]
    assert told_once([one, host], on_host(10)) == [one, host]  # eleven of its own


# --- lost runs of which nothing tells how Airflow ended them


@pytest.mark.parametrize(
    ("lost", "went_on", "is_said"), [(4, 2, True), (4, 1, False), (4, 0, False), (2, 2, True)]
)
def test_lost_runs_that_went_on_are_told_with_a_doubt(lost: int, went_on: int, is_said: bool) -> None:
    given = answers(failure_rate_by_dag=[{"dag_id": "d", "lost_runs": lost, "lost_went_on": went_on}])
    (broken,) = found(BrokenForDays, lost_since())
    (other,) = found(RetriedEveryTime, first_tries({}))
    one, untouched = with_doubt([broken, other], given)
    assert one.advice.startswith("Perhaps not lost: in ") == is_said
    assert one.evidence.get("went_on_runs") == (went_on if is_said else None)
    assert untouched == other
    assert with_doubt(
        [broken], answers(failure_rate_by_dag=[{"dag_id": "e", "lost_runs": 2, "lost_went_on": 2}])
    ) == [broken]


# --- WS118


def nights(now: str, before: tuple[int, int] = (7, 0)) -> dict[str, Answer]:
    """A daily DAG: `x` is a lost run, `.` one that came well, a space a day without one; before it so many runs, so many lost."""
    past = [MONDAY - timedelta(days=1 + n) for n in reversed(range(before[0]))]
    told = [(day, n < before[1]) for n, day in enumerate(past)]
    told += [(MONDAY + timedelta(days=n), one == "x") for n, one in enumerate(now) if one != " "]
    rows = [
        {"dag_id": "d", "day": day, "week": day - timedelta(days=day.weekday()), "runs": 1, "lost_runs": int(is_lost),
         "saved_runs": 0, "no_end_runs": 0, "tries": 1, "failures": int(is_lost), "hours": 1.0,
         "first_lost_at": datetime(day.year, day.month, day.day, 1, tzinfo=UTC) if is_lost else None}
        for day, is_lost in told
    ]  # fmt: skip
    return rates(rows)


@pytest.mark.parametrize(
    ("now", "before", "severity", "why"),
    [
        ("xxx.xxx", (7, 0), "warning", "six of seven after none of seven: .0006"),
        ("xxxxxx.", (7, 0), "warning", "up to the day before"),
        ("xxxxx..", (7, 0), "watch", "the newest two came well"),
        ("x.xx.xx", (7, 0), "warning", "five of seven: .003"),
        ("x.x.x.x", (7, 0), "watch", "four of seven after one week: .011"),
        ("x.x.x.x", (56, 0), "warning", "four of seven after eight weeks"),
        ("x.x.x.x", (56, 6), "watch", "one in ten as it is: .008"),
        ("x.x.x.x", (56, 10), None, "one in six as it is: .03"),
        ("xxx....", (56, 0), None, "three bad nights"),
        ("xx.....", (7, 0), None, "two bad nights, then normal"),
        ("x", (56, 0), None, "a weekly one"),
        ("   xxxx", (3, 0), "watch", "four of four after three: .008"),
        ("   xxxx", (2, 0), None, "two runs are no past"),
    ],
)
def test_a_dag_of_few_runs_that_lost_most_of_them(
    now: str, before: tuple[int, int], severity: str | None, why: str
) -> None:
    assert [one.severity for one in found(FewRunsLost, nights(now, before))] == (
        [severity] if severity else []
    ), why


def test_what_has_runs_enough_is_left_to_its_rate() -> None:
    given = answers(failure_counts_by_dag_day=days("d", [(3, 2)] * 7, (3, 0)))
    assert FewRunsLost.judge(given, FewRunsLost.limits(), week=WEEK).judged == 0
    few = answers(failure_counts_by_dag_day=days("d", [(2, 2)] * 7, (2, 0)))
    assert FewRunsLost.judge(few, FewRunsLost.limits(), week=WEEK).judged == 1


def test_many_lost_runs_of_two_nights_are_two_bad_nights() -> None:
    def of(now: str) -> list[Finding]:
        rows = nights(now)["failure_counts_by_dag_day"].rows
        return found(
            FewRunsLost,
            answers(
                failure_counts_by_dag_day=[
                    row | {"runs": 4, "lost_runs": 4 * row["lost_runs"]} for row in rows
                ]
            ),
        )

    assert (len(of("xx")), len(of("xxx"))) == (0, 1)


def test_runs_before_of_which_nobody_knows_the_end_count_as_lost() -> None:
    given = nights("xxx.xxx")
    rows = [
        row | {"no_end_runs": int(row["week"] != MONDAY and row["day"].weekday() < 4)}
        for row in given["failure_counts_by_dag_day"].rows
    ]
    assert found(FewRunsLost, answers(failure_counts_by_dag_day=rows)) == []


def test_few_lost_runs_are_told_once() -> None:
    (one,) = found(FewRunsLost, nights("xxx.xxx"))
    assert one.headline == "d: 6 of 7 runs failed (before: 0 of 7)"
    (broken,) = found(BrokenForDays, lost_since())
    assert told_once([one, broken], {}) == [broken]
    for lost_runs, kept in ((6, 1), (5, 2)):
        killed = replace(
            one, id="WS510:d:load", code="WS510", evidence={"lost_runs": lost_runs, "tries": lost_runs}
        )
        assert len(told_once([one, killed], {})) == kept


@pytest.mark.parametrize(
    ("lost", "runs", "lost_prev", "runs_prev"), [(6, 7, 0, 7), (4, 7, 3, 56), (0, 5, 1, 9), (19, 19, 0, 3)]
)
def test_the_chance_of_as_many_lost_is_the_beta_binomial_s_tail(
    lost: int, runs: int, lost_prev: int, runs_prev: int
) -> None:
    wanted = betabinom(runs, lost_prev + 0.5, runs_prev - lost_prev + 0.5).sf(lost - 1)
    assert chance_of_as_many_lost(lost, runs, lost_prev, runs_prev) == pytest.approx(wanted)
    assert chance_of_as_many_lost(runs, runs, lost_prev, runs_prev) == pytest.approx(
        chance_of_all_lost(runs, lost_prev, runs_prev)
    )


# --- WS117


def first_tries(*weeks: Mapping[str, Any]) -> dict[str, Answer]:
    """Weeks, oldest first, the last one is the report's."""
    row = {"dag_id": "d", "task_id": "load", "executions": 7, "failed_first": 7, "saved": 7, "lost": 0, "failed_hours": 0.2,
           "late_hours": 0.8, "late_s": 360.0, "errors": 1, "error_signature": "NotReady: <>", "error_firsts": 7, "blame": None,
           "first_at": AT}  # fmt: skip
    told = [row | {"week": MONDAY - timedelta(weeks=n)} | one for n, one in enumerate(reversed(weeks))]
    return answers(first_tries_by_week=told[::-1])


@pytest.mark.parametrize(
    ("weeks", "is_found", "why"),
    [
        ([{}], True, "seven of seven"),
        ([{"executions": 5, "failed_first": 5, "saved": 5}], True, "just enough"),
        ([{"executions": 4, "failed_first": 4, "saved": 4}], False, "four are no habit"),
        ([{"executions": 1, "failed_first": 1, "saved": 1}] * 5, True, "a weekly one, five weeks on end"),
        ([{"executions": 10, "failed_first": 8, "saved": 8}] * 2, True, "eight of ten, twice: at least .58"),
        ([{"executions": 10, "failed_first": 8, "saved": 8}], False, "eight of ten: at least .49"),
        ([{"executions": 100, "failed_first": 79, "saved": 79}], False, "below four in five the first try does work"),
        ([{"failed_hours": 0.1, "late_hours": 0.4}], True, "half an hour"),
        ([{"failed_hours": 0.1, "late_hours": 0.39}], False, "less than half an hour"),
        ([{"executions": 20, "failed_first": 20, "saved": 2, "lost": 18}], False, "retries have no chance, either"),
        ([{"executions": 20, "failed_first": 20, "saved": 3, "lost": 17}], True, "retries save some"),
        ([{}, {"failed_first": 1, "saved": 1, "executions": 7}], False, "it was so until last week"),
    ],
)  # fmt: skip
def test_a_first_try_that_never_works_is_told(
    weeks: Sequence[Mapping[str, Any]], is_found: bool, why: str
) -> None:
    assert bool(found(RetriedEveryTime, first_tries(*weeks))) == is_found, why


def test_a_first_try_that_hangs_is_not_called_early() -> None:
    """An hour after it began nobody can say that its input was not there; and its timeout is told by WS404, if that speaks."""
    (one,) = found(
        RetriedEveryTime, first_tries({"error_signature": "AirflowTaskTimeout: Timeout, PID: <n>"})
    )
    assert "it began, and hung" in one.advice and "not ready" not in one.advice
    (early,) = found(RetriedEveryTime, first_tries({}))
    limit = replace(one, id="WS404", code="WS404", subject={"kind": "execution_timeout", **one.subject})
    assert told_once([limit, one], {}) == [limit]
    assert early in told_once([limit, early], {}), "its first tries fail by something else"
    other = replace(one, subject={"dag_id": "d", "task_id": "other"})
    assert other in told_once([limit, other], {})


def test_a_habit_is_counted_from_the_last_week_in_which_the_first_try_worked() -> None:
    began = AT - timedelta(days=5)
    (one,) = found(
        RetriedEveryTime, first_tries({}, {"failed_first": 2, "saved": 2}, {"first_at": began}, {"late_hours": 1.0})
    )  # fmt: skip
    assert one.headline == (
        "d.load: the first try failed in 14 of 14 executions since Fri 13 Nov 08:00 UTC, a retry saved all of them; this week "
        "that cost 1.0 hours of delay and 12 minutes of workers"
    )
    assert one.advice.startswith("7 of 7 failed with NotReady: <>: what it needs is not ready when it starts")
    assert one.advice.endswith("windsock why d load.")
    (many,) = found(RetriedEveryTime, first_tries({"errors": 3, "error_firsts": 4}))
    assert many.advice.startswith("4 of 7 failed with NotReady: <>, the others with 2 other errors; ")
    (unseen,) = found(
        RetriedEveryTime, first_tries({"errors": 0, "error_firsts": 0, "error_signature": None})
    )
    assert unseen.advice.startswith("No log tells why it fails; ")


def test_a_retry_each_time_is_told_by_task_and_once() -> None:
    (one,) = found(RetriedEveryTime, first_tries({}))
    (saved_runs,) = found(SavedByRetries, saved([(8, 3)] * 7, (8, 0)))
    assert told_once([saved_runs, one], {}) == [one]
    broken = replace(one, id="WS103:d", code="WS103", subject={"dag_id": "d"})
    assert told_once([broken, one], {}) == [broken]


# --- WS110

AT = datetime(2026, 11, 18, 8, tzinfo=UTC)


def error(**changes: Any) -> dict[str, Answer]:
    dags = changes.get("dags", 3)
    row = {"error_signature": "AuthError: <>", "dags": 3, "runs": 6, "tasks": 3, "lost_runs": 6, "runs_prev": 0,
           "weeks_prev": 8, "tries": 6, "lost": 6, "executions": 6, "wasted_hours": 1.0, "first_at": AT, "last_at": AT, "tries_prev": 0,
           "hosts": 1, "dag_ids": ["a", "b", "c"], "dag_tries": [2] * dags, "dag_tries_prev": [0] * dags, "exception_type": "AuthError", "sample": "no", "cause": "AuthError: <>",
           "signatures": ["AuthError: <>"], "blame": None, "blocked": 0, "tasks_well": 0}  # fmt: skip
    return answers(incidents_by_error=[row | changes])


def share(attribute: str, value: str | None, **changes: Any) -> dict[str, Any]:
    row = {"cause": "AuthError: <>", "attribute": attribute, "value": value, "tries": 6, "known": 6, "all_tries": 10, "all_known": 100}  # fmt: skip
    return row | changes


@pytest.mark.parametrize(
    ("changes", "is_found"),
    [
        ({"dags": 2}, False),
        ({"dags": 3}, True),
        ({"dags": 4}, True),
        ({"dags": 1, "tasks": 19}, False),
        ({"dags": 1, "tasks": 20}, True),  # sixty mapped tasks of one DAG are one cause as well
        (
            {"dag_tries_prev": [0, 0, 6]},
            False,
        ),  # two of a week after six of eight: the third DAG has it as before
        ({"dag_tries_prev": [0, 0, 5]}, True),
        ({"tries": 5}, False),
        ({"tries": 6}, True),
        ({"tries": 30, "runs": 30, "tries_prev": 81, "runs_prev": 8}, False),  # 2.96 times its week
        ({"tries": 30, "runs": 30, "tries_prev": 80, "runs_prev": 8}, True),  # three times
        ({"tries": 9, "runs": 6, "tries_prev": 20, "runs_prev": 14}, False),  # a rise that luck explains
    ],
)
def test_an_incident_is_many_dags_many_tries_and_more_than_before(
    changes: dict[str, Any], is_found: bool
) -> None:
    assert bool(found(Incident, error(**changes))) == is_found


def test_an_incident_without_any_past_is_never_critical() -> None:
    (finding,) = found(Incident, error(weeks_prev=0))
    assert finding.severity == "warning"


@pytest.mark.parametrize(
    ("changes", "is_found"),
    [
        ({"last_at": AT + timedelta(hours=24)}, True),  # pressed together
        ({"last_at": AT + timedelta(hours=25), "lost_runs": 0}, False),  # strays that retries saved
        ({"last_at": AT + timedelta(hours=25), "lost_runs": 3}, False),  # half of the runs hit
        ({"last_at": AT + timedelta(hours=25), "lost_runs": 4}, True),  # most of them, and still so
        ({"last_at": AT + timedelta(hours=25), "lost_runs": 4, "tasks_well": 1}, True),
        ({"last_at": AT + timedelta(hours=25), "lost_runs": 4, "tasks_well": 2}, False),
    ],
)
def test_without_any_past_an_incident_is_pressed_together_or_goes_on(
    changes: dict[str, Any], is_found: bool
) -> None:
    assert bool(found(Incident, error(weeks_prev=0, **changes))) == is_found


@pytest.mark.parametrize(("lost", "is_told"), [(2, True), (3, False)])
def test_an_incident_that_retries_saved_says_so(lost: int, is_told: bool) -> None:
    (finding,) = found(Incident, error(tasks_well=3, tries=12, lost=lost))
    assert finding.advice.startswith("Retries saved 4 of 6 task executions that failed from") == is_told
    assert ("find out what mended it" in finding.advice) != is_told


def test_retries_that_all_fail_saved_nothing() -> None:
    """Six executions of three tries each, all lost: two of three failed tries were followed by another one."""
    (finding,) = found(Incident, error(tasks_well=3, tries=18, lost=6))
    assert finding.advice.startswith("It lasted from")


def test_an_incident_carries_what_the_contract_names() -> None:
    (finding,) = found(Incident, error(lost_runs=10))
    assert finding.id == "WS110:AuthError: <>"
    assert finding.severity == "critical"
    assert {"dags", "tries", "first_at", "last_at", "sample"} <= set(finding.evidence)


@pytest.mark.parametrize(
    ("shares", "concentration"),
    [
        ([], "everywhere: 3 DAGs"),
        ([share("hostname", "w3")], "one host, w3"),
        ([share("hour", "2026-11-18T08:00Z")], "one hour, Wed 18 Nov 08:00 UTC"),
        (
            [share("hostname", "w3"), share("hour", "2026-11-18T08:00Z")],
            "one host, w3; one hour, Wed 18 Nov 08:00 UTC",
        ),
        ([share("hostname", "w3", tries=5)], "everywhere: 3 DAGs"),  # five of six are below nine in ten
        ([share("hostname", "w3", known=10, tries=9)], "one host, w3"),  # nine of ten are at it
        ([share("hostname", "w3", all_tries=50)], "one host, w3"),  # half of the week's tries
        ([share("hostname", "w3", all_tries=51)], "everywhere: 3 DAGs"),  # the only worker has everything
        ([share("hostname", "w3", tries=2, known=2)], "everywhere: 3 DAGs"),  # the others do not tell
        ([share("hostname", None)], "everywhere: 3 DAGs"),  # withheld
    ],
)
def test_an_incident_says_where_it_is_concentrated(shares: list[dict[str, Any]], concentration: str) -> None:
    (finding,) = found(Incident, error() | answers(incident_shares=shares))
    assert finding.evidence["concentration"] == concentration


def test_an_incident_says_what_its_tries_share() -> None:
    shares = [
        share("pool", "warehouse"),
        share("operator", "PythonOperator", all_tries=90),
        share("bundle_version", "c" * 40),
    ]
    (finding,) = found(Incident, error() | answers(incident_shares=shares))
    assert finding.evidence["shared"] == ["pool warehouse", "bundle version ccccccc"]
    assert "pool warehouse" in finding.advice


def test_a_cause_with_a_name_keeps_its_id_whatever_words_it_is_told_in() -> None:
    told = {"cause": "login etl", "signatures": ["A: x", "B: y"], "error_signature": "A: x"}
    (finding,) = found(Incident, error(**told))
    (later,) = found(Incident, error(**told | {"signatures": ["B: y"], "error_signature": "B: y"}))
    assert finding.id == later.id == "WS110:login etl"
    assert finding.subject == {"error_signature": "A: x"}
    assert finding.advice.startswith("Renew or unlock the credentials of etl.")


@pytest.mark.parametrize(("well", "severity"), [(2, "critical"), (3, "warning")])
def test_an_incident_that_is_over_says_so_and_is_not_critical(well: int, severity: str) -> None:
    (finding,) = found(Incident, error(lost_runs=10, tasks_well=well))
    assert finding.severity == severity
    assert ("all well since" in finding.headline) == (well == 3)
    assert finding.evidence["well_since"] == f"{well} of 3 tasks"


@pytest.mark.parametrize(("gap_days", "count"), [(7.9, 0), (8.0, 1), (None, 1)])
def test_an_incident_counts_lost_runs_that_no_next_one_soon_makes_good(
    gap_days: float | None, count: int
) -> None:
    gap_s = None if gap_days is None else gap_days * 86400
    rare = [lost_since(dag_id=one, week_runs=1, gap_s=gap_s)["runs_lost_since"].rows[0] for one in ("a", "z")]
    (finding,) = found(Incident, error() | answers(runs_lost_since=rare))
    assert len(finding.evidence.get("rare_dags", ())) == count  # z was not hit
    assert ("Then clear 1 lost run, as the next one is a week or more away" in finding.advice) == bool(count)


def test_an_incident_of_one_dag_names_it() -> None:
    (finding,) = found(Incident, error(dags=1, tasks=67, tries=469, lost=469, lost_runs=7, dag_ids=["wide"], dag_tries=[469],
                                       dag_tries_prev=[0], runs=7))  # fmt: skip
    assert finding.headline.startswith(
        "One error in 67 tasks of wide, 7 runs lost: AuthError, 469 tries failed"
    )
    assert "Look at what changed in wide" in finding.advice and "share" not in finding.advice


def test_the_chance_of_more_is_a_probability_that_falls() -> None:
    chances = [chance_of_more(count, 8, 8) for count in range(10)]
    assert chances[0] == 1.0
    assert chances == sorted(chances, reverse=True)
    assert chance_of_more(1, 0, 8) == pytest.approx(1 - (8 / 9) ** 0.5)


def test_a_dag_that_an_incident_tells_is_not_told_again() -> None:
    (worse,) = found(FailureRateWorse, rates(days("a", [(8, 3)] * 7, (8, 0))))
    (incident,) = found(Incident, error())

    def said(lost: int) -> dict[str, Answer]:
        row = {"dag_id": "a", "error_signature": "AuthError: <>", "lost_runs": lost}
        return answers(lost_runs_by_dag_error=[row])

    assert told_once([worse, incident], said(20)) == [incident]
    assert told_once([worse, incident], said(10)) == [worse, incident]  # ten lost runs of its own
    assert told_once([worse], said(20)) == [worse]


@pytest.mark.parametrize(("times", "is_found"), [(1, False), (2, True), (3, True)])
def test_a_known_issue_is_told_when_its_sign_is_no_stray_word(times: int, is_found: bool) -> None:
    row = {"issue_name": "sqlite_locked", "title": "t", "issue": 12999, "fixed": "f", "advice": "Move it.", "times": times,
           "dags": 1, "dag_ids": ["a"], "first_at": AT, "last_at": AT, "sample": "database is locked"}  # fmt: skip
    findings = found(KnownIssueSeen, answers(known_issues=[row]))
    assert bool(findings) == is_found
    if findings:
        assert findings[0].id == "WS115:sqlite_locked"
        assert findings[0].evidence["upstream"] == "apache/airflow #12999"
    assert found(KnownIssueSeen, answers(known_issues=[])) == []


# --- WS201, WS202


def parses(before: float, after: float, *, step: datetime, versions: tuple[str | None, str | None] = (None, None),
           count: int = 9 * 7 * 12, source: str = "processor_log", dag_file: str = "etl.py") -> list[dict[str, Any]]:  # fmt: skip
    rng = np.random.default_rng(1)
    start = WEEK.minus(8).from_at
    rows = []
    for n in range(count):
        at = start + timedelta(hours=2 * n)
        is_after = at >= step
        rows.append({"source": source, "bundle_name": "git", "dag_file": dag_file, "parsed_at": at,
                     "parse_s": float((after if is_after else before) * np.exp(rng.normal(0, 0.05))),
                     "bundle_version": versions[is_after]})  # fmt: skip
    return rows


WEDNESDAY = datetime(2026, 11, 18, 9, tzinfo=UTC)


def test_a_step_names_the_moment_the_ratio_and_the_version() -> None:
    (finding,) = found(
        ParseTimeRegression,
        answers(parse_samples_of_window=parses(0.4, 1.2, step=WEDNESDAY, versions=("v1", "v2"))),
    )
    evidence = finding.evidence
    assert finding.subject == {"dag_file": "etl.py", "bundle_name": "git"}
    assert evidence["changed_from"] <= WEDNESDAY <= evidence["changed_to"] + timedelta(hours=2)
    assert evidence["ratio"] == pytest.approx(3, rel=0.1)
    assert evidence["suspect"] == "v2"
    assert finding.status == "new"


def test_metrics_know_no_version_but_the_bundle_does() -> None:
    samples = parses(0.4, 1.2, step=WEDNESDAY)
    versions = [{"bundle_name": "git", "bundle_version": "v1", "first_at": WEDNESDAY - timedelta(days=30)},
                {"bundle_name": "git", "bundle_version": "v2", "first_at": WEDNESDAY + timedelta(minutes=1)},
                {"bundle_name": "other", "bundle_version": "v9", "first_at": WEDNESDAY}]  # fmt: skip
    (finding,) = found(
        ParseTimeRegression, answers(parse_samples_of_window=samples, bundle_versions=versions)
    )
    assert finding.evidence["suspect"] == "v2"
    (finding,) = found(
        ParseTimeRegression, answers(parse_samples_of_window=samples, bundle_versions=versions[:1])
    )
    assert finding.evidence["suspect"] is None
    assert "time-correlated only" in finding.advice


@pytest.mark.parametrize(
    ("before", "after", "is_found"),
    [
        (2.0, 2.3, False),
        (2.0, 2.5, True),
        (2.0, 3.0, True),
        (0.2, 0.28, False),
        (0.2, 0.32, True),
        (2.0, 1.0, False),
    ],
)
def test_a_step_must_be_worth_telling(before: float, after: float, is_found: bool) -> None:
    assert (
        bool(
            found(ParseTimeRegression, answers(parse_samples_of_window=parses(before, after, step=WEDNESDAY)))
        )
        == is_found
    )


def test_a_step_of_weeks_ago_is_not_new() -> None:
    samples = parses(0.4, 1.2, step=WEDNESDAY - timedelta(weeks=3))
    given = answers(parse_samples_of_window=samples, bundle_versions=[])
    judged = judge_all(given, week=WEEK, thresholds={})
    (finding,) = judged.findings
    assert (finding.status, finding.since_week, finding.weeks) == ("still", "2026-W44", 4)


def test_a_file_that_was_not_parsed_this_week_is_not_judged() -> None:
    samples = parses(0.4, 1.2, step=WEDNESDAY - timedelta(weeks=3), count=8 * 7 * 12)
    assert found(ParseTimeRegression, answers(parse_samples_of_window=samples)) == []


@pytest.mark.parametrize(("least", "is_found"), [(756, True), (757, False)])
def test_the_minimum_sample_of_a_step(least: int, is_found: bool) -> None:
    given = answers(parse_samples_of_window=parses(0.4, 1.2, step=WEDNESDAY))
    assert bool(found(ParseTimeRegression, given, min_samples=least)) == is_found


def test_one_file_told_by_two_sources_is_one_finding() -> None:
    samples = [
        *parses(0.4, 1.2, step=WEDNESDAY, source="metric", dag_file="etl"),
        *parses(2, 6, step=WEDNESDAY, source="task_log"),
    ]
    (finding,) = found(ParseTimeRegression, answers(parse_samples_of_window=samples))
    assert finding.subject["dag_file"] == "etl.py"


@pytest.mark.parametrize(
    ("p95", "samples", "severity"),
    [(14.9, 5, None), (15.0, 5, "warning"), (27.0, 5, "critical"), (20.0, 4, None)],
)
def test_near_the_limit(p95: float, samples: int, severity: str | None) -> None:
    row = {
        "source": "metric",
        "bundle_name": "",
        "dag_file": "slow.py",
        "samples": samples,
        "median_s": 1.0,
        "p95_s": p95,
        "max_s": p95,
    }
    given = found(ParseTimeNearLimit, answers(parse_time_by_file=[row]))
    assert [one.severity for one in given] == ([severity] if severity else [])


# --- WS301


def gauges(**changes: Any) -> dict[str, Answer]:
    row = {
        "pool": "dwh",
        "samples": 50,
        "total_slots": 4,
        "busy_hours": 40.0,
        "full_share": 0.5,
        "wait_hours": 9.0,
    }
    demand = [
        {"pool": "dwh", "span_s": 3600.0, "total_slots": 4, "busy_slots": 4, "waiting": 3} for _ in range(3)
    ]
    return answers(pool_full_share=[row | changes], pool_demand=demand)


@pytest.mark.parametrize(
    ("changes", "is_found"),
    [
        ({"full_share": 0.09}, False), ({"full_share": 0.10}, True), ({"full_share": 0.11}, True),
        ({"wait_hours": 1.9}, False), ({"wait_hours": 2.0}, True), ({"wait_hours": 2.1}, True),
        ({"samples": 49}, False), ({"samples": 50}, True), ({"samples": 51}, True),
    ],
)  # fmt: skip
def test_a_pool_is_saturated_when_it_is_full_often_and_waited_for(
    changes: dict[str, Any], is_found: bool
) -> None:
    assert bool(found(PoolSaturated, gauges(**changes))) == is_found


def test_gauges_give_an_estimate_and_say_so() -> None:
    (finding,) = found(PoolSaturated, gauges())
    assert (finding.evidence["source"], finding.question) == ("gauges", "pool_full_share")
    assert [(one["slots"], one["wait_hours_saved"]) for one in finding.evidence["options"]] == [
        (5, 3.0),
        (6, 6.0),
        (7, 9.0),
        (8, 9.0),
        (12, 9.0),
    ]
    assert "Raise dwh from 4 to 7" in finding.advice and "estimated from gauges" in finding.advice
    assert finding.evidence["apply"] == "airflow pools set dwh 7 ''"
    assert finding.evidence["undo"] == "airflow pools set dwh 4 ''"


def test_a_bound_on_the_pool_bounds_the_advice() -> None:
    bound = {"pool": "dwh", "max_slots": 6, "protects": "six sessions"}
    (finding,) = found(PoolSaturated, gauges() | answers(pool_bounds=[bound]))
    assert max(one["slots"] for one in finding.evidence["options"]) == 6
    assert "six sessions" in finding.advice
    (finding,) = found(PoolSaturated, gauges() | answers(pool_bounds=[bound | {"max_slots": 4}]))
    assert finding.evidence["options"] == []
    assert "at its bound of 4" in finding.advice


def test_known_intervals_are_replayed() -> None:
    # two hours of work each, five ready at once, every day: one slot serves them one after the other
    ready = [86400.0 * day for day in range(7) for _ in range(5)]
    taken = [86400.0 * day + 7200 * n for day in range(7) for n in range(5)]
    tasks = {"pool": "dwh", "tries": 35, "ready_known": 1.0, "ready_s": ready, "taken_s": taken,
             "given_back_s": [one + 7200 for one in taken], "slots": [1] * 35, "priority": [1] * 35}  # fmt: skip
    row = {
        "pool": "dwh",
        "tries": 50,
        "total_slots": 1,
        "busy_hours": 70.0,
        "full_share": 1.0,
        "wait_hours": 140.0,
        "ready_known": 1.0,
    }
    (finding,) = found(PoolSaturated, gauges() | answers(pool_occupancy=[row], pool_tasks=[tasks]))
    assert (finding.evidence["source"], finding.question) == ("task intervals", "pool_occupancy")
    saved = {one["slots"]: one["wait_hours_saved"] for one in finding.evidence["options"]}
    assert saved[2] == pytest.approx(140 - 56, rel=0.01)  # 0+0+2+2+4 hours a day are left
    assert saved[3] == pytest.approx(140 - 28, rel=0.01)
    (finding,) = found(
        PoolSaturated, gauges() | answers(pool_occupancy=[row | {"ready_known": 0.89}], pool_tasks=[tasks])
    )
    assert finding.evidence["source"] == "gauges"


# --- WS501, WS510, WS901, WS902


def cadence(**changes: Any) -> dict[str, Answer]:
    row = {
        "dag_id": "d",
        "runs": 0,
        "weeks_seen": 4,
        "median_runs": 7.0,
        "least_runs": 1,
        "last_at": AT,
        "last_run_id": "r",
    }
    return answers(runs_by_dag_week=[row | changes, row | {"dag_id": "alive", "runs": 7}])


@pytest.mark.parametrize(
    ("changes", "is_found"),
    [
        ({"weeks_seen": 3}, False),
        ({"weeks_seen": 4}, True),
        ({"weeks_seen": 5}, True),
        ({"runs": 1}, False),
        ({"least_runs": 0}, False),
    ],
)
def test_a_dag_is_silent_against_its_own_cadence(changes: dict[str, Any], is_found: bool) -> None:
    assert bool(found(SilentDag, cadence(**changes))) == is_found


def test_a_fleet_without_logs_is_no_fleet_of_silent_dags() -> None:
    given = answers(
        runs_by_dag_week=[
            {
                "dag_id": "d",
                "runs": 0,
                "weeks_seen": 8,
                "median_runs": 7.0,
                "least_runs": 7,
                "last_at": AT,
                "last_run_id": "r",
            }
        ]
    )
    verdicts = SilentDag.judge(given, SilentDag.limits(), week=WEEK)
    assert verdicts.findings == [] and verdicts.no_data


KILLED = {"dag_id": "d", "task_id": "t", "state_reason": "oom", "signal": "", "tries": 3, "all_tries": 9, "lost": 1,
          "tries_prev": 0, "first_at": AT, "last_at": AT, "lost_runs": 1, "wasted_hours": 2.0}  # fmt: skip


@pytest.mark.parametrize(("tries", "is_found"), [(2, False), (3, True), (4, True)])
def test_kills_are_a_pattern_from_three_on(tries: int, is_found: bool) -> None:
    assert bool(found(Killed, answers(killed_tries=[KILLED | {"tries": tries}]))) == is_found


@pytest.mark.parametrize(
    ("reason", "signal", "ending", "advice"),
    [
        ("oom", "SIGKILL", "most likely out of memory", "memory limit"),
        ("signal", "SIGKILL", "killed by SIGKILL", "memory limit"),
        ("signal", "", "killed by a signal", "memory limit"),
        ("signal", "SIGTERM", "told to stop by SIGTERM", "Find who stops it"),
        ("signal", "SIGSEGV", "crashed by SIGSEGV", "native library"),
        ("heartbeat", "", "heartbeat was lost", "workers' hosts"),
    ],
)
def test_what_to_do_about_a_kill_depends_on_its_signal(
    reason: str, signal: str, ending: str, advice: str
) -> None:
    row = KILLED | {"state_reason": reason, "signal": signal}
    (finding,) = found(Killed, answers(killed_tries=[row]))
    assert ending in finding.headline and advice in finding.advice


COMPANY = {"dag_id": "d", "task_id": "t", "kills": 8, "others": 40, "kill_days": 4, "hosts": 1, "beside_killed": 6.0,
           "beside_usual": 2.0, "z": 4.0}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "is_told", "why"),
    [
        ({}, True, "three times the company"),
        ({"z": 3.0}, True, "at the least"),
        ({"z": 2.9}, False, "may be luck"),
        ({"z": None}, False, "it never ended otherwise"),
        ({"kill_days": 1}, False, "one night"),
        ({"beside_killed": 3.0}, True, "half as many again, one more"),
        ({"beside_killed": 2.9}, False, "below half as many again"),
        ({"beside_killed": 0.9, "beside_usual": 0.0}, False, "not one more"),
        ({"beside_killed": 2.0, "beside_usual": 6.0, "z": -4.0}, False, "in less company"),
        ({"task_id": "other"}, False, "of another task"),
    ],
)
def test_kills_for_memory_beside_many_others_are_told_so(
    changes: dict[str, Any], is_told: bool, why: str
) -> None:
    (one,) = found(Killed, answers(killed_tries=[KILLED], memory_company=[COMPANY | changes]))
    assert ("other tries ran on its host" in one.advice) == is_told, why
    assert ("beside_killed" in one.evidence) == is_told
    assert "memory limit" in one.advice


def test_company_says_nothing_of_who_stops_a_task() -> None:
    stopped = KILLED | {"state_reason": "signal", "signal": "SIGTERM"}
    (one,) = found(Killed, answers(killed_tries=[stopped], memory_company=[COMPANY]))
    assert "other tries" not in one.advice


@pytest.mark.parametrize(("rejected", "is_found"), [(4, False), (5, False), (6, True)])
def test_rejects_matter_above_half_a_percent(rejected: int, is_found: bool) -> None:
    row = {"kind": "task_logs", "reject_reason": "", "bytes": 1}
    given = answers(
        objects_by_outcome=[
            row | {"outcome": "parsed", "objects": 1000 - rejected},
            row | {"outcome": "reject", "objects": rejected, "reject_reason": "not_a_log"},
        ]
    )
    assert bool(found(Rejects, given)) == is_found


def test_a_check_that_warned_is_a_finding() -> None:
    row = {
        "check_name": "task_logs_dated",
        "table_name": "task_logs",
        "bad_rows": 3,
        "row_count": 9,
        "sentence": "three rows",
    }
    (finding,) = found(CheckWarning, answers(data_checks=[row]))
    assert finding.id == "WS902:task_logs_dated"


# --- the whole


def test_an_excluded_dag_is_never_judged() -> None:
    given = rates(days("sandbox_x", [(8, 3)] * 7, (8, 0)))
    assert [one.code for one in judge_all(given, week=WEEK, thresholds={}).findings] == ["WS101"]
    assert judge_all(given, week=WEEK, thresholds={}, exclude=["sandbox_*"]).findings == ()


def test_what_is_over_stands_behind_what_goes_on() -> None:
    killed = answers(killed_tries=[KILLED])
    for tasks_well, order in ((2, ["WS110", "WS510"]), (3, ["WS510", "WS110"])):
        judged = judge_all({**error(tasks_well=tasks_well), **killed}, week=WEEK, thresholds={})
        assert [one.code for one in judged.findings] == order


def test_a_worse_dag_is_told_with_the_error_that_ended_most_of_its_runs() -> None:
    rows = [
        {"dag_id": "d", "error_signature": name, "exception_type": None, "lost_runs": lost}
        for name, lost in (("KeyError: 'a'", 2), ("SchemaDriftError: gone", 19))
    ]
    given = {**rates(days("d", [(8, 3)] * 7, (8, 0))), **answers(lost_runs_by_dag_error=rows)}
    (finding,) = found(FailureRateWorse, given)
    assert finding.advice.startswith("19 were lost to SchemaDriftError: gone. ")
    assert finding.evidence["error_signature"] == "SchemaDriftError: gone"
