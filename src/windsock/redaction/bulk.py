"""Redaction of many texts at once: one search over all of them finds the few lines that the patterns have to look at."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from windsock import redaction
from windsock.finder import Finder
from windsock.redaction import (
    HINTS,
    IS_SUSPECT,
    Latest,
    found_in,
    free_lines,
    may_be_odd,
    put_together,
    redact,
    set_free,
    told_of_suspect,
)
from windsock.redaction.assignments import NAME_HINTS
from windsock.redaction.patterns import PATTERNS

_SHARPER = {"sk-": r"(?:^|[^a-z0-9])sk-"}  # task-1 is no key
_NAMED = "|".join(map(re.escape, NAME_HINTS))
ANCHORS = "|".join(
    (
        *(_SHARPER.get(hint, re.escape(hint)) for hints, *_ in PATTERNS for hint in hints),
        rf"(?:{_NAMED})[^\s=:\"']*(?:[\"']?[ \t]*[=:]|%3A)",
        rf"(?:{_NAMED})[^\s=:\"']*[\"']?(?:,|(?:\s|\\\\+n)+[\\\\\"']*value)",
        rf"--\S*(?:{_NAMED})",
        r"[A-Za-z0-9+/]{60}",
    )
)
"""Without regard to case: what every text holds that `redact` changes. In the syntax of automata, for whole columns."""


_SHORT = tuple(hint for hint in HINTS if len(hint) < 4)
_HINTS = Finder(hint for hint in HINTS if len(hint) >= 4)
_FRAME, _CODE = '\n  File "', "\n    "
_LONGEST = 8192  # characters of the frames of a traceback that are kept as one
_free_frames = Latest(512)


def learn(texts: Iterable[str]) -> None:
    """What `redact` makes of each text, so that it need not look itself. What was learnt before is forgotten."""
    known: dict[str, str] = {}
    waiting: list[tuple[str, list[str]]] = []
    unseen: dict[str, str | None] = {}
    for text in texts:
        if text in known:
            continue
        if rest := _unseen(text):
            waiting.append((text, rest))
            unseen.update(dict.fromkeys(rest))
        else:
            known[text] = text
    lines, lowered = [*unseen], [line.lower() for line in unseen]
    for line, low, words in zip(lines, lowered, _HINTS.candidates(lowered), strict=True):
        found = found_in(low, words) | found_in(low, _SHORT)
        is_suspect = found & IS_SUSPECT or may_be_odd(line, low)
        unseen[line] = told_of_suspect(line, found) if is_suspect else set_free(line)
    for text, rest in waiting:
        known[text] = put_together(text, {line: unseen[line] for line in rest})
    redaction.learnt = known


def _unseen(text: str) -> list[str]:
    """Lines of a text that are not known to be free. The frames of a traceback are known as one."""
    first = text.find(_FRAME)
    last = text.find("\n", text.rfind(_CODE, first) + 1) if first >= 0 else -1
    if not 0 < last - first <= _LONGEST:
        return free_lines.without(text.split("\n"))
    rest = free_lines.without(text[:first].split("\n")) + free_lines.without(text[last + 1 :].split("\n"))
    frames = text[first:last]
    if _free_frames.without([frames]):
        if inner := free_lines.without(frames.split("\n")):
            return rest + inner
        _free_frames.add(frames)
    return rest


def redact_column(texts: pa.Array) -> pa.Array:
    """`redact` of each text, nulls kept."""
    rows = pc.indices_nonzero(suspects(texts))
    before = texts.take(rows).to_pylist()
    after = [
        (row, done)
        for row, text in zip(rows.to_pylist(), before, strict=True)
        if (done := redact(text)) != text
    ]
    if not after:
        return texts
    mask = np.zeros(len(texts), np.bool_)
    mask[[row for row, _ in after]] = True
    return pc.replace_with_mask(texts, pa.array(mask), pa.array([done for _, done in after], texts.type))


def suspects(texts: pa.Array) -> pa.Array:
    """Which texts hold an anchor. The search is a finite automaton's: its time is linear in the text."""
    return pc.match_substring_regex(texts, ANCHORS, ignore_case=True)
