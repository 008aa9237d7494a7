"""A list that may grow beyond memory: its last part is held, the rest lies in a nameless file of the work folder."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator
from typing import IO, Generic, TypeVar

from windsock.errors import LakeError

T = TypeVar("T")
HELD_BYTES = 4_000_000


class Overflow(Generic[T]):
    """Append first, then iterate as often as wanted. The file has no name: it is gone with the process."""

    def __init__(self, *, held_bytes: int = HELD_BYTES) -> None:
        self._held: list[T] = []
        self._file: IO[bytes] | None = None
        self._limit, self._size, self._count = held_bytes, 0, 0

    def append(self, item: T, *, size: int) -> None:
        """`size` is about what the item takes in memory."""
        self._held.append(item)
        self._count += 1
        self._size += size
        if self._size >= self._limit:
            self._write()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[T]:
        if self._file is not None:
            self._file.seek(0)
            end = self._end
            while self._file.tell() < end:
                batch: list[T] = pickle.load(self._file)
                place = self._file.tell()
                yield from batch
                self._file.seek(place)  # another iteration may have moved it
        yield from self._held

    def _write(self) -> None:
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="windsock-")  # noqa: SIM115 - lives as long as the list
            self._file.seek(0, 2)
            pickle.dump(self._held, self._file, protocol=pickle.HIGHEST_PROTOCOL)
            self._file.flush()
            self._end = self._file.tell()
        except OSError as error:
            raise LakeError(
                f"{tempfile.gettempdir()}: cannot keep the records of a large log ({error.strerror or error}); "
                "free space or set TMPDIR"
            ) from None
        self._held, self._size = [], 0
