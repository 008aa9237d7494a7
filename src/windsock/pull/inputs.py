"""What a pipeline file gives to pull: its stores, and to which shard an object belongs."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

from windsock.config import Config
from windsock.errors import ConfigError
from windsock.parse import PARSER_VERSION, parse_key
from windsock.store import Store, open_store


@dataclass(frozen=True, slots=True)
class Input:
    """One source to pull: its store, and how an object of it is read."""

    kind: str
    store: Store


def inputs_of(config: Config) -> list[Input]:
    """The sources that the pipeline file names."""
    sources = config.pipeline.sources
    inputs: list[Input] = []
    if sources.task_logs:
        inputs += [
            Input("task_logs", open_store(u, config.storage)) for u in config.urls(sources.task_logs.url)
        ]
    if sources.metrics and sources.metrics.url:
        inputs += [Input("metrics", open_store(u, config.storage)) for u in config.urls(sources.metrics.url)]
    if (
        sources.metrics and sources.airflow_api
    ):  # what `windsock snapshot` stored of the API, beside the metrics
        answers = dict.fromkeys(
            [*config.urls(sources.metrics.url), *config.urls(sources.metrics.snapshot_url)]
        )
        inputs += [Input("airflow_answers", open_store(url, config.storage)) for url in answers]
    if sources.component_logs:
        urls = config.urls(sources.component_logs.url)
        inputs += [Input("component_logs", open_store(u, config.storage)) for u in urls]
    is_asked = sources.airflow_api or sources.airflow_db or (sources.metrics and sources.metrics.prometheus)
    if not inputs and not is_asked:
        raise ConfigError(
            f"{config.path}: no source is set; add [sources.task_logs] url, [sources.component_logs] url, "
            "[sources.metrics] url or prometheus, or [sources.airflow_api] url"
        )
    return inputs


def version_of(config: Config, kind: str) -> str:
    """What a row's parsing hangs on beside the object: the parser and, for metrics, which series are ours."""
    metrics = config.pipeline.sources.metrics
    match = metrics.match if kind == "metrics" and metrics else ""
    return f"{PARSER_VERSION}+{crc32(match.encode()):08x}" if match else PARSER_VERSION


def shards_of(config: Config, shard: tuple[int, int] | None) -> list[int]:
    """The shards that this pull owns."""
    count = config.pipeline.lake.shards
    if shard is None:
        return list(range(count))
    if shard[1] != count:
        raise ConfigError(
            f"--shard {shard[0]}/{shard[1]}: [lake] shards in {config.path} is {count}; they must agree"
        )
    return [shard[0]]


def shard_of(config: Config, key: str, kind: str) -> int:
    """Objects belong to the shard that their dag_id hashes to; objects without one belong to shard 0."""
    count = config.pipeline.lake.shards
    if count == 1 or kind in ("metrics", "airflow_answers", "component_logs", "component_log_part"):
        return 0
    logs = config.pipeline.sources.task_logs
    parsed = parse_key(key, (logs and logs.filename_template) or None)
    return crc32(parsed.dag_id.encode()) % count if parsed else 0
