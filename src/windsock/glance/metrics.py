"""A few metric objects: their form and prefix, which series of ours they hold, and which labels tell emitters apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from windsock.matchers import Match
from windsock.model import Parsed, Reject, SourceObject
from windsock.parse.metrics import Known, SnapshotStream, is_snapshot, read_query_range, read_statsd
from windsock.parse.metrics.heads import Heads
from windsock.parse.metrics.prometheus_text import scan_text
from windsock.sources.layout import spread
from windsock.store import NotFound, ObjectUnreadable, Store

METRICS_READ = 3
OURS = ("scheduler_heartbeat", "pool.open_slots")
"""A series of these names is there in any Airflow whose metrics arrive."""
OWN_LABELS = frozenset(
    {"pool_name", "executor", "file_name", "bundle_name", "dag_id", "task_id", "type", "job_name"}
)


@dataclass(slots=True)
class MetricGlance:
    """What was seen in the objects that were read."""

    forms: Counter[str] = field(default_factory=Counter)
    prefixes: set[str] = field(default_factory=set)
    names: Counter[str] = field(default_factory=Counter)  # Airflow's dotted names, and their series
    pools: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)  # with a parse time of their own
    executors: set[str] = field(default_factory=set)
    labels: dict[str, set[str]] = field(default_factory=dict)  # of the heartbeat: who emits
    rejects: list[tuple[str, str]] = field(default_factory=list)
    unread: list[tuple[str, ObjectUnreadable]] = field(default_factory=list)
    read: int = 0

    def sentence(self) -> str:
        """Forms and prefixes."""
        told = ", ".join(name for name, _ in self.forms.most_common())
        others = sorted(self.prefixes - {""})
        return f"metrics are {told}" + (f", names begin with {', '.join(others)}" if others else "")

    def note(self, name: str, labels: Sequence[tuple[str, str]]) -> None:
        """Count one series."""
        self.names[name] += 1
        told = dict(labels)
        if name == "pool.open_slots" and "pool_name" in told:
            self.pools.add(told["pool_name"])
        if name in ("dag_processing.last_duration", "dag_processing.last_runtime") and "file_name" in told:
            self.files.add(told["file_name"])
        if name.startswith("executor.") and "executor" in told:
            self.executors.add(told["executor"])
        if name == OURS[0]:
            for key, value in told.items():
                if key not in OWN_LABELS:
                    self.labels.setdefault(key, set()).add(value)


def glance_at_metrics(store: Store, objects: Sequence[SourceObject]) -> MetricGlance:
    """Read a few objects, the newest among them."""
    seen = MetricGlance()
    for obj in objects:
        seen.forms["Prometheus text" if is_snapshot(obj.path) else "StatsD captures"] += 1
    for obj in spread(sorted(objects, key=lambda one: (one.modified_at, one.path)), METRICS_READ):
        try:
            data = store.get(obj.path)
        except NotFound:
            continue
        except ObjectUnreadable as error:
            seen.unread.append((obj.url, error))
            continue
        if is_snapshot(obj.path):
            reject = note_snapshot(seen, data, at=obj.modified_at)
        else:
            reject = _capture(seen, obj, data)
        if reject:
            seen.rejects.append((obj.url, reject.detail or reject.reason))
        else:
            seen.read += 1
    return seen


def note_snapshot(seen: MetricGlance, data: bytes, *, at: datetime) -> Reject | None:
    """Note the series of one text in the form of Prometheus; a reject when it is none."""
    heads = Heads(match=Match(), known=Known())
    scan = scan_text(data, heads, taken_at=at)
    if isinstance(scan, Reject):
        return scan
    series = [one for one in heads.table.values() if one is not None]
    if any(one.name.name in OURS for one in series):
        seen.prefixes.add(heads.prefix.rstrip("_"))
    for one in series:
        seen.note(one.name.name, one.name.labels)
    return None


def note_page(seen: MetricGlance, body: bytes, *, begins_at: datetime, match: Match) -> Reject | None:
    """Note the series of one answer of a Prometheus server; a reject when it cannot be used as it is."""
    stream = SnapshotStream.new(match=match, known=Known())
    outcome = read_query_range(body, begins_at=begins_at, stream=stream)
    series = [one for one in stream.heads.table.values() if one is not None]
    if series:
        seen.read += 1
        seen.forms["series of a Prometheus server"] += 1
    for one in series:
        seen.note(one.name.name, one.name.labels)
    return outcome if isinstance(outcome, Reject) else None


def _capture(seen: MetricGlance, obj: SourceObject, data: bytes) -> Reject | None:
    outcome = read_statsd((data,), object_url=obj.url, modified_at=obj.modified_at)
    if isinstance(outcome, Reject):
        return outcome
    assert isinstance(outcome, Parsed), "captures are parsed or rejected"
    for row in outcome.rows["metric_samples"]:
        seen.note(row["name"], row["labels"])
        if row["name"] in OURS and str(row["raw_name"]).endswith(row["name"]):
            seen.prefixes.add(str(row["raw_name"]).removesuffix(row["name"]).rstrip("._"))
    seen.pools |= {row["pool"] for row in outcome.rows["pool_samples"]}
    seen.files |= {row["dag_file"] for row in outcome.rows["parse_samples"]}
    return None
