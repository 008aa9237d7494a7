"""A short message to a Slack incoming webhook: verdict, actions, nothing else. Block Kit within its limits."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from windsock.deliver.parcel import Chapter, Note, Parcel
from windsock.deliver.send import Refused, Uncertain
from windsock.errors import DeliveryError

TIMEOUT_S = 15.0
MAX_BLOCKS = 50
MAX_HEADER = 150
MAX_TEXT = 3000
PASSING = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Slack:
    """An incoming webhook. The address is a secret: it is never shown."""

    webhook: str = field(repr=False)
    name: str = "slack"

    def describe(self, parcel: Parcel) -> str:
        return f"Slack message: {parcel.subject}"

    def preview(self, parcel: Parcel) -> str:
        return json.dumps(body(parcel), ensure_ascii=False, indent=1)

    def send(self, parcel: Parcel, *, now: datetime) -> None:
        if not self.webhook.startswith(("https://", "http://")):
            raise Refused("the webhook is no http(s) address; check the variable that webhook_env names")
        data = json.dumps(body(parcel)).encode()
        try:
            request = urllib.request.Request(self.webhook, data, {"Content-Type": "application/json"})
            with _OPENER.open(request, timeout=TIMEOUT_S) as answer:
                answer.read(1000)
        except urllib.error.HTTPError as error:
            kind = DeliveryError if error.code in PASSING else Refused
            raise kind(f"Slack answered {error.code}; check the webhook") from None
        except urllib.error.URLError as error:
            raise DeliveryError(f"Slack cannot be reached ({_reason(error.reason)})") from None
        except (http.client.InvalidURL, ValueError):
            raise Refused("the webhook is no address; check the variable that webhook_env names") from None
        except (OSError, http.client.HTTPException) as error:
            raise Uncertain(
                f"Slack did not answer ({type(error).__name__}) after the message was sent"
            ) from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would turn the message into a GET of a page, and call that success."""

    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect)


def _reason(reason: object) -> str:
    """What the system says; never the address."""
    return str(getattr(reason, "strerror", None) or type(reason).__name__)


def body(parcel: Parcel) -> dict[str, Any]:
    """The message as Slack takes it; what does not fit is counted."""
    blocks: list[dict[str, Any]] = [
        {
            "type": "header",
            "text": {"type": "plain_text", "text": _cut(parcel.subject, MAX_HEADER), "emoji": False},
        }
    ]
    rooms = max(1, (MAX_BLOCKS - 2) // max(1, len(parcel.chapters)))
    shown = parcel.chapters[: MAX_BLOCKS - 2]
    for chapter in shown:
        blocks += list(_blocks(chapter))[:rooms]
    if len(shown) < len(parcel.chapters):
        blocks.append(_section(f"{len(parcel.chapters) - len(shown)} more deployments are left out."))
    return {
        "text": _cut(_escape(parcel.subject), MAX_TEXT),
        "blocks": blocks[:MAX_BLOCKS],
        "unfurl_links": False,
    }


def _blocks(chapter: Chapter) -> Iterator[dict[str, Any]]:
    title = f"<{chapter.link}|{_escape(chapter.title)}>" if _is_link(chapter.link) else _escape(chapter.title)
    more = f"\n{chapter.more} more in the report." if chapter.more else ""
    yield _section(f"*{title}*\n{_escape(chapter.verdict)}{more}")
    for number, note in enumerate(chapter.notes, 1):
        yield _section(_note(number, note))


def _note(number: int, note: Note) -> str:
    head = _cut(_escape(note.headline), 1200)
    linked = f"<{note.link}|{head}>" if _is_link(note.link) else head
    return f"*{number}. {linked}*\n{_cut(_escape(note.advice), 1200)}"


def _is_link(link: str) -> bool:
    return link.startswith(("https://", "http://")) and not set(link) & set("<>| ")


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": _cut(text, MAX_TEXT), "verbatim": True}}


def _cut(text: str, most: int) -> str:
    """Never in the middle of an escape."""
    if len(text) <= most:
        return text
    kept = text[: most - 1]
    start = kept.rfind("&", most - 7)
    if start >= 0 and ";" not in kept[start:]:
        kept = kept[:start]
    return kept + "…"


def _escape(text: str) -> str:
    """Slack's three control characters, and its marks of emphasis: log text cannot make links, mentions or shapes."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.translate({ord("*"): "∗", ord("`"): "ˋ", ord("~"): "∼"})
