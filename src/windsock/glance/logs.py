"""The heads of a few task logs: what wrote them, what they tell, and which of them cannot be read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from windsock.model import Ignored, LogKey, Reject, SourceObject
from windsock.parse import parse_key, read_task_log
from windsock.sources.layout import spread
from windsock.store import NotFound, ObjectUnreadable, Store

HEAD_BYTES = 512 * 1024
LOGS_READ = 8
_OWNER = re.compile(rb"AIRFLOW_CTX_DAG_OWNER='([^'\n]{1,100})'")
_POD = re.compile(r"[a-z0-9.-]+-[a-z0-9]{8}\Z")
"""A worker pod is named after dag and task, with eight random characters (kubernetes_helper_functions.create_unique_id)."""


@dataclass(slots=True)
class LogGlance:
    """What was seen. Counts are of the logs that were read."""

    dialects: Counter[str] = field(default_factory=Counter)
    has_parse_time: bool = False
    owners: dict[str, str] = field(default_factory=dict)
    pods: int = 0  # logs written in a pod of their own
    rejects: list[tuple[str, str]] = field(default_factory=list)  # url, reason
    unread: list[tuple[str, ObjectUnreadable]] = field(default_factory=list)
    asked: int = 0
    lags: list[timedelta] = field(default_factory=list)  # from a log's last stamp to its upload

    @property
    def read(self) -> int:
        return sum(self.dialects.values())

    def sentence(self) -> str:
        """Who wrote them and whether they tell parse times; empty when none was understood."""
        if not self.dialects:
            return ""
        told = ", ".join(f"{name} ({n} of {self.read} read)" for name, n in self.dialects.most_common())
        more = "they tell DAG parse time" if self.has_parse_time else "DAG parse time needs metrics"
        return f"written by {told}; {more}"

    @property
    def executor(self) -> str:
        """`KubernetesExecutor` where every log comes from a pod of its task; else the logs do not say."""
        return "KubernetesExecutor" if self.read and self.pods == self.read else ""

    @property
    def off(self) -> timedelta | None:
        """How far the stamps are off, where the logs show it: later than the upload, which cannot be, or as long before it in
        each log as a zone is off UTC. A copy of old logs has another lag for each."""
        if not self.lags:
            return None
        least, most = min(self.lags), max(self.lags)
        if least < -_NO_SKEW:
            return least
        is_one = len(self.lags) >= _MANY and most - least <= _ALIKE
        is_zone = abs(most - timedelta(minutes=30) * round(most / timedelta(minutes=30))) <= _ALIKE
        return most if is_one and is_zone and least > _NO_SKEW and most <= _WIDEST else None


_NO_SKEW, _ALIKE, _WIDEST = timedelta(minutes=50), timedelta(minutes=5), timedelta(hours=14, minutes=5)
_MANY = 4


def glance_at_logs(
    store: Store, logs: Sequence[SourceObject], *, template: str = "", timezone: str = "UTC"
) -> LogGlance:
    """Read the heads of a few logs, the oldest and the newest among them. `timezone` is for stamps without zone."""
    seen = LogGlance()
    once = {obj.path: obj for obj in logs}.values()
    for obj in spread(sorted(once, key=lambda one: (one.modified_at, one.path)), LOGS_READ):
        seen.asked += 1
        try:
            data = store.get_range(obj.path, 0, min(obj.size, HEAD_BYTES))
        except NotFound:
            continue  # removed since it was listed
        except ObjectUnreadable as error:
            seen.unread.append((obj.url, error))
            continue
        _note(seen, obj, data, template, timezone)
    return seen


def _note(seen: LogGlance, obj: SourceObject, data: bytes, template: str, timezone: str) -> None:
    key = parse_key(obj.path, template or None) or LogKey("", "", "", -1, 0)
    outcome = read_task_log(
        key,
        data,
        object_url=obj.url,
        etag=obj.etag,
        modified_at=obj.modified_at,
        lines="errors",
        timezone=timezone,
    )
    if isinstance(outcome, Reject | Ignored):
        seen.rejects.append((obj.url, outcome.reason if isinstance(outcome, Reject) else outcome.kind))
        return
    row: Mapping[str, Any] = outcome.rows["task_logs"][0]
    seen.dialects[str(row["dialect"])] += 1
    seen.has_parse_time = seen.has_parse_time or row.get("dag_file_parse_s") is not None
    if obj.size <= HEAD_BYTES and (ended_at := row["ended_at"] or row["started_at"]):
        seen.lags.append(obj.modified_at - ended_at)
    seen.pods += _is_pod(str(row.get("hostname") or ""), key)
    if owner := _OWNER.search(data):
        seen.owners[key.dag_id] = owner[1].decode(errors="replace")


def _is_pod(hostname: str, key: LogKey) -> bool:
    slug = re.sub(r"[^a-z0-9]+", "-", key.dag_id.lower()).strip("-")[:8]
    return bool(slug and hostname.startswith(slug) and _POD.match(hostname))
