"""Each setting with its origin."""

from __future__ import annotations

from collections.abc import Iterator

from windsock.config import Config
from windsock.doctor.row import row
from windsock.model import Row


def value_rows(config: Config) -> Iterator[Row]:
    """What is set, and what has a default that says something. What a `_env` key names is a secret, never shown."""
    for key, value, origin in config.values():
        if value in ({}, [], None, "") and origin == "default":
            continue
        told = "" if value is None else str(value)
        if key.endswith("_env") and told:
            told = f"${told} (set)"
        yield row(key, origin, told, kind="value")
