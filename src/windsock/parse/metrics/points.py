"""The samples of many series in order, a few of each in memory: the rest lies in one nameless file of the work folder."""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import IO, overload

from windsock.errors import LakeError
from windsock.model import Row

HELD = 1024  # numbers of one series: 8 kB


class Shelf:
    """Where series lay down their samples. The file has no name: it is gone with the process."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self.size = 0

    def put(self, data: bytes) -> tuple[int, int]:
        """Where they lie: from which byte on, and how many bytes."""
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="windsock-")  # noqa: SIM115 - lives as long as the shelf
            self._file.seek(self.size)
            self._file.write(data)
            self._file.flush()
        except OSError as error:
            raise LakeError(
                f"{tempfile.gettempdir()}: cannot keep the samples of a large capture ({error.strerror or error}); "
                "free space or set TMPDIR"
            ) from None
        self.size += len(data)
        return self.size - len(data), len(data)

    def get(self, place: tuple[int, int]) -> bytes:
        """What was put there."""
        assert self._file is not None
        self._file.seek(place[0])
        return self._file.read(place[1])


class Points:
    """One series: (epoch, value) in the order in which they came."""

    __slots__ = ("_held", "_places", "_shelf", "first_at", "last_at")

    def __init__(self, shelf: Shelf) -> None:
        self._shelf, self._held, self._places = shelf, array("d"), list[tuple[int, int]]()
        self.first_at: float | None = None
        self.last_at = 0.0

    def append(self, when: float, value: float) -> None:
        if self.first_at is None:
            self.first_at = when
        self.last_at = when
        self._held.append(when)
        self._held.append(value)
        if len(self._held) >= HELD:
            self._places.append(self._shelf.put(self._held.tobytes()))
            self._held = array("d")

    def read(self) -> tuple[array[float], array[float]]:
        """All times, and all values."""
        numbers = array("d")
        for place in self._places:
            numbers.frombytes(self._shelf.get(place))
        numbers += self._held
        return numbers[::2], numbers[1::2]


class Lazy(Sequence[Row]):
    """Rows that are made each time they are read, and never held."""

    def __init__(self, make: Callable[[], Iterator[Row]]) -> None:
        self._make = make

    def __iter__(self) -> Iterator[Row]:
        return self._make()

    def __bool__(self) -> bool:
        return next(self._make(), None) is not None

    def __len__(self) -> int:
        return sum(1 for _ in self._make())

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | Sequence[Row]:
        return list(self)[place]  # for tests; the lake iterates
