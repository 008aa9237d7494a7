"""Names and log text are hostile: in every slot of every artefact they stay text."""

import json
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.report.made import answers, finding, one_of_each, page
from windsock.deliver import Chapter, Note, Parcel
from windsock.deliver.slack import body as slack_body
from windsock.model import NoData
from windsock.report import (
    Accepted,
    Told,
    letter,
    read_accepted,
    render_email_html,
    render_html,
    render_index,
    render_report,
)
from windsock.report.formats import clean

EVIL = "<img src=x onerror=alert(1)>\"'`{{7*7}}</script></style></title><script>alert(2)</script>&amp;"


class Elements(HTMLParser):
    """Counts elements and keeps attributes that act."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: dict[str, int] = {}
        self.acting: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1
        self.acting += [
            (name, value)
            for name, value in attrs
            if name.startswith("on")
            or name == "src"
            or (name == "href" and (value or "").startswith(("java", "data")))
        ]


def elements(markup: str) -> Elements:
    parsed = Elements()
    parsed.feed(markup)
    parsed.close()
    return parsed


def told(name: str) -> Told:
    previous: Mapping[str, Any] = {
        "findings": [{"id": f"WS501:{name}", "code": "WS501", "severity": "warning", "headline": name, "status": "new",
                      "subject": {"dag_id": name}, "since_week": "2026-W46", "weeks": 1}]
    }  # fmt: skip
    accepted = (Accepted(f"WS101:{name}", name, _until(), name), Accepted(name, name, _until(), name))
    return Told(previous=previous, accepted=accepted)


def _until() -> Any:
    from datetime import date

    return date(2027, 1, 1)


def artefacts(name: str) -> dict[str, str]:
    """All artefacts with `name` in every slot that comes from outside."""

    def everywhere(fields: dict[str, Any]) -> None:
        fields |= {"deployment": name, "owner_of": {name: name, f"{name}2": name}, "url": ""}

    findings = [one for one in one_of_each(name, text=name) if one.code != "WS501"]
    made = page(
        findings,
        told(name),
        given=answers([name], text=name),
        no_data=(NoData("parsing", name),),
        change=everywhere,
    )
    texts = render_report(made)
    texts["owner.html"] = render_email_html(letter([json.loads(texts["report.json"])], owner=name))
    line = {"week": "2026-W47", "verdict": "worse", "verdict_sentence": name, "revised": True}
    texts["index.html"] = render_index(name, [line])
    return texts


@pytest.mark.parametrize("name", ["report.html", "email.html", "owner.html", "index.html"])
def test_a_hostile_name_makes_no_element_in_any_slot(name: str) -> None:
    tame, hostile = elements(artefacts("x" * len(EVIL))[name]), elements(artefacts(EVIL)[name])
    assert hostile.tags == tame.tags
    assert hostile.acting == []


def test_hostile_text_is_shown_as_it_is() -> None:
    markup = artefacts(EVIL)["report.html"]
    assert "&lt;img src=x onerror=alert(1)&gt;" in markup
    assert "49" not in clean(EVIL)


@given(st.text(min_size=1, max_size=80))
@settings(max_examples=25, deadline=None)
def test_no_text_at_all_breaks_the_page_or_its_json(text: str) -> None:
    made = page([*one_of_each(text, text=text)], given=answers([text], text=text))
    texts = render_report(made)
    assert elements(texts["report.html"]).acting == []
    assert json.loads(texts["report.json"])["findings"][0]["subject"] == {"error_signature": text}
    for one in texts.values():
        one.encode("utf-8")


def test_direction_marks_and_control_characters_cannot_disguise_a_name() -> None:
    assert clean("a\u202egpj.exe\x00\x1b[31m") == "a\ufffdgpj.exe\ufffd\ufffd[31m"


def test_a_link_into_airflow_quotes_the_dag() -> None:
    markup = render_html(page([finding(dag_id="a/../b?x=1#y")]))
    assert 'href="https://airflow.example.com/dags/a%2F..%2Fb%3Fx%3D1%23y"' in markup


def test_log_text_makes_no_link_mention_or_shape_in_slack() -> None:
    evil = "<!channel> <https://evil.example|click> *bold* `code` &lt;"
    parcel = Parcel(
        ("p",), "2026-W47", subject=evil, chapters=(Chapter(evil, evil, (Note(evil, evil, "https://a b"),)),)
    )
    text = json.dumps(slack_body(parcel), ensure_ascii=False)
    assert "<!channel>" not in text.replace(json.dumps(evil), "")
    for one in slack_body(parcel)["blocks"][1:]:
        assert "<" not in one["text"]["text"]
        assert "`" not in one["text"]["text"]


@pytest.mark.parametrize("size", [1, 60, 500])
def test_slack_limits_hold(size: int) -> None:
    note = Note("h&" * 4000, "a<" * 4000)
    chapters = tuple(Chapter("t" * 400, "v&" * 3000, (note,) * 5, 3) for _ in range(size))
    made = slack_body(Parcel(("p",), "2026-W47", subject="s" * 500, chapters=chapters))
    assert len(made["blocks"]) <= 50
    assert len(made["blocks"][0]["text"]["text"]) <= 150
    for one in made["blocks"][1:]:
        assert len(one["text"]["text"]) <= 3000
        assert not one["text"]["text"].rstrip("…").endswith(("&", "&a", "&am", "&l", "&lt", "&amp"))


def test_an_acceptance_reads_from_toml() -> None:
    text = '[[accepted]]\nid = "WS101:a"\nreason = "known"\nuntil = 2026-12-31\nby = "ana"\n'
    assert [one.id for one in read_accepted(text, where="accepted.toml")] == ["WS101:a"]
