"""Answers of a Prometheus server's `query_range` → the rows that text snapshots taken at each step would give."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import msgspec

from windsock.model import Outcome, Reject
from windsock.parse.metrics.heads import MAX_SERIES, Heads
from windsock.parse.metrics.prometheus_text import Moment, Scan
from windsock.parse.metrics.snapshots import rows_of
from windsock.parse.metrics.stream import SnapshotStream


class _Result(msgspec.Struct):
    metric: dict[str, str]
    values: list[tuple[float, str]] = []


class _Data(msgspec.Struct):
    resultType: str = ""
    result: list[_Result] = []


class _Answer(msgspec.Struct):
    status: str
    data: _Data = msgspec.field(default_factory=_Data)
    error: str = ""


_DECODER = msgspec.json.Decoder(_Answer)


class _Family(msgspec.Struct):
    type: str = ""


class _Metadata(msgspec.Struct):
    data: dict[str, list[_Family]] = {}


def read_metadata(body: bytes | None) -> dict[str, str]:
    """Family → type. A server that does not tell leaves the registry's own knowledge."""
    try:
        told = msgspec.json.decode(body or b"{}", type=_Metadata)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return {family: kinds[0].type for family, kinds in told.data.items() if kinds}


def read_query_range(
    body: bytes, *, begins_at: datetime, stream: SnapshotStream, scraped: bytes | None = None
) -> Outcome:
    """One page. Steps before `begins_at` are the context that increases need; `scraped` is the answer about
    scrape times. Rejects: `not_metrics`, `server_error`."""
    answer = _decoded(body)
    if isinstance(answer, Reject):
        return answer
    moments, bad = _moments(answer, stream.heads)
    repeated = _repeats(scraped)
    ordered = [
        Moment(datetime.fromtimestamp(at, tz=UTC), moments[at])
        for at in sorted(moments)
        if at not in repeated
    ]
    return rows_of(Scan(ordered, bad, is_cut=False, samples=len(ordered)), stream, begins_at=begins_at)


def _decoded(body: bytes) -> _Answer | Reject:
    try:
        answer = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Reject("metrics", "not_metrics", f"no answer of a Prometheus server ({error})")
    if answer.status != "success" or answer.data.resultType != "matrix":
        return Reject(
            "metrics", "server_error", answer.error or f"a {answer.data.resultType or 'strange'} answer"
        )
    return answer


def _repeats(scraped: bytes | None) -> set[float]:
    """Steps at which no heartbeat was scraped anew: they show the step before once more and are no look at all.
    Without this, a scrape interval as long as the step would look like a stall now and then."""
    answer = _decoded(scraped) if scraped else None
    if not isinstance(answer, _Answer):
        return set()
    newest: dict[float, float] = {}
    for result in answer.data.result:
        for at, text in result.values:
            newest[at] = max(newest.get(at, 0.0), float(text))
    steps = sorted(newest)
    return {later for earlier, later in pairwise(steps) if newest[earlier] == newest[later]}


def _moments(answer: _Answer, heads: Heads) -> tuple[dict[float, dict[str, float]], int]:
    """Series by step, and how many values are no numbers."""
    if len(heads.table) > MAX_SERIES:
        heads.relearn()
    moments: dict[float, dict[str, float]] = {}
    bad = 0
    names = [result.metric.get("__name__", "") for result in answer.data.result]
    if names and not any(name.startswith(heads.prefix) for name in names):
        heads.find_prefix("\n".join(names).encode())
    for result in answer.data.result:
        head = _head(result.metric)
        if head not in heads.table:
            _learn(heads, head, result.metric)
        if heads.table[head] is None:
            continue
        for at, text in result.values:
            try:
                value = float(text)
            except ValueError:
                bad += 1
                continue
            if value - value == 0:
                moments.setdefault(at, {})[head] = value
    return moments, bad


def _head(metric: dict[str, str]) -> str:
    labels = ",".join(f'{key}="{value}"' for key, value in sorted(metric.items()) if key != "__name__")
    return f"{metric.get('__name__', '')}{{{labels}}}"


def _learn(heads: Heads, head: str, metric: dict[str, str]) -> None:
    labels = {key: value for key, value in metric.items() if key != "__name__"}
    heads.learn(head, metric.get("__name__", ""), labels)
