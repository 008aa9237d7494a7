"""The house's law: porch, story, stage, ground; stages never import each other."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "windsock"
STAGES = {"sources", "parse", "lake", "checks", "questions", "findings", "report", "deliver"}
GROUND = {
    "model",
    "schema",
    "config",
    "store",
    "week",
    "errors",
    "redaction",
    "signature",
    "finder",
    "resources",
    "output",
    "intervals",
    "standing",
    "privacy",
    "archive",
    "scratch",
    "matchers",
    "reviewed",
}
STORY = {
    "pipeline",
    "compare",
    "single_logs",
    "made_answers",
    "pull",
    "airflow_access",
    "one_case",
    "publish",
    "snapshot",
    "setup",
    "doctor",
    "glance",
    "demo",
}


def imports_of(path: Path) -> set[str]:
    """Top-level windsock modules that a file imports, the type-checking block included."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("windsock."):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.ImportFrom) and node.module == "windsock":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("windsock.")}
    return found & (STAGES | GROUND | STORY | {"cli"})


MODULES = sorted(path for path in PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_from_floors_below(path: Path) -> None:
    place, seen = room(path), imports_of(path)
    if place in STAGES:
        assert seen - GROUND - {place} == set()
    elif place in GROUND:
        assert seen <= GROUND
    elif place in STORY:
        assert "cli" not in seen


def test_every_room_is_on_the_plan() -> None:
    assert {room(path) for path in MODULES} <= STAGES | GROUND | STORY | {"cli", "__init__", "__main__"}


def loaded_by(modules: str) -> set[str]:
    """What a fresh process holds after it imported these."""
    code = f"import sys, {modules}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_help_loads_no_heavy_library() -> None:
    heavy = {"great_expectations", "pandas", "scipy", "boto3", "polars", "duckdb"}
    assert not heavy & loaded_by("windsock.cli")


def test_a_pull_from_a_folder_loads_no_library_of_the_judge() -> None:
    assert not {"great_expectations", "pandas", "scipy", "boto3"} & loaded_by(
        "windsock.pipeline, windsock.pull"
    )


PULLED = """
import sys
from pathlib import Path
from windsock.cli.weekly import pull
(folder := Path(sys.argv[1]) / "logs").mkdir()
pipeline = Path(sys.argv[1]) / "pipeline.toml"
pipeline.write_text(f"[deployment]\\nname='p'\\n[sources.task_logs]\\nurl='{folder}'\\n[lake]\\nurl='{folder}/lake'\\n{sys.argv[2]}")
pull(pipeline, week="2026-W47")
print("windsock.findings" in sys.modules)
"""


@pytest.mark.parametrize(
    ("overrides", "is_judge_loaded"),
    [("", False), ("[checks]\ntask_logs_have_ids=0.5\n", True)],
    ids=["nothing overridden", "a check overridden"],
)
def test_a_pull_loads_the_judge_only_where_the_file_overrides_it(
    tmp_path: Path, overrides: str, is_judge_loaded: bool
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PULLED, str(tmp_path), overrides], check=False, capture_output=True
    )
    assert done.stdout.decode().split()[-1:] == [str(is_judge_loaded)], done.stderr.decode()


def test_only_the_porch_reads_the_clock() -> None:
    for path in MODULES:
        if path != PACKAGE / "cli" / "shared.py":
            text = path.read_text(encoding="utf-8")
            assert "datetime.now(" not in text, path
            assert "time.time()" not in text, path
