"""`windsock pull` reads what DAGs are made of: of some at a time by the API, of all by the database."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support import serialized_dags
from tests.support.airflow_server import Answer, FakeAirflow, load, serve
from tests.support.postgres import Postgres
from tests.test_pull_airflow import NOW, files, pipeline_file, pull, rows
from windsock.errors import ConfigError
from windsock.pull.makeup import Known, chosen, versions_of, waiting_of

DAY = timedelta(days=1)
READ = "select distinct dag_id from dag_tasks order by dag_id"


@pytest.fixture(params=[2, 3])
def airflow(request: pytest.FixtureRequest) -> Iterator[FakeAirflow]:
    """The recorded Airflow, with the DAGs of `told.py` in its list, too."""
    fake = load(request.param)
    like = fake.lists["dags"][0] | {"is_paused": False}
    fake.lists["dags"] = [like | {"dag_id": dag_id} for dag_id in sorted(fake.makeups)]
    with serve(fake) as served:
        yield served


def in_detail(number: int) -> str:
    return f"token_env = 'TOKEN'\ndags_in_detail = {number}"


def asked(airflow: FakeAirflow) -> list[str]:
    found = [one.split("/dags/")[1].split("/")[0] for one in airflow.requests if one.endswith("/details")]
    airflow.requests.clear()
    return found


def test_each_dag_is_read_once_and_again_when_it_is_old(tmp_path: Path, airflow: FakeAirflow) -> None:
    config = pipeline_file(tmp_path, api=airflow.url)
    pull(config)
    assert sorted(asked(airflow)) == sorted(airflow.makeups)
    told = [one for (one,) in rows(config, READ)]
    assert told == sorted(set(airflow.makeups) - {"empty"})
    assert rows(config, "select downstream_task_ids from dag_tasks where dag_id = 'shaped' and task_id = 'extract'") == [
        (["each", "load"],)
    ]  # fmt: skip
    facts = rows(config, "select value from deployments where key = 'dag_detail.empty'")
    assert [json.loads(value)["tasks"] for (value,) in facts] == [0]
    before = files(config)
    pull(config, now=NOW + timedelta(hours=3))
    assert (asked(airflow), files(config)) == ([], before)
    pull(config, now=NOW + 7 * DAY)
    assert sorted(asked(airflow)) == sorted(airflow.makeups)
    assert rows(config, "select count(distinct seen_at) from dag_tasks") == [(2,)]


def test_a_pull_asks_of_so_many_dags_and_tells_how_many_are_left(
    tmp_path: Path, airflow: FakeAirflow
) -> None:
    config = pipeline_file(tmp_path, api=airflow.url, more=in_detail(4))
    wanted = sorted(airflow.makeups)
    pull(config)
    assert sorted(asked(airflow)) == wanted[:4]  # several at once
    left = f"{len(wanted) - 4} of {len(wanted)} DAGs, by [sources.airflow_api] dags_in_detail = 4 a pull"
    assert rows(config, "select value from deployments where key = 'api.dags_left'") == [(left,)]
    pull(config, now=NOW + timedelta(hours=1))
    assert sorted(asked(airflow)) == wanted[4:8]
    pull(pipeline_file(tmp_path, api=airflow.url, more=in_detail(0)), now=NOW + timedelta(hours=2))
    assert asked(airflow) == []
    with pytest.raises(ConfigError, match="dags_in_detail is -1"):
        pipeline_file(tmp_path, api=airflow.url, more=in_detail(-1))


def test_a_dag_whose_run_stays_open_comes_first(tmp_path: Path, airflow: FakeAirflow) -> None:
    run = airflow.lists["dag_runs"][0]
    run |= {"dag_id": "watched", "state": "running", "start_date": "2026-11-23T10:00:00+00:00"}
    config = pipeline_file(tmp_path, api=airflow.url, more=in_detail(1))
    pull(config)
    assert asked(airflow) == ["watched"]
    pull(config, now=NOW + timedelta(hours=3))
    assert asked(airflow) != ["watched"], "not again on the same day"
    pull(config, now=NOW + DAY)
    assert asked(airflow) == ["watched"]


def test_a_dag_that_cannot_be_shown_costs_little_and_is_a_gap(tmp_path: Path, airflow: FakeAirflow) -> None:
    del airflow.makeups["mailed"]  # gone since it was listed
    airflow.script["/dags/empty/details"] = [Answer(500)] * 9
    config = pipeline_file(tmp_path, api=airflow.url)
    pull(config)
    read = asked(airflow)
    assert read.count("empty") == 2
    assert read.count("mailed") == 1
    assert len(rows(config, READ)) == len(airflow.makeups) - 1
    (gap,) = rows(config, "select value from deployments where key like 'api.missing_permission.GET /dags/%'")
    assert "of empty, and maybe others" in gap[0]
    assert "answered 500" in gap[0]
    pull(config, now=NOW + timedelta(hours=1))
    assert asked(airflow) == [], "what failed does not take the place of others"


def test_without_the_right_it_is_a_gap_after_one_dag(tmp_path: Path, airflow: FakeAirflow) -> None:
    airflow.forbidden |= {"/details"}
    config = pipeline_file(tmp_path, api=airflow.url)
    pull(config)
    assert rows(config, "select count(*) from dag_tasks") == [(0,)]
    (gap,) = rows(config, "select value from deployments where key like 'api.missing_permission.GET /dags/%'")
    assert "role Viewer" in gap[0]
    assert "which chain of tasks decides" in gap[0]


def test_the_database_tells_of_all_dags_and_the_api_is_not_asked(
    tmp_path: Path, airflow: FakeAirflow, pg: Postgres
) -> None:
    major = airflow.api + 1
    db = pg.create(f"makeup{major}", major)
    for row in serialized_dags.rows(major, packed=True):
        serialized_dags.insert(pg, f"makeup{major}", major, row)
    config = pipeline_file(tmp_path, api=airflow.url, db=db)
    pull(config)
    assert asked(airflow) == []
    assert rows(config, "select task_id, max_active_tis_per_dag from dag_tasks where dag_id = 'shaped' order by 1") == [
        ("each", 2), ("extract", None), ("load", None),
    ]  # fmt: skip
    assert [one for (one,) in rows(config, READ)] == sorted(set(airflow.makeups) - {"empty"})
    before = files(config)
    pull(config, now=NOW + timedelta(hours=3))
    assert files(config) == before


AT = datetime(2026, 11, 24, tzinfo=UTC)


def choose(known: dict[str, Known], *, most: int = 9, **more: Any) -> list[str]:
    dags = [{"dag_id": name} for name in "abcdef"]
    options: dict[str, Any] = {"versions": {}, "waiting": set(), "now": AT, "most": most, **more}
    return chosen(dags, known, **options)[0]


def test_what_needs_it_most_comes_first() -> None:
    fresh = Known(AT - timedelta(hours=21), "1")
    known = {
        "a": Known(AT - timedelta(days=9), "1"),
        "b": Known(AT - timedelta(days=8), "1"),
        "c": Known(AT - timedelta(hours=21), "1", is_young=True),
        "d": Known(AT - timedelta(hours=1), "1"),
        "f": fresh,
    }
    versions = dict.fromkeys("abcef", "1") | {"d": "2"}
    assert choose(known, versions=versions, waiting={"f"}) == ["f", "e", "d", "c", "a", "b"]
    assert choose(known, versions=versions, waiting={"f"}, most=2) == ["f", "e"]
    assert choose(dict.fromkeys("abcdef", fresh), versions=dict.fromkeys("abcdef", "1")) == []


def test_paused_dags_come_last_and_those_that_are_gone_never() -> None:
    dags = [{"dag_id": "paused", "is_paused": True}, {"dag_id": "stale", "is_stale": True},
            {"dag_id": "old", "is_active": False}, {"dag_id": "z"}]  # fmt: skip
    found = chosen(dags, {}, versions={}, waiting=set(), now=AT, most=9)
    assert found == (["z", "paused"], 0)


def test_a_mark_is_read_as_it_was_written() -> None:
    for known in (Known(AT), Known(AT, "12", is_young=True)):
        assert Known.of(known.etag()) == known
    assert Known.of("") is None


def test_the_newest_version_and_the_runs_that_wait() -> None:
    told = [{"dag_id": "a", "version_number": 9}, {"dag_id": "a", "version_number": 10}, {"dag_id": "b"}]
    assert versions_of(told) == {"a": "10"}
    runs = [{"dag_id": "long", "start_date": "2026-11-23T20:00:00Z"}, {"dag_id": "new", "start_date": "2026-11-23T23:30:00Z"},
            {"dag_id": "queued", "queued_at": "2026-11-20T00:00:00Z"}]  # fmt: skip
    assert waiting_of(runs, AT) == {"long", "queued"}
