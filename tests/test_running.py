"""The examples of where windsock runs are true: their commands exist, their files load, real validators take them."""

import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from windsock import config

ROOT = Path(__file__).parents[1]
PIPELINES = ROOT / "pipelines"
SYSTEMD = sorted((PIPELINES / "systemd").iterdir())
MANIFEST = PIPELINES / "kubernetes" / "windsock.yaml"
SECRETS = {"WINDSOCK_SLACK_WEBHOOK": "https://hooks.example.com/FAKE", "WINDSOCK_SMTP_USERNAME": "u", "WINDSOCK_SMTP_PASSWORD": "FAKE"}  # fmt: skip


def understood(words: list[str]) -> None:
    """The command line takes these words; the file they name need not be there."""
    done = subprocess.run(
        [sys.executable, "-m", "windsock", *words, "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (words, done.stderr)
    assert words[-1] not in done.stderr


def manifests() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(MANIFEST.read_text()))


def containers() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """(CronJob, pod, container) of the manifest."""
    for one in manifests():
        if one["kind"] == "CronJob":
            pod = one["spec"]["jobTemplate"]["spec"]["template"]["spec"]
            for container in [*pod.get("initContainers", []), *pod["containers"]]:
                yield one["metadata"]["name"], pod, container


@pytest.mark.parametrize("path", sorted(PIPELINES.glob("*.toml")), ids=lambda path: path.name)
def test_a_pipeline_file_is_valid(path: Path) -> None:
    config.load(path, SECRETS)


def test_the_pipeline_file_inside_the_manifest_is_valid(tmp_path: Path) -> None:
    (held,) = (one for one in manifests() if one["kind"] == "ConfigMap")
    for name, text in held["data"].items():
        (tmp_path / name).write_text(text)
        loaded = config.load(tmp_path / name, SECRETS)
        assert loaded.pipeline.lake.url.startswith("s3://"), "a pod keeps nothing: the lake lies in a bucket"
        mounted = {
            mount["mountPath"] for _, _, one in containers() for mount in one["volumeMounts"] if not mount.get("readOnly")
        }  # fmt: skip
        assert any(loaded.pipeline.report.out.startswith(path) for path in mounted)


@pytest.mark.parametrize(
    ("job", "pod", "container"), list(containers()), ids=lambda one: one.get("name", "") if isinstance(one, dict) else one
)  # fmt: skip
def test_a_container_runs_a_command_that_exists_as_nobody_with_nothing_to_write(
    job: str, pod: dict[str, Any], container: dict[str, Any]
) -> None:
    understood(container["args"])
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    locked = container["securityContext"]
    assert locked["readOnlyRootFilesystem"]
    assert not locked["allowPrivilegeEscalation"]
    assert "limits" in container["resources"]
    assert container["args"][-1].removeprefix("/etc/windsock/") in manifests()[1]["data"]


def test_the_image_runs_as_the_number_that_kubernetes_expects() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert re.findall(r"^USER (\S+)$", text, re.MULTILINE)[-1] == "10001:10001"
    assert "--uid 10001" in text
    assert {one["image"].rpartition(":")[2] for _, _, one in containers()} == {
        tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    }


def sources_of_copies() -> list[str]:
    """What the Dockerfile copies from the folder it is built in."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    return [source for line in lines for source in line.split()[:-1]]


def test_the_image_is_built_of_what_the_ignore_file_lets_through() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = [line[1:] for line in lines if line.startswith("!")]
    assert lines[lines.index("*") :][0] == "*"
    for source in sources_of_copies():
        assert (ROOT / source).exists(), source
        assert any(fnmatch(source, one) or source.startswith(f"{one}/") for one in allowed), source


def test_what_the_image_copies_is_enough_to_build_the_wheel(tmp_path: Path) -> None:
    for source in sources_of_copies():
        target = tmp_path / "src" / source
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
        copy(ROOT / source, target)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "wheels")]
    done = subprocess.run(build, cwd=tmp_path / "src", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "wheels").glob("windsock-*.whl"))) == 1


def test_the_tools_that_build_the_image_are_those_that_the_tests_use() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^([\w.-]+==\S+)", (ROOT / "requirements" / name).read_text(), re.MULTILINE))

    assert any(one.startswith("hatchling==") for one in pins("build.txt"))
    assert pins("build.txt") <= pins("dev.txt")
    text = (ROOT / "requirements" / "build.txt").read_text()
    assert text.count("--hash=sha256:") >= len(pins("build.txt"))


@pytest.mark.parametrize(
    "path", [one for one in SYSTEMD if one.suffix == ".service"], ids=lambda one: one.name
)
def test_a_service_runs_commands_that_exist(path: Path) -> None:
    commands = re.findall(r"^ExecStart=(.+)$", path.read_text(), re.MULTILINE)
    assert commands
    for command in commands:
        program, *words = shlex.split(command.replace("%i", "prod"))
        assert program.startswith("/opt/windsock/")
        understood(words)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd on this machine")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for path in SYSTEMD:
        # verify looks for the program too; an instance shows that %i is filled in
        text = path.read_text().replace("/opt/windsock/bin/windsock", sys.executable)
        (tmp_path / path.name.replace("@", "@prod")).write_text(text)
        (tmp_path / path.name).write_text(text)
    units = [str(one) for one in tmp_path.iterdir() if "@prod" in one.name]
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "windsock" in line]
    assert ours == []
    for path in SYSTEMD:
        for when in re.findall(r"^OnCalendar=(.+)$", path.read_text(), re.MULTILINE):
            subprocess.run(["systemd-analyze", "calendar", when], capture_output=True, check=True)


FIELD = re.compile(r"(?:\*|\d{1,2}(?:-\d{1,2})?)(?:/\d{1,2})?(?:,\d{1,2})*")


def cron_lines() -> list[str]:
    lines = (PIPELINES / "crontab").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#") and "=" not in line.split()[0]]


@pytest.mark.parametrize("line", cron_lines())
def test_a_line_of_the_crontab_has_five_fields_and_commands_that_exist(line: str) -> None:
    *fields, command = line.split(None, 5)
    assert len(fields) == 5
    assert all(FIELD.fullmatch(one) for one in fields)
    for part in re.split(r"&&|;", command):
        words = shlex.split(part.partition(">>")[0])
        if words[0] != "cd":
            assert words[0].endswith("bin/windsock")
            understood(words[1:])
    assert "%" not in command, "cron turns an unescaped % into a newline"


def test_all_examples_run_the_report_in_the_same_minute() -> None:
    """Monday 06:10 UTC, so that one text in the docs is true of all."""
    (weekly,) = (
        one for one in manifests() if one["kind"] == "CronJob" and one["metadata"]["name"] == "windsock"
    )
    assert weekly["spec"]["schedule"] == "10 6 * * 1"
    assert weekly["spec"]["timeZone"] == "Etc/UTC"
    assert cron_lines()[0].startswith("10 6 * * 1 ")
    assert "OnCalendar=Mon *-*-* 06:10:00 UTC" in (PIPELINES / "systemd/windsock@.timer").read_text()
    assert 'schedule="10 6 * * 1"' in (PIPELINES / "windsock_weekly.py").read_text()


def test_the_page_about_running_names_every_example() -> None:
    text = (ROOT / "docs" / "running.md").read_text()
    for path in ["Dockerfile", "pipelines/crontab", "pipelines/systemd", "pipelines/kubernetes/windsock.yaml", "pipelines/windsock_weekly.py"]:  # fmt: skip
        assert (ROOT / path).exists()
        assert path in text
