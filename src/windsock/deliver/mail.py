"""The report by SMTP: one message with a plain and an HTML part, to all recipients or to none."""

from __future__ import annotations

import base64
import hashlib
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from windsock.deliver.parcel import Parcel
from windsock.deliver.send import Refused, Uncertain
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
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    ca_file: str = ""
    name: str = "email"

    def describe(self, parcel: Parcel) -> str:
        return f"email to {', '.join(self.to)} by {self.host}:{self.port}: {parcel.subject}"

    def preview(self, parcel: Parcel) -> str:
        return letter_preview(parcel)

    def send(self, parcel: Parcel, *, now: datetime) -> None:
        message = compose(parcel, to=self.to, sender=self.sender, now=now)
        with self._connection() as server:
            self._envelope(server)
            try:
                code, answer = server.data(message.as_bytes(policy=SMTP))
            except smtplib.SMTPDataError as error:
                raise DeliveryError(self._told(error)) from None
            except (smtplib.SMTPException, OSError) as error:
                raise Uncertain(f"{self._told(error)} while the message was handed over") from None
            if code != 250:
                raise DeliveryError(self._told(smtplib.SMTPDataError(code, answer)))

    def _envelope(self, server: smtplib.SMTP) -> None:
        """Every recipient is accepted before anything is sent; one that is refused stops all."""
        code, answer = server.mail(parseaddr(self.sender)[1])
        if code != 250:
            raise DeliveryError(self._told(smtplib.SMTPSenderRefused(code, answer, self.sender)))
        refused = []
        for one in self.to:
            code, answer = server.rcpt(parseaddr(one)[1])
            if code not in (250, 251):
                refused.append((code, f"{one} ({code} {_line(answer)})"))
        if refused:
            server.rset()
            kind = Refused if all(code >= 500 for code, _ in refused) else DeliveryError
            told = ", ".join(text for _, text in refused)
            raise kind(
                f"{self.host}:{self.port} refused {told}; nobody was sent anything; check [deliver.email] to"
            )

    @contextmanager
    def _connection(self) -> Iterator[smtplib.SMTP]:
        server: smtplib.SMTP | None = None
        try:
            context = ssl.create_default_context(cafile=self.ca_file or None)
            if self.tls:
                server = smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT_S, context=context)
            else:
                server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_S)
            if self.starttls:
                server.starttls(context=context)
            if self.username:
                server.login(self.username, self.password)
            server.ehlo_or_helo_if_needed()
            yield server
        except smtplib.SMTPAuthenticationError as error:
            raise Refused(self._told(error)) from None
        except (OSError, smtplib.SMTPException, UnicodeError) as error:
            raise DeliveryError(self._told(error)) from None
        finally:
            if server is not None:
                _goodbye(server)

    def _told(self, error: Exception) -> str:
        """One line without the credentials, whatever a server echoes."""
        if isinstance(error, smtplib.SMTPResponseException):
            text = f"{error.smtp_code} {_line(error.smtp_error)}"
        elif isinstance(error, UnicodeError):  # its own text quotes them
            text = "an address, the user name or the password holds characters that this server cannot take"
        else:
            text = _line(str(error)) or type(error).__name__
        plain = f"\0{self.username}\0{self.password}"
        for secret in (self.password, plain):
            for form in (secret, base64.b64encode(secret.encode()).decode()):
                text = text.replace(form, "***") if secret.strip("\0") else text
        return f"{self.host}:{self.port}: {text}; check [deliver.email]"


def _goodbye(server: smtplib.SMTP) -> None:
    try:
        server.quit()
    except (smtplib.SMTPException, OSError):
        server.close()


def compose(parcel: Parcel, *, to: tuple[str, ...], sender: str, now: datetime) -> EmailMessage:
    """multipart/alternative. The Message-ID follows from deployments, week and recipients: a repeat is recognised."""
    message = EmailMessage()
    try:
        message["Subject"] = parcel.subject
        message["From"], message["To"] = sender, ", ".join(to)
    except (ValueError, MessageError):
        raise Refused("[deliver.email] from or to holds what is no mail address") from None
    for one in (sender, *to):
        if "@" not in parseaddr(one)[1]:
            raise Refused(f"{one!r} is no mail address; check [deliver.email] from and to")
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    key = "/".join((*parcel.deployments, parcel.week, *to, parcel.text))
    digest = hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:24]
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{digest}@{domain}>"
    message["List-Id"] = f"windsock weekly report <windsock.{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    # quoted-printable: not every server takes 8-bit text
    message.set_content(parcel.text, cte="quoted-printable")
    message.add_alternative(parcel.html, subtype="html", cte="quoted-printable")
    return message


def letter_preview(parcel: Parcel) -> str:
    """The plain part, as it would be sent."""
    return f"Subject: {parcel.subject}\n({len(parcel.html.encode()):,} bytes of HTML beside this text)\n\n{parcel.text}"


def _line(text: bytes | str) -> str:
    told = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return " ".join("".join(c if c.isprintable() else " " for c in told).split())
