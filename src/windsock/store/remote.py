"""A bucket as a store: obstore below a prefix, boto3 for the S3 keys that obstore refuses."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import obstore as obs

from windsock.errors import SourceError
from windsock.model import SourceObject
from windsock.store.base import (
    CHUNK_BYTES,
    ONE_PUT_BYTES,
    Body,
    Changed,
    NotFound,
    ObjectUnreadable,
    PreconditionFailed,
    TooLarge,
    beside,
)
from windsock.store.refusals import explained, is_missing, is_precondition, of_object, refused_key

Client = Any  # boto3 makes its clients at run time
PAGE = 1000  # keys a listing request returns at most
RANGE_BYTES = 8 * 1024 * 1024
CHUNKS_AHEAD = 3  # ranges of a large object on their way: 12 MB in memory
PART_BYTES, PARTS_AT_ONCE = 8 * 1024 * 1024, 3  # of a multipart upload: 24 MB in memory


class RemoteStore:
    """A bucket below a prefix."""

    def __init__(
        self, bucket_url: str, prefix: str, store: Any, *, boto3: Callable[[], Client] | None = None
    ) -> None:
        self.local_root: Path | None = None
        self.url = f"{bucket_url}/{prefix}" if prefix else bucket_url
        self._prefix, self._store, self._make_client = f"{prefix}/" if prefix else "", store, boto3
        self._scheme, self._bucket = bucket_url.split("://")
        self.requests = 0
        self.refused: list[str] = []
        self._lock = threading.Lock()

    def _count(self) -> None:
        with self._lock:
            self.requests += 1

    @cached_property
    def _client(self) -> Client:
        with self._lock:
            return self._make_client() if self._make_client else None

    def list(self, prefix: str = "", *, start_after: str | None = None) -> Iterator[SourceObject]:
        """Keys below `prefix`, in key order, strictly after `start_after`. One request a page, made when it is needed."""
        full = self._prefix + prefix
        # obstore lists whole path segments: the rest of the prefix is compared here, and its start is an offset
        segment, _, rest = full.rpartition("/")
        last = max(self._prefix + start_after if start_after else "", full[:-1] if rest else "") or None
        try:
            for batch in obs.list(self._store, segment or None, offset=last, chunk_size=PAGE):
                self._count()
                for meta in batch:
                    last = meta["path"]
                    if last.startswith(full):
                        yield self._object(meta)
                    elif last > full:
                        return
        except Exception as error:  # obstore's errors share no base; each is told or raised anew
            if refused_key(error) is None or not self._make_client:
                raise explained(error, self.url) from None
            # obstore gives up the whole page with the key: the other client starts behind the last good page
            yield from self._list_by_boto3(full, last)

    def folders(self, prefix: str = "") -> tuple[Sequence[str], Sequence[SourceObject]]:
        """What lies directly below `prefix`: folders (with a trailing slash), and objects."""
        full = self._prefix + prefix
        self._count()
        try:
            found = obs.list_with_delimiter(self._store, full.rstrip("/") or None)
        except Exception as error:  # as above
            if refused_key(error) is None or not self._make_client:
                raise explained(error, self.url) from None
            return self._folders_by_boto3(full)
        names = [f"{name}/" for name in found["common_prefixes"]]
        if self._make_client and any(len(name) <= len(full) for name in names):
            return self._folders_by_boto3(full)  # `//` below: obstore shortens it to the folder itself
        objects = [self._object(meta) for meta in found["objects"]]
        with self._lock:
            self.requests += (len(names) + len(objects)) // PAGE
        return [name.removeprefix(self._prefix) for name in names], objects

    def _object(self, meta: Any) -> SourceObject:
        path = meta["path"].removeprefix(self._prefix)
        etag = str(meta.get("e_tag") or meta.get("version") or "").strip('"')
        return SourceObject(f"{self.url}/{path}", path, int(meta["size"]), meta["last_modified"], etag)

    def _pages(self, **options: str) -> Iterator[Any]:
        from botocore.exceptions import BotoCoreError, ClientError

        pages = iter(self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, **options))
        while True:
            self._count()
            try:
                page = next(pages)
            except StopIteration:
                return
            except (BotoCoreError, ClientError) as error:
                raise explained(error, self.url) from None
            yield page

    def _list_by_boto3(self, prefix: str, after: str | None) -> Iterator[SourceObject]:
        for page in self._pages(Prefix=prefix, StartAfter=after or ""):
            yield from map(self._boto3_object, page.get("Contents", ()))

    def _folders_by_boto3(self, prefix: str) -> tuple[Sequence[str], Sequence[SourceObject]]:
        names: list[str] = []
        objects: list[SourceObject] = []
        for page in self._pages(Prefix=prefix, Delimiter="/"):
            names += [one["Prefix"].removeprefix(self._prefix) for one in page.get("CommonPrefixes", ())]
            objects += map(self._boto3_object, page.get("Contents", ()))
        return names, objects

    def _boto3_object(self, one: Any) -> SourceObject:
        path = one["Key"].removeprefix(self._prefix)
        at = one["LastModified"].astimezone(UTC)
        return SourceObject(f"{self.url}/{path}", path, one["Size"], at, one["ETag"].strip('"'))

    def _head(self, path: str) -> Any:
        try:
            return obs.head(self._store, self._prefix + path)
        except Exception as error:  # as above
            raise of_object(error, f"{self.url}/{path}") from None

    def head(self, path: str) -> SourceObject:
        return self._object(self._head(path))

    def token(self, path: str) -> str | None:
        try:
            return self._token(self._head(path))
        except NotFound:
            return None
        except ObjectUnreadable as error:
            raise explained(error, self.url) from None

    def _token(self, meta: Any) -> str:
        # Google compares generations: an etag would be accepted and ignored
        name = "version" if self._scheme == "gs" else "e_tag"
        return str(meta.get(name) or meta.get("e_tag") or "").strip('"')

    def get(self, path: str) -> bytes:
        return self.read(path).data

    def read(self, path: str, *, at_most: int | None = None) -> Body:
        try:
            got = obs.get(self._store, self._prefix + path)
            obj = self._object(got.meta)
            if at_most is not None and obj.size > at_most:
                raise TooLarge(obj)  # the answer's body is not asked for
            return Body(bytes(got.bytes()), obj.size, obj.etag, obj.modified_at)
        except TooLarge:
            raise
        except Exception as error:  # as above
            if refused_key(error) is not None and self._make_client:
                return self._read_by_boto3(path)
            raise of_object(error, f"{self.url}/{path}") from None

    def chunks(self, obj: SourceObject, start: int = 0) -> Iterator[bytes]:
        """By ranges, the next ones on their way while one is read; each must be of the version that `obj` names."""
        starts = iter(range(start, obj.size, CHUNK_BYTES))
        with ThreadPoolExecutor(CHUNKS_AHEAD, thread_name_prefix="range") as pool:
            ahead = deque(pool.submit(self._chunk, obj, start) for start in islice(starts, CHUNKS_AHEAD))
            while ahead:
                chunk = ahead.popleft().result()
                ahead.extend(pool.submit(self._chunk, obj, start) for start in islice(starts, 1))
                yield chunk

    def _chunk(self, obj: SourceObject, start: int) -> bytes:
        end = min(start + CHUNK_BYTES, obj.size)
        try:
            options: Any = {"range": (start, end)}
            got = obs.get(self._store, self._prefix + obj.path, options=options)
            etag, data = self._object(got.meta).etag, bytes(got.bytes())
        except Exception as error:  # as above
            if refused_key(error) is not None and self._make_client:
                body = self._read_by_boto3(obj.path, Range=f"bytes={start}-{end - 1}")
                etag, data = body.etag, body.data
            elif isinstance(cause := of_object(error, obj.url), ObjectUnreadable) and _is_past_end(error):
                raise Changed(obj.url) from None
            else:
                raise cause from None
        if etag != obj.etag:
            raise Changed(obj.url)
        if len(data) != end - start:
            raise ObjectUnreadable(
                "wrong_length", f"{obj.url}: {len(data)} of {end - start} bytes at {start}"
            )
        return data

    def _read_by_boto3(self, path: str, **options: str) -> Body:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            got = self._client.get_object(Bucket=self._bucket, Key=self._prefix + path, **options)
            at = got["LastModified"].astimezone(UTC)
            return Body(got["Body"].read(), got["ContentLength"], got["ETag"].strip('"'), at)
        except (BotoCoreError, ClientError) as error:
            raise of_object(error, f"{self.url}/{path}") from None

    def get_range(self, path: str, start: int, end: int) -> bytes:
        """Bytes `start` to `end` (not included); fewer at the end of the object."""
        if end <= start:
            return b""
        try:
            return bytes(obs.get_range(self._store, self._prefix + path, start=start, end=end))
        except Exception as error:  # as above
            if refused_key(error) is not None and self._make_client:
                return self._read_by_boto3(path, Range=f"bytes={start}-{end - 1}").data
            raise of_object(error, f"{self.url}/{path}") from None

    def download(self, path: str, target: Path) -> str:
        """A copy on disk, range by range, whole or not at all; returns the etag of what was copied."""
        for _attempt in range(3):
            meta = self.head(path)
            new = beside(target)
            try:
                with new.open("xb") as handle:
                    for start in range(0, meta.size, RANGE_BYTES):
                        handle.write(self.get_range(path, start, min(start + RANGE_BYTES, meta.size)))
                # replaced while it was read: the ranges are of two versions
                if self.head(path).etag == meta.etag and new.stat().st_size == meta.size:
                    new.replace(target)
                    return meta.etag
            finally:
                new.unlink(missing_ok=True)
        raise SourceError(f"{self.url}/{path}: keeps changing while it is read; try again")

    def put(
        self,
        path: str,
        data: bytes,
        *,
        create: bool = False,
        if_match: str | None = None,
        content_type: str = "",
    ) -> str:
        """One PUT: create, overwrite, or replace the version that `if_match` names. Returns the new token."""
        mode: Any = "create" if create else "overwrite"
        if if_match is not None:
            name = "version" if self._scheme == "gs" else "e_tag"
            mode = {name: if_match if name == "version" else f'"{if_match}"'}
        try:
            done = obs.put(
                self._store,
                self._prefix + path,
                data,
                mode=mode,
                use_multipart=False,
                attributes={"Content-Type": content_type} if content_type else None,
            )
        except Exception as error:  # as above
            if is_precondition(error):
                return self._was_ours(path, data)
            raise explained(error, self.url) from None
        return self._token(done)

    def _was_ours(self, path: str, data: bytes) -> str:
        """A PUT whose answer was lost is sent again and then loses against itself: the same bytes lie there."""
        try:
            token = self.token(path)
            if token is not None and self.get(path) == data:
                return token
        except (NotFound, ObjectUnreadable):
            pass
        raise PreconditionFailed(path)

    def put_file(self, path: str, source: Path, *, if_match: str | None, check: Callable[[], None]) -> None:
        """Publish a local file over the version that `if_match` names (None: there is none yet)."""
        if source.stat().st_size <= ONE_PUT_BYTES:
            check()
            self.put(path, source.read_bytes(), create=if_match is None, if_match=if_match)
            return
        if self.token(path) != if_match:
            raise PreconditionFailed(path)
        check()
        try:
            obs.put(
                self._store,
                self._prefix + path,
                _checked_parts(source, check),
                use_multipart=True,
                chunk_size=PART_BYTES,
                max_concurrency=PARTS_AT_ONCE,
            )
        except Exception as error:  # as above
            raise explained(error, self.url) from None

    def move(self, path: str, to: str) -> None:
        try:
            obs.copy(self._store, self._prefix + path, self._prefix + to)
        except Exception as error:  # as above
            raise explained(error, self.url) from None
        self.delete(path)

    def delete(self, path: str) -> None:
        try:
            obs.delete(self._store, self._prefix + path)
        except Exception as error:  # as above
            if not is_missing(error):
                raise explained(error, self.url) from None


def _is_past_end(error: Exception) -> bool:
    """A range that an object of another size cannot answer."""
    return re.search(r"\b416\b|InvalidRange|Requested range", str(error)) is not None


def _checked_parts(source: Path, check: Callable[[], None]) -> Iterator[bytes]:
    """A file in parts. The lock is asked before each one and before the end, which is when the upload takes effect."""
    with source.open("rb") as handle:
        while part := handle.read(PART_BYTES):
            check()
            yield part
        check()
