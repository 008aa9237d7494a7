"""On a real run of Airflow 3.3 with a git bundle: its commits, when each was seen and first ran, and what local bundles hide."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.parse.component.test_corpora import CORPORA
from tests.support.airflow_server import TOKEN, serve
from tests.support.airflow_server import load as recorded
from windsock import pipeline
from windsock.config import Config, load
from windsock.output import Output
from windsock.week import Week

WEEK = Week.parse("2026-W48")
RUN = CORPORA / "airflow3"
pytestmark = pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora are not beside this checkout")


def pulled(root: Path, more: str = "", environment: dict[str, str] | None = None) -> Config:
    path = root / "a.toml"
    path.write_text(
        f"[deployment]\nname = 'a'\n[sources.task_logs]\nurl = '{RUN}/s3/airflow-logs/prod'\n"
        f"[sources.component_logs]\nurl = '{RUN}/local/components'\n{more}[lake]\nurl = '{root}/lake'\n"
    )
    config = load(path, environment or {})
    now = datetime.now(UTC) + timedelta(hours=1)  # files carry the time at which they were copied
    pipeline.pull(config, now=now, week=WEEK, output=Output(level=0), full=True)
    return config


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    return pulled(tmp_path_factory.mktemp("bundles"))


@pytest.fixture(scope="module")
def with_api(tmp_path_factory: pytest.TempPathFactory) -> Config:
    with serve(recorded(3)) as airflow:
        more = f"[sources.airflow_api]\nurl = '{airflow.url}'\ntoken_env = 'TOKEN'\n"
        return pulled(tmp_path_factory.mktemp("with_api"), more, {"TOKEN": TOKEN})


def commits() -> list[tuple[datetime, str]]:
    events = json.loads((RUN / "ground_truth.json").read_text())["events"]
    return [
        (datetime.fromisoformat(one["at"]), one["sha"]) for one in events if one.get("kind") == "git_commit"
    ]


@pytest.mark.parametrize("source", ["config", "with_api"])
def test_each_commit_is_seen_after_it_was_made_and_runs_after_it_was_seen(
    source: str, request: pytest.FixtureRequest
) -> None:
    """With the API too, whose row of a DAG's version holds a commit and the time before it was made (Airflow 3.3)."""
    config = request.getfixturevalue(source)
    rows = pipeline.ask(config, question="versions_to_first_run", sql="", week=WEEK).rows
    assert len(rows) == len(commits()) + 1  # the one that was there at the start
    for (commit, sha), row in zip(commits(), rows[1:], strict=True):
        assert (row["bundle_version"], row["seen_by"]) == (sha, "dag_processor")
        assert commit <= row["seen_at"] <= row["first_run_at"], row
        assert row["seen_at"] - commit < timedelta(minutes=3)  # the bundle's refresh
        assert 0 < row["wait_s"] < 300 and row["first_dag_id"] == "marketing_spend"


def test_no_change_of_code_names_a_commit_before_it_was_made(with_api: Config) -> None:
    rows = pipeline.ask(with_api, question="changes_of_week", sql="", week=WEEK).rows
    made = {sha: at for at, sha in commits()}
    told = [row for row in rows if row["after"] in made]
    assert {row["after"] for row in told} == set(made)
    assert all(made[row["after"]] <= row["until_at"] for row in told), told


def test_a_local_bundle_tells_no_version_and_the_git_bundle_all(config: Config) -> None:
    rows = {
        row["bundle_name"]: row
        for row in pipeline.ask(config, question="bundles_of_week", sql="", week=WEEK).rows
    }
    assert rows["dags-folder"]["versioned"] == 0 and rows["dags-folder"]["dags"] > 20
    git = rows["git-marketing"]
    assert git["versioned"] == git["tries"] == git["prepared"] and git["versions"] == 3
    assert git["prepare_p95_s"] > git["prepare_p50_s"] > 0
