"""Error signatures: the same error has the same signature, across weeks, hosts, input order and Airflow versions.

Short exception type (Airflow 3 prints no module), the message with its values blanked and its quoted names kept,
and the innermost frame of the user's own code. No line numbers, no installation paths.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2s

from windsock.signature.blanks import blank, blank_all, without_prefix
from windsock.signature.telling import MAX_LINE, is_telling, said_by, telling_line

MAX_LENGTH = 300
Frame = tuple[str, str] | None
"""The innermost line of the user's own code, as (file, function)."""
# where a task was when it was stopped is chance, not cause
_STOPPED = frozenset(
    ["AirflowTaskTimeout", "AirflowTaskTerminated", "KeyboardInterrupt", "SoftTimeLimitExceeded"]
)
_COMMAND = re.compile(
    r"(?:Bash command failed|command returned a non-zero exit code|Pod .{0,200}returned a failure|Pod Launching failed|"
    r"SSH command|SSH operator error|error running cmd|exit status|Cannot execute: .{0,2000}?spark-submit|"
    r"The command exited with|returned non-zero exit status|Docker container failed|dbt command failed|"
    r"exited with code \d|exit code:? \d|^Trigger failure$)",
    re.IGNORECASE,
)
_COMMAND_HINTS = ("ommand", "xit", "Pod ", "ontainer", "execute", "error running", "Trigger f")
_FRAME = re.compile(r" @ [^ ]+:[^ @]+$")
_SYSTEM_EXIT = re.compile(r"Task failed due to SystemExit\((.{0,1500})\)$", re.DOTALL)
_RETURN_CODE = re.compile(r"return code (?:Negsignal\.(?P<name>\w+)|(?P<code>-?\d+))$")
# a process that a signal ended: Python says its number below zero, shells and containers above 128
_SIGNALS = {2: "SIGINT", 6: "SIGABRT", 9: "SIGKILL", 11: "SIGSEGV", 15: "SIGTERM"}
_BY_SIGNAL = {-n: name for n, name in _SIGNALS.items()} | {128 + n: name for n, name in _SIGNALS.items()}
_CODE = re.compile(r"(?:code:?|status|StatusCode['\"]?:|status =) ?(-?\d{1,3})\b")


def short_type(name: str | None) -> str | None:
    """An exception's class without module and without Airflow's file hash."""
    return without_prefix(name.strip()).rsplit(".", 1)[-1] or None if name else None


def without_frame(signature: str) -> str:
    """The signature without the place in the code: one bad credential fails every DAG in a line of its own."""
    return _FRAME.sub("", signature)


def signal_of(message: str) -> str | None:
    """The signal that ended a command, by the exit code in the message that says so; None when none did."""
    found = _CODE.search(message[:MAX_LINE])
    return _BY_SIGNAL.get(int(found[1])) if found else None


def is_of_command(message: str) -> bool:
    """Whether a message only says that a command failed, which its output tells more of."""
    for hint in _COMMAND_HINTS:  # no `any`: this is asked for each failure, three times
        if hint in message:
            return _COMMAND.search(message) is not None
    return False


def error_signature(
    exception_type: str | None,
    message: str | None,
    frame: Frame = None,
    command_output: Sequence[str] = (),
) -> str | None:
    """`Type: blanked message @ file.py:function`, at most 300 characters; None when nothing is known.

    For a failed command the message says only that it failed: its last telling output line takes the place.
    """
    kind, said, frame = _prepared(exception_type, message, frame, command_output)
    return _put_together(kind, blank(said), frame)


def error_signatures(raised: Sequence[tuple[str | None, str | None, Frame]]) -> list[str | None]:
    """`error_signature` of many exceptions (type, message, frame): their messages are blanked together."""
    told = [_prepared(*one) for one in raised]
    texts = blank_all([said for _kind, said, _frame in told])
    return [
        _put_together(kind, blanked, frame)
        for (kind, _said, frame), blanked in zip(told, texts, strict=True)
    ]  # fmt: skip


def _prepared(
    exception_type: str | None, message: str | None, frame: Frame = None, command_output: Sequence[str] = ()
) -> tuple[str | None, str, Frame]:
    """The type, what is said in one line, and the frame, of those that tell the failure."""
    kind, text = _as_newest(short_type(exception_type), message or "")
    said = said_by(text)
    if is_of_command(said):
        said, frame = _of_command(said, command_output), None if command_output else frame
    elif kind in _STOPPED:
        frame = None
    return kind, said[:MAX_LINE], frame


def _put_together(kind: str | None, blanked: str, frame: Frame) -> str | None:
    if not kind and not blanked:
        return None
    signature = f"{kind}: {blanked}" if kind and blanked else kind or blanked
    if frame and frame[0]:
        signature += f" @ {frame[0].rsplit('/', 1)[-1]}:{frame[1]}"
    if len(signature) <= MAX_LENGTH:
        return signature
    # a hash of the whole keeps two long messages with one beginning apart
    return f"{signature[: MAX_LENGTH - 11]}… {blake2s(signature.encode('utf-8', 'replace'), digest_size=4).hexdigest()}"


def _as_newest(kind: str | None, text: str) -> tuple[str | None, str]:
    """Endings that older versions of Airflow tell in other words, in those of the newest."""
    if kind == "AirflowException":
        if found := _SYSTEM_EXIT.match(text):
            return "SystemExit", found[1]
        if "received SIGTERM signal" in text[:200]:
            return "AirflowTaskTerminated", text
    if kind == "TaskDeferralError" and text == "Trigger/execution timeout":
        return "TaskDeferralTimeout", "Trigger timeout"
    if not kind and (found := _RETURN_CODE.match(text)):
        name = found["name"] or _BY_SIGNAL.get(int(found["code"]))
        return None, f"killed by {name}" if name else f"exit code {found['code']}"
    return kind, text


def _of_command(said: str, output: Sequence[str]) -> str:
    """What a failed command says of itself. Of one that was killed only a line that speaks of an error: else it is chance."""
    signal, line = signal_of(said), telling_line(output) if output else ""
    # the command is told by its output; without any, it is all there is
    words = "Cannot execute spark-submit" if line and said.startswith("Cannot execute:") else said
    if signal:
        words += f" ({signal})"
        line = line if is_telling(line) else ""
    return f"{words} | {line}" if line else words
