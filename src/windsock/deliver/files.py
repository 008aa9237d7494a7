"""The report's files into a folder or bucket: one folder a week, and `latest/`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from windsock.deliver.send import Package
from windsock.errors import DeliveryError, WindsockError
from windsock.store import Store

NAMES = ("report.html", "email.html", "email.txt", "report.json")


@dataclass(frozen=True, slots=True)
class Files:
    """A store to put the files into."""

    store: Store
    name: str = "files"

    def describe(self, package: Package) -> str:
        return f"files to {self.store.url}/{package.deployment}/{package.week}/"

    def send(self, package: Package, *, now: datetime) -> None:
        """Every file of the week, then `latest/`: a reader of `latest/` finds a whole report."""
        bodies = {name: package.text(name).encode() for name in NAMES}
        safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in package.deployment).lstrip(".") or "_"
        try:
            for folder in (package.week, "latest"):
                for name, body in bodies.items():
                    self.store.put(f"{safe}/{folder}/{name}", body)
        except WindsockError as error:
            raise DeliveryError(str(error)) from None
