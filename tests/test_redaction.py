"""Secrets of every kind leave the text; ordinary lines come through unchanged; no line takes more than linear time."""

import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from windsock import redaction
from windsock.redaction import redact
from windsock.redaction.bulk import learn, redact_column, suspects

DATA = Path(__file__).parent / "redaction"


def labelled() -> Iterator[tuple[str, str, str]]:
    """(kind, secret, line) for every spelling in the file."""
    for kind, groups in yaml.safe_load((DATA / "secrets.yaml").read_text()).items():
        for group in groups:
            for line in group["lines"]:
                yield kind, group["secret"], line.replace("{}", group["secret"])


SECRETS = list(labelled())
ORDINARY: list[str] = yaml.safe_load((DATA / "ordinary.yaml").read_text())


@pytest.mark.parametrize(("kind", "secret", "line"), SECRETS, ids=[line[:60] for _, _, line in SECRETS])
def test_a_secret_leaves_the_text(kind: str, secret: str, line: str) -> None:
    assert secret in line, "the label must name what stands in the line"
    assert secret not in redact(line)


@pytest.mark.parametrize(
    "before", ["RuntimeError: ", "InvalidTokenError: ", "token_file=", "2026-11-24 ERROR [x] - "]
)
def test_what_stands_before_a_secret_hides_it_not(before: str) -> None:
    """An exception's name and a colon look like an assignment themselves."""
    assert [line for _, secret, line in SECRETS if secret in redact(before + line) and "\n" not in line] == [
        line
        for _, secret, line in SECRETS
        if re.fullmatch(r"[A-Za-z0-9+/]{60,}", secret) and "\n" not in line
    ]  # the one kind that is known only by standing alone on its line


@pytest.mark.parametrize("line", ORDINARY)
def test_an_ordinary_line_comes_through_unchanged(line: str) -> None:
    assert redact(line) == line


def test_the_rates_over_the_labelled_set(capsys: pytest.CaptureFixture[str]) -> None:
    """The tests above say which line; this one says how good the list is, and that the set did not shrink."""
    missed = sum(secret in redact(line) for _, secret, line in SECRETS)
    hit = sum(redact(line) != line for line in ORDINARY)
    with capsys.disabled():
        print(
            f"\nredaction: {missed} of {len(SECRETS)} secrets missed, {hit} of {len(ORDINARY)} ordinary lines hit"
        )
    assert (missed, hit) == (0, 0)
    assert len(SECRETS) >= 270
    assert len(ORDINARY) >= 110


@pytest.mark.parametrize("line", [line for _, _, line in SECRETS[::3]] + ORDINARY[::3])
def test_redacting_twice_changes_nothing_more(line: str) -> None:
    assert redact(redact(line)) == redact(line)


FRAMES = [
    '  File "/opt/dags/x.py", line 3, in load',
    "    return conn.execute(sql, token=token)",
    "",
    "curl \\\\",
    "wget",
]


@given(st.lists(st.sampled_from([line for _, _, line in SECRETS] + ORDINARY + FRAMES), max_size=6))
def test_line_by_line_masks_what_the_whole_list_masks_in_the_whole_text(lines: list[str]) -> None:
    """Lines are looked at once each; what reaches over their ends is still found."""
    text = "\n".join(lines)
    assert redact(text) == redaction._redact(text)


MANY = st.lists(st.sampled_from([line for _, _, line in SECRETS] + ORDINARY + FRAMES), max_size=6).map(
    "\n".join
)


@given(st.lists(MANY, max_size=5))
def test_texts_learnt_together_are_masked_as_each_of_them_is(texts: list[str]) -> None:
    learn(texts)
    assert [redaction.learnt[text] for text in texts] == [redaction._redact(text) for text in texts]
    learn(texts)  # once more, with what is known of lines and frames
    assert [redact(text) for text in texts] == [redaction._redact(text) for text in texts]
    learn(())


def test_the_frames_of_a_traceback_are_masked_however_often_they_were_seen() -> None:
    """Frames are known as one block, which may hold a secret as any line may."""
    frames = '  File "/opt/dags/x.py", line 3, in load\n    connect("postgresql://app:hunter2FAKE@db/prod")'
    for said in ("one", "two", "three"):
        text = f"Task failed\nTraceback (most recent call last):\n{frames}\nKeyError: '{said}'"
        learn([text])
        assert redact(text) == text.replace("hunter2FAKE", "***")
    learn(())


def test_what_stands_around_a_secret_stays() -> None:
    line = "connect(host=db, password=hunter2FAKE, port=5432) failed after 3 s"
    assert redact(line) == "connect(host=db, password=***, port=5432) failed after 3 s"
    assert redact("postgresql://app:hunter2FAKE@db:5432/prod?x=1") == "postgresql://app:***@db:5432/prod?x=1"


def test_an_assignment_never_reaches_over_the_end_of_a_line() -> None:
    assert (
        redact("password:\nTraceback (most recent call last):")
        == "password:\nTraceback (most recent call last):"
    )


ADVERSARIES = [
    "password", "password=", "://a:", "eyJaaaaaaaa.", "-eyJaaaaaa", "-----BEGIN PRIVATE KEY-----", "authorization: ",
    "a.", "token-", "'password': '\\", "--password ", "?token=", "bearer ", "xoxb-", "sk-", "=a,", "key=(", "%22password%22%3A%22",
    "A" * 50 + "=", "cookie: a=", "\"", "\\\"password\\\": \\\"", "://" + "a" * 60, "-u a:", "secret key ", "[2026-11-24T10:00:00] ",
]  # fmt: skip


@pytest.mark.parametrize("piece", ADVERSARIES)
def test_a_megabyte_made_to_hurt_comes_to_an_end(piece: str) -> None:
    """Linear patterns take a fraction of a second each; a quadratic one would take hours and be noticed."""
    redacted = redact(piece * (1_000_000 // len(piece)))
    assert isinstance(redacted, str)


@given(st.text(max_size=300))
def test_no_text_makes_it_raise(text: str) -> None:
    assert isinstance(redact(text), str)


def test_a_column_is_redacted_value_by_value() -> None:
    assert redact_column(pa.array(["password=hunter2FAKE", None, "fine"])).to_pylist() == [
        "password=***",
        None,
        "fine",
    ]


def is_suspect(text: str) -> bool:
    return bool(suspects(pa.array([text]))[0].as_py())


@pytest.mark.parametrize("line", [line for _, _, line in SECRETS])
def test_a_bulk_search_finds_every_text_that_changes(line: str) -> None:
    assert is_suspect(line)
    assert is_suspect(line.upper()) or redact(line.upper()) == line.upper()


PIECES = st.sampled_from([line for _, _, line in SECRETS] + ORDINARY + ADVERSARIES)


@settings(max_examples=300)
@given(
    st.lists(st.one_of(PIECES, PIECES.map(str.swapcase), st.text(max_size=20)), max_size=4).map("".join),
    st.data(),
)
def test_a_text_without_an_anchor_is_never_changed(text: str, data: st.DataObject) -> None:
    cut = text[data.draw(st.integers(0, max(0, len(text) - 1))) :]
    assert is_suspect(cut) or redact(cut) == cut


def test_ordinary_lines_are_mostly_no_suspects() -> None:
    """Suspects cost time only, yet a search that finds every line would be none."""
    plain = [
        "batch 7 of 9 loaded, 120 rows",
        "Done. Returned value was: None",
        "token_count 17 in page 3 of global task-12",
    ]
    assert not any(map(is_suspect, plain))
