"""From week to week: new, still, worse, better, recovered, accepted, not seen; and the verdict that follows."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.report.made import WEEK, answers, finding, page
from windsock.errors import ConfigError
from windsock.model import Answer, Finding, NoData
from windsock.report import Accepted, Page, Told, body_of, read_accepted, revised
from windsock.report.accepted import Accepted as Entry
from windsock.week import Week


def week_page(findings: list[Finding], previous: Page | None, week: Week, **more: Any) -> Page:
    """A page of `week` that knows the page before it, as it is kept: through JSON."""
    told = Told(
        previous=json.loads(json.dumps(body_of(previous))) if previous else None, **more.pop("told", {})
    )
    return page(findings, told, change=lambda fields: fields.update(week=week), **more)


def weeks_of(*rounds: list[Finding]) -> list[Page]:
    made: list[Page] = []
    for number, findings in enumerate(rounds):
        made.append(week_page(findings, made[-1] if made else None, WEEK.minus(-number)))
    return made


def test_new_then_still_then_out_of_the_actions() -> None:
    pages = weeks_of([finding()], [finding()], [finding()], [finding()])
    assert [one.findings[0].status for one in pages] == ["new", "still", "still", "still"]
    assert [one.findings[0].weeks for one in pages] == [1, 2, 3, 4]
    assert {one.findings[0].since_week for one in pages} == {"2026-W47"}
    assert [len(one.actions) for one in pages] == [1, 1, 0, 0]
    assert [one.still_open for one in pages] == [0, 0, 1, 1]
    assert [one.verdict for one in pages] == ["worse", "same", "same", "same"]
    assert [one.last_report for one in pages] == ["", "2026-W47", "2026-W48", "2026-W49"]


def test_a_finding_that_gets_worse_is_back_in_the_actions_and_in_the_verdict() -> None:
    grown = finding(rank=60.0)
    pages = weeks_of([finding()], [finding()], [finding()], [grown], [grown], [grown])
    assert [one.findings[0].status for one in pages[3:]] == ["worse", "still", "still"]
    assert [len(one.actions) for one in pages[2:]] == [0, 1, 1, 0]
    assert [one.verdict for one in pages[2:]] == ["same", "worse", "same", "same"]


@pytest.mark.parametrize(
    ("rank", "status"),
    [
        (22.0, "still"),
        (32.0, "still"),  # less than half more
        (34.0, "still"),  # half more, but within what two counts of this size differ by chance
        (38.0, "worse"),
    ],
)
def test_worse_needs_half_more_and_more_than_chance(rank: float, status: str) -> None:
    assert weeks_of([finding()], [finding(rank=rank)])[1].findings[0].status == status


def test_a_slow_growth_is_compared_with_when_it_was_last_told() -> None:
    pages = weeks_of(*[[finding(rank=22.0 * 1.3**n)] for n in range(4)])
    assert [one.findings[0].status for one in pages] == ["new", "still", "still", "worse"]


def test_a_higher_severity_is_worse() -> None:
    pages = weeks_of([finding(severity="watch")], [finding(severity="warning")])
    assert pages[1].findings[0].status == "worse"
    assert pages[0].verdict == "same"


def test_what_recovers_is_told_once() -> None:
    silent = finding("WS501")
    pages = weeks_of([silent], [], [])
    assert [[one.status for one in made.changes] for made in pages] == [["new"], ["recovered"], []]
    assert [one.verdict for one in pages] == ["worse", "better", "same"]
    assert "1 recovered" in pages[1].subject


def test_an_improvement_that_its_rule_keeps_seeing_is_told_once() -> None:
    good = finding("WS102", status="better", severity="info")
    pages = weeks_of([good], [good])
    assert [len(one.changes) for one in pages] == [1, 0]
    assert [one.verdict for one in pages] == ["better", "same"]


def test_a_rate_that_stays_high_has_not_recovered_when_its_own_past_has_caught_up() -> None:
    pages = weeks_of([finding()], [], [], [])  # the answers still hold 22 lost runs of 56
    for number, made in enumerate(pages[1:], 2):
        (carried,) = made.findings
        assert (carried.status, carried.weeks, made.verdict) == ("still", number, "same")
        assert carried.headline == "orders: 22 of 56 runs failed, as since 2026-W47"
    assert [len(one.actions) for one in pages] == [1, 1, 0, 0]


@pytest.mark.parametrize(("lost", "is_open"), [(12, True), (10, False)])
def test_a_rate_has_recovered_below_the_middle_of_what_was_told_and_what_is_usual(
    lost: int, is_open: bool
) -> None:
    first = week_page([finding()], None, WEEK)  # told at 39 %, usual 0 %: the middle is 19.5 %
    given = answers(["orders"])
    rows = tuple({**row, "lost_runs": lost} for row in given["failure_rate_by_dag"].rows)
    given["failure_rate_by_dag"] = replace(given["failure_rate_by_dag"], rows=rows)
    second = week_page([], first, WEEK.minus(-1), given=given)
    assert [one.status for one in second.changes] == ["still" if is_open else "recovered"]


@pytest.mark.parametrize(("code", "status"), [("WS103", "still"), ("WS110", "new")])
def test_a_dag_whose_failures_are_now_told_by_another_finding_is_not_told_twice(
    code: str, status: str
) -> None:
    evidence = {"dag_ids": ["orders", "other"]} if code == "WS110" else {}
    subject = {"error_signature": "e"} if code == "WS110" else {"dag_id": "orders"}
    pages = weeks_of([finding()], [finding(code, id=f"{code}:x", subject=subject, evidence=evidence)])
    assert [(one.id, one.status) for one in pages[1].changes] == [(f"{code}:x", status)]


def test_what_cannot_be_seen_has_not_recovered_and_comes_back_with_its_age() -> None:
    pool = finding("WS301", id="WS301:db", subject={"pool": "orders"})
    first = week_page([pool], None, WEEK)
    blind = week_page([], first, WEEK.minus(-1), no_data=(NoData("pools", "no metric snapshots"),))
    seen = week_page([pool], blind, WEEK.minus(-2))
    assert [(one.status, one.note) for one in blind.changes] == [("not_seen", "no data: no metric snapshots")]
    assert (seen.findings[0].status, seen.findings[0].weeks) == ("still", 3)


def test_a_dag_that_did_not_run_has_not_recovered() -> None:
    first = week_page([finding(dag_id="gone")], None, WEEK)
    second = week_page([], first, WEEK.minus(-1))
    assert [one.status for one in second.changes] == ["not_seen"]


def test_what_is_never_seen_again_is_forgotten_after_four_weeks() -> None:
    made = [week_page([finding(dag_id="gone")], None, WEEK)]
    for number in range(1, 7):
        made.append(week_page([], made[-1], WEEK.minus(-number)))
    assert [len(one.changes) for one in made] == [1, 1, 1, 1, 1, 0, 0]


def accepted(until: str = "2026-12-31", id: str = "WS101:orders") -> dict[str, Any]:
    return {"told": {"accepted": (Entry(id, "known, fix planned", date.fromisoformat(until), "ana"),)}}


def test_an_accepted_finding_is_out_of_actions_and_verdict_and_still_shown() -> None:
    made = week_page([finding()], None, WEEK, **accepted())
    assert (made.verdict, made.actions, made.findings[0].status) == ("same", (), "accepted")
    shown = next(section.cards[0] for section in made.sections if section.key == "failures")
    assert shown.age == "accepted until 2026-12-31 by ana: known, fix planned"


def test_a_finding_is_accepted_by_its_short_name_too() -> None:
    anchor = page([finding()]).actions[0].anchor
    assert week_page([finding()], None, WEEK, **accepted(id=anchor)).findings[0].status == "accepted"


@pytest.mark.parametrize(("until", "status"), [("2026-11-22", "accepted"), ("2026-11-21", "new")])
def test_an_acceptance_holds_through_its_last_day(until: str, status: str) -> None:
    made = week_page([finding()], None, WEEK, **accepted(until))
    assert made.findings[0].status == status
    assert ["ended on" in one for one in made.notes] == ([True] if status == "new" else [])


def test_an_expired_acceptance_brings_the_finding_back_into_the_actions() -> None:
    first = week_page([finding()], None, WEEK, **accepted("2026-11-29"))
    second = week_page([finding()], first, WEEK.minus(-1), **accepted("2026-11-29"))
    third = week_page([finding()], second, WEEK.minus(-2), **accepted("2026-11-29"))
    assert [one.findings[0].status for one in (first, second, third)] == ["accepted", "accepted", "still"]
    assert [len(one.actions) for one in (first, second, third)] == [0, 0, 1]
    assert third.findings[0].note == "acceptance by ana ended on 2026-11-29"


def test_an_acceptance_that_nothing_needed_is_named() -> None:
    made = week_page([], None, WEEK, **accepted(id="WS101:typo"))
    assert made.notes[0].startswith("acceptance of WS101:typo by ana was not needed this week")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            '[[accepted]]\nid = "a"\nreason = "r"\nby = "b"\n',
            "[[accepted]] 1 needs until, a date such as 2026-12-31",
        ),
        ('[[accepted]]\nid = "a"\nuntil = 2026-12-31\nby = "b"\n', "needs reason as a text"),
        ('[[accepted]]\nidd = "a"\n', "has no key 'idd'; did you mean 'id'?"),
        ('[[accepted]]\nid = "a"\nreason = "r"\nuntil = "soon"\nby = "b"\n', "until 'soon' is not a date"),
        ('[accept]\nid = "a"\n', "write each acceptance as [[accepted]]"),
        ("[[accepted\n", "not valid TOML"),
    ],
)
def test_a_mistake_in_accepted_toml_is_named(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_accepted(text, where="accepted.toml")
    assert says in str(caught.value)
    assert str(caught.value).startswith("accepted.toml")


def test_one_finding_accepted_twice_is_refused() -> None:
    entry = Accepted("WS101:orders", "r", date(2027, 1, 1), "ana")
    with pytest.raises(ConfigError, match="names one finding twice"):
        page([finding()], Told(accepted=(entry, replace(entry, by="bob"))))


def test_the_same_content_is_not_a_revision() -> None:
    made = page([finding()])
    again = revised(page([finding()]), json.loads(json.dumps(body_of(made))))
    assert again == made


def test_late_logs_make_a_revision_that_says_what_changed_and_stays() -> None:
    was = body_of(page([finding()]))
    late = [finding(headline="orders: 30 of 60 runs failed (before: 0 of 392)"), finding("WS501", "late")]
    now = revised(page(late), json.loads(json.dumps(was)))
    assert now.revised
    assert now.revisions == (
        "added: late: 22 of 56 runs failed (before: 0 of 392)",
        "orders: 22 of 56 runs failed (before: 0 of 392) → orders: 30 of 60 runs failed (before: 0 of 392)",
    )
    again = revised(page(late), json.loads(json.dumps(body_of(now))))
    assert (again.revised, again.revisions) == (True, now.revisions)


@pytest.mark.parametrize(
    ("code", "question", "evidence", "now"),
    [
        ("WS401", "work_times", {"before_s": 600.0, "after_s": 1800.0}, "median_s"),
        ("WS402", "run_finishes", {"before_s": 600.0, "after_s": 1800.0}, "took_s"),
        ("WS403", "run_finishes", {"finish_prev_s": 600.0, "finish_s": 1800.0}, "finish_s"),
    ],
)
@pytest.mark.parametrize(
    ("takes_s", "status"), [(1800.0, "still"), (1201.0, "still"), (1200.0, "recovered"), (None, "not_seen")]
)
def test_what_takes_as_long_as_when_it_was_told_has_not_recovered(
    code: str, question: str, evidence: dict[str, float], now: str, takes_s: float | None, status: str
) -> None:
    """Its rule is silent after a week or two: the step is no news. Asked twice, for the level told must be kept."""
    slow = replace(finding(code, "orders"), evidence=evidence)
    given = answers(["orders"])
    row = {"dag_id": "orders", "task_id": "", "runs": 7, "runs_prev": 56, "late_runs": 0, "late_days": 0, "took_s": 9.0,
           "took_prev_s": 9.0, "finish_s": 9.0, "finish_prev_s": 9.0, "p95_prev_s": 9.0, "waited_s": 0.0, now: takes_s}  # fmt: skip
    given[question] = Answer(question, tuple(row), (row,))
    slow = replace(slow, subject={"dag_id": "orders"} | ({"task_id": ""} if code == "WS401" else {}))
    made = week_page([slow], None, WEEK, given=given)
    for n in (1,) if status == "recovered" else (1, 2):
        made = week_page([], made, WEEK.minus(-n), given=given)
        (change,) = made.changes
        assert change.status == status


@pytest.mark.parametrize(
    ("takes_s", "status"), [(6.0, "not_seen"), (302.0, "not_seen"), (304.0, "recovered"), (None, "not_seen")]
)
def test_what_stays_as_fast_as_when_it_was_told_is_not_called_recovered(
    takes_s: float | None, status: str
) -> None:
    fast = replace(finding("WS408", "orders"), evidence={"before_s": 600.0, "after_s": 6.0})
    fast = replace(fast, subject={"dag_id": "orders", "task_id": "load"})
    given, row = (
        answers(["orders"]),
        {"dag_id": "orders", "task_id": "load", "median_s": takes_s, "hours": 0.0},
    )
    given["work_times"] = Answer("work_times", tuple(row), (row,))
    made = week_page([], week_page([fast], None, WEEK), WEEK.minus(-1), given=given)
    assert [change.status for change in made.changes] == [status]


@pytest.mark.parametrize(
    ("sizes", "status"),
    [([60, 1], "not_seen"), ([60, 7], "not_seen"), ([60, 1, 8], "recovered"), (None, "not_seen")],
)
def test_a_map_that_stays_short_is_not_called_recovered(sizes: list[int] | None, status: str) -> None:
    short = replace(finding("WS534", "orders"), evidence={"size_before": 60.0, "size_after": 1.0})
    short = replace(short, subject={"dag_id": "orders", "task_id": "load"})
    given, rows = (
        answers(["orders"]),
        [{"dag_id": "orders", "task_id": "load", "sizes": sizes}] if sizes else [],
    )
    given["map_sizes"] = Answer("map_sizes", ("dag_id", "task_id", "sizes"), tuple(rows))
    made = week_page([], week_page([short], None, WEEK), WEEK.minus(-1), given=given)
    assert [change.status for change in made.changes] == [status]


def retried(**more: Any) -> Finding:
    return replace(
        finding("WS117", "orders", severity="watch"), subject={"dag_id": "orders", "task_id": "load"}, **more
    )


@pytest.mark.parametrize(
    ("ended", "failed_first", "status"),
    [(7, 3, "recovered"), (6, 3, "not_seen"), (2, 2, "not_seen"), (0, 0, "not_seen"), (7, 0, "recovered")],
)
def test_a_first_try_that_still_fails_has_not_recovered_though_it_costs_little(
    ended: int, failed_first: int, status: str
) -> None:
    given = answers(["orders"])
    counts = "no_end lost saved ended_prev lost_prev saved_prev weeks_prev failing_ends failing_days dag_runs".split()
    standing = {"dag_id": "orders", "task_id": "load", "ended": ended, "failing_since": None} | dict.fromkeys(
        counts, 0
    )
    weeks = {"dag_id": "orders", "task_id": "load", "week": WEEK.minus(-1).monday, "executions": ended,
             "failed_first": failed_first}  # fmt: skip
    given["task_standing"] = Answer("task_standing", tuple(standing), (standing,))
    given["first_tries_by_week"] = Answer(
        "first_tries_by_week", tuple(weeks), (weeks,) if failed_first else ()
    )
    made = week_page([], week_page([retried()], None, WEEK), WEEK.minus(-1), given=given)
    assert [change.status for change in made.changes] == [status]


def test_runs_that_a_retry_saved_are_not_told_beside_the_task_that_is_retried_every_time() -> None:
    saved = replace(
        finding("WS112", "orders", severity="watch"), evidence={"rate": 0.9, "baseline_rate": 0.0}
    )
    given = answers(["orders"])
    given["failure_rate_by_dag"] = replace(
        given["failure_rate_by_dag"],
        rows=tuple(row | {"first_try_failed_runs": row["runs"]} for row in given["failure_rate_by_dag"].rows),
    )
    first = week_page([saved], None, WEEK)
    alone = week_page([], first, WEEK.minus(-1), given=given)
    assert [one.code for one in alone.findings] == ["WS112"]
    both = week_page([retried()], first, WEEK.minus(-1), given=given)
    assert [one.code for one in both.findings] == ["WS117"]
    assert [(one.id, one.status) for one in both.changes] == [("WS117:orders", "new")]


def test_a_mark_of_the_scoreboard_needs_a_test_that_passes() -> None:
    given = answers(["orders"])
    steady = {one.key: one.mark for one in page([], given=given).scoreboard}
    rows = list(given["scoreboard"].rows)
    rows[-1] = {**rows[-1], "lost_runs": 120}
    given["scoreboard"] = replace(given["scoreboard"], rows=tuple(rows))
    moved = {one.key: one.mark for one in page([], given=given).scoreboard}
    assert set(steady.values()) == {""}
    assert {key for key, mark in moved.items() if mark} == {"lost_runs"}
    assert moved["lost_runs"] == "worse"


def test_a_first_week_is_never_called_same() -> None:
    given = answers(["orders"])
    given["scoreboard"] = replace(given["scoreboard"], rows=given["scoreboard"].rows[-1:])
    calm, grave = page([], given=given), page([finding()], given=given)
    assert (calm.verdict, grave.verdict) == ("cannot_tell", "cannot_tell")
    assert calm.verdict_cause == "First week: nothing to compare it with yet."
    assert calm.verdict_detail and not calm.quiet
    assert grave.verdict_cause.startswith("First week: nothing to compare it with yet. Look at: orders")
    assert len(grave.actions) == 1


def test_a_week_without_task_logs_still_points_at_what_other_inputs_tell() -> None:
    """Metrics alone may say that the scheduler is dead: the verdict of runs cannot be told, that can."""
    given = answers(["orders"])
    rows = [row | {"row_count": 0} for row in given["inputs_seen"].rows]
    given["inputs_seen"] = replace(given["inputs_seen"], rows=tuple(rows))
    dead = finding("WS530", "scheduler", headline="The scheduler was silent for 3 d", severity="critical")
    grave, calm = page([dead], given=given), page([], given=given)
    assert (grave.verdict, calm.verdict) == ("cannot_tell", "cannot_tell")
    assert calm.verdict_cause == "Cannot tell: no task logs of this week were read."
    assert grave.verdict_cause == f"{calm.verdict_cause} Look at: The scheduler was silent for 3 d."


@pytest.mark.parametrize(
    ("task_id", "status"), [("load", "not_seen"), ("other", "recovered")], ids=["still gone", "ran again"]
)
def test_a_task_that_still_does_not_run_has_not_recovered(task_id: str, status: str) -> None:
    """Its rule tells it for three weeks only."""
    told = finding("WS505", "orders", severity="watch", evidence={"tasks": ["load"], "runs": 5})
    given = answers(["orders"])
    row = {"dag_id": "orders", "task_id": task_id}
    given["tasks_gone"] = Answer("tasks_gone", tuple(row), (row,))
    made = week_page([], week_page([told], None, WEEK, given=given), WEEK.minus(-1), given=given)
    assert [one.status for one in made.changes] == [status]


def test_a_dag_whose_lost_runs_another_rule_now_tells_is_no_news() -> None:
    """It lost most of its runs last week (WS101), and every one since (WS106)."""
    first = week_page([finding(severity="critical")], None, WEEK)
    all_lost = finding("WS106", severity="critical", rank=288.0, headline="orders has lost every run")
    made = week_page([all_lost], first, WEEK.minus(-1))
    (one,) = made.findings
    assert (one.status, one.weeks, one.since_week, made.verdict) == ("still", 2, str(WEEK), "same")
    assert [one.status for one in made.changes] == ["still"]


@pytest.mark.parametrize(
    ("before", "status"),
    [
        ({"severity": "watch"}, "worse"),
        ({"code": "WS501", "id": "WS501:orders"}, "new"),
        ({"subject": {"dag_id": "x"}}, "new"),
    ],
    ids=["graver now", "another trouble", "another DAG"],
)
def test_what_is_graver_or_another_trouble_is_news(before: dict[str, Any], status: str) -> None:
    first = week_page([finding(**before)], None, WEEK)
    made = week_page([finding("WS106", severity="critical")], first, WEEK.minus(-1))
    assert [one.status for one in made.findings if one.code == "WS106"] == [status]


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (
            "WS108",
            "Same as before where there is a before, but the fleet lost more of its runs: h, and 1 other problem.",
        ),
        (
            "WS109",
            "Same as before, DAG by DAG, but the fleet lost more of its runs; to watch: h, and 1 other problem.",
        ),
        (
            "WS999",
            "Same as before, DAG by DAG and error by error, but the fleet as a whole lost more of its runs: 22 of 56 in orders.",
        ),
    ],
)
def test_a_fleet_that_lost_more_runs_is_never_just_the_same(code: str, sentence: str) -> None:
    given = answers(["orders"])
    rows = list(given["scoreboard"].rows)
    rows[-1] = {**rows[-1], "lost_runs": 120}
    given["scoreboard"] = replace(given["scoreboard"], rows=tuple(rows))
    watched = [finding(code, dag_id, severity="watch", headline="h") for dag_id in ("a", "b")]
    made = page(watched, given=given)
    assert (made.verdict, made.verdict_cause) == ("same", sentence)


def test_what_is_only_watched_is_named_where_nothing_got_worse() -> None:
    made = page([finding("WS112", severity="watch", headline="orders: a retry saved 9 of 9 runs")])
    assert made.verdict_cause == "Same as before; to watch: orders: a retry saved 9 of 9 runs."
