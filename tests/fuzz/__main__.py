"""`python -m tests.fuzz [seconds] [corpus folder]`: coverage-guided fuzzing of both reading paths (atheris, libFuzzer).

What is found is kept in the folder; a difference or a crash ends the run and leaves its input as `crash-…`. The corpus in
tests/data/fuzz is replayed by the everyday tests (tests/parse/test_fuzz_corpus.py).
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(
    # of the lake and the stores what Python makes of hostile bytes (tests/fuzz/stored.py)
    include=[
        "windsock.parse",
        "windsock.redaction",
        "windsock.signature",
        "windsock.signature.blanks",
        "windsock.lake",
        "windsock.store",
    ]
):
    from tests.fuzz.inputs import CORPUS, check, seeds

WORDS = [
    '{"timestamp":"', '","level":"info","event":"', '"level":"debug",', '","logger":"task"}', '"error_detail":[{"exc_type":"E","exc_value":"v","frames":[]}]',
    "::group::Pre Execute", "Task failed with exception", "[2026-11-23T15:22:59.673+0000] {", "taskinstance.py:1} INFO - ", "} ERROR - ",
    "Traceback (most recent call last):", "Marking task as FAILED.", "Task exited with return code ", "2026-11-23T15:23:27.467692Z", "+0530", "\\x0a====\\x0a",
    "DAG bundles loaded", "Bash command failed", "password=", "\\\\u0000", "\\x1b[0m", "textPayload", "continuation_token", '{"log":"', '","stream":"stdout"}', '"logtag":"P"', '"time":1}', " stdout P ", " stderr F ", "dag_id=d/run_id=r/task_id=t/attempt=1.log", "@-@{", "\\x00", "\\xe2\\x80\\xa8",
]  # fmt: skip


def main() -> None:
    """Write the seeds, then let libFuzzer run."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 1200
    folder = Path(sys.argv[2] if len(sys.argv) > 2 else tempfile.mkdtemp(prefix="windsock-fuzz-"))
    folder.mkdir(parents=True, exist_ok=True)
    for no, seed in enumerate(seeds()):
        (folder / f"seed-{no:03d}").write_bytes(seed)
    words = folder.parent / f"{folder.name}.dict"
    words.write_text("".join('"' + word.replace('"', '\\"') + '"\n' for word in WORDS))
    options = [
        f"-max_total_time={seconds}",
        f"-dict={words}",
        "-max_len=8192",
        "-timeout=20",
        "-rss_limit_mb=4096",  # the instrumentation itself grows by some 60 MB a minute; windsock does not
        f"-artifact_prefix={folder}/",
    ]
    atheris.Setup([sys.argv[0], *options, str(folder), str(CORPUS)], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
