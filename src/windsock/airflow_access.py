"""Reaching Airflow itself: the API and the database that a pipeline file names, and what either may be asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Protocol

from windsock.config import Config
from windsock.parse.told.audit import EVENTS
from windsock.parse.told.rows import moment
from windsock.sources.airflow_api import AirflowApi, Credentials, open_api
from windsock.sources.airflow_db import AirflowDb, open_db
from windsock.sources.airflow_gaps import Gap

Raw = dict[str, Any]
RUNS_SINCE = timedelta(days=2)
RUNS_SEEN = 100  # one page of the API


class Airflow(Protocol):
    """What both sources can be asked for."""

    address: str
    version: tuple[int, int]
    version_text: str
    gaps: list[Gap]

    @property
    def source(self) -> str: ...
    @property
    def window(self) -> timedelta | None: ...
    @property
    def requests(self) -> int: ...
    def clock(self, now: datetime) -> datetime: ...
    def tries(self, from_at: datetime, until_at: datetime | None) -> Iterator[Raw]: ...
    def open_tries(self, states: tuple[str, ...]) -> Iterator[Raw]: ...
    def runs(self, from_at: datetime, until_at: datetime | None) -> Iterator[Raw]: ...
    def events(
        self, names: tuple[str, ...], from_at: datetime, until_at: datetime | None
    ) -> Iterator[Raw]: ...
    def pools(self) -> Iterator[Raw]: ...
    def import_errors(self) -> Iterator[Raw]: ...
    def dags(self) -> Iterator[Raw]: ...
    def dag_versions(self) -> Iterator[Raw]: ...
    def open_runs(self, most: int) -> Iterator[Raw]: ...
    def make_up(self, dag_ids: Sequence[str]) -> Iterator[tuple[str, tuple[Raw, list[Raw]] | None]]: ...
    def serialized_dags(self, max_bytes: int) -> Iterator[Raw]: ...
    def dag_warnings(self) -> Iterator[Raw]: ...
    def providers(self) -> Iterator[Raw]: ...
    def settings(self) -> Raw: ...
    def health(self) -> Raw: ...
    def close(self) -> None: ...


def credentials(config: Config) -> Credentials:
    """What the pipeline file says of the API's token or password."""
    api = config.pipeline.sources.airflow_api
    if api is None:
        return Credentials()
    secret = config.secrets.get
    return Credentials(
        token=secret(api.token_env, ""),
        token_command=api.token_command,
        username=secret(api.username_env, ""),
        password=secret(api.password_env, ""),
    )


def connect_api(config: Config) -> AirflowApi | None:
    """The API of the pipeline file."""
    api = config.pipeline.sources.airflow_api
    return open_api(api.url, credentials(config)) if api else None


def connect_db(config: Config) -> AirflowDb | None:
    """The database of the pipeline file."""
    db = config.pipeline.sources.airflow_db
    return open_db(config.secrets[db.url_env]) if db else None


def check_airflow(config: Config) -> None:
    """Raise SourceError where API or database do not let us in: before hours are spent on logs."""
    connect_api(config)
    if (db := connect_db(config)) is not None:
        db.close()


@dataclass(frozen=True, slots=True)
class Probe:
    """What a source told when it was asked a little: what it would not tell a pull, and signs of life."""

    gaps: tuple[Gap, ...]
    settings: Mapping[tuple[str, str], str]  # (section, key) of airflow.cfg, as far as Airflow shows them
    ran_at: datetime | None  # a run of the last days began then
    clock: datetime
    pools: int


def probe(airflow: Airflow, *, now: datetime) -> Probe:
    """One small question of each kind. The connection is closed."""
    soon = now + timedelta(
        days=1
    )  # nothing changed since then: lists come back empty, rights are still checked
    try:
        for answer in (
            airflow.tries(soon, None), airflow.events((next(iter(EVENTS)),), soon, None),
            airflow.import_errors(), airflow.dags(), airflow.dag_versions(), airflow.providers(),
            airflow.dag_warnings(), airflow.serialized_dags(0),
        ):  # fmt: skip
            next(answer, None)
        runs = list(islice(airflow.runs(now - RUNS_SINCE, None), RUNS_SEEN))
        began = [at for one in runs if (at := moment(one.get("start_date"))) is not None]
        pools = sum(1 for _ in islice(airflow.pools(), 1000))
        settings = _settings(airflow.settings())
        airflow.health()
        return Probe(tuple(airflow.gaps), settings, max(began, default=None), airflow.clock(now), pools)
    finally:
        airflow.close()


def _settings(config: Raw) -> dict[tuple[str, str], str]:
    return {
        (str(section.get("name")), str(option.get("key"))): str(option.get("value"))
        for section in config.get("sections") or ()
        for option in section.get("options") or ()
    }
