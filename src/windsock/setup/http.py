"""What answers at an http address: Airflow's API, a Prometheus server, or an endpoint with metrics. Without credentials."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import Any

from windsock.errors import SourceError
from windsock.glance import MetricGlance
from windsock.glance.metrics import note_snapshot
from windsock.setup.found import Found

TIMEOUT_S = 10.0
MAX_BYTES = 64 * 1024 * 1024


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is a login page."""

    def redirect_request(self, *_args: object, **_more: object) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def look_at_address(url: str, found: Found) -> None:
    """Note what answers there; raises SourceError when nothing known does."""
    base = url.rstrip("/")
    for api in (2, 1):
        # public in every version, unlike the rest of the API
        told = _json(f"{base.removesuffix('/home')}/api/v{api}/version")
        if "version" in told:
            found.airflow_api = base.removesuffix("/home")
            found.lines.append(f"{url}: Airflow {told['version']} (REST API v{api})")
            return
    told = _json(f"{base}/api/v1/status/buildinfo")
    if told.get("status") == "success":
        found.prometheus = base
        found.lines.append(
            f"{url}: a Prometheus server ({told.get('data', {}).get('version', 'unknown version')})"
        )
        _labels(base, found)
        return
    if _metrics(url, found):
        found.scrape = url
        return
    raise SourceError(
        f"{url}: neither Airflow's API nor Prometheus nor a /metrics endpoint answers there; give the address without a path, "
        "and for metrics the exporter's own"
    )


def _labels(base: str, found: Found) -> None:
    """The labels of the scheduler's heartbeat tell how many Airflows one Prometheus holds."""
    query = "count%20by%20(namespace,job,instance,cluster,deployment,release)(airflow_scheduler_heartbeat)"
    told = _json(f"{base}/api/v1/query?query={query}")
    labels: dict[str, set[str]] = {}
    for one in (told.get("data") or {}).get("result") or ():
        for key, value in (one.get("metric") or {}).items():
            labels.setdefault(str(key), set()).add(str(value))
    found.several(labels, ())


def _metrics(url: str, found: Found) -> bool:
    body = _get(url)
    if body is None:
        return False
    seen = MetricGlance()
    if note_snapshot(seen, body, at=datetime(2000, 1, 1, tzinfo=UTC)) is not None or not seen.prefixes:
        return False
    found.lines.append(
        f"{url}: a /metrics endpoint of Airflow, names begin with {', '.join(sorted(seen.prefixes))}"
    )
    found.several(seen.labels, sorted(seen.executors))
    return True


def _json(url: str) -> dict[str, Any]:
    body = _get(url)
    try:
        told = json.loads(body or b"{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _get(url: str) -> bytes | None:
    """The body of an answer of 200; None for any other answer. Raises SourceError when nobody answers at all."""
    try:
        with _OPENER.open(urllib.request.Request(url), timeout=TIMEOUT_S) as answer:
            body: bytes = answer.read(MAX_BYTES)
            return body
    except urllib.error.HTTPError as error:
        error.close()
        return None
    except (urllib.error.URLError, http.client.HTTPException, ValueError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise SourceError(f"{url}: cannot be reached ({reason}); check address and network") from None
