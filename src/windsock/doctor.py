"""What works, what is missing, and the cheapest way to mend it: one row for each thing looked at.

Nothing is changed but one small object below `<lake>/_windsock/`, written and removed to learn whether it may be.
"""

from __future__ import annotations

import os
import re
import smtplib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from windsock.config import Config
from windsock.doctor_airflow import airflow_rows
from windsock.errors import WindsockError
from windsock.lake import Lake, NoLake
from windsock.model import Row
from windsock.redaction import redact
from windsock.sources.layout import Layout, look
from windsock.store import NotFound, ObjectUnreadable, PreconditionFailed, Store, open_store

CLOCK_SKEW = timedelta(minutes=2)
SILENT = timedelta(days=8)
SMTP_TIMEOUT_S = 5.0
COLUMNS = ("kind", "what", "state", "detail", "mend")
"""`kind` is value, check or section; `state` of a value is its origin, else ok, missing or broken."""

# section of the report → (tables that answer it, the first that is there; inputs that fill them; cheapest next step)
SECTIONS: tuple[tuple[str, tuple[str, ...], tuple[str, ...], str], ...] = (
    ("failures", ("task_logs", "task_instances"), ("task_logs",), "set [sources.task_logs] url"),
    ("incidents", ("task_logs",), ("task_logs",), "set [sources.task_logs] url"),
    ("silent problems", ("task_logs", "dag_runs"), ("task_logs",), "set [sources.task_logs] url"),
    ("durations", ("task_logs", "task_instances"), ("task_logs",), "set [sources.task_logs] url"),
    (
        "DAG parse time",
        ("parse_samples",),
        ("metrics", "component_logs", "task_logs"),
        "task logs of Airflow 3.3 and newer tell it; for older ones set [sources.metrics] url",
    ),
    (
        "pools and waiting",
        ("pool_samples", "task_instances"),
        ("metrics", "component_logs", "airflow_db", "airflow_api"),
        "set [sources.metrics] url, or run `windsock snapshot` every minute from cron",
    ),
    (
        "configuration and versions",
        ("deployments",),
        ("airflow_api", "airflow_db"),
        "set [sources.airflow_api] url, or [sources.airflow_db] url_env",
    ),
)


def doctor(config: Config, *, now: datetime) -> list[Row]:
    """Every row, in the order of the story: values, sources, lake, clock, delivery, sections of the report."""
    rows = list(_values(config))
    rows.append(_row("pipeline file", "ok", str(config.path)))
    for name in ("task_logs", "component_logs", "metrics"):
        rows += _source(config, name, now=now)
    rows += [_row(*told) for told in airflow_rows(config, now=now)]
    rows += _lake(config, now=now)
    rows += _delivery(config)
    rows += _sections(config)
    return rows


def _row(what: str, state: str, detail: str, mend: str = "", *, kind: str = "check") -> Row:
    return {"kind": kind, "what": what, "state": state, "detail": redact(detail), "mend": mend}


def _values(config: Config) -> Iterator[Row]:
    """Each setting with its origin. What a `_env` key names is a secret and never shown."""
    for key, value, origin in config.values():
        if value in ({}, [], None, "") and origin == "default":
            continue
        told = "" if value is None else str(value)
        if key.endswith("_env") and told:
            told = f"${told} (set)"
        yield _row(key, origin, told, kind="value")


def _source(config: Config, name: str, *, now: datetime) -> list[Row]:
    """Reachability, layout and permission to read of one source's URLs."""
    table: Any = getattr(config.pipeline.sources, name)
    urls = config.urls(table.url) if table is not None else []
    if not urls:
        return [_row(name, "missing", "not in the pipeline file", f"optional: [sources.{name}] url")]
    return [row for url in urls for row in _source_rows(config, name, url, now=now)]


def _source_rows(config: Config, name: str, url: str, *, now: datetime) -> Iterator[Row]:
    try:
        store = open_store(url, config.storage)
        found = look(store, now=now)
    except WindsockError as error:
        what, _, mend = str(error).rpartition("; ")
        yield _row(name, "broken", what or str(error), mend)
        return
    if store.url.startswith("s3"):
        yield _row(f"{name}: credentials", "ok", _aws_credentials(config))
    ours = {"task_logs": ("task_logs", "legacy", "template")}.get(name, (name,))
    kinds = [kind for one in ours if (kind := found.kinds.get(one))]
    if name == "component_logs" and not kinds and found.other:
        # they go by any name, and only reading tells
        yield _row(name, "ok", f"{url}: {found.other} of {found.sampled} objects are no other input's")
        return
    if not kinds:
        seen = f"; instead: {', '.join(found.sentences())}" if found.kinds else ""
        yield _row(name, "broken", f"{url}: no {name.replace('_', ' ')} in a sample of {found.sampled} objects{seen}",
                   "check the url: it is the folder above `dag_id=…/` (remote_base_log_folder)")  # fmt: skip
        return
    yield _found(name, url, found, config=config, now=now)
    yield _readable(name, store, kinds[0].objects[-1].path)


def _found(name: str, url: str, found: Layout, *, config: Config, now: datetime) -> Row:
    """What the sample holds, and whether it makes sense."""
    detail = f"{url}: {', '.join(found.sentences())}"
    logs = config.pipeline.sources.task_logs
    if name == "task_logs" and len(found.task_log_bases()) > 1:
        several = ", ".join(sorted(found.task_log_bases())[:5])
        return _row(
            name, "broken", f"{detail}; of more than one Airflow ({several})", "point url at one of them"
        )
    if name == "task_logs" and "template" in found.kinds and not (logs and logs.filename_template):
        return _row(name, "broken", f"{detail}, and filename_template is not set",
                    f'set filename_template = "{found.template}" (a guess; compare with airflow.cfg)')  # fmt: skip
    if found.newest_at and found.newest_at > now + CLOCK_SKEW:
        return _row(name, "broken", f"{detail}; the newest object is of {found.newest_at:%Y-%m-%dT%H:%M}Z, in the future",
                    "set the clock of this machine")  # fmt: skip
    if found.newest_at and found.newest_at < now - SILENT:
        return _row(name, "ok", f"{detail}; newest of the sample {found.newest_at:%Y-%m-%d}",
                    "nothing new for a week: is remote logging still on?")  # fmt: skip
    return _row(name, "ok", detail)


def _readable(name: str, store: Store, path: str) -> Row:
    """Listing and reading are two permissions."""
    try:
        store.get_range(path, 0, 1)
    except (NotFound, ObjectUnreadable) as error:
        return _row(f"{name}: permission", "broken", f"{store.url}/{path}: listed, but not readable ({error})",
                    "allow s3:GetObject, storage.objects.get, or read access to the files")  # fmt: skip
    return _row(f"{name}: permission", "ok", "objects can be listed and read")


def _aws_credentials(config: Config) -> str:
    """Which link of the AWS chain gave the credentials; never the credentials."""
    import boto3

    profile = config.pipeline.storage.s3.profile or None
    found = boto3.Session(profile_name=profile).get_credentials()
    return f"from {found.method}" if found else "none"


def _lake(config: Config, *, now: datetime) -> list[Row]:
    url = config.url(config.pipeline.lake.url)
    rows: list[Row] = []
    try:
        _open_lake(config)
        rows.append(_row("lake", "ok", url))
    except WindsockError as error:
        what, _, mend = str(error).rpartition("; ")
        is_missing = isinstance(error, NoLake)
        rows.append(_row("lake", "missing" if is_missing else "broken", what or str(error), mend))
        if not is_missing:
            return rows
    return rows + _writable(config, url, now=now)


def _open_lake(config: Config) -> Lake:
    lake = config.pipeline.lake
    return Lake.open(
        config.url(lake.url),
        deployment=config.pipeline.deployment.name,
        shards=lake.shards,
        memory_mb=lake.memory_mb,
        storage=config.storage,
    )


def _writable(config: Config, url: str, *, now: datetime) -> list[Row]:
    """Whether the lake may be written, and what time its store thinks it is."""
    store = open_store(url, config.storage)
    if store.local_root is not None:
        parent = next(one for one in (store.local_root, *store.local_root.parents) if one.exists())
        if not (parent.is_dir() and os.access(parent, os.W_OK)):
            return [
                _row("lake: permission", "broken", f"{parent}: not writable", "choose another [lake] url")
            ]
        return [_row("lake: permission", "ok", f"{parent} can be written")]
    probe = f"_windsock/doctor-{os.getpid()}"
    try:
        store.put(probe, b"windsock doctor was here\n")
        stored_at = store.head(probe).modified_at
        store.delete(probe)
    except (WindsockError, NotFound, ObjectUnreadable, PreconditionFailed) as error:
        return [
            _row("lake: permission", "broken", f"{url}: {error}", "allow put, get and delete below the lake")
        ]
    rows = [_row("lake: permission", "ok", "objects can be written and removed")]
    skew = abs(stored_at - now)
    if skew > CLOCK_SKEW:
        return [
            *rows,
            _row(
                "clock",
                "broken",
                f"{skew.total_seconds():.0f} s apart from the store's",
                "set this machine's clock",
            ),
        ]
    return [*rows, _row("clock", "ok", "agrees with the store's")]


def _delivery(config: Config) -> list[Row]:
    deliver = config.pipeline.deliver
    rows: list[Row] = []
    if deliver.email and not deliver.email.ses:
        rows.append(_mail_server(deliver.email.smtp_host, deliver.email.smtp_port, tls=deliver.email.tls))
    if deliver.slack:
        hook = config.secrets.get(deliver.slack.webhook_env, "")
        is_hook = re.match(r"https://\S+/\S+", hook) is not None
        rows.append(
            _row("deliver: slack", "ok" if is_hook else "broken", f"${deliver.slack.webhook_env}",
                 "" if is_hook else "it holds no https:// address; copy the incoming webhook's")
        )  # fmt: skip
    if deliver.files:
        rows.append(_files_target(config, config.url(deliver.files.url)))
    return rows or [
        _row(
            "deliver",
            "missing",
            "nobody gets the report",
            "add [deliver.email], [deliver.slack] or [deliver.files]",
        )
    ]


def _mail_server(host: str, port: int, *, tls: bool) -> Row:
    """Says hello and leaves: no mail is sent."""
    try:
        server = smtplib.SMTP_SSL if tls else smtplib.SMTP
        with server(host, port, timeout=SMTP_TIMEOUT_S) as smtp:
            smtp.ehlo()
    except (OSError, smtplib.SMTPException) as error:
        return _row(
            "deliver: email",
            "broken",
            f"{host}:{port}: {error}",
            "check [deliver.email] smtp_host and smtp_port",
        )
    return _row("deliver: email", "ok", f"{host}:{port} answers")


def _files_target(config: Config, url: str) -> Row:
    try:
        store = open_store(url, config.storage)
        if store.local_root is None:
            next(iter(store.list()), None)
        elif not any(os.access(one, os.W_OK) for one in _existing(store.local_root)):
            return _row(
                "deliver: files", "broken", f"{url}: not writable", "choose another [deliver.files] url"
            )
    except WindsockError as error:
        return _row("deliver: files", "broken", str(error), "check [deliver.files] url")
    return _row("deliver: files", "ok", url)


def _existing(path: Path) -> Sequence[Path]:
    return [next(one for one in (path, *path.parents) if one.exists())]


def _sections(config: Config) -> list[Row]:
    """Each section of the report: answered now, from which table since when, or the cheapest next step."""
    weeks = _weeks_of_tables(config)
    rows = []
    for section, tables, inputs, step in SECTIONS:
        there = next((table for table in tables if table in weeks), "")
        set_up = [name for name in inputs if getattr(config.pipeline.sources, name) is not None]
        if there:
            rows.append(_row(section, "ok", f"from {there} since the week of {weeks[there]}", kind="section"))
        elif set_up:
            detail = f"no data yet; {' and '.join(set_up)} may give it"
            rows.append(_row(section, "missing", detail, "run `windsock pull`", kind="section"))
        else:
            rows.append(_row(section, "missing", "no data", step, kind="section"))
    return rows


def _weeks_of_tables(config: Config) -> dict[str, str]:
    """{table: Monday of its first week} of the lake, from the names of its folders."""
    try:
        store = open_store(config.url(config.pipeline.lake.url), config.storage)
        if store.local_root is not None and not store.local_root.is_dir():
            return {}
        found = {}
        for table in store.folders()[0]:
            weeks = re.findall(r"/week=(\d{4}-\d\d-\d\d)/", " ".join(store.folders(table)[0]))
            if weeks:
                found[table.rstrip("/")] = min(weeks)
        return found
    except WindsockError:
        return {}  # the row of the lake says why
