"""One writer per lake and shard: `flock` on a disk; on object stores a lock object, renewed by conditional writes."""

from __future__ import annotations

import fcntl
import json
import threading
import time
import uuid
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from windsock.errors import LakeError, SourceError
from windsock.store import NotFound, ObjectUnreadable, PreconditionFailed, Store

RENEW_S = 15.0
EXPIRE_S = 60.0


class Lock:
    """Held from `with` to its end. `check()` raises once the lock was lost: a holder that cannot renew writes no more."""

    def __init__(self, store: Store, path: str, holder: str, *, expire_s: float = EXPIRE_S) -> None:
        self._store, self._path, self._holder, self._expire_s = store, path, holder, expire_s
        self._handle: Any = None
        self._etag = ""
        self._token = uuid.uuid4().hex
        self._is_lost = threading.Event()
        self._stop = threading.Event()

    def __enter__(self) -> Self:
        if self._store.local_root is not None:
            self._lock_file(self._store.local_root / self._path)
        else:
            self._etag = self._take()
            threading.Thread(target=self._renew, daemon=True, name="lock").start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._handle:
            self._handle.close()
        elif not self._is_lost.is_set():
            try:
                self._etag = self._store.put(self._path, self._body(is_free=True), if_match=self._etag)
            except (PreconditionFailed, SourceError):
                self._is_lost.set()  # somebody took it over; nothing of ours is left to release

    def check(self) -> None:
        """Before each publish."""
        if self._is_lost.is_set():
            raise LakeError(f"{self._store.url}: the lock was lost to another writer; run the pull again")

    def _lock_file(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._handle = path.open("a+")
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._handle.seek(0)
            who = self._handle.read().strip() or "another process"
            raise LakeError(f"{self._store.url}: is being written by {who}; wait for it to end") from None
        except OSError as error:
            raise LakeError(
                f"{path}: cannot be locked ({error.strerror}); check the lake's permissions"
            ) from None
        self._handle.truncate(0)
        self._handle.write(self._holder)
        self._handle.flush()

    def _body(self, *, is_free: bool = False) -> bytes:
        beat = uuid.uuid4().hex  # a new body each time: its etag is the heartbeat
        return json.dumps(
            {"holder": self._holder, "token": self._token, "free": is_free, "beat": beat}
        ).encode()

    def _take(self) -> str:
        """Create it; or take over one that is free, or that was not renewed for a minute by our own clock."""
        try:
            return self._store.put(self._path, self._body(), create=True)
        except PreconditionFailed:
            pass
        seen, since, who = "", time.monotonic(), "another process"
        while True:
            try:
                etag = self._store.head(self._path).etag
                told = json.loads(self._store.get(self._path))
                who = str(told.get("holder") or who)
                if told.get("free") or (etag == seen and time.monotonic() - since > self._expire_s):
                    return self._store.put(self._path, self._body(), if_match=etag)
            except (NotFound, ValueError, ObjectUnreadable):
                etag = ""
            except PreconditionFailed:
                raise LakeError(
                    f"{self._store.url}: another writer was quicker; run the pull again"
                ) from None
            if etag != seen:
                if seen:
                    raise LakeError(f"{self._store.url}: is being written by {who}; wait for it to end")
                seen, since = etag, time.monotonic()
            time.sleep(min(1.0, self._expire_s / 4))

    def _renew(self) -> None:
        while not self._stop.wait(min(RENEW_S, self._expire_s / 4)):
            try:
                self._etag = self._store.put(self._path, self._body(), if_match=self._etag)
            except (PreconditionFailed, SourceError):
                self._is_lost.set()
                return
