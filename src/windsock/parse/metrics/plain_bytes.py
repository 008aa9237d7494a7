"""Bytes of an object that may be gzipped → lines of text, a piece at a time."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from windsock.model import Reject

PIECE_BYTES = 1 << 20
MAX_PLAIN_BYTES = 4 << 30


def line_blocks(data: bytes) -> Iterator[list[str]]:
    """Lists of whole lines, about 1 MB each. Only where the last newline is missing, the last one does not end in an
    empty line: it may be cut. Raises zlib.error on bytes that are no gzip."""
    rest = b""
    for piece in _pieces(data):
        head, newline, tail = piece.rpartition(b"\n")
        if not newline:
            rest += piece
            continue
        yield (rest + head + newline).decode("utf-8", "replace").split("\n")
        rest = tail
    if rest:
        yield [rest.decode("utf-8", "replace")]


def _pieces(data: bytes) -> Iterator[bytes]:
    if data[:2] != b"\x1f\x8b":
        for at in range(0, len(data), PIECE_BYTES):
            yield data[at : at + PIECE_BYTES]
        return
    total = 0
    while data[:2] == b"\x1f\x8b":
        # appended captures are several gzip members in a row
        unpack = zlib.decompressobj(wbits=31)
        piece = unpack.decompress(data, PIECE_BYTES)
        while piece:
            total += len(piece)
            if total > MAX_PLAIN_BYTES:
                raise TooLarge
            yield piece
            piece = unpack.decompress(unpack.unconsumed_tail, PIECE_BYTES)
        data = unpack.unused_data


class TooLarge(Exception):
    """Unpacks to more than anybody's metrics are."""


def unpack_reject(error: Exception) -> Reject:
    """The outcome of an object that cannot be unpacked."""
    if isinstance(error, TooLarge):
        return Reject("metrics", "too_large", f"unpacks to more than {MAX_PLAIN_BYTES >> 30} GB")
    return Reject("metrics", "bad_gzip", str(error))
