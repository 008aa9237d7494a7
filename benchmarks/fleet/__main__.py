"""Write a fleet: `python -m benchmarks.fleet --help`."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import date
from pathlib import Path

from benchmarks.fleet.faults import DEFAULT
from benchmarks.fleet.generate import Fleet, write


def _readme(fleet: Fleet) -> str:
    """The planted faults, one by one."""
    lines = [
        "# Planted faults",
        "",
        "Written by `python -m benchmarks.fleet`; `faults.json` holds the same for machines.",
        "",
    ]
    lines += ["| fault | finding | subject | what happens |", "|---|---|---|---|"]
    lines += [f"| {one.kind} | {one.code} | `{one.subject}` | {one.says} |" for one in fleet.faults]
    lines += ["", f"They show in the last week ({fleet.last_week}); the pools were too small and the setting without effect in all weeks, and the recovered DAG failed until then. Besides: `customer_churn` has a backfill with failures,",
              "and several DAGs have tries that a retry saves. Neither is a finding. The scheduler's log is that of Airflow 2 in the last week."]  # fmt: skip
    return "\n".join(lines) + "\n"


def main() -> int:
    """Parse the arguments and write the tree."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    parser.add_argument(
        "--weeks", type=int, default=8, help="weeks of history, the last one included (default 8)"
    )
    parser.add_argument(
        "--last-week", type=date.fromisoformat, default=date(2026, 11, 16), help="Monday of the last week"
    )
    parser.add_argument("--dags", type=int, default=24, help="DAGs, those with faults included (default 24)")
    parser.add_argument("--seed", type=int, default=7, help="same seed, same bytes (default 7)")
    parser.add_argument("--faults", default="default", help="default, none, or a comma-separated list of kinds: "
                        + ", ".join(one.kind for one in DEFAULT))  # fmt: skip
    given = parser.parse_args()
    kinds = (
        {one.kind for one in DEFAULT}
        if given.faults == "default"
        else set(given.faults.split(",")) - {"none", ""}
    )
    unknown = kinds - {one.kind for one in DEFAULT}
    if unknown:
        parser.error(f"unknown faults: {', '.join(sorted(unknown))}")
    faults = tuple(one for one in DEFAULT if one.kind in kinds)
    fleet = Fleet(
        weeks=given.weeks, last_week=given.last_week, dags=given.dags, seed=given.seed, faults=faults
    )
    objects, size = write(fleet, given.out)
    (given.out / "faults.json").write_text(json.dumps([one.plain() for one in faults], indent=1) + "\n")
    (given.out / "README.md").write_text(_readme(fleet))
    print(f"{objects} objects, {size / 1e6:.1f} MB in {given.out}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
