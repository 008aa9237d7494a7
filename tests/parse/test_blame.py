"""Blame asked of many attempts at once is what it is of each; every sign is found wherever it stands."""

import re

from hypothesis import given
from hypothesis import strategies as st

from windsock.finder import Finder
from windsock.parse.blame import _SIGNS, Case, blame, blame_all

PATTERNS = [pattern for _blame, pattern in _SIGNS]
NOISE = st.text(st.characters(exclude_characters="\n"), max_size=30)
SAID = st.builds(
    lambda before, said, after: before + said + after,
    NOISE,
    st.one_of(st.sampled_from(PATTERNS).flatmap(lambda one: st.from_regex(one)), st.just("")),
    NOISE,
)
CASES = st.lists(
    st.builds(
        Case,
        st.sampled_from([None, "exception", "oom", "external", "exit_code"]),
        st.sampled_from([None, "KeyError", "HTTPError", "ValueError"]),
        st.none() | SAID,
        st.none() | SAID,
        st.sampled_from([None, "requests", "pandas"]),
    ),
    max_size=8,
)


@given(CASES)
def test_of_many_at_once_it_is_the_same_as_of_each(cases: list[Case]) -> None:
    assert blame_all(cases) == [blame(case) for case in cases]


@given(CASES)
def test_of_each_it_is_what_the_expressions_say_in_their_order(cases: list[Case]) -> None:
    for case in cases:
        text = f"{case.signature or ''}\n{case.message or ''}".lower()
        first = next((name for name, pattern in _SIGNS if re.search(pattern, text)), None)
        if case.reason not in ("oom", "external") and first is not None:
            assert blame(case) == (None if first == "elsewhere" else first)


@given(st.lists(st.text(max_size=12), max_size=6), st.lists(st.text(max_size=60), max_size=6), st.data())
def test_no_word_that_occurs_is_missed(words: list[str], texts: list[str], data: st.DataObject) -> None:
    for at, text in enumerate(texts):
        if words and data.draw(st.booleans()):
            texts[at] = text + data.draw(st.sampled_from(words)) + text
    told = Finder(words).candidates(texts)
    for text, found in zip(texts, told, strict=True):
        assert {word for word in words if word in text} <= {*found}


def test_texts_of_more_bytes_than_are_looked_at_at_once_keep_their_own_words() -> None:
    texts = ["x" * 200_000 + "a needle", "y" * 200_000, "a thimble" + "z" * 300_000, "a needle"]
    assert Finder(["a needle", "a thimble"]).candidates(texts) == [
        ["a needle"], [], ["a thimble"], ["a needle"]
    ]  # fmt: skip
