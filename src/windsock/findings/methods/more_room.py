"""How much room the users of one limit wanted at once, and what a larger limit would have saved them.

`Wanted` holds for every user since when it wanted room for this limit alone (what it waited for others is not in it), since
when it had it, and until when it held it. `wanted` is the demand, running and waiting, by time; `replayed` lets the same users
through another limit, first come first served, durations unchanged. Both sides of a saving come from the replay, so that what
it leaves out (priorities, other limits) mostly cancels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from heapq import heappush, heapreplace
from math import ceil

import numpy as np

from windsock.findings.methods.spans import Ints, Levels

SHARE = 0.95  # of the time in which more was wanted than there was
LARGEST_FACTOR = 3.0  # times the limit: the largest one that is tried, as for pools
WORTH = 0.8  # of what the largest one saves: the rest costs more room than it is worth


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who wanted room, as columns; microseconds. Each group counts on its own; `family` of a group: whose limit it has."""

    group: Ints
    want_us: Ints
    from_us: Ints
    until_us: Ints
    family: Ints  # by group


@dataclass(frozen=True, slots=True)
class Room:
    """`wanted`: at most so much at once in 95 % of the time in which somebody waited; `proposed`: the smallest limit that
    saves most of what `wanted` (or three times the limit) would; hours that a replay saves with it."""

    wanted: int
    proposed: int
    saved_hours: float


def room(users: Wanted, limits: Mapping[int, int]) -> dict[int, Room]:
    """Family → what a larger limit would do, for the families and limits asked for; those that nobody waited for have none."""
    if not limits or not len(users.group):
        return {}
    family = users.family[users.group]
    order = np.argsort(family, kind="stable")
    first, last = (np.searchsorted(family[order], list(limits), side=side) for side in ("left", "right"))
    found = {}
    for one, since, until in zip(limits, first, last, strict=True):
        if told := _room(users, order[since:until], limits[one]):
            found[one] = told
    return found


def _room(users: Wanted, chosen: Ints, limit: int) -> Room | None:
    _, group = np.unique(users.group[chosen], return_inverse=True)
    want, since, until = users.want_us[chosen], users.from_us[chosen], users.until_us[chosen]
    levels = Levels.of(group, want, until, np.ones(len(group), np.int64))
    wanted = _quantile(levels, limit)
    if wanted is None:
        return None
    # who never met a full limit neither waits nor makes others wait
    busy = levels.above(np.full(int(group.max()) + 1, limit)).overlap(group, want, until) > 0
    order = np.flatnonzero(busy)[np.lexsort((since[busy], want[busy]))]
    line = (group[order].tolist(), want[order].tolist(), np.maximum(0, until - since)[order].tolist())
    now = replayed_us(*line, limit)
    low, high = limit + 1, max(limit + 1, min(wanted, ceil(LARGEST_FACTOR * limit)))
    goal = WORTH * (now - replayed_us(*line, high))
    while low < high:
        middle = (low + high) // 2
        if now - replayed_us(*line, middle) >= goal:
            high = middle
        else:
            low = middle + 1
    return Room(wanted, low, (now - replayed_us(*line, low)) / 3.6e9)


def _quantile(levels: Levels, limit: int) -> int | None:
    """The demand that `SHARE` of the time above the limit does not exceed; None where it never was above."""
    lasts = np.diff(levels.moments, append=levels.moments[-1:])
    above = (levels.level > limit) & (lasts > 0)
    if not above.any():
        return None
    level, lasts = levels.level[above], lasts[above]
    order = np.argsort(level, kind="stable")
    passed = np.cumsum(lasts[order])
    return int(level[order][np.searchsorted(passed, SHARE * passed[-1])])


def replayed_us(group: list[int], want_us: list[int], lasts_us: list[int], limit: int) -> int:
    """Microseconds that all of them wait for a limit, in the order of `want_us`."""
    ends: dict[int, list[int]] = {}
    waited = 0
    for one, want, lasts in zip(group, want_us, lasts_us, strict=True):
        mine = ends.setdefault(one, [])
        if len(mine) < limit:
            heappush(mine, want + lasts)
            continue
        start = max(want, mine[0])
        waited += start - want
        heapreplace(mine, start + lasts)
    return waited
