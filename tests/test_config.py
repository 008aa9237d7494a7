"""The pipeline file: what it accepts, and what it says when it cannot."""

from pathlib import Path

import pytest

from windsock import config, pipeline
from windsock.errors import ConfigError

MINIMAL = '[deployment]\nname = "prod"\n'


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "windsock.toml"
    path.write_text(text)
    return path


def test_a_name_is_enough(tmp_path: Path) -> None:
    loaded = config.load(write(tmp_path, MINIMAL), {})
    assert loaded.pipeline.lake.memory_mb == 512
    assert loaded.pipeline.sources.task_logs is None


def test_relative_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    loaded = config.load(write(tmp_path, MINIMAL + '[sources.task_logs]\nurl = "logs"\n'), {})
    assert loaded.pipeline.sources.task_logs is not None
    assert loaded.urls(loaded.pipeline.sources.task_logs.url) == [str(tmp_path / "logs")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[deployment]\nnmae = "prod"\n', "[deployment] has no key 'nmae'; did you mean 'name'?"),
        (MINIMAL + '[lake]\nulr = "x"\n', "[lake] has no key 'ulr'; did you mean 'url'?"),
        (
            MINIMAL + "[pools.dwh]\nmaxslots = 3\n",
            "[pools.dwh] has no key 'maxslots'; did you mean 'max_slots'?",
        ),
        (MINIMAL + "[sorces]\n", "has no key 'sorces'; did you mean 'sources'?"),
        (MINIMAL + "[lake]\nshards = 0\n", "[lake] shards is 0"),
        (MINIMAL + '[lake]\nshards = "2"\n', "Expected `int`"),
        (MINIMAL + "[findings.W1]\nmin_tries = 3\n", "not a finding code"),
        (MINIMAL + "[report]\nurl = 'javascript:x'\n", "[report] url is no http(s) address"),
        (MINIMAL + "[pools.dwh]\nmax_slots = 0\n", "[pools.dwh] max_slots is 0"),
        (
            MINIMAL + "[scope]\nquiet = [{from = '2026-11-20T22:00', until = '2026-11-21T02:00Z'}]\n",
            "no time with a zone",
        ),
        (
            MINIMAL + "[scope]\nquiet = [{from = '2026-11-21T22:00Z', until = '2026-11-21T02:00Z'}]\n",
            "before it begins",
        ),
        ("[deployment\n", "not valid TOML"),
        ('[deployment]\nname = " "\n', "name is empty"),
        (MINIMAL + '[deliver.slack]\nwebhook_env = "NOT_SET"\n', "names $NOT_SET, which is not set"),
    ],
)
def test_a_mistake_is_named_with_the_mend(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(write(tmp_path, text), {})
    assert says in str(caught.value)
    assert "windsock.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_names_the_command_that_writes_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="windsock init"):
        config.load(tmp_path / "none.toml", {})


def test_a_deployment_name_never_leaves_the_report_folder(tmp_path: Path) -> None:
    loaded = config.load(write(tmp_path, '[deployment]\nname = "../../etc"\n'), {})
    assert loaded.out.parent == (tmp_path / "reports/out")


def test_quiet_windows_are_instants(tmp_path: Path) -> None:
    text = (
        MINIMAL
        + "[scope]\nquiet = [{from = '2026-11-20T23:00+01:00', until = '2026-11-21T02:00Z', reason = 'upgrade'}]\n"
    )
    (window,) = config.load(write(tmp_path, text), {}).quiet
    assert [one.isoformat() for one in window] == ["2026-11-20T22:00:00+00:00", "2026-11-21T02:00:00+00:00"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[findings.WS101]\nmin_trys = 3\n", "[findings.WS101] has no threshold 'min_trys'"),
        ("[findings.WS199]\nmin_tries = 3\n", "[findings.WS199]: no such rule"),
        ("[checks]\ntask_logs_date = 0.1\n", "did you mean 'task_logs_dated'?"),
    ],
)
def test_overrides_of_what_does_not_exist_are_refused_before_anything_runs(
    tmp_path: Path, text: str, says: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        pipeline.load(write(tmp_path, MINIMAL + text))
    assert says in str(caught.value) and "windsock.toml" in str(caught.value)
