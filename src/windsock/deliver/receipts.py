"""Who was sent what, kept in the lake: it outlasts the machine, and two senders cannot both be first.

A receipt is claimed before sending and confirmed after it. A claim without an end is a send that crashed: whether
the message left is not known, so it is not sent again by itself.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from windsock.errors import DeliveryError, LakeError, SourceError
from windsock.store import NotFound, ObjectUnreadable, PreconditionFailed, Store

FOLDER = "_windsock/receipts"
State = Literal["none", "sending", "sent"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """One delivery to one target in one lake."""

    store: Store
    key: str  # deployment, week, target

    @property
    def _path(self) -> str:
        return f"{FOLDER}/{hashlib.sha256(self.key.encode()).hexdigest()[:32]}.json"

    def state(self) -> tuple[State, str]:
        """Whether it was sent, and since when that is so."""
        try:
            told = json.loads(self.store.get(self._path))
        except NotFound:
            return "none", ""
        except (ObjectUnreadable, SourceError) as error:
            raise DeliveryError(f"the receipts in {self.store.url} cannot be read ({error})") from None
        except ValueError:
            return "sending", "an unknown time"  # half a receipt: something began and was not finished
        if not isinstance(told, dict):
            return "sending", "an unknown time"
        state: State = "sending" if told.get("state") == "sending" else "sent"
        return state, str(told.get("at") or told.get("sent_at") or "")

    def claim(self, now: datetime, *, again: bool) -> bytes | None:
        """Before sending; returns what stood there. Of two senders one is refused."""
        try:
            before = self._stored() if again else None
            self.store.put(self._path, self._body("sending", now), create=before is None)
        except PreconditionFailed:
            raise DeliveryError("another `windsock send` is at work; wait for it to end") from None
        except (LakeError, SourceError, ObjectUnreadable) as error:
            raise DeliveryError(f"no receipt can be kept, so nothing was sent: {error}") from None
        return before

    def confirm(self, now: datetime) -> None:
        """After sending."""
        self.store.put(self._path, self._body("sent", now))

    def release(self, before: bytes | None) -> None:
        """After a failure that surely delivered nothing: as it was before the claim."""
        if before is None:
            self.store.delete(self._path)
        else:
            self.store.put(self._path, before)

    def _stored(self) -> bytes | None:
        try:
            return self.store.get(self._path)
        except NotFound:
            return None

    def _body(self, state: str, now: datetime) -> bytes:
        at = now.astimezone(UTC).isoformat().replace("+00:00", "Z")
        # the mark tells two senders apart that claim in the same moment
        told = {"state": state, "key": self.key, "at": at, "mark": secrets.token_hex(8)}
        return json.dumps(told).encode()
