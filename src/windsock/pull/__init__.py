"""The first half of the story: sources → rows → lake. What `windsock pull` does, for all shards or one of them."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
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
from windsock.pull.listed import LOOK_BACK_WEEKS, Found, from_at, memory_name
from windsock.pull.listed import listed_until as listed_until
from windsock.pull.listed import listing_told as listing_told
from windsock.pull.logs import read_objects
from windsock.pull.metrics import read_metrics
from windsock.pull.prometheus import open_prometheus, pages_to_read, pull_prometheus
from windsock.pull.summary import PullSummary
from windsock.scratch import scratch_folder
from windsock.scratch.spool import read_spool
from windsock.sources.fetch import MAX_OBJECT_BYTES, FetchedOrRanges, fetch_or_stream
from windsock.week import Week

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
        listing = Found(config, inputs, owned, folder / "listing.parquet", PullSummary(is_dry_run=dry_run))
        if 0 in owned:  # what has no dag_id belongs to shard 0
            _check_access(config)
        if dry_run:
            if config.pipeline.sources.airflow_api or config.pipeline.sources.airflow_db:
                output.say(
                    "Airflow's API and database let us in; what they would tell is not asked in a dry run"
                )
            return _plan(config, listing, now, week, since=since, until=until, full=full, reread=reread)
        lake = open_lake(config, create=True)
        memory = [lake.recall(memory_name(index, lake.shards)) for index in owned]
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
                        writer, since=from_at(week, since, full), until=until, now=now, reread=reread
                    )
                    span = Span(week.minus(LOOK_BACK_WEEKS + 1).from_at, since, until, is_anew=reread or full)
                    pull_airflow(config, writer, now=now, span=span, output=output)
                    pull_airflow_config(config, writer, now=now, output=output)
        for index, before in zip(owned, memory, strict=True):
            lake.remember(memory_name(index, lake.shards), listing.memory(now, before))
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


def _plan(
    config: Config,
    listing: Found,
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
    memory = [lake.recall(memory_name(index, shards)) for index in listing.owned] if lake else [{}]
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
        wanted = pages_to_read(config, ledger, since=from_at(week, since, full), until=until, now=now)
        summary.prometheus_hours = len(wanted)
    return summary


def _versions(config: Config, inputs: Sequence[Input]) -> dict[int, str]:
    """Sources whose rows hang on more than the parser."""
    told = {number: version_of(config, one.kind) for number, one in enumerate(inputs)}
    return {number: version for number, version in told.items() if version != PARSER_VERSION}


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
