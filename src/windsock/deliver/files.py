"""The report's files into a folder or bucket: one folder a week, a stable `latest/`, a list of weeks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from windsock.deliver.parcel import Parcel
from windsock.errors import DeliveryError, WindsockError
from windsock.store import NotFound, ObjectUnreadable, Store

TYPES = {
    "html": "text/html; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "json": "application/json",
}
INDEX = "weeks.json"


@dataclass(frozen=True, slots=True)
class Files:
    """A store to put the files into. `index` renders the list of weeks."""

    store: Store
    index: Callable[[str, Sequence[Mapping[str, Any]]], str]
    name: str = "files"

    def describe(self, parcel: Parcel) -> str:
        return f"files to {self.store.url}/{parcel.folder}/{parcel.week}/"

    def preview(self, parcel: Parcel) -> str:
        lines = [
            f"{parcel.folder}/{place}/{name}  {len(body):,} bytes  {_type(name)}"
            for place in (parcel.week, "latest")
            for name, body in parcel.files.items()
        ]
        return "\n".join([*lines, f"{parcel.folder}/index.html", f"{parcel.folder}/{INDEX}"])

    def send(self, parcel: Parcel, *, now: datetime) -> None:
        """The week's files, then the list, then `latest/` if no newer week is there. Writing twice is the same."""
        try:
            weeks = self._weeks(parcel)
            for name, body in parcel.files.items():
                self._put(f"{parcel.folder}/{parcel.week}/{name}", body)
            listed = sorted(weeks.values(), key=lambda one: str(one["week"]), reverse=True)
            self._put(
                f"{parcel.folder}/{INDEX}", (json.dumps(listed, ensure_ascii=False, indent=1) + "\n").encode()
            )
            self._put(f"{parcel.folder}/index.html", self.index(parcel.deployments[0], listed).encode())
            if max(weeks) == parcel.week:
                for name, body in parcel.files.items():
                    self._put(f"{parcel.folder}/latest/{name}", body)
        except ObjectUnreadable as error:
            raise DeliveryError(f"{self.store.url}: {error}; check that it may be read and written") from None
        except WindsockError as error:
            raise DeliveryError(str(error)) from None

    def _put(self, path: str, body: bytes) -> None:
        self.store.put(path, body, content_type=_type(path))

    def _weeks(self, parcel: Parcel) -> dict[str, Mapping[str, Any]]:
        """The list as it stands there, with this week in it."""
        try:
            told = json.loads(self.store.get(f"{parcel.folder}/{INDEX}"))
        except (NotFound, ValueError):
            told = []
        known = {str(one["week"]): one for one in told if isinstance(one, dict) and _is_line(one)}
        return {**known, parcel.week: dict(parcel.summary)}


def _is_line(one: Mapping[str, Any]) -> bool:
    return {"week", "verdict", "verdict_sentence", "revised"} <= set(one)


def _type(name: str) -> str:
    return TYPES.get(name.rpartition(".")[2], "application/octet-stream")
