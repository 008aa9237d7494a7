"""`windsock init`: what it makes of every layout, that it lists little, and that hostile names stay values."""

import gzip
import json
import os
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.object_server import ObjectServer
from windsock import config
from windsock.errors import WindsockError
from windsock.glance.logs import LOGS_READ
from windsock.setup import init, toml

ROOT = Path(__file__).parents[1]
NOW = datetime(2026, 11, 25, tzinfo=UTC)
THREE = next((ROOT / "data/sample/real/airflow3").rglob("attempt=1.log")).read_bytes()
TWO = next((ROOT / "data/sample/real/airflow2").rglob("attempt=1.log")).read_bytes()
RUN = "scheduled__2026-11-24T00:00:00+00:00"


def lay(folder: Path, files: dict[str, bytes]) -> Path:
    for key, body in files.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        os.utime(path, (NOW.timestamp() - 3600,) * 2)
    return folder


def tables(path: Path) -> dict:  # type: ignore[type-arg]
    config.load(path, {})  # what init writes is a valid pipeline file
    return tomllib.loads(path.read_text(encoding="utf-8"))


MODERN = f"dag_id=etl/run_id={RUN}/task_id=load/attempt=1.log"
MAPPED = f"dag_id=etl/run_id={RUN}/task_id=load/map_index=3/attempt=1.log"
EXPORTED = f"dag_id=etl-run_id={RUN}-task_id=load".replace(":", "_")
LAYOUTS = [
    ("2.3 and newer", {MODERN: THREE}, "", ""),
    ("mapped tasks", {MAPPED: TWO}, "", ""),
    ("1.10 to 2.2", {"etl/load/2021-03-04T00:00:00+00:00/1.log": TWO}, "", ""),
    ("1.10 on CloudWatch", {"etl/load/2021-03-04T00_00_00+00_00/1.log": TWO}, "", ""),
    ("archived", {f"{MODERN}.gz": gzip.compress(THREE)}, "", ""),
    ("exported from CloudWatch", {f"exportedlogs/7f-2e/{EXPORTED}-attempt={n}.log/000000.gz": gzip.compress(TWO) for n in (1, 2)}, "exportedlogs/7f-2e", ""),
    ("both layouts after an upgrade", {MODERN: TWO, "etl/load/2021-03-04T00:00:00+00:00/1.log": TWO}, "", ""),
    ("Cloud Composer's bucket", {f"logs/{MODERN}": TWO, "dags/etl.py": b"x", "plugins/p.py": b"x", "data/d": b"x"}, "logs", ""),
    ("deep below the URL", {f"airflow/prod/logs/{MODERN}": THREE}, "airflow/prod/logs", ""),
    ("beside twenty other folders", {f"x{n}/y/file.csv": b"x" for n in range(20)} | {f"deep/er/{MODERN}": THREE}, "deep/er", ""),
    ("a template of one's own", {f"etl/load/{RUN}/1.log": TWO}, "", "{{ ti.dag_id }}/{{ ti.task_id }}/{{ ti.run_id }}/{{ try_number }}.log"),
    ("a template with labels", {f"dag=etl/run={RUN}/task=load/try-2.log": TWO}, "", "dag={{ ti.dag_id }}/run={{ ti.run_id }}/task={{ ti.task_id }}/try-{{ try_number }}.log"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("files", "below", "template"), [one[1:] for one in LAYOUTS], ids=[one[0] for one in LAYOUTS]
)
def test_a_layout_is_detected_and_the_file_reads_it(
    tmp_path: Path, files: dict[str, bytes], below: str, template: str
) -> None:
    lay(tmp_path / "logs-root", files)
    done = init([str(tmp_path / "logs-root")], name="prod", out=tmp_path / "w.toml", now=NOW)
    logs = tables(done.path)["sources"]["task_logs"]
    assert logs["url"] == str(tmp_path / "logs-root" / below)
    assert logs.get("filename_template", "") == template
    assert any("task logs of 1 DAGs" in line for line in done.lines)
    assert any("written by airflow" in line for line in done.lines)


def test_metrics_are_named_by_form_and_prefix(tmp_path: Path) -> None:
    capture = (
        b"1763942400 af_prod.pool.open_slots.default_pool:3|g\n1763942400 af_prod.scheduler_heartbeat:1|c\n"
    )
    lay(
        tmp_path / "m",
        {"2026-11-23/a.statsd.gz": gzip.compress(capture), "2026-11-24/b.prom": b"airflow_x 1\n"},
    )
    done = init([str(tmp_path / "m")], name="prod", out=tmp_path / "w.toml", now=NOW)
    assert tables(done.path)["sources"] == {"metrics": {"url": str(tmp_path / "m")}}
    (line,) = (one for one in done.lines if one.startswith("metrics are"))
    assert "StatsD captures" in line
    assert "Prometheus text" in line
    assert "af_prod" in line


def test_several_urls_make_one_file(tmp_path: Path) -> None:
    lay(tmp_path / "a", {MODERN: THREE})
    lay(tmp_path / "b", {MODERN: TWO})
    lay(tmp_path / "m", {"x.prom": b"airflow_pool_open_slots_default_pool 3\n"})
    done = init([str(tmp_path / one) for one in "abm"], name="prod", out=tmp_path / "w.toml", now=NOW)
    sources = tables(done.path)["sources"]
    assert sources["task_logs"]["url"] == [str(tmp_path / "a"), str(tmp_path / "b")]
    assert sources["metrics"]["url"] == str(tmp_path / "m")


def test_two_airflows_below_one_url_are_told_apart(tmp_path: Path) -> None:
    lay(tmp_path / "bucket", {f"prod/{MODERN}": THREE, f"staging/{MODERN}": THREE})
    with pytest.raises(WindsockError, match=r"more than one Airflow.*prod.*staging"):
        init([str(tmp_path / "bucket")], name="prod", out=tmp_path / "w.toml", now=NOW)
    assert not (tmp_path / "w.toml").exists()


def test_owners_that_the_logs_name_are_offered_as_comments(tmp_path: Path) -> None:
    body = (
        b"[2026-11-24T00:00:00.000+0000] {t.py:1} INFO - Exporting env vars: AIRFLOW_CTX_DAG_OWNER='team-a'\n"
        + TWO
    )
    lay(tmp_path / "logs", {MODERN: body})
    done = init([str(tmp_path / "logs")], name="prod", out=tmp_path / "w.toml", now=NOW)
    assert '# "etl" = "team-a"' in done.path.read_text()
    assert "owners" not in tables(done.path)


def test_an_existing_file_is_kept_unless_forced(tmp_path: Path) -> None:
    lay(tmp_path / "logs", {MODERN: THREE})
    out = tmp_path / "w.toml"
    out.write_text("mine")
    with pytest.raises(WindsockError, match=r"exists already.*--force"):
        init([str(tmp_path / "logs")], name="prod", out=out, now=NOW)
    assert out.read_text() == "mine"
    init([str(tmp_path / "logs")], name="prod", out=out, now=NOW, force=True)
    assert tables(out)["deployment"]["name"] == "prod"


def test_nothing_known_writes_nothing(tmp_path: Path) -> None:
    lay(tmp_path / "logs", {"a/b.txt": b"x"})
    with pytest.raises(WindsockError, match="neither task logs nor metric snapshots"):
        init([str(tmp_path / "logs")], name="prod", out=tmp_path / "w.toml", now=NOW)
    assert not (tmp_path / "w.toml").exists()


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=60))
def test_any_name_stays_one_toml_value(text: str) -> None:
    assert tomllib.loads(f"x = {toml(text)}\ny = 1") == {"x": text, "y": 1}


@pytest.mark.parametrize(
    "name", ['prod"\n[deliver.slack]\nwebhook_env = "X', "a\\", "\x7f", "a\u2028b", "🚀", "'''", "# no"]
)
def test_a_hostile_deployment_name_adds_no_setting(tmp_path: Path, name: str) -> None:
    lay(tmp_path / "logs", {MODERN: THREE})
    done = init([str(tmp_path / "logs")], name=name, out=tmp_path / "w.toml", now=NOW)
    told = tables(done.path)
    assert told["deployment"] == {"name": name}
    assert set(told) == {"deployment", "sources", "lake", "report"}


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectServer]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "FAKE")
    with ObjectServer() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        yield server


def test_a_large_bucket_is_sampled_with_few_requests(bucket: ObjectServer, tmp_path: Path) -> None:
    """300 DAGs with 60 runs each: 18,000 objects, of which a listing of everything would need 18 pages and more."""
    for dag in range(300):
        for day in range(60):
            at = NOW - timedelta(days=day)
            key = f"prod/dag_id=dag_{dag:03d}/run_id=scheduled__{at.isoformat()}/task_id=load/attempt=1.log"
            bucket.put("logs", key, THREE if dag else TWO, modified_at=at)
    done = init(["s3://logs"], name="prod", out=tmp_path / "w.toml", now=NOW)
    told = tables(done.path)
    assert told["sources"]["task_logs"]["url"] == "s3://logs/prod"
    assert told["storage"]["s3"]["endpoint_url"] == bucket.url
    assert "task logs of 300 DAGs" in done.lines[0]
    listings = bucket.count(lambda one: one.is_listing)
    reads = bucket.count(lambda one: not one.is_listing)
    assert listings <= 30
    assert reads <= LOGS_READ


def test_hostile_keys_do_not_stop_init(bucket: ObjectServer, tmp_path: Path) -> None:
    for key in (
        f"prod//{MODERN}",
        f"prod/dag_id=a\tb/run_id={RUN}/task_id=é ü/attempt=1.log",
        f"prod/{MODERN}",
    ):
        bucket.put("logs", key, THREE)
    done = init(["s3://logs/prod"], name="prod", out=tmp_path / "w.toml", now=NOW)
    assert json.dumps(tables(done.path)["sources"]["task_logs"]["url"]).startswith('"s3://logs/prod')


@contextmanager
def answering(answers: dict[str, bytes]) -> Iterator[str]:
    """A server that knows these paths and answers 404 to all others."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = answers.get(self.path.partition("?")[0])
            self.send_response(200 if body is not None else 404)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(("api", "version"), [(1, "2.11.2"), (2, "3.3.2")])
def test_an_address_of_airflow_is_told_by_its_version(tmp_path: Path, api: int, version: str) -> None:
    with answering({f"/api/v{api}/version": json.dumps({"version": version}).encode()}) as url:
        done = init([f"{url}/home"], name="prod", out=tmp_path / "w.toml", now=NOW)
    told = tables(done.path)
    assert told["sources"] == {"airflow_api": {"url": url}}
    assert told["deployment"]["base_url"] == url
    assert f"Airflow {version} (REST API v{api})" in done.lines[0]
    assert "token_env" in done.path.read_text()


def test_a_prometheus_of_two_airflows_offers_a_match(tmp_path: Path) -> None:
    result = [{"metric": {"namespace": name, "job": "statsd"}, "value": [1, "1"]} for name in ("prod", "dev")]
    answers = {
        "/api/v1/status/buildinfo": b'{"status": "success", "data": {"version": "2.53.0"}}',
        "/api/v1/query": json.dumps({"status": "success", "data": {"result": result}}).encode(),
    }
    with answering(answers) as url:
        done = init([url], name="prod", out=tmp_path / "w.toml", now=NOW)
    assert tables(done.path)["sources"] == {"metrics": {"prometheus": url}}
    assert "metrics of several emitters: namespace is dev, prod" in done.lines
    (line,) = (one for one in done.path.read_text().splitlines() if one.startswith("# match"))
    assert tomllib.loads(line.removeprefix("# "))["match"] == '{namespace="dev"}'


def test_a_metrics_endpoint_is_told_by_prefix_and_executor(tmp_path: Path) -> None:
    body = b'af_scheduler_heartbeat 7\naf_executor_open_slots{executor="CeleryExecutor"} 16\n'
    with answering({"/metrics": body}) as url:
        done = init([f"{url}/metrics"], name="prod", out=tmp_path / "w.toml", now=NOW)
    told = tables(done.path)["sources"]["metrics"]
    assert told == {"snapshot_url": "./metrics", "scrape": f"{url}/metrics"}
    assert "names begin with af" in done.lines[0]
    assert "the executor is CeleryExecutor" in done.lines


def test_an_address_where_nothing_known_answers_is_an_error(tmp_path: Path) -> None:
    with answering({"/": b"<html>"}) as url, pytest.raises(WindsockError, match="neither Airflow's API nor"):
        init([url], name="prod", out=tmp_path / "w.toml", now=NOW)
    with pytest.raises(WindsockError, match="cannot be reached"):
        init([url], name="prod", out=tmp_path / "w.toml", now=NOW)


def test_logs_of_pods_name_the_executor(tmp_path: Path) -> None:
    assert b" on host vm" in TWO
    lay(tmp_path / "logs", {MODERN: TWO.replace(b" on host vm", b" on host etl-load-x1y2z3w4")})
    done = init([str(tmp_path / "logs")], name="prod", out=tmp_path / "w.toml", now=NOW)
    assert any("KubernetesExecutor" in line for line in done.lines)
    lay(tmp_path / "others", {MODERN: TWO})
    done = init([str(tmp_path / "others")], name="prod", out=tmp_path / "v.toml", now=NOW)
    assert not any("executor is" in line for line in done.lines)
