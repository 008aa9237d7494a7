"""What a user can get wrong: each ends with status 2 (or says "no data") and one line: what, where, how to mend."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.object_server import Fault, ObjectServer, Request
from windsock import cli

ROOT = Path(__file__).parents[1]
REAL = ROOT / "data/sample/real/airflow3"
BASE = '[deployment]\nname = "prod"\n'
LOGS = f'[sources.task_logs]\nurl = "{REAL}"\n'
KEYS = {"AWS_ACCESS_KEY_ID": "FAKE", "AWS_SECRET_ACCESS_KEY": "FAKE", "AWS_EC2_METADATA_DISABLED": "true"}

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def windsock(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run a command in an empty folder after writing `w.toml`: (status, out, err)."""
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "WINDSOCK_PIPELINE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)

    def run(*words: str, toml: str = "") -> tuple[int, str, str]:
        if toml:
            (tmp_path / "w.toml").write_text(toml, encoding="utf-8")
        monkeypatch.setattr(sys, "argv", ["windsock", *words])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        out, err = capsys.readouterr()
        return int(caught.value.code or 0), out, err

    return run


def is_one_line(status: int, out: str, err: str, *says: str) -> None:
    assert status == 2, (out, err)
    assert len(err.strip().splitlines()) == 1, err
    assert "Traceback" not in err
    for part in says:
        assert part in err


CASES: list[tuple[str, str, str, tuple[str, ...]]] = [
    # name, pipeline file, command, what the line must say
    ("no pipeline file", "", "run nothing.toml", ("nothing.toml: cannot read", "windsock init")),
    ("a folder as pipeline file", "", "run .", ("cannot read", "windsock init")),
    ("not TOML", "[deployment\n", "pull w.toml", ("w.toml", "not valid TOML")),
    ("typo in a heading", BASE + "[sorces]\n", "pull w.toml", ("w.toml", "'sorces'", "did you mean 'sources'?")),
    ("typo in a key", BASE + "[sources.task_logs]\nulr = 'x'\n", "pull w.toml", ("w.toml: [sources.task_logs] has no key 'ulr'", "did you mean 'url'?")),
    ("typo below a table array", BASE + "[[scope.quiet]]\nfrm = 'x'\n", "pull w.toml", ("[scope.quiet] has no key 'frm'", "did you mean 'from'?")),
    ("a value of another type", BASE + "[lake]\nshards = 'two'\n", "pull w.toml", ("w.toml", "lake.shards", "int")),
    ("no deployment", LOGS, "pull w.toml", ("w.toml", "deployment")),
    ("a variable that is not set", BASE + LOGS + "[deliver.slack]\nwebhook_env = 'NOT_SET_HERE'\n", "pull w.toml", ("w.toml", "$NOT_SET_HERE", "export NOT_SET_HERE=")),
    ("no source at all", BASE, "pull w.toml", ("w.toml", "no source", "[sources.task_logs] url")),
    ("a folder that is not there", BASE + "[sources.task_logs]\nurl = 'nowhere'\n", "pull w.toml", ("nowhere", "no such folder")),
    ("a file in place of a folder", BASE + "[sources.task_logs]\nurl = 'w.toml'\n", "pull w.toml", ("w.toml", "folder")),
    ("an unknown scheme", BASE + "[sources.task_logs]\nurl = 'ftp://x/y'\n", "pull w.toml", ("ftp://", "s3://")),
    ("a URL without a bucket", BASE + "[sources.task_logs]\nurl = 's3:///x'\n", "pull w.toml", ("bucket",)),
    ("no lake yet", BASE + LOGS, "ask failure_rate_by_dag -p w.toml", ("lake", "windsock pull")),
    ("no lake yet, report", BASE + LOGS, "report w.toml", ("lake", "windsock pull")),
    ("a lake in a file", BASE + LOGS + "[lake]\nurl = 'w.toml'\n", "pull w.toml", ("w.toml",)),
    ("a lake that cannot be written", BASE + LOGS + "[lake]\nurl = '/proc/nope/lake'\n", "pull w.toml --full", ("/proc/nope", "cannot be")),
    ("no such week", BASE + LOGS, "pull w.toml --week 2026-W54", ("2026-W54", "2026-W47")),
    ("a week without its year", BASE + LOGS, "report w.toml --week W47", ("W47", "2026-W47")),
    ("a time that is none", BASE + LOGS, "pull w.toml --since yesterday", ("--since 'yesterday'", "2026-11-16")),
    ("a shard outside", BASE + LOGS, "pull w.toml --shard 4/4", ("--shard '4/4'", "0/4")),
    ("a shard that is none", BASE + LOGS, "pull w.toml --shard half", ("--shard 'half'", "I/N")),
    ("shards that disagree", BASE + LOGS, "pull w.toml --shard 0/4", ("[lake] shards", "agree")),
    ("nothing to send", BASE + LOGS + "[deliver.files]\nurl = 'x'\n", "send w.toml --week 2026-W47", ("2026-W47", "windsock report")),
    ("nothing to snapshot", BASE + LOGS, "snapshot w.toml", ("w.toml", "scrape")),
    ("a finding that is none", "", "explain WS000", ("WS000", "WS101")),
    ("sizes that are none", BASE + LOGS, "what-if pool p --slots a,b -p w.toml", ("--slots", "4,8,16")),
    ("a log that is not there", "", "parse nothing.log", ("nothing.log", "no such file")),
    ("nothing at the URL", "", "init .", ("neither task logs nor",)),
    ("a URL that is not there", "", "init nowhere", ("nowhere", "no such folder")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "toml", "command", "says"), CASES, ids=[case[0] for case in CASES])
def test_a_mistake_is_one_line_with_the_mend(
    windsock: Run, name: str, toml: str, command: str, says: tuple[str, ...]
) -> None:
    is_one_line(*windsock(*command.split(), toml=toml), *says)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("ask", "failure_rate_by_dags"), ("failure_rate_by_dags", "did you mean failure_rate_by_dag?", "ask --list")),
        (("ask", "--sql", "select nope from task_tries"), ("nope",)),
        (("ask", "--sql", "selec 1"), ("syntax error",)),
        (("ask", "--sql", "select 1; select 2"), ("2 statements",)),
        (("ask", "--sql", "select 1; select 2", "--format", "parquet"), ("2 statements",)),
        (("ask", "--sql", "select nope", "--format", "parquet"), ("nope",)),
        (("what-if", "pool", "no_such_pool", "--slots", "4", "--week", "2026-W47"), ("no_such_pool",)),
        # everyday, `--out a-file` asks the same of a report and `demo --out` of the same folder: a whole report each
        pytest.param(("report", "DEMO", "--week", "2026-W47", "--out", "/proc/nope"), ("/proc/nope",), marks=pytest.mark.long),
        (("report", "DEMO", "--week", "2026-W47", "--out", "a-file"), ("a-file",)),
        (("demo", "--out", "/proc/nope"), ("/proc/nope", "--out")),
    ],
    ids=lambda one: " ".join(one)[:40] if isinstance(one, tuple) else None,
)  # fmt: skip
def test_a_mistake_over_a_full_lake_is_one_line_too(
    windsock: Run, demo_folder: Path, tmp_path: Path, words: tuple[str, ...], says: tuple[str, ...]
) -> None:
    (tmp_path / "a-file").write_text("mine")
    toml = str(demo_folder / "demo.toml")
    more = ("-p", toml) if words[0] in ("ask", "what-if") else ()
    is_one_line(*windsock("-q", *(toml if word == "DEMO" else word for word in words), *more), *says)
    assert (tmp_path / "a-file").read_text() == "mine"


def test_a_lake_belongs_to_one_deployment(windsock: Run, demo_folder: Path) -> None:
    toml = (demo_folder / "demo.toml").read_text().replace('"sample"', '"other"')
    toml = toml.replace('"lake"', f'"{demo_folder / "lake"}"')
    is_one_line(*windsock("ask", "--sql", "select 1", "-p", "w.toml", toml=toml), "sample", "other")


def test_an_empty_source_reads_nothing_and_its_report_cannot_tell(windsock: Run, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    toml = BASE + "[sources.task_logs]\nurl = 'logs'\n"
    status, _, err = windsock("pull", "w.toml", toml=toml)
    assert status == 0
    assert "0 objects listed" in err
    status, out, err = windsock("report", "w.toml", "--week", "2026-W47")
    assert status == 0
    report = json.loads(Path(out.strip()).with_name("report.json").read_text())
    assert report["verdict"] == "cannot_tell"
    assert report["no_data"]


def test_a_week_without_data_cannot_tell_and_says_so(
    windsock: Run, demo_folder: Path, tmp_path: Path
) -> None:
    toml = str(demo_folder / "demo.toml")
    status, _, _ = windsock("report", toml, "--week", "2024-W10", "--out", str(tmp_path / "r"))
    assert status == 0
    assert json.loads((tmp_path / "r" / "report.json").read_text())["verdict"] == "cannot_tell"
    assert windsock("ask", "failure_rate_by_dag", "-p", toml, "--week", "2024-W10")[1].strip() == "no rows"


def s3(endpoint: str, url: str = "s3://logs/prod") -> str:
    return BASE + f"[sources.task_logs]\nurl = '{url}'\n[storage.s3]\nendpoint_url = '{endpoint}'\n"


def test_a_missing_bucket_names_the_bucket(windsock: Run) -> None:
    with ObjectServer() as server:
        for command in ("pull w.toml", "pull w.toml --dry-run", "run w.toml"):
            toml = s3(server.url, "s3://no-such-bucket/prod")
            is_one_line(
                *windsock(*command.split(), toml=toml), "s3://no-such-bucket", "no such bucket", "check"
            )


def test_wrong_credentials_say_what_to_check(windsock: Run) -> None:
    def refuse(_request: Request) -> Fault:
        return Fault("status", 403)

    with ObjectServer(on_request=refuse) as server:
        is_one_line(*windsock("pull", "w.toml", toml=s3(server.url)), "s3://logs", "denied", "credentials")


def test_an_unreachable_endpoint_says_where_it_looked(windsock: Run) -> None:
    is_one_line(
        *windsock("pull", "w.toml", toml=s3("http://127.0.0.1:9")),
        "s3://logs",
        "cannot be reached",
        "endpoint_url",
    )


def test_no_credentials_at_all_name_the_variables(
    windsock: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    is_one_line(
        *windsock("pull", "w.toml", toml=s3("http://127.0.0.1:9")), "no AWS credentials", "AWS_PROFILE"
    )


@pytest.mark.long
def test_a_mail_server_that_does_not_answer_names_the_setting(
    windsock: Run, demo_folder: Path, tmp_path: Path
) -> None:
    text = (demo_folder / "demo.toml").read_text().replace('"lake"', f'"{demo_folder / "lake"}"')
    toml = text.replace('out = "."', f'out = "{demo_folder}"')
    toml += "[deliver.email]\nto = ['a@example.com']\nsmtp_host = '127.0.0.1'\nsmtp_port = 9\n"
    is_one_line(
        *windsock("send", "w.toml", "--week", "2026-W47", toml=toml), "127.0.0.1:9", "[deliver.email]"
    )


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes")
def test_names_that_are_no_text_are_told_and_the_rest_is_read(windsock: Run, tmp_path: Path) -> None:
    """A file, and a folder, whose name is no UTF-8: neither can stand in a column, and neither ends the pull."""
    line = b"[2026-11-23T15:22:59.673+0000] {user.py:12} INFO - a\n"
    for name in (
        b"dag_id=a/run_id=r/task_id=t/attempt=1.log",
        b"dag_id=b\xff/run_id=r/task_id=t/attempt=1.log",
        b"dag_id=a/run_id=r/task_id=\xff/attempt=1.log",
        b"dag_id=a/run_id=r/task_id=t/\xff.log",
    ):
        path = Path(os.fsdecode(os.fsencode(tmp_path / "logs") + b"/" + name))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(line)
    toml = BASE + "[sources.task_logs]\nurl = 'logs'\n[lake]\nurl = 'lake'\n"
    for _time in ("the first pull", "a later one"):
        status, _out, err = windsock("pull", "w.toml", toml=toml)
        assert status == 0
        assert err.startswith("1 objects listed")
        assert "3 names or folders could not be read at all; check permissions and encoding" in err
