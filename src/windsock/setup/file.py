"""What was found → the pipeline file. Every value is quoted: names and keys of a bucket may hold anything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from windsock.setup.found import Found


def render(found: Found, *, name: str, environ: Mapping[str, str]) -> str:
    """The whole file, headings in story order; what only a person can know stands in comments."""
    parts = [
        f"# Written by `windsock init`. Next: `windsock doctor` on this file.\n[deployment]\nname = {toml(name)}\n"
        + (f"base_url = {toml(found.airflow_api)}\n" if found.airflow_api else "")
    ]
    parts += _sources(found)
    endpoint = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL")
    if endpoint and any(url.startswith("s3") for url in found.task_logs + found.metrics):
        parts.append(
            f"[storage.s3]\nendpoint_url = {toml(endpoint)}  # as in this environment; cron has none\n"
        )
    parts.append('[lake]\nurl = "./lake"\n')
    if found.owners:
        seen = "\n".join(
            f"# {toml(dag_id)} = {toml(owner)}" for dag_id, owner in sorted(found.owners.items())
        )
        parts.append(
            f"# owners as the logs name them; patterns and mail addresses work best\n# [owners]\n{seen}\n"
        )
    parts.append('[report]\nout = "./reports/out"\n')
    parts.append('# [deliver.email]\n# to = ["data-platform@example.com"]\n# smtp_host = "localhost"\n')
    return "\n".join(parts)


def _sources(found: Found) -> Iterator[str]:
    if found.task_logs:
        guessed = "  # guessed: compare it with [logging] log_filename_template of airflow.cfg"
        template = f"filename_template = {toml(found.template)}{guessed}\n" if found.template else ""
        yield f"[sources.task_logs]\nurl = {_one_or_many(found.task_logs)}\n{template}"
    if found.component_logs:
        yield f"[sources.component_logs]\nurl = {_one_or_many(found.component_logs)}\n"
    if found.metrics or found.prometheus or found.scrape:
        yield "[sources.metrics]\n" + "".join(_metrics(found))
    if found.airflow_api:
        token = 'token_env = "WINDSOCK_AIRFLOW_TOKEN"  # or username_env and password_env, or token_command\n'
        yield f"[sources.airflow_api]\nurl = {toml(found.airflow_api)}\n# {token}"


def _metrics(found: Found) -> Iterator[str]:
    if found.metrics:
        yield f"url = {_one_or_many(found.metrics)}\n"
    elif found.scrape:
        yield 'snapshot_url = "./metrics"  # where `windsock snapshot`, run every minute, keeps what it scrapes\n'
    if found.prometheus:
        yield f"prometheus = {toml(found.prometheus)}\n"
    if found.scrape:
        yield f"scrape = {toml(found.scrape)}\n"
    for match in found.matches:
        yield f"# match = {toml(match)}  # if the others are another Airflow's\n"


def _one_or_many(urls: Sequence[str]) -> str:
    unique = list(dict.fromkeys(urls))
    return toml(unique[0]) if len(unique) == 1 else f"[{', '.join(toml(url) for url in unique)}]"


def toml(text: str) -> str:
    """A TOML basic string. Not JSON's: TOML knows no surrogate pairs and forbids a bare DEL."""
    safe = text.encode("utf-8", "replace").decode("utf-8")
    escaped = safe.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", lambda m: f"\\u{ord(m[0]):04x}", escaped) + '"'
