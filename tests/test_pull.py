"""The pull as a whole: buckets in, lake out, incrementally, over shards, through faults."""

import gc
import gzip
import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import boto3
import pytest

from tests.support.crash import broken, write_log
from tests.support.lakes import dump, rows_of
from tests.support.object_server import Fault, ObjectServer, Request
from tests.support.servers import aws_server
from windsock import config as configs
from windsock import pipeline
from windsock.errors import ConfigError, LakeError, SourceError
from windsock.output import Output
from windsock.pull.summary import PullSummary
from windsock.store import Storage, open_store
from windsock.week import Week

ROOT = Path(__file__).parents[1]
NOW = datetime(2026, 11, 30, 6, tzinfo=UTC)
WEEK = Week.parse("2026-W48")
QUIET = Output(level=0)
SQL = "select dag_id, task_id, state from task_logs order by all"
os.environ |= {
    "AWS_ACCESS_KEY_ID": "fake",
    "AWS_SECRET_ACCESS_KEY": "fake",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ObjectServer]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with ObjectServer() as server:
        for bucket in ("logs", "lake"):
            server.bucket(bucket)
        yield server


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """24 logs of six DAGs over three weeks."""
    for number in range(24):
        day = NOW - timedelta(days=3 + 7 * (number % 3))
        write_log(
            tmp_path / "logs", f"{number % 6}-{number:02d}", day, is_failed=number % 4 == 0, written_at=day
        )
    return tmp_path / "logs"


def upload(server: ObjectServer, logs: Path, prefix: str = "prod/") -> None:
    for path in sorted(logs.rglob("*.log")):
        at = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
        server.put("logs", f"{prefix}{path.relative_to(logs)}", path.read_bytes(), modified_at=at)


def pipeline_of(
    folder: Path, logs: str, lake: str, server: ObjectServer | None = None, more: str = ""
) -> configs.Config:
    path = folder / f"{abs(hash((logs, lake, more)))}.toml"
    where = (
        f"[storage.s3]\nendpoint_url='{server.url}'\n[storage.gcs]\nbase_url='{server.url}'\nanonymous=true\n"
        if server
        else ""
    )
    tables = more if "[lake]" in more else f"[lake]\nurl={lake!r}\n{more}"
    path.write_text(f"[deployment]\nname='prod'\n[sources.task_logs]\nurl={logs!r}\n{tables}{where}")
    return configs.load(path, {})


def pull(config: configs.Config, **options: object) -> PullSummary:
    return pipeline.pull(config, now=NOW, week=WEEK, output=QUIET, **options)  # type: ignore[arg-type]


def asked(config: configs.Config) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in pipeline.ask(config, question="", sql=SQL, week=WEEK).rows]


@pytest.mark.parametrize("scheme", ["s3", "gs"])
def test_logs_and_lake_in_buckets(server: ObjectServer, logs: Path, tmp_path: Path, scheme: str) -> None:
    upload(server, logs)
    config = pipeline_of(tmp_path, f"{scheme}://logs/prod", f"{scheme}://lake/prod", server)
    first = pull(config)
    assert (first.read, first.rejected, first.listing) == (24, 0, "full"), "nothing to go on from"
    here = pipeline_of(tmp_path, str(logs), str(tmp_path / "lake"))
    pull(here)
    assert asked(config) == asked(here)
    with server.counting() as seen:
        again = pull(config)
    assert (again.read, again.skipped, again.listing) == (0, 24, "incremental")
    assert [one.key for one in seen if one.key.endswith(".log")] == []
    assert [one.key for one in seen if one.method in ("PUT", "POST") and one.key.endswith(".parquet")] == []


def test_archived_and_exported_logs_are_read_as_the_logs_that_they_were(
    server: ObjectServer, logs: Path, tmp_path: Path
) -> None:
    """An archive's `.log.gz`; an export of CloudWatch, a stamp before each record and one folder for each stream, in parts."""
    for path in sorted(logs.rglob("*.log")):
        key = str(path.relative_to(logs))
        at = datetime.fromtimestamp(path.stat().st_mtime, tz=UTC)
        server.put("logs", f"archive/{key}.gz", gzip.compress(path.read_bytes()), modified_at=at)
        stamped = re.sub(r"(?m)^\[([^+\]]+)\+0000\]", r"\1Z \g<0>", path.read_text())
        folder = key.replace("/", "-").replace(":", "_")
        for part, text in enumerate((stamped, "more\n")):
            server.put(
                "logs", f"export/7a-1b/{folder}/{part:06d}.gz", gzip.compress(text.encode()), modified_at=at
            )
    here = pipeline_of(tmp_path, str(logs), str(tmp_path / "here"))
    pull(here)
    for name in ("archive", "export"):
        config = pipeline_of(tmp_path, f"s3://logs/{name}", str(tmp_path / name), server)
        told = pull(config)
        assert (told.read, told.rejected) == (24, 0)
        columns = "dag_id, run_id, task_id, try_number, state, started_at, error_signature, record_count"
        sql = f"select {columns} from task_logs order by all"
        rows = [pipeline.ask(one, question="", sql=sql, week=WEEK).rows for one in (config, here)]
        assert [*map(str, rows[0])] == [*map(str, rows[1])]
        assert len(rows[0]) == 24


def test_a_bucket_seen_as_google_storage_is_read(logs: Path, tmp_path: Path) -> None:
    """moto's S3 store answers the XML requests that a Google bucket gets."""
    with aws_server() as endpoint:
        client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
        client.create_bucket(Bucket="elsewhere")
        for path in logs.rglob("*.log"):
            key = f"prod/{path.relative_to(logs)}"
            client.put_object(Bucket="elsewhere", Key=key, Body=path.read_bytes(), ACL="public-read")
        more = f"[storage.gcs]\nbase_url='{endpoint}'\nanonymous=true\n"
        config = pipeline_of(tmp_path, "gs://elsewhere/prod", str(tmp_path / "lake"), more=more)
        assert pull(config).read == 24


def test_a_dry_run_tells_what_is_new_and_writes_nothing(
    server: ObjectServer, logs: Path, tmp_path: Path
) -> None:
    upload(server, logs)
    config = pipeline_of(tmp_path, "s3://logs/prod", "s3://lake/prod", server)
    with server.counting() as seen:
        told = pull(config, dry_run=True)
    assert (told.read, told.listed) == (24, 24)
    assert "would read 24 of 24 objects" in told.sentence()
    assert {one.method for one in seen} <= {"GET", "HEAD"}
    assert list(server.bucket("lake")) == []
    pull(config)
    server.put("logs", "prod/dag_id=new/run_id=r/task_id=t/attempt=1.log", b"x", modified_at=NOW)
    before = dict(server.bucket("lake"))
    told = pull(config, dry_run=True)
    assert (told.read, told.skipped, told.bytes) == (1, 24, 1)
    assert server.bucket("lake") == before
    nowhere = pipeline_of(tmp_path, str(logs), str(tmp_path / "never"))
    pull(nowhere, dry_run=True)
    assert not (tmp_path / "never").exists()


def test_above_max_objects_it_asks_or_stops(logs: Path, tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(
        f"[deployment]\nname='prod'\n[sources.task_logs]\nurl='{logs}'\nmax_objects=10\n[lake]\nurl='lake'\n"
    )
    config = configs.load(path, {})
    with pytest.raises(ConfigError, match=r"24 objects .* more than max_objects = 10"):
        pull(config)
    questions: list[str] = []
    with pytest.raises(ConfigError):
        pull(config, confirm=lambda text: bool(questions.append(text)))
    assert "Read them?" in questions[0]
    assert pull(config, confirm=lambda _text: True).read == 24


def test_the_first_pull_never_reads_years(logs: Path, tmp_path: Path) -> None:
    old = NOW - timedelta(days=400)
    write_log(logs, "9-old", old, is_failed=False, written_at=old)
    config = pipeline_of(tmp_path, str(logs), str(tmp_path / "lake"))
    assert pull(config).read == 24
    assert pull(config, full=True).read == 1


def test_the_union_of_the_shards_is_the_lake(logs: Path, tmp_path: Path) -> None:
    whole = pipeline_of(tmp_path, str(logs), str(tmp_path / "whole"))
    pull(whole)
    sharded = pipeline_of(tmp_path, str(logs), "", more=f"[lake]\nurl='{tmp_path}/sharded'\nshards=3\n")
    for index in (2, 0, 1):
        pull(sharded, shard=(index, 3))
    assert dump(tmp_path / "sharded") == dump(tmp_path / "whole")
    assert {path.name for path in (tmp_path / "sharded/task_logs").rglob("*.parquet")} == {
        f"part-{index:03d}-of-003.parquet" for index in range(3)
    }
    assert pull(sharded).read == 0
    with pytest.raises(ConfigError, match="must agree"):
        pull(sharded, shard=(0, 2))


def test_a_reshard_keeps_every_row(logs: Path, tmp_path: Path) -> None:
    config = pipeline_of(tmp_path, str(logs), str(tmp_path / "lake"))
    pull(config)
    before = dump(tmp_path / "lake")
    for shards in (3, 2, 1):
        more = f"[lake]\nurl='{tmp_path}/lake'\nshards={shards}\n"
        dealt = pipeline_of(tmp_path, str(logs), "", more=more)
        with pytest.raises(LakeError, match="--reshard"):
            pull(dealt)
        assert pipeline.reshard(dealt) > 0
        assert pipeline.reshard(dealt) == 0
        assert dump(tmp_path / "lake") == before
        assert pull(dealt).read == 0
        names = {path.name for path in (tmp_path / "lake").rglob("*.parquet")}
        assert all(f"-of-{shards:03d}" in name for name in names)


def test_an_interrupted_reshard_doubles_no_row_and_is_finished_by_the_next(
    logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from windsock.store.local import LocalStore

    config = pipeline_of(tmp_path, str(logs), str(tmp_path / "lake"))
    pull(config)
    before = dump(tmp_path / "lake")
    dealt = pipeline_of(tmp_path, str(logs), "", more=f"[lake]\nurl='{tmp_path}/lake'\nshards=3\n")
    done, originals = [0], {name: getattr(LocalStore, name) for name in ("delete", "move", "put", "put_file")}
    for stop in range(0, 60, 2):
        done[0] = 0

        def counted(name: str, stop: int = stop) -> object:
            def call(self: LocalStore, *arguments: object, **options: object) -> object:
                done[0] += 1
                if done[0] > stop:
                    raise KeyboardInterrupt
                return originals[name](self, *arguments, **options)

            return call

        with monkeypatch.context() as patch:
            for name in originals:
                patch.setattr(LocalStore, name, counted(name))
            try:
                pipeline.reshard(dealt)
            except KeyboardInterrupt:
                rows = rows_of(tmp_path / "lake", "task_logs")
                assert len(rows) == len(set(rows))
                if (tmp_path / "lake/_windsock/reshard.json").exists():
                    for refused in (config, dealt):
                        with pytest.raises(LakeError, match="--reshard"):
                            asked(refused)
    pipeline.reshard(dealt)
    assert dump(tmp_path / "lake") == before
    assert not list((tmp_path / "lake/_windsock/reshard").rglob("*.parquet"))


def test_objects_that_grow_vanish_and_are_forbidden_for_a_while(
    server: ObjectServer, logs: Path, tmp_path: Path
) -> None:
    upload(server, logs)
    config = pipeline_of(tmp_path, "s3://logs/prod", str(tmp_path / "lake"), server)
    pull(config)
    before = asked(config)
    key = sorted(server.bucket("logs"))[0]
    body = server.bucket("logs")[key].data
    server.put("logs", key, body + b"[2026-11-27T10:00:01.000+0000] {x.py:1} INFO - more\n", modified_at=NOW)
    server.on_request = lambda one: Fault("status", 403) if one.method == "GET" and one.key == key else None
    told = pull(config)
    assert (told.read, told.rejected, dict(told.reasons)) == (0, 1, {"forbidden": 1})
    assert asked(config) == before, "what was read before stays"
    server.on_request = lambda _one: None
    assert pull(config).read == 1, "the next pull takes it up"
    server.delete("logs", key)
    assert pull(config).read == 0
    assert asked(config) == before, "rows of an object deleted at the source stay"


def test_a_reject_is_tried_again_by_the_next_pull(server: ObjectServer, logs: Path, tmp_path: Path) -> None:
    upload(server, logs)
    key = sorted(server.bucket("logs"))[3]
    server.on_request = lambda one: Fault("status", 500) if one.method == "GET" and one.key == key else None
    config = pipeline_of(tmp_path, "gs://logs/prod", str(tmp_path / "lake"), server)
    first = pull(config)
    assert (first.read, dict(first.reasons)) == (23, {"store_error": 1})
    server.on_request = lambda _one: None
    again = pull(config)
    assert (again.read, again.rejected, again.skipped) == (1, 0, 23)


@pytest.mark.long
def test_a_store_that_falls_silent_stops_the_pull_and_keeps_what_was_read(
    server: ObjectServer, logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("windsock.pull.GONE_SILENT", 5)
    upload(server, logs)
    waiting, all_answered = set(sorted(server.bucket("logs"))[:8]), Event()
    answered = frozenset(waiting)

    def silent(one: Request) -> Fault | None:
        """The threads that fetch keep no order: the store falls silent once the first eight were asked for."""
        if one.method != "GET" or not one.key:
            return None
        if one.key not in answered:
            all_answered.wait(2)
            return Fault("reset")
        waiting.discard(one.key)
        if not waiting:
            all_answered.set()
        return None

    server.on_request = silent
    config = pipeline_of(tmp_path, "s3://logs/prod", str(tmp_path / "lake"), server)
    with pytest.raises(SourceError, match="stopped answering"):
        pull(config)
    kept = len(asked(config))
    assert 0 < kept < 24
    server.on_request = lambda _one: None
    assert pull(config).read == 24 - kept


def test_a_folder_that_cannot_be_listed_is_told_and_taken_up(
    server: ObjectServer, logs: Path, tmp_path: Path
) -> None:
    upload(server, logs)
    config = pipeline_of(tmp_path, "s3://logs/prod", str(tmp_path / "lake"), server)
    server.on_request = lambda one: (
        Fault("status", 500) if "dag_id=d2" in one.query.get("prefix", "") else None
    )
    told = pull(config)
    assert [prefix for prefix, _why in told.failed] == ["dag_id=d2/"]
    assert "1 folders could not be listed" in told.sentence()
    server.on_request = lambda _one: None
    assert pull(config).read == 24 - told.read


def test_urls_that_overlap_read_an_object_once(logs: Path, tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(
        f"[deployment]\nname='prod'\n[sources.task_logs]\nurl=['{logs}', '{logs}']\n[lake]\nurl='lake'\n"
    )
    assert pull(configs.load(path, {})).read == 24


def test_a_clock_that_jumped_loses_nothing(server: ObjectServer, logs: Path, tmp_path: Path) -> None:
    upload(server, logs)
    config = pipeline_of(tmp_path, "s3://logs/prod", str(tmp_path / "lake"), server)
    far = NOW + timedelta(days=3000)
    pipeline.pull(config, now=far, week=Week.last_complete(far), output=QUIET)
    assert pull(config).read == 24


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_lake_that_may_not_be_written_is_one_line(logs: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    lake.mkdir(mode=0o500)
    with pytest.raises(LakeError, match="cannot be written"):
        pull(pipeline_of(tmp_path, str(logs), str(lake)))


@pytest.mark.parametrize("limit", [50, 2_000, 6_000, 9_000])
def test_a_full_disk_is_one_line_and_leaves_a_sound_lake(logs: Path, tmp_path: Path, limit: int) -> None:
    """RLIMIT_FSIZE makes every larger write fail, as a full disk does."""
    config = pipeline_of(tmp_path, str(logs), str(tmp_path / "lake"))
    pull(config)
    for number in range(200):
        write_log(logs, f"7-{number:03d}", NOW - timedelta(days=2), is_failed=True, written_at=NOW)

    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = subprocess.run(
        [sys.executable, "-m", "windsock", "pull", str(config.path), "--week", "2026-W48"],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        preexec_fn=small_disk,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "free space" in done.stderr or "check space" in done.stderr
    assert broken(tmp_path / "lake") == ""
    pull(config)
    fresh = pipeline_of(tmp_path, str(logs), str(tmp_path / "fresh"))
    pull(fresh)
    assert dump(tmp_path / "lake") == dump(tmp_path / "fresh")


def test_a_google_bucket_with_a_key_that_cannot_be_listed_says_which(server: ObjectServer) -> None:
    server.put("logs", "prod/a//b", b"x")
    store = open_store("gs://logs/prod", Storage(gcs_base_url=server.url, gcs_anonymous=True))
    with pytest.raises(SourceError, match=r"'prod/a//b' cannot be listed here; .*storage\.googleapis\.com"):
        list(store.list())


def test_a_pull_in_its_own_process_loads_no_pandas(logs: Path, tmp_path: Path) -> None:
    """PyArrow would load it with its first array; it can be imported all the same by who wants it."""
    config = pipeline_of(tmp_path, str(logs), str(tmp_path / "lake"))
    code = (
        "import sys\nfrom windsock.cli import main\n"
        f"sys.argv = ['windsock', 'pull', {str(config.path)!r}, '--full']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "assert 'pandas' not in sys.modules\nimport pandas\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert asked(config)


def test_a_pull_leaves_the_collector_of_garbage_as_it_was(logs: Path, tmp_path: Path) -> None:
    before = gc.get_threshold()
    pull(pipeline_of(tmp_path, str(logs), str(tmp_path / "lake")))
    assert gc.get_threshold() == before
