"""A lake in a bucket: conditional writes, a lock that is kept, lost or taken over, files in parts, one state per reader."""

import json
import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.lakes import AT, NOW, log, obj, write
from tests.support.object_server import ObjectServer, Request
from windsock.errors import LakeError
from windsock.lake import Lake
from windsock.lake.lock import Lock
from windsock.model import Parsed
from windsock.store import PreconditionFailed, Storage, Store, base, open_store
from windsock.week import Week

WEEK = Week.of(AT)
os.environ |= {
    "AWS_ACCESS_KEY_ID": "fake",
    "AWS_SECRET_ACCESS_KEY": "fake",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture
def server() -> Iterator[ObjectServer]:
    with ObjectServer() as server:
        server.bucket("lake")
        yield server


def storage(server: ObjectServer) -> Storage:
    return Storage(s3_endpoint_url=server.url, gcs_base_url=server.url, gcs_anonymous=True)


@pytest.fixture(params=["s3", "gs"])
def store(request: pytest.FixtureRequest, server: ObjectServer) -> Store:
    return open_store(f"{request.param}://lake/prod", storage(server))


@pytest.fixture
def lake(store: Store, server: ObjectServer, tmp_path: Path) -> Lake:
    return Lake.open(
        store.url,
        deployment="prod",
        storage=storage(server),
        cache_dir=tmp_path,
        create=True,
        renew_s=0.2,
        expire_s=1.5,
    )


def runs(lake: Lake) -> list[str]:
    sql = "select run_id from task_logs order by all"
    return [row[0] for row in lake.read(WEEK, lambda conn: conn.execute(sql).fetchall())]


def writes(requests: list[Request]) -> list[str]:
    return [one.key for one in requests if one.method in ("PUT", "POST") and one.key.endswith(".parquet")]


def test_rows_written_to_a_bucket_are_asked_back(lake: Lake) -> None:
    write(lake, (obj("a"), [log("r1")]), (obj("b"), [log("r2", AT - timedelta(weeks=1))]))
    write(
        lake, (obj("a", "2"), [log("r1", AT - timedelta(weeks=1))]), (obj("b", "2"), [log("r2"), log("r3")])
    )
    assert runs(lake) == ["r1", "r2", "r3"]


def test_the_same_rows_again_write_no_table_file(lake: Lake, server: ObjectServer) -> None:
    write(lake, (obj("a"), [log("r1")]))
    with server.counting() as seen:
        assert write(lake, (obj("a"), [log("r1")]), now=NOW + timedelta(days=1)) == 0
    assert [key for key in writes(seen) if "_windsock" not in key] == []


def test_a_token_names_one_version(store: Store) -> None:
    first = store.put("x", b"1", create=True)
    second = store.put("x", b"2", if_match=first)
    assert store.token("x") == second != first
    for lost in ({"create": True}, {"if_match": first}):
        with pytest.raises(PreconditionFailed):
            store.put("x", b"3", **lost)  # type: ignore[arg-type]
    assert store.get("x") == b"2"


def test_a_write_whose_answer_was_lost_does_not_lose_against_itself(
    store: Store, server: ObjectServer
) -> None:
    first = store.put("x", b"1", create=True)
    from tests.support.object_server import Fault

    served: list[int] = []

    def answer_is_lost(request: Request) -> Fault | None:
        if request.method == "PUT" and not served:
            served.append(1)
            server.put("lake", "prod/x", b"2")  # it was written, and then the connection broke
            return Fault("status", 503)
        return None

    server.on_request = answer_is_lost
    assert store.put("x", b"2", if_match=first) == store.token("x")


def test_a_file_above_the_limit_goes_up_in_parts_after_the_lock_was_asked_again(
    store: Store, server: ObjectServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    big = tmp_path / "big"
    big.write_bytes(os.urandom(20_000_000))
    asked: list[int] = []
    monkeypatch.setattr("windsock.store.remote.ONE_PUT_BYTES", 1_000_000)
    assert base.ONE_PUT_BYTES == 64 * 1024 * 1024
    with server.counting() as seen:
        store.put_file("big", big, if_match=None, check=lambda: asked.append(1))
    assert store.get("big") == big.read_bytes()
    assert sum("partNumber" in one.query for one in seen) >= 3
    assert len(asked) >= 4

    def lost() -> None:
        if len(asked) > 6:
            raise LakeError("the lock was lost")
        asked.append(1)

    big.write_bytes(os.urandom(20_000_000))
    before = store.get("big")
    with pytest.raises(Exception, match="lock was lost"):
        store.put_file("big", big, if_match=store.token("big"), check=lost)
    assert store.get("big") == before


def test_a_second_pull_is_told_who_writes(lake: Lake) -> None:
    with lake.writer(shard=0, holder="host-a", now=NOW), pytest.raises(LakeError, match="host-a"):
        lake.writer(shard=0, holder="host-b", now=NOW).__enter__()
    write(lake, (obj("a"), [log("r1")]))  # released: the next one does not wait


def test_a_lock_is_taken_over_only_after_it_was_seen_unchanged(store: Store) -> None:
    dead = Lock(store, "_windsock/lock-000", "dead", renew_s=99, expire_s=1.0)
    dead.__enter__()  # never renews, never releases: a killed process
    started = time.monotonic()
    with Lock(store, "_windsock/lock-000", "alive", renew_s=0.2, expire_s=1.0) as lock:
        assert time.monotonic() - started >= 1.0
        lock.check()
        with pytest.raises(LakeError, match="lock was lost"):
            dead.check()
        dead.__exit__(None, None, None)  # a loser's release frees nothing
        lock.check()
        assert json.loads(store.get("_windsock/lock-000"))["holder"] == "alive"


def test_a_paused_writer_that_wakes_after_its_lock_was_taken_writes_nothing(
    lake: Lake, store: Store, server: ObjectServer
) -> None:
    write(lake, (obj("a"), [log("r1")]))
    sleeper = lake.writer(shard=0, holder="sleeper", now=NOW)
    with sleeper:
        sleeper._lock._stop.set()  # paused: nothing renews
        sleeper.add(
            obj("b"), Parsed("task_logs", {"task_logs": [log("r2")]}), kind="task_logs", parser_version="1"
        )
        write(lake, (obj("c"), [log("r3")]))
        sleeper._lock._stop.clear()
        with server.counting() as seen, pytest.raises(LakeError, match="lock was lost"):
            sleeper.checkpoint()
        assert writes(seen) == []
    assert runs(lake) == ["r1", "r3"]


def test_a_holder_that_cannot_reach_the_store_stops_writing(store: Store, server: ObjectServer) -> None:
    from tests.support.object_server import Fault

    with Lock(store, "_windsock/lock-000", "cut off", renew_s=0.1, expire_s=1.0) as lock:
        lock.check()
        server.on_request = lambda request: Fault("status", 403) if request.method == "PUT" else None
        deadline = threading.Event()
        deadline.wait(0.8)
        with pytest.raises(LakeError, match="lock was lost"):
            lock.check()


def test_two_pulls_at_once_leave_the_rows_of_one_or_of_both(lake: Lake) -> None:
    outcomes: list[str] = []

    def one(name: str) -> None:
        try:
            write(lake, (obj(name), [log(name)]))
            outcomes.append(name)
        except LakeError as error:
            assert "another" in str(error) or "is being written by" in str(error)

    threads = [threading.Thread(target=one, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes
    assert runs(lake) == sorted(outcomes)


def test_a_reader_sees_one_state_while_a_pull_publishes(lake: Lake, server: ObjectServer) -> None:
    """A row moves between the two downloads of a reader: it is read again, and seen once."""
    before = AT - timedelta(weeks=1)
    write(lake, (obj("a"), [log("r1", before)]), (obj("b"), [log("r2")]), (obj("c"), [log("r3", before)]))
    moved: list[int] = []

    def move(request: Request) -> None:
        if request.method == "GET" and "task_logs/week=2026-11-16" in request.key and not moved:
            moved.append(1)
            write(lake, (obj("a", "2"), [log("r1")]), (obj("b", "2"), [log("r2", before)]))

    server.on_request = move  # type: ignore[assignment]
    assert runs(lake) == ["r1", "r2", "r3"]
    assert moved


def test_a_download_that_was_cut_off_never_stays(lake: Lake, server: ObjectServer, tmp_path: Path) -> None:
    from tests.support.object_server import Fault
    from windsock.store import ObjectUnreadable

    write(lake, (obj("a"), [log("r1")]))
    server.on_request = lambda one: (
        Fault("status", 500) if one.method == "GET" and one.key.endswith(".parquet") else None
    )
    lake.cache.keep_only(())
    with pytest.raises(ObjectUnreadable):
        lake.connect(WEEK)
    assert [path for path in tmp_path.rglob("*") if ".tmp-" in path.name] == []
    server.on_request = lambda _one: None
    assert runs(lake) == ["r1"]


def test_times_of_the_bucket_are_in_utc(store: Store, server: ObjectServer) -> None:
    server.put("lake", "prod/x", b"1", modified_at=datetime(2026, 1, 2, tzinfo=UTC))
    assert [one.modified_at for one in store.list()] == [datetime(2026, 1, 2, tzinfo=UTC)]
