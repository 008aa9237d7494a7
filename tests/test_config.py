"""The pipeline file: what it accepts, and what it says when it cannot."""

from pathlib import Path

import pytest

from windsock import config
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
        (MINIMAL + "[report]\nsamples = false\n", "[report] samples cannot be honoured by this version yet"),
        (MINIMAL + "[pools.dwh]\nmax_slots = 0\n", "[pools.dwh] max_slots is 0"),
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
