"""The lake: whether it is one, may be written, and what time its store thinks it is."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from windsock.config import Config
from windsock.doctor.row import CLOCK_SKEW, of_error, row
from windsock.errors import WindsockError
from windsock.lake import NoLake
from windsock.model import Row
from windsock.pull import open_lake
from windsock.store import NotFound, ObjectUnreadable, PreconditionFailed, Store, open_store


def lake_rows(config: Config, *, now: datetime) -> list[Row]:
    """Lake, permission, clock."""
    url = config.url(config.pipeline.lake.url)
    try:
        open_lake(config)
    except NoLake as error:
        first = of_error("lake", error) | {"state": "missing"}
    except WindsockError as error:
        return [of_error("lake", error)]
    else:
        first = row("lake", "ok", url)
    return [first, *writable_rows("lake", open_store(url, config.storage), now=now)]


def writable_rows(name: str, store: Store, *, now: datetime) -> list[Row]:
    """Whether a place may be written to, and what time its store thinks it is. What is written to learn that goes."""
    what = f"{name}: permission"
    if store.local_root is not None:
        return [_folder(what, store.local_root)]
    probe = f"_windsock/doctor-{os.getpid()}"
    try:
        store.put(probe, b"windsock doctor was here\n")
        stored_at = store.head(probe).modified_at
        store.delete(probe)
    except WindsockError as error:
        told, _, mend = str(error).rpartition("; ")
        if "access denied" in told:
            mend = (
                "allow put, get and delete there (s3:PutObject, GetObject, DeleteObject; storage.objects.*)"
            )
        return [row(what, "broken", told, mend)]
    except (NotFound, ObjectUnreadable, PreconditionFailed) as error:
        return [row(what, "broken", f"{store.url}: {error}", "allow put, get and delete there")]
    clocks = clock("clock" if name == "lake" else f"{name}: clock", "the store", stored_at, now=now)
    return [row(what, "ok", "objects can be written and removed"), clocks]


def _folder(what: str, root: Path) -> Row:
    parent = next(one for one in (root, *root.parents) if one.exists())
    if not (parent.is_dir() and os.access(parent, os.W_OK)):
        return row(what, "broken", f"{parent}: not writable", "choose another folder, or allow writing to it")
    return row(what, "ok", f"{parent} can be written")


def clock(what: str, whose: str, theirs: datetime, *, now: datetime) -> Row:
    """Two clocks side by side. A wrong one shifts what `pull` takes for new, and stores refuse its requests."""
    skew_s = (theirs - now).total_seconds()
    if abs(skew_s) <= CLOCK_SKEW.total_seconds():
        return row(what, "ok", f"agrees with that of {whose}")
    told = f"this machine's clock is {abs(skew_s):,.0f} s {'behind' if skew_s > 0 else 'ahead of'} that of {whose}"
    return row(what, "broken", told, "set this machine's clock (chrony or systemd-timesyncd)")
