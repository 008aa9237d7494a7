"""Printed Python tracebacks: which exception was raised at the end, with which message, from which line of user code.

Shapes: CPython's `traceback` module (chains, groups with `| ` margins, `[Previous line repeated …]`), and its habit of
printing causes first: of a chain the last block is what was raised. A message may itself hold printed tracebacks
(remote workers, child processes): a block counts only when it is linked by a chain sentence or starts in Airflow's runner.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from windsock.parse.reading import Failure, is_user_file, package_of

_Told = TypeVar("_Told")
_Place = tuple[tuple[str, str] | None, str | None]
"""The innermost frame of the user's, and the package of the innermost of all."""
_USUAL = 8192  # characters of a block that is remembered

START = "Traceback (most recent call last)"
_FRAME = re.compile(r'^\s*(?:[+|]\s*)*File "(?P<file>[^"\n]+)", line \d+(?:,? in (?P<name>.+))?$')
_EXCEPTION = re.compile(r"^(?P<type>[^\W\d][\w.]*(?:\.<locals>\.[\w.]+)*)(?:: ?(?P<message>.*))?$", re.DOTALL)
_LINKS = (
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
)
_RUNNER = re.compile(
    r"/airflow/(?:models(?:\.py|/)|jobs(?:\.py|/)|cli/|task/|bin/|utils/db\.py|sdk/execution_time/task_runner\.py)"
)
# a block's beginning, with the file of its first frame
_STARTS = re.compile(
    re.escape(START)
    + r'(?:[^\n]*\n[^\S\n]*(?:[+|][^\S\n]*)*File "(?P<file>[^"\n]+)", line \d+(?:,? in .+)?$)?',
    re.MULTILINE,
)
# the newline before the first line that is neither blank nor indented nor drawn as part of a frame
_TELLS = re.compile(r"[^\s^~[|+╭│╰]")
_TOLD = re.compile(rf"\n(?={_TELLS.pattern})")
_UNUSUAL_PREFIX = re.compile(r"unusual_prefix_[0-9a-f]{40}_")


def last_exception(text: str) -> Failure | None:
    """The exception that was raised at the end of the traceback in `text`, or None where there is none."""
    at = text.find(START)
    return _raised_by(text[text.rfind("\n", 0, at) + 1 :]) if at >= 0 else None


def _raised_by_block(text: str) -> Failure | None:
    """As `last_exception` of a text that begins with a traceback. Behind one whose frames are known and that is not linked
    to another stands what it tells."""
    last = text.find("\n", text.rfind("\n    ") + 1)
    tail = text[last + 1 :]
    is_told = last > 0 and _TELLS.match(tail) and "File" not in tail[:4]
    if is_told and START not in tail and "Exception Group" not in tail and (place := _frames(text[:last])):
        return _exception(tail, place)
    return _of_groups(text) if "Exception Group" in text else _plain(text)


def _plain(text: str) -> Failure | None:
    """As `_of_groups` for a text without groups, without a look at each line: the line that tells begins where no
    frame's line does, and the frame is sought from there backwards."""
    at = text.find(START)
    if text.find(START, at + 1) < 0 and not _has_margin(text, at):
        return _told(text[at:]) if at >= 0 else None
    at = -1
    is_runner = False
    for found in _STARTS.finditer(text):
        if _has_margin(text, found.start()):
            continue
        begin = text.rfind("\n", 0, found.start()) + 1
        from_runner = bool(found["file"] and _RUNNER.search(found["file"].replace("\\", "/")))
        if at < 0 or from_runner or (not is_runner and _line_before(text, begin) in _LINKS):
            at, is_runner = found.start(), from_runner
    return _told(text[at:]) if at >= 0 else None


def _has_margin(text: str, at: int) -> bool:
    """Whether a block begins behind the margin of a group."""
    return text[text.rfind("\n", 0, at) + 1 : at].lstrip(" +").startswith("|")


def _remembered(most: int, read: Callable[[str], _Told]) -> Callable[[str], _Told]:
    """`read`, whose results are kept for the last texts of usual length."""
    known = lru_cache(maxsize=most)(read)
    return lambda text: known(text) if len(text) <= _USUAL else read(text)


def _told(block: str) -> Failure | None:
    """What a block tells, from its beginning on."""
    for told in _TOLD.finditer(block):
        if _FRAME.match(block[told.end() :].partition("\n")[0]):
            continue
        return _exception(block[told.end() :], _innermost(block[: told.start()]))
    return None


def _exception(text: str, place: _Place) -> Failure | None:
    """The exception by which a text begins."""
    line, _newline, rest = text.partition("\n")
    if match := _EXCEPTION.match(line.rstrip()):
        message = _message(match["message"] or "", rest.split("\n") if rest else [])
        return Failure(clean_type(match["type"]), message, *place)
    return None


def _line_before(text: str, begin: int) -> str:
    """The last of the three lines before a line that is not blank."""
    for _ in range(3):
        if begin == 0:
            break
        before = text.rfind("\n", 0, begin - 1) + 1
        if line := text[before : begin - 1].strip():
            return line
        begin = before
    return ""


def _frames_of(block: str) -> _Place | None:
    """As `_innermost_of`, if the text is one traceback's beginning and frames, and nothing else."""
    is_one = block.startswith(START) and START not in block[1:]
    if is_one and not ("Exception Group" in block or _TOLD.search(block)):
        return _innermost_of(block)
    return None


def _innermost_of(block: str) -> _Place:
    """Of a block's beginning and frames: the innermost frame of the user's, and the package of the innermost of all."""
    package: str | None = None
    is_first = True
    stop = len(block)
    while (at := block.rfind('File "', 0, stop)) >= 0:
        begin = block.rfind("\n", 0, at) + 1
        end = block.find("\n", at)
        match = _FRAME.match(block[begin : end if end >= 0 else len(block)])
        if begin > 0 and match:
            if is_first:
                package, is_first = package_of(match["file"]), False
            if match["name"] and is_user_file(match["file"]):
                return (match["file"].replace("\\", "/").rsplit("/", 1)[-1], match["name"].strip()), package
        if begin == 0:
            break
        stop = begin - 1
    return None, package


_raised_by = _remembered(64, _raised_by_block)  # Airflow prints most twice, one soon after the other
_frames = _remembered(1024, _frames_of)
_innermost = _remembered(256, _innermost_of)  # frames are the same for all attempts that fail at one place


def _of_groups(text: str) -> Failure | None:
    """Line by line, since a group's lines have margins."""
    lines = text.split("\n")
    starts = [no for no, line in enumerate(lines) if START in line and not line.lstrip(" +").startswith("|")]
    if not starts:
        return None
    start = _raised(lines, starts)
    is_group = "Exception Group" in lines[start]
    frame: tuple[str, str] | None = None
    package: str | None = None
    for no in range(start + 1, len(lines)):
        line = lines[no]
        if match := _FRAME.match(line):
            package = package_of(match["file"])
            if match["name"] and is_user_file(match["file"]):
                frame = (match["file"].replace("\\", "/").rsplit("/", 1)[-1], match["name"].strip())
            continue
        if is_group:
            line = line.removeprefix("  | ")
        if not line.strip() or line[0].isspace() or line[0] in "^~[|+╭│╰":
            continue
        if match := _EXCEPTION.match(line.rstrip()):
            return Failure(
                clean_type(match["type"]), _message(match["message"] or "", lines[no + 1 :]), frame, package
            )
        return None
    return None


def _raised(lines: list[str], starts: list[int]) -> int:
    """Where the block of the raised exception begins; blocks inside a message are text."""
    chosen = starts[0]
    is_runner = _starts_in_runner(lines, chosen)
    for start in starts[1:]:
        from_runner = _starts_in_runner(lines, start)
        if from_runner or (not is_runner and _is_linked(lines, start)):
            chosen, is_runner = start, from_runner
    return chosen


def _starts_in_runner(lines: list[str], start: int) -> bool:
    following = lines[start + 1] if start + 1 < len(lines) else ""
    match = _FRAME.match(following)
    return bool(match and _RUNNER.search(match["file"].replace("\\", "/")))


def _is_linked(lines: list[str], start: int) -> bool:
    for line in reversed(lines[max(0, start - 3) : start]):
        if line.strip():
            return line.strip() in _LINKS
    return False


def _message(first: str, rest: list[str]) -> str:
    """The message with its further lines, up to the next link of the chain or the end of the text."""
    kept = [first]
    for line in rest:
        if line.strip() in _LINKS or line.startswith("  +-"):
            break
        kept.append(line)
    return "\n".join(kept).strip("\n").rstrip()


def clean_type(name: str) -> str:
    """A class name without its module and without Airflow's hash of the file."""
    if "unusual_prefix_" in name:
        name = _UNUSUAL_PREFIX.sub("", name)
    return name.rstrip(".").rsplit(".", 1)[-1]
