"""Where an incident is concentrated (one DAG, one host, one hour, everywhere) and what its failed tries have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from windsock.findings import wording
from windsock.model import Row

_PLACES = ("hostname", "hour")
_WORDS = {
    "connection": "connection",
    "operator": "operator",
    "pool": "pool",
    "queue": "queue",
    "executor": "executor",
    "bundle_version": "bundle version",
    "dag_file": "DAG file",
}


class ShareLimits(Protocol):
    """When a value counts as shared."""

    @property
    def min_share(self) -> float:
        """At least this fraction of the failed tries have it."""

    @property
    def max_common(self) -> float:
        """At most this fraction of all tries of the week have it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """`concentration` in words; `shared` holds one phrase for each thing in common."""

    concentration: str
    shared: tuple[str, ...]


def by_cause(rows: Sequence[Row]) -> Mapping[str, Sequence[Row]]:
    """The rows of `incident_shares`, by cause."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["cause"], []).append(row)
    return found


def shape(incident: Row, shares: Sequence[Row], limits: ShareLimits) -> Shape:
    """Of one incident; a value that is common anyway, or that half of its tries do not tell, says nothing."""
    telling = {row["attribute"]: row["value"] for row in shares if _is_telling(row, incident, limits)}
    if incident["dags"] == 1:
        places = [f"one DAG, {incident['dag_ids'][0]}"]
    else:
        places = [_place(name, str(telling[name])) for name in _PLACES if name in telling]
    shared = tuple(
        f"{word} {wording.commit(str(telling[name])) if name == 'bundle_version' else telling[name]}"
        for name, word in _WORDS.items()
        if name in telling and f"{name} {telling[name]}" != incident["cause"]
    )
    everywhere = f"everywhere: {wording.plural(incident['dags'], 'DAG')}"
    if incident["hosts"] > 1:
        everywhere += f" on {wording.plural(incident['hosts'], 'host')}"
    return Shape("; ".join(places) or everywhere, shared)


def known_by(incident: Row) -> Row:
    """What an incident's connection is known by, where no error names it: evidence of a finding."""
    kind, _, name = incident["cause"].partition(" ")
    if kind != "connection" or any(name in signature for signature in incident["signatures"]):
        return {}
    return {"known_by": "the connection that these tries took last"}


def one_host(name: str) -> str:
    """How a concentration on one host is told."""
    return f"one host, {name}"


def _is_telling(row: Row, incident: Row, limits: ShareLimits) -> bool:
    return bool(
        row["value"]
        and row["known"] * 2 >= incident["tries"]
        and row["tries"] >= limits.min_share * row["known"]
        and row["all_tries"] <= limits.max_common * row["all_known"]
    )


def _place(attribute: str, value: str) -> str:
    if attribute == "hostname":
        return one_host(value)
    return f"one hour, {wording.moment(datetime.fromisoformat(value))}"
