"""Whole quiet weeks through every question and every rule: `python -m benchmarks.judging.quiet [--seeds 20] [--seed 0]`.

Nine weeks of a healthy fleet in which nothing changes (`quiet_fleet` and the modules beside it): runs that fail now and then
in heaps, retries, workers and pods, sensors and deferrals, releases every other day, manual runs, backfills and clears, parses,
heartbeats, gauges, settings, and one of each trouble that comes singly. Whatever a rule says of the last week as a warning is a
false alarm; the promise is one week in twenty.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.judging import quiet_ends, quiet_facts, quiet_strays
from benchmarks.judging.quiet_fleet import SHAPED, WEEK, Fleet, Rows, grow, ordinary_dags
from windsock import config as configs
from windsock import pipeline
from windsock.findings import RULES
from windsock.model import Answer, Finding, Judgement
from windsock.output import Output
from windsock.schema import TABLES

PIPELINE = """[deployment]
name = "prod"
[sources.task_logs]
url = "s3://b"
[lake]
url = "lake"
"""
_TYPES: dict[str, type[pl.DataType] | pl.DataType] = {"int32": pl.Int32, "int64": pl.Int64, "double": pl.Float64, "string": pl.String, "list<string>": pl.List(pl.String),
          "timestamp[us, UTC]": pl.Datetime("us", "UTC")}  # fmt: skip


@dataclass(frozen=True, slots=True)
class QuietWeek:
    """What was asked of the last week, and what was said."""

    judgement: Judgement
    answers: Mapping[str, Answer]
    checks: int

    def rows(self, code: str) -> dict[str, int]:
        """How many rows each question of a rule gave."""
        (rule,) = (one for one in RULES if one.code == code)
        return {name: len(self.answers[name].rows) for name in rule.questions if name in self.answers}


def quiet_fleet(seed: int, *, dags: int = 30) -> dict[str, Rows]:
    """Rows of nine weeks by table of the lake."""
    fleet = Fleet(np.random.default_rng(seed))
    all_dags = [*ordinary_dags(fleet.rng, dags), *SHAPED]
    grow(fleet, all_dags)
    quiet_facts.tell(fleet, all_dags)
    quiet_facts.start_components(fleet)
    named = {dag.dag_id: dag for dag in all_dags}
    quiet_strays.stray(fleet, named)
    quiet_ends.end(fleet, named)
    return fleet.tables


def judge_week(folder: Path, tables: dict[str, Rows]) -> QuietWeek:
    """Write the rows as a lake below `folder`; check, ask and judge its last week as `windsock report` does."""
    for name, rows in tables.items():
        _write(folder / "lake" / name, name, rows)
    path = folder / "prod.toml"
    path.write_text(PIPELINE)
    config = configs.load(path, {})
    judgement, shown, trust = pipeline.judge_week(config, week=WEEK, output=Output(level=0))
    return QuietWeek(judgement, shown.answers, trust["checks"])


def _write(folder: Path, name: str, rows: Rows) -> None:
    table = TABLES[name]
    schema = {one: _TYPES[kind] for one, kind in table.columns.items() if kind in _TYPES}
    frame = pl.DataFrame([{one: row.get(one) for one in schema} for row in rows], schema=schema)
    frame = frame.with_columns(pl.col(table.anchor).dt.truncate("1w").dt.date().alias("week"))
    for (week,), part in frame.group_by("week"):
        target = folder / f"week={week}"
        target.mkdir(parents=True, exist_ok=True)
        part.drop("week").write_parquet(target / "x.parquet")


def loud(findings: Sequence[Finding]) -> list[str]:
    """What a reader would be warned of."""
    return [f"{one.code} {one.headline}" for one in findings if one.severity in ("warning", "critical")]


def main() -> int:
    """Print what was said of each week, and what each rule had to judge; exit status 1 when more than one in twenty warned."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.judging.quiet", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="first seed")
    parser.add_argument(
        "--rules", action="store_true", help="print what each rule had to judge in the last of the weeks"
    )
    given = parser.parse_args()
    warned, told, judged = 0, 0, set[str]()
    for seed in range(given.seed, given.seed + given.seeds):
        with tempfile.TemporaryDirectory() as folder:
            week = judge_week(Path(folder), quiet_fleet(seed))
        findings = week.judgement.findings
        said = loud(findings)
        quiet = sorted({one.code for one in findings if one.severity not in ("warning", "critical")})
        judged |= {rule.code for rule in RULES if had_something(week, rule.code)}
        warned, told = warned + bool(said), told + bool(findings)
        below = f" (below a warning: {', '.join(quiet)})" if quiet else ""
        print(f"seed {seed}: {'; '.join(said) or 'no warning'}{below}", flush=True)
    if given.rules:
        for code in sorted(rule.code for rule in RULES):
            made = week.judgement
            print(
                f"{code}: judged {made.judged[code]}, too little {made.not_enough[code]}, rows {week.rows(code)}"
            )
    nothing = sorted({rule.code for rule in RULES} - judged)
    print(
        f"{warned} of {given.seeds} quiet weeks with a warning, {told} with anything at all; {len(judged)} of {len(RULES)} rules had "
        f"something to judge, not {', '.join(nothing) or 'none'}"
    )
    return int(warned * 20 > given.seeds)


def had_something(week: QuietWeek, code: str) -> bool:
    """Whether a rule weighed anything, if only to say that it is too little."""
    return bool(week.judgement.judged[code] or week.judgement.not_enough[code])


if __name__ == "__main__":
    sys.exit(main())
