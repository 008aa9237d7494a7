"""What a section of the page is made of: whose findings it holds, and which tables stand below them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from windsock.model import Row
from windsock.report.page import Cell

Column = tuple[str, Callable[[Row], Cell]]


def every(row: Row) -> bool:
    """For questions whose every row is worth showing."""
    return True


@dataclass(frozen=True, slots=True)
class Grid:
    """One table: the rows of a question that are worth showing, and the columns that are told of them.

    `optional`: columns that are left out where no row has anything in them.
    `is_folded`: detail for who asks, closed until somebody opens it.
    """

    title: str
    question: str
    columns: tuple[Column, ...]
    is_worth_showing: Callable[[Row], bool] = every
    is_folded: bool = False
    optional: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Spec:
    """One section. A finding stands in the first section, in the page's order, that has a prefix of its code."""

    key: str
    title: str
    codes: tuple[str, ...]
    grids: tuple[Grid, ...] = ()
