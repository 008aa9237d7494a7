"""Fetching in order, in bounded bytes, through whatever a store does wrong."""

import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.object_server import Fault, ObjectServer, Request
from windsock.model import Reject, SourceObject
from windsock.sources.fetch import MAX_REQUESTS, MIN_REQUESTS, Ranges, Width, fetch, fetch_or_stream
from windsock.store import Body, Changed, ObjectUnreadable, Storage, Store, local, open_store, remote

os.environ |= {
    "AWS_ACCESS_KEY_ID": "fake",
    "AWS_SECRET_ACCESS_KEY": "fake",
    "AWS_EC2_METADATA_DISABLED": "true",
}
BODY = bytes(range(256)) * 40


@pytest.fixture
def server() -> Iterator[ObjectServer]:
    with ObjectServer() as server:
        for number in range(30):
            server.put("logs", f"prod/{number:02d}", BODY + str(number).encode())
        yield server


@pytest.fixture(params=["s3", "gs"])
def store(request: pytest.FixtureRequest, server: ObjectServer) -> Store:
    return open_store(
        f"{request.param}://logs/prod",
        Storage(s3_endpoint_url=server.url, gcs_base_url=server.url, gcs_anonymous=True),
    )


def always(fault: Fault, key: str = "prod/07") -> object:
    return lambda one: fault if one.method == "GET" and one.key == key else None


def once(fault: Fault) -> object:
    """Every object's first GET goes wrong."""
    seen: set[str] = set()

    def on_request(one: Request) -> Fault | None:
        if one.method != "GET" or not one.key or one.key in seen:
            return None
        seen.add(one.key)
        return fault

    return on_request


def got(store: Store) -> dict[str, bytes | str]:
    found = {}
    for obj, data in fetch(store, list(store.list()), kind="task_logs"):
        found[obj.path] = data.reason if isinstance(data, Reject) else data
    return found


GOOD = {f"{number:02d}": BODY + str(number).encode() for number in range(30)}


def test_bytes_come_in_the_order_of_the_listing(store: Store) -> None:
    assert list(got(store).items()) == list(GOOD.items())


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", 500), Fault("status", 503), Fault("status", 429), Fault("reset"), Fault("truncate", keep=500),
        Fault("lie", keep=500),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)  # fmt: skip
def test_a_hiccup_on_every_object_loses_nothing(store: Store, server: ObjectServer, fault: Fault) -> None:
    server.on_request = once(fault)  # type: ignore[assignment]
    assert got(store) == GOOD


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault("status", 500), "store_error"),
        (Fault("status", 429), "store_error"),
        (Fault("status", 403), "forbidden"),
        (Fault("status", 404), "vanished"),
        (Fault("reset"), "unreachable"),
        (Fault("truncate", keep=500), "unreadable"),
        (Fault("lie", keep=500), "wrong_length"),
    ],
    ids=lambda one: one if isinstance(one, str) else f"{one.kind}-{one.status}",
)
def test_one_object_that_never_comes_is_a_reject_with_its_reason(
    store: Store, server: ObjectServer, fault: Fault, reason: str
) -> None:
    server.on_request = always(fault)  # type: ignore[assignment]
    found = got(store)
    assert found.pop("07") == reason
    assert found == {path: body for path, body in GOOD.items() if path != "07"}


def test_a_store_that_hangs_is_asked_again(
    store: Store, server: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:

    from windsock.store import opening

    monkeypatch.setitem(opening.CLIENT, "read_timeout", timedelta(seconds=0.3))
    scheme = store.url.split("://")[0]
    quick = open_store(
        f"{scheme}://logs/prod",
        Storage(s3_endpoint_url=server.url, gcs_base_url=server.url, gcs_anonymous=True),
    )
    server.on_request = once(Fault("hang", seconds=1.0))  # type: ignore[assignment]
    assert got(quick) == GOOD


def test_an_object_that_grew_since_it_was_listed_is_told_as_it_was_read(
    store: Store, server: ObjectServer
) -> None:
    objects = list(store.list())
    grown = server.put("logs", "prod/07", BODY * 2)
    found = {obj.path: (obj, data) for obj, data in fetch(store, objects, kind="task_logs")}
    obj, data = found["07"]
    assert (obj.etag, obj.size, data) == (grown.etag, len(BODY) * 2, BODY * 2)


@pytest.fixture
def in_small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (local, remote):
        monkeypatch.setattr(module, "CHUNK_BYTES", 1000)


def ranges_of(store: Store, path: str) -> Ranges:
    ((_obj, data),) = fetch_or_stream(store, list(store.list(path)), kind="task_logs", stream_from=1000)
    assert isinstance(data, Ranges)
    return data


@pytest.mark.usefixtures("in_small_chunks")
def test_an_object_of_many_ranges_is_never_held_whole(store: Store, server: ObjectServer) -> None:
    data = ranges_of(store, "07")
    with server.counting() as seen:
        chunks = list(data.chunks())
    assert b"".join(chunks) == GOOD["07"] == b"".join(data.chunks())
    assert max(map(len, chunks)) == 1000
    assert len(seen) == len(chunks)
    assert store.get_range("07", 3, 3) == b""


@pytest.mark.usefixtures("in_small_chunks")
@pytest.mark.parametrize(
    "body", [BODY[:100], BODY[::-1] + b"07", BODY * 2], ids=["shorter", "same size", "longer"]
)
def test_an_object_that_is_replaced_while_it_is_read_is_noticed(
    store: Store, server: ObjectServer, body: bytes
) -> None:
    data = ranges_of(store, "07")
    chunks = data.chunks()
    next(chunks)
    server.put("logs", "prod/07", body)
    with pytest.raises(Changed):
        list(chunks)
    assert b"".join(data.renewed().chunks()) == body


@pytest.mark.usefixtures("in_small_chunks")
def test_a_range_that_never_comes_whole_is_noticed(store: Store, server: ObjectServer) -> None:
    data = ranges_of(store, "07")
    server.on_request = always(Fault("lie", keep=500))  # type: ignore[assignment]
    with pytest.raises(ObjectUnreadable) as caught:
        list(data.chunks())
    assert caught.value.reason == "wrong_length"


@pytest.mark.usefixtures("in_small_chunks")
def test_a_local_file_that_grows_while_it_is_read_is_read_as_it_was_listed(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(BODY)
    data = ranges_of(open_store(str(tmp_path)), "a")
    chunks = data.chunks()
    first = next(chunks)
    with (tmp_path / "a").open("ab") as handle:
        handle.write(b"more")
    assert first + b"".join(chunks) == BODY
    (tmp_path / "a").write_bytes(b"cut")
    with pytest.raises(Changed):
        list(data.chunks())


def test_an_object_that_grew_beyond_memory_comes_as_ranges(store: Store, server: ObjectServer) -> None:
    objects = list(store.list("07"))
    server.put("logs", "prod/07", BODY * 3)
    ((obj, data),) = fetch_or_stream(store, objects, kind="task_logs", stream_from=len(BODY) * 2)
    assert isinstance(data, Ranges)
    assert obj.size == len(BODY) * 3


class Slow:
    """A store whose answers wait for a signal, and that counts how many bytes are asked for at once."""

    def __init__(self, store: Store) -> None:
        self._store, self.now, self.most = store, 0, 0
        self._lock = threading.Lock()

    def read(self, path: str, *, at_most: int | None = None) -> Body:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        body = self._store.read(path)
        with self._lock:
            self.now -= 1
        return body


def test_bytes_in_flight_are_bounded(tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"{number:02d}").write_bytes(b"x" * 1000)
    slow = Slow(open_store(str(tmp_path)))
    objects = list(open_store(str(tmp_path)).list())
    got = fetch_or_stream(slow, objects, kind="task_logs", stream_from=9000, in_flight_bytes=3500)  # type: ignore[arg-type]
    assert len(list(got)) == 40
    assert 1 <= slow.most <= 3


def test_more_requests_where_answers_take_longer() -> None:
    for seconds, least, most in (
        (0.0005, MIN_REQUESTS, 16),
        (0.01, 64, 128),
        (0.2, MAX_REQUESTS, MAX_REQUESTS),
    ):
        width = Width()
        assert width.now() == MIN_REQUESTS
        for _ in range(64):
            width.saw(seconds)
        assert least <= width.now() <= most


def test_a_reader_that_stops_early_leaves_no_request_waiting(store: Store) -> None:
    fetched = fetch(store, list(store.list()), kind="task_logs")
    next(fetched)
    fetched.close()  # type: ignore[attr-defined]


def test_a_local_file_that_nobody_may_read_is_a_reject(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    store = open_store(str(tmp_path))
    gone = SourceObject(f"{tmp_path}/gone", "gone", 3, next_time(), "3-1")
    odd = SourceObject(f"{tmp_path}/folder", "folder", 3, next_time(), "3-1")
    reasons = [
        data.reason for _obj, data in fetch(store, [gone, odd], kind="task_logs") if isinstance(data, Reject)
    ]
    assert reasons == ["vanished", "unreadable"]


def next_time() -> datetime:
    return datetime(2026, 11, 25, tzinfo=UTC)
