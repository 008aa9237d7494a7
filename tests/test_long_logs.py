"""Logs that are too large to be held, through a store that changes them meanwhile, and on a disk that is full."""

import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.object_server import Fault, ObjectServer, Request
from windsock import config as configs
from windsock.errors import LakeError
from windsock.model import Outcome, Parsed, Reject
from windsock.pull.logs import read_objects
from windsock.scratch.overflow import Overflow
from windsock.sources.fetch import fetch_or_stream
from windsock.store import Storage, open_store, remote

os.environ |= {
    "AWS_ACCESS_KEY_ID": "fake",
    "AWS_SECRET_ACCESS_KEY": "fake",
    "AWS_EC2_METADATA_DISABLED": "true",
}
KEY = "dag_id=d/run_id=scheduled__2026-11-23T00:00:00+00:00/task_id=t/attempt=1.log"
LINE = b"[2026-11-23T15:22:59.673+0000] {user.py:12} INFO - batch loaded\n"
END = b"[2026-11-23T15:23:%02d.000+0000] {taskinstance.py:1} INFO - Marking task as %s. dag_id=d, task_id=t\n"


def log(state: bytes, lines: int) -> bytes:
    return LINE * lines + END % (lines % 60, state)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectServer]:
    monkeypatch.setattr(remote, "CHUNK_BYTES", 5000)
    monkeypatch.setattr(remote, "CHUNKS_AHEAD", 1)
    with ObjectServer() as server:
        server.put("logs", f"prod/{KEY}", log(b"FAILED", 500))
        yield server


def read(server: ObjectServer, folder: Path, *, meanwhile: Callable[[int], Fault | None]) -> Outcome:
    """The log by ranges; `meanwhile` is called before each of them is answered."""
    home = folder / "w.toml"
    home.write_text("[deployment]\nname='prod'\n[sources.task_logs]\nurl='s3://logs/prod'\n")
    store = open_store("s3://logs/prod", Storage(s3_endpoint_url=server.url))
    objects = list(store.list())
    count = 0

    def on_request(one: Request) -> Fault | None:
        nonlocal count
        if one.method != "GET" or not one.key:
            return None
        count += 1
        return meanwhile(count)

    server.on_request = on_request
    fetched = fetch_or_stream(store, objects, kind="task_logs", stream_from=1000)
    ((_obj, outcome),) = read_objects(configs.load(home, {}), "task_logs", fetched)
    return outcome


def test_a_long_log_is_read_by_ranges(server: ObjectServer, tmp_path: Path) -> None:
    outcome = read(server, tmp_path, meanwhile=lambda _count: None)
    assert isinstance(outcome, Parsed)
    (row,) = outcome.rows["task_logs"]
    assert (row["state"], row["record_count"], row["log_bytes"]) == ("failed", 501, len(log(b"FAILED", 500)))


def test_a_log_that_is_replaced_while_it_is_read_is_read_again(server: ObjectServer, tmp_path: Path) -> None:
    def replace_once(count: int) -> None:
        if count == 4:
            server.put("logs", f"prod/{KEY}", log(b"SUCCESS", 700))

    outcome = read(server, tmp_path, meanwhile=replace_once)
    assert isinstance(outcome, Parsed)
    (row,) = outcome.rows["task_logs"]
    new = server.bucket("logs")[f"prod/{KEY}"]
    assert (row["state"], row["record_count"], row["object_etag"]) == ("success", 701, new.etag)


def test_a_log_that_is_replaced_all_the_time_is_a_reject(server: ObjectServer, tmp_path: Path) -> None:
    def replace(count: int) -> None:
        server.put("logs", f"prod/{KEY}", log(b"SUCCESS", 500 + count))

    outcome = read(server, tmp_path, meanwhile=replace)
    assert isinstance(outcome, Reject)
    assert outcome.reason == "changed"


def test_a_log_that_vanishes_while_it_is_read_is_a_reject(server: ObjectServer, tmp_path: Path) -> None:
    outcome = read(
        server, tmp_path, meanwhile=lambda count: server.delete("logs", f"prod/{KEY}") if count == 3 else None
    )
    assert isinstance(outcome, Reject)
    assert outcome.reason == "vanished"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [(Fault("status", 500), "store_error"), (Fault("status", 403), "forbidden"), (Fault("lie", keep=100), "wrong_length")],
    ids=lambda one: one if isinstance(one, str) else f"{one.kind}-{one.status}",
)  # fmt: skip
def test_a_range_that_never_comes_is_a_reject_with_its_reason(
    server: ObjectServer, tmp_path: Path, fault: Fault, reason: str
) -> None:
    outcome = read(server, tmp_path, meanwhile=lambda count: fault if count > 3 else None)
    assert isinstance(outcome, Reject)
    assert outcome.reason == reason


def test_a_hiccup_in_the_middle_loses_nothing(server: ObjectServer, tmp_path: Path) -> None:
    outcome = read(server, tmp_path, meanwhile=lambda count: Fault("reset") if count in (3, 5) else None)
    assert isinstance(outcome, Parsed)
    assert outcome.rows["task_logs"][0]["record_count"] == 501


def test_a_full_disk_is_one_line() -> None:
    rows: Overflow[bytes] = Overflow(held_bytes=10_000)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(LakeError, match="TMPDIR"):
            for _ in range(100):
                rows.append(os.urandom(1000), size=1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
