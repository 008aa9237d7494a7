"""Metric objects → outcomes. Snapshots are read in time order, each beside the ones before it.

What an object gives depends on itself and on the snapshots of the minute before it, never on what else a pull
happens to read. So a late object makes its successors be read again, and the predecessors of what is read are
fetched as context: a re-read, a late object or a missing minute ends with the same rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from windsock.config import Config
from windsock.errors import ConfigError
from windsock.matchers import parse_match
from windsock.model import Outcome, Reject, Row, SourceObject
from windsock.parse.metrics import (
    Known,
    Page,
    SnapshotStream,
    is_snapshot,
    read_snapshots,
    read_statsd,
    stream_of,
    taken_at,
)
from windsock.pull.logs import read_again
from windsock.sources.fetch import Ranges, fetch_or_stream
from windsock.store import Store

SNAPSHOT_SHARE = 16
"""The largest snapshot that is read is this part of the pull's memory: 32 MB, some 200,000 series at one moment."""
LOOK_BACK = timedelta(seconds=60)
"""Snapshots so old decide whether a gauge's emitter lives (windsock.parse.metrics.moments.LIVE)."""


@dataclass(frozen=True, slots=True)
class _Step:
    """One object on the way through a stream: read for its rows, again because of a new one, or as context."""

    obj: SourceObject
    at: datetime
    is_new: bool
    is_context: bool
    begins: bool  # the object before it is not read: the stream remembers nothing


def read_metrics(
    config: Config, store: Store, to_read: Sequence[SourceObject], *, ledger: Mapping[str, Row], known: Known
) -> Iterator[tuple[SourceObject, Outcome]]:
    """Outcomes of captures, then of snapshots. Raises ConfigError when two deployments cannot be told apart."""
    metrics = config.pipeline.sources.metrics
    match = parse_match(metrics.match if metrics else "")
    captures = [obj for obj in to_read if not is_snapshot(obj.path)]
    memory = config.pipeline.lake.memory_mb << 20

    def read_capture(obj: SourceObject, chunks: Iterable[bytes]) -> tuple[SourceObject, Outcome]:
        outcome = read_statsd(
            chunks, object_url=obj.url, modified_at=obj.modified_at, match=match, known=known
        )
        return obj, checked(config, outcome)

    fetched = fetch_or_stream(
        store, captures, kind="metrics", stream_from=memory // 64, in_flight_bytes=memory // 8
    )
    for obj, data in fetched:
        if isinstance(data, Ranges):
            yield from read_again(
                data, lambda one: iter([read_capture(one.obj, one.chunks())]), kind="metrics"
            )
        else:
            yield (obj, data) if isinstance(data, Reject) else read_capture(obj, (data,))
    stream = SnapshotStream.new(match=match, known=known)
    for steps in _streams(store, to_read, ledger):
        rejects: list[tuple[SourceObject, Reject]] = []
        pages = _pages(store, steps, stream_from=memory // SNAPSHOT_SHARE, rejects=rejects)
        for (step, obj), outcome in read_snapshots(pages, stream.restarted()):
            yield from rejects
            rejects.clear()
            if not step.is_context:
                yield obj, checked(config, outcome)
        yield from rejects


def _pages(
    store: Store,
    steps: Sequence[_Step],
    *,
    stream_from: int,
    rejects: list[tuple[SourceObject, Reject]],
) -> Iterator[tuple[tuple[_Step, SourceObject], Page]]:
    """The pages of a stream. What is none goes to `rejects`; a page that begins, and is none, lets the next one begin."""
    begins = False
    fetched = fetch_or_stream(store, [step.obj for step in steps], kind="metrics", stream_from=stream_from)
    for step, (obj, data) in zip(steps, fetched, strict=True):
        begins |= step.begins
        if isinstance(data, Ranges):
            data = Reject(
                "metrics", "too_large", f"a snapshot of {obj.size} bytes; no /metrics page is so long"
            )
        if isinstance(data, Reject):
            if step.is_new:  # rows of an object that is gone from the source stay
                rejects.append((obj, data))
            continue
        # an object without a time in its key may have been replaced since it was listed
        at = step.at if obj is step.obj else taken_at(obj.path, obj.modified_at)
        page = Page(data, obj.url, at, begins=begins)
        begins = False
        yield (step, obj), page


def checked(config: Config, outcome: Outcome) -> Outcome:
    """Figures of two deployments must not be mixed: no outcome, but a choice for the user."""
    if isinstance(outcome, Reject) and outcome.reason == "several_deployments":
        raise ConfigError(f"{config.path}: [sources.metrics] {outcome.detail}")
    return outcome


def _streams(
    store: Store, to_read: Sequence[SourceObject], ledger: Mapping[str, Row]
) -> Iterator[list[_Step]]:
    """The steps of each stream that has something new."""
    new: dict[str, dict[str, SourceObject]] = defaultdict(dict)
    for obj in to_read:
        if is_snapshot(obj.path):
            new[stream_of(obj.path)][obj.url] = obj
    if not new:
        return
    stored: dict[str, list[SourceObject]] = defaultdict(list)
    for obj in _stored(store, ledger):
        name = stream_of(obj.path)
        if name in new and obj.url not in new[name]:
            stored[name].append(obj)
    for name in sorted(new):
        yield _steps([*new[name].values(), *stored[name]], new[name].keys())


def _stored(store: Store, ledger: Mapping[str, Row]) -> Iterator[SourceObject]:
    """Snapshots of this source that an earlier pull has read."""
    root = f"{store.url.rstrip('/')}/"
    for url, row in ledger.items():
        if url.startswith(root) and is_snapshot(url) and row["outcome"] == "parsed":
            yield SourceObject(url, url.removeprefix(root), row["size"], row["modified_at"], row["etag"])


def _steps(objects: Iterable[SourceObject], new: Iterable[str]) -> list[_Step]:
    timeline = sorted(
        ((taken_at(obj.path, obj.modified_at), obj) for obj in objects), key=lambda one: (one[0], one[1].url)
    )
    times = [at for at, _obj in timeline]
    fresh = set(new)
    news = [place for place, (_at, obj) in enumerate(timeline) if obj.url in fresh]
    wanted = set(news)
    for place in news:
        wanted |= _successors(times, place)
    context: set[int] = set()
    for place in wanted:
        if place - 1 not in wanted:
            context |= _predecessors(times, place)
    steps: list[_Step] = []
    last = -2
    for place in sorted(wanted | context):
        at, obj = timeline[place]
        steps.append(_Step(obj, at, obj.url in fresh, place not in wanted, begins=place != last + 1))
        last = place
    return steps


def _successors(times: Sequence[datetime], place: int) -> set[int]:
    """Those whose look-back reaches the object at `place`: until another one lies between, a minute earlier."""
    found: set[int] = set()
    for later in range(place + 1, len(times)):
        if later - 1 > place and times[place + 1] <= times[later] - LOOK_BACK:
            break
        found.add(later)
    return found


def _predecessors(times: Sequence[datetime], place: int) -> set[int]:
    """Back to the first one that is a minute older, and one more in case that one was cut."""
    found: set[int] = set()
    for earlier in range(place - 1, -1, -1):
        found.add(earlier)
        if times[earlier] <= times[place] - LOOK_BACK:
            found |= {earlier - 1} if earlier else set()
            break
    return found
