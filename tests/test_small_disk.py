"""A lake on a real file system that is full, or may only be read: a small tmpfs, where this process may mount one."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.crash import broken, write_log
from tests.support.lakes import dump
from windsock import config as configs
from windsock import pipeline
from windsock.errors import LakeError
from windsock.output import Output
from windsock.week import Week

ROOT = Path(__file__).parents[1]
NOW = datetime(2026, 11, 30, 6, tzinfo=UTC)
WEEK = Week.parse("2026-W48")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("no mount here")
    if done.returncode:
        pytest.skip(f"may not mount: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def logs(folder: Path, dag: str, count: int) -> None:
    for number in range(count):
        day = NOW - timedelta(days=3 + 7 * (number % 3))
        write_log(folder / "logs", f"{dag}-{number:03d}", day, is_failed=number % 2 == 0, written_at=NOW)


def config_of(folder: Path, lake: Path) -> configs.Config:
    path = folder / f"{lake.parent.name}.toml"
    path.write_text(f"[deployment]\nname='prod'\n[sources.task_logs]\nurl='logs'\n[lake]\nurl='{lake}'\n")
    return configs.load(path, {})


def pull(config: configs.Config) -> None:
    pipeline.pull(config, now=NOW, week=WEEK, output=Output(level=0))


def run(config: configs.Config, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "windsock", "pull", str(config.path), "--week", str(WEEK)],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")} | env,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def fill(disk: Path, *, left_kb: int) -> Path:
    room, filler = os.statvfs(disk), disk / "filler"
    filler.write_bytes(b"x" * (room.f_bavail * room.f_frsize - left_kb * 1024))
    return filler


def is_one_line(done: subprocess.CompletedProcess[str]) -> bool:
    text = done.stderr
    return (
        done.returncode == 2 and "Traceback" not in text and ("free space" in text or "check space" in text)
    )


@pytest.mark.parametrize("left_kb", [0, 4, 8])
def test_a_full_disk_is_one_line_and_leaves_a_sound_lake(disk: Path, tmp_path: Path, left_kb: int) -> None:
    logs(tmp_path, "7", 12)
    config = config_of(tmp_path, disk / "lake")
    pull(config)
    before = dump(disk / "lake")
    logs(tmp_path, "8", 300)
    filler = fill(disk, left_kb=left_kb)
    done = run(config)
    assert is_one_line(done), done.stderr
    assert broken(disk / "lake") == ""
    if left_kb == 0:
        assert dump(disk / "lake") == before
    filler.unlink()
    pull(config)
    fresh = config_of(tmp_path, tmp_path / "fresh" / "lake")
    pull(fresh)
    assert dump(disk / "lake") == dump(tmp_path / "fresh" / "lake")


def test_a_full_work_folder_is_one_line_and_leaves_the_lake_as_it_was(disk: Path, tmp_path: Path) -> None:
    logs(tmp_path, "7", 12)
    config = config_of(tmp_path, tmp_path / "lakes" / "lake")
    pull(config)
    before = dump(tmp_path / "lakes" / "lake")
    logs(tmp_path, "8", 300)
    fill(disk, left_kb=8)  # Python passes over a folder that takes nothing at all
    done = run(config, TMPDIR=str(disk))
    assert is_one_line(done), done.stderr
    assert dump(tmp_path / "lakes" / "lake") == before


def test_a_lake_that_may_only_be_read_is_one_line_and_can_be_asked(disk: Path, tmp_path: Path) -> None:
    """Root may write everywhere but here."""
    logs(tmp_path, "7", 12)
    config = config_of(tmp_path, disk / "lake")
    pull(config)
    before = dump(disk / "lake")
    logs(tmp_path, "8", 3)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(LakeError, match="Read-only file system"):
        pull(config)
    done = run(config)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert dump(disk / "lake") == before
    answer = pipeline.ask(config, question="", sql="select count(*) as n from task_logs", week=WEEK)
    assert answer.rows == ({"n": 12},)
