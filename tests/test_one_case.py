"""`windsock why`: from a lake to lines and JSON."""

import json
from pathlib import Path

import duckdb
import pytest

from tests.support.csv_lakes import write_csv
from windsock import cli
from windsock.errors import WindsockError

WEEK = "2026-W47"
TABLES = {
    "deployments": """
        2026-11-18 06:00:00+00,dag_state.paused,"{""is_broken"": false, ""is_gone"": false, ""is_paused"": true}"
        2026-11-18 06:00:00+00,dag_state.orders,"{""is_broken"": false, ""is_gone"": false, ""is_paused"": false}"
        2026-11-18 06:00:00+00,dag_file.orders,"{""bundle_name"": ""main"", ""dag_file"": ""orders.py""}"
        """,
    "import_errors": """
        2026-11-18 05:00:00+00,orders.py,main,ModuleNotFoundError: no \x1b[31mx,ModuleNotFoundError: x,api
        """,
    "task_instances": """
        orders,scheduled__2026-11-17T00:00:00+00:00,load,-1,1,failed,dwh,default,2026-11-17 01:00:00+00,2026-11-17 01:20:00+00,2026-11-17 01:20:05+00,2026-11-17 01:30:00+00,2026-11-17 01:20:05+00,api:x,2026-11-20 00:00:00+00
        calm,scheduled__2026-11-17T00:00:00+00:00,load,-1,1,success,dwh,default,2026-11-17 01:00:00+00,2026-11-17 01:00:01+00,2026-11-17 01:00:05+00,2026-11-17 01:30:00+00,2026-11-17 01:00:05+00,api:x,2026-11-20 00:00:00+00
        """,
    "task_logs": """
        orders,scheduled__2026-11-17T00:00:00+00:00,load,-1,1,failed,exception,2026-11-17 01:20:05+00,2026-11-17 01:30:00+00,KeyError,'id',KeyError: 'id' @ orders.py:load,s3://b/1
        calm,scheduled__2026-11-17T00:00:00+00:00,load,-1,1,success,,2026-11-17 01:00:05+00,2026-11-17 01:30:00+00,,,,s3://b/2
        """,
    "component_events": """
        2026-11-17 01:05:00+00,scheduler,pool_full,,,,dwh
        2026-11-17 01:06:00+00,scheduler,pool_full,,,,dwh
        2026-11-17 01:07:00+00,scheduler,executor_full,,,,
        """,
}  # fmt: skip
COLUMNS = {
    "deployments": "seen_at,key,value",
    "import_errors": "seen_at,dag_file,bundle_name,message,error_signature,source",
    "task_instances": "dag_id,run_id,task_id,map_index,try_number,state,pool,queue,scheduled_at,queued_at,started_at,ended_at,"
    "anchor_at,object_url,read_at",
    "task_logs": "dag_id,run_id,task_id,map_index,try_number,state,state_reason,started_at,ended_at,exception_type,"
    "exception_message,error_signature,object_url",
    "component_events": "event_at,component,event,dag_id,run_id,task_id,pool",
}


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    conn = duckdb.connect()
    for table, text in TABLES.items():
        path = tmp_path / f"{table}.csv"
        path.write_text(COLUMNS[table] + "\n" + "\n".join(line.strip() for line in text.strip().splitlines()))
        write_csv(conn, tmp_path / "lake", table, path, foreign=True)
    made = tmp_path / "prod.toml"
    made.write_text("[deployment]\nname = 'prod'\n[lake]\nurl = './lake'\n")
    return made


def why(pipeline: Path, capsys: pytest.CaptureFixture[str], *names: str) -> str:
    cli.app(["-q", "why", *names, "-p", str(pipeline), "--week", WEEK], standalone_mode=False)
    return capsys.readouterr().out


def test_a_dag_with_its_causes_the_likeliest_first(
    pipeline: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = why(pipeline, capsys, "orders")
    heads = [line for line in told.splitlines() if line and not line.startswith("  ")]
    assert [line.split(":")[0] for line in heads] == [
        "certain, missing from the UI",
        "certain, task not running",
        "certain, task failed",
    ]
    assert (
        "orders.load, try 1 of scheduled__2026-11-17T00:00:00+00:00, waited 20 min for an open slot of pool dwh"
        in told
    )
    assert "next: windsock diff orders load scheduled__2026-11-17T00:00:00+00:00 --try 1" in told
    assert "\x1b" not in told


def test_a_task_of_one_run_is_asked_for_first(pipeline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = "scheduled__2026-11-17T00:00:00+00:00"
    rows = json.loads(why(pipeline, capsys, "orders", "load", run, "--format", "json"))
    assert [row["cause"] for row in rows] == ["waiting", "failed", "import error"]
    assert rows[0]["evidence"]["hold"] == "pool_full"
    assert set(rows[0]) == {"likely", "about", "cause", "headline", "since", "unknown", "next", "evidence"}
    assert (
        json.loads(why(pipeline, capsys, "orders", "load", "scheduled__other", "--format", "json"))[0][
            "cause"
        ]
        == "import error"
    )


def test_a_paused_one_a_misspelt_one_and_one_that_is_well(
    pipeline: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert why(pipeline, capsys, "paused").startswith("certain, not running: paused is paused")
    assert "did you mean orders?" in why(pipeline, capsys, "order")
    assert "does not have calm; it ran last on Tue 17 Nov" in why(pipeline, capsys, "calm")


def test_nothing_against_a_dag_says_what_was_seen(pipeline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lake = pipeline.parent / "lake" / "deployments"
    for path in lake.rglob("*.parquet"):
        path.unlink()
    assert why(pipeline, capsys, "calm").startswith("nothing speaks against calm: 1 runs in the week")


def test_the_scope_of_the_pipeline_file_holds(pipeline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is excluded is said to be, and is nobody's company in an error; a DAG that was renamed is found by both names."""
    with pipeline.open("a") as file:
        file.write("[scope]\nexclude = ['calm']\nrenamed = {'orders' = 'old_orders'}\n")
    cli.app(["why", "old_orders", "-p", str(pipeline), "--week", WEEK], standalone_mode=False)
    told = capsys.readouterr()
    assert "[scope] renamed: old_orders is told as orders" in told.err
    assert "orders.load failed 1 time with KeyError" in told.out
    cli.app(["why", "calm", "-p", str(pipeline), "--week", WEEK], standalone_mode=False)
    assert "[scope] exclude has 'calm': calm is stored and never judged" in capsys.readouterr().err


def test_who_else_has_the_error(pipeline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = TABLES["task_logs"].strip().splitlines()[0].strip()
    more = "\n".join(
        rows.replace("orders,", f"{name},", 1).replace("s3://b/1", f"s3://b/{name}") for name in ("b", "c")
    )
    path = pipeline.parent / "more.csv"
    path.write_text(COLUMNS["task_logs"] + "\n" + rows + "\n" + more)
    write_csv(duckdb.connect(), pipeline.parent / "lake", "task_logs", path, foreign=True)
    assert "2 other DAGs with it this week: b, c" in why(pipeline, capsys, "orders", "load")
    with pipeline.open("a") as file:
        file.write("[scope]\nexclude = ['c']\n")
    assert "1 other DAG with it this week: b" in why(pipeline, capsys, "orders", "load")


def test_names_are_bound_and_never_pasted(pipeline: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "does not have x' or 1=1 --" in why(pipeline, capsys, "x' or 1=1 --")


def test_a_lake_without_anything_is_no_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = tmp_path / "prod.toml"
    made.write_text("[deployment]\nname = 'prod'\n[lake]\nurl = './lake'\n")
    try:
        assert "names orders" in why(made, capsys, "orders")
    except WindsockError as error:
        assert "lake" in str(error)
