"""What must be remembered from one snapshot to the next."""

from __future__ import annotations

from datetime import datetime

from windsock.matchers import Match
from windsock.parse.metrics.heads import Heads
from windsock.parse.metrics.known import Known
from windsock.parse.metrics.prometheus_text import Moment


class SnapshotStream:
    """What must be remembered from one snapshot to the next: totals, and when the scheduler was last heard of."""

    def __init__(self, heads: Heads) -> None:
        self.heads = heads
        self.totals: dict[str, float] = {}
        self.at: datetime | None = None
        self.live_at: datetime | None = None

    @classmethod
    def new(cls, *, match: Match, known: Known) -> SnapshotStream:
        return cls(Heads(match=match, known=known))

    def restarted(self) -> SnapshotStream:
        """The same source, after a gap in what is read."""
        return SnapshotStream(self.heads)

    def increase(self, head: str, value: float) -> tuple[float, int] | None:
        """What a total grew by since the snapshot before, and whether it began anew; None for the first snapshot.

        A total that is smaller than before was reset and has grown from 0 since, one that is new was born at 0.
        """
        if self.at is None:
            return None
        before = self.totals.get(head)
        if before is None:
            return value, 0
        return (value, 1) if value < before else (value - before, 0)

    def advance(self, moment: Moment, *, is_whole: bool) -> None:
        """Take over the totals. A snapshot that was cut adds to what is known instead of replacing it."""
        if self.at is not None and moment.at <= self.at:
            return
        if is_whole:
            self.totals = moment.values
        else:
            self.totals = self.totals | moment.values
        self.at = moment.at
