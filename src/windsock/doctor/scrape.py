"""The live endpoint that `windsock snapshot` takes its snapshots from, and the place where it keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from windsock.config import Config
from windsock.doctor.airflow import Told
from windsock.doctor.lake import writable_rows
from windsock.doctor.metrics import known_gap_rows, series_rows, several_rows
from windsock.doctor.row import of_error, row
from windsock.errors import WindsockError
from windsock.glance import MetricGlance
from windsock.glance.metrics import note_snapshot
from windsock.model import Row
from windsock.snapshot import scrape
from windsock.store import open_store

WHAT = "scrape"


def scrape_rows(config: Config, *, now: datetime, told: Told) -> Iterator[Row]:
    """Whether it answers, with which of Airflow's series, and whether what it says can be stored."""
    metrics = config.pipeline.sources.metrics
    if metrics is None or not metrics.scrape:
        return
    seen = MetricGlance()
    try:
        reject = note_snapshot(seen, scrape(metrics.scrape), at=now)
    except WindsockError as error:
        yield of_error(WHAT, error)
        return
    if reject is not None or not seen.names:
        why = reject.detail if reject else "metrics, but none of Airflow's"
        yield row(WHAT, "broken", f"{metrics.scrape}: shows {why}",
                  "give the exporter that Airflow sends to, and set [metrics] statsd_on = True there")  # fmt: skip
        return
    count = sum(seen.names.values())
    yield row(WHAT, "ok", f"{metrics.scrape}: {count} series of {len(seen.names)} names")
    if not metrics.url:  # the files of snapshots tell the same
        yield from series_rows(seen, told)
        yield from several_rows(seen)
        yield from known_gap_rows(told)
    target = metrics.snapshot_url or next(iter(config.urls(metrics.url)), "")
    if not target:
        yield row(f"{WHAT}: store", "broken", "nowhere to keep snapshots", "set [sources.metrics] snapshot_url, or url")  # fmt: skip
        return
    try:
        yield from writable_rows(WHAT, open_store(config.url(target), config.storage), now=now)
    except WindsockError as error:
        yield of_error(f"{WHAT}: store", error)
