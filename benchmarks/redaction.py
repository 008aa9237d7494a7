"""`python -m benchmarks.redaction`: how many labelled secrets stay, how many ordinary lines are touched, what it costs.

The patterns were made with the labelled lines in view, so their miss rate there is a floor. The same lines as they come
out of JSON, out of JSON within JSON, out of Python's `repr` and behind an exception's name were not; their rates say more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import yaml

from benchmarks.reading import corpus
from benchmarks.timing import interleaved
from windsock.redaction import redact
from windsock.redaction.bulk import redact_column, suspects

DATA = Path(__file__).parents[1] / "tests/redaction"
FORMS: dict[str, Callable[[str], str]] = {
    "as labelled": lambda text: text,
    "in a JSON record": lambda text: json.dumps({"event": text}),
    "in JSON in JSON": lambda text: json.dumps({"log": json.dumps({"event": text})}),
    "in a Python repr": lambda text: f"args=({text!r},)",
    "behind an exception": lambda text: f"airflow.exceptions.AirflowException: {text}",
    "within a sentence": lambda text: f"2026-11-24T10:00:00 job 7 said {text} and went on",
}


def labelled() -> Iterator[tuple[str, str, str]]:
    """(kind, secret, line) for every spelling in the file."""
    for kind, groups in yaml.safe_load((DATA / "secrets.yaml").read_text()).items():
        for group in groups:
            for line in group["lines"]:
                yield kind, group["secret"], line.replace("{}", group["secret"])


def real_lines() -> list[str]:
    """Every line of the real logs in data/sample, as stored."""
    return [
        line.decode("utf-8", "replace")
        for dialect in ("airflow3", "airflow2")
        for one in corpus.real(dialect).objects
        for line in one.data.split(b"\n")
        if line
    ]


def main() -> None:
    """Print the tables."""
    secrets = list(labelled())
    ordinary: list[str] = yaml.safe_load((DATA / "ordinary.yaml").read_text())
    print(f"{len(secrets)} labelled lines with a secret, {len(ordinary)} tempting lines without")
    print("| form | secrets missed | tempting lines hit |\n|---|---|---|")
    missed_lines = []
    for name, form in FORMS.items():
        missed = [line for _, secret, line in secrets if secret in redact(form(line))]
        hit = [line for line in ordinary if redact(form(line)) != form(line)]
        missed_lines += [f"{name}: {line}" for line in missed]
        print(f"| {name} | {rate(len(missed), len(secrets))} | {rate(len(hit), len(ordinary))} |")
    lines = real_lines()
    changed = {line: redact(line) for line in set(lines) if redact(line) != line}
    print(
        f"\nreal lines of data/sample: {len(changed)} of {len(set(lines))} distinct ones changed; each is shown"
    )
    for done in changed.values():
        at = done.find("***")
        print(f"    …{done[max(0, at - 70) : at + 40]}…")
    cost(lines)
    print("\nmissed:", *missed_lines, sep="\n    ")


def cost(lines: list[str]) -> None:
    """CPU time over the real lines, a hundred times over."""
    column = pa.array(lines * 20)
    size = sum(len(line) for line in lines) * 20 / 1e6
    works: dict[str, Callable[[], object]] = {
        "line by line": lambda: [redact(line) for line in lines * 20],
        "as a column": lambda: redact_column(column),
    }
    share = suspects(column).true_count / len(column)
    print(
        f"\n{size:.0f} MB of real lines ({share:.1%} hold an anchor)\n| how | MB per CPU second | ns per line |\n|---|---|---|"
    )
    for name, timing in interleaved(works, rounds=3).items():
        print(f"| {name} | {size / timing.middle:,.0f} | {timing.middle / len(column) * 1e9:,.0f} |")


def rate(count: int, total: int) -> str:
    """`3 (1.2 %)`."""
    return f"{count} ({count / total:.1%})"


if __name__ == "__main__":
    main()
