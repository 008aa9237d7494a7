"""The report by SMTP: one message with an HTML and a plain part."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from windsock.deliver.send import Package
from windsock.errors import DeliveryError

TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Mail:
    """An SMTP target. `username` and `password` come from the environment and are never shown."""

    to: tuple[str, ...]
    sender: str
    host: str
    port: int
    starttls: bool = False
    tls: bool = False
    username: str = ""
    password: str = ""
    name: str = "email"

    def describe(self, package: Package) -> str:
        return f"email to {', '.join(self.to)} by {self.host}:{self.port}: {_subject(package)}"

    def message(self, package: Package, now: datetime) -> EmailMessage:
        """multipart/alternative; Message-ID follows from deployment and week, so that a repeat is recognised."""
        message = EmailMessage()
        message["Subject"] = _subject(package)
        message["From"], message["To"] = self.sender, ", ".join(self.to)
        message["Date"] = format_datetime(now)
        digest = hashlib.sha256(
            f"{package.deployment}/{package.week}/{now.isoformat()}".encode()
        ).hexdigest()[:24]
        domain = self.sender.rpartition("@")[2].strip("> ") or "localhost"
        message["Message-ID"] = f"<{digest}@{domain}>"
        message["List-Id"] = f"<windsock.{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(package.text("email.txt"))
        message.add_alternative(package.text("email.html"), subtype="html")
        return message

    def send(self, package: Package, *, now: datetime) -> None:
        message = self.message(package, now)
        try:
            with self._connect() as server:
                refused = server.send_message(message)
        except (OSError, smtplib.SMTPException) as error:
            raise DeliveryError(f"{self.host}:{self.port}: {_told(error)}; check [deliver.email]") from None
        if refused:
            raise DeliveryError(f"{self.host}:{self.port} refused {', '.join(sorted(refused))}")

    def _connect(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self.tls:
            server: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT_S, context=context)
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_S)
        try:
            if self.starttls:
                server.starttls(context=context)
            if self.username:
                server.login(self.username, self.password)
        except (OSError, smtplib.SMTPException):
            server.close()
            raise
        return server


def _subject(package: Package) -> str:
    """`Airflow prod, week 47: worse`; the prefix is constant, so that mails thread."""
    told = package.report()
    title = (
        f"Airflow {package.deployment}, week {package.week[-2:]}: {str(told['verdict']).replace('_', ' ')}"
    )
    return " ".join("".join(c if c.isprintable() else " " for c in title).split())


def _told(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        text = (
            error.smtp_error.decode("utf-8", "replace")
            if isinstance(error.smtp_error, bytes)
            else error.smtp_error
        )
        return f"{error.smtp_code} {' '.join(str(text).split())}"
    return " ".join(str(error).split()) or type(error).__name__
