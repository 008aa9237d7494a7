"""Who would get the report, and whether the way there is open. Nothing is sent."""

from __future__ import annotations

import os
import re
import smtplib
from datetime import datetime
from pathlib import Path

from windsock.config import Config, Email
from windsock.doctor.credentials import aws_rows
from windsock.doctor.row import of_error, row
from windsock.errors import WindsockError
from windsock.model import Row
from windsock.store import open_store

SMTP_TIMEOUT_S = 5.0


def delivery_rows(config: Config, *, now: datetime) -> list[Row]:
    """One row for each target."""
    deliver = config.pipeline.deliver
    rows: list[Row] = []
    if deliver.email and deliver.email.ses:
        rows += aws_rows("deliver: email", config, now=now)
    elif deliver.email:
        rows.append(_mail_server(deliver.email))
    if deliver.slack:
        hook = config.secrets.get(deliver.slack.webhook_env, "")
        is_hook = re.match(r"https://\S+/\S+", hook) is not None
        mend = "" if is_hook else "it holds no https:// address; copy the incoming webhook's"
        rows.append(
            row("deliver: slack", "ok" if is_hook else "broken", f"${deliver.slack.webhook_env}", mend)
        )
    if deliver.files:
        rows.append(_files(config, config.url(deliver.files.url)))
    add = "add [deliver.email], [deliver.slack] or [deliver.files]"
    return rows or [row("deliver", "missing", "nobody gets the report", add)]


def _mail_server(email: Email) -> Row:
    """Says hello and leaves."""
    host, port = email.smtp_host, email.smtp_port
    try:
        server = smtplib.SMTP_SSL if email.tls else smtplib.SMTP
        with server(host, port, timeout=SMTP_TIMEOUT_S) as smtp:
            smtp.ehlo()
            if email.starttls and not smtp.has_extn("starttls"):
                return row("deliver: email", "broken", f"{host}:{port} offers no STARTTLS",
                           "port 587 usually does; port 465 wants tls = true instead")  # fmt: skip
    except (OSError, smtplib.SMTPException) as error:
        mend = "check [deliver.email] smtp_host and smtp_port, and that this machine may connect there"
        return row("deliver: email", "broken", f"{host}:{port}: {error}", mend)
    return row("deliver: email", "ok", f"{host}:{port} answers")


def _files(config: Config, url: str) -> Row:
    try:
        store = open_store(url, config.storage)
        if store.local_root is None:
            next(iter(store.list()), None)
        elif not os.access(_existing(store.local_root), os.W_OK):
            return row("deliver: files", "broken", f"{url}: not writable", "choose another [deliver.files] url")  # fmt: skip
    except WindsockError as error:
        return of_error("deliver: files", error)
    return row("deliver: files", "ok", url)


def _existing(path: Path) -> Path:
    return next(one for one in (path, *path.parents) if one.exists())
