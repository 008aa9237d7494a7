"""Error signatures: the same error has the same signature, across weeks, hosts, input order and Airflow versions.

Short exception type (Airflow 3 prints no module), the message with its values blanked and its quoted names kept,
and the innermost frame of the user's own code. No line numbers, no installation paths.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2s

MAX_LENGTH = 300
_UNUSUAL_PREFIX = re.compile(r"unusual_prefix_[0-9a-f]{40}_")
_BLANKS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, flags), to)
    for pattern, flags, to in (
        (r"\x1b\[[0-9;]*[A-Za-z]", 0, ""),
        (r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE, "<id>"),
        (
            r"\b\d{4}-\d\d-\d\d(?:[T _]\d\d[:_]\d\d(?:[:_]\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?",
            0,
            "<time>",
        ),
        (r"\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b", 0, "<time>"),
        (r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b", 0, "<ip>"),
        (r"\b0x[0-9a-f]+\b", re.IGNORECASE, "<hex>"),
        (r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,}\b", re.IGNORECASE, "<hex>"),
        (r"(?<![A-Za-z_])[-+]?\d+(?:[.,]\d+)*(?:e[-+]?\d+)?(?:%|\b)", re.IGNORECASE, "<n>"),
        (r"(?<=[A-Za-z_-])\d{3,}\b", 0, "<n>"),
        (r"\s+", 0, " "),
    )
)
_TELLING = re.compile(
    r"error|exception|fail|fatal|denied|refused|not found|no such|cannot|can't|unable|killed|timed? ?out|traceback|invalid",
    re.IGNORECASE,
)
COMMAND = re.compile(
    r"(?:Bash command failed|command returned a non-zero exit code|Pod .{0,200}returned a failure|"
    r"SSH command|exit status|Cannot execute: .{0,80}spark-submit|The command exited with)",
    re.IGNORECASE,
)


def short_type(name: str | None) -> str | None:
    """An exception's class without module and without Airflow's file hash."""
    if not name:
        return None
    return _UNUSUAL_PREFIX.sub("", name.strip()).rsplit(".", 1)[-1] or None


def blank(message: str) -> str:
    """The message with numbers, times, ids, addresses and hashes blanked; words and quoted names stay."""
    message = _UNUSUAL_PREFIX.sub("", message)
    for pattern, replacement in _BLANKS:
        message = pattern.sub(replacement, message)
    return message.strip()


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
    text = message or ""
    if text and COMMAND.search(text) and (line := _telling_line(command_output)):
        text = f"{_first_line(text)} | {line}"
        frame = None
    blanked = blank(_first_line(text))
    if not kind and not blanked:
        return None
    signature = f"{kind}: {blanked}" if kind and blanked else kind or blanked
    if frame and frame[0]:
        signature += f" @ {frame[0].rsplit('/', 1)[-1]}:{frame[1]}"
    if len(signature) <= MAX_LENGTH:
        return signature
    # a hash of the whole keeps two long messages with one beginning apart
    return f"{signature[: MAX_LENGTH - 11]}… {blake2s(signature.encode(), digest_size=4).hexdigest()}"


def _first_line(text: str) -> str:
    for line in text.split("\n"):
        if line.strip():
            return line.strip()
    return ""


def _telling_line(lines: Sequence[str]) -> str:
    """The last output line that speaks of an error, else the last line with any text."""
    texts = [line.strip() for line in lines if line.strip()]
    telling = [line for line in texts if _TELLING.search(line)]
    return (telling or texts or [""])[-1]
