"""What rows tell of exceptions: short type, redacted message, signature; of all exceptions of a batch at once, or of one."""

from __future__ import annotations

from collections.abc import Iterable

from windsock.parse.reading import Failure, Reading
from windsock.redaction import redact
from windsock.signature import error_signature, error_signatures, is_of_command, short_type

Signed = dict[int, tuple[str | None, str, str | None]]
"""Short type, redacted message and signature of exceptions that live, by their `id`."""


def sign_all(readings: Iterable[Reading]) -> Signed:
    """All that rows will tell of, but those beside a command's output, which may have a say."""
    failures = {
        id(one): one
        for reading in readings
        if not reading.command_output
        for one in (reading.failure, *(record.failure for record in reading.records))
        if one
    }
    raised = [(one.type, redact(one.message), one.frame) for one in failures.values()]
    return {
        key: (short_type(kind), message, signature)
        for key, (kind, message, _), signature in zip(
            failures, raised, error_signatures(raised), strict=True
        )
    }  # fmt: skip


def told_of(failure: Failure, reading: Reading, signed: Signed) -> tuple[str | None, str, str | None]:
    """What rows tell of one exception of a reading; `signed` learns of it where it does not know it."""
    told = signed.get(id(failure))
    if told is None:
        told = (
            short_type(failure.type),
            redact(failure.message),
            signature_of(failure, reading.command_output),
        )
        signed[id(failure)] = told
    return told


def signature_of(failure: Failure, output: list[str]) -> str | None:
    """Redacted before it is put together; the output is looked at only where a command failed."""
    telling = [redact(line) for line in output] if output and is_of_command(failure.message) else []
    return error_signature(failure.type, redact(failure.message), failure.frame, telling)
