"""Which objects a source has: all of them, or those of recent runs at a cost that follows the runs, not the bucket's age.

A bucket of task logs sorts by dag_id and run_id, and most run ids are `<type>__<ISO time>`. So within one
`dag_id=` folder a listing can jump (`start-after`) over the runs of a known type that are older than the look-back.
Every other key is listed: free-form run ids, other layouts, and `backfill__`, whose time says nothing about when it ran.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from itertools import pairwise

from windsock.errors import SourceError
from windsock.model import SourceObject
from windsock.sources.parallel import Parallel
from windsock.sources.parts import whole_logs
from windsock.store import Store

LOOK_BACK = timedelta(days=35)
PAGE = 1_000  # old keys that are listed before a jump pays: they came with the page anyway
MAX_DEPTH, MAX_FOLDERS = 3, 24  # how far below the url `dag_id=` folders are looked for
_JUMPABLE = (
    "scheduled",
    "manual",
    "asset_triggered",
    "dataset_triggered",
    "asset_materialization",
    "operator_triggered",
)
_RUN = re.compile(rf"run_id=({'|'.join(_JUMPABLE)})__(\d{{4}}-\d\d-\d\d)T")
_EXPORTED = re.compile(r"dag_id=[^/]+-run_id=[^/]+-attempt=\d+\.log[^/]*/")  # by CloudWatch, as one folder
# Airflow 2 names a scheduled run after the start of its interval: a monthly run starts a month after its name
_NAMED_BY_START = "scheduled"
_LONG_GAP_DAYS, _GAPS = 6, 3


@dataclass(slots=True)
class Listing:
    """How a source was listed, filled while it is iterated. `cutoff` None lists everything."""

    store: Store
    cutoff: date | None = None
    failed: list[tuple[str, str]] = field(default_factory=list)  # folder and why; the next pull takes it up

    def __iter__(self) -> Iterator[SourceObject]:
        if self.store.local_root is not None:
            yield from whole_logs(self.store.list())
            return
        loose, plain, dags = self._plan("", MAX_DEPTH)
        yield from loose
        tasks = [partial(_list_logs, self.store, prefix) for prefix in plain]
        tasks += [partial(scan_dag, self.store, prefix, self.cutoff) for prefix in dags]
        done = Parallel(tasks)
        yield from done
        self.failed = [((plain + dags)[number], why) for number, why in sorted(done.failed)]
        if self.failed and len(self.failed) == len(tasks):
            raise SourceError(self.failed[0][1])

    def _plan(self, prefix: str, depth: int) -> tuple[list[SourceObject], list[str], list[str]]:
        """Objects at the top, folders to list whole, folders of one DAG each."""
        names, objects = self.store.folders(prefix)
        loose = list(objects)
        # a folder for each attempt: listing them one by one would be a request each
        if any(_EXPORTED.match(name, len(prefix)) for name in names):
            return [], [prefix], []
        dags = [name for name in names if name[len(prefix) :].startswith("dag_id=")]
        plain = [name for name in names if name not in set(dags)]
        if dags or depth == 0 or len(plain) > MAX_FOLDERS:
            return loose, plain, dags
        whole: list[str] = []
        for name in plain:
            try:
                objects, folders, more = self._plan(name, depth - 1)
            except SourceError:
                objects, folders, more = (
                    [],
                    [name],
                    [],
                )  # listed whole by its own task, which tells what is wrong
            loose += objects
            whole += folders
            dags += more
        return loose, whole, dags


def _list_logs(store: Store, prefix: str) -> Iterator[SourceObject]:
    return whole_logs(store.list(prefix))


def cutoff_of(*, now: datetime, since: datetime | None, listed_at: datetime) -> date | None:
    """Runs named before this day may be passed over: 35 days before `since`, or before the last listing that missed
    nothing. None, list everything, when that listing lies in the future: a clock was wrong, then or now."""
    if listed_at > now:
        return None
    return (min(since or now, listed_at) - LOOK_BACK).date()


def scan_dag(store: Store, prefix: str, cutoff: date | None) -> Iterator[SourceObject]:
    """The objects of one `dag_id=` folder; runs of known types before `cutoff` are jumped over where that saves pages."""
    if cutoff is None:
        yield from store.list(prefix)
        return
    floors: dict[str, str] = {}  # by type, once known: runs before this day are passed over
    told: set[str] = set()  # old keys: where a listing steps back to its floor, they come again
    after: str | None = None
    old: _OldRuns | None = None
    while True:
        restart = ""
        for obj in store.list(prefix, start_after=after):
            match = _RUN.match(obj.path, len(prefix))
            kind, day = (match[1], match[2]) if match else ("", "")
            is_old = bool(kind) and day < floors.get(kind, cutoff.isoformat())
            if old is not None and not (is_old and kind == old.kind):
                old.note(day if kind == old.kind else "")
                floors[old.kind], restart = old.floor(), old.missed(prefix)
                old = None
                if restart:
                    break
            if is_old:  # it came with the page, and an old run may have been cleared or caught up lately
                if obj.path not in told:
                    yield obj
                told.add(obj.path)
            else:
                yield obj
            if is_old and kind not in floors:
                old = old or _OldRuns(kind, cutoff)
                old.take(day)
                if old.count >= PAGE:
                    restart = old.jump(prefix, obj.path)
                    if old.is_sure():
                        floors[kind], old = old.floor(), None
                    break
        else:
            if old is not None:
                floors[old.kind], restart = old.floor(), old.missed(prefix)
                old = None
        if not restart:
            return
        after = restart


@dataclass(slots=True)
class _OldRuns:
    """A stretch of keys of one run type before the cutoff: how far apart its runs are, and how far back to list."""

    kind: str
    cutoff: date
    days: list[str] = field(default_factory=list)
    newest: str = ""
    count: int = 0

    def take(self, day: str) -> None:
        self.count += 1
        self.newest = day
        self.note(day)

    def note(self, day: str) -> None:
        if day and day not in self.days[-1:]:
            self.days.append(day)

    def is_sure(self) -> bool:
        return self.kind != _NAMED_BY_START or len(self.days) > _GAPS

    def floor(self) -> str:
        """The cutoff; for runs named by the start of an interval of a week or more, one interval earlier."""
        days = [when for day in self.days if (when := _date(day))]
        gaps = sorted((b - a).days for a, b in pairwise(days))
        if self.kind != _NAMED_BY_START or not gaps or gaps[len(gaps) // 2] < _LONG_GAP_DAYS:
            return self.cutoff.isoformat()
        longest = max(gap for gap in gaps if gap <= 2 * gaps[len(gaps) // 2])
        return (self.cutoff - timedelta(days=longest + 1)).isoformat()

    def missed(self, prefix: str) -> str:
        """Where to list from when keys were passed over that lie behind the floor after all."""
        return f"{prefix}run_id={self.kind}__{self.floor()}" if self.newest >= self.floor() else ""

    def jump(self, prefix: str, path: str) -> str:
        """Where to go on after a page of old keys: at the floor, or at the next run while the gap is not known."""
        self.count = 0
        if self.is_sure():
            return f"{prefix}run_id={self.kind}__{self.floor()}"
        run = path[len(prefix) :].partition("/")[0]
        return f"{prefix}{run}0"  # `0` follows `/`: behind all keys of this run


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
