"""Page and mail before the tools that judge them: axe (accessibility), html-validate, caniemail (mail programs)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.environments import packages, run
from tests.report.made import answers, finding, one_of_each, page
from tests.support.browser import Browser, browser, chromium
from windsock.model import NoData
from windsock.report import letter, render_email_html, render_index, write_report

pytestmark = pytest.mark.e2e
PACKAGES = ("axe-core@4.14.1", "html-validate@10.17.0", "caniemail@1.0.5")


@pytest.fixture(scope="module")
def modules() -> Path:
    return packages("pages", *PACKAGES)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every kind of page and mail, with something in each slot."""
    folder = tmp_path_factory.mktemp("pages")
    full, quiet = folder / "full", folder / "quiet"
    url = "https://reports.example.com/prod/2026-W47/report.html"
    owners = {f"dag_{n}": f"team-{n}@example.com" for n in range(12)} | {"orders": "orders@example.com"}

    def change(fields: dict[str, Any]) -> None:
        fields |= {"owner_of": owners, "url": url}

    findings = [*one_of_each(), *(finding(dag_id=f"dag_{n}") for n in range(7))]
    made = page(
        findings,
        given=answers([f"dag_{n}" for n in range(12)]),
        no_data=(NoData("durations", "no task instances"),),
        change=change,
    )
    bodies = [json.loads(write_report(full, made)["report.json"])]
    write_report(quiet, page([]))
    (folder / "owner.html").write_text(render_email_html(letter(bodies, owner="orders@example.com")))
    (folder / "several.html").write_text(render_email_html(letter([*bodies, *bodies])))
    line = {"week": "2026-W47", "verdict": "worse", "verdict_sentence": "Worse: 2 new.", "revised": True}
    (folder / "index.html").write_text(render_index("prod", [line, {**line, "week": "2026-W46"}]))
    return {
        "page": full / "report.html",
        "mail": full / "email.html",
        "quiet page": quiet / "report.html",
        "quiet mail": quiet / "email.html",
        "owner's mail": folder / "owner.html",
        "mail of two": folder / "several.html",
        "list of weeks": folder / "index.html",
    }


KINDS = ("page", "mail", "quiet page", "quiet mail", "owner's mail", "mail of two", "list of weeks")
MAILS = ("mail", "quiet mail", "owner's mail", "mail of two")


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    if chromium() is None:
        pytest.skip("no Chromium on this machine")
    with browser() as made:
        yield made


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [375, 1200])
@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_no_violation(
    modules: Path, pages: Mapping[str, Path], chrome: Browser, kind: str, width: int, dark: bool
) -> None:
    chrome.open(pages[kind], width=width, height=812, dark=dark)
    chrome.run((modules / "axe-core" / "axe.min.js").read_text())
    told = chrome.run(
        "axe.run().then(found => JSON.stringify({passes: found.passes.length, violations: found.violations.map("
        "one => [one.id, one.help, one.nodes.map(node => node.html.slice(0, 200))])}))"
    )
    found = json.loads(told)
    assert found["violations"] == []
    assert found["passes"] > 10, "axe has looked"


@pytest.mark.parametrize("kind", KINDS)
def test_the_html_is_valid(modules: Path, pages: Mapping[str, Path], kind: str, tmp_path: Path) -> None:
    # mail programs keep inlined styles only, and the page's bars have widths of their own
    rules = {"extends": ["html-validate:recommended"], "root": True, "rules": {"no-inline-style": "off"}}
    (tmp_path / "rules.json").write_text(json.dumps(rules))
    tool = str(modules / ".bin" / "html-validate")
    run([tool, "--config", str(tmp_path / "rules.json"), "--max-warnings", "0", str(pages[kind])])


KEPT_INLINE = "every rule is inlined too: what is lost with the sheet is the dark scheme"
ALLOWED: dict[str, str] = {
    "<style> element": KEPT_INLINE,
    "@media": KEPT_INLINE,
    "Type selector": KEPT_INLINE,
    "Class selector": KEPT_INLINE,
    "Chaining selectors": KEPT_INLINE,
    "Descendant combinator": KEPT_INLINE,
    "<body> element": "it becomes a div; face and size stand on the main element as well",
    "height property": "of the scoreboard's bars; where it is dropped the numbers beside them remain",
    "width property": "a column gets as wide as its text",
    "max-width": "the one column fills the window instead of 640 pixels",
    "word-break": "a very long name makes the mail scroll sideways",
    "white-space": "a number and its unit may come on two lines",
    "<code> element": "a command stands in the face of the text",
    "role attribute": "a layout table is announced as a table; its text is read in order all the same",
    "lang attribute": "a screen reader takes its own language",
    "margin": "negative and auto values; the column then starts at the left",
    "padding": "not on divs in Outlook's Word engine; spacing only",
    "background": "images in it, which we have none of; colours work",
    "text-align": "the values start and end, which we do not use",
    "font-size": "unusual units; ours are pixels",
    "font-weight": "numbers; ours is bold",
    "line-height": "unusual units",
    "border": "on elements that are no boxes",
    "border-collapse": "a double line between rows",
}
"""What some mail program lacks and we use all the same, each with what its readers lose. Whatever is not here fails:
pictures by SVG or data:, scripts, forms, flex, grid, positions, variables, web fonts."""

LOOK = """
import { caniemail } from 'caniemail';
import { readFileSync } from 'node:fs';
const found = caniemail({ clients: ['*'], html: readFileSync(process.argv[2], 'utf8') });
const told = {};
for (const kind of ['errors', 'warnings'])
  for (const [client, issues] of found.issues[kind])
    for (const issue of issues) (told[issue.title] ??= []).push(client);
console.log(JSON.stringify(told));
"""


def lacking(modules: Path, path: Path) -> dict[str, list[str]]:
    """Feature → the mail programs that lack it wholly or in part."""
    script = modules.parent / "look.mjs"
    script.write_text(LOOK)
    found: dict[str, list[str]] = json.loads(run(["node", str(script), str(path)], cwd=modules.parent))
    return found


@pytest.mark.parametrize("kind", MAILS)
def test_a_mail_uses_nothing_whose_loss_is_not_argued(
    modules: Path, pages: Mapping[str, Path], kind: str
) -> None:
    unargued = {
        name: clients for name, clients in lacking(modules, pages[kind]).items() if name not in ALLOWED
    }
    assert unargued == {}


def test_no_argument_is_idle(modules: Path, pages: Mapping[str, Path]) -> None:
    seen = {name for kind in MAILS for name in lacking(modules, pages[kind])}
    assert set(ALLOWED) - seen == set()


@pytest.mark.parametrize(
    "markup",
    ["<svg><rect width='5'/></svg>", "<div style='display: flex'></div>", "<div style='position: absolute'></div>"],
)  # fmt: skip
def test_what_mail_programs_drop_would_be_found(modules: Path, tmp_path: Path, markup: str) -> None:
    (tmp_path / "bad.html").write_text(f"<html><body>{markup}</body></html>")
    assert set(lacking(modules, tmp_path / "bad.html")) - set(ALLOWED)
