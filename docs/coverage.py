"""The operations guide row by row, with what answers each: `docs/coverage.toml` as a page and as data for its test."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from windsock import resources
from windsock.findings import RULES
from windsock.questions import load_questions

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that operators check. `unknown`: what cannot be known, and what would be needed."""

    item: str
    answers: tuple[str, ...]
    told: str
    unknown: str


def load_coverage() -> dict[str, tuple[Row, ...]]:
    """Rows by section of the guide, in its order."""
    told = tomllib.loads((HERE / "coverage.toml").read_text(encoding="utf-8"))
    return {
        section: tuple(
            Row(one["item"], tuple(one["answers"]), one.get("told", ""), one.get("unknown", ""))
            for one in table["rows"]
        )
        for section, table in told.items()
    }


@cache
def _questions() -> frozenset[str]:
    return frozenset(load_questions(resources.folder("sql")))


def unnamed(coverage: Mapping[str, Iterable[Row]]) -> tuple[list[str], list[str]]:
    """Rules and questions that answer to no row of the guide: they are told apart, so that every one is named."""
    named = {name for rows in coverage.values() for row in rows for name in row.answers}
    rules = [rule.code for rule in RULES if rule.code not in named]
    return rules, sorted(_questions() - named)


def coverage_page(made: str) -> str:
    """A table for each section, then what answers to no row."""
    coverage = load_coverage()
    parts = [
        made,
        "# What is covered\n",
        "What operators of Airflow check by hand, as the operations guide lists it, and what answers it here: a finding, a "
        "question (`windsock ask NAME`), a command; or why it cannot be known, and what would be needed. Made of "
        "`docs/coverage.toml`.\n",
    ]
    for section, rows in coverage.items():
        parts.append(
            f"## {section}\n\n| what is checked | answered by | what cannot be known, and what it would need |\n|---|---|---|"
        )
        parts.extend(f"| {row.item} | {_answered(row)} | {row.unknown} |" for row in rows)
        parts.append("")
    rules, questions = unnamed(coverage)
    parts.append("## Beside the guide\n\nWhat answers to no row of it.\n")
    parts.append(f"Findings: {', '.join(map(_link, rules)) or 'none'}.\n")
    parts.append(f"Questions: {', '.join(map(_link, questions)) or 'none'}.\n")
    return "\n".join(parts)


def _answered(row: Row) -> str:
    names = ", ".join(map(_link, row.answers))
    return "; ".join(part for part in (names, row.told) if part)


def _link(name: str) -> str:
    """Findings and questions lead to their reference."""
    for rule in RULES:
        if rule.code == name:
            return f"[{name}](findings.md#{name.lower()}-{rule.name.replace(' ', '-')})"
    if name.startswith("windsock "):
        return f"`{name}`"
    return f"[`{name}`](questions.md#{name})" if name in _questions() else f"`{name}`"
