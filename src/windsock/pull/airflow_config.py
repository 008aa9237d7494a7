"""Configuration files of Airflow → facts of the deployment, read anew by each pull.

A file says what holds now, not since when: its facts carry the time of the pull, as the API's do, and add up over pulls.
They are stored when they differ from the last ones, and once a day. A file that cannot be read costs its section only.
"""

from __future__ import annotations

from datetime import datetime

from windsock.config import Config
from windsock.errors import SourceError
from windsock.lake import Writer
from windsock.model import Parsed, Row, SourceObject
from windsock.output import Output
from windsock.parse import PARSER_VERSION
from windsock.parse.told.rows import Teller
from windsock.parse.told.settings import config_facts
from windsock.pull.marks import MOVING, Tally, etag_of, mark_of
from windsock.store import NotFound, ObjectUnreadable, TooLarge, open_store

KIND = "airflow_config"
MAX_BYTES = 4 << 20  # a configuration with all its descriptions is 200 KB
NOTHING = (
    "tells no setting that windsock reads; give an airflow.cfg, the output of `airflow config list --show-values`, the "
    "Helm chart's values.yaml, or lines such as AIRFLOW__CORE__PARALLELISM=32"
)


def pull_airflow_config(config: Config, writer: Writer, *, now: datetime, output: Output) -> None:
    """The files of `[sources.airflow_config]`; of a setting that several tell, the last file's value counts."""
    source = config.pipeline.sources.airflow_config
    for url in config.urls(source.url) if source else ():
        address = f"config:{url}"
        text, why = read_text(config, url)
        rows = config_facts(text, Teller("config", address, (0, 0), now))
        if why or not rows:
            output.say(f"warning: [sources.airflow_config] {url} {why or NOTHING}")
            continue
        digest = f"{_digest(rows)}-{now:%Y-%m-%d}"
        etag, version = writer.noted(address + "/").get(f"{address}/settings", ("", ""))
        if version == PARSER_VERSION and mark_of(etag)[1] == digest:
            continue
        # the ledger row's address is no row's own, so that earlier facts stay
        obj = SourceObject(f"{address}/settings", "settings", 0, now, etag_of(now, digest))
        writer.add(obj, Parsed(KIND, {"deployments": rows}), kind=KIND, parser_version=PARSER_VERSION)
        writer.checkpoint()


def read_text(config: Config, url: str) -> tuple[str, str]:
    """The file's text, or why it could not be read."""
    folder, _, name = url.rpartition("/")
    try:
        body = open_store(folder, config.storage).read(name, at_most=MAX_BYTES)
    except NotFound:
        return "", "is not there"
    except TooLarge:
        return "", "is too large for a configuration"
    except ObjectUnreadable as error:
        return "", f"cannot be read ({error.reason})"
    except SourceError as error:
        return "", f"cannot be read ({error})"
    return body.data.decode("utf-8", "replace"), ""


def _digest(rows: list[Row]) -> str:
    tally = Tally()
    for row in rows:
        tally.add(row, without=MOVING["deployments"])
    return tally.digest()
