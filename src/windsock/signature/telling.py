"""Which line of many says what went wrong: of a message with several lines, and of a command's output."""

from __future__ import annotations

import re
from collections.abc import Sequence

MAX_LINE = 2000
MAX_LINES = 60  # of a message; what is further down is a dump
_ANSI = re.compile(r"\x1b\[[0-9;?]{0,16}[A-Za-z]")
_TELLING = re.compile(
    r"error|exception|fail|fatal|denied|refused|not found|no such|cannot|can't|unable|killed|timed? ?out|invalid|"
    r"does not exist|not permitted|no space|unknown|undefined|missing|not recognized|unexpected|ORA-\d",
    re.IGNORECASE,
)
# what raised, in the words of Python, Java, dbt, npm and shells
_RAISED = re.compile(
    r"(?:[\w$]+\.)*[A-Z]\w*(?:Error|Exception|Failure|Exit|Interrupt)\b(?::|$)|Caused by: |"
    r"(?:\S+ ){0,3}(?:Database|Compilation|Runtime|Parsing|Dependency|Validation) Error\b|(?:\S+: ){1,4}\S.*(?:not found|No such file)"
)
# says that something is wrong, and leaves what to the next line
_ANNOUNCES = re.compile(
    r".*:$|(?:\S+ ){0,3}(?:Database|Compilation|Runtime|Parsing|Dependency|Validation) Error\b(?: in .*)?$"
)
_NOISE = re.compile(
    r"Traceback \(most recent|Running command|Output:$|Command exited with|Tmp dir|Temporary script|File \"|at [\w.$<>]+\(|"
    r"\.\.\. \d+ (?:more|common)|Done\. PASS=|PASS=\d|Completed with|[\^~ ]+$|raise |Container exited|Pod .{0,80}phase|"
    r"error line \d+ at position|npm (?:ERR!|error) (?:A complete log|code |errno |command |path )|"
    r"Process finished with exit code|make: \*\*\* |compiled code at |compiled Code at |\(Background on this error at|"
    r"[\[{}\]()',]+$"
)
_PREFIX = re.compile(
    r"(?:\[[\w.-]{1,40}\] )?(?:\d{4}[-/]\d\d[-/]\d\d[T ])?(?:\d\d:\d\d:\d\d(?:[.,]\d{1,6})?Z? +)?"
    r"(?:\[(?:error|ERROR|fatal|FATAL)\] ?:? )?(?:b['\"])?"
)
_REASON = re.compile(r"'reason': '(OOMKilled|ContainerCannotRun|Evicted|DeadlineExceeded|StartError)'")
_BODY = re.compile(r"\"message\": ?\"((?:[^\"\\]|\\.){1,400})\"")


def clean_line(line: str) -> str:
    """A line without colours and without the time, container or level that its program puts in front."""
    return _PREFIX.sub("", _ANSI.sub("", line[: 2 * MAX_LINE]).strip(), count=1).strip()


def said_by(text: str) -> str:
    """What a message says in one line: its first; where that only announces (`SQL compilation error:`), names no reason
    (`(404)`) or hides it (Java behind Py4J, a pod's state), with the line that does."""
    lines = [line.strip() for line in text[: 4 * MAX_LINE].split("\n", MAX_LINES)[:MAX_LINES] if line.strip()]
    if not lines:
        return ""
    first, rest = lines[0], lines[1:]
    if reason := _REASON.search(text[: 8 * MAX_LINE]):
        return f"{first} {reason[1]}"
    if rest and rest[0].startswith(": ") and first.startswith("An error occurred while calling"):
        return f"An error occurred while calling{rest[0]}"
    if rest and sum(map(str.isalpha, first)) < 3:
        told = _BODY.search(text[: 8 * MAX_LINE])
        return " ".join((first, rest[0], told[1] if told else ""))
    if first.endswith(":") and rest:
        return f"{first} {_what_is_announced(rest)}"
    return first


def _what_is_announced(lines: Sequence[str]) -> str:
    plain = [line for line in lines if not _NOISE.match(line)]
    if len(plain) < len(
        lines
    ):  # a traceback or a dump follows: what it ends with, or speaks of an error, tells
        return telling_line(lines) or lines[-1]
    return plain[0]


def telling_line(lines: Sequence[str]) -> str:
    """The last output line that names what was raised, else one that speaks of an error, else the last with text."""
    texts = [clean_line(line) for text in lines for line in text.split("\n")]
    texts = [line for line in texts if line and not _NOISE.match(line)]
    for wanted in (_RAISED.match, _TELLING.search):
        for no in range(len(texts) - 1, -1, -1):
            if wanted(texts[no][:MAX_LINE]):
                has_more = _ANNOUNCES.match(texts[no]) and no + 1 < len(texts)
                return f"{texts[no]} {texts[no + 1]}" if has_more else texts[no]
    return texts[-1] if texts else ""


def is_telling(line: str) -> bool:
    """Whether a line speaks of something that went wrong."""
    return bool(_TELLING.search(line[:MAX_LINE]))
