"""First steps: `init` writes a pipeline file from what lies at a URL, `doctor` says what works and what is missing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from windsock.config import Config
from windsock.errors import ConfigError, LakeError, SourceError
from windsock.lake import Lake, NoLake
from windsock.model import Row
from windsock.sources.layout import detect_layout
from windsock.store import Storage, Store, open_store


@dataclass(frozen=True, slots=True)
class Initialised:
    """The file that was written, and what was found, in sentences."""

    path: Path
    lines: tuple[str, ...]


def init(urls: Iterable[str], *, name: str, out: Path) -> Initialised:
    """Look at each URL and write a pipeline file; an existing file is never overwritten."""
    if out.exists():
        raise ConfigError(f"{out}: exists already; choose another file with --out, or edit this one")
    lines: list[str] = []
    tables = [f"[deployment]\nname = {json.dumps(name)}\n"]
    seen: set[str] = set()
    for url in urls:
        absolute = url if "://" in url else str(Path(url).resolve())
        found = detect_layout(open_store(absolute, Storage()))
        for kind, count, detail in found.kinds():
            lines.append(f"{url}: {count} {detail}")
            if kind not in seen:
                seen.add(kind)
                tables.append(f"[sources.{kind}]\nurl = {json.dumps(absolute)}\n")
    if not seen:
        raise SourceError(
            f"{', '.join(urls)}: neither task logs nor metric snapshots found; give the folder above `dag_id=…/` "
            "(remote_base_log_folder), or set filename_template in a pipeline file of your own"
        )
    tables.append('[lake]\nurl = "./lake"\n\n[report]\nout = "./reports/out"\n')
    tables.append('# [deliver.email]\n# to = ["data-platform@example.com"]\n# smtp_host = "localhost"\n')
    try:
        out.write_text("\n".join(tables), encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{out}: cannot be written ({error.strerror}); choose another file with --out"
        ) from None
    return Initialised(out, tuple(lines))


def doctor(config: Config, *, now: datetime) -> list[Row]:
    """One row per thing checked: `what, state (ok, missing, broken), detail, mend`."""
    rows = [_row("pipeline file", "ok", str(config.path))]
    sources = config.pipeline.sources
    rows += _source_rows(config, "task logs", sources.task_logs.url if sources.task_logs else "", now)
    rows += _source_rows(config, "metrics", sources.metrics.url if sources.metrics else "", now)
    later = (
        ("component logs", sources.component_logs),
        ("Airflow API", sources.airflow_api),
        ("Airflow database", sources.airflow_db),
    )
    rows += [
        _row(
            name, "broken", "configured, but this version of windsock cannot read it yet", "remove the table"
        )
        for name, table in later
        if table is not None
    ]
    rows.append(_lake_row(config))
    rows += _section_rows(config)
    return rows


def _row(what: str, state: str, detail: str, mend: str = "") -> Row:
    return {"what": what, "state": state, "detail": detail, "mend": mend}


def _source_rows(config: Config, what: str, value: str | list[str], now: datetime) -> list[Row]:
    urls = config.urls(value) if value else []
    if not urls:
        return [
            _row(what, "missing", "not in the pipeline file", f"set [sources.{what.replace(' ', '_')}] url")
        ]
    return [_source_row(what, url, config, now) for url in urls]


def _source_row(what: str, url: str, config: Config, now: datetime) -> Row:
    try:
        store: Store = open_store(url, config.storage)
        found = detect_layout(store)
    except SourceError as error:
        return _row(what, "broken", str(error), "see the message")
    kinds = found.kinds()
    if not kinds:
        return _row(what, "broken", f"{url}: nothing that windsock knows", "check url and filename_template")
    newest = found.newest_at
    detail = f"{url}: " + ", ".join(f"{count} {text}" for _, count, text in kinds)
    if newest and newest > now + timedelta(minutes=5):
        return _row(
            what, "broken", f"{detail}; newest object is in the future ({newest})", "set this machine's clock"
        )
    if newest and newest < now - timedelta(days=8):
        return _row(
            what, "ok", f"{detail}; newest of the sample {newest:%Y-%m-%d}", "is remote logging still on?"
        )
    return _row(what, "ok", detail)


def _lake_row(config: Config) -> Row:
    url = config.url(config.pipeline.lake.url)
    try:
        Lake.open(
            url,
            deployment=config.pipeline.deployment.name,
            shards=config.pipeline.lake.shards,
            memory_mb=config.pipeline.lake.memory_mb,
            storage=config.storage,
        )
    except NoLake as error:
        return _row("lake", "missing", str(error), "windsock pull")
    except (LakeError, SourceError) as error:
        return _row("lake", "broken", str(error), "see the message")
    return _row("lake", "ok", url)


SECTIONS = (
    ("failures", ("task_logs",), "set [sources.task_logs] url"),
    ("incidents", ("task_logs",), "set [sources.task_logs] url"),
    ("silent problems", ("task_logs",), "set [sources.task_logs] url"),
    ("DAG parse time", ("task_logs", "metrics"), "task logs of Airflow 3.3+, or metric snapshots"),
    ("pools and waiting", ("metrics",), "set [sources.metrics] url, or run `windsock snapshot` every minute"),
)


def _section_rows(config: Config) -> list[Row]:
    """Which section of the report is answered, from which input."""
    rows = []
    for section, inputs, step in SECTIONS:
        present = [name for name in inputs if getattr(config.pipeline.sources, name) is not None]
        state = "ok" if present else "missing"
        detail = f"from {' and '.join(present)}" if present else "no data"
        rows.append(_row(f"section: {section}", state, detail, "" if present else step))
    return rows
