"""Work folders: gone with their process, and never taken from one that is at work."""

import subprocess
import sys
from pathlib import Path

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
