"""Printed Python tracebacks: which exception ended it, with which message, from which line of user code."""

from __future__ import annotations

import re

from windsock.parse.reading import Failure, is_user_file

_FRAME = re.compile(r'^\s*(?:[+|]\s*)*File "(?P<file>[^"\n]+)", line \d+, in (?P<name>.+)$')
_EXCEPTION = re.compile(r"^(?P<type>[A-Za-z_][\w.]*?[A-Za-z_]\w*)(?:: (?P<message>.*))?$", re.DOTALL)
_START = "Traceback (most recent call last):"
_UNUSUAL_PREFIX = re.compile(r"unusual_prefix_[0-9a-f]{40}_")
_MAX_MESSAGE_LINES = 40


def last_exception(text: str) -> Failure | None:
    """The exception that the last traceback of `text` ends in (of a chain the last is what was raised)."""
    lines = text.split("\n")
    starts = [no for no, line in enumerate(lines) if _START in line and not line.lstrip().startswith("|")]
    if not starts:
        return None
    start = starts[-1]
    is_group = "Exception Group" in lines[start]
    frame: tuple[str, str] | None = None
    for no in range(start + 1, len(lines)):
        line = lines[no]
        if match := _FRAME.match(line):
            if is_user_file(match["file"]):
                frame = (match["file"].rsplit("/", 1)[-1], match["name"].strip())
            continue
        bare = line.lstrip(" |") if is_group else line
        if (
            not bare.strip()
            or (line[:1].isspace() and not is_group)
            or line.lstrip(" |").startswith(("^", "~"))
        ):
            continue
        if is_group and line.startswith("    |   "):
            continue
        if match := _EXCEPTION.match(bare.rstrip()):
            return Failure(_clean(match["type"]), _message(match["message"] or "", lines[no + 1 :]), frame)
    return None


def _message(first: str, rest: list[str]) -> str:
    """The message with its further lines, up to the end of the text."""
    kept = [first]
    for line in rest[:_MAX_MESSAGE_LINES]:
        if line.lstrip().startswith(("+-", "|", "+ ")) or _START in line:
            break
        kept.append(line)
    return "\n".join(kept).rstrip()


def _clean(name: str) -> str:
    return _UNUSUAL_PREFIX.sub("", name).rsplit(".", 1)[-1]
