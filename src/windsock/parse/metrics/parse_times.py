"""Parse times → rows of `parse_samples`; and which bundle and file a joined name means."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from windsock.model import Row
from windsock.parse.metrics.known import Known, underscored


def parse_row(at: datetime, *, file_name: str, bundle_name: str | None, parse_s: float) -> Row:
    """One measured parse. Metrics name a file by its stem: `a/etl.py` and `b/etl.py` are both `etl` here."""
    return {
        "parsed_at": at,
        "dag_file": file_name,
        "bundle_name": bundle_name or None,
        "parse_s": parse_s,
        "source": "metric",
    }


def split_file(joined: str, stems: Collection[str], known: Known) -> tuple[str | None, str]:
    """`dags_folder_finance_close` → bundle and stem. 3.x puts the bundle in front, 2.x does not.

    `stems` are the files that other series of the same moment name alone (`last_run.seconds_ago`): the longest one
    that ends the name is the file. Without any, a known bundle at its start is one.
    """
    spelled = {underscored(stem): stem for stem in stems}
    at = 0
    while at >= 0 and spelled:
        stem = spelled.get(joined[at:])
        if stem is not None:
            bundle = joined[: at - 1] if at else ""
            return (known.bundles.get(bundle, bundle) if bundle else None), stem
        following = joined.find("_", at)
        at = following + 1 if following >= 0 else -1
    for spelling, bundle in known.bundles.items():
        if joined.startswith(f"{underscored(spelling)}_"):
            return bundle, joined[len(spelling) + 1 :]
    return None, joined
