"""Objects in a bucket or a folder, by one small interface. All network and file access of windsock goes through here.

obstore does the work (facts: a tenth of boto3's CPU per GET); boto3 supplies AWS credentials and lists and reads the
keys that obstore refuses (`//`, `..`, tabs). Retries and time-outs are ours: obstore's defaults wait for minutes.
"""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import obstore as obs
from obstore.store import AzureStore, GCSStore, S3Store

from windsock.errors import ConfigError, LakeError, SourceError
from windsock.model import SourceObject

RETRY: Any = {
    "max_retries": 4,
    "retry_timeout": timedelta(seconds=30),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=5), "base": 2},
}
CLIENT: Any = {"timeout": timedelta(seconds=30), "connect_timeout": timedelta(seconds=5)}


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


class ObjectUnreadable(Exception):
    """One object cannot be read; `reason` is the reject's short code. The rest of the source still can."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason, self.detail = reason, detail


def open_store(url: str, storage: Storage | None = None) -> Store:
    """Open `s3://`, `gs://`, `az://`, `file://` or a plain path. `az://` comes with obstore and is untested."""
    storage = storage or Storage()
    parts = urlsplit(url) if _SCHEME.match(url) else None
    if parts is None or parts.scheme == "file":
        return LocalStore(Path(unquote(parts.path) if parts else url).absolute())
    prefix = url.split("://", 1)[1].partition("/")[2].strip("/")
    if not parts.netloc:
        raise ConfigError(f"{url}: names no bucket; write {parts.scheme}://bucket/prefix")
    if parts.scheme in ("s3", "s3a", "s3n"):
        return RemoteStore(f"s3://{parts.netloc}", prefix, _s3(parts.netloc, storage), storage)
    if parts.scheme in ("gs", "gcs"):
        return RemoteStore(f"gs://{parts.netloc}", prefix, _gcs(parts.netloc, storage), storage)
    if parts.scheme in ("az", "abfs", "abfss"):
        store = AzureStore(parts.netloc, client_options=CLIENT, retry_config=RETRY)
        return RemoteStore(f"az://{parts.netloc}", prefix, store, storage)
    raise ConfigError(f"{url}: unknown scheme {parts.scheme}://; use s3://, gs://, az://, file:// or a path")


def _s3(bucket: str, storage: Storage) -> Any:
    """boto3 finds credentials as everywhere else (environment, profile, role); obstore does the reading."""
    from obstore.auth.boto3 import Boto3CredentialProvider

    session, endpoint = _session(storage), _endpoint(storage)
    if session.get_credentials() is None:
        raise SourceError(
            f"s3://{bucket}: no AWS credentials; set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
            "or run where a role is attached"
        )
    options: dict[str, Any] = {"region": session.region_name or "us-east-1"}
    if endpoint:
        options["endpoint"] = endpoint
    client: Any = {**CLIENT, "allow_http": bool(endpoint and endpoint.startswith("http://"))}
    return S3Store(
        bucket,
        credential_provider=Boto3CredentialProvider(session),
        client_options=client,
        retry_config=RETRY,
        **options,
    )


def _session(storage: Storage) -> Any:
    import boto3
    from botocore.exceptions import ProfileNotFound

    try:
        return boto3.Session(profile_name=storage.s3_profile, region_name=storage.s3_region)
    except ProfileNotFound as error:
        raise SourceError(f"[storage.s3] profile: {error}; run `aws configure list-profiles`") from None


def _endpoint(storage: Storage) -> str | None:
    return (
        storage.s3_endpoint_url or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    )


def _gcs(bucket: str, storage: Storage) -> Any:
    if not storage.gcs_base_url:
        return GCSStore(bucket, client_options=CLIENT, retry_config=RETRY)
    # obstore has no endpoint for GCS; a service account that names the base URL is the documented way
    account = {
        "gcs_base_url": storage.gcs_base_url, "disable_oauth": storage.gcs_anonymous,
        "client_email": "", "private_key": "", "private_key_id": "",
    }  # fmt: skip
    client: Any = {**CLIENT, "allow_http": storage.gcs_base_url.startswith("http://")}
    return GCSStore(
        bucket, service_account_key=json.dumps(account), client_options=client, retry_config=RETRY
    )


class LocalStore:
    """A folder. Its own code, because obstore refuses names that a file system allows."""

    def __init__(self, root: Path) -> None:
        self.local_root: Path | None = root
        self._root = root
        self.url = str(root)

    def list(self, prefix: str = "", *, start_after: str | None = None) -> Iterator[SourceObject]:
        """Every file below `prefix` (a folder or the beginning of names), in key order."""
        if not self._root.exists():
            raise SourceError(f"{self.url}: no such folder; check the url in the pipeline file")
        for path in sorted(self._walk(prefix)):
            if path.startswith(prefix) and (start_after is None or path > start_after):
                yield self.head(path)

    def _walk(self, prefix: str) -> Iterator[str]:
        start = (
            self._root / prefix
            if prefix.endswith("/")
            else (self._root / prefix).parent
            if prefix
            else self._root
        )

        def complain(error: OSError) -> None:
            raise SourceError(f"{error.filename}: cannot be listed ({error.strerror}); check its permissions")

        root = os.fspath(self._root)
        for folder, _folders, files in os.walk(start, onerror=complain if start == self._root else None):
            relative = os.path.relpath(folder, root)
            base = "" if relative == "." else f"{relative}/"
            yield from (f"{base}{name}" for name in files if _TEMPORARY not in name)

    def head(self, path: str) -> SourceObject:
        try:
            stat = (self._root / path).stat()
        except OSError as error:
            raise NotFound(f"{self.url}/{path}: {error.strerror}") from None
        at = datetime.fromtimestamp(stat.st_mtime_ns // 1000 / 1e6, tz=UTC)
        return SourceObject(
            f"{self.url}/{path}", path, stat.st_size, at, f"{stat.st_size}-{stat.st_mtime_ns}"
        )

    def get(self, path: str) -> bytes:
        try:
            return (self._root / path).read_bytes()
        except FileNotFoundError:
            raise NotFound(f"{self.url}/{path}: vanished") from None
        except OSError as error:
            raise ObjectUnreadable(
                "forbidden" if error.errno == errno.EACCES else "unreadable", str(error)
            ) from None

    def put(self, path: str, data: bytes, *, create: bool = False, if_match: str | None = None) -> str:
        """Whole or not at all: written beside, flushed to disk, renamed."""
        target = self._root / path
        if (create and target.exists()) or (if_match is not None and self.head(path).etag != if_match):
            raise PreconditionFailed(path)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            beside = target.with_name(f"{target.name}{_TEMPORARY}{os.getpid()}")
            with beside.open("wb") as handle:
                handle.write(data)
                handle.flush()
                os.fsync(handle.fileno())
            beside.replace(target)
        except OSError as error:
            raise LakeError(
                f"{target}: cannot be written ({error.strerror}); check space and permissions"
            ) from None
        return self.head(path).etag

    def delete(self, path: str) -> None:
        (self._root / path).unlink(missing_ok=True)


class RemoteStore:
    """A bucket by obstore, below a prefix; boto3 for the keys that obstore refuses."""

    def __init__(self, bucket_url: str, prefix: str, store: Any, storage: Storage) -> None:
        self.local_root: Path | None = None
        self.url = f"{bucket_url}/{prefix}" if prefix else bucket_url
        self._prefix, self._store, self._storage = f"{prefix}/" if prefix else "", store, storage
        self._scheme, self._bucket = bucket_url.split("://")
        self.requests = 0

    def list(self, prefix: str = "", *, start_after: str | None = None) -> Iterator[SourceObject]:
        """Keys below `prefix`, in key order, strictly after `start_after`."""
        full = self._prefix + prefix
        # obstore lists whole path segments: the rest of the prefix is compared here
        segment = full.rpartition("/")[0]
        last = self._prefix + start_after if start_after else None
        try:
            for batch in obs.list(self._store, segment or None, offset=last, chunk_size=1000):
                self.requests += 1
                for meta in batch:
                    if meta["path"].startswith(full) and _TEMPORARY not in meta["path"]:
                        yield self._object(meta)
                    last = meta["path"]
        except Exception as error:
            if self._scheme == "s3" and _is_refused_key(error):
                yield from self._list_by_boto3(full, last)
                return
            raise self._explained(error) from None

    def _object(self, meta: Any) -> SourceObject:
        path = meta["path"].removeprefix(self._prefix)
        etag = str(meta.get("e_tag") or meta.get("version") or "").strip('"')
        return SourceObject(f"{self.url}/{path}", path, int(meta["size"]), meta["last_modified"], etag)

    def _client(self) -> Any:
        return _session(self._storage).client("s3", endpoint_url=_endpoint(self._storage))

    def _list_by_boto3(self, prefix: str, after: str | None) -> Iterator[SourceObject]:
        pages = self._client().get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._bucket, Prefix=prefix, StartAfter=after or ""):
            self.requests += 1
            for one in page.get("Contents", ()):
                path = one["Key"].removeprefix(self._prefix)
                at = one["LastModified"].astimezone(UTC)
                yield SourceObject(f"{self.url}/{path}", path, one["Size"], at, one["ETag"].strip('"'))

    def head(self, path: str) -> SourceObject:
        try:
            return self._object(obs.head(self._store, self._prefix + path))
        except Exception as error:
            raise self._of_object(error, path) from None

    def get(self, path: str) -> bytes:
        try:
            return bytes(obs.get(self._store, self._prefix + path).bytes())
        except Exception as error:
            if self._scheme == "s3" and _is_refused_key(error):
                return self._get_by_boto3(path)
            raise self._of_object(error, path) from None

    def _get_by_boto3(self, path: str) -> bytes:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            body: bytes = (
                self._client().get_object(Bucket=self._bucket, Key=self._prefix + path)["Body"].read()
            )
        except (BotoCoreError, ClientError) as error:
            raise ObjectUnreadable("unreadable", str(error)) from None
        return body

    def put(self, path: str, data: bytes, *, create: bool = False, if_match: str | None = None) -> str:
        mode: Any = (
            "create"
            if create
            else {"e_tag": f'"{if_match}"', "version": if_match}
            if if_match
            else "overwrite"
        )
        if if_match and self._scheme == "s3":
            mode = {"e_tag": f'"{if_match}"'}
        try:
            done = obs.put(self._store, self._prefix + path, data, mode=mode, use_multipart=False)
        except Exception as error:
            if type(error).__name__ in ("AlreadyExistsError", "PreconditionError"):
                raise PreconditionFailed(path) from None
            raise self._explained(error) from None
        return str(done.get("e_tag") or done.get("version") or "").strip('"')

    def delete(self, path: str) -> None:
        try:
            obs.delete(self._store, self._prefix + path)
        except Exception as error:
            if type(error).__name__ not in ("NotFoundError", "FileNotFoundError"):
                raise self._explained(error) from None

    def _of_object(self, error: Exception, path: str) -> Exception:
        name, text = type(error).__name__, str(error)
        if name in ("NotFoundError", "FileNotFoundError") and "NoSuchBucket" not in text:
            return NotFound(f"{self.url}/{path}: vanished")
        if name in ("PermissionDeniedError", "UnauthenticatedError"):
            return ObjectUnreadable("forbidden", f"{self.url}/{path}")
        return ObjectUnreadable("unreadable", f"{self.url}/{path}: {_short(text)}")

    def _explained(self, error: Exception) -> SourceError:
        """One line: what, where, how to mend."""
        name, text = type(error).__name__, str(error)
        if "NoSuchBucket" in text or name in ("NotFoundError", "FileNotFoundError"):
            return SourceError(f"{self.url}: no such bucket; check the name, the region and the endpoint")
        if (
            name in ("PermissionDeniedError", "UnauthenticatedError")
            or "InvalidAccessKeyId" in text
            or "403" in text
        ):
            return SourceError(
                f"{self.url}: access denied; check the credentials, and that they may list and read it"
            )
        if "error sending request" in text or "dns" in text.lower() or "connect" in text.lower():
            return SourceError(f"{self.url}: cannot be reached; check the network and endpoint_url")
        return SourceError(f"{self.url}: {_short(text)}; check url, credentials and endpoint")


_TEMPORARY = ".tmp-"
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://")


def _is_refused_key(error: Exception) -> bool:
    """obstore refuses keys with empty segments, `..` or control characters, and ends the whole listing."""
    text = str(error)
    return (
        type(error).__name__ == "InvalidPathError"
        or "Encountered illegal" in text
        or "empty path segment" in text
        or ('Path "' in text and "contained" in text)
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 200 else line[:199] + "…"
