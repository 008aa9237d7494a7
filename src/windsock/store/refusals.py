"""What obstore and boto3 raise, in words of ours: one line with what, where and how to mend."""

from __future__ import annotations

import re

from windsock.errors import SourceError
from windsock.store.base import NotFound, ObjectUnreadable
from windsock.store.causes import cause_of, told

_BAD_KEY = re.compile(
    r'Path "(.*?)"(?: contained|: Encountered| contains)|Error parsing Path "(.*?)": ', re.DOTALL
)
_DENIED = re.compile(r"\b(?:403|401|AccessDenied|Forbidden)\b")
_UNREACHABLE = re.compile(
    r"error sending request|dns error|Could not connect|Connection refused|timed out|ConnectTimeout", re.I
)
_BUSY = re.compile(r"\b(?:429|500|502|503|504|SlowDown|TooManyRequests|InternalError)\b")


def refused_key(error: Exception) -> str | None:
    """The key for which obstore ends a whole listing (empty segments, `..`, control characters); None otherwise."""
    match = _BAD_KEY.search(str(error))
    if match:
        return match[1] or match[2] or ""
    return "" if type(error).__name__ == "InvalidPathError" else None


def is_missing(error: Exception) -> bool:
    return type(error).__name__ in ("NotFoundError", "FileNotFoundError") or "NoSuchKey" in str(error)


def is_precondition(error: Exception) -> bool:
    return type(error).__name__ in ("AlreadyExistsError", "PreconditionError")


def of_object(error: Exception, url: str) -> Exception:
    """One object cannot be read; the others can."""
    text = str(error)
    if is_missing(error) and "NoSuchBucket" not in text:
        return NotFound(f"{url}: vanished")
    if refused_key(error) is not None:
        return ObjectUnreadable("refused_key", f"{url}: no client here can ask for such a key")
    if cause := cause_of(text):
        return ObjectUnreadable(cause.reason or "forbidden", told(cause, url, text))
    if _is_denied(error):
        return ObjectUnreadable("forbidden", url)
    if _UNREACHABLE.search(text):
        return ObjectUnreadable("unreachable", f"{url}: {_short(text)}")
    reason = "store_error" if _BUSY.search(text) else "unreadable"
    return ObjectUnreadable(reason, f"{url}: {_short(text)}")


def _is_denied(error: Exception) -> bool:
    name = type(error).__name__
    return name in ("PermissionDeniedError", "UnauthenticatedError") or bool(_DENIED.search(str(error)))


def explained(error: Exception, url: str) -> SourceError:
    """The store as a whole said no."""
    text, key = str(error), refused_key(error)
    if key is not None:
        return SourceError(
            f"{url}: the key {key!r} cannot be listed here; move the object, or read a Google bucket as s3:// with "
            "endpoint_url https://storage.googleapis.com and an HMAC key"
        )
    if cause := cause_of(text):
        return SourceError(told(cause, url, text))
    if "NoSuchBucket" in text or is_missing(error):
        return SourceError(f"{url}: no such bucket; check the name, the region and the endpoint")
    if _is_denied(error):
        return SourceError(
            f"{url}: access denied; check the credentials, and that they may list, read and (a lake) write it"
        )
    if _UNREACHABLE.search(text):
        return SourceError(f"{url}: cannot be reached; check the network and endpoint_url")
    return SourceError(f"{url}: {_short(text)}; check url, credentials and endpoint")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 200 else line[:199] + "…"
