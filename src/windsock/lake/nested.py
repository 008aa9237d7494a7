"""Labels and lists as JSON texts while DuckDB sorts them, and back.

DuckDB's sort keeps to its limit with rows of numbers and texts, but holds nested values of millions of rows in memory
until it fails. Rows that come sorted repeat their labels: each distinct text of a batch is read once.
"""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from windsock.lake.files import ARROW
from windsock.schema import LABELS, TEXTS, Table


def nested_columns(table: Table) -> list[str]:
    """The columns of a table that are no plain values."""
    return [name for name, kind in table.columns.items() if kind in (LABELS, TEXTS)]


def as_text(name: str) -> str:
    """SQL: the column as JSON text, null where it is."""
    return f"case when {name} is not null then cast(to_json({name}) as varchar) end as {name}"


def told_again(batch: pa.RecordBatch, table: Table) -> pa.RecordBatch:
    """A batch whose nested columns are texts → the same with their values."""
    for name in nested_columns(table):
        kind = ARROW[table.columns[name]]
        texts = batch.column(name).dictionary_encode()
        values = pa.array([_value(text) for text in texts.dictionary.to_pylist()], kind)
        at = batch.schema.get_field_index(name)
        batch = batch.set_column(at, pa.field(name, kind), values.take(texts.indices))
    return batch


def _value(text: str) -> Any:
    value = json.loads(text)
    return list(value.items()) if isinstance(value, dict) else value
