"""Which connections a task's hooks took, by the records in which the hooks say so.

Airflow 1.10 and 2 tell each one at info (`hooks/base.py`: three spellings over the years), 3.0 too; from 3.1 on it is said
at debug only (`bases/hook.py` of the task SDK, 1.1.0 to 3.3). The Amazon provider names its own whenever it found credentials in it
(`aws/utils/connection_wrapper.py`). A record of another file may say the same: it is a name beside a failure, and no proof.
"""

from __future__ import annotations

import re

CONNECTION_FILES = frozenset(["base.py", "base_hook.py", "connection_wrapper.py"])
"""Files of Airflow 2 and its providers whose records name a connection."""
CONNECTION_WORDS = (b"Retrievi", b"Using co", b"AWS Conn", b"Connecti")
"""The first eight bytes of such records."""
TELLS_CONNECTION = (
    "Retrieving connection '",
    "Using connection ",
    "AWS Connection (",
    "Connection Retrieved '",
)
MOST = 8
"""Connections that are kept of one process: the last ones."""

_TAKEN = re.compile(
    r"(?:Retrieving connection|Using connection ID|Connection Retrieved) '(?P<id>[^'\n]{1,250})'"
    r"|Using connection to: id: (?P<old>\S{1,250})\. Host: "
    r"|AWS Connection \(conn_id='(?P<aws>[^'\n]{1,250})'[^\n]{0,500}credentials retrieved"
)


def connection_in(text: str) -> str | None:
    """The id of the connection that a record says was taken; None where it says no such thing, or hides it."""
    found = _TAKEN.match(text)
    conn_id = found[found.lastgroup] if found and found.lastgroup else None
    return conn_id if conn_id and "***" not in conn_id else None
