"""A task that got another name: proposed by its place in the DAG or in its runs, and joined in every question by `[scope] renamed`."""

import csv
import io
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from benchmarks.fleet.records import Attempt

from tests.support.weeks import put_logs
from windsock import cli, pipeline, questions
from windsock import config as configs
from windsock.errors import ConfigError
from windsock.lake import Lake
from windsock.model import Parsed, Row, SourceObject
from windsock.output import Output
from windsock.week import Week

WEEK = Week.parse("2026-W47")
NOW = WEEK.to_at + timedelta(hours=6)
QUIET = Output(level=0)
RENAMED = '"orders/load_rows" = "load"\n'
SINCE = WEEK.from_at + timedelta(days=2)


def tries(dag_id: str, old: Sequence[str], new: Sequence[str]) -> list[Attempt]:
    """A run a day for five weeks, its tasks one after another; from Wednesday on those of `new`. The second one failed in week two."""
    made = []
    for day in range(35):
        due = WEEK.minus(4).from_at + timedelta(days=day, hours=9)
        for place, task in enumerate(new if due >= SINCE else old):
            ending = "failed" if place == 1 and 7 <= day < 9 else "success"
            made.append(
                Attempt(
                    dag_id,
                    f"scheduled__{due.isoformat()}",
                    task,
                    1,
                    1,
                    due + timedelta(minutes=10 * place),
                    240,
                    ending,
                    ("KeyError", "'amount'"),
                )
            )
            if ending == "failed":
                break
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tasks")
    put_logs(
        root,
        [
            *tries("orders", ("extract", "load", "check"), ("extract", "load_rows", "check")),
            *tries("swapped", ("extract", "load", "check"), ("load", "extract", "check")),
            *tries("split", ("extract", "load", "check"), ("extract", "load_a", "load_b", "check")),
        ],
    )
    pipeline.pull(pipelined(root, ""), now=NOW, week=WEEK, output=QUIET, full=True)
    return root


def pipelined(root: Path, renamed: str) -> configs.Config:
    path = root / "prod.toml"
    path.write_text(
        f"[deployment]\nname = 'prod'\n[sources.task_logs]\nurl = '{root}/logs'\n[lake]\nurl = '{root}/lake'\n"
        f"[scope.renamed]\n{renamed}\n[report]\nout = 'out'\n"
    )
    return configs.load(path, {})


def ask(config: configs.Config, question: str) -> Sequence[Row]:
    return pipeline.ask(config, question=question, sql="", week=WEEK).rows


def of_task(config: configs.Config, task_id: str) -> Row:
    (row,) = (
        one for one in ask(config, "task_standing") if (one["dag_id"], one["task_id"]) == ("orders", task_id)
    )
    return row


def proposed(config: configs.Config) -> list[Any]:
    judgement, _, _ = pipeline.judge_week(config, week=WEEK, output=QUIET)
    return [one for one in judgement.findings if one.code == "WS607"]


@pytest.mark.long
def test_a_rename_is_proposed_by_the_runs_alone_and_no_other_change_is_taken_for_one(folder: Path) -> None:
    config = pipelined(folder, "")
    (one,) = proposed(config)
    assert one.subject == {"dag_id": "orders", "task_id": "load_rows"}
    assert (one.evidence["told_by"], one.evidence["runs"], one.evidence["former_runs"]) == ("runs", 5, 30)
    assert one.headline == "load_rows of orders looks like load under a new name, since Wed 18 Nov 09:10 UTC"
    assert 'renamed = {"orders/load_rows" = "load"}' in one.advice
    assert of_task(config, "load_rows")["ended_prev"] == 0


@pytest.mark.long
def test_once_it_is_said_the_tasks_past_goes_on_in_every_question(folder: Path) -> None:
    config = pipelined(folder, RENAMED)
    row = of_task(config, "load_rows")
    assert (row["ended"], row["ended_prev"], row["lost_prev"]) == (7, 28, 2)
    assert {one["task_id"] for one in ask(config, "work_times") if one["dag_id"] == "orders"} == {
        "extract",
        "load_rows",
        "check",
    }
    assert proposed(config) == []
    _, _, trust = pipeline.judge_week(config, week=WEEK, output=QUIET)
    assert trust["scope"]["renamed"] == ["task load_rows of orders was load"]
    pipeline.report(config, week=WEEK, output=QUIET)
    assert "task load_rows of orders was load" in (config.out / str(WEEK) / "report.html").read_text()


@pytest.mark.long
def test_other_dags_keep_their_task_of_that_name(folder: Path) -> None:
    config = pipelined(folder, RENAMED)
    names = {one["task_id"] for one in ask(config, "task_standing") if one["dag_id"] in ("swapped", "split")}
    assert "load" in names and "load_rows" not in names


@pytest.mark.long
def test_a_dag_and_its_task_renamed_at_once_are_joined_by_the_dags_name_of_today(folder: Path) -> None:
    for key in ("sales/load_rows", "orders/load_rows"):
        config = pipelined(folder, f'"sales" = "orders"\n"{key}" = "load"\n')
        rows = [one for one in ask(config, "task_standing") if one["dag_id"] == "sales"]
        assert {one["task_id"]: one["ended_prev"] for one in rows}["load_rows"] == 28


@pytest.mark.long
def test_why_finds_the_task_by_both_names(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pipelined(folder, RENAMED)
    told = []
    for task_id in ("load", "load_rows"):
        cli.app(
            ["why", "orders", task_id, "-p", str(folder / "prod.toml"), "--week", str(WEEK)],
            standalone_mode=False,
        )
        captured = capsys.readouterr()
        told.append(captured.out)
        assert ("[scope] renamed: load is told as load_rows" in captured.err) == (task_id == "load")
    assert told[0] == told[1]


@pytest.mark.long
@pytest.mark.skipif(
    not shutil.which("duckdb", path=str(Path(sys.executable).parent)), reason="no duckdb command"
)
def test_the_plain_command_line_knows_it_too(folder: Path) -> None:
    def told(renamed: str, question: str) -> list[dict[str, str]]:
        sql = pipeline.printable_sql(pipelined(folder, renamed), question=question, sql="", week=WEEK)
        done = subprocess.run(
            [Path(sys.executable).parent / "duckdb", "-csv"], input=sql, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        at = done.stdout.find("dag_id,")
        return list(csv.DictReader(io.StringIO(done.stdout[at:]))) if at >= 0 else []

    assert "load_rows" in [one["task_id"] for one in told("", "renamed_tasks")]
    assert "orders" not in [one["dag_id"] for one in told(RENAMED, "renamed_tasks")]
    rows = told(RENAMED, "task_standing")
    assert {one["task_id"]: one["ended_prev"] for one in rows if one["dag_id"] == "orders"}[
        "load_rows"
    ] == "28"


def reading(at: datetime, names: Sequence[str]) -> list[Row]:
    rows = []
    for place, name in enumerate(names):
        rows.append(
            {
                "seen_at": at,
                "dag_id": "orders",
                "task_id": name,
                "operator": "PythonOperator",
                "downstream_task_ids": list(names[place + 1 : place + 2]),
                "source": "api",
            }
        )
    return rows


@pytest.mark.long
def test_two_readings_of_the_dag_say_more_and_are_joined_with_its_edges(tmp_path: Path) -> None:
    config = pipelined(tmp_path, "")
    (tmp_path / "logs").mkdir()
    put_logs(tmp_path, tries("orders", ("extract", "load", "check"), ("extract", "load_rows", "check")))
    pipeline.pull(config, now=NOW, week=WEEK, output=QUIET, full=True)
    lake = Lake.open(config.url(config.pipeline.lake.url), deployment="prod")
    with lake.writer(shard=0, holder="test", now=NOW) as writer:
        for n, (at, names) in enumerate(
            (
                (WEEK.from_at, ("extract", "load", "check")),
                (WEEK.to_at, ("extract", "load_rows", "check")),
            )
        ):
            obj = SourceObject(f"api:a/{n}", "a", 1, at, "1")
            writer.add(obj, Parsed("api", {"dag_tasks": reading(at, names)}), kind="api", parser_version="1")
        writer.checkpoint()
    (row,) = ask(config, "renamed_tasks")
    assert (row["task_id"], row["former_task_id"], row["told_by"], row["kept"]) == (
        "load_rows",
        "load",
        "readings",
        2,
    )
    (one,) = proposed(config)
    assert one.headline.startswith("load_rows of orders is probably load under a new name")
    joined = pipelined(tmp_path, RENAMED)
    assert ask(joined, "renamed_tasks") == ()
    edges = pipeline.ask(
        joined, question="", sql="select distinct task_id, downstream_task_ids from dag_tasks", week=WEEK
    ).rows
    assert {one["task_id"]: list(one["downstream_task_ids"]) for one in edges} == {
        "extract": ["load_rows"],
        "load_rows": ["check"],
        "check": [],
    }


@pytest.mark.parametrize(
    ("renamed", "said"),
    [
        ('"a/x" = "o"\n"a/y" = "o"', "name one"),
        ('"a/x" = "y"\n"a/y" = "x"', "in a circle"),
        ('"a/x" = "a/o"', "a task is"),
        ('"a/" = "o"', "a task is"),
        ('"/x" = "o"', "a task is"),
        ('"a/x/y" = "o"', "a task is"),
        ('"a/x" = ""', "a task is"),
    ],
)
def test_what_cannot_be_is_an_error_that_names_it(renamed: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        pipelined(tmp_path, renamed)


def test_names_of_today_go_through_any_number_of_renames(tmp_path: Path) -> None:
    config = pipelined(tmp_path, '"new" = "old"\n"new/c" = "b"\n"old/b" = "a"\n"other/c" = "b"\n')
    assert config.renamed == {"old": "new"}
    assert config.renamed_tasks == {"new/b": "c", "new/a": "c", "other/b": "c"}


@pytest.mark.long
def test_hidden_names_stay_hidden(tmp_path: Path) -> None:
    path = tmp_path / "prod.toml"
    pipelined(tmp_path, RENAMED)
    path.write_text(path.read_text() + "hash_ids = true\n")
    config = configs.load(path, {})
    put_logs(tmp_path, tries("orders", ("extract", "load", "check"), ("extract", "load_rows", "check")))
    pipeline.pull(config, now=NOW, week=WEEK, output=QUIET, full=True)
    _, _, trust = pipeline.judge_week(config, week=WEEK, output=QUIET)
    assert trust["scope"]["renamed"] == []
    path.write_text(path.read_text().replace(RENAMED, ""))
    judgement, _, _ = pipeline.judge_week(configs.load(path, {}), week=WEEK, output=QUIET)
    (one,) = (one for one in judgement.findings if one.code == "WS607")
    told = json.dumps(
        [one.headline, one.advice, dict(one.subject), {k: str(v) for k, v in one.evidence.items()}]
    )
    assert "load" not in told and "orders" not in told


def test_a_dag_that_names_its_tasks_anew_for_each_run_costs_little(tmp_path: Path) -> None:
    """200 tasks named by their day, in 60 daily runs and as many readings: 2.4 million pairs in each way of telling, and none is a
    rename. It took minutes before pairs were counted first; some tenths of a second now."""
    maker = duckdb.connect(config={"threads": 1})
    maker.execute("set TimeZone = 'UTC'")
    for weeks in range(9):
        monday = WEEK.minus(weeks).monday
        for table, rows in (("task_logs", DAILY_LOGS), ("dag_tasks", DAILY_READINGS)):
            folder = tmp_path / table / f"week={monday}"
            folder.mkdir(parents=True)
            maker.execute(
                f"copy ({rows}) to '{folder}/rows.parquet' (format parquet)".replace(
                    "MONDAY", f"date '{monday}'"
                )
            )
    lake = Lake.open(str(tmp_path), deployment="prod", create=True)
    with lake.connect(WEEK) as conn:
        Lake.keep_tries(conn)
        began = time.process_time()
        assert questions.ask(conn, pipeline.questions()["renamed_tasks"]).rows == ()
        assert time.process_time() - began < 20


DAILY_LOGS = """
select
    dag_id, 'scheduled__' || day as run_id, 't_' || day || '_' || task as task_id, -1 as map_index, 1 as try_number,
    'success' as state, cast(day as timestamptz) as started_at, cast(day as timestamptz) + interval 1 minute as ended_at,
    'PythonOperator' as operator, dag_id || day || task as object_url
from (select unnest(['read', 'unread']) as dag_id), (select MONDAY + cast(range as integer) as day from range(7)),
    (select range as task from range(200))
"""
DAILY_READINGS = """
select
    'read' as dag_id, 't_' || day || '_' || task as task_id, cast(day as timestamptz) as seen_at,
    'PythonOperator' as operator, ['end'] as downstream_task_ids, 'api' as source
from (select MONDAY + cast(range as integer) as day from range(7)), (select range as task from range(200))
union all
select 'read', 'end', cast(MONDAY + cast(range as integer) as timestamptz), 'EmptyOperator', [], 'api' from range(7)
"""
