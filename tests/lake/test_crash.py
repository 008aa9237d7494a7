"""A pull killed at any moment leaves a sound lake, and the next pull makes it what an undisturbed one would have.

A thousand kills run by `make kills`; a few, always the same, in every test run."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import crash

ROOT = Path(__file__).parents[2]


def kill(folder: Path, first: int, count: int, *, harness: str = "crash") -> dict[str, object]:
    # a process of its own: it forks, and must have no threads when it does
    done = subprocess.run(
        [sys.executable, "-m", f"tests.support.{harness}", str(folder), str(first), str(count)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr[-2000:]
    told: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_a_lake_stands_a_few_kills(tmp_path: Path) -> None:
    told = kill(tmp_path, 0, 6)
    assert told["wrong"] == []
    assert int(str(told["operations"])) > 100, "the kills fall on the whole write path"


@pytest.mark.e2e
@pytest.mark.parametrize("hundred", range(10))
def test_a_lake_stands_a_thousand_kills(tmp_path: Path, hundred: int) -> None:
    assert kill(tmp_path, 1000 + 100 * hundred, 100)["wrong"] == []


def test_a_lake_in_a_bucket_stands_a_few_kills(tmp_path: Path) -> None:
    told = kill(tmp_path, 0, 2, harness="crash_bucket")
    assert told["wrong"] == []
    assert int(str(told["kills"])) >= 2
    assert int(str(told["writes"])) > 20, "the kills fall on the whole write path"


@pytest.mark.e2e
def test_a_lake_in_a_bucket_stands_a_hundred_kills(tmp_path: Path) -> None:
    assert kill(tmp_path, 100, 100, harness="crash_bucket")["wrong"] == []


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The harness's lakes before and after. Read it, write elsewhere."""
    folder = tmp_path_factory.mktemp("made")
    assert crash.forked(lambda: crash.make(folder)) == 0
    return folder


def test_the_harness_sees_a_row_that_lies_in_two_weeks(made: Path, tmp_path: Path) -> None:
    """Else its silence would prove nothing."""
    lake = tmp_path / "expected"
    shutil.copytree(made / "expected", lake)
    assert crash.broken(lake) == ""
    first, second = sorted(lake.glob("task_logs/week=*/*.parquet"))[:2]
    second.with_name("part-001-of-002.parquet").write_bytes(first.read_bytes())
    assert "twice" in crash.broken(lake)


def test_the_scenario_moves_rows_over_week_borders(made: Path) -> None:
    """Else the harness would not try what is hard."""
    before, after = (
        {row[0]: row[-1] for row in crash.rows_of(made / name, "objects", but=("read_at", "parser_version"))}
        for name in ("before", "expected")
    )
    weeks = {url: (before[url], after[url]) for url in before}
    assert len(after) > len(before), "some objects are new"
    assert sum(was != now for was, now in weeks.values()) >= 4, "some objects' rows move"
