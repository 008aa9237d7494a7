"""Redaction of whole columns: one search over all texts finds the few that the patterns have to look at."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from windsock.redaction import redact
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
