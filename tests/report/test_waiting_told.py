"""Each number of hours waited says whose waiting it is: of all tasks of a pool, or of the tries that tell their times."""

from typing import Any

from tests.findings.test_rules import answers
from windsock.report.waiting import wait_plot, waiting_lines

POOL = {"scope": "all", "dag_id": "", "pool": "", "waits_for": "pool", "hours": 5.4}
SEEN = {"tries": 680, "ready_told": 0, "ready_rebuilt": 355, "runs": 100}


def try_row(dag_id: str, tries: int, rebuilt: int) -> dict[str, Any]:
    return {"dag_id": dag_id, "tries": tries, "ready_told": 0, "ready_rebuilt": rebuilt}


def gauged(pool: str, hours: float | None, source: str = "gauges") -> dict[str, Any]:
    return {"pool": pool, "source": source, "wait_hours": hours}


def test_the_plot_says_how_many_tries_of_which_dags_it_rests_on() -> None:
    tries = [try_row("a", 300, 300), try_row("b", 100, 55), try_row("c", 280, 0), try_row("past", 0, 0)]
    plot = wait_plot(answers(waiting_by_limit=[POOL], waiting_seen=[SEEN], try_waits=tries))
    assert plot is not None
    assert plot.text.startswith(
        "Of 355 of 680 tries, in 2 of 3 DAGs, that tell when they were queued: 5.4 h for a slot"
    )
    assert "gauges" not in plot.text


def test_what_gauges_alone_saw_is_said_to_be_no_part_of_it() -> None:
    pools = [gauged("dwh", 174.0), gauged("x", 0.0), gauged("y", 9.0, "task intervals"), gauged("z", None)]
    plot = wait_plot(answers(waiting_by_limit=[POOL], waiting_seen=[SEEN], pools_of_week=pools))
    assert plot is not None
    assert "Not in it: 174 h that gauges saw in 1 pool whose tasks do not tell their own times." in plot.text


def test_the_trust_box_says_whose_hours_they_are() -> None:
    ((name, told),) = waiting_lines(answers(waiting_by_limit=[POOL], waiting_seen=[SEEN]))
    assert name == "Waiting"
    assert told.startswith("5.4 h of the tries that tell when they were queued, 0 % of it not attributed")
