"""Parts that several test files start from."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgres import Postgres, postgres
from windsock import demo, pipeline
from windsock.output import Output


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `windsock demo` leaves behind: demo.toml, a bucket, a lake, the report of 2026-W47. Read it, write elsewhere:
    it is made once for all workers."""
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # above it lie the folders of all
        place = place.parent
    folder, done = place / "demo", place / "demo-is-made"
    with (place / "demo-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            folder.mkdir(exist_ok=True)
            config, week = demo.prepare(folder)
            pipeline.pull(config, now=week.to_at, week=week, output=Output(level=0), full=True)
            pipeline.report(config, week=week, output=Output(level=0))
            done.touch()
    return folder


@pytest.fixture(scope="session")
def pg() -> Iterator[Postgres]:
    """A real PostgreSQL."""
    with postgres() as server:
        yield server
