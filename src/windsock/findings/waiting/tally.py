"""What the parts of a wait are put together in: hours by limit, the limits' values, and who wanted them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from windsock.findings.methods.more_room import Room, Wanted, room
from windsock.findings.methods.spans import Ints
from windsock.findings.waiting.layers import EXECUTOR, RUNS, Told
from windsock.findings.waiting.workers import WORKERS

EVERYBODYS = (EXECUTOR, WORKERS)
"""Limits of the whole deployment."""
HOUR_US = 3.6e9
LEAST_HOURS = 1.0  # waited for a limit: below it nobody asks what more of it would save

Scopes = Mapping[str, tuple[Sequence[str], Ints]]
"""Scope → the names in it, and each wait's place among them."""


@dataclass(slots=True)
class Tally:
    """Hours, hours that only this limit explains, and waits; by scope, whose, and limit."""

    sums: dict[tuple[str, str, str], tuple[float, float, int]] = field(default_factory=dict)

    def add(self, name: str, scopes: Scopes, us: Ints, alone_us: Ints) -> None:
        """Columns of waits, summed per scope and in total."""
        for scope, (names, place) in {"all": ([""], np.zeros(len(us), np.int64)), **scopes}.items():
            sums = [np.bincount(place, values, len(names)) for values in (us, alone_us, us > 0)]
            for one in np.flatnonzero(sums[0]).tolist():
                self.put(scope, names[one], name, *(float(column[one]) for column in sums))

    def put(self, scope: str, whose: str, name: str, us: float, alone_us: float, waits: float) -> None:
        """One sum more."""
        hours, alone, count = self.sums.get((scope, whose, name), (0.0, 0.0, 0))
        told = (hours + us / HOUR_US, alone + alone_us / HOUR_US, count + round(waits))
        self.sums[scope, whose, name] = told


@dataclass(slots=True)
class Found:
    """What the parts of a wait put together: hours, values of limits, and who wanted them."""

    tally: Tally = field(default_factory=Tally)
    told: Told = field(default_factory=dict)
    wanted: dict[str, Wanted] = field(default_factory=dict)

    def rooms(self, of_tries: Sequence[str], of_runs: Sequence[str]) -> dict[tuple[str, str], Room]:
        """(limit, whose) → what more of it would do, where an hour was waited for it."""
        found: dict[tuple[str, str], Room] = {}
        for name, users in self.wanted.items():
            whose = [""] if name in EVERYBODYS else of_runs if name == RUNS else of_tries
            scope = "all" if name in EVERYBODYS else "dag"
            limits = {
                place: self.told[name, one][0]
                for place, one in enumerate(whose)
                if (name, one) in self.told
                and self.tally.sums.get((scope, one, name), (0.0,))[0] >= LEAST_HOURS
            }
            found |= {(name, whose[place]): told for place, told in room(users, limits).items()}
        return found
