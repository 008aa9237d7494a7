"""A Prometheus server's HTTP API: `query_range` in pages of an hour, so that neither side ever holds a week at once.

API: prometheus.io/docs/prometheus/latest/querying/api. The server refuses more than 11,000 points per series; a page
has 62. Works alike with Thanos, Mimir, Cortex and VictoriaMetrics, which speak the same API.
"""

from __future__ import annotations

import gzip
import json
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPException, HTTPMessage
from typing import IO

from windsock.errors import ConfigError, SourceError
from windsock.matchers import Match
from windsock.model import Reject

STEP = timedelta(seconds=60)
PAGE = timedelta(hours=1)
CONTEXT = 2 * STEP
"""Steps before a page that increases and the heartbeat's look-back need."""
TIMEOUT_S = 60.0
MAX_BODY_BYTES = 256 * 1024 * 1024
TRIES = 3
_WHAT = "is this the address of a Prometheus server, without /api?"


@dataclass(frozen=True, slots=True)
class Page:
    """One hour, or the part of it that has passed."""

    begins_at: datetime
    ends_at: datetime

    @property
    def is_whole(self) -> bool:
        return self.ends_at - self.begins_at == PAGE


def pages(*, since: datetime, until: datetime) -> Iterator[Page]:
    """Hours from the one that holds `since` on; the last one may be a part."""
    begins_at = since.replace(minute=0, second=0, microsecond=0)
    while begins_at < until:
        yield Page(begins_at, min(begins_at + PAGE, until))
        begins_at += PAGE


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is a login page; following it would hand our token to another host."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        return None


class PrometheusServer:
    """One server, one selection of series."""

    def __init__(
        self,
        url: str,
        *,
        match: Match,
        headers: Mapping[str, str],
        token: Callable[[], str] | None,
        sleep: Callable[[float], None],
    ) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(f"[sources.metrics] prometheus {url!r}: give an http:// or https:// address")
        if parts.username or parts.password:
            raise ConfigError(
                "[sources.metrics] prometheus: no passwords in the address; put an Authorization header into a "
                "variable and name it in headers_env"
            )
        self.url = url.rstrip("/")
        self._match, self._headers, self._token, self._sleep = match, dict(headers), token, sleep
        self._open = urllib.request.build_opener(_NoRedirect).open

    def selector(self) -> str:
        """The series that are asked for: Airflow's, and of those the ones that `match` names."""
        told = self._match.text()
        if any(one.label == "__name__" for one in self._match.matchers):
            return f"{{{told}}}"
        return f'{{__name__=~"airflow_.+"{"," if told else ""}{told}}}'

    def page(self, page: Page) -> bytes | Reject:
        """The matrix of all series at each minute of the page, and of the context before it."""
        return self._range(self.selector(), page)

    def scraped(self, page: Page) -> bytes | None:
        """When the heartbeats shown at each step were scraped: a step may repeat the scrape of the one before."""
        told = self._match.text()
        names = '__name__=~".*scheduler_heartbeat(_total)?"'
        body = self._range(f"timestamp({{{names}{',' if told else ''}{told}}})", page)
        return None if isinstance(body, Reject) else body

    def check(self) -> None:
        """Raise SourceError where nobody answers, lets us in, or is a Prometheus. Asks for no series."""
        self._ask("/api/v1/query", {"query": "vector(1)"})

    def metadata(self) -> bytes | None:
        """Types of the families, where the server knows them (it forgets those of targets that are gone)."""
        body = self._ask("/api/v1/metadata", {})
        return None if isinstance(body, Reject) else body

    def _range(self, query: str, page: Page) -> bytes | Reject:
        start = page.begins_at - CONTEXT
        # the end is inclusive, and the next page's first step is not ours
        last = page.ends_at - timedelta(seconds=1)
        return self._ask(
            "/api/v1/query_range",
            {
                "query": query,
                "start": f"{start.timestamp():.3f}",
                "end": f"{last.timestamp():.3f}",
                "step": f"{STEP.total_seconds():.0f}",
            },
        )

    def _ask(self, path: str, parameters: Mapping[str, str]) -> bytes | Reject:
        """One request. A page that fails is a reject and is asked again by the next pull; a server that
        does not answer, does not let us in or is none ends the pull."""
        failure = ""
        for attempt in range(TRIES):
            if attempt:
                self._sleep(2.0**attempt)
            try:
                return self._answer(path, parameters)
            except urllib.error.HTTPError as error:
                failure = self._refusal(error)
                if error.code < 500 and error.code != 429:
                    return Reject("metrics", "server_error", failure)
            except (urllib.error.URLError, TimeoutError, OSError, HTTPException, zlib.error) as error:
                failure = ""
                reason = getattr(error, "reason", None) or str(error) or type(error).__name__
        if failure:
            return Reject("metrics", "server_error", failure)
        raise SourceError(f"{self.url}: cannot be reached ({reason}); check address and network")

    def _answer(self, path: str, parameters: Mapping[str, str]) -> bytes:
        query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip", **self._headers}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token()}"
        request = urllib.request.Request(f"{self.url}{path}{query}", headers=headers)
        with self._open(request, timeout=TIMEOUT_S) as answer:
            body: bytes = answer.read(MAX_BODY_BYTES + 1)
            if answer.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
        if len(body) > MAX_BODY_BYTES:
            raise SourceError(
                f"{self.url}: an hour is more than {MAX_BODY_BYTES >> 20} MB; narrow it with match"
            )
        if body.lstrip()[:1] != b"{":
            raise SourceError(f"{self.url}: answered {_kind(body)}, not JSON; {_WHAT}")
        return body

    def _refusal(self, error: urllib.error.HTTPError) -> str:
        """The server's own words for one page; an error for what no later page will do better."""
        if error.code in (401, 403):
            raise SourceError(
                f"{self.url}: answered {error.code}, it does not let us in; check headers_env or token_command"
            ) from None
        if 300 <= error.code < 400:
            raise SourceError(
                f"{self.url}: redirects ({error.code}), probably to a login; give the address behind it, "
                "or set headers_env or token_command"
            ) from None
        body = error.read(100_000)
        try:
            told = str(json.loads(body).get("error", ""))
        except (ValueError, AttributeError):
            told = ""
        if not told and error.code == 404:
            raise SourceError(f"{self.url}: answered 404 {_kind(body)}; {_WHAT}") from None
        return told[:300] or f"answered {error.code}"


def _kind(body: bytes) -> str:
    return "HTML" if body.lstrip()[:1] == b"<" else "something else"
