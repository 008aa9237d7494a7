"""Whole columns of bytes say what a look at each byte says."""

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from windsock.parse import words

EIGHT = st.binary(min_size=8, max_size=8) | st.text("0123456789:}", min_size=8, max_size=8).map(str.encode)
SOME = st.lists(EIGHT, max_size=20)


def column(texts: list[bytes]) -> words.Words:
    return np.array([words.word(text) for text in texts], np.uint64)


@given(SOME, st.sampled_from(b":}\x1b\x00\xff"))
def test_every_byte_that_is_equal_is_marked_and_no_other(texts: list[bytes], byte: int) -> None:
    marks = words.bytes_equal(column(texts), byte)
    assert [int(mark).to_bytes(8, "little") for mark in marks] == [
        bytes(0x80 if c == byte else 0 for c in text) for text in texts
    ]
    assert words.count_bytes(marks).tolist() == [text.count(byte) for text in texts]


@given(st.lists(st.text("0123456789:ab/", min_size=8, max_size=8).map(str.encode), max_size=20))
def test_the_last_byte_that_is_no_digit_is_found(texts: list[bytes]) -> None:
    found = words.last_no_digit(column(texts)).tolist()
    for text, place in zip(texts, found, strict=True):
        wanted = max((at for at, c in enumerate(text) if not chr(c).isdigit()), default=-1)
        assert place == wanted or (wanted < 0 and place < 0)


@given(SOME)
def test_membership_is_of_the_given_words_only(texts: list[bytes]) -> None:
    given_ones = [b"Marking ", b"Task exi", b"Running "]
    asked = texts + given_ones
    assert words.OneOf(given_ones).holds(column(asked)).tolist() == [text in given_ones for text in asked]


@given(st.binary(min_size=40, max_size=80), st.lists(st.integers(0, 20), max_size=9))
def test_rows_hold_the_bytes_of_their_places(data: bytes, places: list[int]) -> None:
    rows = words.Rows(np.frombuffer(data, np.uint8), np.array(places, np.int64), 20)
    assert rows.word(3).tolist() == column([data[at + 3 : at + 11] for at in places]).tolist()
    assert rows.byte(19).tolist() == [data[at + 19] for at in places]


@given(st.text("\n[x", max_size=90).map(str.encode))
def test_every_pair_of_two_bytes_is_found(data: bytes) -> None:
    found = words.pairs_of(np.frombuffer(data, np.uint8), b"\n[").tolist()
    assert found == [at for at in range(len(data)) if data[at : at + 2] == b"\n["]


@given(st.lists(st.text("0123456789-:/x", min_size=8, max_size=8).map(str.encode) | st.text("09", min_size=6, max_size=6).map(lambda d: f"{d[:4]}-{d[4:]}-"[:8].encode()), max_size=20))  # fmt: skip
def test_a_word_fits_a_shape_when_digits_stand_for_its_zeros(texts: list[bytes]) -> None:
    fits = [bool(re.fullmatch(rb"\d{4}-\d\d-", text)) for text in texts]
    assert (words.Shape(b"0000-00-").misfit(column(texts)) == 0).tolist() == fits
