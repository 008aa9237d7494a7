"""HTTP for one Airflow API: JSON in, one clear error out. Bounded retries, no redirects, no secrets in messages."""

from __future__ import annotations

import http.client
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from windsock.errors import SourceError
from windsock.sources.airflow_api.auth import Credentials

TIMEOUT_S = 60.0
ATTEMPTS = 5
"""Requests per answer: the first one and its repetitions after 429, 5xx, or silence."""
BACKOFF_S = (1.0, 4.0, 10.0, 30.0)
MAX_WAIT_S = 120.0
"""The longest `Retry-After` that is waited for; a server that asks for more is not up to a pull now."""
MAX_ANSWER_BYTES = 256 * 1024 * 1024
_AGAIN = (429, 500, 502, 503, 504)

Params = Mapping[str, str | int | Sequence[str]]


@dataclass(frozen=True, slots=True)
class Refused(Exception):
    """The server answered, and not with what was asked for: 401, 403, 404, 400 or 405."""

    status: int
    path: str
    detail: str


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to whoever it names; in practice it leads to a login page."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


class Client:
    """Requests below one base address. Safe to use from several threads."""

    def __init__(
        self,
        base: str,
        credentials: Credentials,
        *,
        timeout_s: float = TIMEOUT_S,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base, self.credentials = base.rstrip("/"), credentials
        self.requests = 0
        self.served_at: datetime | None = None  # the server's own clock, as its last answer gave it
        self._timeout_s, self._sleep = timeout_s, sleep
        self._opener = urllib.request.build_opener(_NoRedirects)
        self._lock = threading.Lock()  # of the authorization; fetching a token is a request itself
        self._counting = threading.Lock()
        self._authorization = ""
        self._asks_for_tokens = False

    def get(self, path: str, params: Params | None = None, *, attempts: int = ATTEMPTS) -> Any:
        """The decoded answer, asked for at most so often. Raises `Refused`, or `SourceError` when nothing can be had from this server."""
        url = self.base + path
        if params:
            url += "?" + urllib.parse.urlencode(params, doseq=True)
        used = self._header()
        try:
            return self._answer(url, path, {"Authorization": used} if used else {}, attempts=attempts)
        except Refused as error:
            if error.status != 401 or not used or not self._renewable():
                raise
        with self._lock:  # a token may end while a long pull runs: one new one, by whoever comes first
            if self._authorization == used:
                self._authorization = ""
        return self._answer(url, path, {"Authorization": self._header()}, attempts=attempts)

    def ask_for_tokens(self) -> None:
        """From now on user name and password are traded for a token at `/auth/token` (Airflow 3)."""
        self._asks_for_tokens, self._authorization = True, ""

    def _renewable(self) -> bool:
        return bool(self.credentials.token_command) or self._asks_for_tokens

    def _header(self) -> str:
        with self._lock:
            if not self._authorization:
                if self._asks_for_tokens:
                    self._authorization = self._token_of_password()
                elif self.credentials.is_password:
                    self._authorization = self.credentials.basic()
                elif token := self.credentials.bearer():
                    self._authorization = f"Bearer {token}"
            return self._authorization

    def _token_of_password(self) -> str:
        """`POST /auth/token` with a body, or `GET` where everybody is let in (simple auth manager)."""
        who, body = self.credentials, None
        if who.is_password:
            body = msgspec.json.encode({"username": who.username, "password": who.password})
        try:
            told = self._answer(f"{self.base}/auth/token", "/auth/token", {}, body)
        except Refused as error:
            if error.status in (404, 405) and who.is_password:
                return who.basic()  # an auth manager without tokens of its own
            if not who.is_password:
                self._asks_for_tokens = False
                return ""
            raise
        token = told.get("access_token") if isinstance(told, dict) else None
        if not isinstance(token, str) or not token:
            raise SourceError(f"{self.base}/auth/token: answered without a token; set token_env instead")
        return f"Bearer {token}"

    def _answer(
        self,
        url: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        attempts: int = ATTEMPTS,
    ) -> Any:
        shown = f"{self.base}{path}"
        for attempt in range(attempts):
            try:
                return self._once(url, path, headers, body)
            except urllib.error.HTTPError as error:
                wait_s = _wait_s(error, attempt)
                reason = f"answered {error.code} {error.reason}"
                error.close()
            except (OSError, http.client.HTTPException) as error:
                wait_s = BACKOFF_S[min(attempt, len(BACKOFF_S) - 1)]
                reason = (
                    f"cannot be reached ({getattr(error, 'reason', None) or error or type(error).__name__})"
                )
            if wait_s > MAX_WAIT_S:
                raise SourceError(
                    f"{shown}: {reason} and asks to come back in {wait_s:.0f} s; pull again then"
                )
            if attempt + 1 < attempts:
                self._sleep(wait_s)
        raise SourceError(f"{shown}: {reason}, {attempts} times; check address, network and the server's log")

    def _once(self, url: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Any:
        kind = {"Content-Type": "application/json"} if body is not None else {}
        request = urllib.request.Request(
            url, data=body, headers={"Accept": "application/json", **kind, **headers}
        )
        with self._counting:
            self.requests += 1
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                data: bytes = answer.read(MAX_ANSWER_BYTES + 1)
                length = answer.headers.get("Content-Length") or ""
                if length.isdigit() and len(data) < min(int(length), MAX_ANSWER_BYTES):
                    raise http.client.IncompleteRead(data, int(length) - len(data))
                self._note_time(answer.headers.get("Date"))
        except urllib.error.HTTPError as error:
            if error.code in _AGAIN:
                raise
            if 300 <= error.code < 400:
                to = urllib.parse.urlsplit(error.headers.get("Location") or "")
                raise SourceError(
                    f"{self.base}{path}: redirects to {to.scheme or 'another page'}{'://' if to.netloc else ''}{to.netloc}{to.path}; "
                    "give the address that answers the API itself, and a token if a login page stands before it"
                ) from None
            raise Refused(error.code, path, _detail(error.read(4096))) from None
        return self._decode(data, path)

    def _decode(self, data: bytes, path: str) -> Any:
        if len(data) > MAX_ANSWER_BYTES:
            raise SourceError(
                f"{self.base}{path}: answered more than {MAX_ANSWER_BYTES >> 20} MB; is this Airflow?"
            )
        if data.lstrip()[:1] == b"<":
            raise SourceError(
                f"{self.base}{path}: answered HTML, not JSON; give Airflow's own address (without /home), "
                "and a token if a login page stands before it"
            )
        try:
            return msgspec.json.decode(data)
        except msgspec.DecodeError:
            raise SourceError(
                f"{self.base}{path}: answered something that is not JSON; is this Airflow?"
            ) from None

    def _note_time(self, value: str | None) -> None:
        try:
            at = parsedate_to_datetime(value) if value else None
        except ValueError:
            at = None
        if at is not None:
            self.served_at = at if at.tzinfo else at.replace(tzinfo=UTC)


def _wait_s(error: urllib.error.HTTPError, attempt: int) -> float:
    """`Retry-After` in seconds or as a date, measured by the server's own clock (RFC 9110, 10.2.3)."""
    told = error.headers.get("Retry-After") or ""
    if told.strip().isdigit():
        return float(told)
    try:
        until, now = parsedate_to_datetime(told), parsedate_to_datetime(error.headers.get("Date") or "")
        return max(0.0, (until - now).total_seconds())
    except (ValueError, TypeError):
        return BACKOFF_S[min(attempt, len(BACKOFF_S) - 1)]


def _detail(body: bytes) -> str:
    """What a problem document says, in one line."""
    try:
        told = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return ""
    detail = (told.get("detail") or told.get("title")) if isinstance(told, dict) else None
    return " ".join(str(detail).split())[:200] if detail else ""
