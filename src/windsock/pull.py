"""The first half of the story: sources → rows → lake. What `windsock pull` does, for all shards or one of them."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zlib import crc32

from windsock.config import Config
from windsock.errors import ConfigError
from windsock.lake import Lake, Writer
from windsock.model import Ignored, LogKey, Outcome, Reject, SourceObject
from windsock.output import Output
from windsock.parse import PARSER_VERSION, parse_key, read_task_log
from windsock.read import read_objects
from windsock.sources.listing import fetch, list_new
from windsock.store import Store, open_store
from windsock.week import Week

LOOK_BACK_WEEKS = 8
"""Weeks of history that the judges take as baseline."""
CHECKPOINT_BYTES = 4_000_000_000
"""Log bytes after which a pull publishes what it has."""


@dataclass(slots=True)
class PullSummary:
    """What a pull did: every listed object ends as skipped, read, ignored or rejected."""

    listed: int = 0
    skipped: int = 0
    read: int = 0
    ignored: int = 0
    rejected: int = 0
    bytes: int = 0
    requests: int = 0
    is_dry_run: bool = False
    rejects: list[tuple[str, str]] = field(default_factory=list)

    def fields(self) -> dict[str, int]:
        """The numbers, for JSON output."""
        names = ("listed", "skipped", "read", "ignored", "rejected", "bytes", "requests")
        return {name: getattr(self, name) for name in names}

    def sentence(self) -> str:
        """One line for people."""
        size = f"{self.bytes / 1e6:.1f} MB"
        if self.is_dry_run:
            minutes = max(1, round(self.read * 0.03 / 16 / 60))  # 30 ms a request, 16 in flight
            return (
                f"would read {self.read} of {self.listed} objects, {size}, {self.read} GET requests "
                f"and {self.requests} listing requests, about {minutes} minutes"
            )
        return (
            f"{self.listed} objects listed, {self.skipped} known, {self.read} read ({size}), "
            f"{self.ignored} not logs of attempts, {self.rejected} rejected"
        )


@dataclass(frozen=True, slots=True)
class _Input:
    """One source to pull: its store, and how an object of it is read."""

    kind: str
    store: Store


def open_lake(config: Config, *, create: bool = False) -> Lake:
    """The lake of this deployment."""
    lake = config.pipeline.lake
    return Lake.open(
        config.url(lake.url),
        deployment=config.pipeline.deployment.name,
        shards=lake.shards,
        memory_mb=lake.memory_mb,
        storage=config.storage,
        create=create,
    )


def pull(
    config: Config,
    *,
    now: datetime,
    week: Week,
    output: Output,
    since: datetime | None = None,
    until: datetime | None = None,
    shard: tuple[int, int] | None = None,
    full: bool = False,
    reread: bool = False,
    dry_run: bool = False,
) -> PullSummary:
    """Sources → lake, incremental. Objects that cannot be read become counted rejects; a re-run is safe."""
    inputs = _inputs(config)
    summary = PullSummary(is_dry_run=dry_run)
    # the first pull reads the baseline of the judges and one week more, never years by surprise
    first_since = since or (None if full else week.minus(LOOK_BACK_WEEKS + 1).from_at)
    for index, count in _shards(config, shard):
        job = _ShardPull(config, inputs, summary, (index, count), first_since, until, output)
        if dry_run:
            job.plan()
            continue
        lake = open_lake(config, create=True)
        with lake.writer(shard=index, holder=socket.gethostname(), now=now) as writer:
            job.run(writer, reread=reread)
    return summary


@dataclass(frozen=True, slots=True)
class _ShardPull:
    """One shard's part of a pull."""

    config: Config
    inputs: Sequence[_Input]
    summary: PullSummary
    shard: tuple[int, int]
    since: datetime | None
    until: datetime | None
    output: Output

    def plan(self) -> None:
        """What would be read, without reading it."""
        for one in self.inputs:
            listing = self._list(one, {})
            self.summary.read += len(listing.to_read)
            self.summary.bytes += listing.bytes

    def run(self, writer: Writer, *, reread: bool) -> None:
        """List, fetch, parse, spill; publish once per checkpoint's worth of bytes, and at the end."""
        ledger = writer.known()
        # a reject is tried again by each pull; a row of an older parser is read again
        known = {
            url: (row["etag"], row["size"])
            for url, row in ledger.items()
            if not reread and row["outcome"] != "reject" and row["parser_version"] == PARSER_VERSION
        }
        pending = 0
        for one in self.inputs:
            listing = self._list(one, known)
            with self.output.progress(f"reading {one.store.url}", len(listing.to_read)) as advance:
                fetched = fetch(one.store, listing.to_read, kind=one.kind)
                for obj, outcome in read_objects(self.config, one.kind, fetched):
                    writer.add(obj, outcome, kind=one.kind, parser_version=PARSER_VERSION)
                    self._count(obj, outcome)
                    advance(1)
                    pending += obj.size
                    if pending >= CHECKPOINT_BYTES:
                        writer.checkpoint()
                        pending = 0
        writer.checkpoint()

    def _list(self, one: _Input, known: Mapping[str, tuple[str, int]]) -> Any:
        listing = list_new(
            one.store,
            known=known,
            is_mine=lambda obj: _is_mine(self.config, one.kind, obj, self.shard),
            since=self.since,
            until=self.until,
        )
        self.summary.listed += listing.listed
        self.summary.skipped += listing.known + listing.outside
        return listing

    def _count(self, obj: SourceObject, outcome: Outcome) -> None:
        if isinstance(outcome, Reject):
            self.summary.rejected += 1
            self.summary.rejects.append((obj.url, outcome.reason))
            return
        self.summary.read += 1
        self.summary.bytes += obj.size
        self.summary.ignored += isinstance(outcome, Ignored)


def _inputs(config: Config) -> list[_Input]:
    sources = config.pipeline.sources
    inputs: list[_Input] = []
    if sources.task_logs:
        inputs += [
            _Input("task_logs", open_store(u, config.storage)) for u in config.urls(sources.task_logs.url)
        ]
    if sources.metrics and sources.metrics.url:
        inputs += [_Input("metrics", open_store(u, config.storage)) for u in config.urls(sources.metrics.url)]
    later = {
        "sources.component_logs": sources.component_logs,
        "sources.airflow_api": sources.airflow_api,
        "sources.airflow_db": sources.airflow_db,
        "sources.metrics] prometheus": sources.metrics and (sources.metrics.prometheus or None),
    }
    for name, value in later.items():
        if value is not None:
            raise ConfigError(
                f"{config.path}: [{name}] cannot be read by this version yet; remove it from the file"
            )
    if not inputs:
        raise ConfigError(
            f"{config.path}: no source is set; add [sources.task_logs] url or [sources.metrics] url"
        )
    return inputs


def _shards(config: Config, shard: tuple[int, int] | None) -> list[tuple[int, int]]:
    count = config.pipeline.lake.shards
    if shard is None:
        return [(index, count) for index in range(count)]
    if shard[1] != count:
        raise ConfigError(
            f"--shard {shard[0]}/{shard[1]}: [lake] shards in {config.path} is {count}; they must agree"
        )
    return [shard]


def _is_mine(config: Config, kind: str, obj: SourceObject, shard: tuple[int, int]) -> bool:
    """Objects belong to the shard that their dag_id hashes to; objects without one belong to shard 0."""
    if shard[1] == 1:
        return True
    logs = config.pipeline.sources.task_logs
    key = parse_key(obj.path, (logs and logs.filename_template) or None) if kind == "task_logs" else None
    return (crc32(key.dag_id.encode()) % shard[1] if key else 0) == shard[0]


def read_log(key: LogKey, obj: SourceObject, data: bytes, *, lines: Any, timezone: str) -> Outcome:
    return read_task_log(
        key,
        data,
        object_url=obj.url,
        etag=obj.etag,
        modified_at=obj.modified_at,
        lines=lines,
        timezone=timezone,
    )
