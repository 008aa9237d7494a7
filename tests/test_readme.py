"""The README's commands run as they stand, and every question gives the same rows in the plain duckdb command line."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from windsock import config as configs
from windsock import demo, pipeline, resources
from windsock.output import jsonable
from windsock.questions import load_questions

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
QUESTIONS = load_questions(resources.folder("sql"))
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, demo_folder: Path) -> Iterator[Path]:
    """A folder as the README finds it after `make demo`: sql/ beside reports/out/, windsock and duckdb on the path."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "sql").symlink_to(resources.folder("sql"))
    (folder / "bin").mkdir()
    windsock = folder / "bin" / "windsock"
    windsock.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m windsock "$@"\n')
    windsock.chmod(0o755)
    (folder / "reports").mkdir()
    (folder / "reports" / "out").symlink_to(demo_folder)
    yield folder


def shell(command: str, place: Path) -> str:
    """Run a line of the README; what it printed."""
    environment = {
        **os.environ,
        "PATH": f"{place / 'bin'}{os.pathsep}{BIN}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "src"),
    }
    done = subprocess.run(
        ["sh", "-ec", command], cwd=place, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


def commands(heading: str) -> list[str]:
    """The commands of the sh blocks below a heading, continuation lines joined, comments gone."""
    section = README.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    blocks = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


ASKING = commands("Ask your own questions")
EXPORTS = "".join(f"{one}\n" for one in ASKING if one.startswith("export "))


@pytest.mark.parametrize("command", [one for one in ASKING if not one.startswith("export ")])
def test_a_command_of_the_readme_runs_as_it_stands(command: str, place: Path) -> None:
    assert shell(EXPORTS + command, place).strip()


def test_the_readme_shows_both_ways_of_asking() -> None:
    text = "\n".join(ASKING)
    for part in ("windsock ask --list", '--sql "', "duckdb -c", "-f sql/lake.sql", "--print-sql"):
        assert part in text, part


def test_every_command_that_the_readme_names_exists() -> None:
    from typer.main import get_command

    from windsock.cli import app

    known = set(get_command(app).commands)  # type: ignore[attr-defined]
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL))
    named = set(re.findall(r"^windsock ([a-z-]+)", blocks, re.MULTILINE))
    assert named
    assert named <= known


def test_every_file_that_the_readme_links_to_exists() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


@pytest.mark.long
@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_gives_the_same_rows_in_the_duckdb_command_line(name: str, place: Path) -> None:
    """`-f` on the file itself: nothing is templated, and the text that --print-sql prints is the same question."""
    question = QUESTIONS[name]
    path = f"sql/{question.path.relative_to(resources.folder('sql'))}"
    config = configs.load(place / "reports/out/demo.toml", {})
    asked = {"question": name, "sql": "", "week": demo.WEEK}
    text = pipeline.printable_sql(config, **asked)
    (place / "printed.sql").write_text(text)
    variables = "set variable lake='reports/out/lake'; set variable week_start=date '2026-11-16'"
    for line in text.splitlines():  # what lake.sql takes from the pipeline file
        if line.startswith(("set variable owner_patterns", "set variable owner_names")):
            variables += f"; {line.rstrip(';')}"
    by_file = shell(f'duckdb -json -c "{variables}" -f sql/lake.sql -f {path}', place)
    by_text = shell("duckdb -json < printed.sql", place)
    ours = [{key: _plain(value) for key, value in row.items()} for row in pipeline.ask(config, **asked).rows]
    for printed in (by_file, by_text):
        rows = _arrays(printed)
        assert [{key: _plain(value) for key, value in row.items()} for row in rows] == ours


def _arrays(printed: str) -> list[dict[str, object]]:
    """The rows of the last statement: the command line prints one array for each, nothing for no rows."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(printed):
        array, end = decoder.raw_decode(printed, at)
        found.append(array)
        at = end + len(printed[end:]) - len(printed[end:].lstrip())
    assert found[0] == [{"lake_variables": "ok"}]
    return found[-1] if len(found) > 1 else []


def _plain(value: object) -> object:
    """One form for both printers: numbers to twelve digits, sums that nearly cancel to twelve places, instants as instants."""
    value = jsonable(value)
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(f"{round(value, 12):.12g}")
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d[T ]\d", value):
        return datetime.fromisoformat(value).astimezone(UTC)
    return value
