"""Virtual environments of their own for what must not meet windsock's libraries: Airflows, other Pythons, other DuckDBs.

They are made once below a cache folder (`WINDSOCK_E2E_CACHE`, else the user's) and named by what is in them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def cache() -> Path:
    """Where the environments are kept between runs."""
    base = os.environ.get("WINDSOCK_E2E_CACHE") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "windsock-e2e"


def interpreter(version: str) -> Path:
    """A Python of this minor version (`3.12`), or a skip that says how to give one."""
    if sys.version_info[:2] == tuple(int(part) for part in version.split(".")):
        return Path(sys.executable).resolve()  # not the checkout's .venv: other checkouts share the cache
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    named = os.environ.get(f"WINDSOCK_PYTHON{version.replace('.', '')}")
    found = [named, shutil.which(f"python{version}"), *sorted(pyenv.glob(f"versions/{version}.*/bin/python"))]
    for candidate in found:
        if candidate and _is_version(Path(candidate), version):
            return Path(candidate)
    pytest.skip(
        f"no Python {version} here; install one, or set WINDSOCK_PYTHON{version.replace('.', '')} to its path"
    )


def _is_version(python: Path, version: str) -> bool:
    ask = [str(python), "-c", "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"]
    done = subprocess.run(ask, capture_output=True, text=True, check=False)
    return done.returncode == 0 and done.stdout.strip() == version


def environment(name: str, python: Path, *installs: list[str]) -> Path:
    """The folder of a virtual environment with these `pip install` argument lists done; made once, then reused."""
    words = [word for install in installs for word in install]
    # what a file holds, not where it lies: checkouts share the cache
    marks = [str(python), *(Path(word).read_text() if word.endswith(".txt") else word for word in words)]
    folder = cache() / f"{name}-{hashlib.sha256(repr(marks).encode()).hexdigest()[:12]}"
    if (folder / "complete").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    run([str(python), "-m", "venv", str(folder)])
    for install in installs:
        run([str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", *install])
    (folder / "complete").touch()
    return folder


def packages(name: str, *wanted: str) -> Path:
    """The `node_modules` that hold these packages (`axe-core@4.14.1`); made once, then reused. Skips without npm."""
    if shutil.which("npm") is None:
        pytest.skip("no npm here; install Node.js 20 or newer")
    folder = cache() / f"{name}-{hashlib.sha256(repr(wanted).encode()).hexdigest()[:12]}"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "package.json").write_text('{"private": true, "type": "module"}')
        run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *wanted], cwd=folder)
        (folder / "complete").touch()
    return folder / "node_modules"


def run(command: list[str], *, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """Run to the end, without this process's Python paths; what it printed, or an assertion that shows it."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=env or clean)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def windsock(python: Path, name: str) -> Path:
    """An environment that holds windsock as a user installs it: locked dependencies by hash, then the wheel."""
    lock = str(ROOT / "requirements" / "run.txt")
    folder = environment(name, python, ["--require-hashes", "-r", lock])
    # not editable and always anew: what is tested is what a user would get from this tree today
    wheels = folder / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)], cwd=ROOT)
    (wheel,) = wheels.glob("*.whl")
    pip = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    run([*pip, "--force-reinstall", str(wheel)])
    return folder
