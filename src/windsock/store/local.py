"""A folder as a store. Its own code, because obstore refuses names that a file system allows."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from windsock.errors import LakeError, SourceError
from windsock.model import SourceObject
from windsock.store.base import (
    CHUNK_BYTES,
    Body,
    Changed,
    NotFound,
    ObjectUnreadable,
    PreconditionFailed,
    TooLarge,
    beside,
    is_temporary,
)


class LocalStore:
    """Files below a folder, in the order a bucket would list them."""

    def __init__(self, root: Path) -> None:
        self.local_root: Path | None = root
        self._root = root
        self.url = str(root)
        self.requests = 0
        self.refused: list[str] = []

    def list(self, prefix: str = "", *, start_after: str | None = None) -> Iterator[SourceObject]:
        """Every file below `prefix` (a folder or the beginning of names), in key order."""
        if not self._root.exists():
            raise SourceError(f"{self.url}: no such folder; check the url in the pipeline file")
        if not self._root.is_dir():
            raise SourceError(f"{self.url}: a file, not a folder; give the folder that holds it")
        base = prefix.rpartition("/")[0]
        for path in self._walk(base):
            if path.startswith(prefix) and (start_after is None or path > start_after):
                try:
                    yield self.head(path)
                except NotFound:
                    continue  # gone between the listing and now: it was never there for us

    def _walk(self, folder: str) -> Iterator[str]:
        """Depth first, one folder in memory at a time; a folder sorts as `name/`, which is the order of keys."""
        try:
            with os.scandir(self._root / folder) as entries:
                # links to folders are followed, as Airflow's `latest` is one: but only to files, or it loops
                names = sorted(
                    entry.name + "/" if entry.is_dir(follow_symlinks=False) else entry.name
                    for entry in entries
                    if not (entry.is_symlink() and entry.is_dir())
                )
        except FileNotFoundError:
            return
        except OSError as error:
            if folder:
                self.refused.append(f"{folder}/")  # one closed folder must not hide the rest
                return
            raise SourceError(
                f"{self._root}: cannot be listed ({error.strerror}); check its permissions"
            ) from None
        base = f"{folder}/" if folder else ""
        for name in names:
            if not (name.isascii() or _is_text(name)):
                if not is_temporary(name):
                    self._refuse(base + name)
            elif name.endswith("/"):
                yield from self._walk(base + name[:-1])
            elif not is_temporary(name):
                yield base + name

    def folders(self, prefix: str = "") -> tuple[Sequence[str], Sequence[SourceObject]]:
        """The folders (with a trailing slash) and the files directly below `prefix`."""
        found = os.scandir(self._root / prefix) if (self._root / prefix).is_dir() else iter(())
        below = []
        for entry in sorted(found, key=lambda entry: entry.name):
            if _is_text(entry.name):
                below.append(entry)
            else:
                self._refuse(f"{prefix}{entry.name}{'/' if entry.is_dir() else ''}")
        return (
            [f"{prefix}{entry.name}/" for entry in below if entry.is_dir()],
            [self.head(prefix + entry.name) for entry in below if entry.is_file()],
        )

    def _refuse(self, name: str) -> None:
        """Tell, once, that a name is no text."""
        told = name.encode(errors="replace").decode()
        if told not in self.refused:
            self.refused.append(told)

    def head(self, path: str) -> SourceObject:
        try:
            stat = (self._root / path).stat()
        except (OSError, ValueError) as error:
            raise NotFound(f"{self.url}/{path}: {error}") from None
        return self._object(path, stat)

    def _object(self, path: str, stat: os.stat_result) -> SourceObject:
        return SourceObject(f"{self.url}/{path}", path, stat.st_size, _modified(stat), _etag(stat))

    def token(self, path: str) -> str | None:
        try:
            return self.head(path).etag
        except NotFound:
            return None

    def get(self, path: str) -> bytes:
        return self.read(path).data

    def read(self, path: str, *, at_most: int | None = None) -> Body:
        try:
            with (self._root / path).open("rb") as handle:
                stat = os.fstat(handle.fileno())
                if at_most is not None and stat.st_size > at_most:
                    raise TooLarge(self._object(path, stat))
                # not past the size that was told: a log may grow faster than it is read
                data = handle.read(stat.st_size)
        except OSError as error:
            raise self._unreadable(error, path) from None
        # a log that grows while it is read: what was read is the version that the next pull must not take as known
        return Body(data, len(data), _etag(stat), _modified(stat))

    def chunks(self, obj: SourceObject, start: int = 0) -> Iterator[bytes]:
        """Through one handle: a file that is replaced meanwhile is read to its end, one that grows up to `obj.size`."""
        try:
            with (self._root / obj.path).open("rb") as handle:
                handle.seek(start)
                left = obj.size - start
                while left > 0:
                    chunk = handle.read(min(CHUNK_BYTES, left))
                    if not chunk:
                        raise Changed(obj.url)
                    left -= len(chunk)
                    yield chunk
        except OSError as error:
            raise self._unreadable(error, obj.path) from None

    def get_range(self, path: str, start: int, end: int) -> bytes:
        try:
            with (self._root / path).open("rb") as handle:
                handle.seek(start)
                return handle.read(max(0, end - start))
        except OSError as error:
            raise self._unreadable(error, path) from None

    def _unreadable(self, error: OSError, path: str) -> Exception:
        if isinstance(error, FileNotFoundError):
            return NotFound(f"{self.url}/{path}: vanished")
        return ObjectUnreadable("forbidden" if error.errno == errno.EACCES else "unreadable", str(error))

    def download(self, path: str, target: Path) -> str:
        """A copy, whole or not at all; returns its etag."""
        etag, new = self.head(path).etag, beside(target)
        shutil.copyfile(self._root / path, new)
        new.replace(target)
        return etag

    def put(
        self,
        path: str,
        data: bytes,
        *,
        create: bool = False,
        if_match: str | None = None,
        content_type: str = "",
    ) -> str:
        """Whole or not at all: written beside, flushed to disk, renamed. `create` fails if the file exists."""

        def write(new: Path) -> None:
            with new.open("xb") as handle:
                handle.write(data)

        return self._publish(path, write, create=create, if_match=if_match)

    def put_file(self, path: str, source: Path, *, if_match: str | None, check: Callable[[], None]) -> None:
        """Publish a local file: copied beside, flushed, renamed after `check`."""

        def write(new: Path) -> None:
            shutil.copyfile(source, new)
            check()

        self._publish(path, write, create=False, if_match=if_match)

    def _publish(
        self, path: str, write: Callable[[Path], None], *, create: bool, if_match: str | None
    ) -> str:
        target = self._root / path
        new = beside(target)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                write(new)
                _flush(new)
                if if_match is not None and self.token(path) != if_match:
                    raise PreconditionFailed(path)
                if create:
                    os.link(new, target)  # a rename would overwrite; a link fails when another was quicker
                else:
                    new.replace(target)
                _flush(target.parent)
            finally:
                new.unlink(missing_ok=True)
        except FileExistsError:
            raise PreconditionFailed(path) from None
        except OSError as error:
            raise LakeError(
                f"{target}: cannot be written ({error.strerror or error}); check space and permissions"
            ) from None
        return self.token(path) or ""

    def move(self, path: str, to: str) -> None:
        target = self._root / to
        target.parent.mkdir(parents=True, exist_ok=True)
        (self._root / path).replace(target)
        _flush(target.parent)

    def delete(self, path: str) -> None:
        try:
            (self._root / path).unlink(missing_ok=True)
        except OSError as error:
            raise LakeError(
                f"{self.url}/{path}: cannot be removed ({error.strerror}); check permissions"
            ) from None


def _is_text(name: str) -> bool:
    """A file system takes any bytes as a name; ids are text."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _flush(path: Path) -> None:
    """To disk: a rename is safe against a power cut only if file and folder are."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _modified(stat: os.stat_result) -> datetime:
    return datetime.fromtimestamp(stat.st_mtime_ns // 1000 / 1e6, tz=UTC)


def _etag(stat: os.stat_result) -> str:
    return f"{stat.st_size}-{stat.st_mtime_ns}"
