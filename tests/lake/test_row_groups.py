"""Row groups end where the rows say, however the rows came; and texts have the same codes, coded before or not."""

from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windsock.lake import row_groups
from windsock.lake.row_groups import as_declared, coded, groups

SCHEMA = pa.schema(
    [("who", pa.string()), ("said", pa.string()), ("no", pa.int64()), ("weeks", pa.list_(pa.string())),
     ("labels", pa.map_(pa.string(), pa.string()))]
)  # fmt: skip
TEXT = st.none() | st.text(max_size=30)
ROW = st.fixed_dictionaries(
    {"who": st.sampled_from(["a", "b", None, "long name"]), "said": TEXT, "no": st.integers(0, 9),
     "weeks": st.none() | st.lists(st.text(max_size=5), max_size=3),
     "labels": st.lists(st.tuples(st.text(max_size=3), st.text(max_size=3)), max_size=2)}
)  # fmt: skip


def cut(table: pa.Table, borders: list[int], *, encode: bool) -> list[pa.Table]:
    edges = [0, *sorted(at for at in borders if at <= len(table)), len(table)]
    parts = [table.slice(start, stop - start) for start, stop in pairwise(edges)]
    return [part.set_column(0, "who", part["who"].dictionary_encode()) for part in parts] if encode else parts


def as_rows(found: list[pa.Table]) -> list[Any]:
    return [group.set_column(0, "who", group["who"].cast(pa.string())).to_pylist() for group in found]


@settings(deadline=None)
@given(st.lists(ROW, max_size=40), st.lists(st.integers(0, 40), max_size=5), st.booleans())
def test_borders_hang_on_the_rows_alone(rows: list[Any], borders: list[int], encode: bool) -> None:
    whole = pa.Table.from_pylist(rows, SCHEMA)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_groups, "ROW_GROUP_ROWS", 7)
        patch.setattr(row_groups, "ROW_GROUP_BYTES", 200)
        expected = as_rows(list(groups(as_declared([whole], SCHEMA, but=["who"]))))
        parts = cut(whole, borders, encode=encode)
        assert as_rows(list(groups(as_declared(parts, SCHEMA, but=["who"])))) == expected
    assert [row for group in expected for row in group] == whole.to_pylist()
    assert all(0 < len(group) <= 7 for group in expected)


def test_a_group_ends_before_the_row_that_would_make_it_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_groups, "ROW_GROUP_BYTES", 3 * 14)
    texts = ["ten bytes.", "ten bytes.", "ten bytes.", "ten bytes.", "x" * 100, "", ""]
    sizes = [len(group) for group in groups([pa.table({"text": texts})])]
    assert sizes == [3, 1, 1, 2], "10 bytes and an offset of 4 each; what fits into no group has its own"


@settings(deadline=None)
@given(st.lists(TEXT, max_size=30), st.lists(st.integers(0, 30), max_size=4))
def test_texts_are_numbered_as_they_first_occur(texts: list[str | None], borders: list[int]) -> None:
    parts = cut(pa.table({"who": pa.array(texts, pa.string())}), borders, encode=True)
    found = coded(pa.concat_tables(parts)["who"])
    assert found.to_pylist() == texts
    assert found.dictionary.to_pylist() == list(dict.fromkeys(text for text in texts if text is not None))
