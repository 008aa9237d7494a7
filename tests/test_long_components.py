"""Component logs that are too large to be held, through a store that changes them meanwhile."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.object_server import Fault, ObjectServer, Request
from windsock import config as configs
from windsock.config import Config
from windsock.model import Outcome, Parsed, Reject, SourceObject
from windsock.parse.component import Part, growing, part_of
from windsock.pull import components as reading
from windsock.pull.components import read_components
from windsock.store import Storage, Store, open_store, remote

os.environ |= {
    "AWS_ACCESS_KEY_ID": "fake",
    "AWS_SECRET_ACCESS_KEY": "fake",
    "AWS_EC2_METADATA_DISABLED": "true",
}
KEY = "prod/scheduler.log"
DULL = b"[2026-11-23T15:22:59.673+0000] {scheduler_job_runner.py:12} INFO - nothing to do\n" * 600
PARTS = 120  # of 50 kB: above a sixty-fourth of the least memory_mb


def log(first: int, last: int) -> bytes:
    """In each part one run that timed out."""
    end = b"[2026-11-23T15:23:00.000+0000] {scheduler_job_runner.py:1} INFO - Run r%d of d has timed-out\n"
    return b"".join(DULL + end % number for number in range(first, last))


def runs(outcomes: list[tuple[SourceObject, Outcome]]) -> list[str]:
    return [
        row["run_id"]
        for _, told in outcomes
        if isinstance(told, Parsed)
        for row in told.rows.get("dag_runs", ())
    ]


def names(first: int, last: int) -> list[str]:
    return [f"r{number}" for number in range(first, last)]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectServer]:
    monkeypatch.setattr(remote, "CHUNK_BYTES", 500_000)
    monkeypatch.setattr(remote, "CHUNKS_AHEAD", 1)
    monkeypatch.setattr(reading, "PART_BYTES", 1_000_000)
    with ObjectServer() as server:
        server.put("logs", KEY, log(0, PARTS))
        yield server


@pytest.fixture
def config(tmp_path: Path) -> Config:
    home = tmp_path / "w.toml"
    home.write_text(
        "[deployment]\nname='p'\n[sources.component_logs]\nurl='s3://logs/prod'\n[lake]\nurl='lake'\nmemory_mb=256\n"
    )
    return configs.load(home, {})


def store_of(server: ObjectServer) -> Store:
    return open_store("s3://logs/prod", Storage(s3_endpoint_url=server.url))


def read(
    server: ObjectServer,
    config: Config,
    *,
    known: list[Part] | None = None,
    meanwhile: Callable[[int], Fault | None] = lambda _count: None,
) -> list[tuple[SourceObject, Outcome]]:
    """`meanwhile` is called before each reading request is answered."""
    store = store_of(server)
    objects = list(store.list())
    count = 0

    def on_request(one: Request) -> Fault | None:
        nonlocal count
        if one.method != "GET" or not one.key:
            return None
        count += 1
        return meanwhile(count)

    server.on_request = on_request
    return list(read_components(config, store, objects, {objects[0].url: known or []}))


def parts(outcomes: list[tuple[SourceObject, Outcome]]) -> list[Part]:
    return [found[1] for obj, _ in outcomes if (found := part_of(obj.url, obj.etag, is_current=True))]


def test_it_is_read_by_ranges_and_told_in_parts(server: ObjectServer, config: Config) -> None:
    outcomes = read(server, config)
    assert runs(outcomes) == names(0, PARTS)
    assert len(parts(outcomes)) == 6
    gets = [one for one in server.requests if one.method == "GET" and one.key]
    assert len(gets) == -(-len(log(0, PARTS)) // 500_000)


def test_replaced_while_it_is_read_its_new_version_is_told_and_no_part_twice(
    server: ObjectServer, config: Config
) -> None:
    def grow_once(count: int) -> None:
        if count == 6:
            server.put("logs", KEY, log(0, PARTS + 20))

    outcomes = read(server, config, meanwhile=grow_once)
    assert runs(outcomes) == names(0, PARTS + 20)
    urls = [obj.url for obj, _ in outcomes]
    assert len(urls) == len(set(urls))
    last, told = outcomes[-1]
    assert isinstance(told, Parsed)
    assert last.etag == server.bucket("logs")[KEY].etag


def test_replaced_all_the_time_it_is_a_reject_behind_its_parts(server: ObjectServer, config: Config) -> None:
    def replace(count: int) -> None:
        if count > 5:
            server.put("logs", KEY, log(0, PARTS + count))

    outcomes = read(server, config, meanwhile=replace)
    told = outcomes[-1][1]
    assert isinstance(told, Reject)
    assert (told.kind, told.reason) == ("component_logs", "changed")
    assert parts(outcomes)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [(Fault("status", 500), "store_error"), (Fault("status", 403), "forbidden"), (Fault("lie", keep=100), "wrong_length")],
    ids=lambda one: one if isinstance(one, str) else f"{one.kind}-{one.status}",
)  # fmt: skip
def test_a_range_that_never_comes_is_a_reject_with_its_reason(
    server: ObjectServer, config: Config, fault: Fault, reason: str
) -> None:
    outcomes = read(server, config, meanwhile=lambda count: fault if count > 6 else None)
    assert isinstance(outcomes[-1][1], Reject)
    assert outcomes[-1][1].reason == reason


def test_what_the_next_pull_reads_of_it_is_what_was_missing(server: ObjectServer, config: Config) -> None:
    broken = read(server, config, meanwhile=lambda count: Fault("status", 403) if count > 6 else None)
    again = read(server, config, known=parts(broken))
    assert runs(broken) + runs(again) == names(0, PARTS)


def test_of_a_long_file_that_grew_by_a_long_end_only_the_end_is_fetched(
    server: ObjectServer, config: Config
) -> None:
    known = parts(read(server, config))
    server.put("logs", KEY, log(0, 2 * PARTS))
    store, fetched = store_of(server), 0
    (obj,) = store.list()
    before = len(server.requests)
    spared: list[int] = []
    outcomes = list(read_components(config, store, [obj], {obj.url: known}, spared=spared.append))
    fetched = sum(one.method == "GET" and bool(one.key) for one in server.requests[before:])
    # the last record stood open before, and is told by the part that it now belongs to
    assert runs(outcomes) == names(PARTS - 1, 2 * PARTS)
    assert fetched < 20
    assert spared == [known[-1].end - growing.CONTEXT_BYTES]


def test_a_grown_file_that_is_replaced_while_its_end_is_read_is_read_again(
    server: ObjectServer, config: Config
) -> None:
    known = parts(read(server, config))
    server.put("logs", KEY, log(0, 2 * PARTS))

    def rotate(count: int) -> None:
        if count == 8:
            server.put("logs", KEY, log(1000, 1000 + PARTS))

    outcomes = read(server, config, known=known, meanwhile=rotate)
    urls = [obj.url for obj, _ in outcomes]
    assert len(urls) == len(set(urls))
    assert runs(outcomes)[-PARTS:] == names(1000, 1000 + PARTS)
