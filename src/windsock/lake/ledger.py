"""What the lake knows of objects: which are new, where their old rows lie, and what a broken pull may have left.

Questions about a million objects are joins in DuckDB over files, never a dictionary in Python.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from windsock.lake.files import Cache, Partition, part_of
from windsock.lake.merge import enough_room, read_files
from windsock.model import UNREAD, Row, SourceObject
from windsock.store import Store

_EMPTY = (
    "select cast(null as varchar) as object_url, cast(null as varchar) as etag, cast(null as bigint) as size, "
    "cast(null as timestamptz) as modified_at, cast(null as varchar) as outcome, cast(null as varchar) as parser_version, "
    "cast(null as varchar[]) as weeks, cast(null as timestamptz) as read_at where false"
)


@dataclass(frozen=True, slots=True)
class Todo:
    """The objects of a listing that have to be read: a file in the form of `windsock.scratch.spool`, and its sums."""

    path: Path
    listed: int
    known: int
    count: int
    bytes: int


class Ledger:
    """The `objects` table of one shard, or of all (`shard=None`)."""

    def __init__(
        self,
        store: Store,
        conn: duckdb.DuckDBPyConnection,
        *,
        cache: Cache,
        scratch: Path,
        shard: int | None,
        shards: int,
    ) -> None:
        self._store, self._conn, self._cache, self._scratch = store, conn, cache, scratch
        self._shard, self._shards = shard, shards
        conn.execute("create or replace temp view replaced as select '' as object_url where false")

    def files(self) -> list[SourceObject]:
        """The ledger's files."""
        found = []
        for obj in self._store.list("objects/"):
            part = part_of(obj.path)
            if part and part[2] == self._shards and self._shard in (None, part[1]):
                found.append(obj)
        return found

    def load(self) -> None:
        """Make `ledger` the view of what is known now."""
        files = [self._cache.local(obj) for obj in self.files()]
        columns = "object_url, etag, size, modified_at, outcome, parser_version, weeks, read_at"
        rows = f"select {columns} from ({read_files(files)}) as files" if files else _EMPTY
        self._conn.execute(f"create or replace temp view ledger as {rows}")

    def read_before(self, prefix: str) -> list[Row]:
        """What is known of the objects whose address starts so. Fit for thousands of snapshots, not for task logs."""
        columns = ("object_url", "etag", "size", "modified_at", "outcome")
        sql = f"select {', '.join(columns)} from ledger where starts_with(object_url, ?)"
        return [dict(zip(columns, row, strict=True)) for row in self._conn.execute(sql, [prefix]).fetchall()]

    def dag_ids(self) -> set[str]:
        """The DAGs of the task logs that are known, as the addresses spell them."""
        found = "regexp_extract(object_url, 'dag_id=([^/]+)/run_id=', 1)"
        rows = self._conn.execute(
            f"select distinct {found} from ledger where contains(object_url, '/run_id=')"
        )
        return {dag_id for (dag_id,) in rows.fetchall() if dag_id}

    def unknown(
        self, listing: Path, *, parser_version: str, reread: bool, versions: Mapping[int, str] | None = None
    ) -> Todo:
        """Objects that are new, changed, were rejected, or were read by another parser; all with `reread`.

        `versions` are those of single sources that differ from `parser_version`."""
        todo = self._scratch / f"todo-{self._shard if self._shard is not None else 'all'}.parquet"
        where = "" if self._shard is None else f"where shard = {self._shard}"
        found = f"{read_files([listing])} {where}"
        several = f"select count(distinct source) from ({found}) as found"
        if self._conn.execute(several).fetchall()[0][0] > 1:
            # two urls of the pipeline file may overlap: an object is read once
            found += " qualify row_number() over (partition by url order by no) = 1"
        self._conn.execute(f"create or replace temp view listing as {found}")
        version = f"'{_quoted(parser_version)}'"
        for source, text in (versions or {}).items():
            version = f"case when listing.source = {source} then '{_quoted(text)}' else {version} end"
        # of a log in parts some may be removed before the others: nothing new is to be read
        is_less = (
            "k.outcome = 'parsed' and k.size > listing.size and k.modified_at >= listing.modified_at "
            "and ends_with(listing.url, '.log/000000.gz')"
        )
        not_known = (
            "select 1 from ledger as k where k.object_url = listing.url and (k.etag = listing.etag "
            f"and k.size = listing.size and k.outcome <> 'reject' and k.parser_version = {version} or {is_less})"
        )
        rows = "select * from listing" + ("" if reread else f" where not exists ({not_known})")
        with enough_room(self._scratch, "cannot compare the listing with the ledger"):
            self._conn.execute(
                f"copy (select * from ({rows}) as listed order by no) to '{_quoted(str(todo))}' "
                "(format parquet, row_group_size 20480)"
            )
        listed, count, size = self._conn.execute(
            "select (select count(*) from listing), count(*), coalesce(sum(size), 0) from read_parquet(?)",
            [str(todo)],
        ).fetchall()[0]
        return Todo(todo, listed, listed - count, count, int(size))

    def parts(self) -> list[tuple[str, str, str]]:
        """Objects that no listing knows: pieces of files that grow, told apart by the range in their url."""
        return self._conn.execute(
            "select object_url, etag, parser_version from ledger where outcome = 'parsed' "
            "and contains(object_url, '#bytes=') order by object_url"
        ).fetchall()

    def noted(self, prefix: str) -> dict[str, tuple[str, str]]:
        """Etag and parser version of the objects whose address begins with `prefix`."""
        sql = "select object_url, etag, parser_version from ledger where starts_with(object_url, ?)"
        rows = self._conn.execute(sql, [prefix]).fetchall()
        return {url: (etag or "", version or "") for url, etag, version in rows}

    def without_unread(self, notes: Path) -> Path:
        """An object that was read before and cannot be read now keeps its rows and its ledger row: by its etag of
        old, the next pull tries again."""
        unread = (
            f"outcome = 'reject' and reject_reason in {UNREAD} and object_url in "
            "(select object_url from ledger where outcome = 'parsed')"
        )
        some = f"select count(*) from read_parquet('{_quoted(str(notes))}') where {unread}"
        if self._conn.execute(some).fetchall() == [(0,)]:
            return notes
        out = notes.with_name(f"settled-{notes.name}")
        self._copy(f"select * from ({read_files([notes])}) as notes where not ({unread})", out)
        notes.unlink()
        return out

    def plan(self, new_objects: list[Path], intent: list[Path]) -> None:
        """View `replaced` (object_url), and view `moves` (object_url, part, was, stays): where each replaced object's
        rows lay or may lie, and where they will. Both lie in files: of a million objects they would fill the memory."""
        new = read_files(new_objects)
        told = (
            f"select object_url, weeks from ({read_files(intent)}) as intent"
            if intent
            else ("select object_url, weeks from ledger where false")
        )
        self._keep("replaced", f"select distinct object_url from ({new}) as new")
        self._keep(
            "moves",
            f"""
            select object_url, part, bool_or(was) as was, bool_or(stays) as stays from (
                select object_url, unnest(weeks) as part, true as was, false as stays
                from (select object_url, weeks from ledger union all {told}) as known
                where {_is_in("replaced", "known")}
                union all
                select object_url, {_own_part("modified_at")}, true, false
                from ledger where {_is_in("replaced", "ledger")}
                union all
                select object_url, unnest(weeks), false, true from ({new}) as rows
                union all
                select object_url, {_own_part("modified_at")}, false, true from ({new}) as rows
            ) as places
            group by object_url, part
            """,
        )

    def _keep(self, name: str, sql: str) -> None:
        """A view of rows that are worked out once, into a file."""
        out = self._scratch / f"{name}.parquet"
        with enough_room(self._scratch, "cannot work out what is to be replaced"):
            self._conn.execute(
                f"copy ({sql}) to '{_quoted(str(out))}' (format parquet, row_group_size 20480)"
            )
        self._conn.execute(f"create or replace temp view {name} as {read_files([out])}")

    def partitions(self) -> list[tuple[Partition, bool, bool]]:
        """Every partition to be touched: whether rows leave it for good, and whether rows come or stay."""
        rows = self._conn.execute(
            "select part, bool_or(was and not stays), bool_or(stays) from moves group by part order by part"
        ).fetchall()
        return [(Partition.parse(part), leaves, comes) for part, leaves, comes in rows]

    def leaving(self, partition: Partition) -> str:
        """A relation of the objects whose rows leave a partition."""
        return f"(select object_url from moves where part = '{partition}' and was and not stays)"

    def write_intent(self, intent: list[Path], new_objects: list[Path]) -> Path:
        """What is about to be written, and what older intents say of objects that are not settled yet."""
        out = self._scratch / "intent.parquet"
        self._copy(
            f"select object_url, etag, read_at, list(part order by part) as weeks from ("
            f"select object_url, etag, read_at, part from moves join ({read_files(new_objects)}) as notes using (object_url) "
            f"union select object_url, etag, read_at, unnest(weeks) from {self._open(intent)}"
            ") as places group by object_url, etag, read_at",
            out,
        )
        return out

    def still_open(self, intent: list[Path]) -> Path | None:
        """What an intent says of objects that are not settled; None when all are."""
        out = self._scratch / "intent.parquet"
        self._copy(f"select object_url, etag, read_at, weeks from {self._open(intent)}", out)
        count = self._conn.execute("select count(*) from read_parquet(?)", [str(out)]).fetchall()[0][0]
        return out if count else None

    def _open(self, intent: list[Path]) -> str:
        """Rows of an intent whose object is not replaced now, and whose ledger row is not the one that the intent
        announced: the ledger is written last, so with that row everything of the object is in its place."""
        rows = (
            read_files(intent)
            if intent
            else "select object_url, etag, read_at, weeks from ledger where false"
        )
        return (
            f"(select * from ({rows}) as told where not {_is_in('replaced', 'told')} "
            "and not exists (select 1 from ledger as k where k.object_url = told.object_url and k.etag = told.etag "
            "and k.read_at = told.read_at)) as open"
        )

    def _copy(self, sql: str, out: Path) -> None:
        with enough_room(self._scratch, "cannot write down what is to be done"):
            self._conn.execute(
                f"copy ({sql} order by object_url) to '{_quoted(str(out))}' (format parquet, compression zstd)"
            )


def _is_in(relation: str, of: str) -> str:
    """A semi-join: unlike `in`, DuckDB can do it on disk when it does not fit into memory."""
    return f"exists (select 1 from {relation} as r where r.object_url = {of}.object_url)"


def _own_part(column: str) -> str:
    """The ledger row itself lies in the week of the object's time."""
    return f"'objects/' || strftime(date_trunc('week', cast({column} as timestamptz)), '%Y-%m-%d') || '/0'"


def _quoted(text: str) -> str:
    return text.replace("'", "''")
