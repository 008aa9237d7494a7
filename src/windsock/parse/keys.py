"""What the key of a log object says. Identity comes from the key, never from text inside the log.

Layouts: Airflow 2.3 to 3.x (`dag_id=…/run_id=…/task_id=…/[map_index=N/]attempt=N.log`), 1.10 to 2.2
(`dag/task/<ISO time>/N.log`), and a `filename_template` of the user's own. Sources: airflow config.yml of 1.10.15,
2.2.5, 2.11.2 and 3.3.2; shapes seen in real runs (docs/decisions.md 009). Each may end in `.gz`, as archives and a log
handler that compresses name them. CloudWatch's export tasks (MWAA) write a stream's name as one folder, dashes for its
slashes and `_` for its colons, and the log in it in numbered parts; each names the attempt.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

from windsock.errors import ConfigError
from windsock.model import Kind, LogKey

# Ids are hostile: anything but a slash. `attempt=N.log` is anchored, because `attempt=1.log.trigger.1.log` and
# `attempt=1.log.SchedulerJob.log` are other logs of the same attempt.
_MODERN = re.compile(
    r"(?:^|/)dag_id=(?P<dag_id>[^/]+)/run_id=(?P<run_id>[^/]+)/task_id=(?P<task_id>[^/]+)/"
    r"(?:map_index=(?P<map_index>-?\d{1,9})/)?attempt=(?P<try_number>\d{1,9})\.log"
    r"(?P<suffix>\.trigger\.\d+\.log|\.SchedulerJob\.log)?(?:\.gz)?\Z",
    re.DOTALL,
)
_EXPORTED = re.compile(
    r"(?:^|/)dag_id=(?P<dag_id>[^/]+?)-run_id=(?P<run_id>[^/]+?)-task_id=(?P<task_id>[^/]+?)-"
    r"(?:map_index=(?P<map_index>-?\d{1,9})-)?attempt=(?P<try_number>\d{1,9})\.log"
    r"(?P<suffix>\.trigger\.\d+\.log|\.SchedulerJob\.log)?/\d{6}\.gz\Z",
    re.DOTALL,
)
_LEGACY = re.compile(
    r"(?:^|/)(?P<dag_id>[^/]+)/(?P<task_id>[^/]+)/(?P<run_id>\d{4}-\d\d-\d\dT\d\d[:_]\d\d[:_]\d\d[^/]*)/"
    r"(?P<try_number>\d{1,9})\.log(?:\.gz)?\Z",
    re.DOTALL,
)
# no run of Airflow's naming has such a time: it is CloudWatch's spelling of one
_UNDERSCORED = re.compile(r"(T\d\d)_(\d\d)_(\d\d(?:\.\d+)?[+-]\d\d)_(\d\d)(?=_|\Z)")
_KIND: dict[str | None, Kind] = {None: "attempt", "S": "scheduler_job", "t": "trigger"}
_PARTS = ("dag_id", "run_id", "task_id", "map_index", "try_number")
_FIELDS = {
    "dag_id": "dag_id", "run_id": "run_id", "task_id": "task_id", "map_index": "map_index",
    "try_number": "try_number", "ts": "run_id", "execution_date": "run_id", "logical_date": "run_id",
}  # fmt: skip
_INT32 = 2**31 - 1


def parse_key(path: str, template: str | None = None) -> LogKey | None:
    """The attempt that `path` names, or None when it names none. Only the end of the path counts."""
    if template and (match := _template(template).search(path)):
        return _from_template(match)
    if match := _MODERN.search(path):
        suffix = match["suffix"]
        kind = _KIND[suffix[1] if suffix else None]
        return _key(*match.group(*_PARTS), layout="2.3+", kind=kind)
    if path.endswith(".gz") and (match := _EXPORTED.search(path)):
        kind = _KIND[match["suffix"][1] if match["suffix"] else None]
        return _key(*match.group(*_PARTS), layout="2.3+", kind=kind)
    if match := _LEGACY.search(path):
        dag_id, run_id, task_id, try_number = match.group("dag_id", "run_id", "task_id", "try_number")
        return _key(dag_id, run_id, task_id, None, try_number, layout="1.10-2.2", kind="attempt")
    return None


def render_key(key: LogKey) -> str:
    """The key as Airflow would write it; `parse_key` reads it back."""
    if key.layout == "1.10-2.2":
        return f"{key.dag_id}/{key.task_id}/{key.run_id}/{key.try_number}.log"
    mapped = f"map_index={key.map_index}/" if key.map_index >= 0 else ""
    return (
        f"dag_id={key.dag_id}/run_id={key.run_id}/task_id={key.task_id}/{mapped}attempt={key.try_number}.log"
    )


def _key(
    dag_id: str | None,
    run_id: str | None,
    task_id: str | None,
    map_index_text: str | None,
    try_number_text: str | None,
    *,
    layout: str,
    kind: Kind,
) -> LogKey | None:
    map_index, try_number = int(map_index_text or -1), int(try_number_text or 1)
    if map_index > _INT32 or try_number > _INT32:
        return None
    run_id = run_id or ""
    if "_" in run_id[12:]:
        run_id = _UNDERSCORED.sub(r"\1:\2:\3:\4", run_id)
    logical_date = _iso(run_id) if layout == "1.10-2.2" else None
    return LogKey(dag_id or "", run_id, task_id or "", map_index, try_number, kind, logical_date, layout)


def _iso(text: str) -> datetime | None:
    """An ISO time in a key."""
    if len(text) > 19 and text[13] == "_":  # CloudWatch writes `_` for `:`, here without a zone
        text = text.replace("_", ":")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        return None


def _from_template(match: re.Match[str]) -> LogKey | None:
    return _key(*map(match.groupdict().get, _PARTS), layout="template", kind="attempt")


@lru_cache(maxsize=16)
def _template(template: str) -> re.Pattern[str]:
    """A `filename_template` (Jinja `{{ ti.dag_id }}` or `{dag_id}` form) as an expression with named groups."""
    text = re.sub(r"\{%-?\s*if.*?%\}(.*?)\{%-?\s*endif\s*-?%\}", "\x00\\1\x01", template, flags=re.DOTALL)
    parts: list[str] = []
    seen: set[str] = set()
    for piece in re.split(r"(\{\{.*?\}\}|\{[a-z_]+\}|\x00|\x01)", text):
        if piece == "\x00":
            parts.append("(?:")
        elif piece == "\x01":
            parts.append(")?")
        elif piece.startswith("{"):
            name = _FIELDS.get(re.sub(r"[{}\s]|\|.*", "", piece).split(".")[-1])
            if name is None:
                parts.append("[^/]*")
            elif name in seen:
                parts.append(f"(?P={name})")
            else:
                seen.add(name)
                parts.append(
                    f"(?P<{name}>{r'-?[0-9]{1,9}' if name in ('map_index', 'try_number') else '[^/]+'})"
                )
        else:
            parts.append(re.escape(piece))
    missing = {"dag_id", "run_id", "task_id"} - seen
    if missing:
        raise ConfigError(
            f"[sources.task_logs] filename_template {template!r} names no {', '.join(sorted(missing))}; "
            "copy it from [logging] log_filename_template of airflow.cfg"
        )
    return re.compile(r"(?:^|/)" + "".join(parts) + r"(?:\.gz)?\Z", re.DOTALL)
