"""Where the SQL files, the report template and the sample data are: inside the wheel, or at the top of a checkout."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_PACKAGED = Path(__file__).parent / "_data"
_CHECKOUT = Path(__file__).parents[2]
_IN_CHECKOUT = {"sql": "sql", "template": "reports/template", "sample": "data/sample"}


@cache
def folder(name: str) -> Path:
    """The folder of `sql`, `template` or `sample`."""
    packaged = _PACKAGED / name
    return packaged if packaged.is_dir() else _CHECKOUT / _IN_CHECKOUT[name]
