"""The wheel alone is enough: built, unpacked into an empty folder, it runs the demo with sql/ and template inside."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    target = folder / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def test_the_wheel_holds_sql_template_and_sample(unpacked: Path) -> None:
    data = unpacked / "windsock" / "_data"
    assert (data / "sql" / "lake.sql").is_file()
    assert list((data / "template").iterdir())
    assert (data / "sample" / "fleet").is_dir()


def test_the_demo_runs_from_the_wheel_alone(unpacked: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}
    code = "import windsock, sys; from windsock.cli import main; print(windsock.__file__); sys.argv[0] = 'windsock'; main()"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, "-q", "demo", "--out", str(tmp_path)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 2, f"more than the two paths: {done.stdout}"
    module, path = done.stdout.splitlines()
    assert Path(module).is_relative_to(unpacked)
    assert Path(path).is_file()
    assert "orders_ingest" in Path(path).read_text(encoding="utf-8")
    assert (tmp_path / "sample" / "2026-W47" / "report.json").is_file()
