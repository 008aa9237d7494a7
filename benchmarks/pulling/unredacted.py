"""`windsock` without a look for secrets in task logs: what is missing to the whole is what redaction costs a pull."""

from __future__ import annotations

from unittest.mock import patch

from windsock.cli import main
from windsock.parse import batch, signing, task_log

if __name__ == "__main__":
    with (
        patch.object(task_log, "redact", lambda text: text),
        patch.object(signing, "redact", lambda text: text),
        patch.object(batch, "learn", lambda texts: None),
    ):
        main()
