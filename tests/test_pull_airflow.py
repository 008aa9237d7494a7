"""`windsock pull` from a real HTTP server and a real PostgreSQL, with what real Airflows said."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support import serialized_dags
from tests.support.airflow_server import PASSWORD, TOKEN, USER, Answer, FakeAirflow, load, read_csv, serve
from tests.support.airflow_truth import DATA, truth
from tests.support.postgres import READER, Postgres
from tests.support.views import views_over
from windsock import config as configs
from windsock import pipeline
from windsock.errors import ConfigError, SourceError, WindsockError
from windsock.output import Output
from windsock.week import Week

NOW = datetime(2026, 11, 24, tzinfo=UTC)
WEEK = Week.parse("2026-W48")
QUIET = Output(level=0)


def pipeline_file(folder: Path, *, api: str = "", db: str = "", more: str = "") -> configs.Config:
    """A pipeline whose only sources are an API, a database, or both."""
    tables = "[deployment]\nname = 'prod'\n"
    more = more or "token_env = 'TOKEN'"
    tables += f"[sources.airflow_api]\nurl = {api!r}\n{more}\n" if api else ""
    tables += "[sources.airflow_db]\nurl_env = 'DB'\n" if db else ""
    path = folder / "prod.toml"
    path.write_text(tables)
    return configs.load(
        path, {"TOKEN": TOKEN, "DB": db, "NAME": USER, "PASSWORD": PASSWORD, "WRONG": "FAKE-wrong"}
    )


def pull(config: configs.Config, now: datetime = NOW, **more: Any) -> Any:
    return pipeline.pull(config, now=now, week=WEEK, output=QUIET, **more)


def rows(config: configs.Config, sql: str) -> list[tuple[Any, ...]]:
    root = pipeline.open_lake(config).store.local_root
    assert root is not None
    return views_over(root, WEEK).execute(sql).fetchall()


def told_tries(config: configs.Config) -> dict[Any, dict[str, object]]:
    columns = ("state", "max_tries", "operator", "pool", "pool_slots", "queue", "hostname", "priority_weight",
               "queued_at", "scheduled_at", "started_at", "ended_at")  # fmt: skip
    lake = Path(pipeline.open_lake(config).store.local_root or "")
    sql = f"""select dag_id, run_id, task_id, map_index, try_number, {", ".join(columns)}
        from read_parquet('{lake}/task_instances/**/*.parquet')"""
    with duckdb.connect() as conn:
        conn.execute("set TimeZone = 'UTC'")
        found = conn.execute(sql).fetchall()
    assert len({one[:5] for one in found}) == len(found), "a try lies in the lake twice"
    return {one[:5]: dict(zip(columns, one[5:], strict=True)) for one in found}


def files(config: configs.Config) -> dict[Path, int]:
    root = pipeline.open_lake(config).store.local_root
    assert root is not None
    return {path: path.stat().st_mtime_ns for path in root.rglob("*.parquet")}


@pytest.fixture(params=[2, 3])
def airflow(request: pytest.FixtureRequest) -> Iterator[FakeAirflow]:
    with serve(load(request.param)) as fake:
        yield fake


@pytest.fixture
def major(airflow: FakeAirflow) -> int:
    return airflow.api + 1


@pytest.fixture
def db(pg: Postgres, airflow: FakeAirflow, request: pytest.FixtureRequest) -> str:
    return pg.create(f"airflow{airflow.api + 1}", airflow.api + 1)


def test_the_api_tells_every_try_as_the_database_has_it(
    tmp_path: Path, airflow: FakeAirflow, major: int
) -> None:
    config = pipeline_file(tmp_path, api=airflow.url)
    pull(config)
    assert told_tries(config) == truth(major)
    assert len(truth(major)) > 130


def test_the_database_tells_every_try(tmp_path: Path, db: str, major: int) -> None:
    config = pipeline_file(tmp_path, db=db)
    pull(config)
    assert told_tries(config) == truth(major)


def test_api_and_database_give_the_same_tries_runs_and_pools(
    tmp_path: Path, airflow: FakeAirflow, db: str
) -> None:
    one, other = tmp_path / "api", tmp_path / "db"
    one.mkdir()
    other.mkdir()
    of_api, of_db = pipeline_file(one, api=airflow.url), pipeline_file(other, db=db)
    pull(of_api)
    pull(of_db)
    for sql in (
        "select * exclude (hostname) from task_tries order by all",
        "select dag_id, run_id, run_type, state, logical_date, run_after, started_at, ended_at, bundle_version, anchor_at "
        "from dag_runs order by all",
        "select pool, total_slots from pool_samples order by all",
        "select dag_file, bundle_name, error_signature from import_errors order by all",
        "select seen_at, key, value from deployments where key like 'dag_version.%' or key like 'event.%' order by all",
        "select key, value from deployments where key like 'dag_owner.%' order by all",
        "select key, value from deployments where key like 'dag_next_run.%' order by all",
        """select key, value from deployments where (key like 'dag_file.%' or key like 'dag_state.%')
        and value not like '%"is_gone": true%' order by all""",
    ):
        found = rows(of_api, sql)
        assert found == rows(of_db, sql), sql
        if "pool" in sql or "'dag_" in sql.replace("dag_version", ""):
            assert found, sql


def test_both_sources_at_once_keep_each_try_once(
    tmp_path: Path, airflow: FakeAirflow, db: str, major: int
) -> None:
    config = pipeline_file(tmp_path, api=airflow.url, db=db)
    pull(config)
    assert told_tries(config) == truth(major)
    assert rows(config, "select distinct source from task_instances") == [("db",)]


def test_runs_say_their_type_dates_and_commit(tmp_path: Path, airflow: FakeAirflow, major: int) -> None:
    config = pipeline_file(tmp_path, api=airflow.url)
    pull(config)
    told = rows(
        config,
        "select dag_id, run_id, run_type, state, logical_date, bundle_version from dag_runs order by all",
    )
    expected = sorted(
        (r["dag_id"], r["run_id"], r["run_type"], r["state"], r.get("logical_date") or r.get("execution_date") or "",
         r.get("bundle_version") or None)
        for r in read_csv(DATA / "db" / f"airflow{major}" / "dag_run.csv")
    )  # fmt: skip
    assert [(*one[:4], one[5]) for one in told] == [(*one[:4], one[5]) for one in expected]
    for one, other in zip(told, expected, strict=True):
        assert one[4] == (datetime.fromisoformat(other[4]) if other[4] else None)
    if major == 3:
        assert len({one[5] for one in told if one[5]}) > 1, "the commit is the run's, not its DAG version's"


@pytest.mark.parametrize("which", ["api", "db"])
def test_a_pull_with_nothing_new_writes_no_file(
    tmp_path: Path, airflow: FakeAirflow, db: str, which: str
) -> None:
    config = pipeline_file(tmp_path, api=airflow.url) if which == "api" else pipeline_file(tmp_path, db=db)
    pull(config)
    before = files(config)
    pull(config, now=NOW + timedelta(minutes=30))
    assert files(config) == before
    airflow.clock += timedelta(hours=3)
    pull(config, now=NOW + timedelta(hours=3))
    assert files(config) == before


def test_the_database_is_asked_only_for_what_changed_since(
    tmp_path: Path, pg: Postgres, db: str, major: int
) -> None:
    config = pipeline_file(tmp_path, db=db)
    pull(config)
    ended = next(
        key for key, told in sorted(truth(major).items()) if told["state"] == "success" and key[4] == 1
    )
    where = "dag_id = '{}' and run_id = '{}' and task_id = '{}' and map_index = {}".format(*ended)
    pg.sql(f"airflow{major}", f"update task_instance set state = 'failed', updated_at = now() where {where}")
    other = f"not ({where}) and state = 'success'"
    pg.sql(f"airflow{major}", f"update task_instance set pool = 'moved silently' where {other}")
    pull(config, now=NOW + timedelta(hours=2))
    told = told_tries(config)
    assert told.pop(ended)["state"] == "failed"
    assert {one["pool"] for one in told.values()} == {one["pool"] for one in truth(major).values()}


def test_the_api_is_asked_only_for_what_changed_since(tmp_path: Path, airflow: FakeAirflow) -> None:
    config = pipeline_file(tmp_path, api=airflow.url)
    pull(config)
    one = next(one for one in airflow.lists["task_instances"] if one["state"] == "success")
    other = next(o for o in airflow.lists["task_instances"] if o["state"] == "success" and o is not one)
    airflow.clock += timedelta(hours=5)
    one |= {"state": "failed", "_updated_at": (airflow.clock - timedelta(hours=1)).isoformat()}
    other["state"] = "upstream_failed"  # without a newer time nobody can know
    airflow.requests.clear()
    pull(config, now=NOW + timedelta(hours=5))
    state = "select state from task_instances where dag_id = '{dag_id}' and run_id = '{dag_run_id}' and task_id = '{task_id}' and map_index = {map_index} and try_number = {try_number}"
    assert rows(config, state.format(**one)) == [("failed",)]
    assert rows(config, state.format(**other)) == [("success",)]
    assert airflow.count("taskInstances?") < 10, "not the nine weeks again"


def test_a_change_stamped_by_a_slow_clock_is_still_seen(tmp_path: Path, airflow: FakeAirflow) -> None:
    config = pipeline_file(tmp_path, api=airflow.url)
    pull(config)
    one = next(one for one in airflow.lists["task_instances"] if one["state"] == "success")
    one |= {"state": "failed", "_updated_at": (airflow.clock - timedelta(minutes=40)).isoformat()}
    airflow.clock += timedelta(hours=5)
    pull(config, now=NOW + timedelta(hours=5))
    assert rows(config, f"select state from task_instances where dag_id = '{one['dag_id']}' and run_id = '{one['dag_run_id']}' "
                f"and task_id = '{one['task_id']}' and map_index = {one['map_index']} and try_number = {one['try_number']}") == [("failed",)]  # fmt: skip


def test_a_try_that_was_open_lies_once_in_its_week_when_it_ends(tmp_path: Path, airflow: FakeAirflow) -> None:
    one = airflow.lists["task_instances"][0]
    one |= {"state": "queued", "start_date": None, "end_date": None, "try_number": 1, "map_index": -1,
            "queued_when": "2026-11-22T23:59:00+00:00"}  # fmt: skip
    config = pipeline_file(tmp_path, api=airflow.url)
    pull(config)
    key = (one["dag_id"], one["dag_run_id"], one["task_id"], -1, 1)
    assert told_tries(config)[key]["state"] == "queued"
    airflow.clock += timedelta(hours=2)
    one |= {"state": "success", "start_date": "2026-11-24T00:10:00+00:00", "end_date": "2026-11-24T00:11:00+00:00",
            "_updated_at": "2026-11-24T00:11:01+00:00"}  # fmt: skip
    pull(config, now=NOW + timedelta(hours=2))
    assert told_tries(config)[key]["state"] == "success"  # told_tries fails when a try lies there twice


def test_a_weekly_pull_finds_import_errors_in_the_week_in_which_they_began(
    tmp_path: Path, airflow: FakeAirflow
) -> None:
    """Airflow stamps an error anew at each parse: asked on Monday, what broke on Wednesday is a minute old."""
    config = pipeline_file(tmp_path, api=airflow.url)
    monday = datetime(2026, 11, 23, 0, 30, tzinfo=UTC)
    old = {
        "import_error_id": 1,
        "filename": "old.py",
        "stack_trace": "KeyError: 'a'",
        "timestamp": "2026-11-15T23:59:40+00:00",
    }
    new = {
        "import_error_id": 2,
        "filename": "new.py",
        "stack_trace": "KeyError: 'b'",
        "timestamp": "2026-11-23T00:29:40+00:00",
    }
    airflow.lists["import_errors"] = [old]
    pull(config, now=monday - timedelta(weeks=1))
    airflow.lists["import_errors"] = [old | {"timestamp": "2026-11-23T00:29:41+00:00"}, new]
    pull(config, now=monday)
    told = pipeline.ask(config, question="import_errors_of_week", sql="", week=WEEK.minus(1))
    began = {row["dag_file"]: (row["began_week"], row["is_new"]) for row in told.rows}
    assert began == {"old.py": (WEEK.minus(2).monday, False), "new.py": (WEEK.minus(1).monday, True)}
    assert not [
        row["dag_file"]
        for row in pipeline.ask(config, question="import_errors_of_week", sql="", week=WEEK).rows
        if row["is_new"]
    ], "what began last week is not new this week"


def test_a_missing_right_is_a_named_gap_and_the_rest_is_read(
    tmp_path: Path, airflow: FakeAirflow, major: int
) -> None:
    airflow.forbidden |= {"/pools", "/eventLogs", "/config"}
    config = pipeline_file(tmp_path, api=airflow.url)
    pull(config)
    assert told_tries(config) == truth(major)
    assert rows(config, "select count(*) from pool_samples") == [(0,)]
    told = dict(rows(config, "select key, value from deployments where key like 'api.missing_permission%'"))
    assert told["api.missing_permission"] == "GET /pools; GET /config; GET /eventLogs"
    assert "role Viewer" in told["api.missing_permission.GET /pools"]
    assert "without it: pool sizes" in told["api.missing_permission.GET /pools"]


def test_a_role_that_may_not_read_a_table_is_a_named_gap(
    tmp_path: Path, pg: Postgres, db: str, major: int
) -> None:
    pg.sql(f"airflow{major}", f"revoke select on log from {READER}")
    config = pipeline_file(tmp_path, db=db)
    pull(config)
    assert told_tries(config) == truth(major)
    gap = "select value from deployments where key like 'db.missing_permission.%'"
    assert rows(config, gap)[0][0].startswith(
        "table log: the role may not read it; `grant select on log to …`"
    )


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "compressed"])
def test_how_failures_would_be_told_enters_the_lake_as_counts_and_nothing_else_of_a_dag_does(
    tmp_path: Path, pg: Postgres, db: str, major: int, packed: bool
) -> None:
    for row in serialized_dags.rows(major, packed=packed):
        serialized_dags.insert(pg, f"airflow{major}", major, row)
    config = pipeline_file(tmp_path, db=db)
    pull(config)
    told = rows(config, "select key, value from deployments where key like 'dag_alerts.%'")
    assert {
        key.removeprefix("dag_alerts."): json.loads(value) for key, value in told
    } == serialized_dags.truth(major)
    assert rows(config, "select count(*) from deployments where key like 'db.missing_permission%'") == [(0,)]
    lake = str(pipeline.open_lake(config).store.local_root)
    for (table,) in rows(
        config, f"select distinct split_part(file, '/', -3) from glob('{lake}/*/*/*.parquet') as found(file)"
    ):
        whole = rows(
            config, f"select cast(one as varchar) from read_parquet('{lake}/{table}/*/*.parquet') as one"
        )
        assert not [one for (one,) in whole if "FAKE" in one or "def tell" in one]
    before = files(config)
    pull(config, now=NOW + timedelta(minutes=30))
    assert files(config) == before
    if major == 3:  # a new version without the callback
        (silent,) = (one for one in serialized_dags.rows(3, packed=packed) if one["dag_id"] == "silent")
        serialized_dags.insert(pg, "airflow3", 3, silent | {"dag_id": "dag_callback"}, "2026-11-24 00:00Z")
    else:
        pg.sql("airflow2", "update serialized_dag as a set data = b.data, data_compressed = b.data_compressed "
                           "from serialized_dag as b where a.dag_id = 'dag_callback' and b.dag_id = 'silent'")  # fmt: skip
    pull(config, now=NOW + timedelta(hours=1))
    told = rows(
        config, "select value from deployments where key = 'dag_alerts.dag_callback' order by seen_at"
    )
    assert [json.loads(value)["dag_callback"] for (value,) in told] == [True, False]


def test_serialised_dags_that_cannot_be_read_are_a_counted_gap_and_no_dag_without_a_callback(
    tmp_path: Path, pg: Postgres, db: str, major: int
) -> None:
    well, *_ = serialized_dags.rows(major, packed=True)
    for dag_id, packed in (("cut", well["data_compressed"][:-9]), ("junk", b"junk"), ("junk_too", b"more")):
        serialized_dags.insert(
            pg, f"airflow{major}", major, well | {"dag_id": dag_id, "data_compressed": packed}
        )
    serialized_dags.insert(pg, f"airflow{major}", major, well)
    config = pipeline_file(tmp_path, db=db)
    pull(config)
    told = dict(rows(config, "select key, value from deployments where key like 'dag_alerts.%'"))
    assert {key.removeprefix("dag_alerts."): json.loads(value).get("unread") for key, value in told.items()} == {
        "cut": "cut off", "junk": "not zlib", "junk_too": "not zlib", "silent": None,
    }  # fmt: skip
    ((gap,),) = rows(
        config, "select value from deployments where key = 'db.missing_permission.table serialized_dag'"
    )
    assert gap == (
        "table serialized_dag: DAGs that cannot be read (cut off: 1, not zlib: 2); without it: which DAGs have no failure "
        "callback, mail or deadline"
    )
    assert told_tries(config) == truth(major)


def test_the_report_names_the_dags_that_fail_and_tell_nobody(
    tmp_path: Path, pg: Postgres, db: str, major: int
) -> None:
    """DAGs of the recorded fleet, given the serialised forms that a real Airflow made of DAGs with and without an alert."""
    config = pipeline_file(tmp_path, db=db)
    pull(config)
    lost = dict(rows(config, "select dag_id, count(*) from task_tries where week = report_week() and is_judged and final_try "
                             "and state = 'failed' group by dag_id order by count(*) desc, dag_id"))  # fmt: skip
    silent, told, *others = lost
    forms = {one["dag_id"]: one for one in serialized_dags.rows(major, packed=True)}
    for dag_id, form in ((silent, "silent"), (told, "some_tasks"), *((other, "watched") for other in others)):
        serialized_dags.insert(pg, f"airflow{major}", major, forms[form] | {"dag_id": dag_id})
    pull(config, now=NOW + timedelta(hours=1))
    answer = pipeline.ask(config, question="failure_alerts", sql="", week=WEEK).rows
    known = {row["dag_id"]: (row["told_by"], row["lost"]) for row in answer if row["dag_id"] in lost}
    assert known[silent] == ("nothing", lost[silent])
    assert known[told] == ("some tasks", lost[told])
    assert {known[other] for other in others} == {("task for failures", lost[other]) for other in others}
    written = pipeline.report(config, week=WEEK, output=QUIET, out=tmp_path / "out")
    found = json.loads((written.path.parent / "report.json").read_text())["findings"]
    of_rule = [one for one in found if one["code"] == "WS519"]
    assert [(one["severity"], one["evidence"]["dag_ids"], one["evidence"]["tasks"]) for one in of_rule] == [
        ("info", [silent], {2: 6, 3: 9}[major])
    ]
    page = (written.path.parent / "report.html").read_text()
    assert "task for failures" in page and "DAGs whose failures nobody would be told of" in page


def test_settings_enter_the_lake_by_the_allow_list_only(tmp_path: Path, airflow: FakeAirflow) -> None:
    config = pipeline_file(tmp_path, api=airflow.url)
    pull(config)
    told = dict(rows(config, "select key, value from deployments where key not like 'event.%'"))
    assert told["config.core.executor"] == "LocalExecutor"
    assert told["airflow.version"] == airflow.single["version"]["version"]
    assert int(told["config.core.parallelism"]) > 0
    assert not [key for key in told if "fernet" in key or "url" in key or "conn" in key]


def test_the_cause_of_version_inflation_is_told_without_the_code(tmp_path: Path) -> None:
    """In the words of Airflow 3.3's own checker (`dag_version_inflation_checker.py`)."""
    message = (
        "This Dag uses runtime-variable values in Dag construction.\n"
        "It causes the Dag version to increase as values change on every Dag parse.\n\n"
        "Line 12, Col 17\nCode: datetime.now()  # FAKE-secret\nIssue: Don't use runtime-varying value as argument in Dag constructor\n\n"
    )
    with serve(load(3)) as airflow:
        airflow.lists["dag_warnings"] = [
            {
                "dag_id": "orders",
                "warning_type": "runtime varying value",
                "message": message,
                "timestamp": "2026-11-23T15:00:00Z",
            },
            {
                "dag_id": "other",
                "warning_type": "non-existent pool",
                "message": "no pool",
                "timestamp": "2026-11-23T15:00:00Z",
            },
        ]
        config = pipeline_file(tmp_path, api=airflow.url)
        pull(config)
    told = rows(config, "select key, value from deployments where key like 'dag_warning.%'")
    assert told == [
        ("dag_warning.orders", "line 12: Don't use runtime-varying value as argument in Dag constructor")
    ]


def test_versions_of_providers_are_changes_that_findings_may_name(tmp_path: Path) -> None:
    """Recorded from 2.11; the API server then gets another version of one."""
    with serve(load(2)) as airflow:
        config = pipeline_file(tmp_path, api=airflow.url)
        pull(config)
        listed = len(airflow.lists["providers"])
        (http,) = (one for one in airflow.lists["providers"] if one["package_name"].endswith("-http"))
        before, http["version"] = http["version"], "99.1.0"
        pull(config, now=NOW + timedelta(hours=2))
        told = pipeline.ask(config, question="changes_of_week", sql="", week=Week.of(NOW)).rows
        assert rows(config, "select count(distinct key) from deployments where key like 'provider.%'") == [
            (listed,)
        ]
    changes = [(one["subject"], one["before"], one["after"]) for one in told if one["kind"] == "provider"]
    assert changes == [("provider http", before, "99.1.0")]


def test_the_audit_log_tells_changes_of_pools_with_their_size(tmp_path: Path, db: str, major: int) -> None:
    config = pipeline_file(tmp_path, db=db)
    pull(config)
    told = rows(config, "select value from deployments where key = 'event.pool_changed' order by seen_at")
    assert any('"slots":' in value for (value,) in told)
    assert not rows(
        config, "select 1 from deployments where value like '%Anonymous%' or value like '%admin%'"
    )


@pytest.mark.parametrize("major_", [2, 3])
def test_user_name_and_password_are_enough(tmp_path: Path, major_: int) -> None:
    with serve(load(major_)) as fake:
        config = pipeline_file(
            tmp_path, api=fake.url, more="username_env = 'NAME'\npassword_env = 'PASSWORD'"
        )
        pull(config)
        assert told_tries(config) == truth(major_)
        wrong = pipeline_file(tmp_path, api=fake.url, more="username_env = 'NAME'\npassword_env = 'WRONG'")
        with pytest.raises(
            SourceError, match=r"refuses these credentials \(40[13]\): user name or password is wrong"
        ):
            pull(wrong)


def test_a_wrong_token_is_one_line_and_no_lake_row(tmp_path: Path, airflow: FakeAirflow) -> None:
    config = pipeline_file(tmp_path, api=airflow.url, more="token_env = 'WRONG'")
    with pytest.raises(SourceError, match="refuses these credentials") as caught:
        pull(config)
    assert "\n" not in str(caught.value)
    assert "FAKE-wrong" not in str(caught.value)
    assert not (tmp_path / "lake").exists()


def test_a_token_command_gives_a_new_token_when_one_ends(tmp_path: Path) -> None:
    with serve(load(3)) as fake:
        (tmp_path / "token").write_text(TOKEN)
        config = pipeline_file(tmp_path, api=fake.url, more=f"token_command = 'cat {tmp_path / 'token'}'")
        fake.script["/taskInstances"] = [
            Answer(200, {}, b'{"task_instances": [], "total_entries": 0}'),
            Answer(401),
        ]
        pull(config)
        assert not fake.script["/taskInstances"], "the script was played to its end"
        assert told_tries(config) == truth(3)


def test_a_pipeline_without_any_source_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no source is set"):
        pull(pipeline_file(tmp_path))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            Answer(200, {"Content-Type": "text/html"}, b"<!doctype html><title>Sign in</title>"),
            "answered HTML",
        ),
        (
            Answer(302, {"Location": "https://sso.example.com/login?x=1"}),
            "redirects to https://sso.example.com/login",
        ),
        (Answer(200, {}, b"it works"), "not JSON"),
    ],
)
def test_a_server_that_is_no_api_is_one_clear_line(
    tmp_path: Path, airflow: FakeAirflow, answer: Answer, words: str
) -> None:
    airflow.script["/version"] = [answer]
    with pytest.raises(WindsockError, match=words) as caught:
        pull(pipeline_file(tmp_path, api=airflow.url))
    assert "\n" not in str(caught.value)
