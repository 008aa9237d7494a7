"""Error signatures: the same error has the same signature, across weeks, hosts, input order and Airflow versions.

Short exception type (Airflow 3 prints no module), the message with its values blanked and its quoted names kept,
and the innermost frame of the user's own code. No line numbers, no installation paths.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2s

MAX_LENGTH = 300
_MAX_LINE = 2000
_UNUSUAL_PREFIX = re.compile(r"unusual_prefix_[0-9a-f]{40}_")
# (a literal that must occur, expression, replacement); all but the first three can only match where there is a digit
_BLANKS: tuple[tuple[str, re.Pattern[str], str], ...] = tuple(
    (hint, re.compile(pattern), to)
    for hint, pattern, to in (
        ("\x1b", r"\x1b\[[0-9;]*[A-Za-z]", ""),
        # pods: any random end after the word, elsewhere a replica set's hash and five, or five or eight with a digit
        ("od ", r"(?<=\b[Pp]od )([a-z0-9.-]{1,200})-[a-z0-9]{5,32}\b", r"\1-<pod>"),
        # what is asked for in a query is data; the path before it is kept
        ("?", r"\?[\w%.+~-]{1,64}=[^\s'\"<>)\]]*", "?<query>"),
        ("-", r"(?i)(?<![A-Za-z0-9])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![A-Za-z0-9])", "<id>"),
        # run ids: a word of Airflow's, a time, and for assets a random end
        ("__", r"\b(?:scheduled|manual|backfill|asset_triggered|dataset_triggered)__[\w.:+-]+", "<run>"),
        ("-", r"(?<=[a-z0-9])-[a-f0-9]{8,10}-[a-z0-9]{5}\b", "-<pod>"),
        ("-", r"(?<=[a-z])-(?=[a-z]{0,7}\d)(?=[0-9]{0,7}[a-z])(?:[a-z0-9]{8}|[a-z0-9]{5})\b", "-<pod>"),
        (
            "",
            r"(?i)\b0x[0-9a-f]+\b|"
            r"(?<![a-z0-9])(?=[0-9a-f]{0,64}\d)(?=[0-9a-f]{0,64}[a-f])[0-9a-f]{8,}(?![a-z0-9])",
            "<hex>",
        ),
        (
            "",
            r"(?<!\d)\d{4}-?\d\d-?\d\d[T_ ]?\d\d[:_]?\d\d(?:[:_]?\d\d(?:[.,]\d+)?)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?|"
            r"(?<!\d)\d{4}-\d\d-\d\d(?!\d)|(?<!\d)\d{1,2}:\d\d:\d\d(?:[.,]\d+)?(?: ?[+-]\d\d:?\d\d)?",
            "<time>",
        ),
        (".", r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b", "<ip>"),
        # where Python is installed does not distinguish; what is installed in it does
        ("-packages/", r"(?:/[^\s'\":/]{1,80}){0,12}/python\d(?:\.\d+)?/(?:site|dist)-packages/", "<lib>/"),
        ("", r"(?i)(?<![A-Za-z_0-9])[-+]?\d+(?:[.,]\d+)*(?:e[-+]?\d+)?", "<n>"),
        ("", r"(?<=[A-Za-z_])\d{3,}(?![A-Za-z])", "<n>"),
    )
)
_ANYWHERE = 3  # how many of the list need no digit
_DIGIT = re.compile(r"\d")
_TELLING = re.compile(
    r"error|exception|fail|fatal|denied|refused|not found|no such|cannot|can't|unable|killed|timed? ?out|invalid|"
    r"does not exist|not permitted|no space|unknown|undefined|missing|not recognized|unexpected",
    re.IGNORECASE,
)
# what raised, in the words of Python, Java, dbt and shells
_RAISED = re.compile(
    r"(?:[\w$]+\.)*[A-Z]\w*(?:Error|Exception|Failure|Exit|Interrupt)\b(?::|$)|Caused by: |"
    r"(?:\S+ ){0,3}(?:Database|Compilation|Runtime|Parsing|Dependency|Validation) Error\b|(?:\S+: ){1,4}\S.*(?:not found|No such file)"
)
_NOISE = re.compile(
    r"Traceback \(most recent|Running command|Output:$|Command exited with|Tmp dir|Temporary script|File \"|at [\w.$<>]+\(|"
    r"\.\.\. \d+ (?:more|common)|(?:[\d:]+ +)?Done\. PASS=|(?:[\d:]+ +)?Completed with|[\^~ ]+$|raise |Container exited|Pod .{0,80}phase"
)
_PREFIX = re.compile(r"(?:\[[\w.-]{1,40}\] )?(?:\d\d:\d\d:\d\d +)?(?:b['\"])?")
# where a task was when it was stopped is chance, not cause
_STOPPED = frozenset(
    ["AirflowTaskTimeout", "AirflowTaskTerminated", "KeyboardInterrupt", "SoftTimeLimitExceeded"]
)
COMMAND = re.compile(
    r"(?:Bash command failed|command returned a non-zero exit code|Pod .{0,200}returned a failure|Pod Launching failed|"
    r"SSH command|SSH operator error|error running cmd|exit status|Cannot execute: .{0,2000}?spark-submit|"
    r"The command exited with|returned non-zero exit status|Docker container failed|dbt command failed|"
    r"exited with code \d|exit code:? \d)",
    re.IGNORECASE,
)


def short_type(name: str | None) -> str | None:
    """An exception's class without module and without Airflow's file hash."""
    if not name:
        return None
    return _UNUSUAL_PREFIX.sub("", name.strip()).rsplit(".", 1)[-1] or None


@lru_cache(maxsize=8192)
def blank(message: str) -> str:
    """The message with numbers, times, ids, addresses and hashes blanked; words and quoted names stay."""
    if "unusual_prefix_" in message:
        message = _UNUSUAL_PREFIX.sub("", message)
    for hint, pattern, replacement in _BLANKS if _DIGIT.search(message) else _BLANKS[:_ANYWHERE]:
        if hint in message:
            message = pattern.sub(replacement, message)
    return " ".join(message.split())


def error_signature(
    exception_type: str | None,
    message: str | None,
    frame: tuple[str, str] | None = None,
    command_output: Sequence[str] = (),
) -> str | None:
    """`Type: blanked message @ file.py:function`, at most 300 characters; None when nothing is known.

    For a failed command the message says only that it failed: its last telling output line takes the place.
    """
    kind = short_type(exception_type)
    text = _first_line(message or "")
    if command_output and COMMAND.search(text) and (line := _telling_line(command_output)):
        text, frame = f"{_command_words(text)} | {line}", None
    elif kind in _STOPPED or "SIGTERM signal" in text:
        frame = None
    blanked = blank(text[:_MAX_LINE])
    if not kind and not blanked:
        return None
    signature = f"{kind}: {blanked}" if kind and blanked else kind or blanked
    if frame and frame[0]:
        signature += f" @ {frame[0].rsplit('/', 1)[-1]}:{frame[1]}"
    if len(signature) <= MAX_LENGTH:
        return signature
    # a hash of the whole keeps two long messages with one beginning apart
    return f"{signature[: MAX_LENGTH - 11]}… {blake2s(signature.encode('utf-8', 'replace'), digest_size=4).hexdigest()}"


def _command_words(text: str) -> str:
    """The command's own sentence without the command: that is told by the output."""
    return "Cannot execute spark-submit" if text.startswith("Cannot execute:") else text


def _first_line(text: str) -> str:
    """The first line; where it only announces (`SQL compilation error:`), with the line that says what."""
    lines = [line.strip() for line in text[: 4 * _MAX_LINE].split("\n") if line.strip()]
    if not lines:
        return ""
    if lines[0].endswith(":") and len(lines) > 1:
        return f"{lines[0]} {lines[-1] if _NOISE.match(lines[1]) else lines[1]}"
    return lines[0]


def _telling_line(lines: Sequence[str]) -> str:
    """The last output line that names what was raised, else one that speaks of an error, else the last with text."""
    texts = [_PREFIX.sub("", line.strip(), count=1).strip() for text in lines for line in text.split("\n")]
    texts = [line for line in texts if line and not _NOISE.match(line)]
    for wanted in (_RAISED.match, _TELLING.search):
        if found := [line for line in texts if wanted(line[:_MAX_LINE])]:
            return found[-1]
    return texts[-1] if texts else ""
