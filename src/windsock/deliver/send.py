"""All targets in turn: a failed one is retried, then named, and does not stop the others."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from windsock.errors import DeliveryError

TRIES = 3
PAUSE_S = 2.0


@dataclass(frozen=True, slots=True)
class Package:
    """A finished report of one deployment and week: the files that `report` wrote."""

    deployment: str
    week: str
    folder: Path

    def text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def report(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.text("report.json"))
        return body


class Receipts(Protocol):
    """Kept in the lake, so that a machine that forgets does not send twice."""

    def seen(self, key: str) -> bool: ...
    def record(self, key: str, value: str) -> None: ...


class Target(Protocol):
    """One way out. `send` delivers everything or raises."""

    @property
    def name(self) -> str: ...
    def describe(self, package: Package) -> str: ...
    def send(self, package: Package, *, now: datetime) -> None: ...


def send_all(
    targets: Sequence[Target],
    package: Package,
    receipts: Receipts,
    *,
    now: datetime,
    sleep: Callable[[float], None],
    again: bool = False,
    dry_run: bool = False,
) -> list[str]:
    """Deliver `package` to each target once; returns what was done, in sentences. Raises when any target failed."""
    done: list[str] = []
    failed: list[str] = []
    for target in targets:
        key = f"{package.deployment}/{package.week}/{target.name}"
        if dry_run:
            done.append(f"would send {target.describe(package)}")
        elif receipts.seen(key) and not again:
            done.append(f"{target.name}: week {package.week} was sent before; --again sends it once more")
        else:
            problem = _try(target, package, now, sleep)
            if problem:
                failed.append(f"{target.name}: {problem}")
            else:
                receipts.record(key, json.dumps({"sent_at": now.isoformat(), "target": target.name}))
                done.append(f"sent {target.describe(package)}")
    if failed:
        told = f" ({'; '.join(done)})" if done else ""
        raise DeliveryError(
            f"not delivered to {'; '.join(failed)}{told}; run `windsock send` again when it is mended"
        )
    return done


def _try(target: Target, package: Package, now: datetime, sleep: Callable[[float], None]) -> str:
    problem = ""
    for turn in range(TRIES):
        if turn:
            sleep(PAUSE_S * 2 ** (turn - 1))
        try:
            target.send(package, now=now)
        except DeliveryError as error:
            problem = str(error)
        else:
            return ""
    return problem
