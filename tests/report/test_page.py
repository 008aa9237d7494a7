"""The page: its order, its limits, and that four artefacts say the same."""

import html
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.report.made import WEEK, answers, finding, one_of_each, page
from windsock.model import NoData
from windsock.report import Page, body_of, health, render_html, render_report
from windsock.report.formats import sentences
from windsock.report.specs import SPECS


def words(markup: str) -> str:
    """What a reader of the HTML sees, in one line; numbers and units may be tied by a hard space."""
    bare = re.sub(r"<(style|script|head)\b.*?</\1>", " ", markup, flags=re.S)
    text = html.unescape(re.sub(r"<[^>]+>", " ", bare)).replace("\u00a0", " ")
    return " ".join(text.split())


def headings(markup: str) -> list[str]:
    return re.findall(r"<h2>(.*?)</h2>", markup)


def test_the_order_of_the_page_never_changes() -> None:
    order = [
        "What to do",
        "Silent problems",
        "Scoreboard",
        "What changed",
        "Why it did not run",
        "Incidents",
        "Retries",
        "Failure rates",
        "How tasks stand",
        "Where failures gather",
        "Import errors and killed parses",
        "DAG parsing",
        "Parsing inside of tasks",
        "Durations and lateness",
        "Why tasks waited",
        "Pools and waiting",
        "Executors and workers",
        "Health indicators",
        "Settings",
        "What logs cost",
        "Configuration and versions",
        "Per owner",
        "Trust in the data",
    ]
    full = headings(render_html(page(one_of_each())))
    sparse = headings(render_html(page([finding()], given={})))
    assert full == order
    assert sparse == order


def test_empty_sections_say_none_and_missing_inputs_say_why() -> None:
    made = render_html(page([finding()], no_data=(NoData("pools", "no metric snapshots"),), given={}))
    assert "Pools and waiting no data: no metric snapshots" in words(made)
    assert "Incidents none" in words(made)
    assert "Durations and lateness none" in words(made)


def test_at_most_five_actions_the_rest_is_told_once() -> None:
    made = page([finding(dag_id=f"d{n}") for n in range(9)])
    texts = render_report(made)
    assert len(made.actions) == 5
    assert len(json.loads(texts["report.json"])["actions"]) == 5
    assert texts["email.txt"].count("d8: 22 of 56") == 1


def test_improvements_are_told_under_what_changed_only() -> None:
    made = page(one_of_each())
    assert all(card.status != "better" for section in made.sections for card in section.cards)
    assert [one.headline for one in made.changes if one.status == "better"] == ["orders3 recovered"]


def test_a_quiet_week_is_six_lines_and_one_for_what_is_not_judged() -> None:
    made = page([])
    texts = render_report(made)
    assert len(made.quiet) == 7
    assert "Not judged: backfill: 10 runs in 1 DAG, 4 of them lost." in made.quiet
    for line in made.quiet:
        assert line in words(texts["report.html"])
        assert line in words(texts["email.html"])
        assert line in texts["email.txt"]
    assert headings(texts["report.html"]) == []
    assert made.verdict == "same"


def test_a_week_without_task_logs_is_never_quiet() -> None:
    made = page([], given={})
    assert made.verdict == "cannot_tell"
    assert made.quiet == ()


@pytest.mark.parametrize(("rejected", "word"), [(251, "cannot_tell"), (250, "same")])
def test_a_week_whose_logs_are_mostly_unreadable_cannot_be_told(rejected: int, word: str) -> None:
    given = answers(["orders"])
    row = given["objects_by_outcome"].rows[0]
    rows = ({**row, "objects": 500 - rejected}, {**row, "outcome": "reject", "objects": rejected})
    given["objects_by_outcome"] = replace(given["objects_by_outcome"], rows=rows)
    assert page([], given=given).verdict == word


def numbers_of(made: Page) -> list[str]:
    """Every formatted text that all artefacts must carry."""
    told = [made.verdict_sentence]
    for score in made.scoreboard:
        told += [score.name, score.this_week, score.previous_week, score.median]
    return told + [one.headline for one in made.actions]


def test_mail_page_text_and_json_say_the_same() -> None:
    made = page(one_of_each())
    texts = render_report(made)
    seen = {name: words(text) for name, text in texts.items() if name.endswith("html")}
    seen["email.txt"] = " ".join(texts["email.txt"].split())
    seen["report.json"] = " ".join(
        value for value in _strings(json.loads(texts["report.json"])) if isinstance(value, str)
    )
    for told in numbers_of(made):
        for name, text in seen.items():
            assert told in text, (name, told)


def _strings(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [one for inner in value.values() for one in _strings(inner)]
    if isinstance(value, list):
        return [one for inner in value for one in _strings(inner)]
    return [value]


def test_rendering_again_gives_the_same_bytes() -> None:
    first, second = (render_report(page(one_of_each())) for _ in range(2))
    assert first == second


def test_report_json_keeps_its_contract() -> None:
    body = json.loads(render_report(page(one_of_each()))["report.json"])
    keys = {"schema", "deployment", "week", "window", "verdict", "verdict_sentence", "findings", "scoreboard",
            "no_data", "revised", "changes", "trust"}  # fmt: skip
    fields = {"id", "code", "name", "severity", "status", "since_week", "weeks", "subject", "headline", "evidence",
              "advice", "owner", "question"}  # fmt: skip
    assert keys <= set(body)
    assert all(fields <= set(one) for one in body["findings"])
    assert (body["schema"], body["week"], body["revised"]) == (1, str(WEEK), False)


def test_every_link_on_the_page_leads_somewhere_and_no_anchor_stands_twice() -> None:
    markup = render_html(page(one_of_each()))
    anchors = re.findall(r' id="([^"]+)"', markup)
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r'href="#([^"]+)"', markup)) <= set(anchors)


def test_an_anchor_is_the_same_next_week_whatever_the_rank() -> None:
    first = page([finding(dag_id="a"), finding(dag_id="b")])
    second = page([finding(dag_id="b"), finding(dag_id="a")])
    assert {one.id: one.anchor for one in first.actions} == {one.id: one.anchor for one in second.actions}


def test_every_plot_has_its_text() -> None:
    markup = render_html(page(one_of_each()))
    plots = re.findall(r'<svg class="plot (\w+)" role="img" aria-label="([^"]+)"', markup)
    assert {kind for kind, _ in plots} == {"rate", "step", "heat", "curve", "timeline"}
    for _, label in plots:
        title, _, text = html.unescape(label).partition(". ")
        assert text
        assert title in words(markup)


def test_every_number_names_the_command_that_makes_it() -> None:
    made = page(one_of_each())
    text = words(render_html(made))
    for section in made.sections:
        for card in section.cards:
            assert f"windsock ask {card.question} --week {WEEK}" in text
        for table in section.tables:
            assert f"windsock ask {table.question} --week {WEEK}" in text
    assert {score.question for score in made.scoreboard} <= set(re.findall(r"windsock ask (\w+)", text))


@pytest.mark.parametrize("unsafe", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd"])
def test_only_web_addresses_become_links(unsafe: str) -> None:
    made = page([finding()], change=lambda fields: fields.update(base_url=unsafe))
    assert unsafe not in render_html(made)


@pytest.fixture(scope="module")
def huge() -> dict[str, str]:
    """5,000 DAGs and 2,000 findings, with the longest names that Airflow allows."""
    names = [f"dag_{n:04d}_{'x' * 240}" for n in range(5000)]
    findings = [one for name in names[:250] for one in one_of_each(name, text=f"boom {name} " * 20)][:2000]
    return render_report(page(findings, given=answers(names, text="boom " * 60)))


def test_the_page_stays_below_two_megabytes(huge: dict[str, str]) -> None:
    assert len(huge["report.html"].encode()) < 2_000_000


def test_the_mail_stays_below_what_gmail_clips(huge: dict[str, str]) -> None:
    assert len(huge["email.html"].encode()) < 90_000
    assert len(huge["email.txt"].encode()) < 90_000


def test_what_is_left_out_is_counted(huge: dict[str, str]) -> None:
    assert "4,950 more rows left out" in words(huge["report.html"])
    assert re.search(r"[\d,]+ more findings left out here", words(huge["report.html"]))
    assert re.search(r"[\d,]+ more findings in the full page", words(huge["email.html"]))


def test_nothing_is_left_out_of_the_json(huge: dict[str, str]) -> None:
    assert len(json.loads(huge["report.json"])["findings"]) == 2000


def test_the_body_holds_plain_values_only() -> None:
    body = body_of(page(one_of_each()))
    assert json.loads(json.dumps(body)) == body


def test_advice_in_the_mail_ends_with_a_sentence() -> None:
    assert sentences("Raise it. It is small.", 30) == "Raise it. It is small."
    assert sentences("Raise it to 3.5 slots. It is the smallest.", 30) == "Raise it to 3.5 slots."
    assert sentences("Raise it without any stop to be seen", 20) == "Raise it without an…"


def test_what_no_finding_speaks_of_is_folded_and_counted() -> None:
    given = answers([f"dag_{n}" for n in range(70)])
    alone = render_html(page([finding("WS301", id="WS301:p", subject={"pool": "p"})], given=given))
    told = render_html(page([finding()], given=given))
    table = "DAGs that lost runs, or may have"
    assert f"<summary>{table}" not in told
    assert re.search(rf"<summary>{table} <span class=.meta.>70 rows</span></summary>", alone)


def test_five_findings_of_a_section_stand_open_and_a_click_shows_the_others() -> None:
    made = render_html(page([finding(dag_id=f"d{n}") for n in range(9)]))
    before, folded = made.split('<details class="more">')
    assert "<summary>4 more findings</summary>" in folded
    assert before.count("<article") == 5
    assert folded.partition("</details>")[0].count("<article") == 4


def test_lists_have_short_lines_and_the_card_has_all() -> None:
    long = f"orders: {'very ' * 60}long"
    made = render_html(page([finding(headline=long, advice=f"Look. {'Then look again. ' * 30}")]))
    assert made.count(long) == 1, "in its card"
    assert made.count(f"{long[:140]}") >= 3, "cut in the actions and under what changed"


def test_the_mail_names_what_is_missing_by_the_titles_of_the_page() -> None:
    made = page([finding()], no_data=(NoData("pools", "no metric snapshots"), NoData("imports", "nothing")))
    text = render_report(made)["email.txt"]
    assert (
        "No data for: Pools and waiting (in part); Import errors and killed parses. The page says why" in text
    )


def test_every_section_and_every_table_is_explained_to_a_first_reader() -> None:
    told = " ".join((Path(__file__).parents[2] / "docs" / "report.md").read_text(encoding="utf-8").split())
    assert f"| {health.TITLE} |" in told
    for spec in SPECS:
        assert f"| {spec.title} |" in told
        for grid in spec.grids:
            assert f"| {grid.title} |" in told


@pytest.mark.parametrize(
    ("changes", "is_shown"),
    [
        ({"lost": 2}, True),
        ({"lost": 1}, False),  # one is no gathering
        (
            {"first_failed": 11, "first_tries": 44},
            True,
        ),  # a worker whose every fourth first try fails, all saved
        ({"first_failed": 10, "first_tries": 44}, False),
        ({"first_failed": 1, "first_tries": 2}, False),
        ({"lost": 9, "grain": "dag"}, False),  # a DAG has a table of its own
    ],
)
def test_failures_gather_where_tasks_were_lost_or_a_retry_saved_many(
    changes: dict[str, Any], is_shown: bool
) -> None:
    row = {"grain": "host", "lost": 0, "no_end": 0, "first_failed": 0, "first_tries": 40} | changes
    (grid,) = (grid for spec in SPECS for grid in spec.grids if grid.question == "failure_rates_by_grain")
    assert grid.is_worth_showing(row) == is_shown


def test_a_calm_week_names_the_inputs_that_are_missing_in_one_line() -> None:
    made = page([], no_data=(NoData("pools", "no pool gauges and no queue times of tasks in this week"),))
    (line,) = (one for one in made.quiet if one.startswith("No data"))
    assert (
        line
        == "No data for: Pools and waiting (in part). The page says why; windsock doctor says how to mend it."
    )
    assert "no pool gauges and no queue times" in words(render_report(made)["report.html"])
