"""Entries of a collector in the order of their time: exports often come newest first, Loki's answers stream by stream.

What is larger than memory is sorted in runs that lie in nameless files.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Any, Literal

from windsock.scratch.overflow import Overflow

How = Literal["kept", "sorted", "reversed"]
Timed = tuple[Any, bytes]

RUN_BYTES = 16 << 20
MOST_RUNS = 256
_BATCH_BYTES = 1 << 16  # what is held of each run while they are merged
_ITEM_BYTES = 150  # what Python takes for a pair, beside its bytes


class TooDisordered(Exception):
    """More than can be sorted."""


class Order:
    """Watches the times of entries as they pass. Whole numbers are sorted; texts, whose zones differ, are only turned round
    where they fall from first to last."""

    def __init__(self) -> None:
        self._kind: type | None = None
        self._is_pure = self._rises = self._falls = True
        self._first: Any = None
        self._last: Any = None

    def see(self, at: Any) -> None:
        """The time of one entry more; None where it tells none."""
        if not self._is_pure:
            return
        if type(at) is not self._kind:
            if self._kind is not None or at is None:
                self._is_pure = False
                return
            self._kind, self._first, self._last = type(at), at, at
        if at < self._last:
            self._rises = False
        elif at > self._last:
            self._falls = False
        self._last = at

    @property
    def needed(self) -> How:
        """What makes of the entries seen an order of time."""
        if not self._is_pure or self._kind is None:
            return "kept"
        if issubclass(self._kind, int):
            return "kept" if self._rises else "sorted"
        return "reversed" if self._falls and self._first > self._last else "kept"

    @property
    def is_upset(self) -> bool:
        """Whether what was seen so far must be sorted, if nothing without a number follows."""
        return not self._rises and self._is_pure and self._kind is not None and issubclass(self._kind, int)


class Arranged:
    """Lines in another order than they come in; iterate as often as wanted."""

    def __init__(self, lines: Iterable[Timed], how: How, *, run_bytes: int, most_runs: int) -> None:
        self._how = how
        self._runs: list[Iterable[Timed]] = []
        held: list[Timed] = []
        size = 0
        for item in lines:
            held.append(item)
            size += len(item[1]) + _ITEM_BYTES
            if size >= run_bytes:
                if len(self._runs) == most_runs:
                    raise TooDisordered
                self._runs.append(_laid(self._in_order(held)))
                held, size = [], 0
        self._runs.append(self._in_order(held))

    def __iter__(self) -> Iterator[bytes]:
        if self._how == "reversed":
            for run in reversed(self._runs):
                yield from (line for _at, line in run)
        else:
            yield from (line for _at, line in heapq.merge(*self._runs, key=itemgetter(0)))

    def _in_order(self, held: list[Timed]) -> list[Timed]:
        return held[::-1] if self._how == "reversed" else sorted(held, key=itemgetter(0))


def _laid(items: list[Timed]) -> Overflow[Timed]:
    run: Overflow[Timed] = Overflow(held_bytes=_BATCH_BYTES)
    for item in items:
        run.append(item, size=len(item[1]) + _ITEM_BYTES)
    return run
