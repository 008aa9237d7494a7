"""A bucket on loopback that is quicker than its clients: answers lie ready in memory, several processes share one port.

It speaks as much of S3 as a reader needs: `GET` of an object, `ListObjectsV2` with prefix, delimiter, `start-after` and
pages. Its processes are not the client's: their CPU is not counted.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import md5
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

PROCESSES, PAGE = 2, 1000
_MODIFIED = ("Tue, 24 Nov 2026 12:00:00 GMT", "2026-11-24T12:00:00.000Z")
_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


class Bucket:
    """Objects by key, and what is answered for them."""

    def __init__(self, objects: Mapping[str, bytes]) -> None:
        self.keys = sorted(objects)
        self.sizes = {key: len(data) for key, data in objects.items()}
        self.etags = {key: md5(data, usedforsecurity=False).hexdigest() for key, data in objects.items()}
        self._answers = {key: self._object(key, data) for key, data in objects.items()}

    def _object(self, key: str, data: bytes) -> bytes:
        head = (
            f"HTTP/1.1 200 OK\r\nContent-Type: binary/octet-stream\r\nContent-Length: {len(data)}\r\n"
            f'ETag: "{self.etags[key]}"\r\nLast-Modified: {_MODIFIED[0]}\r\nAccept-Ranges: bytes\r\n\r\n'
        )
        return head.encode() + data

    def answer(self, target: str) -> bytes:
        """The whole answer to a GET of `/<bucket>/<key>` or `/<bucket>?list-type=2&…`."""
        path, _question, query = target.partition("?")
        key = unquote(path.lstrip("/").partition("/")[2])
        if key:
            return self._answers.get(key, _NOT_FOUND)
        body = self._listing(dict(parse_qsl(urlsplit(f"?{query}").query, keep_blank_values=True))).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n%b" % (
            len(body),
            body,
        )

    def _listing(self, asked: Mapping[str, str]) -> str:
        prefix, delimiter = asked.get("prefix", ""), asked.get("delimiter", "")
        after = asked.get("continuation-token") or asked.get("start-after") or ""
        most = int(asked.get("max-keys") or PAGE)
        place = max(bisect_left(self.keys, prefix), bisect_right(self.keys, after))
        parts: list[str] = []
        folder, last, is_more = "", "", False
        while place < len(self.keys) and self.keys[place].startswith(prefix):
            key = self.keys[place]
            if len(parts) == most:
                is_more = True
                break
            cut = key.find(delimiter, len(prefix)) if delimiter else -1
            if cut >= 0:
                folder = key[: cut + len(delimiter)]
                parts.append(f"<CommonPrefixes><Prefix>{escape(folder)}</Prefix></CommonPrefixes>")
                last = folder + "\U0010ffff"
                place = bisect_left(self.keys, last)
            else:
                parts.append(
                    f"<Contents><Key>{escape(key)}</Key><LastModified>{_MODIFIED[1]}</LastModified><ETag>&quot;{self.etags[key]}"
                    f"&quot;</ETag><Size>{self.sizes[key]}</Size><StorageClass>STANDARD</StorageClass></Contents>"
                )
                last, place = key, place + 1
        more = f"<NextContinuationToken>{escape(last)}</NextContinuationToken>" if is_more else ""
        return (
            '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>logs</Name>'
            f"<Prefix>{escape(prefix)}</Prefix><KeyCount>{len(parts)}</KeyCount><MaxKeys>{most}</MaxKeys>"
            f"<IsTruncated>{str(is_more).lower()}</IsTruncated>{more}{''.join(parts)}</ListBucketResult>"
        )


class _Connection(asyncio.Protocol):
    """One client: requests without a body, one after the other."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket, self._held = bucket, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            target = self._held.split(b" ", 2)[1].decode()
            self._held = self._held[end + 4 :]
            assert isinstance(self._transport, asyncio.Transport)
            self._transport.write(self._bucket.answer(target))


def _serve(bucket: Bucket, port: int) -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: _Connection(bucket), "127.0.0.1", port, reuse_port=True, backlog=1024
        )
        await server.serve_forever()

    asyncio.run(run())


@contextmanager
def served(objects: Mapping[str, bytes]) -> Iterator[str]:
    """The address of a server of these objects, while it is wanted."""
    with socket.socket() as held:  # keeps the port until all processes share it
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        bucket = Bucket(objects)
        context = multiprocessing.get_context("fork")
        running = [context.Process(target=_serve, args=(bucket, port), daemon=True) for _ in range(PROCESSES)]
        for process in running:
            process.start()
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            for process in running:
                process.terminate()
                process.join()
