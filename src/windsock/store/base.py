"""What every store can do, and how it says no."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec

from windsock.model import SourceObject

CHUNK_BYTES = 4 * 1024 * 1024
"""What is read of a large object at a time."""

ONE_PUT_BYTES = 64 * 1024 * 1024
"""Up to this size a file is published by one conditional PUT; above it, by a multipart upload."""

_TEMPORARY = re.compile(r"\.tmp-[0-9a-f]{32}\Z")


def beside(path: Path) -> Path:
    """A name beside `path` that no other writer has and that no listing or `*.parquet` glob shows."""
    return path.with_name(f"{path.name}.tmp-{uuid.uuid4().hex}")


def is_temporary(name: str) -> bool:
    """Whether a name is one of `beside`'s: a write that was cut off, or one under way."""
    return _TEMPORARY.search(name) is not None


class PreconditionFailed(Exception):
    """A conditional write lost: the object exists, or changed since it was read."""


class NotFound(Exception):
    """No such object."""


class ObjectUnreadable(Exception):
    """One object cannot be read; `reason` is the reject's short code. The rest of the source still can."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason, self.detail = reason, detail


class Changed(ObjectUnreadable):
    """An object was replaced while it was read in pieces."""

    def __init__(self, url: str) -> None:
        super().__init__("changed", f"{url}: replaced while it was read")


class TooLarge(Exception):
    """An object is larger than the caller can hold: nothing of it was read."""

    def __init__(self, obj: SourceObject) -> None:
        super().__init__(f"{obj.url}: {obj.size} bytes")
        self.obj = obj


@dataclass(frozen=True, slots=True)
class Storage:
    """How to reach the stores: the `[storage.*]` tables of the pipeline file."""

    s3_endpoint_url: str | None = None
    s3_region: str | None = None
    s3_profile: str | None = None
    gcs_base_url: str | None = None
    gcs_anonymous: bool = False
    extra: dict[str, str] = field(default_factory=dict)


class Body(msgspec.Struct, frozen=True, gc=False):
    """Bytes that were read, and which version of the object they are (it may have changed since it was listed)."""

    data: bytes
    size: int
    etag: str
    modified_at: datetime


class Store(Protocol):
    """A root (`url`, no trailing slash) and the objects below it, by relative path.

    An `etag` compares objects over listings. A `token` names one version for a conditional write: the etag on S3,
    the generation on Google Cloud Storage, size and time on a disk. `chunks` gives the bytes of the very version that
    `obj` names, from `start` on, a few MB in memory at a time, and raises Changed where that is no longer to be had.
    """

    url: str
    local_root: Path | None
    requests: int  # listing requests made so far
    refused: list[
        str
    ]  # folders that could not be listed and names that are no text: passed over, and counted

    def list(self, prefix: str = "", *, start_after: str | None = None) -> Iterator[SourceObject]: ...
    def folders(self, prefix: str = "") -> tuple[Sequence[str], Sequence[SourceObject]]: ...
    def head(self, path: str) -> SourceObject: ...
    def token(self, path: str) -> str | None: ...
    def get(self, path: str) -> bytes: ...
    def read(self, path: str, *, at_most: int | None = None) -> Body: ...
    def chunks(self, obj: SourceObject, start: int = 0) -> Iterator[bytes]: ...
    def get_range(self, path: str, start: int, end: int) -> bytes: ...
    def download(self, path: str, target: Path) -> str: ...
    def put(
        self,
        path: str,
        data: bytes,
        *,
        create: bool = False,
        if_match: str | None = None,
        content_type: str = "",
    ) -> str: ...
    def put_file(
        self, path: str, source: Path, *, if_match: str | None, check: Callable[[], None]
    ) -> None: ...
    def move(self, path: str, to: str) -> None: ...
    def delete(self, path: str) -> None: ...
