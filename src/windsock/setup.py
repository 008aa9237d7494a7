"""First steps: `init` writes a pipeline file from what lies at some URLs."""

from __future__ import annotations

import gzip
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from windsock.errors import ConfigError, SourceError
from windsock.model import Ignored, LogKey, Reject, SourceObject
from windsock.parse import parse_key, read_task_log
from windsock.redaction import redact
from windsock.sources.layout import Kind, Layout, look, spread
from windsock.store import NotFound, ObjectUnreadable, Storage, Store, open_store

HEAD_BYTES = 512 * 1024  # of a log, read to tell its dialect
LOGS_READ = 8
_OWNER = re.compile(rb"AIRFLOW_CTX_DAG_OWNER='([^'\n]{1,100})'")
_KNOWN_METRIC = re.compile(
    r"[A-Za-z0-9_.-]*?(?=\.?(?:pool\.|scheduler_heartbeat|dagbag_size|executor\.|dag_processing\.))"
)


@dataclass(frozen=True, slots=True)
class Initialised:
    """The file that was written, and what was found, in sentences."""

    path: Path
    lines: tuple[str, ...]


@dataclass(slots=True)
class _Findings:
    """What all the URLs together hold."""

    task_logs: list[str] = field(default_factory=list)
    metrics: list[str] = field(default_factory=list)
    component_logs: list[str] = field(default_factory=list)
    template: str = ""
    owners: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def init(urls: Iterable[str], *, name: str, out: Path, now: datetime, force: bool = False) -> Initialised:
    """Look at each URL and write a pipeline file; an existing file is overwritten only with `force`."""
    if out.exists() and not force:
        raise ConfigError(
            f"{out}: exists already; choose another file with --out, or overwrite it with --force"
        )
    if not name.strip():
        raise ConfigError("--name is empty; name this Airflow, for example --name prod")
    found = _Findings()
    urls = list(urls)
    for url in urls:
        _look_at(url, found, now=now)
    if not (found.task_logs or found.metrics):
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


def _look_at(url: str, found: _Findings, *, now: datetime) -> None:
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
        _read_some(store, logs, found, template=layout.template)
    if metrics := layout.kinds.get("metrics"):
        found.metrics.append(_join(absolute, _common(metrics.bases)))
        found.lines.append(_metric_sentence(store, metrics))
    if components := layout.kinds.get("component_logs"):
        found.component_logs += [_join(absolute, base) for base in sorted(components.bases)[:1]]


def _objects(layout: Layout, kind: str) -> Sequence[SourceObject]:
    return layout.kinds[kind].objects if kind in layout.kinds else ()


def _common(bases: Iterable[str]) -> str:
    """The folder above all of them."""
    paths = [f"/{base}" for base in bases]
    return os.path.commonpath(paths).strip("/")


def _join(url: str, base: str) -> str:
    return "/".join(part for part in (url.rstrip("/"), base.strip("/")) if part) if base else url


def _read_some(store: Store, logs: Sequence[SourceObject], found: _Findings, *, template: str) -> None:
    """Read the heads of a few logs: their dialect, and what the file can take from them."""
    dialects: Counter[str] = Counter()
    has_parse_time = False
    for obj in spread(sorted(logs, key=lambda one: one.modified_at), LOGS_READ):
        try:
            data = store.get_range(obj.path, 0, min(obj.size, HEAD_BYTES))
        except (NotFound, ObjectUnreadable) as error:
            found.notes.append(f"{obj.url}: could be listed but not read ({error}); check permissions")
            continue
        key = parse_key(obj.path, template or None) or LogKey("", "", "", -1, 0)
        outcome = read_task_log(
            key, data, object_url=obj.url, etag=obj.etag, modified_at=obj.modified_at, lines="errors"
        )
        if isinstance(outcome, Reject | Ignored):
            found.notes.append(
                f"{obj.url}: {outcome.reason if isinstance(outcome, Reject) else outcome.kind}"
            )
            continue
        row: Mapping[str, Any] = outcome.rows["task_logs"][0]
        dialects[str(row["dialect"])] += 1
        has_parse_time = has_parse_time or row.get("dag_file_parse_s") is not None
        if owner := _OWNER.search(data):
            found.owners[key.dag_id] = owner[1].decode(errors="replace")
    if dialects:
        told = ", ".join(
            f"{name} ({count} of {sum(dialects.values())} read)" for name, count in dialects.most_common()
        )
        more = "; they tell DAG parse time" if has_parse_time else "; DAG parse time needs metrics"
        found.lines.append(f"written by {told}{more}")


def _metric_sentence(store: Store, kind: Kind) -> str:
    """Which forms of metrics, and the prefix of the names in them."""
    forms = Counter("Prometheus text" if ".prom" in obj.path else "StatsD captures" for obj in kind.objects)
    prefixes: set[str] = set()
    for obj in spread(kind.objects, 3):
        try:
            data = (
                store.get(obj.path)
                if obj.size < 32 * HEAD_BYTES
                else store.get_range(obj.path, 0, HEAD_BYTES)
            )
            text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data)[:HEAD_BYTES].decode(
                errors="replace"
            )
        except (NotFound, ObjectUnreadable, OSError, EOFError):
            continue
        for line in text.splitlines():
            metric = line.split(" ", 1)[-1] if ".statsd" in obj.path else line
            if not metric.startswith("#") and (
                match := _KNOWN_METRIC.match(metric.replace("_pool_", ".pool."))
            ):
                prefixes.add(match[0].strip("._"))
    told = ", ".join(name for name, _ in forms.most_common())
    names = f", names begin with {', '.join(sorted(prefixes))}" if prefixes - {""} else ""
    return f"metrics are {told}{names}"


def render(found: _Findings, *, name: str, environ: Mapping[str, str]) -> str:
    """The pipeline file. Every value is quoted: names and keys of a bucket may hold anything."""
    parts = [
        f"# Written by `windsock init`. Next: `windsock doctor` on this file.\n[deployment]\nname = {toml(name)}\n"
    ]
    if found.task_logs:
        parts.append(f"[sources.task_logs]\nurl = {_one_or_many(found.task_logs)}\n")
        if found.template:
            parts[-1] += (
                f"filename_template = {toml(found.template)}"
                "  # guessed: compare it with [logging] log_filename_template of airflow.cfg\n"
            )
    for url in found.component_logs:
        parts.append(f"[sources.component_logs]\nurl = {toml(url)}\n")
    if found.metrics:
        parts.append(f"[sources.metrics]\nurl = {_one_or_many(found.metrics)}\n")
    endpoint = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL")
    if endpoint and any(url.startswith("s3") for url in found.task_logs + found.metrics):
        parts.append(
            f"[storage.s3]\nendpoint_url = {toml(endpoint)}  # as in this environment; cron has none\n"
        )
    parts.append('[lake]\nurl = "./lake"\n')
    if found.owners:
        seen = "\n".join(
            f"# {toml(dag_id)} = {toml(owner)}" for dag_id, owner in sorted(found.owners.items())
        )
        parts.append(
            f"# owners as the logs name them; patterns and mail addresses work best\n# [owners]\n{seen}\n"
        )
    parts.append('[report]\nout = "./reports/out"\n')
    parts.append('# [deliver.email]\n# to = ["data-platform@example.com"]\n# smtp_host = "localhost"\n')
    return "\n".join(parts)


def _one_or_many(urls: Sequence[str]) -> str:
    unique = list(dict.fromkeys(urls))
    return toml(unique[0]) if len(unique) == 1 else f"[{', '.join(toml(url) for url in unique)}]"


def toml(text: str) -> str:
    """A TOML basic string. Not JSON's: TOML knows no surrogate pairs and forbids a bare DEL."""
    safe = text.encode("utf-8", "replace").decode("utf-8")
    escaped = safe.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", lambda m: f"\\u{ord(m[0]):04x}", escaped) + '"'


def _printable(url: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in redact(url))
