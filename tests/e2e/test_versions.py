"""The same questions and the same sample week on DuckDB 1.5 and on each Python that windsock supports."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.e2e.environments import ROOT, environment, interpreter, run

pytestmark = pytest.mark.e2e
LOCKED = ["--require-hashes", "-r", str(ROOT / "requirements" / "dev.txt")]
OF_SQL = ["tests/test_questions.py", "tests/sql", "tests/test_sample_week.py"]


def everyday(venv: Path, words: list[str]) -> None:
    """Run tests of this checkout in another environment, from source."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    clean["PYTHONPATH"] = str(ROOT / "src")
    run([str(venv / "bin" / "python"), "-m", "pytest", "-p", "no:cacheprovider", *words], cwd=ROOT, env=clean)


def test_questions_and_the_sample_week_hold_on_duckdb_1_5() -> None:
    venv = environment("duckdb-1.5", interpreter("3.11"), LOCKED, ["duckdb>=1.5,<1.6"])
    told = run([str(venv / "bin" / "python"), "-c", "import duckdb; print(duckdb.__version__)"])
    assert told.startswith("1.5.")
    everyday(venv, [path for path in OF_SQL if (ROOT / path).exists()])


@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_the_everyday_tests_pass_on(version: str) -> None:
    venv = environment(f"dev-{version}", interpreter(version), LOCKED)
    everyday(venv, ["-n", "2", "--dist", "loadfile", "-m", "not e2e"])
