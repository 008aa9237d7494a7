"""The report by Amazon SES: the same message as by SMTP, in one call of boto3."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.policy import SMTP
from typing import Any

from windsock.deliver.mail import compose, letter_preview
from windsock.deliver.parcel import Parcel
from windsock.deliver.send import Refused, Uncertain
from windsock.errors import DeliveryError

MAX_RECIPIENTS = 50  # of one SES call
PASSING = ("TooManyRequestsException", "ThrottlingException", "InternalFailure", "ServiceUnavailable")


@dataclass(frozen=True, slots=True)
class Ses:
    """SES finds credentials and region as boto3 does everywhere (environment, profile, role)."""

    to: tuple[str, ...]
    sender: str
    region: str = ""
    profile: str = ""
    name: str = "email"

    def describe(self, parcel: Parcel) -> str:
        return f"email to {', '.join(self.to)} by Amazon SES: {parcel.subject}"

    def preview(self, parcel: Parcel) -> str:
        return letter_preview(parcel)

    def send(self, parcel: Parcel, *, now: datetime) -> None:
        from botocore.exceptions import (
            BotoCoreError,
            ClientError,
            ConnectionClosedError,
            ReadTimeoutError,
        )

        if len(self.to) > MAX_RECIPIENTS:
            raise Refused(
                f"SES takes {MAX_RECIPIENTS} recipients a message, not {len(self.to)}; use a mailing list"
            )
        raw = compose(parcel, to=self.to, sender=self.sender, now=now).as_bytes(policy=SMTP)
        try:
            self._client().send_email(
                FromEmailAddress=self.sender,
                Destination={"ToAddresses": list(self.to)},
                Content={"Raw": {"Data": raw}},
            )
        except ClientError as error:
            told = error.response.get("Error", {})
            kind = DeliveryError if told.get("Code") in PASSING else Refused
            raise kind(f"SES: {told.get('Code')}: {told.get('Message')}; check [deliver.email]") from None
        except (ReadTimeoutError, ConnectionClosedError):
            raise Uncertain("SES: the connection broke while the message was handed over") from None
        except BotoCoreError as error:
            raise DeliveryError(f"SES: {error}; check AWS credentials and region") from None

    def _client(self) -> Any:
        import boto3
        from botocore.config import Config

        session = boto3.Session(profile_name=self.profile or None, region_name=self.region or None)
        # retries are ours: botocore would repeat a call that may have been heard
        return session.client(
            "sesv2", config=Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=30)
        )
