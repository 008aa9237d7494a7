"""`windsock snapshot` stores what the API says now, and `pull` reads it: a pool history without any metrics."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.airflow_server import TOKEN, FakeAirflow, load, serve
from windsock import config as configs
from windsock import pipeline
from windsock.doctor import doctor
from windsock.errors import SourceError
from windsock.model import Parsed, Reject
from windsock.output import Output
from windsock.parse.told.answers import read_airflow_answers
from windsock.snapshot import snapshot
from windsock.week import Week

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)


@pytest.fixture(params=[2, 3])
def airflow(request: pytest.FixtureRequest) -> Iterator[FakeAirflow]:
    with serve(load(request.param)) as fake:
        yield fake


def pipeline_file(
    folder: Path, url: str, metrics: str = "url = 'metrics'", token: str = TOKEN
) -> configs.Config:
    path = folder / "prod.toml"
    path.write_text(
        f"[deployment]\nname = 'prod'\n[sources.metrics]\n{metrics}\n[sources.airflow_api]\nurl = {url!r}\ntoken_env = 'TOKEN'\n"
    )
    return configs.load(path, {"TOKEN": token})


@pytest.mark.parametrize("metrics", ["url = 'metrics'", "snapshot_url = 'metrics'"])
def test_snapshots_become_a_history_of_pools(tmp_path: Path, airflow: FakeAirflow, metrics: str) -> None:
    config = pipeline_file(tmp_path, airflow.url, metrics)
    for minute in range(3):
        airflow.lists["pools"][0]["running_slots"] = minute
        (stored,) = snapshot(config, now=NOW + timedelta(minutes=minute))
        assert stored.endswith(f"/2026-11-24/100{minute}00.api.jsonl.gz")
    pipeline.pull(config, now=NOW + timedelta(hours=1), week=Week.parse("2026-W48"), output=Output(level=0))
    conn = pipeline.open_lake(config).connect(Week.parse("2026-W48"))
    pool = airflow.lists["pools"][0]["name"]
    sql = "select sampled_at, running_slots, total_slots from pool_samples where object_url not like 'api:%' and pool = ? order by 1"
    slots = airflow.lists["pools"][0]["slots"]
    told = [
        (at.astimezone(UTC), running, total) for at, running, total in conn.execute(sql, [pool]).fetchall()
    ]
    assert told == [(NOW + timedelta(minutes=m), m, slots) for m in range(3)]
    health = "select count(*) from deployments where key = 'health.scheduler' and object_url not like 'api:%'"
    assert conn.execute(health).fetchall() == [(3,)]
    conn.close()


def test_a_snapshot_holds_no_secret_and_nothing_it_has_no_use_for(
    tmp_path: Path, airflow: FakeAirflow
) -> None:
    airflow.lists["import_errors"] = [{"import_error_id": 1, "filename": "d.py", "timestamp": "2026-11-24T09:00:00Z",
                                       "stack_trace": "KeyError: password=FAKEfakeFAKE99"}]  # fmt: skip
    (stored,) = snapshot(pipeline_file(tmp_path, airflow.url), now=NOW)
    text = gzip.decompress(Path(stored).read_bytes()).decode()
    assert "FAKEfakeFAKE99" not in text
    assert "KeyError" in text
    assert "owners" not in text
    assert [json.loads(line)["path"] for line in text.splitlines()] == [
        "/pools",
        "/importErrors",
        "/dags",
        "/health",
    ]


def test_a_list_that_is_forbidden_is_left_out_and_not_stored_as_empty(
    tmp_path: Path, airflow: FakeAirflow
) -> None:
    airflow.forbidden.add("/importErrors")
    (stored,) = snapshot(pipeline_file(tmp_path, airflow.url), now=NOW)
    assert "/importErrors" not in gzip.decompress(Path(stored).read_bytes()).decode()


def test_metrics_are_stored_when_the_api_is_down_and_the_error_is_told(tmp_path: Path) -> None:
    with serve(load(3)) as fake:
        from tests.support.airflow_server import Answer

        fake.script["/metrics"] = [Answer(200, {}, b"airflow_pool_open_slots_default_pool 3\n")]
        metrics = f"url = 'metrics'\nscrape = '{fake.url}/metrics'"
        config = pipeline_file(tmp_path, fake.url, metrics, token="FAKE-wrong")
        with pytest.raises(SourceError, match="refuses these credentials"):
            snapshot(config, now=NOW)
        assert [path.name for path in (tmp_path / "metrics").rglob("*.gz")] == ["100000.prom.gz"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"", "empty"), (b"<html>", "not_answers"), (b'{"ts": 1e300, "path": "/pools", "body": {}}', "not_answers"),
     (b"\x1f\x8bnot gzip", "damaged_gzip")],
)  # fmt: skip
def test_what_is_no_answer_is_a_reject_with_a_reason(data: bytes, reason: str) -> None:
    outcome = read_airflow_answers(data, object_url="x")
    assert isinstance(outcome, Reject)
    assert outcome.reason == reason


def test_a_snapshot_that_was_cut_keeps_its_whole_lines() -> None:
    line = json.dumps(
        {"ts": NOW.timestamp(), "path": "/pools?limit=100", "body": {"pools": [{"name": "p", "slots": 3}]}}
    )
    outcome = read_airflow_answers(f"{line}\n{line[:40]}".encode(), object_url="x")
    assert isinstance(outcome, Parsed)
    assert outcome.partial == "1 lines unreadable"
    assert outcome.rows["pool_samples"][0]["total_slots"] == 3
    cut = read_airflow_answers(gzip.compress((line + "\n").encode() * 2000)[:-30], object_url="x")
    assert isinstance(cut, Parsed)
    assert cut.rows["pool_samples"]


def test_doctor_says_the_version_and_which_right_is_missing(tmp_path: Path, airflow: FakeAirflow) -> None:
    airflow.forbidden |= {"/eventLogs"}
    (tmp_path / "metrics").mkdir()
    rows = {row["what"]: row for row in doctor(pipeline_file(tmp_path, airflow.url), now=NOW)}
    assert rows["airflow_api"]["state"] == "ok"
    assert airflow.single["version"]["version"] in rows["airflow_api"]["detail"]
    assert rows["airflow_api: permission"]["detail"].startswith("GET /eventLogs: answered 403")
    assert "role Op" in rows["airflow_api: permission"]["detail"]
    assert rows["airflow_db"]["state"] == "missing"
    wrong = pipeline_file(tmp_path, airflow.url, token="FAKE-wrong")
    (row,) = [row for row in doctor(wrong, now=NOW) if row["what"] == "airflow_api"]
    assert row["state"] == "broken"
    assert "refuses these credentials" in row["detail"]
