"""Runs a windsock command and then tells the peak of its own memory, imports included.

The kernel's high-water mark of this address space (VmHWM), not `ru_maxrss`: that one a child inherits from its parent.
"""

from __future__ import annotations

import sys
from pathlib import Path

from windsock.cli import main


def peak_bytes() -> int:
    """VmHWM of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise OSError("no VmHWM here; the benchmark needs Linux")


if __name__ == "__main__":
    told = Path(sys.argv[1])
    sys.argv = ["windsock", *sys.argv[2:]]
    try:
        main()
    finally:
        told.write_text(str(peak_bytes()))
