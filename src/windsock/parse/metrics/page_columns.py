"""Pages of one layout → rows of all of them in columns: `moments.Reading` and `minutes.Minutes` for many pages at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from windsock.model import Reject, Slice
from windsock.parse.metrics.names import COUNTER, GAUGE, TIMER
from windsock.parse.metrics.plan import Parses, Plan, labels_text
from windsock.parse.metrics.pools import GAUGES, MAX_SLOTS, OPEN
from windsock.parse.metrics.units import (
    LONGEST_PARSE_S,
    SHORTEST_PARSE_S,
    exported_late_factor,
)

MINUTE_US = 60_000_000
TIME = pa.timestamp("us", tz="UTC")
Kept = tuple[pa.Table, Any]
"""Rows of all pages, page by page, and where those of each page end."""


class PageColumns:
    """A batch of pages: `times` in microseconds and `values` with one row a page, both with the page before in front."""

    def __init__(self, plan: Plan, texts: SeriesTexts, times: Any, values: Any, urls: Sequence[str]) -> None:
        self._plan, self._texts = plan, texts
        self._before, self._at = times[:-1], times[1:]
        self._was, self._is = values[:-1], values[1:]
        self._urls = pa.array(urls, pa.string())

    def tables(self, live: Any) -> dict[str, Kept]:
        """Tables by name. `live` tells of each page whether its gauges are those of a living scheduler."""
        return {
            "metric_samples": self._metrics(),
            "pool_samples": self._pools(live),
            "parse_samples": self._parses(),
        }

    def beats(self) -> Any:
        """Of each page, whether a heartbeat advanced."""
        grown, _resets = self._grown(self._plan.beats)
        return (grown > 0).any(axis=1)

    def _grown(self, slots: Any) -> tuple[Any, Any]:
        was, now = self._was[:, slots], self._is[:, slots]
        resets = now < was
        return np.where(resets, now, now - was), resets

    def _means(self, counts: Any, sums: Any) -> tuple[Any, Any, Any]:
        """Observations since the page before, their sum, and whether the count began anew."""
        grown, resets = self._grown(counts)
        now = self._is[:, sums]
        return grown, np.where(resets, now, now - self._was[:, sums]), resets

    def _metrics(self) -> Kept:
        plan = self._plan
        gauges = self._is[:, plan.gauges]
        grown, resets = self._grown(plan.counters)
        counts, totals, begun = self._means(plan.timers, plan.sums)
        wanted = np.concatenate(
            (np.ones(gauges.shape, np.bool_), (grown != 0) | plan.are_heartbeats, counts >= 1), axis=1
        )
        page, series = np.nonzero(wanted)
        whole = np.trunc(counts)
        sums = totals * self._factors()
        with np.errstate(divide="ignore", invalid="ignore"):
            means = sums / whole
        is_timer = series >= gauges.shape[1] + grown.shape[1]
        is_gauge = series < gauges.shape[1]
        ones, zeros = np.ones(gauges.shape, np.int64), np.zeros(gauges.shape, np.int64)
        value = np.concatenate((gauges, grown, means), axis=1)[wanted]
        count = np.concatenate((ones, np.ones(grown.shape, np.int64), whole.astype(np.int64)), axis=1)[wanted]
        anew = np.concatenate((zeros, resets.astype(np.int64), begun.astype(np.int64)), axis=1)[wanted]
        at, before = self._at[page], self._before[page]
        least = pa.array(value, pa.float64(), mask=is_timer)
        told = {
            "sampled_at": _times(at // MINUTE_US * MINUTE_US),
            **self._texts.columns(series),
            "value": pa.array(value),
            "sample_count": pa.array(count),
            "min_value": least,
            "max_value": least,
            "from_at": _times(np.where(is_gauge, at, before)),
            "until_at": _times(at),
            "reset_count": pa.array(anew),
            "object_url": self._url(page),
        }
        return pa.table(told), np.cumsum(wanted.sum(axis=1))

    def _factors(self) -> Any:
        """Of each page and timer what makes its figures seconds."""
        plan = self._plan
        factors = np.ones((len(self._at), len(plan.timers)))
        if plan.are_parses.any():
            factors[:, plan.are_parses] = self._parse_factors()[:, None]
        for name, slots in plan.late.items():
            if len(slots) and plan.are_late[name].any():
                told = [
                    exported_late_factor(name, row[np.isfinite(row) & (row != 0)].tolist())
                    for row in self._is[:, slots]
                ]
                factors[:, plan.are_late[name]] = np.array(told)[:, None]
        return factors

    def _parse_factors(self) -> Any:
        """`units.exported_parse_factor` of each page."""
        plan, factors = self._plan, np.ones(len(self._at))
        counts = self._is[:, plan.means]
        sums = np.where(plan.mean_sums >= 0, self._is[:, plan.mean_sums], 0.0)
        for page in np.flatnonzero((counts > 0).any(axis=1)):
            seen = counts[page] > 0
            middle = np.median(sums[page][seen] / counts[page][seen])
            factors[page] = (
                1000.0 if middle < SHORTEST_PARSE_S else 0.001 if middle > LONGEST_PARSE_S else 1.0
            )
        return factors

    def _gauge_factors(self) -> Any:
        """`units.are_parse_milliseconds` of each page."""
        told = self._is[:, self._plan.parse_gauges]
        above = told > LONGEST_PARSE_S
        high, low = above.sum(axis=1), (~above).sum(axis=1)
        least = np.where(above, told, np.inf).min(axis=1, initial=np.inf)
        most = np.where(above, -np.inf, told).max(axis=1, initial=-np.inf)
        with np.errstate(invalid="ignore"):
            is_tie = (high == low) & (low > 0) & ((least + most) / 2 > LONGEST_PARSE_S)
        return np.where((high > low) | is_tie, 0.001, 1.0)

    def _parses(self) -> Kept:
        plan = self._plan
        shown = self._is[:, plan.gauged.slots]
        counts, totals, _begun = self._means(plan.timed.slots, plan.timed.sums)
        wanted = np.concatenate((shown != self._was[:, plan.gauged.slots], counts >= 1), axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            means = totals / np.trunc(counts)
        seconds = np.concatenate(
            (shown * self._gauge_factors()[:, None], means * self._parse_factors()[:, None]), axis=1
        )[wanted]
        page, series = np.nonzero(wanted)
        files = [*plan.gauged.files, *plan.timed.files]
        told = {
            "parsed_at": _times(self._at[page]),
            "dag_file": _coded([name for name, _bundle in files], series),
            "bundle_name": _coded([bundle for _name, bundle in files], series),
            "parse_s": pa.array(seconds),
            "source": _coded(["metric"], np.zeros(len(page), np.int32)),
            "object_url": self._url(page),
        }
        return pa.table(told), np.cumsum(wanted.sum(axis=1))

    def _pools(self, live: Any) -> Kept:
        pools = self._plan.pools
        assert not isinstance(pools, Reject)
        count, pages = len(pools), np.flatnonzero(live)
        told: dict[str, Any] = {
            "sampled_at": _times(np.repeat(self._at[pages], count)),
            "pool": _coded([name for name, _slots in pools], np.tile(np.arange(count), len(pages))),
            "source": _coded(["prometheus"], np.zeros(count * len(pages), np.int32)),
        }
        for gauge in GAUGES:
            told[gauge] = self._slots(pages, [slots.get(gauge, -1) for _name, slots in pools])
        parts = [
            [slots.get(one, -1) for _name, slots in pools] for one in (OPEN, "running_slots", "queued_slots")
        ]
        total = sum(self._is[pages][:, slots] for slots in parts)
        is_told = np.array([min(slots) >= 0 for slots in zip(*parts, strict=True)], np.bool_)
        told["total_slots"] = _whole(total, is_told)
        told["object_url"] = self._url(np.repeat(pages, count))
        return pa.table(told), np.cumsum(np.where(live, count, 0))

    def _slots(self, pages: Any, slots: list[int]) -> pa.Array:
        return _whole(self._is[pages][:, slots], np.array(slots, np.int64) >= 0)

    def _url(self, page: Any) -> pa.DictionaryArray:
        return pa.DictionaryArray.from_arrays(pa.array(page, pa.int32()), self._urls)


class SeriesTexts:
    """Names, labels and kinds of a plan's series, told by codes."""

    def __init__(self, plan: Plan) -> None:
        kinds = [GAUGE] * len(plan.gauges) + [COUNTER] * len(plan.counters) + [TIMER] * len(plan.timers)
        self._texts: Mapping[str, tuple[Any, pa.Array]] = {
            "name": _codes([series.name.name for _slot, series in plan.rows]),
            "labels": _codes([labels_text(series.name.labels) for _slot, series in plan.rows]),
            "kind": _codes(kinds),
            "raw_name": _codes([series.raw_name for _slot, series in plan.rows]),
        }

    def columns(self, series: Any) -> dict[str, pa.Array]:
        """The texts of rows, by the numbers of their series."""
        return {
            name: pa.DictionaryArray.from_arrays(pa.array(codes[series]), words)
            for name, (codes, words) in self._texts.items()
        }


def _codes(texts: Sequence[str | None]) -> tuple[Any, pa.Array]:
    words = pa.array(texts, pa.string()).dictionary_encode(null_encoding="encode")
    return words.indices.to_numpy(), words.dictionary


def _coded(texts: Sequence[str | None], rows: Any) -> pa.DictionaryArray:
    if not any(text is None for text in texts):
        codes, words = _codes(texts)
        return pa.DictionaryArray.from_arrays(pa.array(codes[rows], pa.int32()), words)
    return pa.array(texts, pa.string()).take(pa.array(rows)).dictionary_encode()


def _times(microseconds: Any) -> pa.Array:
    return pa.array(microseconds, pa.int64()).cast(TIME)


def _whole(values: Any, is_told: Any) -> pa.Array:
    """Numbers of slots, null where a pool does not tell them."""
    hidden = (~is_told | ~(np.abs(values) <= MAX_SLOTS)).ravel()
    return pa.array(np.where(hidden, 0, values.ravel()).astype(np.int64), mask=hidden).cast(pa.int32())


def slice_of(kept: Kept, page: int) -> list[Slice]:
    """The rows of one page."""
    table, ends = kept
    start, stop = int(ends[page - 1]) if page else 0, int(ends[page])
    return [Slice(table, start, stop)] if stop > start else []


__all__ = ["PageColumns", "Parses", "SeriesTexts", "slice_of"]
