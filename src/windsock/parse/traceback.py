"""Printed Python tracebacks: which exception was raised at the end, with which message, from which line of user code.

Shapes: CPython's `traceback` module (chains, groups with `| ` margins, `[Previous line repeated …]`), and its habit of
printing causes first: of a chain the last block is what was raised. A message may itself hold printed tracebacks
(remote workers, child processes): a block counts only when it is linked by a chain sentence or starts in Airflow's runner.
"""

from __future__ import annotations

import re

from windsock.parse.reading import Failure, is_user_file

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
_UNUSUAL_PREFIX = re.compile(r"unusual_prefix_[0-9a-f]{40}_")


def last_exception(text: str) -> Failure | None:
    """The exception that was raised at the end of the traceback in `text`, or None where there is none."""
    lines = text.split("\n")
    starts = [no for no, line in enumerate(lines) if START in line and not line.lstrip(" +").startswith("|")]
    if not starts:
        return None
    start = _raised(lines, starts)
    is_group = "Exception Group" in lines[start]
    frame: tuple[str, str] | None = None
    for no in range(start + 1, len(lines)):
        line = lines[no]
        if match := _FRAME.match(line):
            if match["name"] and is_user_file(match["file"]):
                frame = (match["file"].replace("\\", "/").rsplit("/", 1)[-1], match["name"].strip())
            continue
        if is_group:
            line = line.removeprefix("  | ")
        if not line.strip() or line[0].isspace() or line[0] in "^~[|+╭│╰":
            continue
        if match := _EXCEPTION.match(line.rstrip()):
            return Failure(
                clean_type(match["type"]), _message(match["message"] or "", lines[no + 1 :]), frame
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
    return _UNUSUAL_PREFIX.sub("", name).rsplit(".", 1)[-1]
