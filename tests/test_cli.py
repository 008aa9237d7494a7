"""Every command as a user types it: exit status, what goes to which stream, the shapes of JSON, CSV and Parquet."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest

from windsock import cli, config, pipeline
from windsock.made_answers import ASKED
from windsock.model import Answer
from windsock.week import Week

ROOT = Path(__file__).parents[1]
LOG = ROOT / "data/sample/real/airflow3/dag_id=nasty_endings"
CONTRACT_OF_PARSE = [
    "path", "dialect", "state", "state_reason", "exception_type", "exception_message", "error_signature",
    "record_count", "process_starts", "started_at", "ended_at", "reject",
]  # fmt: skip


class Ran(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


@pytest.fixture
def windsock(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path):  # type: ignore[no-untyped-def]
    """Run `windsock …` in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WINDSOCK_PIPELINE", raising=False)

    def run(*words: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["windsock", *words])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        out, err = capsys.readouterr()
        return Ran(int(caught.value.code or 0), out, err)

    return run


@pytest.fixture
def toml(demo_folder: Path) -> str:
    return str(demo_folder / "demo.toml")


def test_help_names_every_command_with_a_runnable_example(windsock) -> None:  # type: ignore[no-untyped-def]
    ran = windsock("--help")
    assert ran.status == 0
    commands = "init run pull check ask report send parse what-if snapshot explain doctor demo".split()
    for command in commands:
        assert command in ran.out
        if command != "what-if":
            assert f"windsock {command}" in windsock(command, "--help").out.replace("windsock -q", "windsock")


def test_the_version_is_the_package_s(windsock) -> None:  # type: ignore[no-untyped-def]
    assert re.fullmatch(r"windsock \d+\.\d+\.\d+\S*\n", windsock("--version").out)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("aks",), "No such command 'aks'"),
        (("ask", "--fromat", "json"), "No such option"),
        (("ask", "--format", "xml"), "is not one of"),
        (("report",), "Missing argument"),
        (("run", "x.toml", "--fail-on", "bad"), "is not one of"),
    ],
)
def test_a_mistyped_command_is_one_line_and_status_2(windsock, words: tuple[str, ...], says: str) -> None:  # type: ignore[no-untyped-def]
    ran = windsock(*words)
    assert ran.status == 2
    assert says in ran.err
    assert "--help" in ran.err
    assert len(ran.err.splitlines()) == 1


def test_ask_list_shows_every_question_with_its_title(windsock) -> None:  # type: ignore[no-untyped-def]
    rows = json.loads(windsock("ask", "--list", "--format", "json").out)
    assert {row["question"] for row in rows} == {*pipeline.questions(), *ASKED}
    assert all(row["title"].endswith("?") for row in rows)
    listed = windsock("ask", "--list").out
    assert "failure_rate_by_dag" in listed
    assert "waiting_by_limit" in listed


def test_ask_gives_one_json_array_with_z_times_and_null_for_nan(windsock, toml: str) -> None:  # type: ignore[no-untyped-def]
    sql = "select max(started_at) as at, 'nan'::double as rate, count(*) as n, map {'a': 'b'} as labels from task_tries"
    ran = windsock("ask", "--sql", sql, "-p", toml, "--week", "2026-W47", "--format", "json")
    (row,) = json.loads(ran.out)
    assert re.fullmatch(r"2026-11-2\dT[\d:.]+Z", row["at"])
    assert row["rate"] is None
    assert row["n"] > 500
    assert row["labels"] == {"a": "b"}
    assert (
        windsock("ask", "--sql", "select 1 as a where false", "-p", toml, "--format", "json").out.strip()
        == "[]"
    )


def test_ask_reads_sql_from_standard_input(windsock, toml: str, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(sys, "stdin", io.StringIO("select 41 + 1 as answer"))
    assert json.loads(windsock("ask", "--sql", "-", "-p", toml, "-f", "json").out) == [{"answer": 42}]


def test_ask_takes_the_pipeline_from_the_environment_or_the_folder(  # type: ignore[no-untyped-def]
    windsock, toml: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "windsock.toml: cannot read the pipeline file" in windsock("ask", "--sql", "select 1").err
    monkeypatch.setenv("WINDSOCK_PIPELINE", toml)
    assert windsock("ask", "--sql", "select 1 as one").status == 0
    monkeypatch.delenv("WINDSOCK_PIPELINE")
    (tmp_path / "windsock.toml").write_text(
        Path(toml).read_text().replace('"lake"', f'"{Path(toml).parent / "lake"}"')
    )
    assert windsock("ask", "--sql", "select 1 as one").status == 0


def test_ask_as_csv_has_a_header_and_plain_rows(windsock, toml: str) -> None:  # type: ignore[no-untyped-def]
    out = windsock("ask", "failure_rate_by_dag", "-p", toml, "--week", "2026-W47", "-f", "csv").out
    rows = list(csv.DictReader(io.StringIO(out)))
    assert list(rows[0]) == [one.name for one in pipeline.questions()["failure_rate_by_dag"].columns]
    assert "orders_ingest" in {row["dag_id"] for row in rows}


def test_ask_as_parquet_is_bytes_with_duckdb_s_types(toml: str) -> None:
    sql = "select now() as at, null::integer as nothing, map {'a': 'b'} as labels, count(*) as n from task_tries"
    done = command("ask", "--sql", sql, "-p", toml, "--week", "2026-W47", "--format", "parquet")
    assert done.returncode == 0, done.stderr
    frame = pl.read_parquet(io.BytesIO(done.stdout))
    assert frame.height == 1
    assert frame.schema["nothing"] == pl.Int32
    assert isinstance(frame.schema["at"], pl.Datetime)
    made = command("ask", "waiting_by_limit", "-p", toml, "--week", "2026-W47", "--format", "parquet")
    assert pl.read_parquet(io.BytesIO(made.stdout)).schema["waits"] == pl.Int64
    empty = command("ask", "--sql", "select 1::bigint as a where false", "-p", toml, "-f", "parquet")
    assert pl.read_parquet(io.BytesIO(empty.stdout)).schema == {"a": pl.Int64}


@pytest.mark.parametrize("name", ASKED)
def test_an_answer_made_of_several_questions_is_asked_like_a_question(
    name: str, toml: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = []
    ask = pipeline.ask

    def kept(*given: Any, **asked: Any) -> Answer:
        answers.append(ask(*given, **asked))
        return answers[-1]

    monkeypatch.setattr(pipeline, "ask", kept)  # the table is made of the answer
    table = pipeline.ask_arrow(config.load(Path(toml)), question=name, sql="", week=Week.parse("2026-W47"))
    (answer,) = answers
    assert tuple(table.column_names) == tuple(answer.columns)
    assert table.num_rows == len(answer.rows)


def command(*words: str, **more: object) -> "subprocess.CompletedProcess[bytes]":
    """Run it as a process of its own, for what bytes and pipes do."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    return subprocess.run(
        [sys.executable, "-m", "windsock", *words], env=environment, capture_output=True, check=False, **more
    )  # type: ignore[call-overload,no-any-return]


def test_a_reader_that_stops_early_is_no_error(toml: str) -> None:
    sql = "select * from task_tries limit 1000"  # several times what a pipe holds
    line = f'"{sys.executable}" -m windsock ask --sql "{sql}" -p "{toml}" --week 2026-W47 -f csv | head -n 1'
    done = subprocess.run(
        ["sh", "-c", line],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("dag_id,")
    assert done.stderr == ""


@pytest.mark.parametrize("words", [(), ("failure_rate_by_dag", "--sql", "select 1")])
def test_ask_wants_exactly_one_question(windsock, toml: str, words: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    ran = windsock("ask", *words, "-p", toml)
    assert ran.status == 2
    assert "ask --list" in ran.err


def test_parse_prints_one_object_a_line_with_the_contract_s_fields(windsock) -> None:  # type: ignore[no-untyped-def]
    ran = windsock("parse", str(LOG))
    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert len(rows) == sum(1 for path in LOG.rglob("*") if path.is_file())
    for row in rows:
        assert list(row) == CONTRACT_OF_PARSE
    assert all(row["dialect"] for row in rows)
    failed = next(row for row in rows if row["state"] == "failed")
    assert failed["exception_type"]
    assert datetime.fromisoformat(failed["started_at"]).tzinfo is not None
    assert failed["started_at"].endswith("Z")


def test_parse_says_of_what_it_cannot_read_why(windsock, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "photo.log").write_bytes(b"\xff\xd8\xff\xe0" * 300)
    (row,) = (json.loads(line) for line in windsock("parse", "photo.log").out.splitlines())
    assert row["path"] == "photo.log"
    assert row["reject"]
    assert row["reject"] in windsock("parse", "photo.log", "--format", "table").out
    ran = windsock("parse", "nothing-here.log")
    assert ran.status == 2
    assert "nothing-here.log: no such file" in ran.err


def test_what_if_has_the_contract_s_shape(windsock, toml: str) -> None:  # type: ignore[no-untyped-def]
    words = ("what-if", "pool", "warehouse", "--slots", "4,8,16", "-p", toml, "--week", "2026-W47")
    told = json.loads(windsock(*words, "--format", "json").out)
    assert {"pool", "week", "slots_now", "options"} <= set(told)
    assert (told["pool"], told["week"], told["slots_now"]) == ("warehouse", "2026-W47", 4)
    assert [one["slots"] for one in told["options"]] == [4, 8, 16]
    for one in told["options"]:
        assert {"slots", "wait_hours", "wait_hours_saved", "peak_slots"} <= set(one)
    assert "wait_hours" in windsock(*words).out
    assert "4,8,16" in windsock("what-if", "pool", "warehouse", "--slots", "few", "-p", toml).err


def test_explain_prints_the_rule_s_own_words(windsock) -> None:  # type: ignore[no-untyped-def]
    ran = windsock("explain", "ws201")
    assert ran.out.startswith("WS201 ")
    for part in ("What it means", "How it is judged", "What to do"):
        assert part in ran.out
    missing = windsock("explain", "WS999")
    assert missing.status == 2
    assert "WS201" in missing.err


def test_the_report_s_path_is_the_only_result(windsock, toml: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    ran = windsock("-q", "report", toml, "--week", "2026-W47", "--out", str(tmp_path / "there"))
    assert ran.status == 0
    assert Path(ran.out.strip()) == tmp_path / "there" / "report.html"
    assert ran.err == ""
    assert {path.name for path in (tmp_path / "there").iterdir()} >= {
        "report.html",
        "email.html",
        "email.txt",
        "report.json",
    }


def test_fail_on_turns_findings_into_status_1(  # type: ignore[no-untyped-def]
    windsock, toml: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, report = [], pipeline.report

    def once(*given: Any, **told: Any) -> Any:
        made.append(made[0] if made else report(*given, **told))
        return made[0]

    monkeypatch.setattr(pipeline, "report", once)  # its findings are the same each time
    words = ("-q", "report", toml, "--week", "2026-W47", "--out", str(tmp_path / "there"))
    ended = {level: windsock(*words, "--fail-on", level).status for level in ("never", "info", "warning")}
    assert ended == {"never": 0, "info": 1, "warning": 1}
    assert len(made) == 3


def test_progress_goes_to_standard_error_as_text_or_json(windsock, toml: str) -> None:  # type: ignore[no-untyped-def]
    text = windsock("pull", toml, "--week", "2026-W47", "--dry-run")
    assert text.out == ""
    assert "objects" in text.err
    ran = windsock("--log-format", "json", "pull", toml, "--week", "2026-W47", "--dry-run")
    told = [json.loads(line) for line in ran.err.splitlines()]
    assert told[-1]["listed"] > 4000
    error = windsock("--log-format", "json", "pull", "nothing.toml")
    assert "nothing.toml" in json.loads(error.err)["error"]


def test_quiet_says_nothing_when_all_is_well(windsock, toml: str) -> None:  # type: ignore[no-untyped-def]
    ran = windsock("-q", "check", toml, "--week", "2026-W47")
    assert (ran.status, ran.out, ran.err) == (0, "", "")
