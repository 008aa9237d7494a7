"""One metric snapshot, taken now and stored where `pull` reads: a metric history from today, without a server."""

from __future__ import annotations

import gzip
import http.client
import re
import urllib.error
import urllib.request
from datetime import datetime

from windsock.config import Config
from windsock.errors import ConfigError, SourceError
from windsock.store import open_store

TIMEOUT_S = 10.0
_SAMPLE = re.compile(rb"^[a-zA-Z_:][\w:]*(?:\{.*\})?[ \t]+[-+]?(?:\d|\.\d|Inf|NaN)", re.MULTILINE)
MAX_BYTES = 256 * 1024 * 1024


def snapshot(config: Config, *, now: datetime) -> str:
    """Fetch `[sources.metrics] scrape` and store it as `<day>/<time>.prom.gz`; returns the object's address."""
    metrics = config.pipeline.sources.metrics
    if metrics is None or not metrics.scrape:
        raise ConfigError(
            f"{config.path}: [sources.metrics] scrape is not set; give the address of a /metrics endpoint "
            "(for example a StatsD exporter's) to take snapshots from"
        )
    target = metrics.snapshot_url or (config.urls(metrics.url)[0] if metrics.url else "")
    if not target:
        raise ConfigError(
            f"{config.path}: [sources.metrics] needs snapshot_url (or url) to store snapshots in"
        )
    text = _scrape(metrics.scrape)
    store = open_store(config.url(target), config.storage)
    path = f"{now:%Y-%m-%d}/{now:%H%M%S}.prom.gz"
    # mtime=0: the same scrape gives the same bytes, so that storing it twice changes nothing
    store.put(path, gzip.compress(text, mtime=0))
    return f"{store.url}/{path}"


def _scrape(url: str) -> bytes:
    if not url.startswith(("http://", "https://")):
        raise ConfigError(f"[sources.metrics] scrape {url!r}: give an http:// or https:// address")
    request = urllib.request.Request(url, headers={"Accept": "text/plain;version=0.0.4"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            body: bytes = answer.read(MAX_BYTES + 1)
    except urllib.error.HTTPError as error:
        raise SourceError(
            f"{url}: answered {error.code} {error.reason}; is this the /metrics endpoint?"
        ) from None
    except (urllib.error.URLError, http.client.HTTPException, ValueError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise SourceError(f"{url}: cannot be reached ({reason}); check address and network") from None
    if len(body) > MAX_BYTES:
        raise SourceError(f"{url}: more than {MAX_BYTES >> 20} MB of metrics; narrow the exporter's mapping")
    if body.lstrip()[:1] == b"<":
        raise SourceError(f"{url}: answered HTML, not metrics; give the exporter's /metrics address")
    if not _SAMPLE.search(body):
        raise SourceError(f"{url}: answered no metrics; give the exporter's /metrics address")
    return body
