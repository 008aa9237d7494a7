"""Page and mail in a real browser: phone and desktop, light and dark, keyboard and print."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.report.made import answers, finding, one_of_each, page
from tests.report.test_hostile import EVIL, artefacts
from tests.support.browser import Browser, browser, chromium
from windsock.report import Page, write_report

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(chromium() is None, reason="no Chromium on this machine")]
SHOTS = os.environ.get("WINDSOCK_SHOTS")
"""A folder for the screenshots, to be looked at."""


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    with browser() as made:
        yield made


def big_page() -> Page:
    """500 DAGs and 250 findings."""
    names = [f"team_{n:03d}_daily_load" for n in range(500)]
    findings = [one for name in names[:28] for one in one_of_each(name, text=f"error in {name}")]
    owner_of = {name: f"team-{n % 30}@example.com" for n, name in enumerate(names)}
    return page(findings, given=answers(names), change=lambda fields: fields.update(owner_of=owner_of))


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("big")
    write_report(folder, big_page())
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    findings = [*one_of_each(), *(finding(dag_id=f"d{n}") for n in range(3))]
    write_report(folder, page(findings, given=answers([f"dag_{n}" for n in range(12)])))
    return folder


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [375, 1200])
@pytest.mark.parametrize("name", ["report.html", "email.html"])
def test_nothing_is_logged_nothing_is_asked_for_and_nothing_hangs_over(
    chrome: Browser, small: Path, name: str, width: int, dark: bool
) -> None:
    chrome.logged.clear()
    chrome.requested.clear()
    chrome.open(small / name, width=width, height=812, dark=dark)
    if SHOTS:
        chrome.screenshot(Path(SHOTS) / f"{name}-{width}-{'dark' if dark else 'light'}.png", whole=True)
    assert chrome.run("document.documentElement.scrollWidth") <= width
    background = chrome.run("getComputedStyle(document.body).backgroundColor")
    assert (background != "rgb(255, 255, 255)") == dark
    assert chrome.logged == []
    assert [one for one in chrome.requested if not one.startswith("file:")] == []


def test_the_first_screen_of_a_phone_holds_the_verdict_and_every_action(chrome: Browser, small: Path) -> None:
    chrome.open(small / "email.html", width=375, height=812)
    assert chrome.run("document.querySelectorAll('.item').length") >= 5
    last = chrome.run("document.querySelectorAll('table .item')[4].getBoundingClientRect().bottom")
    assert last <= 812


def test_a_link_to_a_folded_finding_opens_it(chrome: Browser, big: Path) -> None:
    chrome.open(big / "report.html")
    name = chrome.run("document.querySelectorAll('#failures details.more .finding')[3].id")
    assert chrome.run("document.querySelector('#failures details.more').open") is False
    chrome.run(f"location.hash = '#{name}'")
    chrome.run("new Promise(done => setTimeout(done, 50))")
    assert chrome.run("document.querySelector('#failures details.more').open") is True


def column(chrome: Browser, place: int) -> list[str]:
    told: list[str] = chrome.run(
        f"Array.from(document.querySelectorAll('#failures tbody tr')).map(r => r.cells[{place}].textContent)"
    )
    return told


def test_tables_sort_by_keyboard(chrome: Browser, small: Path) -> None:
    chrome.open(small / "report.html")
    chrome.run("document.querySelector('#failures th button').focus()")
    chrome.press("Enter")
    down = column(chrome, 0)
    chrome.press("Enter")
    up = column(chrome, 0)
    assert down == sorted(down, reverse=True)
    assert up == sorted(up)
    assert chrome.run("document.querySelector('#failures th').getAttribute('aria-sort')") == "ascending"
    chrome.press("Tab")
    assert chrome.run("document.activeElement.textContent") == "Runs lost"


def test_tables_filter_by_keyboard(chrome: Browser, small: Path) -> None:
    chrome.open(small / "report.html")
    chrome.run("document.querySelector('#failures div .filter input').focus()")
    for key in "dag_11":
        chrome.press(key)
    shown = chrome.run(
        "Array.from(document.querySelectorAll('#failures tbody tr')).filter(r => !r.hidden).map(r => r.cells[0].textContent)"
    )
    assert shown == ["dag_11"]
    assert chrome.run("document.querySelector('#failures div .filter output').textContent") == "1 of 12"


def test_a_link_to_a_finding_survives(chrome: Browser, small: Path) -> None:
    chrome.open(small / "report.html", width=375)
    chrome.run("document.querySelector('ol.actions a').click()")
    place = chrome.run("document.querySelector(':target').getBoundingClientRect().top")
    assert 0 <= place < 300


def test_injected_script_would_not_run(chrome: Browser, small: Path, tmp_path: Path) -> None:
    markup = (small / "report.html").read_text().replace("</main>", "<script>window.evil = 1</script></main>")
    (tmp_path / "evil.html").write_text(markup)
    chrome.open(tmp_path / "evil.html")
    assert chrome.run("typeof window.evil") == "undefined"
    chrome.logged.clear()


@pytest.mark.parametrize("name", ["report.html", "email.html", "owner.html", "index.html"])
def test_hostile_names_and_messages_stay_text(chrome: Browser, tmp_path: Path, name: str) -> None:
    """A real parser, not ours, decides what is an element: none of the hostile ones is."""
    for key, text in artefacts(EVIL).items():
        (tmp_path / key).write_text(text, encoding="utf-8")
    chrome.logged.clear()
    chrome.requested.clear()
    chrome.open(tmp_path / name)
    ours = 1 if name == "report.html" else 0
    assert chrome.run("document.scripts.length") == ours
    assert (
        chrome.run("document.images.length + document.querySelectorAll('[onerror], iframe, object').length")
        == 0
    )
    assert "<img src=x onerror=alert(1)>" in chrome.run("document.body.innerText")
    assert chrome.logged == []
    assert [one for one in chrome.requested if not one.startswith("file:")] == []


def test_the_page_of_500_dags_prints_on_six_sheets_of_a4(chrome: Browser, big: Path) -> None:
    chrome.open(big / "report.html")
    made = chrome.pdf()
    if SHOTS:
        (Path(SHOTS) / "big.pdf").write_bytes(made)
    assert len(re.findall(rb"/Type\s*/Page\b", made)) <= 6
    assert b"595" in made  # A4 is 595 points wide
    assert (big / "report.html").stat().st_size < 2_000_000
