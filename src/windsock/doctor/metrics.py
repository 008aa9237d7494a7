"""Metric files: whether they hold what the report asks them for, and what a mapping or a list dropped on the way."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from windsock import resources
from windsock.doctor.airflow import Told
from windsock.doctor.row import row
from windsock.glance import MetricGlance, glance_at_metrics
from windsock.model import Row, SourceObject
from windsock.reviewed.metric_gaps import gaps_of, load_metric_gaps
from windsock.store import Store

STALE = timedelta(days=2)
LISTS = "[metrics] metrics_allow_list and metrics_block_list, or the exporter's mapping, let them through"


def metric_rows(store: Store, objects: list[SourceObject], *, now: datetime, told: Told) -> Iterator[Row]:
    """One row for what each part of the report needs of metrics."""
    seen = glance_at_metrics(store, objects)
    if seen.unread:
        url, error = seen.unread[0]
        yield row("metrics: permission", "broken", f"{url}: listed, but not readable ({error.reason})",
                  "allow s3:GetObject, storage.objects.get, or read access to the files")  # fmt: skip
    if not seen.read:
        if seen.rejects:
            yield row("metrics: content", "broken", f"{seen.rejects[0][0]}: {seen.rejects[0][1]}",
                      "give Prometheus text or `<epoch> <StatsD line>` captures")  # fmt: skip
        return
    yield from series_rows(seen, told)
    yield from several_rows(seen)
    newest = max(obj.modified_at for obj in objects)
    if newest < now - STALE:
        yield row("metrics: arriving", "watch", f"the newest of the sample is of {newest:%Y-%m-%dT%H:%M}Z",
                  "check the job that writes them (`windsock snapshot` in cron)")  # fmt: skip
    yield from known_gap_rows(told)


def series_rows(seen: MetricGlance, told: Told) -> Iterator[Row]:
    """What each part of the report needs of metrics, wherever they come from."""
    yield _heartbeat(seen)
    yield _pools(seen)
    yield _parse_times(seen, told)
    yield from _waiting(seen, told)


def _heartbeat(seen: MetricGlance) -> Row:
    if seen.names["scheduler_heartbeat"]:
        return row("metrics: heartbeat", "ok", seen.sentence())
    return row("metrics: heartbeat", "broken", "no scheduler_heartbeat: a gauge that an exporter repeats cannot be told from "
               "a live one, so pools are not judged", f"emit it: {LISTS}")  # fmt: skip


def _pools(seen: MetricGlance) -> Row:
    if seen.pools:
        shown = ", ".join(sorted(seen.pools)[:5])
        return row("metrics: pools", "ok", f"{len(seen.pools)} pools ({shown})")
    if seen.names["pool.open_slots"]:
        return row("metrics: pools", "broken", "pool gauges come without the pool's name: all pools are mixed in one",
                   "map `*.pool.open_slots.*` with a label pool_name, or turn on [metrics] statsd_influxdb_enabled or "
                   "statsd_datadog_enabled")  # fmt: skip
    return row("metrics: pools", "broken", "no pool.* gauge in them", f"emit them: {LISTS}")


def _parse_times(seen: MetricGlance, told: Told) -> Row:
    what = "metrics: parse time"
    if seen.files:
        return row(what, "ok", f"of {len(seen.files)} DAG files")
    has_files = seen.names["dag_processing.last_run.seconds_ago"]
    mixed = seen.names["dag_processing.last_duration"] or seen.names["dag_processing.last_runtime"]
    if mixed:
        return row(what, "missing", "all files are mixed in one series: the exporter's mapping drops the file",
                   "map `*.dag_processing.last_duration.*` with a label file_name")  # fmt: skip
    if told.version.startswith(("3.0.", "3.1.")):
        return row(what, "missing", f"Airflow {told.version} emits none per file (3.0 and 3.1 never do)",
                   "set [sources.airflow_api]: 3.1 and newer tell it; or ship the dag-processor's output as component logs")  # fmt: skip
    why = "last_run.seconds_ago is there, last_duration is not: " if has_files else ""
    return row(what, "missing", f"{why}no dag_processing.last_duration per file",
               "Airflow 2 and 3.2+ send it: the Helm chart's mapping names only last_runtime, add "
               "`*.dag_processing.last_duration.*`; 3.0 and 3.1 never send it; 3.3+ tells it in task logs")  # fmt: skip


def _waiting(seen: MetricGlance, told: Told) -> Iterator[Row]:
    """`pool.scheduled_slots` (2.10 and newer) tells who waits for a full pool; without it only the full hours show."""
    if seen.pools and not seen.names["pool.scheduled_slots"]:
        yield row("metrics: waiting", "missing", "no pool.scheduled_slots: who waits for a pool cannot be seen here",
                  "Airflow 2.10 and newer send it; for older ones set [sources.airflow_api] or component logs")  # fmt: skip


def several_rows(seen: MetricGlance) -> Iterator[Row]:
    """Two emitters in one place: `pull` would refuse to add them."""
    choices = {key: values for key, values in seen.labels.items() if len(values) > 1}
    if choices:
        key, values = sorted(choices.items())[0]
        first = sorted(values)[0]
        yield row("metrics: deployments", "watch", f"series of several emitters: {key} is {', '.join(sorted(values)[:5])}",
                  f"if these are several Airflows, choose one: match = '{{{key}=\"{first}\"}}'")  # fmt: skip


def known_gap_rows(told: Told) -> Iterator[Row]:
    """What Airflow's own metrics miss in this version, from the reviewed table."""
    gaps = gaps_of(load_metric_gaps(resources.folder("sql")), told.version)
    if gaps:
        shown = "; ".join(f"{one.metric}: {one.gap}" for one in gaps[:3])
        more = f"; and {len(gaps) - 3} more in sql/trust/metric_gaps.csv" if len(gaps) > 3 else ""
        yield row("metrics: known gaps", "ok", f"Airflow {told.version}: {shown}{more}")
