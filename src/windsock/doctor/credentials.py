"""Where credentials come from, and how long they last: what works by hand must still work under cron."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from windsock.config import Config
from windsock.doctor.row import row
from windsock.model import Row

LASTS = timedelta(days=8)
"""A weekly job needs credentials that live past the next Monday."""
_BY_HAND = ("env", "shared-credentials-file", "login")
"""Links of botocore's chain that keep a session token as it was pasted; all others renew it."""


def aws_rows(name: str, config: Config, *, now: datetime) -> list[Row]:
    """Which link of the AWS chain gave the credentials; never the credentials."""
    import boto3
    from botocore.exceptions import BotoCoreError

    what = f"{name}: credentials"
    try:
        session = boto3.Session(profile_name=config.pipeline.storage.s3.profile or None)
        found = session.get_credentials()
        if found is None:
            return [row(what, "broken", "none found", "set AWS_PROFILE, or run where a role is attached")]
        token = found.get_frozen_credentials().token
    except BotoCoreError as error:
        mend = "run `aws sso login`; under cron use a role, which renews itself"
        return [row(what, "broken", str(error), mend)]
    told = f"from {found.method}"
    if token and found.method in _BY_HAND:
        mend = "under cron they end unnoticed: use a role or a profile that renews itself"
        return [row(what, "watch", f"{told}, with a session token that lasts hours", mend)]
    if found.method.startswith("sso"):
        mend = "`aws sso login` must be repeated by a person: under cron use a role"
        return [row(what, "watch", f"{told}, which ends with the sign-on session", mend)]
    return [row(what, "ok", told)]


def token_row(what: str, token: str, *, now: datetime) -> Row | None:
    """When a token of the pipeline file ends, where it says so itself (a JWT); None where it does not.

    Airflow 3 signs tokens for 24 hours ([api_auth] jwt_expiration_time): pasted into an environment they are dead by
    the next report.
    """
    ends_at = _ends_at(token)
    if ends_at is None:
        return None
    mend = "set token_command, or username_env and password_env: a new token is then fetched on each use"
    if ends_at <= now:
        return row(what, "broken", f"the token ended at {ends_at:%Y-%m-%dT%H:%M}Z", mend)
    if ends_at < now + LASTS:
        return row(
            what, "watch", f"the token ends at {ends_at:%Y-%m-%dT%H:%M}Z, before the next report", mend
        )
    return row(what, "ok", f"the token lasts until {ends_at:%Y-%m-%d}")


def _ends_at(token: str) -> datetime | None:
    """`exp` of a JSON Web Token (RFC 7519, 4.1.4). Its signature is the server's business."""
    parts = token.removeprefix("Bearer ").split(".")
    if len(parts) != 3:
        return None
    try:
        claims: Any = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return datetime.fromtimestamp(float(claims["exp"]), tz=UTC)
    except (ValueError, KeyError, TypeError, OverflowError, OSError, binascii.Error):
        return None
