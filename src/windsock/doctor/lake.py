"""The lake: whether it is one, may be written, and what time its store thinks it is."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from windsock.config import Config
from windsock.doctor.row import CLOCK_SKEW, of_error, row
from windsock.errors import WindsockError
from windsock.lake import Lake, NoLake
from windsock.model import Row
from windsock.store import NotFound, ObjectUnreadable, PreconditionFailed, open_store


def lake_rows(config: Config, *, now: datetime) -> list[Row]:
    """Lake, permission, clock."""
    url = config.url(config.pipeline.lake.url)
    try:
        _open(config)
    except NoLake as error:
        first = of_error("lake", error) | {"state": "missing"}
    except WindsockError as error:
        return [of_error("lake", error)]
    else:
        first = row("lake", "ok", url)
    return [first, *_writable(config, url, now=now)]


def _open(config: Config) -> Lake:
    lake = config.pipeline.lake
    return Lake.open(
        config.url(lake.url),
        deployment=config.pipeline.deployment.name,
        shards=lake.shards,
        memory_mb=lake.memory_mb,
        storage=config.storage,
    )


def _writable(config: Config, url: str, *, now: datetime) -> list[Row]:
    store = open_store(url, config.storage)
    if store.local_root is not None:
        return [_folder(store.local_root)]
    probe = f"_windsock/doctor-{os.getpid()}"
    try:
        store.put(probe, b"windsock doctor was here\n")
        stored_at = store.head(probe).modified_at
        store.delete(probe)
    except WindsockError as error:
        told, _, mend = str(error).rpartition("; ")
        if "access denied" in told:
            mend = "allow put, get and delete below the lake (s3:PutObject, GetObject, DeleteObject; storage.objects.*)"
        return [row("lake: permission", "broken", told, mend)]
    except (NotFound, ObjectUnreadable, PreconditionFailed) as error:
        return [row("lake: permission", "broken", f"{url}: {error}", "allow put, get and delete below the lake")]  # fmt: skip
    return [row("lake: permission", "ok", "objects can be written and removed"), clock("clock", "the store", stored_at, now=now)]  # fmt: skip


def _folder(root: Path) -> Row:
    parent = next(one for one in (root, *root.parents) if one.exists())
    if not (parent.is_dir() and os.access(parent, os.W_OK)):
        return row("lake: permission", "broken", f"{parent}: not writable", "choose another [lake] url")
    return row("lake: permission", "ok", f"{parent} can be written")


def clock(what: str, whose: str, theirs: datetime, *, now: datetime) -> Row:
    """Two clocks side by side. A wrong one shifts what `pull` takes for new, and stores refuse its requests."""
    skew_s = (theirs - now).total_seconds()
    if abs(skew_s) <= CLOCK_SKEW.total_seconds():
        return row(what, "ok", f"agrees with that of {whose}")
    told = f"this machine's clock is {abs(skew_s):,.0f} s {'behind' if skew_s > 0 else 'ahead of'} that of {whose}"
    return row(what, "broken", told, "set this machine's clock (chrony or systemd-timesyncd)")
