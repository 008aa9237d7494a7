"""What lies at a URL: for `windsock init` and `windsock doctor`. Looks at a sample of the keys, reads no object.

The sample is bounded whatever the bucket holds (some tens of listing requests), and spread over the folders, because
the first thousand keys of a bucket are one DAG's.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

from windsock.model import SourceObject
from windsock.store import Store

FOLDERS = 40  # folder listings at most
SPREAD = 12  # folders of one level that are looked into
KEYS = 40  # keys taken below each of them
OTHERS_KEPT = 20
_RECENT = timedelta(days=14)

_MODERN = re.compile(
    r"(?P<base>(?:.*?/)?)dag_id=(?P<dag>[^/]+)/run_id=[^/]+/task_id=[^/]+/(?:map_index=-?\d+/)?"
    r"attempt=\d+\.log(?P<other>\.\S+\.log)?(?:\.gz)?\Z",
    re.DOTALL,
)
# a stream of CloudWatch that was exported: one folder for each attempt
_EXPORTED = re.compile(
    r"(?P<base>(?:.*?/)?)dag_id=(?P<dag>[^/]+?)-run_id=[^/]+-attempt=\d+\.log(?P<other>\.\S+\.log)?/\d+\.gz\Z",
    re.DOTALL,
)
_STREAM = re.compile(r"-run_id=[^/]+/\Z")  # what the name of such a folder goes on with behind the DAG's
_LEGACY = re.compile(
    r"(?P<base>(?:.*/)?)(?P<dag>[^/]+)/[^/]+/\d{4}-\d\d-\d\dT\d\d[:_]\d\d[:_][^/]*/\d+\.log(?:\.gz)?\Z",
    re.DOTALL,
)
_METRIC = re.compile(r"\.(?P<form>prom|statsd)(?:\.gz)?\Z")
_COMPONENT = re.compile(
    r"(?:^|/)(?:scheduler|dag_processor|dag_processor_manager|processor|triggerer|dag-processor)(?:/|[^/]*\.(?:log|out|gz)\Z)"
)
_RUN = re.compile(
    r"(?:(?P<run_id>(?:scheduled|manual|backfill|asset_triggered|dataset_triggered)__.+)"
    r"|(?P<ts>\d{4}-\d\d-\d\dT\d\d[:_]\d\d.*))"
)
_DATE = re.compile(r"\d{4}-?\d\d-?\d\d|\d\d")
T = TypeVar("T")


@dataclass(slots=True)
class Kind:
    """One kind of object: where it begins, how many keys of the sample are of it, and some of them."""

    count: int = 0
    bases: set[str] = field(default_factory=set)
    dags: set[str] = field(default_factory=set)
    objects: list[SourceObject] = field(default_factory=list)

    def add(self, obj: SourceObject, base: str, dag_id: str = "") -> None:
        self.count += 1
        self.bases.add(base)
        if dag_id:
            self.dags.add(dag_id)
        self.objects.append(obj)


@dataclass(slots=True)
class Layout:
    """What the sampled keys are: `task_logs` (2.3 and newer), `legacy` (1.10 to 2.2), `template` (a layout of the
    user's own), `metrics`, `component_logs`; `other` counts the rest."""

    kinds: dict[str, Kind] = field(default_factory=dict)
    sampled: int = 0
    dag_folders: int = 0  # `dag_id=…/` folders seen, of which some were looked into
    other: int = 0
    others: list[str] = field(default_factory=list)  # some keys of the rest
    newest_at: datetime | None = None
    template: str = ""  # filename_template guessed from keys of kind `template`

    def sentences(self) -> list[str]:
        """One for each kind found, most keys first. Counts are of the sample."""
        words = {
            "task_logs": "task logs of {} DAGs (layout of Airflow 2.3 and newer)",
            "legacy": "task logs of {} DAGs (layout of Airflow 1.10 to 2.2)",
            "template": "task logs of {} DAGs (a filename_template of your own)",
            "metrics": "metric snapshots",
            "component_logs": "component logs",
        }
        found = sorted(self.kinds.items(), key=lambda one: -one[1].count)
        many = {"task_logs": self.dag_folders}
        return [words[name].format(max(len(kind.dags), many.get(name, 0))) for name, kind in found]

    def task_log_bases(self) -> set[str]:
        """Prefixes below which task logs begin; more than one means more than one Airflow."""
        kinds = (self.kinds.get(name) for name in ("task_logs", "legacy", "template"))
        return {base.strip("/") for kind in kinds if kind for base in kind.bases}


def look(store: Store, *, now: datetime) -> Layout:
    """Sample the keys of `store`, level by level, until something known lies there."""
    layout = Layout()
    seen: set[str] = set()
    waiting = deque([""])
    if store.local_root is not None:
        next(store.list(), None)  # a folder that is not there is an error, not an empty source
    while waiting and len(seen) < FOLDERS:
        prefix = waiting.popleft()
        if prefix in seen:
            continue
        seen.add(prefix)
        folders, files = store.folders(prefix)
        for obj in spread(files, KEYS):
            _note(layout, obj)
        dags = [one for one in folders if one.removeprefix(prefix).startswith("dag_id=")]
        layout.dag_folders += len({_STREAM.sub("", one) for one in dags})
        for dag in spread(dags, SPREAD):
            for obj in _recent(store, dag, now):
                _note(layout, obj)
        rest = [one for one in folders if one not in set(dags)]
        if len(rest) <= 4:
            waiting.extend(rest)
        else:
            waiting.extendleft(_promising(store, rest, layout, seen))
    if "template" in layout.kinds and not {"task_logs", "legacy"} & layout.kinds.keys():
        layout.template = _guess(layout.kinds["template"])
    return layout


def _recent(store: Store, dag: str, now: datetime) -> Iterator[SourceObject]:
    """Some keys of one DAG's folder: the latest scheduled runs, else the first of any kind."""
    after = f"{dag}run_id=scheduled__{now - _RECENT:%Y-%m-%d}"
    found = list(islice(store.list(dag, start_after=after), KEYS // 2))
    yield from found or islice(store.list(dag), KEYS // 2)


def _promising(store: Store, folders: Sequence[str], layout: Layout, seen: set[str]) -> Iterator[str]:
    """Too many folders to open each: take some keys of some, and open those where `dag_id=…` begins deeper down."""
    named = [one for one in folders if re.fullmatch(r"logs?|.*airflow.*|metrics", one.split("/")[-2])]
    yield from named
    for folder in spread([one for one in folders if one not in set(named)], SPREAD):
        for obj in islice(store.list(folder), KEYS):
            match = _MODERN.match(obj.path)
            if match and match["base"] not in seen:
                yield match["base"]
                break
            _note(layout, obj)


def _note(layout: Layout, obj: SourceObject) -> None:
    """Count one key as what it is."""
    layout.sampled += 1
    if layout.newest_at is None or obj.modified_at > layout.newest_at:
        layout.newest_at = obj.modified_at
    if match := _MODERN.match(obj.path) or _EXPORTED.match(obj.path):
        if not match["other"]:  # logs of triggers and of the scheduler's job lie beside those of attempts
            layout.kinds.setdefault("task_logs", Kind()).add(obj, match["base"], match["dag"])
    elif match := _LEGACY.match(obj.path):
        layout.kinds.setdefault("legacy", Kind()).add(obj, match["base"], match["dag"])
    elif _METRIC.search(obj.path):
        layout.kinds.setdefault("metrics", Kind()).add(obj, _undated(obj.path))
    elif match := _COMPONENT.search(obj.path):
        layout.kinds.setdefault("component_logs", Kind()).add(obj, obj.path[: match.start()])
    elif parts := _own_layout(obj.path):
        layout.kinds.setdefault("template", Kind()).add(obj, parts[0], parts[1])
    else:
        layout.other += 1
        if len(layout.others) < OTHERS_KEPT:
            layout.others.append(obj.path)


def _undated(path: str) -> str:
    """The folder of a metric file without its date folders."""
    folders = path.split("/")[:-1]
    while folders and _DATE.fullmatch(folders[-1]):
        folders.pop()
    return "".join(f"{one}/" for one in folders)


def _own_layout(path: str) -> tuple[str, str, str] | None:
    """(base, dag_id, template) of a key that holds a run but follows no template of Airflow's own."""
    parts = path.split("/")
    runs = [place for place, part in enumerate(parts) if _RUN.fullmatch(part.partition("=")[2] or part)]
    number = re.fullmatch(r"(\D*)(\d+)(\.log)(?:\.gz)?", parts[-1])
    if len(runs) != 1 or not number or len(parts) < 4:
        return None
    first = max(0, len(parts) - 4)
    names = iter(("ti.dag_id", "ti.task_id"))
    made: list[str] = []
    for place in range(first, len(parts) - 1):
        label = "".join(parts[place].partition("=")[:2]) if "=" in parts[place] else ""
        run = _RUN.fullmatch(parts[place].removeprefix(label))
        name = ("ti.run_id" if run["run_id"] else "ts") if run else next(names, "")
        if not name:
            return None
        made.append(f"{label}{{{{ {name} }}}}")
    template = "/".join([*made, f"{number[1]}{{{{ try_number }}}}{number[3]}"])
    if runs[0] < first:
        return None
    dag = next(parts[p] for p in range(first, len(parts) - 1) if p != runs[0])
    return "".join(f"{one}/" for one in parts[:first]), dag.partition("=")[2] or dag, template


def _guess(kind: Kind) -> str:
    """The template of the most keys."""
    made = [parts[2] for obj in kind.objects if (parts := _own_layout(obj.path))]
    return max(sorted(set(made)), key=made.count)


def spread(items: Sequence[T], count: int) -> list[T]:
    """At most `count` of `items`, evenly from first to last."""
    if len(items) <= count:
        return list(items)
    return [items[round(place * (len(items) - 1) / (count - 1))] for place in range(count)]
