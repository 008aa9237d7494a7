"""What changes from one failure to the next of the same kind: numbers, times, ids, addresses, hashes, random ends of names.

`blank` takes them out of a message; words, quoted names, paths, modules and the reasons of HTTP stay. Every expression is
linear in the text: what is logged may be hostile. Where an expression begins with a character class the `re` module skips
to it quickly; a lookbehind in front would be tried at every character, so it stands after the first one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

_Replacement = str | Callable[[re.Match[str]], str]
_UNUSUAL_PREFIX = re.compile(r"unusual_prefix_[0-9a-f]{40}_")
_HEXADECIMAL = re.compile(r"0[xX][0-9a-fA-F]+|[0-9a-fA-F]{8,}")
_KEPT = "\0"  # before a number that stays


def _made_up(found: re.Match[str]) -> str:
    """A word of eight or more: hexadecimal with a digit and a letter, or letters of both cases or of upper case with so many
    digits among them that a computer made it up."""
    word = found[0]
    if word.isdigit():
        return word
    if _HEXADECIMAL.fullmatch(word):
        return "<hex>"
    digits = sum(map(str.isdigit, word))
    is_mixed = len(word) >= 16 and digits >= 3 and not word.isupper() and not word.islower()
    return "<id>" if (is_mixed or (len(word) >= 13 and digits >= 2 and word.isupper())) else word


# (a literal that must occur, expression, replacement); the first five can match where there is no digit
_BLANKS: tuple[tuple[str, re.Pattern[str], _Replacement], ...] = tuple(
    (hint, re.compile(pattern), to)
    for hint, pattern, to in (
        ("\x1b", r"\x1b\[[0-9;?]{0,16}[A-Za-z]", ""),
        # pods: any random end after the word, elsewhere a replica set's hash and five, or five or eight with a digit
        ("od ", r"(?<=[Pp]od )([a-z0-9./-]{1,200})-[a-z0-9]{5,32}\b", r"\1-<pod>"),
        ("ods", r"(?<=[Pp]ods[ /])(\\?[\"'])([a-z0-9.-]{1,200})-[a-z0-9]{5,32}\b", r"\1\2-<pod>"),
        # what is asked for in a query is data; the path before it is kept
        ("?", r"\?[\w%.+~-]{1,64}=[^\s'\"<>)\]]*", "?<query>"),
        ("/", r"/(?:airflow)?tmp\w{6,12}\b", "/<tmp>"),
        (
            "-",
            r"[0-9a-fA-F](?<![A-Za-z0-9].)[0-9a-fA-F]{7}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?![A-Za-z0-9])",
            "<id>",
        ),
        ("-", r"\d(?<![A-Za-z_0-9].)\d{3}-\d{6}-[a-z0-9]{6,10}\b", "<id>"),  # clusters of Databricks
        # run ids: a word of Airflow's, a time, and for assets a random end
        ("__", r"\b(?:scheduled|manual|backfill|asset_triggered|dataset_triggered)__[\w.:+-]+", "<run>"),
        # AWS and Azure name each request, in letters that need not be hexadecimal
        (
            "equest",
            r"([rR](?<!\w.)equest[ _-]?[iI][dD]\b[\"']?[:= ]{1,3}[\"']?)[\w+/=-]{8,120}",
            r"\1<id>",
        ),
        ("ostI", r"(\b[Hh]ostId\b[\"']?[:= ]{1,3}[\"']?)[\w+/=-]{8,120}", r"\1<id>"),
        ("-", r"-(?<=[a-z0-9].)[a-f0-9]{8,10}-[a-z0-9]{5}\b", "-<pod>"),
        ("-", r"-(?<=[a-z].)(?=[a-z]{0,7}\d)(?=[0-9]{0,7}[a-z])(?:[a-z0-9]{8}|[a-z0-9]{5})\b", "-<pod>"),
        ("0x", r"\b0x[0-9a-fA-F]+\b", "<hex>"),
        # with a digit at least: of most words nothing is asked
        (
            "",
            r"[A-Za-z0-9](?<![A-Za-z0-9].)(?:(?<=\d)|(?=[A-Za-z]{0,126}\d))[A-Za-z0-9]{7,127}(?![A-Za-z0-9])",
            _made_up,
        ),
        # digits alone are a number, not a time: an account of AWS has twelve
        (
            "",
            r"\d(?<!\d.)\d{3}(?:-\d\d-?\d\d|\d\d-\d\d|_\d\d_\d\d|\d{4}(?=[T_]| \d\d:))[T_ ]?\d\d[:_]?\d\d(?:[:_]?\d\d(?:[.,_]\d+)?)?"
            r"(?: ?(?:Z|UTC|[+_-]\d\d[:_]?\d\d))?",
            "<time>",
        ),
        ("", r"\d(?<!\d.)\d{3}[-/]\d\d[-/]\d\d(?!\d)", "<time>"),
        (":", r"\d(?<!\d.)\d?:\d\d:\d\d(?:[.,]\d+)?(?: ?[+-]\d\d:?\d\d)?", "<time>"),
        (".", r"\d(?<!\w.)\d{0,2}(?:\.\d{1,3}){3}\b(?::\d+)?", "<ip>"),
        ("ip-", r"\bip-\d{1,3}(?:-\d{1,3}){3}\b", "<ip>"),
        # where Python is installed does not distinguish; what is installed in it does
        ("-packages/", r"(?:/[^\s'\":/]{1,80}){0,12}/python\d(?:\.\d+)?/(?:site|dist)-packages/", "<lib>/"),
        # a status of HTTP is a reason, where it is called one; every other number is a value
        (
            "tatus",
            r"([sS](?<!\w.)(?<![eE]xit .)tatus(?:[ _-]?[cC]ode)?[\"']?[:= ]{1,3})(?=[2-5]\d\d(?![\d.]))",
            rf"\1{_KEPT}",
        ),
        (
            "",
            rf"[-+0-9](?<![A-Za-z_0-9{_KEPT}].)(?:(?<=\d)\d*|(?<=[-+])\d+)(?:[.,]\d+)*(?:[eE][-+]?\d+)?",
            "<n>",
        ),
        ("", r"\d(?<=[A-Za-z_].)\d\d+(?![A-Za-z])", "<n>"),
        ("calling o", r"(?<=calling o)\d+", "<n>"),
        (_KEPT, _KEPT, ""),
    )
)
_ANYWHERE = 5  # how many of the list need no digit
_DIGIT = re.compile(r"\d")


def without_prefix(name: str) -> str:
    """A name without the hash that Airflow puts before modules of DAG files."""
    return _UNUSUAL_PREFIX.sub("", name) if "unusual_prefix_" in name else name


@lru_cache(maxsize=8192)
def blank(message: str) -> str:
    """The message with numbers, times, ids, addresses and hashes blanked; words and quoted names stay."""
    return " ".join(_blanked(message, has_digit=_DIGIT.search(message) is not None).split())


def blank_all(messages: Sequence[str]) -> list[str]:
    """`blank` of many lines, as one text: no expression reaches over a line's end, and of two dozen each is called once.
    Of lines without a digit less is asked, so they are a text of their own."""
    done: dict[str, str] = {}
    for has_digit in (False, True):
        lines = [
            one for one in {*messages} if "\n" not in one and (_DIGIT.search(one) is not None) is has_digit
        ]
        blanked = _blanked("\n".join(lines), has_digit=has_digit).split("\n")
        if len(blanked) == len(lines):
            done.update(zip(lines, (" ".join(one.split()) for one in blanked), strict=True))
    return [done[one] if one in done else blank(one) for one in messages]


def _blanked(text: str, *, has_digit: bool) -> str:
    text = without_prefix(text)
    for hint, pattern, replacement in _BLANKS if has_digit else _BLANKS[:_ANYWHERE]:
        if hint in text:
            text = pattern.sub(replacement, text)
    return text
