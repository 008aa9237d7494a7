"""The database is only ever read, by a role that may only read, whatever release wrote its schema."""

import builtins
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support import serialized_dags
from tests.support.postgres import READER, Postgres
from windsock.errors import ConfigError, SourceError
from windsock.sources.airflow_db import AirflowDb, open_db, shown

LONG_AGO = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.fixture
def old(pg: Postgres) -> Iterator[str]:
    """A database to be changed by one test."""
    pg.create("old", 2)
    yield "old"


def opened(pg: Postgres, database: str, user: str = READER) -> AirflowDb:
    return open_db(pg.url(database, user))


def test_nothing_can_be_written_even_by_the_owner(pg: Postgres) -> None:
    pg.create("owned", 3)
    db = opened(pg, "owned", "postgres")
    with pytest.raises(SourceError, match="read-only transaction"):
        list(db._dicts("update task_instance set state = 'failed'"))
    assert pg.sql("owned", "select count(*) from task_instance where state = 'failed'") != pg.sql(
        "owned", "select count(*) from task_instance"
    )
    db.close()


def test_a_question_that_takes_too_long_is_one_line(pg: Postgres) -> None:
    pg.create("slow", 3)
    db = open_db(pg.url("slow", READER), statement_timeout_s=1)
    with pytest.raises(SourceError, match="statement timeout") as caught:
        list(db._dicts("select pg_sleep(30)"))
    assert "\n" not in str(caught.value)
    db.close()


@pytest.mark.parametrize(
    ("changes", "version"),
    [
        ("drop table task_instance_history", (2, 6)),
        ("drop table task_instance_history; alter table task_instance drop column updated_at, drop column executor; "
         "alter table dag_run drop column updated_at", (2, 2)),
        ("drop table task_instance_history; alter table task_instance add column execution_date timestamptz; "
         "update task_instance as t set execution_date = r.execution_date from dag_run as r "
         "where r.dag_id = t.dag_id and r.run_id = t.run_id; "
         "alter table task_instance drop column updated_at, drop column run_id, drop column map_index", (2, 0)),
    ],
)  # fmt: skip
def test_older_schemas_are_read_with_what_they_have(
    pg: Postgres, old: str, changes: str, version: tuple[int, int]
) -> None:
    expected = int(pg.sql(old, "select count(*) from task_instance where state is not null"))
    pg.sql(old, changes)
    db = opened(pg, old)
    assert db.version == version
    found = list(db.tries(LONG_AGO, None))
    assert len(found) >= (expected if version > (2, 0) else 1)
    assert all(one["dag_run_id"] for one in found)
    assert all(one["map_index"] is None or one["map_index"] >= -1 for one in found)
    assert len(list(db.runs(LONG_AGO, None))) == int(pg.sql(old, "select count(*) from dag_run"))
    db.close()


def test_pools_are_counted_as_airflow_counts_them(pg: Postgres) -> None:
    pg.create("pools", 3)
    pg.sql(
        "pools",
        "update slot_pool set include_deferred = (pool = 'api_rate_limit'); update task_instance set pool = 'default_pool';"
        "update task_instance set pool = 'api_rate_limit', pool_slots = 2, state = 'deferred' where id = (select min(id::text)::uuid from task_instance);"
        "update task_instance set pool = 'database_pool', pool_slots = 1, state = 'queued' where id = (select max(id::text)::uuid from task_instance)",
    )
    db = opened(pg, "pools")
    found = {one["name"]: one for one in db.pools()}
    assert {name: (one["slots"], one["open_slots"]) for name, one in found.items()} == {
        "default_pool": (128, 128), "api_rate_limit": (3, 1), "database_pool": (1, 0),
    }  # fmt: skip
    db.close()


def test_the_first_read_holds_no_more_than_a_batch(pg: Postgres) -> None:
    pg.create("big", 3)
    db = opened(pg, "big")
    rows = db._dicts("select g as n, repeat('x', 1000) as text from generate_series(1, 2000000) as g")
    assert next(rows)["n"] == 1  # two gigabytes are not waited for
    rows.close()
    db.close()


def test_a_database_that_is_not_airflows_says_so(pg: Postgres) -> None:
    with pytest.raises(SourceError, match="no table task_instance"):
        open_db(pg.url("postgres", READER))


def test_a_role_without_rights_says_which(pg: Postgres) -> None:
    pg.create("closed", 2)
    pg.sql("closed", f"revoke select on task_instance from {READER}")
    with pytest.raises(SourceError, match="may not read task_instance; `grant select"):
        open_db(pg.url("closed", READER))


def test_no_password_stands_in_an_error() -> None:
    url = "postgresql+psycopg2://airflow:FAKE-pass@127.0.0.1:9/airflow"
    with pytest.raises(SourceError, match="cannot connect") as caught:
        open_db(url)
    assert "FAKE-pass" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert shown(url) == "db:127.0.0.1:9/airflow"


def test_another_database_is_refused_in_one_line() -> None:
    with pytest.raises(ConfigError, match="no PostgreSQL address"):
        open_db("mysql://root@localhost/airflow")


def test_a_missing_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **more: Any) -> Any:
        if name.startswith("adbc_driver_postgresql"):
            raise ImportError(name)
        return real(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match=r"pip install 'windsock\[postgres\]'"):
        open_db("postgresql://localhost/airflow")


@pytest.mark.parametrize("major", [2, 3])
def test_serialised_dags_are_read_plain_and_compressed_as_airflow_wrote_them(
    pg: Postgres, major: int
) -> None:
    pg.create("serialized", major)
    expected = {}
    for packed in (False, True):
        for row in serialized_dags.rows(major, packed=packed):
            name = f"{row['dag_id']}-{packed}"
            serialized_dags.insert(pg, "serialized", major, row | {"dag_id": name})
            expected[name] = row
    db = opened(pg, "serialized")
    found = {one["dag_id"]: one for one in db.serialized_dags(1_000_000)}
    assert found.keys() == expected.keys()
    for name, row in expected.items():
        assert found[name]["data_compressed"] == row["data_compressed"]
        assert (found[name]["data"] is None) == (row["data"] is None)
        assert found[name]["data"] is None or json.loads(found[name]["data"]) == json.loads(row["data"])
    small = next(iter(db.serialized_dags(10)))
    assert small["size"] > 10 and small["data"] in (None, "null") and small["data_compressed"] is None
    db.close()


def test_of_the_versions_of_a_dag_the_newest_is_read_and_none_of_a_dag_that_is_gone(pg: Postgres) -> None:
    pg.create("versions", 3)
    silent, told = serialized_dags.rows(3, packed=False)[0::2][:2]
    for row, at in ((told, "2026-11-20 10:00Z"), (silent, "2026-11-22 10:00Z"), (told, "2026-11-21 10:00Z")):
        serialized_dags.insert(pg, "versions", 3, row | {"dag_id": "orders_ingest"}, at)
        serialized_dags.insert(pg, "versions", 3, row | {"dag_id": "crm_export"}, at)
    pg.sql("versions", "update dag set is_stale = (dag_id = 'crm_export')")
    db = opened(pg, "versions")
    (found,) = db.serialized_dags(1_000_000)
    assert (found["dag_id"], json.loads(found["data"])) == ("orders_ingest", json.loads(silent["data"]))
    db.close()


def test_serialised_dags_of_older_schemas_are_read_without_the_column_they_lack(
    pg: Postgres, old: str
) -> None:
    pg.sql(old, "alter table serialized_dag drop column data_compressed")
    pg.sql(
        old,
        "insert into serialized_dag (dag_id, fileloc, fileloc_hash, data, last_updated, dag_hash) "
        "values ('d', 'd.py', 1, '{\"dag\": {\"tasks\": []}}', now(), '')",
    )
    db = opened(pg, old)
    (found,) = db.serialized_dags(1_000_000)
    assert found["data_compressed"] is None and json.loads(found["data"]) == {"dag": {"tasks": []}}
    db.close()
