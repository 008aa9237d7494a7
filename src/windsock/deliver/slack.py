"""A short message to a Slack incoming webhook: verdict, actions, nothing else. Block Kit within its limits."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from windsock.deliver.send import Package
from windsock.errors import DeliveryError

TIMEOUT_S = 15.0
MAX_TEXT = 2900  # Slack's limit for one section is 3,000 characters
MAX_ACTIONS = 5


@dataclass(frozen=True, slots=True)
class Slack:
    """An incoming webhook. The address is a secret: it is never shown."""

    webhook: str
    name: str = "slack"

    def describe(self, package: Package) -> str:
        return f"Slack message: {package.report()['verdict_sentence']}"

    def body(self, package: Package) -> dict[str, Any]:
        """The message as Slack takes it."""
        report = package.report()
        title = f"Airflow {report['deployment']}, week {report['week']}"
        urgent = [one for one in report["findings"] if one["severity"] in ("warning", "critical")][
            :MAX_ACTIONS
        ]
        lines = [f"*{_escape(one['headline'])}*\n{_escape(one['advice'])}" for one in urgent]
        texts = [f"*{_escape(title)}*\n{_escape(report['verdict_sentence'])}", *lines]
        blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": text[:MAX_TEXT]}} for text in texts]
        return {"text": f"{title}: {report['verdict_sentence']}"[:MAX_TEXT], "blocks": blocks}

    def send(self, package: Package, *, now: datetime) -> None:
        if not self.webhook.startswith(("https://", "http://")):
            raise DeliveryError(
                "the webhook is no http(s) address; check the variable that webhook_env names"
            )
        data = json.dumps(self.body(package)).encode()
        request = urllib.request.Request(self.webhook, data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S):
                return
        except urllib.error.HTTPError as error:
            raise DeliveryError(f"Slack answered {error.code} {error.reason}") from None
        except (urllib.error.URLError, OSError) as error:
            raise DeliveryError(f"Slack cannot be reached ({getattr(error, 'reason', error)})") from None


def _escape(text: str) -> str:
    """Slack's three control characters; log text cannot make links or mentions."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
