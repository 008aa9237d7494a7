"""`python -m benchmarks.reading`: task logs to rows, beside json.loads, a regex per line, DuckDB, Polars and lnav."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import repeat
from unittest.mock import patch

from benchmarks.reading import corpus, peers, records
from benchmarks.reading.corpus import Corpus
from benchmarks.timing import interleaved, peak_mb
from windsock.model import Parsed
from windsock.parse import batch, read_task_log, signing, task_log
from windsock.parse.batch import read_task_logs
from windsock.pull.lean import rare_collections

OWN_WAYS = 3
"""Of windsock's, in each table of task logs; each takes a corpus of its own in each round, the first one included."""


def exact(data: Corpus) -> object:
    """Our own slow path: every record decoded."""
    return [
        read_task_log(one.key, one.data, object_url=one.url, etag=one.etag, modified_at=one.modified_at)
        for one in data.objects
    ]


def unredacted(data: Corpus) -> object:
    """Our own way without a look for secrets: what is missing to the whole is what redaction costs."""
    with (
        patch.object(task_log, "redact", lambda text: text),
        patch.object(signing, "redact", lambda text: text),
        patch.object(batch, "learn", lambda texts: None),
    ):
        return read_task_logs(data.objects)


def whole(data: Corpus) -> object:
    """Our own way."""
    return read_task_logs(data.objects)


def works_of(
    data: Corpus, others: Iterator[Corpus]
) -> tuple[dict[str, Callable[[], object]], Callable[[], None]]:
    """What takes part, and how to tidy up. Our own ways take a further corpus each time, so that nothing that is kept
    from before (the last texts that were redacted, the last tracebacks) knows more of it than of a fleet's next logs."""
    works: dict[str, Callable[[], object]] = {
        "windsock": lambda: whole(next(others)),
        "windsock, redaction left out": lambda: unredacted(next(others)),
        "windsock, exact path": lambda: exact(next(others)),
    }
    disk = peers.OnDisk(data)
    if data.dialect == "airflow2":
        works["regex per line"] = lambda: peers.regex_per_line(data)
    else:
        works["json.loads per line"] = lambda: peers.json_loads(data)
        works["duckdb read_json, 3 columns"] = disk.duckdb
        works["polars scan_ndjson, 3 columns"] = disk.polars
    if run := peers.lnav(disk):
        works["lnav, count by level"] = run
    return works, disk.remove


def report(data: Corpus, *, rounds: int, others: Iterator[Corpus] | None = None) -> None:
    """One table; `others` are corpora like it."""
    paths = Counter(
        row["read_path"]
        for one in read_task_logs(data.objects)
        if isinstance(one, Parsed)
        for row in one.rows["task_logs"]
    )
    works, tidy = works_of(data, others or repeat(data))
    if not any(name.startswith("lnav") for name in works):
        print("\nlnav: not installed")
    told = ", ".join(f"{count} {path}" for path, count in sorted(paths.items()))
    print(f"\n{data.name}: {len(data.objects)} objects, {data.size / 1e6:.1f} MB; paths: {told}")
    table(data, works, rounds=rounds)
    tidy()


def report_records(data: Corpus, *, rounds: int) -> None:
    """One table of what it takes to keep every record."""
    works, tidy = records.works_of(data)
    print(f"\n{data.name}, every record to Parquet: {len(data.objects)} objects, {data.size / 1e6:.1f} MB")
    table(data, works, rounds=rounds)
    tidy()


def table(data: Corpus, works: Mapping[str, Callable[[], object]], *, rounds: int) -> None:
    """Time the works in turn and print them."""
    with rare_collections():  # as in a pull
        timings = interleaved(works, rounds=rounds)
    ours = timings["windsock"].middle
    print("| reader | MB per CPU second | µs per object | times windsock's CPU |")
    print("|---|---|---|---|")
    for name, timing in timings.items():
        each = timing.middle / len(data.objects) * 1e6
        print(
            f"| {name} | {data.size / 1e6 / timing.middle:,.0f} | {each:,.1f} | {timing.middle / ours:.1f} |"
        )


def main() -> None:
    """Parse the arguments and print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reading", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=100, help="size of the large objects together")
    parser.add_argument("--objects", type=int, default=1500, help="how many small objects of each dialect")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    for dialect in ("airflow3", "airflow2"):
        large, real = corpus.large(dialect, megabytes=given.megabytes), corpus.real(dialect)
        small = corpus.varied(real, count=given.objects)
        report(large, rounds=given.rounds)
        seeds = range(12, 12 + OWN_WAYS * (given.rounds + 1))
        others = [corpus.varied(real, count=given.objects, seed=seed) for seed in seeds]
        report(small, rounds=given.rounds, others=iter(others))
        mixed = [corpus.as_in_a_fleet(one) for one in others]  # not while they are timed
        report(corpus.as_in_a_fleet(small), rounds=given.rounds, others=iter(mixed))
        report_records(large, rounds=given.rounds)
        report_records(real, rounds=given.rounds)
    print(f"\npeak resident memory {peak_mb():,.0f} MB")


if __name__ == "__main__":
    main()
