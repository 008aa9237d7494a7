"""A listing's cost follows what is new, and it misses no key that is not known to be old."""

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from tests.support.object_server import Fault, ObjectServer, Request
from windsock.errors import SourceError
from windsock.sources.listing import PAGE, Listing, cutoff_of, scan_dag
from windsock.store import Storage, Store, open_store

os.environ |= {
    "AWS_ACCESS_KEY_ID": "fake",
    "AWS_SECRET_ACCESS_KEY": "fake",
    "AWS_EC2_METADATA_DISABLED": "true",
}
NOW = datetime(2026, 11, 25, tzinfo=UTC)
CUTOFF = cutoff_of(now=NOW, since=None, listed_at=NOW)


@pytest.fixture
def server() -> Iterator[ObjectServer]:
    with ObjectServer() as server:
        server.bucket("logs")
        yield server


@pytest.fixture(params=["s3", "gs"])
def store(request: pytest.FixtureRequest, server: ObjectServer) -> Store:
    storage = Storage(s3_endpoint_url=server.url, gcs_base_url=server.url, gcs_anonymous=True)
    return open_store(f"{request.param}://logs/prod", storage)


def put(server: ObjectServer, dag: str, run: str, task: str = "t", number: int = 1) -> str:
    key = f"dag_id={dag}/run_id={run}/task_id={task}/attempt={number}.log"
    server.put("logs", f"prod/{key}", b"x")
    return key


def runs(
    server: ObjectServer, dag: str, kind: str, *, every: timedelta, since: datetime, tasks: int = 1
) -> list[str]:
    """The keys of a DAG's runs, named as Airflow names them, from `since` until now."""
    keys, at = [], since
    while at < NOW:
        keys += [put(server, dag, f"{kind}__{at:%Y-%m-%dT%H:%M:%S}+00:00", f"t{n}") for n in range(tasks)]
        at += every
    return keys


def listed(store: Store, cutoff: date | None = CUTOFF) -> set[str]:
    return {obj.path for obj in Listing(store, cutoff)}


def is_recent(key: str, days: int = 35) -> bool:
    return key.split("__")[1][:10] >= (NOW - timedelta(days=days)).date().isoformat()


def test_old_runs_cost_no_requests(store: Store, server: ObjectServer) -> None:
    """Hourly for a month or for two years: the same requests, and every run of the look-back."""
    costs = []
    for dag, since in (("young", NOW - timedelta(days=60)), ("old", NOW - timedelta(days=730))):
        keys = runs(server, dag, "scheduled", every=timedelta(hours=1), since=since)
        with server.counting() as seen:
            found = {obj.path for obj in scan_dag(store, f"dag_id={dag}/", CUTOFF)}
        assert {key for key in keys if is_recent(key)} <= found
        assert len(found) <= 35 * 24 + 2 * PAGE  # what came with a page is not thrown away
        costs.append(len(seen))
    assert costs[1] <= costs[0]
    assert costs[1] <= 3


def test_free_form_backfill_and_manual_runs_among_them(store: Store, server: ObjectServer) -> None:
    old = NOW - timedelta(days=400)
    wanted = {
        put(server, "d", name)
        for name in ("hotfix 7", "zz", "2024-01-01", "manual_api__20240101T000000", "Ünï=code")
    }
    wanted |= set(runs(server, "d", "backfill", every=timedelta(days=7), since=old))
    for kind in ("scheduled", "manual", "asset_triggered", "dataset_triggered"):
        keys = runs(server, "d", kind, every=timedelta(hours=6), since=old)
        wanted |= {key for key in keys if is_recent(key)}
    wanted |= {put(server, "d", "asset_triggered__2026-11-23T15:24:55.301441+00:00_Jh4CvOLO")}
    assert wanted <= listed(store) < listed(store, None)


def test_a_monthly_run_is_named_a_month_before_it_starts(store: Store, server: ObjectServer) -> None:
    """Airflow 2: the run of October starts on 1 November, 24 days ago; by its name it is 55 days old."""
    monthly = [
        put(server, "monthly", f"scheduled__2026-{month:02d}-01T00:00:00+00:00") for month in range(1, 11)
    ]
    weekly = runs(
        server, "weekly", "scheduled", every=timedelta(days=7), since=NOW - timedelta(days=700), tasks=30
    )
    found = listed(store)
    assert monthly[-1] in found
    assert {key for key in weekly if is_recent(key, 42)} <= found
    assert len(found & set(weekly)) < 0.5 * len(weekly)


def test_a_monthly_run_of_more_tasks_than_a_page_holds(store: Store, server: ObjectServer) -> None:
    keys = [
        put(server, "wide", f"scheduled__2026-{month:02d}-01T00:00:00+00:00", f"t{n}")
        for month in range(5, 11)
        for n in range(1200)
    ]
    october = {key for key in keys if "2026-10-01" in key}
    with server.counting() as seen:
        found = {obj.path for obj in scan_dag(store, "dag_id=wide/", CUTOFF)}
    assert october <= found
    assert len(found) < len(keys)
    assert len(seen) <= 10


def test_a_cleared_old_run_is_found_by_a_full_listing(store: Store, server: ObjectServer) -> None:
    runs(server, "d", "scheduled", every=timedelta(hours=1), since=NOW - timedelta(days=300))
    cleared = put(server, "d", f"scheduled__{NOW - timedelta(days=200):%Y-%m-%dT%H:%M:%S}+00:00", number=2)
    lately = put(server, "d", f"scheduled__{NOW - timedelta(days=30):%Y-%m-%dT%H:%M:%S}+00:00", number=2)
    assert lately in listed(store)
    assert cleared not in listed(store)
    assert cleared in listed(store, None)


def test_old_runs_that_cost_no_further_page_are_listed(store: Store, server: ObjectServer) -> None:
    """A DAG that catches up, or runs once with an old start date: its run ids are old, its objects are not."""
    keys = {put(server, "once", "scheduled__2024-01-01T00:00:00+00:00", f"t{n}") for n in range(9)}
    keys |= set(runs(server, "daily", "scheduled", every=timedelta(days=1), since=NOW - timedelta(days=400)))
    assert listed(store) == keys
    objects = list(scan_dag(store, "dag_id=daily/", CUTOFF))
    assert len(objects) == len({obj.path for obj in objects})


def test_other_layouts_and_loose_objects_are_listed_whole(store: Store, server: ObjectServer) -> None:
    keys = {"legacy/t/2020-01-01T00:00:00+00:00/1.log", "readme", "dag_id=d/note", "a/b/c/d/e.log"}
    for key in keys:
        server.put("logs", f"prod/{key}", b"x")
    assert listed(store) == keys


def test_exported_streams_are_listed_by_pages_not_one_by_one(store: Store, server: ObjectServer) -> None:
    day = "2026-11-23T06_00_00+00_00"
    keys = {f"dag_id=d{n}-run_id=scheduled__{day}-task_id=t-attempt=1.log/000000.gz" for n in range(300)}
    for key in keys:
        server.put("logs", f"prod/export/1f-2e/{key}", b"x")
    with server.counting() as seen:
        assert listed(store) == {f"export/1f-2e/{key}" for key in keys}
    assert len(seen) <= 5


def test_the_folders_of_the_dags_may_lie_deeper_than_the_url(server: ObjectServer) -> None:
    runs(server, "d", "scheduled", every=timedelta(hours=1), since=NOW - timedelta(days=400))
    top = open_store("s3://logs", Storage(s3_endpoint_url=server.url))
    with server.counting() as seen:
        assert 35 * 24 <= len(listed(top)) <= 35 * 24 + PAGE
    assert len(seen) <= 6


def test_a_dag_whose_listing_fails_does_not_hide_the_others(store: Store, server: ObjectServer) -> None:
    keys = {put(server, dag, "manual__2026-11-24T00:00:00+00:00") for dag in "abc"}
    server.on_request = lambda one: (
        Fault("status", 500) if one.query.get("prefix", "").endswith("dag_id=b/") else None
    )
    listing = Listing(store, CUTOFF)
    assert {obj.path for obj in listing} == {key for key in keys if "dag_id=b" not in key}
    assert [prefix for prefix, _why in listing.failed] == ["dag_id=b/"]


def test_one_bad_page_is_asked_again(store: Store, server: ObjectServer) -> None:
    keys = set(runs(server, "d", "manual", every=timedelta(minutes=20), since=NOW - timedelta(days=30)))
    failed: list[str] = []

    def once(one: Request) -> Fault | None:
        if one.query.get("continuation-token") and not failed:
            failed.append(one.key)
            return Fault("status", 503)
        return None

    server.on_request = once
    assert listed(store) == keys
    assert failed


def test_a_store_that_refuses_every_listing_is_one_error(store: Store, server: ObjectServer) -> None:
    put(server, "d", "r")
    server.on_request = lambda one: Fault("status", 403) if one.is_listing else None
    with pytest.raises(SourceError, match="access denied"):
        listed(store)


def test_hostile_keys_in_one_dag_are_still_listed(server: ObjectServer) -> None:
    store = open_store("s3://logs/prod", Storage(s3_endpoint_url=server.url))
    keys = {
        put(server, "d", run)
        for run in ("a//b", "tab\there", "..", "it's", 'q"', "é=ü", "a%20b", "manual__2026-11-24T0")
    }
    keys |= {put(server, "e", "manual__2026-11-24T00:00:00+00:00")}
    assert listed(store) == keys


def test_a_run_before_the_last_good_listing_is_never_passed_over() -> None:
    """The look-back counts from the last listing without holes, not from today; a clock that was wrong counts for nothing."""
    asleep = NOW - timedelta(days=90)
    assert cutoff_of(now=NOW, since=None, listed_at=asleep) == (asleep - timedelta(days=35)).date()
    assert cutoff_of(now=NOW, since=NOW, listed_at=asleep) == (asleep - timedelta(days=35)).date()
    assert cutoff_of(now=NOW, since=asleep, listed_at=NOW) == (asleep - timedelta(days=35)).date()
    assert cutoff_of(now=NOW, since=None, listed_at=NOW + timedelta(days=4000)) is None
