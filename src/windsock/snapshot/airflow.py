"""What Airflow's API says now, as one small object: pools, health, import errors, last parses. For `windsock snapshot`."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from windsock.airflow_access import connect_api
from windsock.config import Config
from windsock.errors import SourceError
from windsock.redaction import redact
from windsock.sources.airflow_api import AirflowApi

KEPT: dict[str, tuple[str, ...]] = {
    "pools": ("name", "slots", "open_slots", "running_slots", "queued_slots", "deferred_slots", "scheduled_slots",
              "occupied_slots", "include_deferred"),
    "import_errors": ("timestamp", "filename", "bundle_name", "stack_trace"),
    "dags": ("dag_id", "fileloc", "relative_fileloc", "bundle_name", "bundle_version", "last_parsed_time",
             "last_parse_duration"),
}  # fmt: skip
"""Per list, what is stored of an entry: nothing that a snapshot has no use for."""
_PATHS = {"pools": "/pools", "import_errors": "/importErrors", "dags": "/dags"}


def take_answers(config: Config, *, now: datetime) -> bytes:
    """Gzipped JSON lines in the form that `parse.airflow_answers` reads."""
    api = connect_api(config)
    assert api is not None, "the caller looked for [sources.airflow_api]"
    lines = list(_lines(api, now))
    if not lines:
        gaps = "; ".join(gap.sentence() for gap in api.gaps)
        raise SourceError(f"{api.address}: told nothing ({gaps or 'no answer'})")
    # mtime=0: the same answers give the same bytes
    return gzip.compress(b"".join(msgspec.json.encode(line) + b"\n" for line in lines), mtime=0)


def _lines(api: AirflowApi, now: datetime) -> Iterable[dict[str, Any]]:
    ts = now.timestamp()
    for key, found in (("pools", api.pools), ("import_errors", api.import_errors), ("dags", api.dags)):
        before = len(api.gaps)
        entries = [{name: one.get(name) for name in KEPT[key]} for one in found()]
        for one in entries:
            if isinstance(stack := one.get("stack_trace"), str):
                one["stack_trace"] = redact(stack)
        if len(api.gaps) == before:  # no answer is not an empty answer
            yield {"ts": ts, "path": _PATHS[key], "body": {key: entries}}
    if health := api.health():
        yield {"ts": ts, "path": "/health", "body": health}
