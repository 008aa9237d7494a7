"""One writer per lake and shard: `flock` on a disk; on object stores a lock object, renewed by conditional writes.

A lock object is never trusted for its time stamp: a contender takes over only after it has itself watched the object
unchanged for `expire_s`. A holder counts its own time in the other direction: it stops writing once it could not
renew for half of that, so both may be wrong about the other's clock and still never write together.
"""

from __future__ import annotations

import contextlib
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


def _clock() -> float:
    """Seconds that go on while the machine sleeps, where the system can tell; never set back."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


class Lock:
    """Held from `with` to its end. `check()` raises once the lock was lost: a holder that cannot renew writes no more."""

    def __init__(
        self, store: Store, path: str, holder: str, *, renew_s: float = RENEW_S, expire_s: float = EXPIRE_S
    ) -> None:
        self._store, self._path, self._holder = store, path, holder
        self._renew_s, self._expire_s = renew_s, expire_s
        self._handle: Any = None
        self._token, self._renewed_at = "", 0.0
        self._id = uuid.uuid4().hex
        self._is_lost = threading.Event()
        self._stop = threading.Event()
        self._one_at_a_time = threading.Lock()

    def __enter__(self) -> Self:
        if self._store.local_root is not None:
            self._lock_file(self._store.local_root / self._path)
        else:
            self._take()
            threading.Thread(target=self._keep, daemon=True, name="lock").start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._handle:
            self._handle.close()
            return
        with self._one_at_a_time:
            if not self._is_lost.is_set():
                # taken over, or out of reach: then it runs out by itself
                with contextlib.suppress(PreconditionFailed, SourceError):
                    self._store.put(self._path, self._body(is_free=True), if_match=self._token)
                self._is_lost.set()

    def check(self) -> None:
        """Before each publish. A holder that slept finds out here, before it writes."""
        if self._handle:
            return
        if not self._is_lost.is_set() and _clock() - self._renewed_at > self._expire_s / 3:
            self._renew()
        if self._is_lost.is_set() or _clock() - self._renewed_at > self._expire_s / 2:
            self._is_lost.set()
            raise LakeError(f"{self._store.url}: the lock was lost to another writer; run the pull again")

    def _lock_file(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._handle = path.open("a+")
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._handle.truncate(0)
            self._handle.write(self._holder)
            self._handle.flush()
        except BlockingIOError:
            self._handle.seek(0)
            who = self._handle.read().strip() or "another process"
            self._handle.close()
            raise LakeError(f"{self._store.url}: is being written by {who}; wait for it to end") from None
        except OSError as error:
            raise LakeError(
                f"{path}: cannot be locked ({error.strerror}); check space and the lake's permissions"
            ) from None

    def _body(self, *, is_free: bool = False) -> bytes:
        beat = uuid.uuid4().hex  # a new body each time: its etag is the heartbeat
        told = {"holder": self._holder, "id": self._id, "free": is_free, "beat": beat}
        return json.dumps(told).encode()

    def _take(self) -> None:
        """Create it; or take over one that is free, or that was not renewed for a minute by our own clock."""
        seen, since = "", _clock()
        while True:
            started = _clock()
            try:
                token = self._store.token(self._path)
                told = self._told() if token is not None else {}
                is_expired = token == seen and started - since > self._expire_s
                if token is None or told.get("free") or is_expired:
                    self._token = self._store.put(
                        self._path, self._body(), create=token is None, if_match=token
                    )
                    self._renewed_at = started
                    return
            except PreconditionFailed:
                seen = ""  # another contender was quicker: now it is the holder to watch
                continue
            if token != seen:
                if seen:
                    who = told.get("holder") or "another process"
                    raise LakeError(f"{self._store.url}: is being written by {who}; wait for it to end")
                seen, since = token or "", started
            time.sleep(min(1.0, self._expire_s / 20))

    def _told(self) -> dict[str, Any]:
        try:
            told = json.loads(self._store.get(self._path))
        except (NotFound, ValueError, ObjectUnreadable):
            return {}
        return told if isinstance(told, dict) else {}

    def _keep(self) -> None:
        while not self._stop.wait(self._renew_s) and not self._is_lost.is_set():
            self._renew()

    def _renew(self) -> None:
        with self._one_at_a_time:
            if self._is_lost.is_set() or self._stop.is_set():
                return
            started = _clock()
            try:
                self._token = self._store.put(self._path, self._body(), if_match=self._token)
                self._renewed_at = started
            except PreconditionFailed:
                self._is_lost.set()
            except SourceError:
                pass  # a hiccup of the network; `check` gives up when it lasts
