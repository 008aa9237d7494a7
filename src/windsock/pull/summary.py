"""What a pull did, in numbers and in one line for people."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

from windsock.model import Ignored, Outcome, Reject, SourceObject

EXAMPLES = 100  # rejects that are kept to be shown; all are in the table `objects`
_REQUEST_S, _AT_ONCE, _BYTES_PER_S = (
    0.03,
    64,
    50e6,
)  # for the estimate of a dry run: a bucket in the same region


_HOUR_S = 1.0  # an hour of a few thousand series, answered and read


@dataclass(slots=True)
class PullSummary:
    """Every listed object ends as skipped, read, ignored or rejected."""

    listed: int = 0
    skipped: int = 0
    read: int = 0
    ignored: int = 0
    rejected: int = 0
    bytes: int = 0
    requests: int = 0
    """Listing requests. Each object read is one GET more, or one for every 8 MB of it."""
    listing: str = "full"
    """`full`, or `incremental`: runs of known types before the look-back were passed over."""
    is_dry_run: bool = False
    prometheus_hours: int = 0
    """Hours that a Prometheus server would be asked for; of a dry run only."""
    rejects: list[tuple[str, str]] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    failed: list[tuple[str, str]] = field(default_factory=list)
    """Folders that could not be listed, and why. The next pull lists them again."""
    refused: int = 0
    """Names that no key can have, and closed folders, of a local source."""

    def fields(self) -> dict[str, int | str]:
        """The numbers, for JSON output."""
        names = ("listed", "skipped", "read", "ignored", "rejected", "bytes", "requests", "listing")
        told = {name: getattr(self, name) for name in names} | {"failed_listings": len(self.failed)}
        return told | ({"prometheus_hours": self.prometheus_hours} if self.is_dry_run else {})

    def count(self, obj: SourceObject, outcome: Outcome) -> None:
        """Take in what became of one object."""
        if isinstance(outcome, Reject):
            self.rejected += 1
            self.reasons[outcome.reason] += 1
            if len(self.rejects) < EXAMPLES:
                self.rejects.append((obj.url, outcome.reason))
            return
        self.read += 1
        self.bytes += obj.size
        self.ignored += isinstance(outcome, Ignored)

    def spare(self, known_bytes: int) -> None:
        """Of an object that is counted with all its bytes, so many were known and not fetched."""
        self.bytes -= known_bytes

    def sentence(self) -> str:
        """One line for people."""
        size = f"{self.bytes / 1e6:.1f} MB"
        how = f"{self.requests} listing requests, {self.listing}"
        if self.is_dry_run:
            seconds = self.read * _REQUEST_S / _AT_ONCE + self.bytes / _BYTES_PER_S
            seconds += self.prometheus_hours * _HOUR_S
            hours = f" and {self.prometheus_hours} hours from Prometheus" if self.prometheus_hours else ""
            return (
                f"would read {self.read} of {self.listed} objects{hours}, {size}, {self.read} GET requests "
                f"after {how}, about {max(1, math.ceil(seconds / 60))} minutes"
            )
        failed = f", {len(self.failed)} folders could not be listed" if self.failed else ""
        return (
            f"{self.listed} objects listed ({how}), {self.skipped} known or outside the time asked for, "
            f"{self.read} read ({size}), {self.ignored} not logs of attempts, {self.rejected} rejected{failed}"
        )
