"""Each section of the report: answered now, from which input and since when; or what is missing, and the next step."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow.parquet as pq

from windsock.config import Config
from windsock.doctor.row import row
from windsock.errors import WindsockError
from windsock.model import Row
from windsock.store import NotFound, ObjectUnreadable, Store, open_store

MAX_FILE_BYTES = 32 * 1024 * 1024  # of one Parquet file that is read to learn its sources


@dataclass(frozen=True, slots=True)
class Need:
    """What a section rests on: `tables` in order of preference, the inputs that fill them, the cheapest next step, and
    on which Airflow an input can never have it."""

    section: str
    tables: tuple[str, ...]
    inputs: tuple[str, ...]
    step: str
    never_on: str = ""


_LOGS = "set [sources.task_logs] url"
NEEDS: tuple[Need, ...] = (
    Need("failures", ("task_logs", "task_instances"), ("task_logs", "airflow_api", "airflow_db"), _LOGS),
    Need("incidents", ("task_logs",), ("task_logs",), _LOGS),
    Need("silent problems", ("task_logs", "dag_runs"), ("task_logs", "component_logs", "airflow_api", "airflow_db"), _LOGS),
    Need("killed and never started", ("task_instances",), ("component_logs", "airflow_api", "airflow_db"),
         "set [sources.component_logs] url to the scheduler's output, or [sources.airflow_api] url",
         "task logs of any version: a killed pod uploads none"),
    Need("DAG parse time", ("parse_samples",), ("metrics", "component_logs", "airflow_api", "task_logs"),
         "task logs of Airflow 3.3 and newer tell it; for older ones set [sources.metrics] url",
         "task logs before 3.3; metrics of 3.0 and 3.1; the API before 3.1"),
    Need("import errors and killed parses", ("import_errors", "component_events"), ("component_logs", "airflow_api", "airflow_db"),
         "set [sources.component_logs] url to the dag-processor's output, or [sources.airflow_api] url",
         "task logs and metrics of any version name no file"),
    Need("durations", ("task_logs", "task_instances"), ("task_logs", "airflow_api", "airflow_db"), _LOGS),
    Need("lateness", ("dag_runs",), ("airflow_api", "airflow_db", "component_logs"),
         "set [sources.airflow_api] url: it tells when each run was due", "task logs of any version"),
    Need("pools and waiting", ("pool_samples", "task_instances"), ("metrics", "component_logs", "airflow_db", "airflow_api"),
         "set [sources.metrics] url, or run `windsock snapshot` every minute from cron",
         "metrics before 2.10 tell no scheduled_slots: full hours show, waiting does not"),
    Need("waiting by limit", ("component_events",), ("component_logs",),
         "set [sources.component_logs] url to the scheduler's output", "metrics and API of any version"),
    Need("what logs cost", ("objects",), ("task_logs",), _LOGS),
    Need("configuration and versions", ("deployments",), ("airflow_api", "airflow_db", "airflow_config"),
         "set [sources.airflow_api] url, or [sources.airflow_config] url to an airflow.cfg", "DAG versions before 3.0"),
)  # fmt: skip

_INPUT = {
    "metric": "metrics", "statsd": "metrics", "prometheus": "metrics", "processor_log": "component_logs", "stats_table": "component_logs",
    "component_log": "component_logs", "task_log": "task_logs", "api": "airflow_api", "db": "airflow_db",
}  # fmt: skip


def section_rows(config: Config) -> list[Row]:
    """One row for each need, in the order of the report."""
    weeks = _weeks_of_tables(config)
    return [_row(need, config, weeks) for need in NEEDS]


def _row(need: Need, config: Config, weeks: Mapping[str, tuple[str, str]]) -> Row:
    there = next((table for table in need.tables if table in weeks), "")
    set_up = [name for name in need.inputs if getattr(config.pipeline.sources, name) is not None]
    if there:
        first, newest = weeks[there]
        inputs = _inputs_of(config, there, newest)
        detail = f"from {there} since the week of {first}" + (f", told by {inputs}" if inputs else "")
        return row(need.section, "ok", detail, kind="section", answered_from=inputs or there, since_week=first,
                   never_on=need.never_on)  # fmt: skip
    if set_up:
        detail, step = f"no data yet; {' and '.join(set_up)} may give it", "run `windsock pull`"
    else:
        detail, step = "no data", need.step
    return row(need.section, "missing", detail, step, kind="section", never_on=need.never_on)


def _weeks_of_tables(config: Config) -> dict[str, tuple[str, str]]:
    """{table: Mondays of its first and its newest week}, from the names of the lake's folders."""
    try:
        store = open_store(config.url(config.pipeline.lake.url), config.storage)
        if store.local_root is not None and not store.local_root.is_dir():
            return {}
        found = {}
        for table in store.folders()[0]:
            weeks = re.findall(r"/week=(\d{4}-\d\d-\d\d)/", " ".join(store.folders(table)[0]))
            if weeks:
                found[table.rstrip("/")] = (min(weeks), max(weeks))
        return found
    except WindsockError:
        return {}  # the row of the lake says why


def _inputs_of(config: Config, table: str, week: str) -> str:
    """The inputs that told the rows of a table's newest week; empty where the rows do not say."""
    store = open_store(config.url(config.pipeline.lake.url), config.storage)
    try:
        files = [one for one in store.folders(f"{table}/week={week}/")[1] if one.path.endswith(".parquet")]
        told = {
            source for one in files[:1] if one.size <= MAX_FILE_BYTES for source in _sources(store, one.path)
        }
    except (WindsockError, NotFound, ObjectUnreadable, OSError):
        return ""  # a pull is replacing it, or it may not be read: the rows above say so
    return ", ".join(sorted({_INPUT.get(one, one) for one in told if one}))


def _sources(store: Store, path: str) -> set[str]:
    file = pq.ParquetFile(io.BytesIO(store.get(path)))
    if "source" not in file.schema_arrow.names:
        return set()
    return {str(one) for one in file.read(columns=["source"])["source"].unique().to_pylist()}
