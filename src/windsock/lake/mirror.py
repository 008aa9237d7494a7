"""A remote lake's weeks in use as a folder on disk, so that DuckDB needs no extension and no network.

Copies are kept once, by path and etag; a snapshot is a folder of hard links to them that never changes. So a reader
sees one state of the lake from its first question to its last, whatever a pull publishes meanwhile.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from pathlib import Path

from windsock.errors import LakeError
from windsock.lake.files import Cache, table_files
from windsock.model import SourceObject
from windsock.store import NotFound, Store
from windsock.week import Week

SLACK_WEEKS = 1
TRIES = 4
KEPT = 3  # snapshots that other readers may still be using


def snapshot(store: Store, cache: Cache, *, week: Week, weeks_back: int) -> Path:
    """The folder of a lake's files of `week` and the weeks before it, as they lay together at one moment."""
    weeks = {str(week.minus(n).monday) for n in range(-1, weeks_back + SLACK_WEEKS + 1)}
    for _ in range(TRIES):
        all_files = table_files(store)
        files = _wanted(all_files, weeks)
        name = hashlib.sha256(repr([(o.path, o.etag) for o in files]).encode()).hexdigest()[:24]
        target = cache.root / "snapshots" / name
        if target.is_dir():
            os.utime(target)
            return target
        try:
            copies = [(obj, cache.local(obj)) for obj in files]
            # a pull that published meanwhile may have moved a row between two of the files
            if _wanted(table_files(store), weeks) != files:
                continue
            _link(copies, target)
        except (NotFound, FileNotFoundError):
            continue  # replaced or pruned under our hands
        _prune(cache, target, all_files)
        return target
    raise LakeError(f"{store.url}: is being written all the time; ask again when the pull has ended")


def _wanted(files: list[SourceObject], weeks: set[str]) -> list[SourceObject]:
    return [obj for obj in files if obj.path.split("week=")[-1][:10] in weeks]


def _link(copies: list[tuple[SourceObject, Path]], target: Path) -> None:
    beside = target.with_name(f"{target.name}.tmp-{uuid.uuid4().hex}")
    beside.mkdir(parents=True)
    for obj, copy in copies:
        path = beside / obj.path
        path.parent.mkdir(parents=True, exist_ok=True)
        os.link(copy, path)
    try:
        beside.rename(target)
    except OSError:
        shutil.rmtree(beside)  # another reader made the same snapshot first


def _prune(cache: Cache, newest: Path, current: list[SourceObject]) -> None:
    """Old snapshots, and copies of versions that neither a snapshot nor the lake holds."""
    folders = sorted(newest.parent.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for folder in folders[KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)
    cache.keep_only(current)
