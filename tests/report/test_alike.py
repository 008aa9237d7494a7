"""A swarm of findings with one cause is one action; each of them stays what it is."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.report.made import AT, answers, finding, page
from windsock.model import Finding
from windsock.report import render_report
from windsock.report.alike import Action, actions
from windsock.report.body import body_of
from windsock.report.letter import letter


def slower(dag_id: str, hours: float = 0, **more: Any) -> Finding:
    at = AT + timedelta(hours=hours)
    evidence = {"changed_at": at, "changed_from": at - timedelta(hours=6), "changed_to": at, "ratio": 2.0 + hours / 10,
                "extra_hours": 3.0}  # fmt: skip
    return finding("WS401", dag_id, id=f"WS401:{dag_id}:load", subject={"dag_id": dag_id, "task_id": "load"},
                   headline=f"{dag_id}.load works twice as long", evidence=evidence, **more)  # fmt: skip


def silent(dag_id: str) -> Finding:
    return finding("WS501", dag_id, headline=f"{dag_id} did not run",
                   evidence={"median_runs": 7.0, "last_at": AT, "weeks_seen": 8})  # fmt: skip


def ids(made: tuple[Action, ...]) -> list[tuple[str, ...]]:
    return [(one.finding.id, *one.others) for one in made]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_three_that_changed_at_once_are_one_action(count: int) -> None:
    made = actions([slower(f"d{n}") for n in range(count)])
    assert len(made) == (count if count < 3 else 1)


@pytest.mark.parametrize(("hours", "groups"), [(24, 1), (25, 3)])
def test_a_day_lies_between_the_first_and_the_last(hours: float, groups: int) -> None:
    assert len(actions([slower("a"), slower("b", 12), slower("c", hours)])) == groups


def test_a_group_counts_names_and_adds_up() -> None:
    (one,) = actions([slower(f"d{n}", n) for n in range(5)])
    assert one.finding.headline == (
        "5 tasks in 5 DAGs work 2.0 to 2.4 times as long since Wed 18 Nov 13:08 UTC: d0.load, d1.load, d2.load and 2 more"
    )
    assert (
        "between Wed 18 Nov 07:08 UTC and Wed 18 Nov 17:08 UTC; it costs 15 h of workers a week."
        in one.finding.advice
    )
    (runs,) = actions(
        [replace(one, code="WS402", subject={"dag_id": f"d{n}"}) for n, one in enumerate([slower("d")] * 3)]
    )
    assert runs.finding.headline.startswith(
        "Runs of 3 DAGs take 2.0 times as long since Wed 18 Nov 13:08 UTC: d0, d1, d2"
    )


def test_dags_that_are_silent_are_one_action_in_the_place_of_the_first() -> None:
    other = finding("WS101", "orders")
    made = actions([other, silent("a"), slower("x"), silent("b"), silent("c"), silent("d")])
    assert ids(made) == [("WS101:orders",), ("WS501:a", "WS501:b", "WS501:c", "WS501:d"), ("WS401:x:load",)]
    assert made[1].finding.headline.startswith(
        "4 DAGs did not run this week (usually 28 runs): a, b, c and 1 more;"
    )


def test_what_is_new_is_not_put_together_with_what_is_known() -> None:
    known = [replace(slower(name), status="still") for name in "ab"]
    assert len(actions([*known, slower("c"), slower("d")])) == 4


def test_a_carried_finding_without_its_time_stands_alone() -> None:
    """Of what the last report tells, times are text."""
    late = replace(slower("c"), evidence={"before_s": 1.0})
    assert len(actions([slower("a"), slower("b"), late])) == 3


def test_the_first_screen_tells_a_group_once_and_the_page_each_of_it() -> None:
    made = page([slower(f"d{n}", n) for n in range(4)], given=answers([f"d{n}" for n in range(4)]))
    assert [one.id for one in made.actions] == ["WS401:d0:load"]
    assert made.verdict_cause == f"Worse: {made.actions[0].headline}."
    body = body_of(made)
    assert body["alike"]["WS401:d0:load"]["ids"] == ["WS401:d1:load", "WS401:d2:load", "WS401:d3:load"]
    assert [one["headline"] for one in body["findings"]] == [
        f"d{n}.load works twice as long" for n in range(4)
    ]
    (part,) = letter([body]).parts
    assert [one.headline for one in part.actions] == [made.actions[0].headline]
    assert part.also == ()
    texts = render_report(made)
    assert texts["email.txt"].count("works twice as long") == 0
    assert all(f"d{n}.load works twice as long" in texts["report.html"] for n in range(4))


def test_an_owner_gets_each_of_their_own() -> None:
    found = [replace(slower(f"d{n}"), owner="ann" if n else "bob") for n in range(4)]
    body = body_of(page(found, given=answers([f"d{n}" for n in range(4)]))) | {
        "owners": {"ann": [one.id for one in found[1:]]}
    }
    (part,) = letter([body], owner="ann").parts
    assert len(part.actions) == 3


def test_tasks_that_became_faster_at_once_are_one_question() -> None:
    fast = [
        replace(
            slower(f"d{n}", n), code="WS408", evidence=slower("d", n).evidence | {"times_as_fast": 20.0 + n}
        )
        for n in range(3)
    ]
    (one,) = actions(fast)
    assert one.finding.headline.startswith(
        "3 tasks in 3 DAGs are 20 to 22 times as fast since Wed 18 Nov 13:08 UTC and still succeed:"
    )
    assert "no input for any of them" in one.finding.advice


@pytest.mark.parametrize(("retried", "is_told"), [(1, False), (2, True), (3, True)])
def test_runs_that_take_longer_for_their_retries_keep_that_cause(retried: int, is_told: bool) -> None:
    """Two of four are half of them."""
    runs = [replace(slower(f"d{n}"), code="WS402", subject={"dag_id": f"d{n}"}) for n in range(4)]
    runs[:retried] = [replace(one, advice="A first try failed in 24 of 28 runs.") for one in runs[:retried]]
    (one,) = actions(runs)
    assert ("(windsock why d0)" in one.finding.advice) == is_told
    assert ("a cause in common" in one.finding.advice) != is_told


def of_dag(code: str, dag_id: str, severity: str, **evidence: Any) -> Finding:
    return replace(
        finding(code, dag_id, headline=f"{code} of {dag_id}", evidence=evidence), severity=severity
    )  # type: ignore[arg-type]


def test_a_hundred_dags_whose_failures_nobody_heard_of_are_one_line_of_the_mail() -> None:
    unheard = [of_dag("WS515", f"d{n:03}", "watch", unheard=5, lost=6) for n in range(100)]
    messages = [of_dag("WS518", f"d{n:03}", "info", messages=60, causes=1) for n in range(100)]
    made = page([*unheard, *messages], given=answers(["d000"]))
    (part,) = letter([body_of(made)]).parts
    assert [one.headline for one in (*part.actions, *part.also)] == [
        "500 of 600 tasks of 100 DAGs that failed for good left no sign that a callback ran: d000, d001, d002 and 97 more",
        "Callbacks of 100 DAGs were called for 6,000 failed tries, with few causes behind each: d000, d001, d002 and 97 more",
    ]


def test_the_finding_of_all_dags_with_few_each_is_no_dag_of_the_group() -> None:
    alone = [of_dag("WS515", f"d{n}", "watch", unheard=5, lost=6) for n in range(2)]
    rest = replace(
        of_dag("WS515", "x", "watch", unheard=9, lost=9), id="WS515:all DAGs", subject={"reach": "all DAGs"}
    )
    assert len(actions([*alone, rest])) == 3


def test_tasks_renamed_at_once_are_one_line() -> None:
    def named(n: int) -> Finding:
        one = of_dag("WS607", "etl", "info", former_task_id=f"t{n}")
        return replace(one, id=f"WS607:etl:g.t{n}", subject={"dag_id": "etl", "task_id": f"g.t{n}"})

    (one,) = actions([named(n) for n in range(4)])
    assert (
        one.finding.headline
        == "4 tasks of 1 DAG look like others under new names: etl.g.t0, etl.g.t1, etl.g.t2 and 1 more"
    )
