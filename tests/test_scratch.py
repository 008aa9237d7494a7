"""Work folders: gone with their process, and never taken from one that is at work."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

_MANY = """
import pathlib, sys
from windsock.scratch import scratch_folder
for _ in range(150):
    with scratch_folder(pathlib.Path(sys.argv[1])) as folder:
        (folder / "rows").write_text("")
        (folder / "rows").read_text()
"""


def test_processes_that_start_at_once_leave_each_others_folders_alone(tmp_path: Path) -> None:
    started = [subprocess.Popen([sys.executable, "-c", _MANY, str(tmp_path)]) for _ in range(4)]
    assert [one.wait() for one in started] == [0, 0, 0, 0]
    assert list(tmp_path.iterdir()) == []


_SPILL = """
import os, pathlib, signal, sys
from windsock.lake import Lake
from windsock.week import Week
def spill(conn):
    conn.execute("set memory_limit = '60MB'")
    conn.execute("create temp table many as select range as n, repeat('x', 200) || range as text from range(600000)")
    where = pathlib.Path(conn.execute("select current_setting('temp_directory')").fetchone()[0])
    assert list(where.iterdir()), where
    if sys.argv[2] == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
Lake.open(sys.argv[1], deployment="prod", create=True).read(Week.parse("2026-W47"), spill)
"""


@pytest.mark.parametrize(("end", "status"), [("", 0), ("kill", -signal.SIGKILL)])
def test_what_does_not_fit_into_memory_never_lies_in_the_working_directory(
    tmp_path: Path, end: str, status: int
) -> None:
    """A reader that is killed leaves its work folder below TMPDIR, and the next one takes it away."""
    place, temp = tmp_path / "here", tmp_path / "temp"
    place.mkdir(), temp.mkdir()
    lake = str(tmp_path / "lake")

    def run(how: str) -> int:
        asked = [sys.executable, "-c", _SPILL, lake, how]
        return subprocess.run(
            asked, cwd=place, env={**os.environ, "TMPDIR": str(temp)}, check=False
        ).returncode

    assert run(end) == status
    assert list(place.iterdir()) == []
    assert run("") == 0
    assert list(temp.iterdir()) == [] and list(place.iterdir()) == []
