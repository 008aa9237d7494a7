"""Rows of `metric_samples` as series: one code for each name with its labels, numbered in the order of the lake's files.

A file of a day holds few series and many minutes of each. So rows are put in order by numbers, and labels are compared
as the texts that DuckDB would compare (`windsock.lake.nested`), once for each series and not for each row.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from windsock.lake.files import ARROW
from windsock.lake.runs import Unfit
from windsock.schema import LABELS, TABLES

TABLE = TABLES["metric_samples"]
CODED = ("name", "kind", "raw_name", "object_url")
GROUP_BYTES = 2_000_000
"""A row group of a spilled file: every file of a day has one in memory, and each costs some milliseconds."""
MAX_SMALL = 65_535


def labels_text(labels: Any) -> str:
    """Labels as JSON, as DuckDB writes them. It spells control characters in its own way: such labels are left to it."""
    text = json.dumps(dict(labels), ensure_ascii=False, separators=(",", ":"))
    if "\\u00" in text:
        raise Unfit
    return text


def in_order(table: pa.Table) -> pa.Table:
    """Rows told by codes, labels as texts (see `windsock.parse.metrics.page_columns`), sorted."""
    table = table.unify_dictionaries().combine_chunks()
    names, texts, urls = (table[one].chunk(0) for one in ("name", "labels", "object_url"))
    series = ranks_of(names) * len(texts.dictionary) + ranks_of(texts)
    url, at = ranks_of(urls), times_of(table)
    later = np.diff(at)
    if ((later > 0) | ((later == 0) & (np.diff(url) >= 0))).all():  # as pages come
        if len(names.dictionary) * len(texts.dictionary) > MAX_SMALL:
            series = np.unique(series, return_inverse=True)[1]
        small = series.astype(np.uint16) if series.max(initial=0) <= MAX_SMALL else series
        return table.take(
            pa.array(np.argsort(small, kind="stable"))
        )  # numbers so small are dealt out, not compared
    return table.take(pa.array(np.lexsort((url, at, series))))


def in_order_if_fit(table: pa.Table, labels: Sequence[Any]) -> pa.Table:
    """Rows as they are declared, whose labels are `labels`, in the form of `in_order`; as they are where they do not fit."""
    known: dict[Any, str] = {}
    try:
        texts = [known.get(one) or known.setdefault(one, labels_text(one)) for one in labels]
    except (Unfit, TypeError):  # also where there are none
        return table
    if any(table[name].null_count for name in ("name", "sampled_at", "object_url")):
        return table
    columns = {
        name: table[name].dictionary_encode() if name in CODED else table[name] for name in table.schema.names
    }
    return in_order(pa.table(columns | {"labels": pa.array(texts, pa.string()).dictionary_encode()}))


def with_labels(table: pa.Table) -> pa.Table:
    """Rows whose labels are texts told by codes → the same with labels as values."""
    table = table.unify_dictionaries().combine_chunks()
    texts, at = table["labels"].chunk(0), table.schema.get_field_index("labels")
    codes = texts.indices.to_numpy()
    used = np.flatnonzero(
        np.bincount(codes, minlength=len(texts.dictionary))
    )  # of a day's series a piece has few
    numbers = np.zeros(len(texts.dictionary), np.int32)
    numbers[used] = np.arange(len(used))
    told = [[*json.loads(one).items()] for one in texts.dictionary.take(pa.array(used)).to_pylist()]
    values = pa.array(told, ARROW[LABELS]).take(pa.array(numbers[codes]))
    return table.set_column(at, pa.field("labels", ARROW[LABELS]), values)


def declare(path: Path) -> None:
    """A spilled file of labels as texts becomes one of labels as values, for whoever does not know of this."""
    if pa.types.is_nested(pq.read_schema(path).field("labels").type):
        return
    file, out = pq.ParquetFile(path, read_dictionary=[*CODED, "labels"]), path.with_suffix(".declared")
    writer = None
    for number in range(file.num_row_groups):
        table = with_labels(file.read_row_group(number))
        writer = writer or pq.ParquetWriter(out, table.schema, compression="lz4", write_statistics=False)
        writer.write_table(table)
    if writer:
        writer.close()
        out.replace(path)


def times_of(table: pa.Table) -> Any:
    """Of each row its minute, as a number."""
    return table["sampled_at"].chunk(0).cast(pa.int64()).to_numpy()


def ranks_of(column: pa.DictionaryArray) -> Any:
    """Of each row the place of its text among all texts of the column, which are distinct."""
    words = column.dictionary.to_pylist()
    ranks = np.empty(len(words), np.int64)
    ranks[sorted(range(len(words)), key=words.__getitem__)] = np.arange(len(words))
    return ranks[column.indices.to_numpy()]
