"""What a text must hold for an expression to match at all: a look for a few words spares most texts the expression.

Python tries every alternative of an expression at every character, some 50 ns each for forty of them; a word is found, or
not, in 40 ns for the whole text. So a list of many alternatives is asked only of texts that hold one of their words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?:|[()|^$.]|[?*+]\+?|\{\d*,?\d*\}|.", re.DOTALL)
Words = tuple[str, ...]


def alternatives(expression: str) -> list[str]:
    """An expression cut at its outermost bars."""
    parts, depth = [""], 0
    for token in _TOKEN.findall(expression):
        depth += (token == "(?:") - (token == ")")
        if token == "|" and not depth:
            parts.append("")
        else:
            parts[-1] += token
    return parts


def needed(expression: str) -> Words:
    """Words of which every match holds at least one; ("",) where none can be named. Of expressions made of literals,
    escapes, classes, `(?:…)` and quantifiers; a group of another kind raises ValueError."""
    words = _any_of(iter(_TOKEN.findall(expression)))
    return tuple(one for one in words if not any(other in one and other != one for other in words))


def _any_of(tokens: Iterator[str]) -> Words:
    """The alternatives up to the end of their group: each adds the words it needs."""
    found: dict[str, None] = {}
    while True:
        words, is_last = _sequence(tokens)
        found |= dict.fromkeys(words)
        if is_last:
            return tuple(found)


def _sequence(tokens: Iterator[str]) -> tuple[Words, bool]:
    """One alternative: the best of its literal runs and of its groups; and whether it was the last of its group."""
    told: list[Words] = []  # each of them is needed
    run = ""

    def cut() -> None:
        nonlocal run
        if run:
            told.append((run,))
        run = ""

    last = ""  # what a quantifier would be of
    for token in tokens:
        if token in ("|", ")"):
            cut()
            return _best(told), token == ")"
        if token[0] in "?*{" and len(token) > (token == "{"):
            is_optional = token[0] in "?*" or token.startswith(("{0", "{,"))
            if last == "literal":
                kept, run = run[-1], run[:-1]
                cut()
                if not is_optional:
                    told.append((kept,))
            elif last == "group" and is_optional:
                told.pop()
            last = ""
        elif token[0] == "+":
            cut()
            last = ""
        elif token == "(?:":
            cut()
            told.append(_any_of(tokens))
            last = "group"
        elif token == "(":
            raise ValueError("only groups of the form (?:…) are understood")
        elif token in ("^", "$", r"\b", r"\B", r"\A", r"\Z"):
            last = ""  # they take no character: the run goes on
        elif token[0] in "[." or (token[0] == "\\" and token[1].isalnum()):
            cut()
            last = ""
        else:
            run += token[-1]
            last = "literal"
    cut()
    return _best(told), True


def _best(told: list[Words]) -> Words:
    """The words that tell most: those whose shortest is longest."""
    return max(told, key=lambda words: min(map(len, words)), default=("",))
