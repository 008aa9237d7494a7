"""`docs/coverage.toml`: every row of the operations guide is answered, or says why not; every name in it exists."""

import re
from pathlib import Path

import typer.main
from docs.coverage import coverage_page, load_coverage, unnamed

from windsock.cli import app
from windsock.findings import RULES
from windsock.made_answers import ASKED
from windsock.questions import load_questions

ROOT = Path(__file__).parents[1]
COVERAGE = load_coverage()
NAMED = {name for rows in COVERAGE.values() for row in rows for name in row.answers}
QUESTIONS = load_questions(ROOT / "sql")
MADE_OF_SEVERAL = set(ASKED)  # answers that no SQL gives alone
ROWS = {"2a": 9, "2b": 9, "2c": 12, "2d": 10, "2e": 7, "2f": 19, "2g": 13, "2h": 7}
"""Rows of the guide's sections; the guide's own 2b lists eight, and what holds is one more."""


def commands() -> set[str]:
    """Every command with its subcommands, as one types it."""
    found: set[str] = set()

    def walk(name: str, one: object) -> None:
        for child, below in getattr(one, "commands", {}).items():
            found.add(f"{name} {child}")
            walk(f"{name} {child}", below)

    walk("windsock", typer.main.get_command(app))
    return found


def test_every_row_of_the_guide_is_there_and_is_answered_or_says_why_not() -> None:
    assert {section.partition(" ")[0]: len(rows) for section, rows in COVERAGE.items()} == ROWS
    for rows in COVERAGE.values():
        items = [row.item for row in rows]
        assert len(set(items)) == len(items)
        for row in rows:
            assert row.answers or len(row.unknown) > 40, f"{row.item}: neither answered nor said why not"


def test_every_name_exists() -> None:
    codes = {rule.code for rule in RULES}
    for name in NAMED:
        if re.fullmatch(r"WS\d{3}", name):
            assert name in codes, f"{name} is no rule"
        elif name.startswith("windsock "):
            assert name in commands(), f"{name} is no command"
        else:
            assert name in QUESTIONS or name in MADE_OF_SEVERAL, f"{name} is no question"


def test_every_rule_and_every_question_is_named() -> None:
    """In a row, or at the page's end among those that answer to none."""
    page = (ROOT / "docs" / "coverage.md").read_text()
    rules, questions = unnamed(COVERAGE)
    assert {rule.code for rule in RULES} == (NAMED & {rule.code for rule in RULES}) | set(rules)
    for name in (*(rule.code for rule in RULES), *QUESTIONS):
        assert re.search(rf"[\[`]{name}[\]`]", page), f"{name} stands nowhere; run `make docs`"
    # most answer to something that operators are known to look for
    assert len(rules) <= len(RULES) / 6
    assert len(questions) <= len(QUESTIONS) / 4


def test_links_lead_to_a_heading() -> None:
    headings = {
        name: {
            re.sub(r"[^\w -]", "", line[3:].strip().lower()).replace(" ", "-")
            for line in (ROOT / "docs" / name).read_text().splitlines()
            if line.startswith("## ")
        }
        for name in ("findings.md", "questions.md")
    }
    links = re.findall(r"\]\((\w+\.md)#([\w-]+)\)", coverage_page(""))
    assert len(links) > 100
    assert [one for one in links if one[1] not in headings[one[0]]] == []
