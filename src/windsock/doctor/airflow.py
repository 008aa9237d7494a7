"""Airflow's API and database: whether they answer, which version they are, and what they will not tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from windsock.airflow_access import Airflow, Probe, connect_api, connect_db, credentials, probe
from windsock.config import Config
from windsock.doctor.credentials import token_row
from windsock.doctor.lake import clock
from windsock.doctor.row import of_error, row
from windsock.errors import WindsockError
from windsock.model import Row
from windsock.parse.told.rows import Teller
from windsock.parse.told.settings import config_facts
from windsock.pull.airflow_config import NOTHING, read_text

_SOURCES: Mapping[str, tuple[Any, str]] = {
    "airflow_api": (connect_api, "final states, every try, queue times, pools, DAG versions, settings"),
    "airflow_db": (connect_db, "the same as the API, in bulk"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """What Airflow itself said, for the rows of other inputs."""

    version: str = ""
    probe: Probe | None = None

    def setting(self, section: str, key: str) -> str:
        """A value of airflow.cfg; empty where it is not shown."""
        return self.probe.settings.get((section, key), "") if self.probe else ""


def airflow_rows(config: Config, *, now: datetime) -> tuple[list[Row], Told]:
    """The rows of API and database, and what the first of them that answered told."""
    rows: list[Row] = []
    told = Told()
    for name, (connect, brings) in _SOURCES.items():
        if getattr(config.pipeline.sources, name) is None:
            key = "url" if name == "airflow_api" else "url_env"
            mend = f"optional: [sources.{name}] {key}; it tells {brings}"
            rows.append(row(name, "missing", "not in the pipeline file", mend))
            continue
        if name == "airflow_api" and (
            lasts := token_row(f"{name}: token", credentials(config).token, now=now)
        ):
            rows.append(lasts)
        try:
            source: Airflow = connect(config)
            seen = probe(source, now=now)
        except WindsockError as error:
            rows.append(of_error(name, error))
            continue
        told = told if told.probe else Told(source.version_text, seen)
        version = source.version_text or "of unknown version"
        rows.append(row(name, "ok", f"{source.address}: Airflow {version}; it tells {brings}"))
        rows += _gaps(name, seen)
        rows.append(clock(f"{name}: clock", source.address.partition(":")[0], seen.clock, now=now))
    return rows, told


def config_rows(config: Config, *, now: datetime) -> list[Row]:
    """One row for each configuration file, and one that says what it would bring where none is named."""
    source = config.pipeline.sources.airflow_config
    if source is None:
        told = "optional: [sources.airflow_config] url = an airflow.cfg, or the output of `airflow config list --show-values`"
        return [
            row(
                "airflow_config",
                "missing",
                "not in the pipeline file",
                f"{told}; it tells limits and timeouts",
            )
        ]
    rows = []
    for url in config.urls(source.url):
        text, why = read_text(config, url)
        facts = config_facts(text, Teller("config", url, (0, 0), now))
        if why or not facts:
            rows.append(
                row("airflow_config", "broken", f"{url} {why}" if why else f"{url} tells no setting", NOTHING)
            )
        else:
            rows.append(row("airflow_config", "ok", f"{url}: {len(facts)} settings that windsock reads"))
    return rows


def _gaps(name: str, seen: Probe) -> Iterator[Row]:
    for gap in seen.gaps:
        yield row(f"{name}: permission", "missing", f"{gap.what}: {gap.why}", f"without it: {gap.loses}")
