"""An object's bytes as they come → the UTF-8 text in them: unzipped, without byte order mark, lines ended by `\\n` alone."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterable, Iterator

GZIP = b"\x1f\x8b"
CHUNK_BYTES = 4 << 20
MAX_PLAIN_BYTES = 2 * 1024**3
"""What any object may unpack to; a larger one may unpack to MAX_RATIO times its size."""
MAX_RATIO = 50  # repetitive logs reach 20


class TooMuch(Exception):
    """The object unpacks to more than any log would."""


def plain_chunks(chunks: Iterable[bytes], *, size: int) -> Iterator[bytes]:
    """`size` is that of the object. Raises `zlib.error` and TooMuch."""
    return _newlines(_utf8(unzipped(chunks, at_most=max(MAX_PLAIN_BYTES, size * MAX_RATIO))))


def joined(parts: Iterable[tuple[int, Iterable[bytes]]], *, size: int) -> Iterator[bytes]:
    """The bytes of a log that lies in numbered parts, each zipped by itself, `size` bytes in all. A line ends where a part
    is not there. Raises as `plain_chunks`."""
    left, expected = max(MAX_PLAIN_BYTES, size * MAX_RATIO), 0
    for number, chunks in parts:
        if number != expected:
            yield b"\n"
        expected = number + 1
        for text in unzipped(chunks, at_most=left):
            left -= len(text)
            yield text


def unzipped(chunks: Iterable[bytes], *, at_most: int) -> Iterator[bytes]:
    """Every member of a gzip stream, a bounded piece at a time; bytes of any other kind as they are. Of a stream that
    was cut off, what can be unpacked."""
    source = iter(chunks)
    first = _at_least(source, len(GZIP))
    if not first.startswith(GZIP):
        if first:
            yield first
        yield from source
        return
    unpack, left = zlib.decompressobj(wbits=31), at_most
    for chunk in _before(first, source):
        rest = chunk
        while rest:
            if unpack.eof:
                if not rest.startswith(GZIP[: len(rest)]):
                    return  # padding behind the last member
                unpack = zlib.decompressobj(wbits=31)
            text = unpack.decompress(rest, CHUNK_BYTES)
            left -= len(text)
            if left < 0:
                raise TooMuch
            if text:
                yield text
            rest = unpack.unused_data if unpack.eof else unpack.unconsumed_tail
    if not unpack.eof and (text := unpack.flush()):
        yield text


def _utf8(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Without byte order mark; UTF-16 as UTF-8."""
    source = iter(chunks)
    first = _at_least(source, 3)
    if first.startswith((b"\xff\xfe", b"\xfe\xff")):
        decoder = codecs.getincrementaldecoder("utf-16")("replace")
        for chunk in _before(first, source):
            yield decoder.decode(chunk).encode("utf-8", "replace")
        yield decoder.decode(b"", final=True).encode("utf-8", "replace")
        return
    yield first.removeprefix(b"\xef\xbb\xbf")
    yield from source


def _newlines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """By the first line: a log whose lines end in `\\r\\n` throughout was copied by way of Windows; a lone one was printed."""
    is_windows: bool | None = None
    carried = b""
    for chunk in chunks:
        text = carried + chunk
        carried = b""
        if is_windows is None and (end := text.find(b"\n")) >= 0:
            is_windows = end > 0 and text[end - 1] == 13
        if is_windows is not False and text.endswith(b"\r"):
            text, carried = text[:-1], b"\r"
        if text:
            yield text.replace(b"\r\n", b"\n") if is_windows else text
    if carried:
        yield carried


def _at_least(source: Iterator[bytes], count: int) -> bytes:
    first = b""
    while len(first) < count and (chunk := next(source, None)) is not None:
        first += chunk
    return first


def _before(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
