"""Whose finding is it: by the DAG it is about, or by all the DAGs that an incident hit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from windsock.model import Finding
from windsock.report.cards import card
from windsock.report.formats import clean
from windsock.report.page import OwnerSlice

MAX_OWNERS = 40
MAX_OF_OWNER = 10


def owned(finding: Finding, owner_of: Mapping[str, str]) -> Finding:
    """With its DAG's owner; one over many DAGs belongs to their owner where they share one."""
    names = {owner_of.get(one, "") for one in _dags(finding)}
    return replace(finding, owner=names.pop() if len(names) == 1 else "")


def _dags(finding: Finding) -> list[str]:
    if finding.subject.get("dag_id"):
        return [finding.subject["dag_id"]]
    return [str(one) for one in finding.evidence.get("dag_ids") or ()]


def slices(findings: Sequence[Finding], owner_of: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Finding ids by owner: what is theirs, and what hit any DAG of theirs."""
    made: dict[str, list[str]] = {}
    for finding in findings:
        for owner in sorted({owner_of.get(one, "") for one in _dags(finding)} - {""}):
            made.setdefault(owner, []).append(finding.id)
    return {owner: tuple(ids) for owner, ids in sorted(made.items())}


def shown_owners(findings: Sequence[Finding], ids_of: Mapping[str, Sequence[str]]) -> tuple[OwnerSlice, ...]:
    """The slices as the page shows them, capped and counted."""
    by_id = {one.id: one for one in findings}
    made = []
    for owner, ids in list(ids_of.items())[:MAX_OWNERS]:
        cards = tuple(card(by_id[one], base_url="") for one in ids[:MAX_OF_OWNER])
        made.append(OwnerSlice(clean(owner, 200), cards, max(0, len(ids) - MAX_OF_OWNER)))
    return tuple(made)
