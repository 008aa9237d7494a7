"""The demo's report finds exactly the planted faults, and is the committed sample, byte for byte."""

import json
import os
import shutil
from pathlib import Path

import pytest

from windsock import config as configs
from windsock import demo, pipeline
from windsock.output import Output

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "reports" / "sample" / "2026-W47"


@pytest.fixture
def out(demo_folder: Path) -> Path:
    return demo_folder / "sample" / "2026-W47"


def test_each_object_was_read_well_and_is_read_once(demo_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(demo_folder / "lake", tmp_path / "lake")
    toml = (
        (demo_folder / "demo.toml").read_text().replace('"sample-bucket/', f'"{demo_folder}/sample-bucket/')
    )
    (tmp_path / "demo.toml").write_text(toml)
    config, week = configs.load(tmp_path / "demo.toml", {}), demo.WEEK
    again = pipeline.pull(config, now=week.to_at, week=week, output=Output(level=0), full=True)
    assert (again.read, again.skipped, again.rejected, again.ignored) == (0, again.listed, 0, 0)
    # the configuration file is no object of a listing
    sql = """select count(*) filter (where kind <> 'airflow_config') as objects, count(reject_reason) as rejects,
        list(distinct outcome) as outcomes from objects"""
    (row,) = pipeline.ask(config, question="", sql=sql, week=week).rows
    assert (row["objects"], row["rejects"], row["outcomes"]) == (again.listed, 0, ["parsed"])
    assert again.listed > 4000


def test_the_report_finds_exactly_the_planted_faults(out: Path) -> None:
    planted = json.loads((ROOT / "data/sample/fleet/faults.json").read_text())
    findings = json.loads((out / "report.json").read_text())["findings"]
    assert sorted(one["code"] for one in findings) == sorted(one["code"] for one in planted)
    for fault in planted:
        named = [
            one
            for one in findings
            if one["code"] == fault["code"]
            and any(fault["subject"] in value for value in one["subject"].values())
        ]
        assert len(named) == 1, (fault, named)


def test_the_pool_in_which_starts_collide_is_told_a_cure_that_needs_no_slot(out: Path) -> None:
    findings = json.loads((out / "report.json").read_text())["findings"]
    (pool,) = (one for one in findings if one["subject"] == {"pool": "exports"})
    assert pool["advice"].startswith("One of two is enough: start export_")
    # two slots hold two of three DAGs: what waited can start when nobody else wants a slot
    assert pool["evidence"]["cures"][0]["wait_hours_saved"] > 0.9 * pool["evidence"]["wait_hours"]


def test_no_commit_is_named_that_came_after_the_failures_began(out: Path) -> None:
    """The truth is in the logs: when the first failing run of the week began, and when the commit was first run."""
    logs = (ROOT / "data/sample/fleet/task_logs").glob("dag_id=*/run_id=*2026-11-1[67]*/*/*.log")
    texts = {path: path.read_text() for path in logs}
    failed = sorted(
        text[14:41]
        for path, text in texts.items()
        if "dag_id=orders_ingest/" in str(path) and "Task failed with exception" in text
    )
    committed = min(text[14:41] for text in texts.values() if "9c1f0e7b52d8" in text)
    assert failed[0] < committed
    findings = json.loads((out / "report.json").read_text())["findings"]
    (one,) = (one for one in findings if one["subject"] == {"dag_id": "orders_ingest"})
    assert (
        failed[0] <= one["evidence"]["began_at"] <= failed[1]
    )  # its first try, or the one that lost the run
    assert "9c1f0e7" not in json.dumps(one)


def test_the_bad_worker_is_named_with_its_failures_and_no_other_is(out: Path) -> None:
    """The truth is in the logs: tries on a host, and those of them that ended in an error."""
    logs = [path.read_text() for path in (ROOT / "data/sample/fleet/task_logs").rglob("attempt=1.log")]
    its = [text for text in logs if "on host worker-3" in text]
    failed = sum("Task failed with exception" in text for text in its)
    findings = json.loads((out / "report.json").read_text())["findings"]
    (worker,) = (one for one in findings if one["code"] == "WS630")
    assert worker["evidence"]["failures"] <= failed  # only what can be compared with other hosts counts
    assert worker["evidence"]["failures"] >= 0.5 * failed
    assert worker["evidence"]["tries"] <= len(its)


def test_the_lost_worker_is_named_with_what_it_cost(out: Path) -> None:
    """The truth is in the scheduler's log and in what is missing beside it: its tries left no log."""
    fleet = ROOT / "data/sample/fleet"
    lines = [
        line
        for path in (fleet / "component_logs/scheduler").glob("*.log")
        for line in path.read_text().splitlines()
        if "Detected zombie job" in line and "'Hostname': 'spot-1'" in line
    ]
    findings = json.loads((out / "report.json").read_text())["findings"]
    (worker,) = (one for one in findings if one["code"] == "WS632")
    evidence = worker["evidence"]
    assert evidence["tries"] == evidence["no_log"] == len(lines) == 4
    again = [dag for dag in ("index_products", "index_search", "train_churn", "train_ranking")
             if (fleet / f"task_logs/dag_id={dag}/run_id=scheduled__2026-11-18T03:00:00+00:00/task_id=build/attempt=2.log").exists()]  # fmt: skip
    assert (evidence["retried"], evidence["lost"], evidence["lost_runs"]) == (len(again), 4 - len(again), 1)
    # four tries of about fifteen minutes each, begun between 03:00 and 03:04, given up at 03:17
    assert 4 * 13 / 60 < evidence["lost_hours"] < 4 * 17.2 / 60


def test_the_parse_step_names_the_version_that_came_with_it(out: Path) -> None:
    findings = json.loads((out / "report.json").read_text())["findings"]
    (step,) = (one for one in findings if one["code"] == "WS201")
    assert step["evidence"]["suspect"].startswith("9c1f0e7")
    assert step["evidence"]["changed_from"] <= "2026-11-17T10:00" <= step["evidence"]["changed_to"]


def test_a_backfill_stands_in_a_line_of_its_own(out: Path) -> None:
    report = json.loads((out / "report.json").read_text())
    assert report["unjudged"] == ["backfill: 10 runs in 1 DAG, 4 of them lost; not judged"]


@pytest.mark.parametrize("name", ["report.html", "email.html", "email.txt", "report.json"])
def test_the_sample_report_is_the_committed_one(out: Path, name: str) -> None:
    if os.environ.get("WINDSOCK_ACCEPT"):
        GOLDEN.mkdir(parents=True, exist_ok=True)
        (GOLDEN / name).write_bytes((out / name).read_bytes())
    assert (out / name).read_bytes() == (GOLDEN / name).read_bytes(), (
        f"compare {out / name}; `make accept` takes it"
    )


def test_the_mail_stays_below_what_gmail_clips(out: Path) -> None:
    mail = (out / "email.html").read_bytes()
    assert len(mail) < 90_000
    for forbidden in (b"<script", b"<svg", b"data:image", b"http://", b"src="):
        assert forbidden not in mail
