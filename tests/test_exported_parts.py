"""Logs that an export of CloudWatch cut in numbered parts: one log, wherever the cuts lie and whenever the parts come."""

import gzip
import os
import random
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.lakes import dump, rows_of
from tests.support.object_server import Fault, ObjectServer, Request
from windsock import config as configs
from windsock import pipeline
from windsock.compare import compare
from windsock.model import Outcome, Parsed, Reject, Row
from windsock.output import Output
from windsock.parse.plain import joined
from windsock.pull.logs import MISSING_TOLD, read_objects
from windsock.pull.summary import PullSummary
from windsock.single_logs import parse_files
from windsock.sources.fetch import fetch_or_stream
from windsock.sources.listing import Listing
from windsock.store import Storage, open_store, remote
from windsock.store.local import LocalStore
from windsock.week import Week

os.environ |= {
    "AWS_ACCESS_KEY_ID": "fake",
    "AWS_SECRET_ACCESS_KEY": "fake",
    "AWS_EC2_METADATA_DISABLED": "true",
}
ROOT = Path(__file__).parents[1]
CORPORA = Path(os.environ.get("WINDSOCK_CORPORA", ROOT.parent / "shared" / "corpora"))
NOW = datetime(2026, 11, 30, 6, tzinfo=UTC)
AT = datetime(2026, 11, 23, 18, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
QUIET = Output(level=0)
STREAM = "dag_id=d-run_id=scheduled__2026-11-23T00_00_00+00_00-task_id=t-attempt=1.log"
LINE = b"[2026-11-23T15:22:59.673+0000] {user.py:12} INFO - batch loaded\n"
FAILED = (
    b"[2026-11-23T15:23:00.000+0000] {taskinstance.py:1} INFO - Marking task as FAILED. dag_id=d, task_id=t\n"
)
PARTS = (LINE * 30 + LINE[:20], LINE[20:] + LINE * 40, LINE * 20 + FAILED)


def put(folder: Path, number: int, text: bytes, *, at: datetime = AT) -> Path:
    path = folder / f"{number:06d}.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text))
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def cuts(text: bytes, count: int, dice: random.Random) -> list[bytes]:
    places = [0, *sorted(dice.randrange(len(text) + 1) for _ in range(count - 1)), len(text)]
    return [text[start:stop] for start, stop in pairwise(places)]


def config_of(folder: Path, logs: str, *, name: str = "lake", more: str = "") -> configs.Config:
    path = folder / f"{name}.toml"
    path.write_text(
        f"[deployment]\nname='prod'\n[sources.task_logs]\nurl='{logs}'\n[lake]\nurl='{folder / name}'\n{more}"
    )
    return configs.load(path, {})


def pull(config: configs.Config, **options: object) -> PullSummary:
    return pipeline.pull(config, now=NOW, week=Week.parse("2026-W48"), output=QUIET, **options)  # type: ignore[arg-type]


def read(logs: Path, config: configs.Config) -> dict[str, Outcome]:
    """By stream, what a pull makes of it."""
    store = open_store(str(logs))
    fetched = fetch_or_stream(store, Listing(store), kind="task_logs", stream_from=8 << 20)
    return {obj.path.split("/")[0]: outcome for obj, outcome in read_objects(config, "task_logs", fetched)}


def told(outcome: Outcome) -> object:
    """All but where the bytes lay."""
    assert isinstance(outcome, Parsed), outcome
    own = ("object_etag", "log_bytes", "object_modified_at")
    rows = {
        name: [{column: value for column, value in row.items() if column not in own} for row in rows]
        for name, rows in outcome.rows.items()
    }
    slices = [
        one.table.slice(one.start, len(one)).to_pylist() for one in outcome.columns.get("log_events", ())
    ]
    return outcome.partial, rows, [row for rows in slices for row in rows]


def real_logs() -> list[Path]:
    """Each fourth log of the sample, and the longest ones of the corpora, where these are beside this checkout."""
    found = sorted((ROOT / "data/sample/real").rglob("attempt=*.log"))[::4]
    if CORPORA.is_dir():
        found += sorted(CORPORA.rglob("dag_id=*/**/attempt=*.log"), key=lambda one: -one.stat().st_size)[:6]
    return found


@pytest.mark.parametrize("lines", ["errors", "all"])
def test_a_log_in_parts_says_what_the_whole_log_says(tmp_path: Path, lines: str) -> None:
    """Real logs, cut anywhere: in lines, in tracebacks, in characters; parts may be empty."""
    dice = random.Random(470)
    sources = f"[sources.task_logs]\nurl='x'\nlines='{lines}'\n"
    home = tmp_path / "w.toml"
    home.write_text(f"[deployment]\nname='prod'\n{sources}")
    config = configs.load(home, {})
    for number, path in enumerate(real_logs()):
        text = path.read_bytes()
        if "airflow2" in str(path) and number % 2:  # as CloudWatch stamps each record
            text = re.sub(rb"(?m)^\[([^+\]]+)\+0000\]", rb"\1Z \g<0>", text)
        stream = f"dag_id=d{number}-run_id=manual__1-task_id=t-attempt=1.log"
        put(tmp_path / "whole" / stream, 0, text)
        for part, piece in enumerate(cuts(text, dice.randint(2, 7), dice)):
            put(tmp_path / "parts" / stream, part, piece)
    whole, parts = (read(tmp_path / name, config) for name in ("whole", "parts"))
    assert whole.keys() == parts.keys()
    for stream, outcome in whole.items():
        here = told(parts[stream])
        assert str(here).replace("/parts/", "/whole/") == str(told(outcome)), stream
    assert len(whole) > 30


def test_a_long_log_in_parts_is_read_in_bounded_pieces_as_the_whole_is(tmp_path: Path) -> None:
    """Above 8 MB a log is never held: its pieces go over the borders of its parts."""
    text = LINE * 150_000 + FAILED
    put(tmp_path / "whole" / STREAM, 0, text)
    for part, piece in enumerate(cuts(text, 5, random.Random(3))):
        put(tmp_path / "parts" / STREAM, part, piece)
    config = config_of(tmp_path, "x")
    whole, parts = (read(tmp_path / name, config)[STREAM] for name in ("whole", "parts"))
    assert str(told(parts)).replace("/parts/", "/whole/") == str(told(whole))
    assert isinstance(parts, Parsed)
    (row,) = parts.rows["task_logs"]
    assert (row["state"], row["record_count"], row["read_path"]) == ("failed", 150_001, "fast")


def logs_of(config: configs.Config) -> list[tuple[object, ...]]:
    sql = "select state, record_count, log_bytes, object_url from task_logs order by all"
    found = pipeline.ask(config, question="", sql=sql, week=Week.parse("2026-W48")).rows
    return [tuple(row.values()) for row in found]


def ledger_of(lake: Path) -> list[Row]:
    columns = ("object_url", "etag", "size", "modified_at", "kind", "outcome", "rows", "reject_reason")
    return [dict(zip(columns, row, strict=False)) for row in rows_of(lake, "objects")]


def test_a_part_that_comes_later_makes_the_whole_log_be_read_again(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    config = config_of(tmp_path, str(logs))
    first = put(logs / STREAM, 0, PARTS[0])
    assert pull(config).read == 1
    assert [row[1] for row in logs_of(config)] == [30]
    put(logs / STREAM, 1, PARTS[1], at=LATER)
    again = pull(config)
    assert (again.listed, again.read, again.rejected) == (1, 1, 0)
    last = put(logs / STREAM, 2, PARTS[2], at=LATER)
    assert pull(config).read == 1
    size = sum(one.stat().st_size for one in first.parent.iterdir())
    url = str(first)
    assert logs_of(config) == [("failed", 92, size, url)], "one attempt, one row, whatever came when"
    (row,) = ledger_of(tmp_path / "lake")
    assert (row["object_url"], row["size"], row["outcome"], row["modified_at"]) == (
        url,
        size,
        "parsed",
        LATER,
    )
    assert pull(config).skipped == 1, "nothing new, nothing read"
    put(last.parent, 2, PARTS[2] + LINE, at=LATER)
    assert pull(config).read == 1, "a part that changed is as good as a new one"
    fresh = config_of(tmp_path, str(logs), name="fresh")
    pull(fresh)
    assert dump(tmp_path / "lake") == dump(tmp_path / "fresh")


def test_parts_of_which_some_are_older_than_what_is_asked_for_are_read_together(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    for number, text in enumerate(PARTS):
        put(logs / STREAM, number, text, at=AT if number == 0 else LATER)
    config = config_of(tmp_path, str(logs))
    pull(config, until=LATER)
    assert logs_of(config) == [], "it ends later than that"
    pull(config, since=LATER)
    assert [row[:2] for row in logs_of(config)] == [("failed", 92)]


def test_shards_read_the_parts_of_their_own_dags(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    for dag in range(6):
        for number, text in enumerate(PARTS):
            put(logs / STREAM.replace("=d-", f"=d{dag}-"), number, text)
    sharded = config_of(tmp_path, str(logs), name="sharded", more="shards=3\n")
    summaries = [pull(sharded, shard=(index, 3)) for index in range(3)]
    assert sum(one.read for one in summaries) == 6
    assert sorted(one.read for one in summaries)[-1] < 6, "more than one of them had work"
    whole = config_of(tmp_path, str(logs), name="whole")
    pull(whole)
    assert logs_of(sharded) == logs_of(whole)
    assert len(logs_of(whole)) == 6


def test_a_pull_that_breaks_off_anywhere_is_made_good_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The part that moves the log's ledger row into another week comes with the pull that breaks."""
    logs, put_file = tmp_path / "logs", LocalStore.put_file
    for step in range(1, 9):
        config = config_of(tmp_path, str(logs), name=f"lake{step}")
        put(logs / STREAM, 0, PARTS[0])
        for number in (1, 2):
            (logs / STREAM / f"{number:06d}.gz").unlink(missing_ok=True)
        pull(config)
        for number in (1, 2):
            put(logs / STREAM, number, PARTS[number], at=AT + timedelta(days=6, hours=number))
        left = step

        def fail(*args: object, **options: object) -> None:
            nonlocal left
            left -= 1
            if not left:
                raise KeyboardInterrupt
            put_file(*args, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(LocalStore, "put_file", fail)
        is_broken = True
        try:
            pull(config)
            is_broken = False
        except KeyboardInterrupt:
            pass
        monkeypatch.setattr(LocalStore, "put_file", put_file)
        pull(config)
        assert [row[:2] for row in logs_of(config)] == [("failed", 92)]
        fresh = config_of(tmp_path, str(logs), name=f"fresh{step}")
        pull(fresh)
        assert dump(tmp_path / f"lake{step}") == dump(tmp_path / f"fresh{step}")
        if not is_broken:
            assert step > 3, "it was broken off at more than one place"
            return
    pytest.fail("a pull of one log publishes fewer files")


def test_a_missing_part_is_told_and_made_good_when_it_comes(tmp_path: Path) -> None:
    logs, config = tmp_path / "logs", config_of(tmp_path, str(tmp_path / "logs"))
    for number in (0, 2):
        put(logs / STREAM, number, PARTS[number])
    pull(config)
    assert [row[:2] for row in logs_of(config)] == [("failed", 51)], (
        "30 lines, 20 and the end; the half of a line is none"
    )
    (row,) = ledger_of(tmp_path / "lake")
    assert (row["outcome"], row["reject_reason"]) == ("parsed", MISSING_TOLD)
    put(logs / STREAM, 1, PARTS[1])
    pull(config)
    assert [row[:2] for row in logs_of(config)] == [("failed", 92)]
    (row,) = ledger_of(tmp_path / "lake")
    assert (row["outcome"], row["reject_reason"]) == ("parsed", None)


def test_without_its_first_part_a_log_is_a_counted_reject(tmp_path: Path) -> None:
    logs, config = tmp_path / "logs", config_of(tmp_path, str(tmp_path / "logs"))
    for number in (1, 2):
        put(logs / STREAM, number, PARTS[number])
    summary = pull(config)
    assert (summary.read, summary.rejected, summary.reasons["missing_part"]) == (0, 1, 1)
    (row,) = ledger_of(tmp_path / "lake")
    assert (row["outcome"], row["reject_reason"]) == ("reject", "missing_part")
    put(logs / STREAM, 0, PARTS[0])
    assert pull(config).read == 1
    (row,) = ledger_of(tmp_path / "lake")
    assert row["outcome"] == "parsed", "the reject is made good, not kept beside it"


@pytest.mark.parametrize("gone", [(0,), (1,), (2,), (0, 1), (1, 2)])
def test_parts_that_a_rule_of_the_bucket_removes_take_nothing_out_of_the_lake(
    tmp_path: Path, gone: Sequence[int]
) -> None:
    logs, config = tmp_path / "logs", config_of(tmp_path, str(tmp_path / "logs"))
    for number, text in enumerate(PARTS):
        put(logs / STREAM, number, text, at=AT + timedelta(minutes=number))
    pull(config)
    before = dump(tmp_path / "lake")
    for number in gone:
        (logs / STREAM / f"{number:06d}.gz").unlink()
    pull(config)
    assert dump(tmp_path / "lake") == before


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectServer]:
    monkeypatch.setattr(remote, "CHUNK_BYTES", 50)
    with ObjectServer() as server:
        for number, text in enumerate(PARTS):
            server.put("logs", f"prod/7a-1b/{STREAM}/{number:06d}.gz", gzip.compress(text), modified_at=AT)
        yield server


def test_parts_in_a_bucket_that_change_while_they_are_read(server: ObjectServer, tmp_path: Path) -> None:
    """A further part, a changed one and one that is gone, each between the listing and the last byte."""
    config = config_of(tmp_path, "x")
    store = open_store("s3://logs/prod", Storage(s3_endpoint_url=server.url))
    (obj,) = Listing(store)
    assert obj.parts == 3
    folder = f"prod/7a-1b/{STREAM}"

    def outcome() -> Outcome:
        fetched = fetch_or_stream(store, [obj], kind="task_logs", stream_from=1 << 20)
        ((_obj, outcome),) = read_objects(config, "task_logs", fetched)
        return outcome

    server.put("logs", f"{folder}/000003.gz", gzip.compress(LINE), modified_at=LATER)
    grown = outcome()
    assert isinstance(grown, Parsed)
    assert grown.rows["task_logs"][0]["record_count"] == 93
    assert grown.rows["task_logs"][0]["object_etag"] != obj.etag
    count = 0

    def change(one: Request) -> Fault | None:
        nonlocal count
        count += one.key.endswith("000001.gz")
        if count == 2:
            count += 1
            server.put("logs", f"{folder}/000001.gz", gzip.compress(LINE * 999), modified_at=LATER)
        return None

    server.on_request = change
    changed = outcome()
    assert isinstance(changed, Parsed)
    assert changed.rows["task_logs"][0]["record_count"] > 999
    server.on_request = lambda _one: None
    for number in (2, 3):
        server.delete("logs", f"{folder}/{number:06d}.gz")
    gone = outcome()
    assert isinstance(gone, Reject)
    assert gone.reason == "vanished"
    server.on_request = lambda one: Fault("status", 403, "AccessDenied") if one.is_listing else None
    closed = outcome()
    assert isinstance(closed, Reject)
    assert closed.reason == "store_error"


def test_an_attempt_that_two_exports_divide_begins_with_the_first_and_ends_with_the_second(
    tmp_path: Path,
) -> None:
    """Each day is exported by a task of its own, and the attempt runs over midnight."""
    logs, config = tmp_path / "logs", config_of(tmp_path, str(tmp_path / "logs"))
    put(logs / "day1" / STREAM, 0, LINE)
    put(logs / "day2" / STREAM, 0, LINE.replace(b"15:22:59.673", b"15:22:59.999") + FAILED, at=LATER)
    other = STREAM.replace("=d-", "=other-")
    put(logs / "day2" / other, 0, LINE + FAILED.replace(b"=d,", b"=other,"))
    pull(config)
    sql = "select dag_id, state, started_at, duration_s from task_tries order by all"
    rows = pipeline.ask(config, question="", sql=sql, week=Week.parse("2026-W48")).rows
    began = datetime(2026, 11, 23, 15, 22, 59, 673_000, tzinfo=UTC)
    assert [tuple(row.values()) for row in rows] == [
        ("d", "failed", began, pytest.approx(0.327)),
        ("other", "failed", began, pytest.approx(0.327)),
    ]


def test_a_broken_part_is_a_counted_reject(tmp_path: Path) -> None:
    logs, config = tmp_path / "logs", config_of(tmp_path, str(tmp_path / "logs"))
    for number, text in enumerate(PARTS):
        path = put(logs / STREAM, number, text)
    path.write_bytes(path.read_bytes()[:12] + b"junk" + path.read_bytes()[16:])
    outcome = read(logs, config)[STREAM]
    assert isinstance(outcome, Reject)
    assert outcome.reason == "bad_gzip"


def test_other_commands_read_all_parts_too(tmp_path: Path) -> None:
    logs, config = tmp_path / "logs", config_of(tmp_path, str(tmp_path / "logs"))
    for number, text in enumerate(PARTS):
        put(logs / STREAM, number, text)
        put(logs / STREAM.replace("00_00_00", "01_00_00"), number, text.replace(b"FAILED", b"SUCCESS"))
    (row, _good) = parse_files([str(logs)])
    assert (row["state"], row["record_count"], row["reject"]) == ("failed", 92, None)
    pull(config)
    failed, good = (
        {"dag_id": "d", "run_id": "r", "task_id": "t", "map_index": -1, "try_number": 1, "object_url": row[3]}
        for row in logs_of(config)
    )
    lines = compare(config, [failed, good]).lines
    assert [(one.sign, "Marking task as" in one.text) for one in lines] == [("+", True), ("-", True)]


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=6), st.data())
def test_parts_are_joined_however_each_is_packed(texts: list[bytes], data: st.DataObject) -> None:
    """Zipped, in several members, with padding behind, or not zipped at all; in chunks of any size."""
    numbers = sorted(data.draw(st.sets(st.integers(0, 9), min_size=len(texts), max_size=len(texts))))
    parts = []
    for number, text in zip(numbers, texts, strict=True):
        half = data.draw(st.integers(0, len(text)))
        forms = [gzip.compress(text) + bytes(8), gzip.compress(text[:half]) + gzip.compress(text[half:])]
        if not text.startswith(b"\x1f\x8b"):
            forms.append(text)
        packed, step = data.draw(st.sampled_from(forms)), data.draw(st.integers(1, 30))
        parts.append((number, [packed[at : at + step] for at in range(0, len(packed), step)]))
    expected = b"".join(
        (b"\n" if number != before + 1 else b"") + text
        for before, (number, text) in zip([-1, *numbers], zip(numbers, texts, strict=True), strict=False)
    )
    assert b"".join(joined(parts, size=1000)) == expected
