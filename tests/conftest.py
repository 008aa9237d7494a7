"""Parts that several test files start from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgres import Postgres, postgres
from windsock import demo, pipeline
from windsock.output import Output


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What `windsock demo` leaves behind: demo.toml, a bucket, a lake, the report of 2026-W47. Read it, write elsewhere."""
    folder = tmp_path_factory.mktemp("demo")
    config, week = demo.prepare(folder)
    pipeline.pull(config, now=week.to_at, week=week, output=Output(level=0), full=True)
    pipeline.report(config, week=week, output=Output(level=0))
    yield folder


@pytest.fixture(scope="session")
def pg() -> Iterator[Postgres]:
    """A real PostgreSQL."""
    with postgres() as server:
        yield server
