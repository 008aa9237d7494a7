"""The report.json of each week in the lake: what the next week compares with, on machines that forget.

`report.json` is what was delivered, and never changes but by another delivery; `draft.json` is the last rendering.
"""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

from windsock.errors import LakeError, SourceError
from windsock.store import NotFound, ObjectUnreadable, PreconditionFailed, Store
from windsock.week import Week

FOLDER = "_windsock/reports"
SALT = "_windsock/names.json"
LOOK_BACK_WEEKS = 4
"""Weeks without a report that the comparison bridges."""


def delivered(store: Store, week: Week) -> dict[str, Any] | None:
    """The report.json of `week` as it was delivered."""
    return _report(_read(store, f"{FOLDER}/{week}/report.json"))


def newest_before(store: Store, out: Path, week: Week) -> dict[str, Any] | None:
    """The last report before `week`: as delivered, as last rendered, or as it lies on this machine."""
    for back in range(1, LOOK_BACK_WEEKS + 1):
        one = week.minus(back)
        draft = _report(_read(store, f"{FOLDER}/{one}/draft.json"))
        told = delivered(store, one) or draft or _report(_local(out, one))
        if told is not None:
            return told
    return None


def keep_draft(store: Store, week: Week, text: str) -> str:
    """Keep the rendering for next week's comparison; returns what went wrong: a read-only lake can be reported on."""
    try:
        path = f"{FOLDER}/{week}/draft.json"
        if _bytes(store, path) != text.encode():
            store.put(path, text.encode())
    except (LakeError, SourceError, ObjectUnreadable) as error:
        return f"the lake keeps no copy of this report: {error}"
    return ""


def keep_delivered(store: Store, week: Week, text: str) -> None:
    """What was sent, for the mark `revised` and for next week."""
    path = f"{FOLDER}/{week}/report.json"
    if _bytes(store, path) != text.encode():
        store.put(path, text.encode())


def salt(store: Store, deployment: str) -> str:
    """The secret of this lake's hashes, made at the first use; the deployment's name in a lake that is read-only."""
    told = _read(store, SALT)
    if told is None:
        try:
            store.put(SALT, json.dumps({"salt": secrets.token_hex(16)}).encode(), create=True)
        except PreconditionFailed:
            pass  # another process was first: its salt is read below
        except (LakeError, SourceError):
            return deployment
        told = _read(store, SALT)
    return str((told or {}).get("salt") or deployment)


def _bytes(store: Store, path: str) -> bytes | None:
    try:
        return store.get(path)
    except NotFound:
        return None


def _read(store: Store, path: str) -> dict[str, Any] | None:
    try:
        told = json.loads(_bytes(store, path) or b"null")
    except (ValueError, ObjectUnreadable):
        return None
    return told if isinstance(told, dict) else None


def _report(told: dict[str, Any] | None) -> dict[str, Any] | None:
    """A report.json that can be compared with; one of an unknown shape is none."""
    findings = (told or {}).get("findings")
    if not isinstance(findings, list) or not isinstance((told or {}).get("changes", []), list):
        return None
    is_known = all(isinstance(one, dict) and {"id", "code", "severity"} <= set(one) for one in findings)
    return told if is_known else None


def _local(out: Path, week: Week) -> dict[str, Any] | None:
    try:
        told = json.loads((out / str(week) / "report.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) else None
