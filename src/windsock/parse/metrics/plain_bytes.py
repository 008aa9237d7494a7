"""Bytes of an object that may be gzipped → lines of text, a piece at a time, the same ones however the bytes come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from windsock.model import Reject
from windsock.parse.plain import TooMuch, unzipped

PIECE_BYTES = 1 << 20
LINE_BYTES = 1 << 20
"""What is kept of a longer line, which is no sample."""
MAX_PLAIN_BYTES = 4 << 30


def line_blocks(chunks: Iterable[bytes]) -> Iterator[list[str]]:
    """Lists of whole lines, about 1 MB each. Only where the last newline is missing, the last one does not end in an
    empty line: it may be cut. Raises zlib.error on bytes that are no gzip."""
    rest = b""
    for piece in _pieces(chunks):
        head, newline, tail = piece.rpartition(b"\n")
        if not newline:
            rest = (rest + piece)[:LINE_BYTES]
            continue
        yield (rest + head + newline).decode("utf-8", "replace").split("\n")
        rest = tail
    if rest:
        yield [rest.decode("utf-8", "replace")]


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    held = bytearray()
    try:
        for chunk in unzipped(chunks, at_most=MAX_PLAIN_BYTES):
            held += chunk
            while len(held) >= PIECE_BYTES:
                yield bytes(held[:PIECE_BYTES])
                del held[:PIECE_BYTES]
    except TooMuch:
        raise TooLarge from None
    if held:
        yield bytes(held)


class TooLarge(Exception):
    """Unpacks to more than anybody's metrics are."""


def unpack_reject(error: Exception) -> Reject:
    """The outcome of an object that cannot be unpacked."""
    if isinstance(error, TooLarge):
        return Reject("metrics", "too_large", f"unpacks to more than {MAX_PLAIN_BYTES >> 30} GB")
    return Reject("metrics", "bad_gzip", str(error))
