"""One metric snapshot, taken now and stored where `pull` reads: a metric history from today, without a server."""

from __future__ import annotations

import gzip
import http.client
import re
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import datetime

from windsock.config import Config
from windsock.errors import ConfigError, SourceError
from windsock.snapshot.airflow import take_answers
from windsock.store import open_store

TIMEOUT_S = 10.0
_SAMPLE = re.compile(rb"^[a-zA-Z_:][\w:]*(?:\{.*\})?[ \t]+[-+]?(?:\d|\.\d|Inf|NaN)", re.MULTILINE)
MAX_BYTES = 256 * 1024 * 1024


def snapshot(config: Config, *, now: datetime) -> tuple[str, ...]:
    """Take what `[sources.metrics] scrape` and the Airflow API say now, and store it as `<day>/<time>.prom.gz` and
    `<day>/<time>.api.jsonl.gz`; returns the addresses. One that fails does not keep the other from being stored."""
    metrics, api = config.pipeline.sources.metrics, config.pipeline.sources.airflow_api
    if not (metrics and metrics.scrape) and api is None:
        raise ConfigError(
            f"{config.path}: [sources.metrics] scrape is not set; give the address of a /metrics endpoint "
            "(for example a StatsD exporter's), or [sources.airflow_api] url, to take snapshots from"
        )
    target = (metrics.snapshot_url or next(iter(config.urls(metrics.url)), "")) if metrics else ""
    if not target:
        raise ConfigError(
            f"{config.path}: [sources.metrics] needs snapshot_url (or url) to store snapshots in"
        )
    takers: dict[str, Callable[[], bytes]] = {}
    if metrics and metrics.scrape:
        # mtime=0: the same scrape gives the same bytes, so that storing it twice changes nothing
        takers["prom.gz"] = lambda: gzip.compress(scrape(metrics.scrape), mtime=0)
    if api is not None:
        takers["api.jsonl.gz"] = lambda: take_answers(config, now=now)
    store = open_store(config.url(target), config.storage)
    stored, failed = [], []
    for ending, take in takers.items():
        try:
            data = take()
        except SourceError as error:
            failed.append(error)
            continue
        path = f"{now:%Y-%m-%d}/{now:%H%M%S}.{ending}"
        store.put(path, data)
        stored.append(f"{store.url}/{path}")
    if failed:
        raise SourceError("; ".join(str(error) for error in failed))
    return tuple(stored)


def scrape(url: str) -> bytes:
    """What a /metrics endpoint shows now. Raises SourceError where it shows no metrics."""
    if not url.startswith(("http://", "https://")):
        raise ConfigError(f"[sources.metrics] scrape {url!r}: give an http:// or https:// address")
    request = urllib.request.Request(url, headers={"Accept": "text/plain;version=0.0.4"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            body: bytes = answer.read(MAX_BYTES + 1)
            missing = answer.length or 0  # a bounded read does not tell of a connection that ended too early
    except urllib.error.HTTPError as error:
        is_closed = error.code in (401, 403)
        hint = (
            "it wants credentials, and scrape sends none" if is_closed else "is this the /metrics endpoint?"
        )
        raise SourceError(f"{url}: answered {error.code} {error.reason}; {hint}") from None
    except (urllib.error.URLError, http.client.HTTPException, ValueError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise SourceError(f"{url}: cannot be reached ({reason}); check address and network") from None
    if len(body) > MAX_BYTES:
        raise SourceError(f"{url}: more than {MAX_BYTES >> 20} MB of metrics; narrow the exporter's mapping")
    if missing:  # stored, it would look like series that are gone, and like new ones a minute later
        raise SourceError(f"{url}: the answer ended {missing} bytes too early; nothing was stored, try again")
    if body.lstrip()[:1] == b"<":
        raise SourceError(f"{url}: answered HTML, not metrics; give the exporter's /metrics address")
    if not _SAMPLE.search(body):
        raise SourceError(f"{url}: answered no metrics; give the exporter's /metrics address")
    return body
