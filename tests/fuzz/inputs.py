"""Bytes → objects → what both paths read of them. The fuzzer and the replay of its corpus ask the same."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from tests.fuzz.pieces import CAPTURES, check_pieces, check_stream
from tests.fuzz.stored import check_lake, check_names
from tests.support.outcomes import comparable, rows_of
from windsock.model import LogKey, Outcome, Parsed
from windsock.parse import parse_key, read_task_log
from windsock.parse.batch import LogObject, read_task_logs
from windsock.parse.task_log import Lines
from windsock.redaction import redact
from windsock.redaction.bulk import redact_column

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "tests/data/fuzz"
NOW = datetime(2026, 11, 24, tzinfo=UTC)
KEY = LogKey("d", "r", "t", -1, 1)
SPLIT = b"\n====\n"  # between two objects of one batch
LEVELS: tuple[Lines, ...] = ("errors", "warnings", "all")


def objects_of(data: bytes) -> list[LogObject]:
    """One or more objects, read as one batch."""
    return [LogObject(KEY, part, f"mem://{no}", "e", NOW) for no, part in enumerate(data.split(SPLIT)[:8])]


def check(data: bytes) -> None:
    """Both paths say the same of every object, at every level; redaction by column says what redaction by text does."""
    objects = objects_of(data)
    for lines in LEVELS:
        outcomes = read_task_logs(objects, lines=lines)
        for one, fast in zip(objects, outcomes, strict=True):
            exact = read_task_log(
                one.key, one.data, object_url=one.url, etag=one.etag, modified_at=one.modified_at, lines=lines
            )
            assert comparable(fast) == comparable(exact), (lines, one.data)
            check_rows(fast)
            check_stream(one, lines, exact)
    check_lake(outcomes)
    check_names(data)
    texts = [line.decode("utf-8", "replace") for line in data.split(b"\n")[:50]]
    assert redact_column(pa.array(texts)).to_pylist() == [redact(text) for text in texts], texts
    check_pieces(data)


def check_rows(outcome: Outcome) -> None:
    """What must hold of every object that was read."""
    if not isinstance(outcome, Parsed):
        return
    rows = rows_of(outcome)
    (log,) = rows["task_logs"]
    assert log["record_count"] >= log["warning_count"] >= log["error_count"] >= 0
    for event in rows["log_events"]:
        assert len(event["message"].encode("utf-8")) <= 16 * 1024


def seeds() -> Iterator[bytes]:
    """Small real logs of both families, wrapped copies, and pieces that are known to hurt."""
    real = sorted((ROOT / "data/sample/real").rglob("*.log"), key=lambda path: path.stat().st_size)
    for path in real[::4]:
        data = path.read_bytes()
        if parse_key(path.name) is not None or len(data) < 6000:
            yield data[:6000]
    yield from HOSTILE


LINE3 = (
    b'{"timestamp":"2026-11-23T15:23:27.467692Z","level":"info","event":"%s","logger":"user","lineno":7}\n'
)
LINE2 = b"[2026-11-23T15:22:59.673+0000] {user.py:12} INFO - %s\n"
GROUP3 = b'{"timestamp":"2026-11-23T15:23:26.000001Z","level":"info","event":"::group::Pre Execute","logger":"task"}\n'
TEXTS = [
    b"", b"x", b"nul \x00", b"\xff\xfe", "\u0085 \u2028 \U0001f9ed".encode(), b"\r", rb"\u0000 \ud83d", rb"\"quoted\" \n", b"password=hunter2FAKE",
    b"\x1b[31mred", b"Marking task as FAILED. dag_id=d", b"x" * 300, b"A" * 70, b"[2", b'{"a":[[[[1]]]]}', b"@-@{}",
]  # fmt: skip
HOSTILE = [
    *CAPTURES,
    GROUP3 + b"".join(LINE3 % text for text in TEXTS),
    b"".join(LINE2 % text for text in TEXTS),
    LINE2 % b"a" + SPLIT + GROUP3 + LINE3 % b"b" + SPLIT + LINE2 % b"c",
    GROUP3 + (LINE3 % b"a").replace(b"2026-11-23", b"9999-12-31") + (LINE3 % b"a").replace(b"2026-11-23", b"2026-02-30"),
    (LINE2 % b"a").replace(b"2026", b"0000") + (LINE2 % b"a").replace(b"+0000", b"-2359") + (LINE2 % b"a").replace(b"+0000", b"+9999"),
    b"[" * 3000, b'{"event":' * 500, b"\xef\xbb\xbf" + LINE2 % b"bom", (GROUP3 + LINE3 % b"w").decode().encode("utf-16"),
    gzip.compress(GROUP3 + LINE3 % b"z", mtime=0), b"\x1f\x8b junk", b"\x00" * 100, b"[1, 2]\n3\nnull\n\"text\"\n",
    b'{"log":"[2026-11-23T15:22:59.673+0000] {user.py:12} INFO - a\\n","stream":"stdout"}\n' * 3,
    b"".join(b"2026-11-23T15:21:00.1Z stdout %s\n" % part for part in (b"F " + LINE2 % b"a", b"P [2026-11-2", b"stderr", b"F 3T15:22:59.673+0000] {user.py:12} ERROR - b", b"P c")),
    b"".join(
        b'{"log":"%s","stream":"%s","time":%d}\n' % part
        for part in ((rb"[2026-11-23T15:22:59.673+0000] {user.py:12} INFO - a\n", b"stdout", 1), (b"[2026-11-23T15:22:59.673+0000]", b"stdout", 3),
                     (rb"b\n", b"stderr", 4), (rb" {user.py:12} ERROR - c\n", b"stdout", 5), (b"d", b"stdout", 2))
    ),
    b"".join(b'{"message":"%s","logtag":"%s"}\n' % part for part in (((LINE2 % b"a").strip(), b"F"), (b"[2026-11-23T15:22:59.673+0000] {", b"P"), (b"user.py:12} INFO - ", b"P"), (b"{}", b"F"))),
    b'{"line":"{\\"log\\":\\"[2026-11-23T15:22:59.673+0000] {u.py:1} INFO - a\\\\n\\",\\"stream\\":\\"x\\"}","ts":3}\n{"line":"{\\"log\\":\\"b\\",\\"stream\\":\\"x\\"}","ts":1}\n',
    b"2026-11-23T15:21:00Z stdout F " + LINE2 % b"container", b"worker-1  | " + LINE3 % b"compose",
    b'{"asctime": "2026-11-23T15:21:00", "levelname": "INFO", "filename": "x.py", "lineno": 1, "message": "m"}\n' * 2,
]  # fmt: skip
