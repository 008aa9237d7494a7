"""Passes over records that tell nothing, by their bytes: a log is mostly such, and to decode a line costs more than to see it.

A record is told by the words that it begins with (scheduler.py, holds.py, dag_processor.py, kubernetes.py and triggerer.py
match at the start of its text), so a head line with other words opens a record that tells nothing, whatever follows. Kept
is a superset: each record that may tell something with the lines that belong to it and the head line that ends it, and
every line that is no plain head but may hold one (JSON, a collector's, a container runtime's). What is kept goes through
the exact path; property tests hold the rows equal with and without.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator

BEGINNINGS = (
    *("TaskInstance Finished: ", "DagRun Finished: ", "Detected ", "Executor ", "Reset the following "),
    *("Run ", "Pausing DAG ", "Timed out ", "Starting the ", "Exiting gracefully "),
    *("Not executing ", "Not scheduling ", "DAG ", "dag cannot be started ", "Immediate failure "),
    *(
        "Processing ",
        "Failed to import: ",
        "DAG(s) ",
        "No viable dags ",
        "Processor for ",
        "Version changed for ",
        "Error refreshing bundle ",
        "Error initializing bundle ",
    ),
    *("DagFileProcessorManager (PID=", "[Try ", "Event: ", "Pod ", "Trigger"),
    *(
        "Loaded executor: ",
        "celery@",
        "missed heartbeat from ",
        "Worker ",
        "Invalid executor_config for ",
        "Connection error creating pod",
    ),
)
"""How the text of a record begins that may tell something."""
WITHIN = (b"Marking task as", b"DAG File Processing Stats")
"""Words that a telling record may hold further on."""
_WITHIN_TEXT = tuple(words.decode() for words in WITHIN)
_COLOUR = b"\x1b["  # may stand anywhere, inside of words too: such a line is read
_COLOURED_BYTES = 2_000  # a colour every so many bytes: the whole piece is coloured

_AT = rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d"
_BRACKETED = (
    rb"\[" + _AT + rb"[^\]\n]{0,16}\] (?:\[SOURCE:\w+\] )?\{{1,2}[^{}:\n]+:\d+\}{1,2} [^-\n]{1,16}- ?"
)
_REST = rb"(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d) \[(?:debug|info|warning|error|critical) *\] ?"
_HEAD = re.compile(rb"\n(?:" + _BRACKETED + rb"|" + _AT + _REST + rb")")
# without those of a LocalExecutor's tasks (a space in place of the T), which are nobody's
_OWN_HEAD = re.compile(rb"\n(?:" + _BRACKETED + rb"|" + _AT.replace(b"[T ]", b"T") + _REST + rb")")
# a text may also begin on its second line, or be a record inside of another one's
_WORDS = (
    rb"(?:\[\d{4}-|\s*\n|Task(?! started| finished| instance state updated)|"
    + rb"|".join(re.escape(one.encode()) for one in BEGINNINGS)
    + rb")"
)
_CELERY = rb"\[" + _AT + rb",\d{3}: [A-Z]+/MainProcess\] (?:celery@|missed heartbeat|Task handler)"
_TELLING = re.compile(
    rb"\n(?=\{|"
    + _CELERY
    + rb"|"
    + _BRACKETED
    + _WORDS
    + rb"|"
    + _AT
    + rb"(?:"
    + _REST
    + _WORDS
    + rb"|(?!"
    + _REST
    + rb")))"
)


def may_tell(text: str) -> bool:
    """Whether a record with this text is always kept."""
    return text.startswith(BEGINNINGS) or any(words in text for words in _WITHIN_TEXT)


def telling(piece: bytes) -> Iterator[bytes]:
    """The lines of a piece (whole lines) that have to be read, in order, a run of them at a time."""
    text = b"\n" + piece
    # what goes on with the record before, and one head of Airflow's: that shows what log it is
    own = _OWN_HEAD.search(text)
    start, end = 1, _behind_next_head(text, own.start() if own else 0)
    if end == len(text) or piece.count(_COLOUR) * _COLOURED_BYTES > len(piece):
        yield piece
        return
    for place in _places(text):
        if place >= end:
            yield text[start:end]
            start = place + 1
        end = max(end, _behind_next_head(text, place + 1))
    yield text[start:end]


def _behind_next_head(text: bytes, place: int) -> int:
    """The end of the next head line from `place` on, or of the text."""
    head = _HEAD.search(text, place)
    return (text.find(b"\n", head.end()) + 1 or len(text)) if head else len(text)


def _places(text: bytes) -> Iterator[int]:
    """Where the newline before each telling line stands, in order."""
    return heapq.merge((match.start() for match in _TELLING.finditer(text)), _heads_of(text), _coloured(text))


def _coloured(text: bytes) -> Iterator[int]:
    at = text.find(_COLOUR)
    while at >= 0:
        yield text.rfind(b"\n", 0, at)
        at = text.find(_COLOUR, text.find(b"\n", at) if text.find(b"\n", at) >= 0 else len(text))


def _heads_of(text: bytes) -> list[int]:
    """The heads of records that hold telling words further on."""
    found = set()
    for words in WITHIN:
        at = text.find(words)
        while at >= 0:
            place = text.rfind(b"\n", 0, at)
            while place > 0 and not _HEAD.match(text, place):
                place = text.rfind(b"\n", 0, place)
            found.add(max(0, place))
            at = text.find(words, at + 1)
    return sorted(found)
