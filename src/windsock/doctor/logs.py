"""Task and component logs: reachable, laid out as known, readable, and still arriving."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from windsock.config import Config
from windsock.doctor.airflow import Told
from windsock.doctor.credentials import aws_rows
from windsock.doctor.metrics import metric_rows
from windsock.doctor.row import CLOCK_SKEW, of_error, row
from windsock.errors import WindsockError
from windsock.glance import glance_at_logs
from windsock.model import Row, SourceObject
from windsock.sources.layout import Layout, look, spread
from windsock.sources.templates import nearest
from windsock.store import Store, open_store

SILENT = timedelta(days=8)
LATE = timedelta(days=1)
"""A run that began so long ago has ended or is seen by its first tasks: their logs are uploaded as each one ends."""
OLD_DAGS, OLD_KEYS = 3, 4
REMOTE = (
    "set [logging] remote_logging = True, remote_base_log_folder and remote_log_conn_id on scheduler and workers, "
    "and look for upload errors in the worker's own output"
)
_READ = {
    "archived": "lie in archive storage (Glacier)",
    "key_denied": "are encrypted with a key that these credentials may not use",
    "forbidden": "were listed, but may not be read",
}
_MEND = {
    "archived": "restore them (`aws s3api restore-object`), or let the lifecycle rule archive after nine weeks",
    "key_denied": "allow kms:Decrypt on the bucket's key (Google: roles/cloudkms.cryptoKeyEncrypterDecrypter)",
    "forbidden": "allow s3:GetObject, storage.objects.get, or read access to the files",
}
_LIST = "allow s3:ListBucket on the bucket (storage.objects.list; Azure: Storage Blob Data Reader)"


def source_rows(config: Config, name: str, *, now: datetime, told: Told) -> list[Row]:
    """Every URL of one input."""
    table: Any = getattr(config.pipeline.sources, name)
    urls = config.urls(table.url) if table is not None else []
    if not urls:
        if table is not None and (table.prometheus or table.scrape):
            return []  # of the kinds of metrics, these are asked elsewhere
        return [row(name, "missing", "not in the pipeline file", f"optional: [sources.{name}] url")]
    return [one for url in urls for one in _url_rows(config, name, url, now=now, told=told)]


def _url_rows(config: Config, name: str, url: str, *, now: datetime, told: Told) -> Iterator[Row]:
    try:
        store = open_store(url, config.storage)
        found = look(store, now=now)
    except WindsockError as error:
        yield of_error(name, error) | ({"mend": _LIST} if "access denied" in str(error) else {})
        return
    if store.url.startswith("s3"):
        yield from aws_rows(name, config, now=now)
    ours = {"task_logs": ("task_logs", "legacy", "template")}.get(name, (name,))
    objects = [obj for one in ours if (kind := found.kinds.get(one)) for obj in kind.objects]
    if not objects:
        yield _nothing(name, url, found)
        return
    if name == "metrics":
        yield row(name, "ok", f"{url}: {', '.join(found.sentences())}")
        yield from metric_rows(store, objects, now=now, told=told)
        return
    yield _layout(name, url, found, config=config)
    if name == "task_logs":
        logs = config.pipeline.sources.task_logs
        zone = logs.timezone if logs else "UTC"
        yield from _contents(store, objects, template=found.template, timezone=zone)
        yield _arriving(found, _newest(store, objects, now=now), now=now, told=told)


def _nothing(name: str, url: str, found: Layout) -> Row:
    """No object is what this input should be: which ones are there, and what that usually means."""
    if name == "component_logs" and found.other:
        # they go by any name, and only reading tells
        return row(name, "ok", f"{url}: {found.other} of {found.sampled} objects are no other input's")
    if not found.sampled:
        mend = REMOTE if name == "task_logs" else "check the url, and that something writes there"
        return row(name, "broken", f"{url}: holds no object at all", mend)
    seen = f"; instead: {', '.join(found.sentences())}" if found.kinds else ""
    detail = f"{url}: no {name.replace('_', ' ')} in a sample of {found.sampled} objects{seen}"
    if name == "task_logs":
        return _unknown_layout(name, detail, found)
    mend = {
        "metrics": "metric files end in .prom, .prom.gz, .statsd or .statsd.gz; `windsock snapshot` writes such",
    }.get(name, "check the url: it is the folder that holds scheduler and dag-processor output")
    return row(name, "broken", detail, mend)


def _unknown_layout(name: str, detail: str, found: Layout) -> Row:
    """No key is of a known layout: which one comes nearest to which, and the setting that tells the truth."""
    mend = "check the url: it is the folder above `dag_id=…/` (remote_base_log_folder)"
    logs = [one for one in found.others if one.endswith(".log")]
    if logs:
        key, version, template = nearest(logs)
        near = f"; nearest is that of Airflow {version}, {template}" if template else ""
        detail += f"; for example {key}{near}"
        mend += "; for a layout of your own set filename_template as [logging] log_filename_template of airflow.cfg has it"
    return row(name, "broken", detail, mend)


def _layout(name: str, url: str, found: Layout, *, config: Config) -> Row:
    """Whether one Airflow's logs lie there, in a layout that `pull` understands."""
    detail = f"{url}: {', '.join(found.sentences())}"
    logs = config.pipeline.sources.task_logs
    if name == "task_logs" and len(found.task_log_bases()) > 1:
        several = ", ".join(sorted(found.task_log_bases())[:5])
        mend = "point url at one of them: one pipeline file is one Airflow"
        return row(name, "broken", f"{detail}; of more than one Airflow ({several})", mend)
    if name == "task_logs" and "template" in found.kinds and not (logs and logs.filename_template):
        return row(name, "broken", f"{detail}, and filename_template is not set",
                   f'set filename_template = "{found.template}" (a guess; compare with airflow.cfg)')  # fmt: skip
    return row(name, "ok", detail)


def _contents(store: Store, objects: list[SourceObject], *, template: str, timezone: str) -> Iterator[Row]:
    """Listing and reading are two permissions; old objects may be archived, and some have a key of their own."""
    seen = glance_at_logs(
        store, [*spread(objects, 8), *_oldest(store, objects)], template=template, timezone=timezone
    )
    reasons = Counter(error.reason for _, error in seen.unread)
    for reason, count in reasons.items():
        url, error = next(one for one in seen.unread if one[1].reason == reason)
        words = _READ.get(reason, f"cannot be read ({error.detail})")
        yield row("task_logs: permission", "broken", f"{count} of {seen.asked} logs {words}; for example {url}",
                  _MEND.get(reason, "run `windsock parse` on it"))  # fmt: skip
    if not reasons:
        yield row("task_logs: permission", "ok", "objects can be listed and read")
    if seen.dialects:
        yield row("task_logs: dialect", "ok", seen.sentence())
    elif seen.rejects:
        url, reason = seen.rejects[0]
        yield row("task_logs: dialect", "broken", f"none of {len(seen.rejects)} logs read is Airflow's ({reason}): {url}",
                  "run `windsock parse` on it; is this the folder of task logs?")  # fmt: skip
    if off := seen.off:
        where = "later" if off < timedelta() else "earlier"
        yield row(
            "task_logs: clock", "watch",
            f"the stamps of logs are {abs(off) / timedelta(hours=1):.1f} hours {where} than their upload, read as {timezone}",
            "set timezone in [sources.task_logs] to the zone in which Airflow writes (logs before 2.3.4 name none), or set the clock "
            "of the workers",
        )  # fmt: skip


def _dag_folders(objects: list[SourceObject]) -> list[str]:
    paths = {obj.path.partition("run_id=")[0] for obj in objects if "/run_id=" in f"/{obj.path}"}
    return sorted(one for one in paths if one)


def _oldest(store: Store, objects: list[SourceObject]) -> Iterator[SourceObject]:
    """The first keys of some DAGs: what is archived is archived by age."""
    for folder in spread(_dag_folders(objects), OLD_DAGS):
        yield from islice((one for one in store.list(folder) if one.path.endswith(".log")), OLD_KEYS)


def _newest(store: Store, objects: list[SourceObject], *, now: datetime) -> datetime:
    """The newest of the sample, or of the runs that the last days scheduled."""
    newest = max(obj.modified_at for obj in objects)
    for folder in spread(_dag_folders(objects), 6):
        for days in (2, 9):
            after = f"{folder}run_id=scheduled__{now - timedelta(days=days):%Y-%m-%d}"
            if seen := list(islice(store.list(folder, start_after=after), 40)):
                newest = max(newest, *(obj.modified_at for obj in seen))
                break
    return newest


def _arriving(found: Layout, newest: datetime, *, now: datetime, told: Told) -> Row:
    """Whether new logs still come; what Airflow itself says of it weighs more than the calendar."""
    what, at = "task_logs: arriving", f"{newest:%Y-%m-%dT%H:%M}Z"
    if newest > now + CLOCK_SKEW:
        return row(
            what, "broken", f"the newest log is of {at}, in the future", "set the clock of this machine"
        )
    if told.setting("logging", "remote_logging").lower() in ("false", "0", "no"):
        return row(what, "broken", f"Airflow says [logging] remote_logging = False; the newest log here is of {at}", REMOTE)  # fmt: skip
    ran_at = told.probe.ran_at if told.probe else None
    if ran_at and ran_at < now - LATE / 24 and newest < ran_at - LATE:
        return row(what, "broken", f"Airflow began a run at {ran_at:%Y-%m-%dT%H:%M}Z, the newest log here is of {at}", REMOTE)  # fmt: skip
    if newest < now - SILENT:
        return row(what, "watch", f"the newest log is of {at}", f"if Airflow still runs: {REMOTE}")
    return row(what, "ok", f"the newest log seen is of {at}")
