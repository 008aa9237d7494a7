"""Objects in a bucket or a folder, by one small interface. All network and file access of windsock goes through here.

obstore does the work (facts: a tenth of boto3's CPU per GET); boto3 supplies AWS credentials and lists and reads the
keys that obstore refuses (`//`, `..`, tabs). Retries and time-outs are ours: obstore's defaults wait for minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from windsock.model import SourceObject

RETRY: dict[str, Any] = {
    "max_retries": 4,
    "retry_timeout": timedelta(seconds=30),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=5), "base": 2},
}
CLIENT: dict[str, Any] = {"timeout": timedelta(seconds=30), "connect_timeout": timedelta(seconds=5)}


class PreconditionFailed(Exception):
    """A conditional write lost: the object exists, or changed since it was read."""


class NotFound(Exception):
    """No such object."""


@dataclass(frozen=True, slots=True)
class Storage:
    """How to reach the stores: the `[storage.*]` tables of the pipeline file."""

    s3_endpoint_url: str | None = None
    s3_region: str | None = None
    s3_profile: str | None = None
    gcs_base_url: str | None = None
    gcs_anonymous: bool = False
    extra: dict[str, str] = field(default_factory=dict)


class Store(Protocol):
    """A root (`url`, no trailing slash) and the objects below it, by relative path."""

    url: str
    local_root: Path | None

    def list(self, prefix: str = "", *, start_after: str | None = None) -> Iterator[SourceObject]: ...
    def head(self, path: str) -> SourceObject: ...
    def get(self, path: str) -> bytes: ...
    def put(self, path: str, data: bytes, *, create: bool = False, if_match: str | None = None) -> str: ...
    def delete(self, path: str) -> None: ...
