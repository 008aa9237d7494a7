"""Columns of quiet records → one Arrow table of `log_events` a buffer, of which each object owns a slice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from windsock.model import LogKey, Slice
from windsock.parse.columns import LEVELS, Columns, Names
from windsock.redaction.bulk import redact_column


class Events:
    """Rows of `log_events` by object, held as the tables of whole buffers."""

    def __init__(self) -> None:
        self.names = Names()
        self._slices: dict[int, list[Slice]] = defaultdict(list)

    def add(
        self, columns: Columns, owners: Sequence[tuple[int, LogKey, str]], *, before: Sequence[int]
    ) -> None:
        """Take in the columns of one buffer. `owners` are its segments' objects (place, key, url), `before` how many
        records of its object stand in front of each segment."""
        if not len(columns.segments):
            return
        keys, urls = [key for _, key, _ in owners], [url for *_, url in owners]
        table = as_table(columns, self.names, keys, urls, before)
        bounds = np.searchsorted(columns.segments, np.arange(len(owners) + 1)).tolist()
        for (place, _key, _url), start, stop in zip(owners, bounds[:-1], bounds[1:], strict=True):
            if stop > start:
                self._slices[place].append(Slice(table, start, stop))

    def slices(self, place: int) -> tuple[Slice, ...]:
        """The rows of the object at `place`."""
        return tuple(self._slices[place])


def as_table(
    columns: Columns, names: Names, keys: Sequence[LogKey], urls: Sequence[str], before: Sequence[int]
) -> pa.Table:
    """Rows of `log_events`, redacted. Keys, urls and how many records stand before are told by segment."""
    owner = pa.array(columns.segments.astype(np.int32))

    def of_owner(values: Sequence[str]) -> pa.DictionaryArray:
        return pa.DictionaryArray.from_arrays(owner, pa.array(values, pa.string()))

    def number(values: Sequence[int]) -> pa.Array:
        return pa.array(np.array(values, np.int32)[columns.segments])

    nothing = pa.nulls(len(owner), pa.string())
    return pa.table(
        {
            "dag_id": of_owner([key.dag_id for key in keys]),
            "run_id": of_owner([key.run_id for key in keys]),
            "task_id": of_owner([key.task_id for key in keys]),
            "map_index": number([key.map_index for key in keys]),
            "try_number": number([key.try_number for key in keys]),
            "logged_at": pa.array(columns.at_us).cast(pa.timestamp("us", tz="UTC")),
            "record_no": pa.array(columns.numbers + np.array(before, np.int64)[columns.segments]),
            "level": _coded(columns.levels, LEVELS),
            "logger": _coded(columns.loggers, names.all),
            "message": redact_column(columns.messages),
            "exception_type": nothing,
            "error_signature": nothing,
            "object_url": of_owner(urls),
        }
    )


def _coded(codes: np.ndarray[tuple[int], np.dtype[np.int64]], values: Sequence[str]) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(
        pa.array(codes.astype(np.int32)), pa.array(list(values), pa.string())
    )
