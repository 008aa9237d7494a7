"""Logs to read: real records of data/sample/real, and larger objects made of their bytes with varied user lines."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from windsock.model import LogKey, Parsed
from windsock.parse import parse_key
from windsock.parse.batch import LogObject, read_task_logs

REAL = Path(__file__).parents[2] / "data/sample/real"
AT = datetime(2026, 11, 24, tzinfo=UTC)
WORDS = [
    "loaded",
    "batch",
    "of",
    "rows",
    "into",
    "table",
    "partition",
    "for",
    "customer",
    "orders",
    "warehouse",
    "staging",
    "merge",
    "done",
    "retry",
    "page",
    "cursor",
    "token_count",
    "bytes",
    "written",
    "commit",
    "offset",
    "lag",
    "schema",
    "column",
    "checked",
]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Some objects of one dialect, and how many bytes they hold."""

    name: str
    dialect: str
    objects: list[LogObject]

    @property
    def size(self) -> int:
        return sum(len(one.data) for one in self.objects)


def real(dialect: str) -> Corpus:
    """Every task log of the sample, as Airflow wrote it."""
    root = REAL / dialect
    objects = []
    for path in sorted(root.rglob("attempt=*.log")):
        if key := parse_key(str(path.relative_to(root))):
            objects.append(LogObject(key, path.read_bytes(), str(path.relative_to(root)), "e", AT))
    return Corpus(f"{dialect}, real small objects", dialect, objects)


_STAMP = re.compile(rb"20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d")
_UUID = re.compile(rb"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
# numbers of three digits and more, but not where code stands: that is the same for every object of a fleet
_NUMBER = re.compile(rb'(?<![\w.+-])(?<!\.py:)(?<!"lineno":)(?<!line )\d{3,}(?![\w:-])')
# where an exception's own words end
_SAID = re.compile(
    rb'(?<="exc_value":")(?:[^"\\]|\\.)+(?=")|^[\w.]*(?:Error|Exception|Timeout)\w*: .+$', re.MULTILINE
)


def varied(corpus: Corpus, *, count: int, seed: int = 11) -> Corpus:
    """About `count` objects made of those of a corpus in turn, no two alike: each has times, ids, numbers and an end of
    its exceptions' messages of its own. Lines of code, names of DAGs and tasks, and words repeat, as in a fleet."""
    rng = random.Random(seed)
    made = [
        LogObject(one.key, _as_another(one.data, rng), f"{one.url}#{turn}", one.etag, one.modified_at)
        for turn in range(max(1, count // len(corpus.objects)))
        for one in corpus.objects
    ]
    return Corpus(f"{corpus.name}, varied", corpus.dialect, made)


def as_in_a_fleet(corpus: Corpus) -> Corpus:
    """The same objects, but one in twenty did not end well: the sample is of a test bed, where that is every third 3.x log and
    six of ten of 2.x. Which ones is judged by the reader itself, of the real ones that they were made of: no cache may know the
    objects that are then timed. All shapes of bad ends are kept, in turn."""
    successes = _successes(corpus.dialect)
    good = [one for one in corpus.objects if one.url.partition("#")[0] in successes]
    bad = [one for one in corpus.objects if one.url.partition("#")[0] not in successes]
    wanted = len(good) // 19
    picked = [bad[place * len(bad) // wanted] for place in range(wanted)] if wanted else []
    objects = good + picked
    random.Random(5).shuffle(objects)
    return Corpus(f"{corpus.name}, one in twenty bad", corpus.dialect, objects)


@lru_cache(maxsize=2)
def _successes(dialect: str) -> frozenset[str]:
    """Where the logs of the sample lie that ended well."""
    objects = real(dialect).objects
    told = zip(objects, read_task_logs(objects), strict=True)
    return frozenset(
        one.url
        for one, outcome in told
        if isinstance(outcome, Parsed) and outcome.rows["task_logs"][0]["state"] == "success"
    )


def _as_another(data: bytes, rng: random.Random) -> bytes:
    later = timedelta(seconds=rng.randrange(-int(6.6 * 86_400), -16 * 3600))  # within the week before

    def stamp(found: re.Match[bytes]) -> bytes:
        text = found[0].decode()
        return (datetime.fromisoformat(text) + later).isoformat(sep=text[10]).encode()

    data = _STAMP.sub(stamp, data)
    data = _UUID.sub(lambda _found: _hex(rng, 8) + b"-4a1b-7c2d-8e3f-" + _hex(rng, 12), data)
    data = _NUMBER.sub(
        lambda found: b"%d" % rng.randrange(10 ** (len(found[0]) - 1), 10 ** len(found[0])), data
    )
    request = b" (request %s)" % _hex(rng, 16)
    return _SAID.sub(lambda found: found[0] + request, data)


def _hex(rng: random.Random, digits: int) -> bytes:
    return b"%0*x" % (digits, rng.getrandbits(4 * digits))


def large(dialect: str, *, megabytes: int, count: int = 2, seed: int = 7) -> Corpus:
    """`count` objects of user lines between the beginning and the end of a real success."""
    rng = random.Random(seed)
    head, tail = _frame(dialect)
    objects = []
    for number in range(count):
        at = AT - timedelta(days=1)
        parts, size = [head], len(head)
        while size < megabytes * 1_000_000 // count:
            at += timedelta(microseconds=rng.randrange(100, 20_000))  # all before the object was written
            line = _line(
                dialect, at, " ".join(rng.choices(WORDS, k=rng.randrange(4, 20))), rng.random() < 0.002
            )
            parts.append(line)
            size += len(line)
        parts.append(tail)
        key = LogKey("orders", f"scheduled__{number}", "load", -1, 1)
        objects.append(LogObject(key, b"".join(parts), f"large-{number}", "e", AT))
    return Corpus(f"{dialect}, large objects", dialect, objects)


def _line(dialect: str, at: datetime, text: str, is_warning: bool) -> bytes:
    if dialect == "airflow3":
        stamp = at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return (
            f'{{"timestamp":"{stamp}","level":"{"warning" if is_warning else "info"}","event":"{text}","map_index":-1,'
            f'"task_id":"load","run_id":"scheduled__2026-11-23T10:00:00+00:00","dag_id":"orders",'
            f'"logger":"unusual_prefix_0123456789abcdef_orders","filename":"orders.py","lineno":{len(text)}}}\n'
        ).encode()
    stamp = at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:23]
    more = "\n    continued here" if len(text) % 9 == 0 else ""
    return f"[{stamp}+0000] {{orders.py:{len(text)}}} {'WARNING' if is_warning else 'INFO'} - {text}{more}\n".encode()


def _frame(dialect: str) -> tuple[bytes, bytes]:
    """Beginning and end of a real successful attempt."""
    for one in real(dialect).objects:
        start = one.data.find(b"::endgroup::")
        if start > 0 and (b"Post Execute" in one.data or b"Marking task as SUCCESS" in one.data):
            cut = one.data.find(b"\n", start) + 1
            return one.data[:cut], one.data[cut:]
    raise LookupError(f"no success among the real {dialect} logs")
