"""A Prometheus server: whether it answers, which of Airflow's series it has, and whether they are of one deployment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from windsock.config import Config
from windsock.doctor.airflow import Told
from windsock.doctor.metrics import known_gap_rows, series_rows
from windsock.doctor.row import of_error, row
from windsock.errors import WindsockError
from windsock.glance import MetricGlance, note_page
from windsock.matchers import Match
from windsock.model import Reject, Row
from windsock.pull.prometheus import match_of, open_prometheus
from windsock.sources.prometheus import Page

LOOK = timedelta(minutes=10)
"""Long enough for a slow scrape, short enough to cost the server nothing."""
WHAT = "prometheus"


def prometheus_rows(config: Config, *, now: datetime, told: Told) -> Iterator[Row]:
    """What the last minutes of the server hold, read as a pull reads them."""
    try:
        server = open_prometheus(config)
        if server is None:
            return
        match = match_of(config)
        seen, reject = _glance(config, match, now=now)
    except WindsockError as error:
        yield of_error(WHAT, error)
        return
    fits = f"fit match = '{{{match.text()}}}'" if match else "begin with airflow_"
    if reject is not None and reject.reason != "several_deployments" and not seen.read:
        yield row(
            WHAT,
            "broken",
            f"{server.url}: {reject.detail}",
            "see the server's log; a narrower match costs it less",
        )
        return
    if not seen.read:
        yield _nothing(config, server.url, fits, match, now=now)
        return
    count = sum(seen.names.values())
    yield row(WHAT, "ok", f"{server.url}: {count} series of {len(seen.names)} names {fits}")
    if reject is not None and reject.reason == "several_deployments":
        detail, _, mend = reject.detail.rpartition("; ")
        yield row(f"{WHAT}: deployments", "broken", detail, f"{mend} (in [sources.metrics])")
    yield from series_rows(seen, told)
    yield from known_gap_rows(told)


def _glance(config: Config, match: Match, *, now: datetime) -> tuple[MetricGlance, Reject | None]:
    end = now.replace(second=0, microsecond=0)
    page, seen = Page(end - LOOK, end), MetricGlance()
    server = open_prometheus(config, match=match)
    assert server is not None, "asked for before"
    body = server.page(page)
    if isinstance(body, Reject):
        return seen, body
    return seen, note_page(seen, body, begins_at=page.begins_at, match=match)


def _nothing(config: Config, url: str, fits: str, match: Match, *, now: datetime) -> Row:
    """No series: is it the selection, or has the server none of Airflow's at all?"""
    minutes = f"in the last {LOOK // timedelta(minutes=1)} minutes"
    if match:
        others, _ = _glance(config, Match(), now=now)
        if others.read:
            names = "; ".join(
                f"{key} is {', '.join(sorted(values)[:5])}" for key, values in sorted(others.labels.items())
            )
            there = f"without it there are {sum(others.names.values())} series" + (
                f" ({names})" if names else ""
            )
            return row(
                WHAT,
                "broken",
                f"{url}: no series {fits} {minutes}; {there}",
                "correct match in [sources.metrics]",
            )
    return row(WHAT, "broken", f"{url}: answers, but no series {fits} {minutes}",
               "is the StatsD exporter (or OpenTelemetry collector) of Airflow scraped by this server?")  # fmt: skip
