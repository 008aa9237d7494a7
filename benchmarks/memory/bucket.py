"""A lake in a bucket for the benchmark: the tests' S3 server, in a process of its own, filled from a folder."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.object_server import ObjectServer

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where the lake lies."""

    endpoint: str
    url: str = "s3://lake/prod"


@contextmanager
def bucket(folder: Path) -> Iterator[Bucket]:
    """The files below `folder` as objects below `s3://lake/prod`."""
    command = [sys.executable, "-m", "benchmarks.memory.bucket", str(folder)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin
        assert server.stdout
        try:
            yield Bucket(server.stdout.readline().strip())
        finally:
            server.stdin.close()  # it ends with its standard input


if __name__ == "__main__":
    root = Path(sys.argv[1])
    with ObjectServer() as serving:
        for path in root.rglob("*"):
            if path.is_file():
                serving.put("lake", f"prod/{path.relative_to(root)}", path.read_bytes())
        print(serving.url, flush=True)
        sys.stdin.read()
