"""Which DAGs' make-up a pull asks the API for: the answers are two a DAG, and there may be ten thousand DAGs.

The ledger has one row a DAG; its etag says when it was read, at which version, and whether its start_date was young then.
First come DAGs with a run that stays open, then those never read, those with a new version, those whose start_date may move,
and last, oldest first, what was read some days ago. DAGs that are gone are left out, paused ones wait until the others are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from windsock.lake import Writer
from windsock.model import Parsed, SourceObject
from windsock.parse import PARSER_VERSION
from windsock.parse.told.makeup import Makeup, makeup_of_answers, makeup_of_form
from windsock.parse.told.rows import Teller, moment, text
from windsock.pull.marks import MOVING, Tally

OPEN_RUNS = 2000
"""Open runs that are looked at, to see which DAGs wait: more are a fleet that stands still as a whole."""
OPEN_LONG = timedelta(hours=1)
"""A run that has been open longer waits for something."""
AGAIN = timedelta(hours=20)
"""The same DAG is not read twice a day for the same reason."""
OLD = timedelta(days=6, hours=12)
"""A weekly pull reads it each time; nothing in 2.x tells that a DAG changed."""
YOUNG = timedelta(days=8)
"""A start_date no older than this may be one of `now()` or `days_ago(n)`: it is looked at again."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger says of a DAG's make-up."""

    at: datetime
    version: str = ""
    is_young: bool = False

    def etag(self) -> str:
        return f"{self.at.isoformat()}|{self.version}|{'young' if self.is_young else ''}"

    @classmethod
    def of(cls, etag: str) -> Known | None:
        at, _, rest = etag.partition("|")
        version, _, flag = rest.partition("|")
        try:
            return cls(datetime.fromisoformat(at), version, flag == "young")
        except ValueError:
            return None


def ledger_place(address: str, dag_id: str) -> str:
    """The ledger's row for one DAG's make-up; no row of the lake carries it."""
    return f"{address}/dag_tasks/{dag_id}"


class Makeups:
    """What is known of the DAGs of one source, stored where it is new or has become old."""

    def __init__(self, writer: Writer, address: str, known: Mapping[str, Known], teller: Teller) -> None:
        self._writer, self._address, self._known, self._teller = writer, address, known, teller
        self.taken = self.rows = 0

    def take_answers(self, dag_id: str, answers: tuple[Any, Any] | None, version: str) -> None:
        """The API's two answers; None is noted too, or the same DAG would be asked for in each pull."""
        self.taken += 1
        made = makeup_of_answers(dag_id, *answers, self._teller) if answers is not None else None
        first_at = made.first_at if made else None
        is_young = first_at is not None and self._teller.at - first_at < YOUNG
        self._add(dag_id, made, Known(self._teller.at, version, is_young))

    def take_form(self, dag_id: str, form: bytes | str) -> None:
        """A serialised form: all of them come with each pull, so one is stored when it differs, and once a week."""
        made = makeup_of_form(dag_id, form, self._teller)
        if made is None:
            return
        tally = Tally()
        for row in (*made.tasks, made.fact):
            tally.add(row, without=MOVING["dag_tasks"])
        before, digest = self._known.get(dag_id), tally.digest()
        if before is None or before.version != digest or self._teller.at - before.at > OLD:
            self._add(dag_id, made, Known(self._teller.at, digest))

    def _add(self, dag_id: str, made: Makeup | None, known: Known) -> None:
        tables = {"dag_tasks": made.tasks, "deployments": [made.fact]} if made else {}
        url = ledger_place(self._address, dag_id)
        obj = SourceObject(url=url, path=url, size=0, modified_at=self._teller.at, etag=known.etag())
        source = self._teller.source
        self._writer.add(obj, Parsed(source, tables), kind=source, parser_version=PARSER_VERSION)
        self.rows += sum(map(len, tables.values()))


def versions_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The newest version number of each DAG (3.x)."""
    newest: dict[str, int] = {}
    for raw in rows:
        dag_id, number = text(raw.get("dag_id")), raw.get("version_number")
        if dag_id and isinstance(number, int):
            newest[dag_id] = max(number, newest.get(dag_id, 0))
    return {dag_id: str(number) for dag_id, number in newest.items()}


def waiting_of(open_runs: Iterable[Mapping[str, Any]], clock: datetime) -> set[str]:
    """DAGs with a run that has been open for long."""
    found = set()
    for raw in open_runs:
        since = moment(raw.get("start_date")) or moment(raw.get("queued_at")) or moment(raw.get("run_after"))
        dag_id = text(raw.get("dag_id"))
        if dag_id and (since is None or clock - since > OPEN_LONG):
            found.add(dag_id)
    return found


def chosen(
    dags: Sequence[Mapping[str, Any]],
    known: Mapping[str, Known],
    *,
    versions: Mapping[str, str],
    waiting: set[str],
    now: datetime,
    most: int,
) -> tuple[list[str], int]:
    """The DAGs to read now, in order, and how many that should be read are left for the next pulls."""
    due: list[tuple[int, datetime, str]] = []
    for raw in dags:
        dag_id = text(raw.get("dag_id"))
        if dag_id is None or raw.get("is_stale") is True or raw.get("is_active") is False:
            continue
        before = known.get(dag_id)
        rank = _rank(before, versions.get(dag_id, ""), dag_id in waiting, now)
        if rank is not None:
            is_last = raw.get("is_paused") is True and rank > 0
            due.append(
                (rank + 10 * is_last, before.at if before else datetime.min.replace(tzinfo=UTC), dag_id)
            )
    due.sort()
    return [dag_id for *_, dag_id in due[:most]], max(0, len(due) - most)


def _rank(before: Known | None, version: str, is_waiting: bool, now: datetime) -> int | None:
    if before is None:
        return 0 if is_waiting else 1
    age = now - before.at
    if is_waiting and age > AGAIN:
        return 0
    if version != before.version:
        return 2
    if before.is_young and age > AGAIN:
        return 3
    return 4 if age > OLD else None
