"""Golden cases: `tests/sql/<question>/<case>/{<table>.csv, expect.csv}`. The week is 2026-W47, 16 to 22 November.

No Python is needed to add one. Columns that a CSV leaves out are null. `scope.csv` (exclude, quiet_from, quiet_until)
sets what is never judged. `WINDSOCK_ACCEPT=1` writes expect.csv: read the diff as you read code.
"""

import csv
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support.csv_lakes import write_csv
from tests.support.views import views_over
from windsock.lake import Lake
from windsock.questions import Question, ask, load_questions
from windsock.schema import TABLES
from windsock.week import Week

HERE = Path(__file__).parent
QUESTIONS = load_questions(HERE.parents[1] / "sql")
TRIES = ("task_logs", "task_instances", "dag_runs", "component_events")
WEEK = Week.parse("2026-W47")
BEHIND = {
    "task_tries": TRIES,
    "slot_tries": (*TRIES, "deployments", "task_tries"),
    "slot_legs": (*TRIES, "deployments", "task_tries", "slot_tries"),
    "error_causes": ("task_logs",),
    "owned_dags": ("task_logs", "task_instances", "deployments"),
    "well_runs": (*TRIES, "task_tries"),
    "tasks_now": ("dag_tasks",),
    "pool_spans": ("pool_samples", "deployments"),
}
"""What the views over tables are made of."""
MAKER = duckdb.connect()
"""Writes lakes and reads what is expected; a question is asked over a connection of its own."""
MAKER.execute("set TimeZone = 'UTC'")
CASES = sorted(path for path in HERE.glob("*/*") if (path / "expect.csv").exists() or any(path.glob("*.csv")))
FIRST = {case.parent.name: case for case in reversed(CASES)}
"""One case of each question: what a lake of another writer does to the question shows in one, `make long` asks all."""


def answer(case: Path, lake: Path, *, foreign: bool) -> tuple[Question, list[dict[str, Any]]]:
    question = QUESTIONS[case.parent.name]
    for path in sorted(case.glob("*.csv")):
        if path.stem in TABLES:
            write_csv(MAKER, lake, path.stem, path, foreign=foreign)
    exclude, quiet, owners = [], [], {}
    if (case / "owners.csv").exists():
        owners = {row["pattern"]: row["owner"] for row in csv.DictReader((case / "owners.csv").open())}
    if (case / "scope.csv").exists():
        for row in csv.DictReader((case / "scope.csv").open()):
            if row["exclude"]:
                exclude.append(row["exclude"])
            if row["quiet_from"]:
                quiet.append(
                    (datetime.fromisoformat(row["quiet_from"]), datetime.fromisoformat(row["quiet_until"]))
                )
    rows = list(ask(views_over(lake, WEEK, exclude=exclude, quiet=quiet, owners=owners), question).rows)
    return question, rows


def expected(question: Question, path: Path) -> list[dict[str, Any]]:
    casts = ", ".join(f"cast({one.name} as {one.type}) as {one.name}" for one in question.columns)
    cursor = MAKER.execute(
        f"select {casts} from read_csv(?, all_varchar = true, nullstr = 'null', header = true, delim = ',')",
        [str(path)],
    )
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def write_expected(question: Question, rows: list[dict[str, Any]], path: Path) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([one.name for one in question.columns])
        for row in rows:
            writer.writerow(["null" if value is None else _text(value) for value in row.values()])


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join("NULL" if one is None else str(one) for one in value) + "]"
    return str(value)


@pytest.mark.parametrize(
    ("case", "foreign"),
    [pytest.param(one, False, id=f"{one.parent.name}/{one.name}-ours") for one in CASES]
    + [
        pytest.param(
            one,
            True,
            id=f"{one.parent.name}/{one.name}-foreign",
            marks=() if one is FIRST[one.parent.name] else pytest.mark.long,
        )
        for one in CASES
    ],
)
def test_a_case_gives_what_it_says(case: Path, foreign: bool, tmp_path: Path) -> None:
    question, rows = answer(case, tmp_path, foreign=foreign)
    if os.environ.get("WINDSOCK_ACCEPT") and not foreign:
        write_expected(question, rows, case / "expect.csv")
    wanted = expected(question, case / "expect.csv")
    assert len(wanted) == len(rows), f"{case}\nexpected {wanted}\nactual   {rows}"
    for want, row in zip(wanted, rows, strict=True):
        for name, value in want.items():
            same = pytest.approx(value, rel=1e-9) if isinstance(value, float) else value
            assert row[name] == same, f"{case}: {name}\nexpected {want}\nactual   {row}"
    grain = [tuple(row[name] for name in question.grain) for row in rows]
    assert len(set(grain)) == len(grain), f"{question.name}: two rows of one grain"


@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_every_question_has_a_case(name: str) -> None:
    assert any(case.parent.name == name for case in CASES)


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_a_question_needs_no_view_that_its_header_does_not_name(name: str, tmp_path: Path) -> None:
    """By DuckDB's binding; everyday tests/test_questions.py holds `reads:` against the text."""
    question = QUESTIONS[name]
    conn = Lake.open(str(tmp_path), deployment="prod", create=True).connect(WEEK)
    needed = set(question.reads).union(*(BEHIND.get(view, ()) for view in question.reads))
    for view in {*TABLES, *BEHIND} - needed:
        conn.execute(f"drop view {view}")
    ask(conn, question)
    conn.close()
