"""Which limit made a task wait, moment by moment.

The scheduler looks at a ready task in each pass and passes it over at the first limit that is reached: executor slots,
then pool, then the DAG's `max_active_tasks`, then the task's own concurrency (scheduler_job_runner.py,
`_executable_task_instances_to_queued`, 2.11.2 and 3.3.2). So each moment of a wait belongs to the first of these that was
reached then; it is `alone` when no other one was, and only those hours can be saved by raising that limit. What is left
is the scheduler's own pace (a usual start, or a pass that took as many tasks as a pass can), or nobody's: unattributed.

A limit that nobody told is inferred where use stood at its peak during most of the waiting that nothing else explains,
and the waiting tasks were taken just when one of its users ended. That is a coincidence counted, not a proof.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from windsock.findings.methods.spans import EDGE, STRIDE, Ints, Levels, Spans

Bools = NDArray[np.bool_]

DEFAULT_PERIOD_US, LEAST_PERIOD_US, MOST_PERIOD_US = 5_000_000, 500_000, 60_000_000
MOST_APART_US = 10_000_000  # a quiet fleet takes something once a minute: that is no pass's length
MIN_UNCONTENDED = 20  # starts; fewer do not tell the scheduler's pace
MIN_BATCH, MIN_FULL_BATCHES, FULL_BATCH = (
    4,
    5,
    0.75,
)  # tasks; passes of that size; fraction of it that counts as full
MIN_WAITS = 10  # waits; fewer do not show a limit that nobody told
MIN_AT_PEAK, MIN_HANDED_OVER = 0.8, 0.7  # fractions of the waiting, and of the waits


@dataclass(frozen=True, slots=True)
class Waits:
    """Intervals of waiting, from ready to taken; microseconds."""

    start_us: Ints
    end_us: Ints

    def __len__(self) -> int:
        return len(self.start_us)

    @property
    def length_us(self) -> Ints:
        return self.end_us - self.start_us

    def of(self, chosen: Bools) -> Waits:
        return Waits(self.start_us[chosen], self.end_us[chosen])


@dataclass(frozen=True, slots=True)
class Layer:
    """One limit: when it was reached, by group, and each wait's group (-1: it does not concern it)."""

    name: str
    spans: Spans
    group: Ints


@dataclass(frozen=True, slots=True)
class Split:
    """Microseconds of each wait by layer (rows are waits), those that only this layer explains, and what is left."""

    bound_us: Ints
    alone_us: Ints
    rest_us: Ints


def split(waits: Waits, layers: Sequence[Layer]) -> Split:
    """Each moment of each wait to the first layer that was reached then."""
    shape = (len(waits), len(layers))
    bound = np.zeros(shape, np.int64)
    for place, layer in enumerate(layers):
        bound[:, place] = layer.spans.overlap(layer.group, waits.start_us, waits.end_us)
    alone = bound.copy()
    for i in np.flatnonzero((bound > 0).sum(axis=1) > 1):
        bound[i], alone[i] = _one(waits, layers, int(i), np.flatnonzero(bound[i]))
    return Split(bound, alone, waits.length_us - bound.sum(axis=1))


def _one(waits: Waits, layers: Sequence[Layer], i: int, places: Ints) -> tuple[Ints, Ints]:
    """One wait under several limits: cut where any of them changes."""
    start, end = int(waits.start_us[i]), int(waits.end_us[i])
    found = [layers[place].spans.within(int(layers[place].group[i]), start, end) for place in places]
    cuts = np.unique(np.concatenate([one.ravel() for one in found]))
    lengths, begins = np.diff(cuts), cuts[:-1]
    inside = np.stack([_covers(one, begins) for one in found])
    first = np.where(inside.any(axis=0), inside.argmax(axis=0), -1)
    bound, alone = np.zeros(len(layers), np.int64), np.zeros(len(layers), np.int64)
    names = [layers[place].name for place in places]
    for row, place in enumerate(places):
        bound[place] = lengths[first == row].sum()
        others = [other for other, name in enumerate(names) if name != names[row]]
        alone[place] = lengths[(first == row) & ~inside[others].any(axis=0)].sum()
    return bound, alone


def _covers(spans: Ints, moments: Ints) -> Bools:
    place = np.searchsorted(spans[:, 0], moments, side="right") - 1
    return np.asarray((place >= 0) & (moments < spans[np.maximum(place, 0), 1]))


def period_us(waits: Waits, layers: Sequence[Layer]) -> int:
    """The time between two passes of the scheduler: twice the median wait of what met no limit, or the usual distance
    of the passes that took something. All that one pass takes carries one time (`queued_dttm`)."""
    met = np.zeros(len(waits), bool)
    for layer in layers:
        met |= layer.spans.overlap(layer.group, waits.start_us, waits.end_us) > 0
    free = waits.length_us[~met]
    starts = [float(2 * np.median(free))] if len(free) >= MIN_UNCONTENDED else []
    apart = np.diff(np.unique(waits.end_us))
    apart = apart[apart >= LEAST_PERIOD_US]
    passes = [min(MOST_APART_US, float(np.quantile(apart, 0.1)))] if len(apart) >= MIN_UNCONTENDED else []
    return int(np.clip(max([*starts, *passes], default=DEFAULT_PERIOD_US), LEAST_PERIOD_US, MOST_PERIOD_US))


def full_batches(taken_us: Ints) -> Spans:
    """From a pass of the scheduler that took about as many tasks as any does, until the next one. A pass takes at most
    `max_tis_per_query` tasks, or as many as there seem to be executor slots; who comes later in the line waits for the
    next pass, whatever else is free."""
    passes, counts = np.unique(taken_us, return_counts=True)
    often = np.flatnonzero(np.bincount(counts) >= MIN_FULL_BATCHES) if len(counts) else np.empty(0, np.int64)
    if not len(often) or often[-1] < MIN_BATCH:
        return Spans.none()
    is_full = counts[:-1] >= FULL_BATCH * often[-1]
    return Spans.of(np.zeros(int(is_full.sum()), np.int64), passes[:-1][is_full], passes[1:][is_full])


@dataclass(frozen=True, slots=True)
class Users:
    """Who uses a limit: intervals by group. `family` of a group: the DAG that its limit belongs to."""

    group: Ints
    start_us: Ints
    end_us: Ints
    family: Ints  # by group

    def levels(self) -> Levels:
        return Levels.of(self.group, self.start_us, self.end_us, np.ones(len(self.group), np.int64))


def inferred(users: Users, waits: Waits, group: Ints, *, pace_us: int) -> dict[int, int]:
    """Family → limit, for limits that nobody told. `waits` are those that nothing else explains, `group` theirs."""
    if len(waits) < MIN_WAITS or not len(users.group):
        return {}
    levels = users.levels()
    families = int(users.family.max()) + 1
    peaks = np.zeros(families, np.int64)
    np.maximum.at(peaks, users.family, levels.peaks(len(users.family)))
    at_peak = levels.above(peaks[users.family]).joined(pace_us)
    family = users.family[group]
    waited = np.bincount(family, waits.length_us, families)
    stood = np.bincount(family, at_peak.overlap(group, waits.start_us, waits.end_us), families)
    handed = np.bincount(family, _handed_over(users, waits, group, pace_us), families)
    count = np.bincount(family, minlength=families)
    is_limit = (
        (count >= MIN_WAITS)
        & (stood >= MIN_AT_PEAK * np.maximum(waited, 1))
        & (handed >= MIN_HANDED_OVER * np.maximum(count, 1))
    )
    return {int(one): int(peaks[one]) for one in np.flatnonzero(is_limit)}


def held_at(levels: Levels, holds: Spans, family: Ints) -> dict[int, int]:
    """Family → limit, where the scheduler said that one held but not at which value: the peak of use in those minutes,
    if most of them reach it."""
    if not len(holds.starts) or not len(levels.moments):
        return {}
    group = (holds.starts + EDGE) // STRIDE
    place = np.searchsorted(levels.moments, holds.starts, side="right") - 1
    most = np.zeros(len(group), np.int64)
    for n, (first, start, end) in enumerate(zip(place, holds.starts, holds.ends, strict=True)):
        last = int(np.searchsorted(levels.moments, end, side="left"))
        inside = levels.level[max(int(first), 0) : last]
        most[n] = (
            inside[levels.group[max(int(first), 0) : last] == group[n]].max(initial=0) if end > start else 0
        )
    found = {}
    for one in np.unique(family[group]).tolist():
        mine = most[family[group] == one]
        length = (holds.ends - holds.starts)[family[group] == one]
        if mine.max() > 0 and length[mine == mine.max()].sum() >= MIN_AT_PEAK * length.sum():
            found[one] = int(mine.max())
    return found


def _handed_over(users: Users, waits: Waits, group: Ints, pace_us: int) -> Bools:
    """Whether a wait ended at most two passes after a user of its group ended."""
    ends = Spans.of(users.group, users.end_us, users.end_us + 2 * pace_us)
    return ends.overlap(group, waits.end_us, waits.end_us + 1) > 0
