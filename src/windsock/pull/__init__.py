"""The first half of the story: sources → rows → lake. What `windsock pull` does, for all shards or one of them."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from windsock.airflow_access import check_airflow
from windsock.config import Config
from windsock.errors import ConfigError, SourceError
from windsock.lake import Lake, NoLake, Todo, Writer
from windsock.model import Outcome, Reject, SourceObject
from windsock.output import Output
from windsock.parse import PARSER_VERSION
from windsock.parse.component import Part, part_of
from windsock.parse.metrics import Known
from windsock.pull.airflow import Span, pull_airflow
from windsock.pull.airflow_config import pull_airflow_config
from windsock.pull.components import is_part, read_components
from windsock.pull.inputs import Input, inputs_of, shard_of, shards_of, version_of
from windsock.pull.lean import rare_collections
from windsock.pull.logs import is_of_kind, read_objects
from windsock.pull.metrics import read_metrics
from windsock.pull.prometheus import open_prometheus, pages_to_read, pull_prometheus
from windsock.pull.summary import PullSummary
from windsock.scratch import scratch_folder
from windsock.scratch.spool import Spool, read_spool
from windsock.sources.fetch import MAX_OBJECT_BYTES, FetchedOrRanges, fetch_or_stream
from windsock.sources.listing import Listing, cutoff_of
from windsock.week import Week

LOOK_BACK_WEEKS = 8
"""Weeks of history that the judges take as baseline."""
CHECKPOINT_BYTES, CHECKPOINT_S = 4_000_000_000, 600.0
"""Log bytes, or seconds, after which a pull publishes what it has."""
GONE_SILENT = 50
"""Objects in a row that cannot be reached: then it is the store, and the pull stops."""


def open_lake(config: Config, *, create: bool = False, for_reshard: bool = False) -> Lake:
    """The lake of this deployment."""
    lake = config.pipeline.lake
    return Lake.open(
        config.url(lake.url),
        deployment=config.pipeline.deployment.name,
        shards=lake.shards,
        memory_mb=lake.memory_mb,
        storage=config.storage,
        create=create,
        for_reshard=for_reshard,
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
    confirm: Callable[[str], bool] | None = None,
) -> PullSummary:
    """Sources → lake, incremental. Objects that cannot be read become counted rejects; a re-run is safe.

    `confirm` asks a person whether to go on above `max_objects`; without it the pull stops there."""
    inputs, owned = inputs_of(config), shards_of(config, shard)
    with scratch_folder() as folder, rare_collections():
        listing = _Found(config, inputs, owned, folder / "listing.parquet", PullSummary(is_dry_run=dry_run))
        if 0 in owned:  # what has no dag_id belongs to shard 0
            _check_access(config)
        if dry_run:
            if config.pipeline.sources.airflow_api or config.pipeline.sources.airflow_db:
                output.say(
                    "Airflow's API and database let us in; what they would tell is not asked in a dry run"
                )
            return _plan(config, listing, now, week, since=since, until=until, full=full, reread=reread)
        lake = open_lake(config, create=True)
        memory = [lake.recall(_memory_name(index, lake.shards)) for index in owned]
        job = _Pull(config, inputs, listing.summary, output, confirm, reread)
        for index in owned:
            with lake.writer(shard=index, holder=socket.gethostname(), now=now) as writer:
                if index == owned[0]:  # with the first lock held: a second pull is told before it lists
                    listing.list(now, week, since=since, until=until, full=full, memory=memory)
                versions = _versions(config, inputs)
                job.run(
                    writer,
                    writer.unknown(
                        listing.path, parser_version=PARSER_VERSION, reread=reread, versions=versions
                    ),
                )
                if index == 0:
                    job.ask_prometheus(
                        writer, since=_from_at(week, since, full), until=until, now=now, reread=reread
                    )
                    span = Span(week.minus(LOOK_BACK_WEEKS + 1).from_at, since, until, is_anew=reread or full)
                    pull_airflow(config, writer, now=now, span=span, output=output)
                    pull_airflow_config(config, writer, now=now, output=output)
        for index, before in zip(owned, memory, strict=True):
            lake.remember(_memory_name(index, lake.shards), listing.memory(now, before))
    return listing.summary


def _check_access(config: Config) -> None:
    """A wrong token is told before the logs are read, not after."""
    if (server := open_prometheus(config)) is not None:
        server.check()
    check_airflow(config)


def reshard(config: Config) -> int:
    """Deal the lake's rows over `[lake] shards`; returns the files written."""
    lake = open_lake(config, for_reshard=True)
    return lake.reshard(holder=socket.gethostname(), shard_of=partial(shard_of, config))


def listing_told(lake: Lake) -> str:
    """How the last pull listed its sources, for the trust box; no time of day, so that the page stays the same."""
    told = [one for index in range(lake.shards) if (one := lake.recall(_memory_name(index, lake.shards)))]
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
        lake.recall(_memory_name(index, lake.shards)).get("listed_until") or ""
        for index in range(lake.shards)
    ]
    return min(map(datetime.fromisoformat, told)) if all(told) else None


def _memory_name(shard: int, shards: int) -> str:
    return f"pull-{shard:03d}-of-{shards:03d}"


def _plan(
    config: Config,
    listing: _Found,
    now: datetime,
    week: Week,
    *,
    since: Any,
    until: Any,
    full: bool,
    reread: bool,
) -> PullSummary:
    """What would be read, without reading or writing; a lake that exists says what is known already."""
    try:
        lake = open_lake(config)
    except NoLake:
        lake = None
    shards = config.pipeline.lake.shards
    memory = [lake.recall(_memory_name(index, shards)) for index in listing.owned] if lake else [{}]
    spool = listing.list(now, week, since=since, until=until, full=full, memory=memory)
    summary = listing.summary
    summary.read, summary.bytes = spool.count, spool.bytes
    if lake is not None:
        versions = _versions(config, listing.inputs)
        todo = lake.plan(spool.path, parser_version=PARSER_VERSION, reread=reread, versions=versions)
        summary.read, summary.bytes = todo.count, todo.bytes
        summary.skipped += todo.known
    if 0 in listing.owned:
        known = [] if lake is None or reread else lake.known("prometheus:")
        ledger = {row["object_url"]: row for row in known}
        wanted = pages_to_read(config, ledger, since=_from_at(week, since, full), until=until, now=now)
        summary.prometheus_hours = len(wanted)
    return summary


def _versions(config: Config, inputs: Sequence[Input]) -> dict[int, str]:
    """Sources whose rows hang on more than the parser."""
    told = {number: version_of(config, one.kind) for number, one in enumerate(inputs)}
    return {number: version for number, version in told.items() if version != PARSER_VERSION}


def _from_at(week: Week, since: datetime | None, full: bool) -> datetime | None:
    """The first pull reads the baseline of the judges and one week more, never years by surprise."""
    return since or (None if full else week.minus(LOOK_BACK_WEEKS + 1).from_at)


@dataclass(slots=True)
class _Found:
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
        from_at = _from_at(week, since, full)
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
                    if (from_at and obj.modified_at < from_at) or (until and obj.modified_at >= until):
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


def _parts(writer: Writer, *, reread: bool) -> dict[str, list[Part]]:
    """Pieces of growing files that were read before, by the file's url."""
    parts: dict[str, list[Part]] = {}
    for url, etag, parser_version in writer.parts():
        if found := part_of(url, etag, is_current=not reread and parser_version == PARSER_VERSION):
            parts.setdefault(found[0], []).append(found[1])
    return parts


@dataclass(slots=True)
class _Pull:
    """Fetch, read, write: one shard after the other."""

    config: Config
    inputs: Sequence[Input]
    summary: PullSummary
    output: Output
    confirm: Callable[[str], bool] | None
    reread: bool = False
    silent: int = 0

    def run(self, writer: Writer, todo: Todo) -> None:
        """Publish once per checkpoint's worth of bytes or time, and at the end."""
        self._ask(todo)
        self.summary.skipped += todo.known
        parts = _parts(writer, reread=self.reread)
        pending, since = 0, time.monotonic()
        with self.output.progress("reading", todo.count) as advance:
            for number, one in enumerate(self.inputs):
                version = version_of(self.config, one.kind)
                objects = read_spool(todo.path, source=number)
                for obj, outcome in self._outcomes(writer, one, objects, parts):
                    if is_part(obj):
                        writer.add(obj, outcome, kind="component_log_part", parser_version=version)
                        continue
                    writer.add(obj, outcome, kind=one.kind, parser_version=version)
                    self.summary.count(obj, outcome)
                    advance(1)
                    pending += obj.size
                    if pending >= CHECKPOINT_BYTES or time.monotonic() - since >= CHECKPOINT_S:
                        writer.checkpoint()
                        pending, since = 0, time.monotonic()
                    self._stop_if_silent(one, outcome, writer)
        writer.checkpoint()

    def _outcomes(
        self, writer: Writer, one: Input, objects: Iterator[SourceObject], parts: dict[str, list[Part]]
    ) -> Iterator[tuple[SourceObject, Outcome]]:
        if one.kind == "component_logs":
            return read_components(self.config, one.store, objects, parts, spared=self.summary.spare)
        if one.kind != "metrics":
            return read_objects(self.config, one.kind, self._fetched(one, objects))
        writer.checkpoint()  # two deployments in the metrics end the pull; the logs read so far are kept
        root = f"{one.store.url.rstrip('/')}/"
        ledger = {row["object_url"]: row for row in writer.read_before(root)}
        known = Known.from_addresses(writer.dag_ids())
        return read_metrics(self.config, one.store, list(objects), ledger=ledger, known=known)

    def _fetched(self, one: Input, objects: Iterator[SourceObject]) -> Iterator[FetchedOrRanges]:
        """Bytes in flight are an eighth of the pull's memory; what is larger than a sixty-fourth is never held whole."""
        memory = self.config.pipeline.lake.memory_mb << 20
        stream_from = memory // 64 if one.kind == "task_logs" else MAX_OBJECT_BYTES
        return fetch_or_stream(
            one.store, objects, kind=one.kind, stream_from=stream_from, in_flight_bytes=memory // 8
        )

    def ask_prometheus(
        self, writer: Writer, *, since: datetime | None, until: datetime | None, now: datetime, reread: bool
    ) -> None:
        """The hours of the Prometheus server that the ledger does not hold whole."""
        rows = [] if reread else writer.read_before("prometheus:")
        ledger = {row["object_url"]: row for row in rows}
        wanted = pages_to_read(self.config, ledger, since=since, until=until, now=now)
        self.summary.listed += len(wanted)
        known = Known.from_addresses(writer.dag_ids() if wanted else ())
        for obj, outcome in pull_prometheus(self.config, wanted, known=known):
            writer.add(obj, outcome, kind="metrics", parser_version=PARSER_VERSION)
            self.summary.count(obj, outcome)
        writer.checkpoint()

    def _ask(self, todo: Todo) -> None:
        logs = self.config.pipeline.sources.task_logs
        limit = logs.max_objects if logs else todo.count
        if todo.count <= limit:
            return
        what = f"{todo.count} objects ({todo.bytes / 1e9:.1f} GB) are to be read, more than max_objects = {limit}"
        if self.confirm is None or not self.confirm(f"{what}. Read them?"):
            raise ConfigError(
                f"{self.config.path}: {what}; narrow it with --since, or raise [sources.task_logs] max_objects"
            )

    def _stop_if_silent(self, one: Input, outcome: Outcome, writer: Writer) -> None:
        is_silent = isinstance(outcome, Reject) and outcome.reason == "unreachable"
        self.silent = self.silent + 1 if is_silent else 0
        if self.silent >= GONE_SILENT:
            writer.checkpoint()  # what was read is kept
            raise SourceError(f"{one.store.url}: stopped answering; check the network and run the pull again")
