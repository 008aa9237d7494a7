"""How long parsing every DAG file once took, week by week: of the files that were there at one time, not of all of a week."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from windsock.model import Row
from windsock.week import Week

WEEK = timedelta(days=7)
SIGHTS = 3  # usual distances between two sights: a file that is not seen for longer is gone


def one_pass(rows: Sequence[Row], week: Week) -> dict[date, float]:
    """Week → sum of the files' medians at its fullest moment, by the one source that knows most files this week: sources do
    not compare. `rows` are those of `parse_time_by_week`."""
    files: dict[str, int] = {}
    for row in rows:
        files[row["source"]] = files.get(row["source"], 0) + (row["week"] == week.monday)
    best = max(sorted(files), key=lambda one: files[one], default="")
    weeks_of: dict[tuple[str, str], list[date]] = {}
    mine = [row for row in rows if row["source"] == best]
    for row in mine:
        weeks_of.setdefault((row["bundle_name"], row["dag_file"]), []).append(row["week"])
    moves: dict[date, list[tuple[datetime, float]]] = {}
    for row in mine:
        seen = weeks_of[row["bundle_name"], row["dag_file"]]
        monday = datetime.combine(row["week"], time(), UTC)
        # what was seen in weeks before was there from the start on, what is seen later stayed until the end
        first = monday if min(seen) < row["week"] else row["first_at"]
        last = monday + WEEK if max(seen) > row["week"] else _until(row)
        moves.setdefault(row["week"], []).extend(((first, row["median_s"]), (last, -row["median_s"])))
    return {day: _most(of_week) for day, of_week in moves.items()}


def _until(row: Row) -> datetime:
    """When a file's next sight would have been overdue; a single sight tells no distance, and stands for the week."""
    first, last = row["first_at"], row["last_at"]
    assert isinstance(first, datetime) and isinstance(last, datetime)
    if row["samples"] < 2:
        return first + WEEK
    return last + SIGHTS * (last - first) / (int(row["samples"]) - 1)


def _most(moves: Sequence[tuple[datetime, float]]) -> float:
    total = most = 0.0
    for _at, change in sorted(moves, key=lambda one: (one[0], one[1])):
        total += change
        most = max(most, total)
    return most
