"""Sets of intervals by group, and how long other intervals overlap them. Whole microseconds, so sums are exact.

Every group's intervals lie on one long line, `STRIDE` apart, so one binary search serves all groups at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

STRIDE = 4_000_000_000_000  # microseconds, 46 days: no two groups' times meet
EDGE = STRIDE // 4
MAX_GROUPS = 2_000_000


def placed(group: Ints, moment_us: Ints) -> Ints:
    """A group's moment on the common line."""
    return group * STRIDE + np.clip(moment_us, -EDGE, EDGE)


@dataclass(frozen=True, slots=True)
class Spans:
    """Disjoint intervals in order; `starts` and `ends` lie on the common line."""

    starts: Ints
    ends: Ints

    @classmethod
    def none(cls) -> Spans:
        """No interval in any group."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64))

    @classmethod
    def of(cls, group: Ints, start_us: Ints, end_us: Ints) -> Spans:
        """Any intervals; those that overlap or touch become one."""
        starts, ends = placed(group, start_us), placed(group, end_us)
        order = np.argsort(starts, kind="stable")
        starts, ends = starts[order], ends[order]
        kept = ends > starts
        return cls(starts[kept], np.maximum.accumulate(ends[kept])).joined(0) if kept.any() else cls.none()

    def joined(self, gap_us: int) -> Spans:
        """Intervals at most `gap_us` apart become one. `ends` may still overlap the next start."""
        if not len(self.starts):
            return self
        begins = np.concatenate(([True], self.starts[1:] - self.ends[:-1] > gap_us))
        last = np.concatenate((np.flatnonzero(begins)[1:] - 1, [len(begins) - 1]))
        return Spans(self.starts[begins], self.ends[last])

    def both(self, other: Spans) -> Spans:
        """Where these and the others are."""
        return self._beside(other, weight=1, level=2)

    def without(self, other: Spans) -> Spans:
        """Where these are and the others are not."""
        return self._beside(other, weight=-1, level=1)

    def _beside(self, other: Spans, *, weight: int, level: int) -> Spans:
        """Both must be disjoint in themselves, as `of` makes them."""
        line = np.concatenate((self.starts, self.ends, other.starts, other.ends))
        mine, others = np.ones(len(self.starts), np.int64), np.full(len(other.starts), weight, np.int64)
        order = np.argsort(line, kind="stable")
        line, levels = line[order], np.cumsum(np.concatenate((mine, -mine, others, -others))[order])
        chosen = (levels[:-1] == level) & (line[1:] > line[:-1])
        return Spans(line[:-1][chosen], line[1:][chosen]).joined(0)

    def overlap(self, group: Ints, start_us: Ints, end_us: Ints) -> Ints:
        """Microseconds that each interval shares with its group's spans; 0 for group -1."""
        if not len(self.starts):
            return np.zeros(len(group), np.int64)
        known = np.concatenate(([0], np.cumsum(self.ends - self.starts)))

        def until(line: Ints) -> Ints:
            place = np.searchsorted(self.starts, line, side="right") - 1
            inside = np.minimum(line, self.ends[place]) - self.starts[place]
            return np.where(place >= 0, known[np.maximum(place, 0)] + np.maximum(inside, 0), 0)

        shared = until(placed(group, end_us)) - until(placed(group, start_us))
        return np.asarray(np.where(group >= 0, shared, 0))

    def within(self, group: int, start_us: int, end_us: int) -> Ints:
        """Rows of (start, end) of one group inside one interval, in the interval's own time."""
        origin = group * STRIDE
        first = int(np.searchsorted(self.ends, origin + start_us, side="right"))
        last = int(np.searchsorted(self.starts, origin + end_us, side="left"))
        found = np.stack((self.starts[first:last], self.ends[first:last]), axis=1) - origin
        return np.asarray(np.clip(found, start_us, end_us))


@dataclass(frozen=True, slots=True)
class Levels:
    """How much of something each group uses, from each of its moments until its next one."""

    group: Ints
    moments: Ints  # on the common line
    level: Ints

    @classmethod
    def of(cls, group: Ints, start_us: Ints, end_us: Ints, weight: Ints) -> Levels:
        """A sweep: at one moment what ends is given back before what starts is taken."""
        line = np.concatenate((placed(group, start_us), placed(group, end_us)))
        change = np.concatenate((weight, -weight))
        order = np.argsort(line, kind="stable")
        line, change = line[order], change[order]
        is_last = np.concatenate((line[1:] != line[:-1], [True])) if len(line) else np.empty(0, bool)
        moments = line[is_last]
        return cls((moments + EDGE) // STRIDE, moments, np.cumsum(change)[is_last])

    def peaks(self, groups: int) -> Ints:
        """The highest level of each group."""
        top = np.zeros(groups, np.int64)
        np.maximum.at(top, self.group, self.level)
        return top

    def above(self, least: Ints) -> Spans:
        """Where a group's level is at least `least[group]`."""
        if not len(self.moments):
            return Spans.none()
        until = np.concatenate((self.moments[1:], self.moments[-1:]))
        is_above = (self.level >= least[self.group]) & (until > self.moments)
        return Spans(self.moments[is_above], until[is_above]).joined(0)
