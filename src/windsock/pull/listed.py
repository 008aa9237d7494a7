"""What a pull lists of its sources, and what is remembered of it: where the next listing goes on, and what the report says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from windsock.config import Config
from windsock.lake import Lake
from windsock.pull.inputs import Input, shard_of
from windsock.pull.logs import is_of_kind
from windsock.pull.summary import PullSummary
from windsock.scratch.spool import Spool
from windsock.sources.listing import Listing, cutoff_of
from windsock.week import Week

LOOK_BACK_WEEKS = 8
"""Weeks of history that the judges take as baseline."""


def from_at(week: Week, since: datetime | None, full: bool) -> datetime | None:
    """The first pull reads the baseline of the judges and one week more, never years by surprise."""
    return since or (None if full else week.minus(LOOK_BACK_WEEKS + 1).from_at)


@dataclass(slots=True)
class Found:
    """All sources listed into one file, for all shards of this pull."""

    config: Config
    inputs: Sequence[Input]
    owned: Sequence[int]
    path: Path
    summary: PullSummary
    until: datetime | None = None

    def list(
        self,
        now: datetime,
        week: Week,
        *,
        since: datetime | None,
        until: datetime | None,
        full: bool,
        memory: Sequence[dict[str, Any]],
    ) -> Spool:
        """List once; keep what belongs to this pull's shards and times.

        Incrementally, unless `full` or where no listing is known to go on from: a DAG that catches up, or runs once
        under an old start date, has old run ids on new objects, and the first pull must not miss them.
        """
        oldest = from_at(week, since, full)
        self.until = until
        times = [one.get("listed_at") for one in memory if self.urls() <= set(one.get("urls", ()))]
        known = [datetime.fromisoformat(text) for text in times if text]
        listed_at = min(known) if known and len(known) == len(memory) else None
        cutoff = None
        if listed_at is not None and not full:
            cutoff = cutoff_of(now=now, since=since, listed_at=listed_at)
        self.summary.listing = "full" if cutoff is None else "incremental"
        with Spool(self.path) as spool:
            for number, one in enumerate(self.inputs):
                found = Listing(one.store, cutoff)
                for obj in found:
                    if not is_of_kind(self.config, one.kind, obj):
                        continue
                    shard = shard_of(self.config, obj.path, one.kind)
                    if shard not in self.owned:
                        continue
                    self.summary.listed += 1
                    if (oldest and obj.modified_at < oldest) or (until and obj.modified_at >= until):
                        self.summary.skipped += 1
                    else:
                        spool.add(obj, source=number, shard=shard)
                self.summary.failed += found.failed
                self.summary.requests += one.store.requests
                self.summary.refused += len(one.store.refused)
        if all(one.store.local_root is not None for one in self.inputs):
            self.summary.listing = "full"
        return spool

    def urls(self) -> set[str]:
        """Where it lists; a source that joins later has no listing to go on from."""
        return {one.store.url for one in self.inputs}

    def memory(self, now: datetime, before: dict[str, Any]) -> dict[str, Any]:
        """What the next pull and the trust box want to know. A listing with holes is not a point to start from."""
        at, is_full = now.isoformat(), self.summary.listing == "full"
        return {
            "listing": self.summary.listing,
            "listed_at": before.get("listed_at") if self.summary.failed else at,
            "listed_until": before.get("listed_until")
            if self.summary.failed
            else min(now, self.until or now).isoformat(),
            "urls": before.get("urls", []) if self.summary.failed else sorted(self.urls()),
            "full_at": at if is_full and not self.summary.failed else before.get("full_at"),
            "failed": [prefix for prefix, _why in self.summary.failed][:20],
            "rejected": self.summary.rejected,
        }


def listing_told(lake: Lake) -> str:
    """How the last pull listed its sources, for the trust box; no time of day, so that the page stays the same."""
    told = [one for index in range(lake.shards) if (one := lake.recall(memory_name(index, lake.shards)))]
    if not told:
        return "unknown"
    is_full = all(one.get("listing") == "full" for one in told)
    text = "full" if is_full else "incremental: older runs were passed over"
    full_at = min((one.get("full_at") or "" for one in told), default="")
    if not is_full:
        text += f"; last full listing {full_at[:10]}" if full_at else "; never listed in full"
    failed = sum(len(one.get("failed", ())) for one in told)
    return text + (f"; {failed} folders could not be listed" if failed else "")


def listed_until(lake: Lake) -> datetime | None:
    """Up to when all shards looked for new objects, whether there were any; None where one never did."""
    told = [
        lake.recall(memory_name(index, lake.shards)).get("listed_until") or "" for index in range(lake.shards)
    ]
    return min(map(datetime.fromisoformat, told)) if all(told) else None


def memory_name(shard: int, shards: int) -> str:
    return f"pull-{shard:03d}-of-{shards:03d}"
