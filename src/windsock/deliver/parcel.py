"""What a target is given: finished words and files. Nothing here knows how they were made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Note:
    """One line for a chat: what, and where the page tells more."""

    headline: str
    advice: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Chapter:
    """One deployment, for a chat."""

    title: str
    verdict: str
    notes: tuple[Note, ...] = ()
    more: int = 0
    link: str = ""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One delivery: a message in three forms, and the files it is about."""

    deployments: tuple[str, ...]
    week: str
    subject: str = ""
    html: str = ""
    text: str = ""
    chapters: tuple[Chapter, ...] = ()
    folder: str = ""  # one path segment, for files
    files: Mapping[str, bytes] = field(default_factory=dict)
    summary: Mapping[str, object] = field(default_factory=dict)  # the week's line in a list of weeks
