"""The laws of sql/: every question says what it is, and is what it says."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from windsock.errors import QuestionError
from windsock.lake import Lake
from windsock.lake.views import lake_sql
from windsock.questions import Question, ask, ask_sql, load_questions
from windsock.schema import TABLES
from windsock.week import Week

VIEWS = (
    "task_tries",
    "slot_tries",
    "slot_legs",
    "pool_spans",
    "error_causes",
    "owned_dags",
    "tasks_now",
    "well_runs",
)
SQL = Path(__file__).parents[1] / "sql"
QUESTIONS = list(load_questions(SQL).values())


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    conn = Lake.open(str(tmp_path_factory.mktemp("empty")), deployment="prod", create=True).connect(
        Week.parse("2026-W47")
    )
    yield conn
    conn.close()


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: one.name)
def test_a_question_keeps_the_laws(question: Question, empty: duckdb.DuckDBPyConnection) -> None:
    assert question.title.endswith("?")
    assert len(duckdb.extract_statements(question.sql)) == 1
    assert not question.sql.rstrip().endswith(";")
    described = empty.execute(f"describe {question.sql}").fetchall()
    real = [(row[0], row[1].lower().replace("timestamp with time zone", "timestamptz")) for row in described]
    assert [(one.name, one.type) for one in question.columns] == real
    assert set(question.grain) <= {one.name for one in question.columns}
    assert set(question.reads) <= {*TABLES, *VIEWS}
    assert ask(empty, question).columns == tuple(one.name for one in question.columns)


def test_a_question_reads_only_what_its_header_says(empty: duckdb.DuckDBPyConnection) -> None:
    for question in QUESTIONS:
        text = question.sql[question.sql.index("\n\n") if "\n\n" in question.sql else 0 :]
        body = "\n".join(line for line in text.split("\n") if not line.startswith("--"))
        body = body.replace("known_runs", "dag_runs")  # the same rows, each told once
        read = {name for name in (*TABLES, *VIEWS) if f"from {name}" in body or f"join {name}" in body}
        assert read == set(question.reads), question.name


def test_two_statements_are_refused(empty: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(QuestionError, match="2 statements"):
        ask_sql(empty, "select 1; select 2")


def test_a_mistake_in_sql_is_one_line(empty: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(QuestionError) as caught:
        ask_sql(empty, "select nope from task_tries")
    assert "\n" not in str(caught.value)


def test_lake_sql_is_not_a_question() -> None:
    assert lake_sql().startswith("-- The lake's views")
    assert "lake" not in {one.name for one in QUESTIONS}
