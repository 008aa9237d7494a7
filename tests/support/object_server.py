"""A small object store on loopback, for tests: the XML interface that S3 and Google Cloud Storage share.

It keeps objects in memory and honours what a lake relies on: listing in key order with `start-after`, pages and a
delimiter; ranges; conditional writes by etag (S3) or by generation (GCS, `x-goog-if-generation-match`, 0 = create);
multipart uploads; copies. A test may hand in `on_request`, which sees every request before it is served and may
answer with a `Fault`; `requests` keeps what was asked, so that a test can count.
"""

from __future__ import annotations

import hashlib
import re
import socket
import struct
import threading
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came in. `number` counts from 1."""

    number: int
    method: str
    bucket: str
    key: str
    query: dict[str, str]

    @property
    def is_listing(self) -> bool:
        return self.method == "GET" and not self.key


@dataclass(frozen=True, slots=True)
class Fault:
    """How a request is answered wrongly. `status` answers with that code; the other kinds break the connection's word."""

    kind: Literal["status", "hang", "reset", "truncate", "lie"]
    status: int = 500
    code: str = ""  # of the XML error; by default the one that goes with the status
    message: str = ""
    seconds: float = 0.0  # hang: how long nothing is said
    keep: int = 0  # truncate, lie: bytes of the body that are sent


@dataclass(slots=True)
class Stored:
    """One object."""

    data: bytes
    etag: str
    generation: int
    modified_at: datetime


@dataclass(slots=True)
class ObjectServer:
    """The store. Use it with `with`: it listens on a free port of 127.0.0.1."""

    page_size: int = 1000
    on_request: Callable[[Request], Fault | None] = lambda _request: None
    after_write: Callable[[Request], None] = lambda _request: None
    requests: list[Request] = field(default_factory=list)
    _buckets: dict[str, dict[str, Stored]] = field(default_factory=dict)
    _keys: dict[str, list[str]] = field(default_factory=dict)
    _uploads: dict[str, dict[int, bytes]] = field(default_factory=dict)
    _generation: int = 1000
    lock: threading.RLock = field(default_factory=threading.RLock)
    url: str = ""
    _http: ThreadingHTTPServer | None = None

    def __enter__(self) -> ObjectServer:
        handler = type("Handler", (_Handler,), {"store": self})
        self._http = _Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._http is not None
        self._http.shutdown()
        self._http.server_close()

    def bucket(self, name: str) -> dict[str, Stored]:
        """The objects of a bucket; a bucket exists once it was asked for here."""
        self._keys.setdefault(name, [])
        return self._buckets.setdefault(name, {})

    def has(self, name: str) -> bool:
        return name in self._buckets

    def put(self, bucket: str, key: str, data: bytes, *, modified_at: datetime | None = None) -> Stored:
        with self.lock:
            objects = self.bucket(bucket)
            self._generation += 1
            at = modified_at or datetime.now(UTC).replace(microsecond=0)
            stored = Stored(data, hashlib.md5(data).hexdigest(), self._generation, at)
            if key not in objects:
                keys = self._keys[bucket]
                keys.insert(bisect_left(keys, key), key)
            objects[key] = stored
            return stored

    def delete(self, bucket: str, key: str) -> None:
        with self.lock:
            if self.bucket(bucket).pop(key, None):
                keys = self._keys[bucket]
                del keys[bisect_left(keys, key)]

    def keys(self, bucket: str, *, prefix: str, after: str) -> list[str]:
        with self.lock:
            keys = self._keys[bucket]
            start = max(bisect_left(keys, prefix), bisect_right(keys, after) if after else 0)
            return [key for key in keys[start:] if key.startswith(prefix)]

    def count(self, wanted: Callable[[Request], bool]) -> int:
        return sum(1 for one in self.requests if wanted(one))

    @contextmanager
    def counting(self) -> Iterator[list[Request]]:
        """The requests made inside the block."""
        start = len(self.requests)
        seen: list[Request] = []
        yield seen
        seen += self.requests[start:]

    def start_upload(self) -> str:
        with self.lock:
            self._generation += 1
            name = f"upload-{self._generation}"
            self._uploads[name] = {}
            return name

    def add_part(self, upload: str, number: int, data: bytes) -> None:
        self._uploads[upload][number] = data

    def finish_upload(self, upload: str) -> bytes:
        parts = self._uploads.pop(upload)
        return b"".join(parts[number] for number in sorted(parts))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed leaves a broken connection; that is no news here."""


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    store: ObjectServer

    def log_message(self, *_: object) -> None: ...

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        with self.store.lock:
            request = Request(
                len(self.store.requests) + 1, self.command, bucket, key,
                dict(parse_qsl(parts.query, keep_blank_values=True)),
            )  # fmt: skip
            self.store.requests.append(request)
        fault = self.store.on_request(request)
        if fault is not None and self._is_broken_by(fault):
            return
        if not self.store.has(bucket):
            self._error(404, "NoSuchBucket")
            return
        getattr(self, f"_{self.command.lower()}")(request, body, fault)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve

    def _is_broken_by(self, fault: Fault) -> bool:
        if fault.kind == "hang":
            time.sleep(fault.seconds)
            self.close_connection = True
            return True
        if fault.kind == "reset":
            # linger 0: the peer sees a reset, not an orderly end
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return True
        if fault.kind == "status":
            usual = {403: "AccessDenied", 429: "SlowDown", 503: "SlowDown"}.get(fault.status, "InternalError")
            self._error(fault.status, fault.code or usual, fault.message)
            return True
        return False

    def _answer(
        self,
        status: int,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        *,
        fault: Fault | None = None,
    ) -> None:
        lines = [f"HTTP/1.1 {status} X", f"Date: {format_datetime(datetime.now(UTC), usegmt=True)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        length = len(body)
        if fault and fault.kind == "lie":
            body, length = body[: fault.keep], fault.keep
        elif fault and fault.kind == "truncate":
            body = body[: fault.keep]
            self.close_connection = True
        if "Content-Length" not in (headers or {}):
            lines.append(f"Content-Length: {length}")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode()
        self.wfile.write(head if self.command == "HEAD" else head + body)

    def _error(self, status: int, code: str, message: str = "") -> None:
        self._answer(
            status,
            f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message or code}</Message></Error>".encode(),
        )

    def _head(self, request: Request, _body: bytes, _fault: Fault | None) -> None:
        stored = self.store.bucket(request.bucket).get(request.key)
        if stored is None:
            self._error(404, "NoSuchKey")
            return
        self._answer(200, headers=_headers(stored) | {"Content-Length": str(len(stored.data))})

    def _get(self, request: Request, _body: bytes, fault: Fault | None) -> None:
        if not request.key:
            self._list(request)
            return
        stored = self.store.bucket(request.bucket).get(request.key)
        if stored is None:
            self._error(404, "NoSuchKey")
            return
        if (wanted := self.headers.get("if-match")) and wanted.strip('"') != stored.etag:
            self._error(412, "PreconditionFailed")
            return
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("range") or "")
        if match is None:
            self._answer(200, stored.data, _headers(stored), fault=fault)
            return
        start, end = int(match[1]), min(int(match[2] or len(stored.data)), len(stored.data) - 1)
        if start >= len(stored.data):
            self._error(416, "InvalidRange")
            return
        headers = _headers(stored) | {"Content-Range": f"bytes {start}-{end}/{len(stored.data)}"}
        self._answer(206, stored.data[start : end + 1], headers, fault=fault)

    def _list(self, request: Request) -> None:
        query = request.query
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        after = query.get("continuation-token") or query.get("start-after") or query.get("marker") or ""
        limit = min(int(query.get("max-keys", 1000)), self.store.page_size)
        objects, last = self.store.bucket(request.bucket), ""
        entries: list[tuple[str, Stored]] = []
        folders: list[str] = []
        is_cut = False
        for key in self.store.keys(request.bucket, prefix=prefix, after=after):
            folder = (
                prefix + key[len(prefix) :].partition(delimiter)[0] + delimiter
                if delimiter and delimiter in key[len(prefix) :]
                else ""
            )
            if folder and (
                folder in folders[-1:] or (after.startswith(folder) and after.endswith("\U0010ffff"))
            ):
                continue
            if len(entries) + len(folders) >= limit:
                is_cut = True
                break
            if folder:
                folders.append(folder)
                last = folder + "\U0010ffff"
            else:
                entries.append((key, objects[key]))
                last = key
        rows = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>{one.modified_at:%Y-%m-%dT%H:%M:%S.000Z}</LastModified>"
            f'<ETag>"{one.etag}"</ETag><Generation>{one.generation}</Generation><Size>{len(one.data)}</Size>'
            f"<StorageClass>STANDARD</StorageClass></Contents>"
            for key, one in entries
        )
        rows += "".join(f"<CommonPrefixes><Prefix>{escape(one)}</Prefix></CommonPrefixes>" for one in folders)
        more = f"<NextContinuationToken>{escape(last)}</NextContinuationToken>" if is_cut else ""
        self._answer(
            200,
            f"<?xml version='1.0' encoding='UTF-8'?><ListBucketResult><Name>{request.bucket}</Name>"
            f"<Prefix>{escape(prefix)}</Prefix><KeyCount>{len(entries) + len(folders)}</KeyCount><MaxKeys>{limit}</MaxKeys>"
            f"<IsTruncated>{str(is_cut).lower()}</IsTruncated>{more}{rows}</ListBucketResult>".encode(),
            {"Content-Type": "application/xml"},
        )

    def _put(self, request: Request, body: bytes, _fault: Fault | None) -> None:
        if "partNumber" in request.query:
            self.store.add_part(request.query["uploadId"], int(request.query["partNumber"]), body)
            self._answer(200, headers={"ETag": f'"{hashlib.md5(body).hexdigest()}"'})
            return
        with self.store.lock:
            if not self._may_write(request):
                self._error(412, "PreconditionFailed")
                return
            source = self.headers.get("x-goog-copy-source") or self.headers.get("x-amz-copy-source")
            if source:
                bucket, _, key = unquote(source).lstrip("/").partition("/")
                body = self.store.bucket(bucket)[key].data
            stored = self.store.put(request.bucket, request.key, body)
        self.store.after_write(request)
        result = f'<CopyObjectResult><ETag>"{stored.etag}"</ETag><LastModified>{stored.modified_at.isoformat()}</LastModified></CopyObjectResult>'
        self._answer(200, result.encode() if source else b"", _headers(stored))

    def _may_write(self, request: Request) -> bool:
        stored = self.store.bucket(request.bucket).get(request.key)
        generation = self.headers.get("x-goog-if-generation-match")
        if generation is not None:
            return generation == (str(stored.generation) if stored else "0")
        if self.headers.get("if-none-match") == "*":
            return stored is None
        etag = self.headers.get("if-match")
        return etag is None or (stored is not None and stored.etag == etag.strip('"'))

    def _post(self, request: Request, body: bytes, _fault: Fault | None) -> None:
        if "uploads" in request.query:
            upload = self.store.start_upload()
            self._answer(
                200,
                f"<InitiateMultipartUploadResult><Bucket>{request.bucket}</Bucket><Key>{escape(request.key)}</Key>"
                f"<UploadId>{upload}</UploadId></InitiateMultipartUploadResult>".encode(),
            )
        elif "uploadId" in request.query:
            stored = self.store.put(
                request.bucket, request.key, self.store.finish_upload(request.query["uploadId"])
            )
            self.store.after_write(request)
            self._answer(
                200,
                f"<CompleteMultipartUploadResult><Bucket>{request.bucket}</Bucket><Key>{escape(request.key)}</Key>"
                f'<ETag>"{stored.etag}"</ETag></CompleteMultipartUploadResult>'.encode(),
                _headers(stored),
            )
        elif "delete" in request.query:
            gone = re.findall(r"<Key>(.*?)</Key>", body.decode())
            for key in gone:
                self.store.delete(request.bucket, key)
            rows = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in gone)
            self._answer(200, f"<DeleteResult>{rows}</DeleteResult>".encode())
        else:
            self._error(400, "NotImplemented")

    def _delete(self, request: Request, _body: bytes, _fault: Fault | None) -> None:
        if "uploadId" not in request.query:
            self.store.delete(request.bucket, request.key)
        self._answer(204)


def _headers(stored: Stored) -> dict[str, str]:
    return {
        "ETag": f'"{stored.etag}"',
        "x-goog-generation": str(stored.generation),
        "Last-Modified": format_datetime(stored.modified_at, usegmt=True),
    }
