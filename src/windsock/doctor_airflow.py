"""What `windsock doctor` says of Airflow's API and database: what, state, detail, mend."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from windsock.airflow_access import connect_api, connect_db, probe
from windsock.config import Config
from windsock.errors import WindsockError


def airflow_rows(config: Config, *, now: datetime) -> Iterator[tuple[str, str, str, str]]:
    """Whether Airflow's API and database answer, which version they are, and what they will not tell."""
    for name, connect, brings in (
        ("airflow_api", connect_api, "final states, every try, queue times, pools, DAG versions, settings"),
        ("airflow_db", connect_db, "the same as the API, in bulk"),
    ):
        table: Any = getattr(config.pipeline.sources, name)
        if table is None:
            key = "url" if name == "airflow_api" else "url_env"
            yield (
                name,
                "missing",
                "not in the pipeline file",
                f"optional: [sources.{name}] {key}; it tells {brings}",
            )
            continue
        try:
            source = connect(config)
            assert source is not None, "the table is there"
            gaps = probe(source, now=now)
        except WindsockError as error:
            what, _, mend = str(error).rpartition("; ")
            yield (name, "broken", what or str(error), mend)
            continue
        yield (
            name,
            "ok",
            f"{source.address}: Airflow {source.version_text or 'of unknown version'}; it tells {brings}",
            "",
        )
        for gap in gaps:
            yield (f"{name}: permission", "missing", f"{gap.what}: {gap.why}", f"without it: {gap.loses}")
