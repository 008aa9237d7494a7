"""Where each value of a pipeline comes from: an environment variable, the file, or a default. (A flag beats all three.)

`[lake] memory_mb` is `WINDSOCK_LAKE_MEMORY_MB` in the environment, and so on for every key below a fixed heading.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_type_hints

import msgspec

PREFIX = "WINDSOCK"


def keys_of(struct: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """(path, type) of every key below fixed headings; tables with names of the user's own are left out."""
    types = get_type_hints(struct)
    for field in msgspec.structs.fields(struct):
        kind, path = types[field.name], (*above, field.encode_name)
        inner = [one for one in (kind, *get_args(kind)) if _is_struct(one)]
        if not inner:
            yield path, kind
        elif kind is inner[0] or type(None) in get_args(kind):
            yield from keys_of(inner[0], path)


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def override(raw: dict[str, Any], struct: Any, environ: Mapping[str, str]) -> dict[str, str]:
    """Lay the environment over the file's values, in place; returns {key: variable} of what was taken."""
    taken: dict[str, str] = {}
    for path, kind in keys_of(struct):
        variable = "_".join((PREFIX, *path)).upper()
        if variable not in environ or str(kind).startswith("dict"):
            continue
        table = raw
        for heading in path[:-1]:
            table = table.setdefault(heading, {})
            if not isinstance(table, dict):
                return taken  # not a table in the file: the validation says so
        table[path[-1]] = _value(environ[variable], kind)
        taken[".".join(path)] = variable
    return taken


def _value(text: str, kind: Any) -> Any:
    """Text as it is where text is wanted, else as TOML would read it; what is neither is left to the validation."""
    kinds = {kind, *get_args(kind)}
    if str in kinds and not text.startswith("["):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def flat(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted key, value) of every leaf."""
    for key, value in table.items():
        name = f"{above}.{key}" if above else key
        if isinstance(value, dict) and value:
            yield from flat(value, name)
        else:
            yield name, value
