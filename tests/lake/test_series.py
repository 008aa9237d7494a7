"""Files of `metric_samples` that are in order merge into the very file that one sort of all their rows would give."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.lakes import rows_of
from windsock.lake import Lake, merge, series, series_runs
from windsock.lake.files import Partition
from windsock.lake.spill import Spill
from windsock.model import Parsed, Row, Slice, SourceObject
from windsock.schema import TABLES

TABLE = TABLES["metric_samples"]
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = Partition("metric_samples", "2026-11-16", 5)
LABELS = [(), (("a", "1"),), (("a", "1"), ("b", "2")), (("a", "é"),), (("a", '"\\\n'),), (("b", "2"),)]


def row(name: str, labels: Any, minute: int, url: str, kind: str = "gauge", value: float = 1.0) -> Row:
    at = NOW + timedelta(minutes=minute)
    return {
        "name": name, "labels": labels, "sampled_at": at, "object_url": url, "kind": kind, "value": value,
        "sample_count": 1, "min_value": None, "max_value": value, "raw_name": f"airflow_{name}",
        "from_at": at, "until_at": at, "reset_count": 0,
    }  # fmt: skip


def as_columns(rows: Sequence[Row]) -> Slice:
    """Rows as the pages of one layout tell them."""
    columns = {}
    for name, kind in TABLE.columns.items():
        if name != "read_at":
            values = [one[name] for one in rows]
            if name == "labels":
                columns[name] = pa.array(
                    [series.labels_text(one) for one in values], pa.string()
                ).dictionary_encode()
            else:
                array = pa.array(values, merge.arrow_schema(TABLE).field(name).type)
                columns[name] = array.dictionary_encode() if kind == "text" or name in series.CODED else array
    return Slice(pa.table(columns), 0, len(rows))


def spilled(folder: Path, batches: Sequence[Sequence[Row]], *, coded: Sequence[bool]) -> list[Path]:
    folder.mkdir()
    spill = Spill(folder, read_at=NOW)
    for rows, is_coded in zip(batches, coded, strict=True):
        if is_coded:
            spill.add_columns(DAY, as_columns(rows))
        else:
            for one in rows:
                spill.add(DAY, dict(one))
        spill.flush()
    return spill.files[DAY]


def merged(folder: Path, new: list[Path], old: Sequence[Path] = (), gone: str = "") -> bytes:
    folder.mkdir()
    conn = merge.connect(512, folder)
    conn.execute(f"create temp view gone as select unnest([{gone}]::varchar[]) as object_url")
    return merge.Merger(conn, folder).merge(TABLE, old=old, new=new, gone="gone").read_bytes()


ROWS = st.lists(
    st.builds(
        row, st.sampled_from(["pool.open_slots", "a", "é"]), st.sampled_from(LABELS), st.integers(0, 3),
        st.sampled_from(["u1", "u2", "ü"]), value=st.sampled_from([0.0, 1.5, -2.0]),
    ),
    min_size=1, max_size=25,
    unique_by=lambda one: (one["name"], one["labels"], one["sampled_at"], one["object_url"]),
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(
    batches=st.lists(ROWS, min_size=1, max_size=4),
    coded=st.lists(st.booleans(), min_size=4, max_size=4),
    old=ROWS,
)
def test_the_same_bytes_as_one_sort_of_all_rows(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[Row]], coded: list[bool], old: list[Row]
) -> None:
    folder = tmp_path_factory.mktemp("series")
    seen: set[Any] = set()
    fresh = []
    for rows in batches:  # one object's series has one row a minute
        kept = [
            one
            for one in rows
            if (k := (one["name"], one["labels"], one["sampled_at"], one["object_url"])) not in seen
            and not seen.add(k)
        ]  # type: ignore[func-returns-value]
        fresh.append([{**one, "object_url": one["object_url"] + " new"} for one in kept])
    fresh = [rows for rows in fresh if rows]
    before = folder / "before.parquet"
    before.write_bytes(merged(folder / "0", spilled(folder / "s0", [old], coded=[False])))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merge.Merger, "_in_order", _forbidden)
        new = spilled(folder / "s1", fresh, coded=coded[: len(fresh)])
        told = merged(folder / "1", new, [before], "'u1', 'ü'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merge, "_RUNS", ())
        plain = spilled(folder / "s2", fresh, coded=[False] * len(fresh))
        for path in plain:
            series.declare(path)
        assert merged(folder / "2", plain, [before], "'u1', 'ü'") == told


def _forbidden(*_told: Any, **_named: Any) -> Any:
    raise AssertionError("these rows should not have to be sorted anew")


@pytest.mark.parametrize(
    "odd",
    [
        [row("a", (("x", "\x1f"),), 0, "u"), row("a", (("x", "A"),), 0, "u")],
        [row("a", (), 0, "u", "gauge"), row("a", (), 0, "u", "counter")],
        [row("a", None, 0, "u"), row("a", (), 0, "v")],
    ],
    ids=["control characters in a label", "two rows of one series, minute and object", "no labels"],
)
def test_what_does_not_fit_is_sorted_anew(tmp_path: Path, odd: list[Row]) -> None:
    usual = [row("b", LABELS[2], minute, "w") for minute in range(3)]
    told = merged(tmp_path / "1", spilled(tmp_path / "s1", [odd, usual], coded=[False, True]))
    plain = spilled(tmp_path / "s2", [odd + usual], coded=[False])
    for path in plain:
        series.declare(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merge, "_RUNS", ())
        assert merged(tmp_path / "2", plain) == told


def test_more_files_than_fit_into_memory_are_sorted_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = [[row("a", LABELS[n % 6], n, f"u{n}") for n in range(no, 60, 3)] for no in range(3)]
    expected = merged(tmp_path / "1", spilled(tmp_path / "s1", batches, coded=[True] * 3))
    monkeypatch.setattr(series_runs, "MAX_BYTES", 100)
    assert merged(tmp_path / "2", spilled(tmp_path / "s2", batches, coded=[True] * 3)) == expected


def test_an_object_told_in_columns_is_replaced_as_any_other(tmp_path: Path) -> None:
    def pull(value: float, etag: str) -> None:
        lake = Lake.open(str(tmp_path), deployment="d", create=True)
        with lake.writer(shard=0, holder="h", now=NOW) as writer:
            told = as_columns([row("a", LABELS[1], minute, "u", value=value) for minute in range(3)])
            obj = SourceObject("u", "u", 1, NOW, etag)
            writer.add(
                obj,
                Parsed("metrics", {}, columns={"metric_samples": [told]}),
                kind="metrics",
                parser_version="1",
            )
            writer.checkpoint()

    pull(1.0, "e1")
    pull(2.0, "e2")
    place = [name for name in TABLE.columns if name != "read_at"].index("value")
    assert [one[place] for one in rows_of(tmp_path, "metric_samples")] == [2.0] * 3
