"""Ids that other inputs know. Metric names join dag_id and task_id with dots or underscores that the ids hold too."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from urllib.parse import unquote


def underscored(name: str) -> str:
    """A name as a StatsD exporter spells it (statsd_exporter, `escapeMetricName`)."""
    return re.sub(r"[^a-zA-Z0-9_:]", "_", name)


class Known:
    """DAG ids and bundle names, by each spelling that metrics use for them. A spelling of two ids is neither's."""

    def __init__(self, dag_ids: Iterable[str] = (), bundles: Iterable[str] = ()) -> None:
        self.dag_ids = frozenset(dag_ids)
        ids = sorted(self.dag_ids)
        self.dotted = _by_spelling(ids, lambda one: (one, one.replace(".", "__")))
        self.underscored = _by_spelling(
            ids, lambda one: (underscored(one), underscored(one.replace(".", "__")))
        )
        self.bundles = _by_spelling(sorted({"dags-folder", *bundles}), lambda one: (one, underscored(one)))

    @classmethod
    def from_addresses(cls, dag_ids: Iterable[str]) -> Known:
        """DAG ids as the addresses of task logs spell them."""
        return cls({unquote(one) for one in dag_ids})

    def split(self, text: str, separator: str) -> tuple[str, str] | None:
        """`<dag_id><separator><task_id>`: by the longest known dag_id, else at the only separator there is."""
        table = self.dotted if separator == "." else self.underscored
        at = text.rfind(separator)
        while at > 0:
            dag_id = table.get(text[:at])
            if dag_id is not None and at + 1 < len(text):
                return dag_id, text[at + 1 :]
            at = text.rfind(separator, 0, at)
        if text.count(separator) == 1 and not text.startswith(separator) and not text.endswith(separator):
            dag_id, _, task_id = text.partition(separator)
            return dag_id, task_id
        return None

    def dag_id(self, text: str, separator: str) -> str:
        """One id by itself: the known one that is spelled so, else as spelled."""
        return (self.dotted if separator == "." else self.underscored).get(text, text)


def _by_spelling(ids: Iterable[str], spell: Callable[[str], tuple[str, ...]]) -> dict[str, str]:
    owners: dict[str, set[str]] = {}
    for one in ids:
        for spelling in spell(one):
            owners.setdefault(spelling, set()).add(one)
    return {spelling: next(iter(owner)) for spelling, owner in owners.items() if len(owner) == 1}
