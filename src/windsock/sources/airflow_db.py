"""Airflow's metadata database (PostgreSQL, 2.0 to 3.3), read-only by ADBC. Entries carry the names of REST API v2.

What a schema has is read from `information_schema.columns`, which shows a role only what it may read: a table that is
there and not shown is a missing right. Every statement runs in a read-only transaction with a time-out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from windsock.errors import ConfigError, SourceError
from windsock.sources.airflow_columns import (
    DAGS,
    ERRORS,
    EVENTS,
    POOLS,
    RUNS,
    SERIALIZED,
    SERIALIZED_WITHIN,
    TIMES_CHANGED,
    TRIES,
    VERSIONS,
)
from windsock.sources.airflow_gaps import LOSES, Gap

STATEMENT_TIMEOUT_S = 600
BATCH_BYTES = 4 * 1024 * 1024
_URL = re.compile(r"postgres(?:ql)?(?:\+\w+)?://")
_NEEDED = ("task_instance", "dag_run", "slot_pool", "import_error", "dag", "log", "job", "serialized_dag")


def open_db(url: str, *, statement_timeout_s: int = STATEMENT_TIMEOUT_S) -> AirflowDb:
    """Connect, read-only. Raises `SourceError` in one line that never holds the address's password."""
    if not _URL.match(url):
        raise ConfigError(
            "[sources.airflow_db] url_env: the variable holds no PostgreSQL address; write postgresql://user:password@host/airflow"
        )
    try:
        import adbc_driver_postgresql.dbapi as adbc
    except ImportError:
        raise ConfigError(
            "[sources.airflow_db] needs the PostgreSQL driver; install it with `pip install 'windsock[postgres]'`"
        ) from None
    # SQLAlchemy's addresses name a driver after the scheme; libpq's do not
    address = _URL.sub("postgresql://", url, count=1)
    try:
        connection = adbc.connect(address, autocommit=True)
    except Exception as error:  # the driver's own errors have no common base that is not Exception
        raise SourceError(f"{shown(url)}: cannot connect ({_short(error, url)})") from None
    try:
        return AirflowDb(connection, shown(url), statement_timeout_s=statement_timeout_s)
    except BaseException:
        connection.close()
        raise


def shown(url: str) -> str:
    """Host and database of an address, without user, password and options."""
    rest = url.split("://", 1)[-1].split("?", 1)[0]
    return f"db:{rest.rsplit('@', 1)[-1].lstrip('/') or 'postgresql'}"


class AirflowDb:
    """What windsock asks the database for."""

    source = "db"
    window = None
    """No index on `updated_at`: each question scans the table, so a time is asked for in one."""

    def __init__(self, connection: Any, address: str, *, statement_timeout_s: int) -> None:
        self._connection, self.address = connection, address
        self.gaps: list[Gap] = []
        self.requests = 0
        self._run("set session characteristics as transaction read only")
        self._run(f"set statement_timeout = '{statement_timeout_s}s'")
        self._run("set lock_timeout = '10s'")
        self._run("set timezone = 'UTC'")
        self._columns = self._read_columns()
        if "task_instance" not in self._columns:
            raise SourceError(
                f"{address}: "
                + (
                    "the role may not read task_instance; `grant select on all tables in schema public to …`"
                    if self._exists("task_instance")
                    else "has no table task_instance in its search_path; is this Airflow's metadata database?"
                )
            )
        self.version = self._version()
        self.version_text = (
            f"{self.version[0]}.{self.version[1]}"
            if self.version[0] == 3
            else f"2 (schema of {self.version[0]}.{self.version[1]})"
        )
        for table in _NEEDED:
            if table not in self._columns:
                self._refused(table)

    def close(self) -> None:
        """End the session."""
        self._connection.close()

    def clock(self, now: datetime) -> datetime:
        """The database's own time."""
        told: datetime = next(self._dicts("select clock_timestamp() as at"))["at"]
        return told.astimezone(UTC)

    def tries(self, from_at: datetime, until_at: datetime | None) -> Iterator[dict[str, Any]]:
        """Task instances that changed in a time, and the earlier tries that ended in it."""
        yield from self._dicts(self._tries_sql("task_instance", TIMES_CHANGED, from_at, until_at))
        if "task_instance_history" in self._columns:
            yield from self._dicts(self._tries_sql("task_instance_history", TIMES_CHANGED, from_at, until_at))

    def open_tries(self, states: tuple[str, ...]) -> Iterator[dict[str, Any]]:
        """Task instances in one of `states`."""
        listed = ", ".join(f"'{state}'" for state in states)
        yield from self._dicts(
            f"{self._tries_sql('task_instance', (), None, None)} where ti.state in ({listed})"
        )

    def runs(self, from_at: datetime, until_at: datetime | None) -> Iterator[dict[str, Any]]:
        """DAG runs that changed in a time."""
        if self._has("dag_run"):
            picked = self._picked(RUNS, "dag_run")
            where = self._changed("dr", "dag_run", TIMES_CHANGED, from_at, until_at)
            yield from self._dicts(f"select {picked} from dag_run as dr where {where}")

    def events(
        self, names: tuple[str, ...], from_at: datetime, until_at: datetime | None
    ) -> Iterator[dict[str, Any]]:
        """Entries of the audit log by their event."""
        if self._has("log"):
            listed = ", ".join(f"'{name}'" for name in names)
            where = f"l.event in ({listed}) and l.dttm >= {_literal(from_at)}"
            where += f" and l.dttm < {_literal(until_at)}" if until_at else ""
            yield from self._dicts(f"select {self._picked(EVENTS, 'log')} from log as l where {where}")

    def pools(self) -> Iterator[dict[str, Any]]:
        """Pools with their slots as they are now, counted as Airflow counts them (`Pool.slots_stats`)."""
        if not self._has("slot_pool"):
            return
        counts = "p.include_deferred" if "include_deferred" in self._columns["slot_pool"] else "false"
        for row in self._dicts(POOLS.format(deferred_counts=counts)):
            used = row["running_slots"] + row["queued_slots"]
            used += row["deferred_slots"] if row["include_deferred"] else 0
            yield row | {"open_slots": row["slots"] - used}

    def import_errors(self) -> Iterator[dict[str, Any]]:
        """Import errors as they are now."""
        if self._has("import_error"):
            yield from self._dicts(f"select {self._picked(ERRORS, 'import_error')} from import_error as e")

    def dags(self) -> Iterator[dict[str, Any]]:
        """DAGs with the duration of their last parse (3.x)."""
        if self._has("dag"):
            yield from self._dicts(f"select {self._picked(DAGS, 'dag')} from dag as d order by d.dag_id")

    def dag_versions(self) -> Iterator[dict[str, Any]]:
        """All versions of all DAGs (3.x); 2.x keeps none."""
        if "dag_version" in self._columns:
            picked = self._picked(VERSIONS, "dag_version")
            yield from self._dicts(
                f"select {picked} from dag_version as v order by v.dag_id, v.version_number"
            )

    @property
    def has_forms(self) -> bool:
        """Whether serialised DAGs may be read."""
        return self._has("serialized_dag")

    def open_runs(self, most: int) -> Iterator[dict[str, Any]]:
        """Not asked: each serialised DAG is read anyway."""
        return iter(())

    def make_up(
        self, dag_ids: Sequence[str]
    ) -> Iterator[tuple[str, tuple[dict[str, Any], list[dict[str, Any]]] | None]]:
        """Not asked: the serialised DAGs tell it."""
        return iter(())

    def serialized_dags(self, max_bytes: int) -> Iterator[dict[str, Any]]:
        """The newest serialised form of each DAG that is not gone: JSON as text, or its zlib bytes, or neither where it is
        larger than `max_bytes`; `size` in bytes. A few megabytes of them are in memory at a time, and never two large ones."""
        if not self._has("serialized_dag"):
            return
        picked = self._picked(SERIALIZED, "serialized_dag")
        where = []
        if {"id", "created_at"} <= self._columns["serialized_dag"]:  # 3.x keeps one for each version
            where.append("s.id in (select distinct on (dag_id) id from serialized_dag "
                         "order by dag_id, created_at desc, id desc)")  # fmt: skip
        if "is_stale" in self._columns.get("dag", ()):  # 2.x takes the row away
            where.append("s.dag_id not in (select dag_id from dag where is_stale)")
        conditions = f" where {' and '.join(where)}" if where else ""
        yield from self._dicts(
            SERIALIZED_WITHIN.format(
                limit=max_bytes, rows=f"select {picked} from serialized_dag as s{conditions}"
            )
        )

    def dag_warnings(self) -> Iterator[dict[str, Any]]:
        """Not asked: the table would be one more right, and the API tells."""
        return iter(())

    def providers(self) -> Iterator[dict[str, Any]]:
        """The database holds none."""
        return iter(())

    def settings(self) -> dict[str, Any]:
        """The database holds no configuration; 2.x notes the executor with the scheduler's job."""
        if "job" not in self._columns:
            return {}
        sql = (
            "select executor_class as value from job where job_type = 'SchedulerJob' and executor_class is not null "
            "order by start_date desc limit 1"
        )
        options = [{"key": "executor", **row} for row in self._dicts(sql)]
        return {"sections": [{"name": "core", "options": options}]}

    def health(self) -> dict[str, Any]:
        """Components by their newest heartbeat: healthy within five minutes of the database's time."""
        if "job" not in self._columns:
            return {}
        sql = (
            "select job_type, max(latest_heartbeat) > now() - interval '5 minutes' as fresh from job "
            "where job_type in ('SchedulerJob', 'TriggererJob', 'DagProcessorJob') and state = 'running' group by 1"
        )
        names = {"SchedulerJob": "scheduler", "TriggererJob": "triggerer", "DagProcessorJob": "dag_processor"}
        told = {names[row["job_type"]]: row["fresh"] for row in self._dicts(sql)}
        return {name: {"status": "healthy" if fresh else "unhealthy"} for name, fresh in told.items()}

    def _tries_sql(
        self, table: str, times: tuple[str, ...], from_at: datetime | None, until_at: datetime | None
    ) -> str:
        known = self._columns[table]
        picked = self._picked(TRIES, table)
        if "run_id" not in known:  # before 2.2 the key was the logical date
            picked = picked.replace('null::text as "dag_run_id"', 'dr.run_id as "dag_run_id"')
        on = "dr.run_id = ti.run_id" if "run_id" in known else "dr.execution_date = ti.execution_date"
        due = self._picked(
            {
                "run_after": "dr.run_after",
                "logical_date": "dr.logical_date",
                "execution_date": "dr.execution_date",
            },
            "dag_run",
        )
        join = f"left join dag_run as dr on dr.dag_id = ti.dag_id and {on}" if self._has("dag_run") else ""
        history = ", true as is_history" if table.endswith("_history") else ""
        sql = f"select {picked}{history}{f', {due}' if join else ''} from {table} as ti {join}"
        if from_at is not None:
            sql += f" where ti.state is not null and {self._changed('ti', table, times, from_at, until_at)}"
        return sql

    def _changed(
        self, alias: str, table: str, times: tuple[str, ...], from_at: datetime, until_at: datetime | None
    ) -> str:
        """By the newest of the times that the table has: `updated_at` (2.6) of an earlier try is older than its end."""
        present = [f"{alias}.{name}" for name in times if name in self._columns[table]]
        newest = f"greatest({', '.join(present)})"
        if alias == "ti" and self._has("dag_run"):
            newest = f"coalesce({newest}, dr.start_date)"  # skipped before it started, before 2.6
        until = f" and {newest} < {_literal(until_at)}" if until_at is not None else ""
        return f"{newest} >= {_literal(from_at)}{until}"

    def _picked(self, wanted: Mapping[str, str], table: str) -> str:
        """A select list in which columns that this schema has not are null."""
        known = self._columns.get(table, frozenset())
        parts = []
        for name, column in wanted.items():
            bare = column.split(".", 1)[1].split("::")[0].strip('"')
            parts.append(f'{column if bare in known else "null::text"} as "{name}"')
        return ", ".join(parts)

    def _version(self) -> tuple[int, int]:
        """The release whose schema this is, as far as it matters here."""
        known, runs = self._columns["task_instance"], self._columns.get("dag_run", frozenset())
        if "dag_version_id" in known or "logical_date" in runs:
            return (3, 0)
        if self._exists("task_instance_history"):
            return (2, 10)
        return (2, 6) if "updated_at" in known else (2, 2) if "run_id" in known else (2, 0)

    def _read_columns(self) -> dict[str, frozenset[str]]:
        sql = (
            "select table_name::text as table_name, column_name::text as column_name from information_schema.columns "
            "where table_schema = any(current_schemas(false)::text[])"
        )
        found: dict[str, set[str]] = {}
        for row in self._dicts(sql):
            found.setdefault(row["table_name"], set()).add(row["column_name"])
        return {table: frozenset(columns) for table, columns in found.items()}

    def _exists(self, table: str) -> bool:
        return bool(next(self._dicts(f"select to_regclass('{table}') is not null as is_there"))["is_there"])

    def _has(self, table: str) -> bool:
        return table in self._columns

    def _refused(self, table: str) -> None:
        why = (
            f"the role may not read it; `grant select on {table} to …`"
            if self._exists(table)
            else "there is no such table"
        )
        self.gaps.append(Gap(f"table {table}", why, LOSES[_KIND[table]]))

    def _run(self, sql: str) -> None:
        for _ in self._dicts(sql):
            pass

    def _dicts(self, sql: str) -> Iterator[dict[str, Any]]:
        """Rows as they arrive, a few megabytes at a time."""
        self.requests += 1
        try:
            with self._connection.cursor() as cursor:
                if sql.startswith("set "):
                    cursor.execute(sql)
                    return
                cursor.adbc_statement.set_options(
                    **{"adbc.postgresql.batch_size_hint_bytes": str(BATCH_BYTES)}
                )
                cursor.execute(sql)
                for batch in cursor.fetch_record_batch():
                    yield from batch.to_pylist()
        except SourceError:
            raise
        except Exception as error:  # the driver's own errors have no common base that is not Exception
            raise SourceError(
                f"{self.address}: {_short(error, '')}; the question was: {sql.split(' from ')[-1][:80]}"
            ) from None


_KIND = {
    "task_instance": "tries", "dag_run": "runs", "slot_pool": "pools", "import_error": "import_errors",
    "dag": "dags", "log": "events", "job": "health", "serialized_dag": "serialized_dags",
}  # fmt: skip


def _literal(at: datetime) -> str:
    return f"timestamptz '{at.astimezone(UTC).isoformat()}'"


def _short(error: Exception, url: str) -> str:
    """The first line of a driver's error, without any part of an address's secret."""
    text = " ".join(str(error).split())
    if "@" in url:
        secret = url.split("://", 1)[-1].rsplit("@", 1)[0]
        for part in (secret, secret.partition(":")[2]):
            text = text.replace(part, "***") if part else text
    return text[:300]
