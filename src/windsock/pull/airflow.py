"""What Airflow itself tells → lake: its REST API, and its metadata database. Called by `pull` for shard 0.

Rows that say something for good (ended tries, runs, samples, facts) carry the source's address, `api:<url>` or
`db:<name>`; they add up over pulls and are replaced by key. Tries that are still open, and DAG versions, are lists
that are replaced whole. The ledger has one row per kind of answer; its etag is the high-water mark: the time, by the
source's own clock, up to which everything was read, and a digest of what the last hour held. A pull reads from an hour
before the mark (clocks of schedulers and workers differ, and transactions end late), and writes nothing when the
digest is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from windsock.airflow_access import Airflow, Raw, connect_api, connect_db
from windsock.config import Config
from windsock.lake import Writer
from windsock.model import Parsed, Row, SourceObject
from windsock.output import Output
from windsock.parse import PARSER_VERSION
from windsock.parse.told.audit import EVENTS, event_rows
from windsock.parse.told.callbacks import MAX_SERIALIZED, alert_facts
from windsock.parse.told.facts import (
    dag_limit_facts,
    dag_owner_facts,
    dag_state_facts,
    dag_version_rows,
    dag_warning_facts,
    fact,
    health_facts,
    next_run_facts,
    pool_facts,
    provider_facts,
    setting_facts,
)
from windsock.parse.told.rows import (
    OPEN_STATES,
    Teller,
    import_error_row,
    is_open,
    parse_rows,
    pool_row,
    run_row,
    try_row,
)
from windsock.pull.makeup import OPEN_RUNS, Known, Makeups, chosen, ledger_place, versions_of, waiting_of
from windsock.pull.marks import MOVING, Chunks, Tables, Tally, etag_of, mark_of, windows_of
from windsock.schema import TABLES
from windsock.sources.airflow_gaps import LOSES, Gap

OVERLAP = timedelta(hours=1)
CHECKPOINT_ROWS = 400_000

Read = Callable[[datetime, "datetime | None"], Iterator[tuple[str, Row]]]


@dataclass(slots=True)
class AirflowSummary:
    """What a pull got from API and database."""

    answers: int = 0
    """Kinds of answer that were asked for."""
    unchanged: int = 0
    rows: int = 0
    requests: int = 0
    dags_left: int = 0
    """DAGs whose tasks are left for the next pulls."""
    gaps: list[tuple[str, str]] = field(default_factory=list)
    """Address and sentence of what could not be read."""

    def sentence(self) -> str:
        """One line for people."""
        gaps = f", {len(self.gaps)} could not be read" if self.gaps else ""
        gaps += f", the tasks of {self.dags_left} DAGs left for the next pulls" if self.dags_left else ""
        return (
            f"Airflow told {self.rows} rows in {self.answers} kinds of answer ({self.requests} requests, "
            f"{self.unchanged} unchanged{gaps})"
        )


@dataclass(frozen=True, slots=True)
class Span:
    """The time a pull asks for: from `first_at` the first time, then from the mark; `since` and `until` are the user's.
    `is_anew` forgets the mark."""

    first_at: datetime
    since: datetime | None = None
    until: datetime | None = None
    is_anew: bool = False


def pull_airflow(
    config: Config, writer: Writer, *, now: datetime, span: Span, output: Output
) -> AirflowSummary:
    """Ask API and database, where the pipeline file names them, for what is new since the last pull."""
    summary = AirflowSummary()
    db = connect_db(config)
    try:
        if (api := connect_api(config)) is not None:
            # the database has the make-up of all DAGs in one answer
            is_told = db is not None and db.has_forms
            asked = config.pipeline.sources.airflow_api
            in_detail = 0 if is_told or asked is None else asked.dags_in_detail
            _Pull(api, writer, summary, now, span, in_detail).run()
        if db is not None:
            _Pull(db, writer, summary, now, span).run()
    finally:
        if db is not None:
            db.close()
    for _address, sentence in summary.gaps:
        output.say(f"warning: {sentence}")
    if summary.answers:
        output.say(summary.sentence())
    return summary


@dataclass(slots=True)
class _Pull:
    """One source's turn."""

    airflow: Airflow
    writer: Writer
    summary: AirflowSummary
    now: datetime
    span: Span
    in_detail: int = 0
    """Of how many DAGs the API is asked for details and tasks."""
    clock: datetime = field(init=False)
    teller: Teller = field(init=False)
    marks: dict[str, tuple[datetime | None, str]] = field(init=False)
    marks_of_dags: dict[str, Known] = field(init=False)

    def __post_init__(self) -> None:
        self.clock = self.airflow.clock(self.now)
        self.teller = self._teller(self.airflow.address)
        self.marks, self.marks_of_dags = {}, {}
        prefix = ledger_place(self.airflow.address, "")
        if not self.span.is_anew:
            for url, (etag, version) in self.writer.noted(self.airflow.address + "/").items():
                if version != PARSER_VERSION:
                    continue
                if not url.startswith(prefix):
                    self.marks[url] = mark_of(etag)
                elif (known := Known.of(etag)) is not None:
                    self.marks_of_dags[url.removeprefix(prefix)] = known

    def run(self) -> None:
        """Everything, in an order in which what changes fastest comes last."""
        pools = list(self.airflow.pools())
        self._list("facts", self._facts(pools))
        versions = list(self.airflow.dag_versions())
        told = self._teller(f"{self.airflow.address}/dag_versions")
        self._list("dag_versions", {"deployments": dag_version_rows(versions, told)})
        self._list("providers", {"deployments": provider_facts(self.airflow.providers(), self.teller)})
        self._list(
            "dag_warnings", {"deployments": dag_warning_facts(self.airflow.dag_warnings(), self.teller)}
        )
        dags = list(self.airflow.dags())
        self._list("parse_samples", {"parse_samples": parse_rows(dags, self.teller)})
        self._list("dag_limits", {"deployments": dag_limit_facts(dags, self.teller)})
        self._list("dag_owners", {"deployments": dag_owner_facts(dags, self.teller)})
        self._list("dag_states", {"deployments": dag_state_facts(dags, self.teller)})
        self._list("dag_alerts", {"deployments": self._alert_facts()})
        # it moves with each run: only the newest list is kept
        told = self._teller(f"{self.airflow.address}/dag_next_runs")
        self._list("dag_next_runs", {"deployments": next_run_facts(dags, told)})
        self._list(
            "import_errors",
            {"import_errors": _rows(self.airflow.import_errors(), import_error_row, self.teller)},
        )
        self._series("events", self._events, window=None)
        self._series("dag_runs", self._runs, window=self.airflow.window)
        self._series("task_instances", self._ended_tries, window=self.airflow.window)
        self._list("open_tries", self._open_tries())
        self._makeups(dags, versions)
        self._list("pools", {"pool_samples": _rows(pools, pool_row, self.teller)})
        self.writer.checkpoint()
        if self.airflow.gaps:
            self._list("gaps", {"deployments": self._gap_facts()})
            self.writer.checkpoint()
        self.summary.gaps += [(self.airflow.address, gap.sentence()) for gap in self.airflow.gaps]
        self.summary.requests += self.airflow.requests

    def _teller(self, object_url: str) -> Teller:
        return Teller(self.airflow.source, object_url, self.airflow.version, self.now)

    def _gap_facts(self) -> list[Row]:
        """One row that names them all, and one each that says what it takes and what is lost."""
        key, gaps = f"{self.airflow.source}.missing_permission", self.airflow.gaps
        rows = [fact(f"{key}.{gap.what}", gap.sentence(), self.teller) for gap in gaps]
        return [fact(key, "; ".join(gap.what for gap in gaps), self.teller), *rows]

    def _facts(self, pools: list[Raw]) -> Tables:
        told = self.teller
        rows = [
            fact("airflow.version", self.airflow.version_text, told),
            *setting_facts(self.airflow.settings(), told),
            *health_facts(self.airflow.health(), told),
            *pool_facts(pools, told),
        ]
        return {"deployments": rows}

    def _alert_facts(self) -> list[Row]:
        """What each DAG has to tell of a failure; what could not be read is counted, and named beside missing rights."""
        makeups = Makeups(self.writer, self.airflow.address, self.marks_of_dags, self.teller)
        forms = self.airflow.serialized_dags(MAX_SERIALIZED)
        rows, unread = alert_facts(forms, self.teller, makeups.take_form)
        self.summary.rows += makeups.rows
        if unread:
            why = ", ".join(f"{reason}: {count}" for reason, count in sorted(unread.items()))
            gap = Gap("table serialized_dag", f"DAGs that cannot be read ({why})", LOSES["serialized_dags"])
            self.airflow.gaps.append(gap)
        return rows

    def _makeups(self, dags: list[Raw], versions: list[Raw]) -> None:
        """Details and tasks of those DAGs that need it most, by the API."""
        if not self.in_detail:
            return
        waiting, newest = waiting_of(self.airflow.open_runs(OPEN_RUNS), self.clock), versions_of(versions)
        ids, left = chosen(
            dags,
            self.marks_of_dags,
            versions=newest,
            waiting=waiting,
            now=self.now,
            most=self.in_detail,
        )
        makeups = Makeups(self.writer, self.airflow.address, self.marks_of_dags, self.teller)
        for dag_id, answers in self.airflow.make_up(ids):
            makeups.take_answers(dag_id, answers, newest.get(dag_id, ""))
        self.summary.rows += makeups.rows
        self.summary.dags_left = left + len(ids) - makeups.taken
        told = f"{self.summary.dags_left} of {len(dags)} DAGs, by [sources.airflow_api] dags_in_detail = {self.in_detail} a pull"
        self._list("dags_left", {"deployments": [fact("api.dags_left", told, self.teller)]})

    def _events(self, from_at: datetime, until_at: datetime | None) -> Iterator[tuple[str, Row]]:
        raws = self.airflow.events(tuple(EVENTS), from_at, until_at)
        for table, rows in event_rows(raws, self.teller, tables=TABLES).items():
            for row in rows:
                yield table, row

    def _runs(self, from_at: datetime, until_at: datetime | None) -> Iterator[tuple[str, Row]]:
        for row in _rows_of(self.airflow.runs(from_at, until_at), run_row, self.teller):
            yield "dag_runs", row

    def _ended_tries(self, from_at: datetime, until_at: datetime | None) -> Iterator[tuple[str, Row]]:
        raws = self.airflow.tries(from_at, until_at)
        ended = (raw for raw in raws if raw.get("is_history") or not is_open(raw))
        for row in _rows_of(ended, try_row, self.teller):
            yield "task_instances", row

    def _open_tries(self) -> Tables:
        told = self._teller(f"{self.airflow.address}/open_tries")
        return {"task_instances": _rows(self.airflow.open_tries(OPEN_STATES), try_row, told)}

    def _list(self, what: str, tables: Tables) -> None:
        """A short list, read whole: stored when it differs from the last one, and once a day."""
        tally = Tally()
        for table, rows in sorted(tables.items()):
            for row in rows:
                tally.add(row, without=MOVING.get(table, ()))
        digest = f"{tally.digest()}-{self.now:%Y-%m-%d}"
        self._note(what, tables, digest=digest, is_same=self._known(what)[1] == digest)

    def _series(self, what: str, read: Read, *, window: timedelta | None) -> None:
        """What changed since the mark: in windows, in chunks; the mark moves when its window was read to the end."""
        mark, digest = self._known(what)
        from_at = self.span.since or (mark - OVERLAP if mark else self.span.first_at)
        moves = mark is None or from_at <= mark  # else a gap would be left behind it
        windows = list(windows_of(from_at, self.clock - OVERLAP, self.span.until, window))
        chunks = Chunks()
        whole, last = Tally(), Tally()
        for start, end in windows:
            last = Tally()
            for table, row in read(start, end):
                whole.add(row, without=MOVING.get(table, ()))
                last.add(row, without=MOVING.get(table, ()))
                if chunks.take(table, row):
                    self._add(f"{what}#{chunks.number}", chunks.empty(), "")
            if chunks.rows >= CHECKPOINT_ROWS and end is not None and moves:
                self._add(what, chunks.empty(), etag_of(end, ""))
                self.writer.checkpoint()
                chunks = Chunks()
        self.summary.answers += 1
        is_whole = self.span.since is None and self.span.until is None
        if is_whole and not chunks.number and digest == whole.digest():
            self.summary.unchanged += 1
            return
        if moves:
            until = min(self.clock, self.span.until) if self.span.until else self.clock
            mark = max(mark, until) if mark else until
            digest = last.digest() if self.span.until is None else ""
        self._add(what, chunks.empty(), etag_of(mark, digest))

    def _known(self, what: str) -> tuple[datetime | None, str]:
        return self.marks.get(f"{self.airflow.address}/{what}", (None, ""))

    def _note(self, what: str, tables: Tables, *, digest: str, is_same: bool) -> None:
        self.summary.answers += 1
        if is_same:
            self.summary.unchanged += 1
        else:
            self._add(what, tables, etag_of(self.clock, digest))

    def _add(self, what: str, tables: Tables, etag: str) -> None:
        """Rows and their ledger row, whose address (`<source>/<what>`) no row carries that is to stay."""
        url = f"{self.airflow.address}/{what}"
        obj = SourceObject(url=url, path=what, size=0, modified_at=self.now, etag=etag)
        self.writer.add(
            obj, Parsed(self.airflow.source, tables), kind=self.airflow.source, parser_version=PARSER_VERSION
        )
        self.summary.rows += sum(map(len, tables.values()))


def _rows_of(
    raws: Iterable[Raw], to_row: Callable[[Raw, Teller], Row | None], teller: Teller
) -> Iterator[Row]:
    for raw in raws:
        if (row := to_row(raw, teller)) is not None:
            yield row


def _rows(raws: Iterable[Raw], to_row: Callable[[Raw, Teller], Row | None], teller: Teller) -> list[Row]:
    return list(_rows_of(raws, to_row, teller))
