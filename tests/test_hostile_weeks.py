"""Weeks that a hostile tester made up: each tells what was planted, and nothing else."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from benchmarks.fleet.records import Attempt

from tests.support.fleets import KEY_ERROR, WEEK, calm, every, runs, since
from tests.support.weeks import put_logs, report_of

pytestmark = pytest.mark.long

MINUTE = timedelta(minutes=1)


def tried(
    dag_id: str,
    due: datetime,
    task_id: str,
    number: int,
    ending: str,
    *,
    after: timedelta = MINUTE,
    map_index: int = -1,
) -> Attempt:
    error = KEY_ERROR if ending in ("failed", "retry") else ("", "")
    return Attempt(dag_id, f"scheduled__{due.isoformat()}", task_id, number, number, due + after, 60, ending, error, map_index=map_index)  # fmt: skip


def two_of_a_map() -> Iterator[Attempt]:
    for due in every(1, since(6), since(-10)):
        for index in range(40):
            is_bad = due >= since(1) and index in (7, 9)
            yield tried("mapped", due, "load", 1, "failed" if is_bad else "success", map_index=index)


def a_map_that_shrinks() -> Iterator[Attempt]:
    """Sixty files a day; since Wednesday the listing finds one."""
    for due in every(1, since(6), since(-14)):
        yield tried("shrunk", due, "find", 1, "success")
        for index in range(60 if due < since(2) else 1):
            yield tried("shrunk", due, "load", 1, "success", after=3 * MINUTE, map_index=index)


def a_branch_that_breaks() -> Iterator[Attempt]:
    for place, due in enumerate(every(1, since(6))):
        yield tried("branch", due, "choose", 1, "success")
        name = "a" if place % 2 == 0 else "b"
        is_bad = name == "a" and due >= since(0)
        yield tried("branch", due, name, 1, "failed" if is_bad else "success", after=3 * MINUTE)


def the_same_but_for_numbers() -> Iterator[Attempt]:
    for dag_id in ("first", "second", "third"):
        for place, due in enumerate(every(1, since(6))):
            error = ("ValueError", f"row {place * 7} of {len(dag_id) + place * 1000} is bad: 0x{place:04x}")
            for one in runs(dag_id, [due], ["failed"] if due >= since(2) else ["success"]):
                yield replace(one, error=error if one.ending == "failed" else ("", ""))


def a_catch_up() -> Iterator[Attempt]:
    """Unpaused on Wednesday: thirty days in an hour, every fifth lost; well since."""
    for place, due in enumerate(every(1, since(2), since(-28))):
        late = since(2) - due + 2 * place * MINUTE
        yield tried("unpaused", due, "load", 1, "success" if place % 5 else "failed", after=late)
    yield from runs("unpaused", every(1, since(6), since(3)))


def runs_once() -> Iterator[Attempt]:
    yield from runs("once", [since(3)], ["failed"])


def by_hand_only() -> Iterator[Attempt]:
    for due in every(1, since(6)):
        yield from runs("hand", [due], ["failed" if due >= since(0) else "success"], prefix="manual")


def saved_after_midnight() -> Iterator[Attempt]:
    """The first try of the week's last run fails at its end, and is saved in the next one."""
    for due in every(1, since(6) + timedelta(hours=23, minutes=50)):
        is_last = due >= since(6)
        yield tried("midnight", due, "load", 1, "retry" if is_last else "success")
        if is_last:
            yield tried("midnight", due, "load", 2, "success", after=15 * MINUTE)


def nights_that_are_lost_after_midnight() -> Iterator[Attempt]:
    """Each run begins before midnight and is lost after it: Sunday's in the next week."""
    for due in every(1, since(6) + timedelta(hours=23, minutes=30)):
        yield tried("nightly", due, "extract", 1, "success")
        yield tried("nightly", due, "load", 1, "failed" if due >= since(2) else "success", after=60 * MINUTE)


def a_retry_that_is_lost_in_the_next_week() -> Iterator[Attempt]:
    due = since(6) + timedelta(hours=23, minutes=50)
    yield tried("rare", due - timedelta(days=28), "load", 1, "success")
    yield tried("rare", due, "load", 1, "retry")
    yield tried("rare", due, "load", 2, "failed", after=15 * MINUTE)


def work_that_goes_on_at_the_week_s_end() -> Iterator[Attempt]:
    for due in every(1, since(6) + timedelta(hours=23, minutes=30)):
        yield tried("long", due, "extract", 1, "success")
        yield tried("long", due, "load", 1, "cut" if due >= since(6) else "success", after=120 * MINUTE)


def a_clock_that_changes() -> Iterator[Attempt]:
    yield from runs("summer", [due + timedelta(hours=due < since(2)) for due in every(1, since(6))])


def an_upstream_that_stops() -> Iterator[Attempt]:
    ran = [due for due in every(1, since(6)) if due < since(2)]
    yield from runs("upstream", ran)
    yield from runs("downstream", [due + 60 * MINUTE for due in ran], prefix="asset_triggered")


def cleared_and_well() -> Iterator[Attempt]:
    for due in every(1, since(6)):
        if due in (since(1), since(2), since(3)):
            yield tried("cleared", due, "load", 1, "failed")
            yield tried("cleared", due, "load", 2, "success", after=9 * 60 * MINUTE)
        else:
            yield from runs("cleared", [due])


def a_short_circuit() -> Iterator[Attempt]:
    for due in every(1 / 4, since(6.75)):
        yield tried("short", due, "check", 1, "success")
        if due < since(1):
            yield tried("short", due, "load", 1, "success", after=3 * MINUTE)


@pytest.mark.parametrize(
    ("plant", "verdict", "sentence", "codes"),
    [
        (two_of_a_map, "worse", "mapped has lost every run to load (2 of 40 map indexes) since Tue 17 Nov (6; before: 0 of 11)", ["WS106"]),
        (a_map_that_shrinks, "worse", "shrunk.load maps over 1 instead of 60 since Wed 18 Nov 00:01 UTC (4 runs, all well)", ["WS534"]),
        (a_branch_that_breaks, "worse", "branch: 4 of 7 runs failed (before: 0 of 28)", ["WS118"]),
        (the_same_but_for_numbers, "worse", "One error in 3 DAGs: ValueError, 15 tries failed, 15 for good", ["WS110"]),
        (a_catch_up, "same", "but the fleet as a whole lost more of its runs: 7 of 35 in unpaused", []),
        (runs_once, "same", "to watch: once lost its first run, of Thu 19 Nov 00:00 UTC", ["WS113"]),
        (by_hand_only, "same", "Same as before: nothing new passed its test.", []),
        (saved_after_midnight, "same", "Same as before: nothing new passed its test.", []),
        (nights_that_are_lost_after_midnight, "worse", "nightly has lost every run to load since Wed 18 Nov (5; before: 0 of 30)", ["WS106"]),
        (a_retry_that_is_lost_in_the_next_week, "same", "to watch: rare lost its newest run, of Sun 22 Nov 23:51 UTC", ["WS109"]),
        (work_that_goes_on_at_the_week_s_end, "same", "Same as before: nothing new passed its test. Runs lost: 0 % (0 of 35; 95 %", []),
        (a_clock_that_changes, "same", "Same as before: nothing new passed its test.", []),
        (an_upstream_that_stops, "worse", "upstream: 4 of 7 runs expected by its own cadence never came", ["WS502"]),
        (cleared_and_well, "same", "Same as before: nothing new passed its test.", []),
        (a_short_circuit, "same", "to watch: load of short has not run since Mon 16 Nov", ["WS505"]),
    ],
    ids=lambda one: one.__name__ if callable(one) else "",
)  # fmt: skip
def test_a_hostile_week(tmp_path: Path, plant, verdict: str, sentence: str, codes: list[str]) -> None:  # type: ignore[no-untyped-def]
    put_logs(tmp_path, [*calm(4), *plant()])
    body, mail = report_of(tmp_path, WEEK)
    assert (body["verdict"], [one["code"] for one in body["findings"]]) == (verdict, codes)
    assert sentence in body["verdict_sentence"] and body["verdict_sentence"] in " ".join(mail.split())
