"""First steps: `init` writes a pipeline file from what lies at some addresses."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from windsock.errors import ConfigError, SourceError
from windsock.glance import LogGlance, glance_at_logs, glance_at_metrics
from windsock.model import SourceObject
from windsock.redaction import redact
from windsock.setup.file import render, toml
from windsock.setup.found import Found
from windsock.setup.http import look_at_address
from windsock.sources.layout import Layout, look
from windsock.store import Storage, open_store

__all__ = ["Initialised", "init", "toml"]


@dataclass(frozen=True, slots=True)
class Initialised:
    """The file that was written, and what was found, in sentences."""

    path: Path
    lines: tuple[str, ...]


def init(urls: Iterable[str], *, name: str, out: Path, now: datetime, force: bool = False) -> Initialised:
    """Look at each URL and write a pipeline file; an existing file is overwritten only with `force`."""
    if out.exists() and not force:
        raise ConfigError(
            f"{out}: exists already; choose another file with --out, or overwrite it with --force"
        )
    if not name.strip():
        raise ConfigError("--name is empty; name this Airflow, for example --name prod")
    found = Found()
    urls = list(urls)
    for url in urls:
        _look_at(url, found, now=now)
    if found.is_empty:
        raise SourceError(
            f"{', '.join(urls)}: neither task logs nor metric snapshots found; give the folder above `dag_id=…/` "
            "(remote_base_log_folder), or write a pipeline file with filename_template by hand"
        )
    try:
        out.write_text(render(found, name=name, environ=os.environ), encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"{out}: cannot be written ({error.strerror}); choose another file with --out"
        ) from None
    return Initialised(out, tuple(found.lines + found.notes))


def _look_at(url: str, found: Found, *, now: datetime) -> None:
    if url.startswith(("http://", "https://")):
        look_at_address(url, found)
        return
    absolute = url if "://" in url else str(Path(url).resolve())
    store = open_store(absolute, Storage())
    layout = look(store, now=now)
    bases = sorted(layout.task_log_bases())
    if len(bases) > 1:
        shown = ", ".join(_join(absolute, base) for base in bases[:5])
        raise SourceError(
            f"{url}: task logs of more than one Airflow ({shown}); give one of them: one pipeline file is one Airflow"
        )
    found.lines += [f"{_printable(url)}: {sentence}" for sentence in layout.sentences()]
    if bases:
        found.task_logs.append(_join(absolute, bases[0]))
        found.template = found.template or layout.template
        logs = [obj for kind in ("task_logs", "legacy", "template") for obj in _objects(layout, kind)]
        _note_logs(found, glance_at_logs(store, logs, template=layout.template))
    if metrics := layout.kinds.get("metrics"):
        found.metrics.append(_join(absolute, _common(metrics.bases)))
        seen = glance_at_metrics(store, metrics.objects)
        found.lines.append(seen.sentence())
        found.several(seen.labels, sorted(seen.executors))
    if components := layout.kinds.get("component_logs"):
        found.component_logs += [_join(absolute, base) for base in sorted(components.bases)[:1]]


def _note_logs(found: Found, seen: LogGlance) -> None:
    found.notes += [
        f"{url}: could be listed but not read ({error}); check permissions" for url, error in seen.unread
    ]
    found.notes += [f"{url}: {reason}" for url, reason in seen.rejects]
    found.owners |= seen.owners
    if told := seen.sentence():
        found.lines.append(told)
    if seen.executor:
        found.lines.append(f"the executor is {seen.executor} (each log comes from a pod of its own)")


def _objects(layout: Layout, kind: str) -> Sequence[SourceObject]:
    return layout.kinds[kind].objects if kind in layout.kinds else ()


def _common(bases: Iterable[str]) -> str:
    """The folder above all of them."""
    paths = [f"/{base}" for base in bases]
    return os.path.commonpath(paths).strip("/")


def _join(url: str, base: str) -> str:
    return "/".join(part for part in (url.rstrip("/"), base.strip("/")) if part) if base else url


def _printable(url: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in redact(url))
