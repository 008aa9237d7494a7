"""All deliveries in turn: a failed one is retried, then named, and does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from windsock.deliver.parcel import Parcel
from windsock.deliver.receipts import Receipt
from windsock.errors import DeliveryError, WindsockError

TRIES = 4
PAUSE_S = 2.0  # doubled each time: 2, 4, 8
AGAIN = "--again sends it once more"


class Uncertain(DeliveryError):
    """The connection broke after the message was handed over: it may have arrived, so it is not tried again."""


class Refused(DeliveryError):
    """The target said no for good: trying again would change nothing."""


class Target(Protocol):
    """One way out. `send` delivers everything, or raises having delivered nothing (`Uncertain`: not known)."""

    @property
    def name(self) -> str: ...
    def describe(self, parcel: Parcel) -> str: ...
    def preview(self, parcel: Parcel) -> str: ...
    def send(self, parcel: Parcel, *, now: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """A parcel, its target, and the receipts that it leaves."""

    target: Target
    parcel: Parcel
    receipts: tuple[Receipt, ...]


@dataclass(slots=True)
class Outcome:
    """What was done and what was not, in sentences."""

    done: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    delivered: set[str] = field(default_factory=set)  # deployments of which something was sent


def send_all(
    deliveries: Sequence[Delivery],
    outcome: Outcome,
    *,
    now: datetime,
    sleep: Callable[[float], None],
    again: bool = False,
) -> None:
    """Deliver each parcel once, and tell it to `outcome`."""
    for one in deliveries:
        try:
            _deliver(one, now, sleep, again=again)
        except WindsockError as error:
            outcome.failed.append(f"{one.target.name}: {error}")
        else:
            outcome.done.append(f"sent {one.target.describe(one.parcel)}")
            outcome.delivered |= set(one.parcel.deployments)


def unsent(receipt: Receipt, *, again: bool) -> tuple[bool, str]:
    """Whether a delivery is still to be made; if not, why, in a sentence. A send of unknown end is an error."""
    state, at = receipt.state()
    if state == "none" or again:
        return True, ""
    if state == "sent":
        return False, f"sent before ({at}); {AGAIN}"
    raise Uncertain(f"a send began at {at} and its end is not known; see whether it arrived: if not, {AGAIN}")


def _deliver(one: Delivery, now: datetime, sleep: Callable[[float], None], *, again: bool) -> None:
    claimed: list[tuple[Receipt, bytes | None]] = []
    try:
        for receipt in one.receipts:
            claimed.append((receipt, receipt.claim(now, again=again)))
        _try(one, now, sleep)
    except Uncertain:
        raise  # the claims stay: nobody sends it again unasked
    except WindsockError:
        for receipt, before in claimed:
            receipt.release(before)
        raise
    try:
        for receipt in one.receipts:
            receipt.confirm(now)
    except WindsockError as error:
        raise Uncertain(f"sent, but the receipt cannot be kept ({error}); {AGAIN}") from None


def _try(one: Delivery, now: datetime, sleep: Callable[[float], None]) -> None:
    for turn in range(TRIES):
        try:
            one.target.send(one.parcel, now=now)
        except (Uncertain, Refused):
            raise
        except DeliveryError:
            if turn == TRIES - 1:
                raise
            sleep(PAUSE_S * 2**turn)
        else:
            return
