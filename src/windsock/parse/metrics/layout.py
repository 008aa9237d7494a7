"""What one snapshot repeats of the one before: its lines, but for the numbers at their ends.

A page of 10,000 lines differs from its predecessor in a few hundred. Lines that are equal were understood before; of
the others only the number is new. Anything else is no page of this layout, and goes the exact way.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from windsock.parse.metrics.heads import Heads
from windsock.parse.metrics.page_lines import Lines
from windsock.parse.metrics.plain_bytes import PIECE_BYTES

LONGEST_LINE = 100_000
"""The exact path cuts lines of a megabyte; a layout has none that comes near."""
LARGEST = 9e15
"""Up to here a float is a whole number as exactly as Python's own."""


class Layout:
    """The lines of one page. `heads` are those of the samples that count, in the order of `values`; a quantile that is
    no number just then (an exporter shows `NaN` where nothing was timed for ten minutes) has NaN there."""

    def __init__(self, lines: Lines, table: Heads) -> None:
        self._lines = lines
        self._names: list[str | None] = []  # of each line its head; None: a line that stays as it is
        self._slots: Any = np.zeros(0, np.int64)  # of each line where its value stands; -1: it counts nowhere
        self._heads = pa.array(
            [], pa.string()
        )  # of each line its head with the blank behind it, and its bytes
        self._sizes: Any = np.zeros(0, np.int32)
        self._need_number: Any = np.zeros(0, np.bool_)
        self._table = table
        self.heads: list[str] = []
        self.values: Any = np.zeros(0)

    def learn(self, totals: dict[str, float]) -> bool:
        """Read the page once more as following ones will be read, and whether that tells what the exact path told."""
        table, told = self._table.table, dict[str, float]()
        names: list[str | None] = []
        slots: list[int] = []
        need: list[bool] = []
        lines = self._lines.texts()
        if lines is None:
            return False
        for line in lines:
            head, _, text = line.rpartition(" ")
            if line[:1] == "#" or not line.strip():
                names.append(None)
                slots.append(-1)
                need.append(True)
                continue
            if head not in table or head in told:
                return False
            try:
                value = float(text)
            except ValueError:
                return False
            series = table[head]
            names.append(head)
            slots.append(-1 if series is None else len(told))
            need.append(series is not None and series.part != "quantile")
            if series is not None:
                told[head] = value
            if need[-1] and not -LARGEST < value < LARGEST:
                return False
        is_plain = (
            self._lines.longest(np.arange(len(self._lines))) < LONGEST_LINE
            and (self._lines.is_ended or lines[-1][:1] == "#")
            and self._is_of_prefix(lines)
        )
        self._names, self._slots, self._need_number = (
            names,
            np.array(slots, np.int64),
            np.array(need, np.bool_),
        )
        spelled = ["" if name is None else f"{name} " for name in names]
        self._heads = pa.array(spelled, pa.string())
        self._sizes = pc.binary_length(self._heads).to_numpy()
        self.heads, self.values = [*told], np.array([*told.values()], np.float64)
        return is_plain and [*numbers_of(self.heads, self.values).items()] == [*totals.items()]

    def _is_of_prefix(self, lines: list[str]) -> bool:
        """Whether every page of this layout tells the prefix that these heads were learned with. The exact path may
        see no more of a page than its first block, so it has to stand well within it."""
        size, first = 0, list[str]()
        for line in lines:
            size += 4 * len(line) + 1
            if size >= PIECE_BYTES // 2 or line.startswith("airflow_"):
                first.append(line)
                break
            first.append(line)
        return self._table.find_prefix_in("\n".join(first).encode()) == self._table.prefix

    def seems(self, lines: Lines) -> bool:
        """Whether these may be the lines of a following page, before it is worked out what stands in them."""
        if len(lines) != len(self._lines) or lines.is_ended != self._lines.is_ended:
            return False
        places = lines.unlike(self._lines)
        if not len(places):
            return True
        told, before = lines.some(places), self._lines.some(places)
        return told is not None and before is not None and [*map(_head, told)] == [*map(_head, before)]

    def follow(self, lines: Lines) -> tuple[Any, Any] | None:
        """Where the values stand that differ from those of the page before, and the values; None: another layout."""
        if len(lines) != len(self._lines) or lines.is_ended != self._lines.is_ended:
            return None
        places = lines.unlike(self._lines)
        if not len(places):
            return (), ()
        if lines.longest(places) >= LONGEST_LINE:
            return None
        values = lines.numbers(places, self._heads, self._sizes[places])
        if values is None:
            values = self._one_by_one(lines, places)
        if values is None:
            return None
        if not ((np.abs(values) < LARGEST) | ~self._need_number[places]).all():
            return None
        slots = self._slots[places]
        ours = slots >= 0
        return slots[ours], values[ours]

    def _one_by_one(self, lines: Lines, places: Any) -> Any:
        """The numbers of some lines, as Python reads them; None where they are none, or stand behind other heads."""
        changed = lines.some(places)
        if changed is None:
            return None
        heads, _, texts = zip(*[line.rpartition(" ") for line in changed], strict=True)
        if [*heads] != [self._names[at] for at in places.tolist()]:
            return None
        try:
            return np.array([*map(float, texts)])
        except ValueError:
            return None

    def take(self, lines: Lines) -> None:
        """These are the lines that the next page is compared with."""
        self._lines = lines


def _head(line: str) -> str:
    return line if line[:1] == "#" else line.rpartition(" ")[0]


def numbers_of(heads: list[str], values: Any) -> dict[str, float]:
    """What a moment would hold: the values that are numbers."""
    told = zip(heads, values.tolist(), strict=True)
    return {head: value for head, value in told if value - value == 0}
