"""One SQL file is one question: its header says what it asks, per what, from which views, with which columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from windsock.errors import QuestionError
from windsock.model import Answer


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the answer: its DuckDB type, and what it means (with its unit)."""

    name: str
    type: str
    description: str


@dataclass(frozen=True, slots=True)
class Question:
    """A question of `sql/`. `sql` is the file's text: one SELECT without a semicolon."""

    name: str
    family: str
    title: str
    description: str
    grain: tuple[str, ...]
    reads: tuple[str, ...]
    columns: tuple[Column, ...]
    sql: str
    path: Path


_COLUMN = re.compile(r"--\s{3}(?P<name>\w+)\s+(?P<type>[\w\[\]]+(?:\([^)]*\))?)(?:\s{2,}(?P<text>.*))?$")


def load_questions(folder: Path) -> dict[str, Question]:
    """Every question below `folder`, by name. `lake.sql` is no question."""
    paths = sorted(folder.glob("*/*.sql"))
    if not paths:
        raise QuestionError(f"{folder}: no questions found; install windsock again")
    return {path.stem: _question(path) for path in paths}


def _question(path: Path) -> Question:
    text = path.read_text(encoding="utf-8")
    head = [line for line in text.split("\n") if line.startswith("--")]
    fields: dict[str, str] = {}
    prose: list[str] = []
    columns: list[Column] = []
    for line in head[1:]:
        if match := re.match(r"-- (grain|reads):\s+(.*)", line):
            fields[match[1]] = match[2]
        elif match := _COLUMN.match(line):
            columns.append(Column(match["name"], match["type"], match["text"] or ""))
        elif line.strip() not in ("--", "-- columns:"):
            prose.append(line.removeprefix("--").strip())
    missing = {"grain", "reads"} - fields.keys()
    if missing or not columns:
        raise QuestionError(f"{path}: the header lacks {', '.join(sorted(missing)) or 'columns'}")
    return Question(
        name=path.stem,
        family=path.parent.name,
        title=head[0].removeprefix("--").strip(),
        description=" ".join(prose),
        grain=tuple(one.strip() for one in fields["grain"].split(",")),
        reads=tuple(one.strip() for one in fields["reads"].split(",")),
        columns=tuple(columns),
        sql=text,
        path=path,
    )


def ask(conn: duckdb.DuckDBPyConnection, question: Question) -> Answer:
    """Run a question over an opened lake."""
    return _answer(conn, question.name, question.sql)


def ask_of_dag(conn: duckdb.DuckDBPyConnection, question: Question, dag_id: str) -> Answer:
    """The rows of one DAG: a question is one SELECT, so the engine is told in front which rows are wanted."""
    sql = f"select * from ({question.sql}) as answer where dag_id = $dag_id order by {', '.join(question.grain)}"
    return _answer(conn, question.name, sql, {"dag_id": dag_id})


def ask_sql(conn: duckdb.DuckDBPyConnection, sql: str) -> Answer:
    """Run one ad-hoc statement. The lake's files cannot be changed by it: the connection holds views only."""
    _refuse_many(sql)
    return _answer(conn, "sql", sql)


def ask_with(conn: duckdb.DuckDBPyConnection, name: str, sql: str, values: Mapping[str, str]) -> Answer:
    """Windsock's own SQL about something that has a name: `$dag_id` and the like are bound, never pasted."""
    return _answer(conn, name, sql, values)


def answer_as_arrow(conn: duckdb.DuckDBPyConnection, sql: str, *, name: str) -> Any:
    """The answer as an Arrow table: columns keep DuckDB's types, also where every value is null."""
    _refuse_many(sql)
    try:
        relation = conn.sql(sql)
        if relation is None:
            raise QuestionError(f"{name}: the statement gives no rows; write a select")
        return relation.to_arrow_table()
    except duckdb.Error as error:
        raise QuestionError(f"{name}: {_one_line(error)}") from None


def rows_as_arrow(answer: Answer, types: Mapping[str, str] | None) -> Any:
    """An answer that Python made, as an Arrow table; `types` are SQL's, by column: varchar or bigint, else double.
    Without them a column has the type of its values, and text where there are none."""
    import pyarrow as pa

    if types is None:
        columns = {name: pa.array([row[name] for row in answer.rows]) for name in answer.columns}
        return pa.table(
            {name: one.cast(pa.string()) if one.type == pa.null() else one for name, one in columns.items()}
        )

    arrow = {"varchar": pa.string(), "bigint": pa.int64()}
    schema = pa.schema([(name, arrow.get(types.get(name, ""), pa.float64())) for name in answer.columns])
    return pa.Table.from_pylist([dict(row) for row in answer.rows], schema=schema)


def _refuse_many(sql: str) -> None:
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise QuestionError(f"--sql: {_one_line(error)}") from None
    if len(statements) != 1:
        raise QuestionError(f"--sql: {len(statements)} statements; give one")


def _answer(
    conn: duckdb.DuckDBPyConnection, name: str, sql: str, values: Mapping[str, str] | None = None
) -> Answer:
    try:
        cursor = conn.execute(sql, dict(values or {}))
        columns = tuple(column[0] for column in cursor.description or ())
        rows = tuple(dict(zip(columns, row, strict=True)) for row in cursor.fetchall())
    except duckdb.Error as error:
        raise QuestionError(f"{name}: {_one_line(error)}") from None
    return Answer(name, columns, rows)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
