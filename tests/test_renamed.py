"""`[scope] renamed`: a DAG that got another name keeps its past, in every question and in the plain duckdb command line."""

import csv
import io
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from benchmarks.fleet.records import Attempt

from tests.support.weeks import put_logs, report_of
from tests.test_two_bad_nights import steady
from windsock import config as configs
from windsock import pipeline
from windsock.errors import ConfigError
from windsock.lake import Lake
from windsock.model import Parsed, SourceObject
from windsock.output import Output
from windsock.week import Week

pytestmark = pytest.mark.long

WEEK = Week.parse("2026-W47")
NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
QUIET = Output(level=0)
TASKS = ("extract", "load", "check", "tell")
FAILED = ("2026-10-20", "2026-11-20")
RENAMED = '"fin_daily" = "finance_daily"\n"finance_daily" = "money\'s"'


def log(dag: str, task: str, day: str, *, is_failed: bool) -> str:
    head = f"[{day}T09:00:00.000+0000] {{"
    return (
        f"{head}standard_task_runner.py:72}} INFO - Started process 1 to run task\n"
        f"{head}taskinstance.py:1}} INFO - Marking task as {'FAILED' if is_failed else 'SUCCESS'}. "
        f"dag_id={dag}, task_id={task}, run_id=scheduled__{day}T09:00:00+00:00\n"
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`money's` ran until 1 November, `finance_daily` until the 11th, `fin_daily` since; another DAG fails all along."""
    root = tmp_path_factory.mktemp("renamed")
    days = [f"2026-10-{day:02d}" for day in range(5, 32)] + [f"2026-11-{day:02d}" for day in range(1, 23)]
    for day in days:
        name = "money's" if day < "2026-11-02" else "finance_daily" if day < "2026-11-12" else "fin_daily"
        for dag, tasks in ((name, TASKS), ("other", TASKS[:1])):
            for task in tasks:
                run = f"scheduled__{day}T09:00:00+00:00"
                path = root / f"logs/dag_id={dag}/run_id={run}/task_id={task}/attempt=1.log"
                path.parent.mkdir(parents=True)
                path.write_text(log(dag, task, day, is_failed=dag == "other" or day in FAILED))
    pipeline.pull(pipelined(root, ""), now=NOW, week=WEEK, output=QUIET, full=True)
    return root


def pipelined(root: Path, renamed: str) -> configs.Config:
    path = root / "prod.toml"
    path.write_text(
        f"[deployment]\nname = 'prod'\n[sources.task_logs]\nurl = '{root}/logs'\n[lake]\nurl = '{root}/lake'\n"
        f"[scope]\nexclude = ['oth*']\n[scope.renamed]\n{renamed}\n[report]\nout = 'out'\n"
    )
    return configs.load(path, {})


def rows(config: configs.Config, question: str) -> dict[str, dict[str, object]]:
    return {row["dag_id"]: row for row in pipeline.ask(config, question=question, sql="", week=WEEK).rows}


def test_without_the_setting_the_new_name_has_no_past_and_a_rename_is_proposed(folder: Path) -> None:
    config = pipelined(folder, "")
    assert rows(config, "failure_rate_by_dag")["fin_daily"]["runs_prev"] == 4
    judgement, _, _ = pipeline.judge_week(config, week=WEEK, output=QUIET)
    told = {one.subject["dag_id"]: one for one in judgement.findings if one.code == "WS605"}
    assert set(told) == {"fin_daily", "finance_daily"}
    assert 'renamed = {"fin_daily" = "finance_daily"}' in told["fin_daily"].advice


def test_with_it_trends_go_on_and_nothing_is_proposed(folder: Path) -> None:
    config = pipelined(folder, RENAMED)
    dag = rows(config, "failure_rate_by_dag")
    assert set(dag) == {"fin_daily"}
    assert (dag["fin_daily"]["runs"], dag["fin_daily"]["lost_runs"]) == (7, 1)
    assert (dag["fin_daily"]["runs_prev"], dag["fin_daily"]["lost_runs_prev"]) == (42, 1)
    judgement, _, trust = pipeline.judge_week(config, week=WEEK, output=QUIET)
    assert not {one.code for one in judgement.findings} & {"WS605", "WS501", "WS502"}
    assert trust["scope"]["renamed"] == ["fin_daily was finance_daily", "fin_daily was money's"]


def test_the_report_says_what_is_told_under_a_new_name(folder: Path) -> None:
    config = pipelined(folder, RENAMED)
    pipeline.report(config, week=WEEK, output=QUIET)
    assert "fin_daily was finance_daily" in (config.out / str(WEEK) / "report.html").read_text()


def test_what_airflow_tells_of_a_dag_is_joined_too(tmp_path: Path) -> None:
    """Versions, owners, limits, states and what people did to it stand under its old name."""
    config = pipelined(tmp_path, RENAMED)
    lake = Lake.open(config.url(config.pipeline.lake.url), deployment="prod", create=True)

    def told(key: str, value: str, day: int) -> dict[str, object]:
        return {"key": key, "value": value, "seen_at": datetime(2026, 11, day, 9, tzinfo=UTC)}

    version = '{"bundle_name": "git", "bundle_version": "%s", "version_number": %d}'
    facts = [
        told("dag_version.finance_daily", version % ("aaa", 1), 9),
        told("dag_version.fin_daily", version % ("bbb", 2), 18),
        told("dag_owner.money's", "treasury", 4),
        told("dag_limits.finance_daily", '{"max_active_runs": 3, "max_active_tasks": 5}', 17),
        told("event.tasks_cleared", '{"dag_id": "finance_daily"}', 17),
        told("event.dag_changed", '{"dag_id": "finance_daily", "is_paused": true}', 18),
    ]
    with lake.writer(shard=0, holder="test", now=NOW) as writer:
        obj = SourceObject("api:a/facts", "facts", 1, NOW, "1")
        writer.add(obj, Parsed("api", {"deployments": facts}), kind="api", parser_version="1")
        writer.checkpoint()

    def ask(question: str) -> Sequence[dict[str, Any]]:
        return pipeline.ask(config, question=question, sql="", week=WEEK).rows

    changes = {row["kind"]: row for row in ask("changes_of_week")}
    assert {row["dag_id"] for row in changes.values()} == {"fin_daily"}
    assert (changes["dag_version"]["before"], changes["dag_version"]["after"]) == ("version 1", "version 2")
    assert "tasks_cleared" in changes
    assert {row["dag_id"] for row in ask("known_limits")} == {"fin_daily"}
    assert {row["dag_id"] for row in ask("paused_dags")} == {"fin_daily"}
    (versions,) = ask("dag_versions_of_week")
    assert (versions["dag_id"], versions["last_version"]) == ("fin_daily", 2)
    owner = pipeline.ask(
        config, question="", sql="select key, value from deployments where key like 'dag_owner.%'", week=WEEK
    )
    assert list(owner.rows) == [{"key": "dag_owner.fin_daily", "value": "treasury"}]


@pytest.mark.skipif(
    not shutil.which("duckdb", path=str(Path(sys.executable).parent)), reason="no duckdb command"
)
def test_the_plain_command_line_knows_it_too(folder: Path) -> None:
    """Its version is another one than the module's (1.5 beside 2.0)."""
    config = pipelined(folder, RENAMED)
    sql = pipeline.printable_sql(config, question="failure_rate_by_dag", sql="", week=WEEK)
    done = subprocess.run(
        [Path(sys.executable).parent / "duckdb", "-csv"], input=sql, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    told = list(csv.DictReader(io.StringIO(done.stdout[done.stdout.index("dag_id,") :])))
    assert {row["dag_id"]: row["runs_prev"] for row in told} == {"fin_daily": "42"}


@pytest.mark.parametrize(
    ("renamed", "said"),
    [
        ('a = "x"\nb = "x"', "name one"),
        ('a = "b"\nb = "a"', "in a circle"),
        ('a = "a"', "in a circle"),
    ],
)
def test_what_cannot_be_is_an_error_that_names_it(renamed: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        pipelined(tmp_path, renamed)


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_dag_renamed_within_the_week_is_not_called_silent(tmp_path: Path, goes_on: bool) -> None:
    """Nothing is worse for a new name; where no other DAG goes on with its tasks, its runs are missing."""
    tries = []
    for n in range(63 * 24):
        due = WEEK.minus(8).from_at + timedelta(hours=n)
        is_new = due >= WEEK.from_at + timedelta(days=3, hours=5)
        if goes_on or not is_new:
            tries += [
                Attempt("orders_v2" if is_new else "orders", f"scheduled__{due.isoformat()}", task, 1, 1,
                        due + timedelta(minutes=5 + 6 * place), 300, "success", dag_file="orders.py")
                for place, task in enumerate(TASKS[:3])
            ]  # fmt: skip
    put_logs(tmp_path, [*tries, *steady(1)])
    body, mail = report_of(tmp_path, WEEK)
    codes = {one["code"]: one for one in body["findings"]}
    assert set(codes) == {"WS605" if goes_on else "WS502"}
    assert body["verdict"] == ("same" if goes_on else "worse")
    if goes_on:
        assert "orders_v2 is probably orders under a new name" in mail
        assert "If not, orders has not run since Thu 19 Nov 04:17 UTC" in codes["WS605"]["advice"]
