"""What lies at a URL: for `windsock init` and `windsock doctor`. Looks at a sample of the keys, reads nothing."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from windsock.store import Store

SAMPLE = 5000
_ATTEMPT = re.compile(
    r"dag_id=([^/]+)/run_id=[^/]+/task_id=[^/]+/(?:map_index=-?\d+/)?attempt=\d+\.log\Z", re.DOTALL
)
_LEGACY = re.compile(r"([^/]+)/[^/]+/\d{4}-\d\d-\d\dT[^/]+/\d+\.log\Z", re.DOTALL)
_METRIC = re.compile(r"\.(?:prom|statsd)(?:\.gz)?\Z")


@dataclass(slots=True)
class Layout:
    """Counts of what the sampled keys are."""

    sampled: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    dags: set[str] = field(default_factory=set)
    newest_at: datetime | None = None

    def kinds(self) -> list[tuple[str, int, str]]:
        """(table of the pipeline file, number of keys, words), most first."""
        words = {
            "task_logs": f"task logs of {len(self.dags)} DAGs (Airflow 2.3 or newer)",
            "legacy": f"task logs of {len(self.dags)} DAGs (layout of Airflow 1.10 to 2.2)",
            "metrics": "metric snapshots",
        }
        table = {"legacy": "task_logs"}
        return [(table.get(k, k), n, words[k]) for k, n in self.counts.most_common() if k in words]


def detect_layout(store: Store) -> Layout:
    """Sample the first keys of `store`."""
    layout = Layout()
    for obj in islice(store.list(), SAMPLE):
        layout.sampled += 1
        if match := _ATTEMPT.search(obj.path):
            layout.counts["task_logs"] += 1
            layout.dags.add(match[1])
        elif match := _LEGACY.search(obj.path):
            layout.counts["legacy"] += 1
            layout.dags.add(match[1])
        elif _METRIC.search(obj.path):
            layout.counts["metrics"] += 1
        if layout.newest_at is None or obj.modified_at > layout.newest_at:
            layout.newest_at = obj.modified_at
    return layout
