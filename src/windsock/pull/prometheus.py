"""A Prometheus server → outcomes, hour by hour. An hour is one object of the ledger; a whole one is asked once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from zlib import crc32

from windsock.config import Config
from windsock.matchers import Match, parse_match
from windsock.model import Outcome, Reject, Row, SourceObject
from windsock.parse.metrics import Known, SnapshotStream, read_metadata, read_query_range
from windsock.pull.metrics import checked
from windsock.sources.http_secrets import headers_from, token_from
from windsock.sources.prometheus import Page, PrometheusServer, pages

LONGEST = timedelta(weeks=9)
"""How far back an unbounded pull asks: the judges' baseline, and a week of slack."""


def pages_to_read(
    config: Config,
    ledger: Mapping[str, Row],
    *,
    since: datetime | None,
    until: datetime | None,
    now: datetime,
) -> list[tuple[SourceObject, Page]]:
    """Hours that the ledger does not hold whole, read with this `match`; each as the object that it will be."""
    metrics = config.pipeline.sources.metrics
    if metrics is None or not metrics.prometheus:
        return []
    match = match_of(config)
    # the minute that has just begun is not complete
    end = min(until or now, now).replace(second=0, microsecond=0)
    found = []
    for page in pages(since=max(since or now - LONGEST, now - LONGEST), until=end):
        obj = _object(metrics.prometheus.rstrip("/"), page, match)
        known = ledger.get(obj.url)
        if known is None or known["outcome"] != "parsed" or known["etag"] != obj.etag:
            found.append((obj, page))
    return found


def match_of(config: Config) -> Match:
    """The selection of series that the pipeline file names."""
    metrics = config.pipeline.sources.metrics
    return parse_match(metrics.match if metrics else "")


def open_prometheus(config: Config, *, match: Match | None = None) -> PrometheusServer | None:
    """The server of the pipeline file, for its own selection of series or another one. Nothing is asked yet."""
    metrics = config.pipeline.sources.metrics
    if metrics is None or not metrics.prometheus:
        return None
    command = metrics.token_command
    return PrometheusServer(
        metrics.prometheus,
        match=match_of(config) if match is None else match,
        headers=headers_from(config.secrets[metrics.headers_env]) if metrics.headers_env else {},
        token=(lambda: token_from(command)) if command else None,
        sleep=time.sleep,
    )


def pull_prometheus(
    config: Config, wanted: list[tuple[SourceObject, Page]], *, known: Known
) -> Iterator[tuple[SourceObject, Outcome]]:
    """Ask for each hour and read it. Raises SourceError when the server cannot be used at all."""
    server = open_prometheus(config) if wanted else None
    if server is None:
        return
    stream = SnapshotStream.new(match=match_of(config), known=known)
    stream.heads.types.update(read_metadata(server.metadata()))
    for obj, page in wanted:
        body = server.page(page)
        if isinstance(body, Reject):
            yield obj, body
            continue
        scraped = server.scraped(page)
        outcome = read_query_range(body, begins_at=page.begins_at, stream=stream.restarted(), scraped=scraped)
        yield obj, checked(config, outcome)


def _object(server: str, page: Page, match: Match) -> SourceObject:
    """The hour as the ledger knows it. Another `match`, or more minutes of it, is another version."""
    version = f"{crc32(match.text().encode()):08x}-{page.ends_at:%H%M}"
    path = f"{page.begins_at:%Y-%m-%dT%H}"
    return SourceObject(f"prometheus:{server}/{path}", path, 0, page.ends_at, version)
