"""What a newcomer does: `make demo` and `make test` in a fresh clone, `pip install .` in an empty environment."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.e2e.environments import ROOT, interpreter, run, windsock

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git holds of this tree, uncommitted changes not included."""
    folder = tmp_path_factory.mktemp("clone") / "windsock"
    run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(folder)])
    return folder


def make(clone: Path, target: str) -> str:
    return run(["make", "--no-print-directory", f"PYTHON={interpreter('3.11')}", target], cwd=clone)


def test_make_demo_sets_itself_up_and_ends_with_a_finished_report(clone: Path) -> None:
    path = Path(make(clone, "demo").strip().splitlines()[-1])
    assert "orders_ingest" in path.read_text(encoding="utf-8")
    stamps = sorted((clone / ".venv").glob("installed-*"))
    again = Path(make(clone, "demo").strip().splitlines()[-1])
    assert again == path
    assert sorted((clone / ".venv").glob("installed-*")) == stamps, "the second run must install nothing"


def test_make_check_passes_in_a_fresh_clone(clone: Path) -> None:
    make(clone, "check")


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_the_wheel_runs_the_demo_from_an_empty_environment(version: str, tmp_path: Path) -> None:
    """Locked run-time dependencies by hash and the wheel; the checkout is nowhere near."""
    binary = windsock(interpreter(version), f"windsock-{version}") / "bin" / "windsock"
    out = run([str(binary), "-q", "demo", "--out", str(tmp_path)], cwd=tmp_path)
    path = Path(out.strip().splitlines()[-1])
    assert path == tmp_path / "sample" / "2026-W47" / "report.html"
    golden = ROOT / "reports" / "sample" / "2026-W47" / "email.txt"
    assert path.with_name("email.txt").read_text(encoding="utf-8") == golden.read_text(encoding="utf-8")


def test_pip_install_of_the_checkout_gives_a_working_command(tmp_path: Path, clone: Path) -> None:
    """`pip install .` as the README says; the dependencies are there already, so only windsock is built."""
    venv = windsock(interpreter("3.11"), "windsock-3.11")
    target = tmp_path / "site"
    pip = [str(venv / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    run([*pip, "--target", str(target), str(clone)])
    assert (target / "windsock" / "_data" / "sql" / "lake.sql").is_file()
    script = shutil.copy(target / "bin" / "windsock", tmp_path / "windsock")
    clean = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(target), "HOME": str(tmp_path)}
    assert "failure_rate_by_dag" in run([str(script), "ask", "--list"], env=clean, cwd=tmp_path)
