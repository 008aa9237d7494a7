"""How the columns of tables are told: a value by its name's unit, words, a rate with its interval, a change."""

from __future__ import annotations

from collections.abc import Callable

from windsock.intervals import bounds, wilson
from windsock.model import Row
from windsock.report.formats import cell, clean, interval, measure, share, span
from windsock.report.page import Cell

MAX_SAMPLE = 160  # characters of a text in a table


def plain(name: str) -> Callable[[Row], Cell]:
    """A value, in the unit that its column's name says."""

    def made(row: Row) -> Cell:
        value = row[name]
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return Cell(measure(name, value), float(value)) if is_number else Cell(clean(cell(value), MAX_SAMPLE))

    return made


def words(name: str) -> Callable[[Row], Cell]:
    """A name with underscores, as words."""
    return lambda row: Cell(cell(row[name]).replace("_", " "))


def of(part: str, whole: str, no_end: str = "") -> Callable[[Row], Cell]:
    """`22 of 56, 39 % (28 to 52 %)`; `no_end` counts those without a known end, which the upper end takes for such, too."""

    def made(row: Row) -> Cell:
        k, n = row[part], row[whole]
        if not n:
            return Cell("no runs", -1.0)
        told = f"{k:,} of {n:,}, {share(k / n)} ({interval(*wilson(k, n))})"
        if open_ := row[no_end] if no_end else 0:
            low, high = bounds(k, open_, n)
            told = f"{k:,} of {n:,}, {open_:,} without a known end, {share(k / n)} ({interval(low, high)})"
        return Cell(told, k / n)

    return made


def changed(now: str, before: str) -> Callable[[Row], Cell]:
    """`44 min, before 8 min`, of lengths in seconds."""
    return lambda row: Cell(f"{span(row[now])}, before {span(row[before])}", row[now])


def known(name: str) -> Callable[[Row], Cell]:
    """A value, or that there is none: a week without data is no zero."""

    def made(row: Row) -> Cell:
        return plain(name)(row) if row[name] is not None else Cell("no data", -1.0)

    return made


def weeks(name: str) -> Callable[[Row], Cell]:
    """A list of hours, oldest first: `1.5, –, 0, 12`; a dash is a week without data."""
    return lambda row: Cell(", ".join("–" if one is None else f"{one:.3g}" for one in row[name]))


def give_or_take(name: str, error: str) -> Callable[[Row], Cell]:
    """`40 % ± 2.1 points`; without an error the share alone."""

    def made(row: Row) -> Cell:
        if row[name] is None:
            return Cell("no data", -1.0)
        told = f" ± {100 * row[error]:.2g} points" if row[error] else ""
        return Cell(f"{share(row[name])}{told}", row[name])

    return made
