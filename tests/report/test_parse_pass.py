"""One pass of parsing is that of the files that were there at one time, not of all that were seen in a week."""

from datetime import datetime, timedelta
from typing import Any

from windsock.report.parse_pass import one_pass
from windsock.week import Week

WEEK = Week.parse("2026-W47")


def seen(
    name: str,
    from_day: float = 0.0,
    until_day: float = 7.0,
    *,
    ago: int = 0,
    samples: int = 500,
    source: str = "metric",
) -> dict[str, Any]:
    """A file that takes a second, seen between two days of a week."""
    start: datetime = WEEK.minus(ago).from_at
    return {"source": source, "bundle_name": "", "dag_file": name, "week": WEEK.minus(ago).monday, "samples": samples,
            "median_s": 1.0, "first_at": start + timedelta(days=from_day), "last_at": start + timedelta(days=until_day)}  # fmt: skip


def test_files_that_were_there_together_are_added_up() -> None:
    assert one_pass([seen("a.py"), seen("b.py", 1, 6)], WEEK) == {WEEK.monday: 2.0}


def test_a_file_and_its_next_name_are_one() -> None:
    rows = [seen("old.py", 0, 3), seen("new.py", 3.1, 7), seen("other.py")]
    assert one_pass(rows, WEEK)[WEEK.monday] == 2.0


def test_a_folder_that_was_moved_leaves_the_number_as_it_was() -> None:
    before = [seen(f"a/{n}.py", ago=1) for n in range(40)]
    moved = [seen(f"a/{n}.py", 0, 3) for n in range(40)] + [seen(f"b/{n}.py", 3.05, 7) for n in range(40)]
    assert one_pass(before + moved, WEEK) == {WEEK.minus(1).monday: 40.0, WEEK.monday: 40.0}


def test_a_file_that_is_seen_rarely_is_there_all_the_same() -> None:
    """A DAG of each Monday and one of each Friday: task logs tell their parse times when they run."""
    rows = [
        seen(name, day, day, ago=ago, samples=1, source="task_log")
        for ago in (0, 1, 2)
        for name, day in (("monday.py", 0.1), ("friday.py", 4.1))
    ]
    assert set(one_pass(rows, WEEK).values()) == {2.0}


def test_one_source_is_not_added_to_another() -> None:
    rows = [seen("a.py"), seen("b.py"), seen("a.py", source="task_log")]
    assert one_pass(rows, WEEK) == {WEEK.monday: 2.0}


def test_without_parse_times_nothing_is_told() -> None:
    assert one_pass([], WEEK) == {}
