"""The words that an expression needs are derived from it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windsock.parse.blame import _WORDS
from windsock.parse.sieve import alternatives, needed

EXPRESSIONS = [words.lower() for _blame, words in _WORDS]
ALTERNATIVES = [one for expression in EXPRESSIONS for one in alternatives(expression)]


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("out of memory", ("out of memory",)),
        (r"\(sigkill\)", ("(sigkill)",)),
        ("time-?out", ("time",)),
        ("slow ?down", ("slow",)),
        ("a{2}bc", ("bc",)),
        ("job.{0,80}finished", ("finished",)),
        (r"missing \d+ required", (" required",)),
        ("relation(?: x)?y", ("relation",)),
        ("(?:no such|unknown) (?:table|column)", ("no such", "unknown")),
        ("(?:gone|going|go)", ("go",)),
        ("[abc]+", ("",)),
        ("(?:x|)", ("",)),
        (r"^exit code\b", ("exit code",)),
        (r"status[\"']?[:= ]{1,3}", ("status",)),
    ],
)
def test_the_words_that_every_match_holds(expression: str, words: tuple[str, ...]) -> None:
    assert needed(expression) == words


def test_a_group_that_looks_around_is_refused() -> None:
    with pytest.raises(ValueError, match="groups"):
        needed("a(?=b)")


def test_an_expression_is_cut_at_its_outermost_bars() -> None:
    assert alternatives(r"a(?:b|c)|[|]d|\|e") == ["a(?:b|c)", "[|]d", r"\|e"]


@given(st.data())
def test_every_match_of_a_sign_holds_one_of_its_words(data: st.DataObject) -> None:
    """Hypothesis writes texts that an expression matches; one without a needed word would be passed over."""
    one = data.draw(st.sampled_from(ALTERNATIVES))
    text = data.draw(st.from_regex(re.compile(one)))
    assert any(word in text for word in needed(one)), one
