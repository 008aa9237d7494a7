"""All pages of a list: by offset, as every version can. The cap of 100 is silent, and lists change while they are read.

Each page begins with the last entry of the one before. When it is another one that was never seen, entries in front
were removed and some slipped between the pages: then the list is read again, as when fewer came than were counted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from windsock.errors import SourceError
from windsock.sources.airflow_api.client import Client, Params
from windsock.sources.airflow_api.endpoints import PAGE

ROUNDS = 3
"""Readings of one list until its count agrees; what a third one still misses, the next pull's overlap brings."""
_IDS = ("id", "dag_id", "dag_run_id", "task_id", "map_index", "event_log_id", "import_error_id", "name",
        "package_name")  # fmt: skip


def pages(client: Client, path: str, key: str, params: Params) -> Iterator[list[dict[str, Any]]]:
    """Entries that were not seen before, page by page."""
    seen: set[bytes] = set()
    for _ in range(ROUNDS):
        offset, total, has_slipped = 0, 0, False
        while True:
            found, total = _page(client, path, key, {**params, "limit": PAGE, "offset": offset})
            marks = [_mark(one) for one in found]
            new = {mark: one for mark, one in zip(marks, found, strict=True) if mark not in seen}
            has_slipped |= offset > 0 and len(found) > 1 and marks[0] in new
            seen.update(new)
            if new:
                yield list(new.values())
            end = offset + len(found)  # what came, not what was asked for
            if not found or (total and end >= total):
                break
            offset = end - 1 if len(found) > 1 else end
        if len(seen) >= total and not has_slipped:
            return


def _page(client: Client, path: str, key: str, params: Params) -> tuple[list[dict[str, Any]], int]:
    """Entries, and how many there are in all; 0 when the server does not say, or stops counting at a limit (3.3)."""
    told = client.get(path, params)
    entries = told.get(key) if isinstance(told, dict) else None
    if not isinstance(entries, list):
        raise SourceError(f"{client.base}{path}: answered without {key!r}; is this the Airflow REST API?")
    found = [one for one in entries if isinstance(one, dict)]
    total, most = told.get("total_entries"), told.get("total_entries_limit")
    if not isinstance(total, int):
        return found, 0
    return found, 0 if isinstance(most, int) and total >= most else total


def _mark(entry: dict[str, Any]) -> bytes:
    """Sixteen bytes for the entry's ids: a million of them fit into a pull's memory."""
    ids = "\x1f".join(str(entry.get(name, "")) for name in _IDS)
    return hashlib.blake2b(ids.encode("utf-8", "surrogatepass"), digest_size=16).digest()
