"""Pieces of a growing file that were read before: how the ledger names them, and how they are known again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

SHOWN_BYTES = 64_000
"""The last bytes of a part: stamped lines of a log, which stand in the same place of no other log."""
_NAME = re.compile(r"#bytes=(\d+)-(\d+)\Z")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a file that was read before: its place, its hashes, and whether this version of the parser read it."""

    start: int
    end: int
    digest: str
    is_current: bool = True

    @property
    def shown_from(self) -> int:
        """Where the bytes begin that the second hash is of."""
        return max(self.start, self.end - SHOWN_BYTES)

    def shows(self, last: bytes) -> bool:
        """Whether these are its last bytes (from `shown_from` on)."""
        return self.digest.partition(".")[2] == _hash(last)


def part_of(url: str, etag: str, *, is_current: bool) -> tuple[str, Part] | None:
    """The file's url and the part that a ledger row names; None for any other row."""
    match = _NAME.search(url)
    return (url[: match.start()], Part(int(match[1]), int(match[2]), etag, is_current)) if match else None


def last_parts(known: Sequence[Part], size: int) -> list[Part]:
    """The parts up to which a file of `size` may be the one that was read, the longest first. Each is the end of parts
    that begin at the file's start and need no reading."""
    reached, found = {0}, []
    for part in sorted(known, key=lambda one: (one.start, one.end)):
        if part.is_current and part.start in reached and part.end <= size:
            reached.add(part.end)
            found.append(part)
    return sorted(found, key=lambda one: -one.end)


def digest(data: bytes) -> str:
    """`<of all bytes>.<of the last ones>`."""
    return f"{_hash(data)}.{_hash(data[-SHOWN_BYTES:])}"


def _hash(data: bytes) -> str:
    return blake2b(data, digest_size=16).hexdigest()
