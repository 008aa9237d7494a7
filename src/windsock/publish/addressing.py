"""Who is to get a finished report: its targets, those that deployments share, and the owners with an address."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from windsock import report
from windsock.config import Config, Email
from windsock.deliver import Outcome, Receipt, Target
from windsock.deliver.files import Files
from windsock.deliver.mail import Mail
from windsock.deliver.ses import Ses
from windsock.deliver.slack import Slack
from windsock.errors import ConfigError, WindsockError
from windsock.store import Store, open_store
from windsock.week import Week


@dataclass(frozen=True, slots=True)
class Finished:
    """One deployment's report as `windsock report` wrote it, and the lake that keeps its receipts."""

    config: Config
    week: Week
    store: Store
    body: Mapping[str, Any]
    files: Mapping[str, bytes]

    @property
    def name(self) -> str:
        return self.config.pipeline.deployment.name

    def receipt(self, target: str) -> Receipt:
        return Receipt(self.store, f"{self.name}/{self.week}/{target}")


@dataclass(slots=True)
class Group:
    """Deployments that share a target: one message."""

    target: Target
    owner: str
    receipt_name: str
    members: list[Finished] = field(default_factory=list)


def grouped(
    configs: Sequence[Config], week: Week, lake_of: Callable[[Config], Store], told: Outcome
) -> tuple[list[Finished], list[Group]]:
    """The finished reports and their targets; a deployment without a report is told and does not stop the others."""
    groups: dict[Hashable, Group] = {}
    finished = []
    for config in configs:
        try:
            one = _finished(config, week, lake_of)
            _add(groups, one)
        except WindsockError as error:
            told.failed.append(str(error))
        else:
            finished.append(one)
    return finished, list(groups.values())


def _finished(config: Config, week: Week, lake_of: Callable[[Config], Store]) -> Finished:
    folder = config.out / str(week)
    try:
        files = {name: (folder / name).read_bytes() for name in report.NAMES}
        body = json.loads(files["report.json"])
    except (OSError, ValueError):
        raise ConfigError(
            f"{folder}: no finished report of week {week}; run `windsock report {config.path.name} --week {week}` first"
        ) from None
    if not isinstance(body, dict) or not set(_NEEDED) <= set(body):
        raise ConfigError(
            f"{folder}/report.json: not of this version of windsock; run `windsock report {config.path.name} --week {week}`"
        )
    return Finished(config, week, lake_of(config), body, files)


_NEEDED = (
    "verdict",
    "verdict_sentence",
    "subject",
    "findings",
    "actions",
    "measures",
    "changes",
    "owners",
    "quiet",
)


def _add(groups: dict[Hashable, Group], one: Finished) -> None:
    """The targets of one deployment; those of the same address are shared with others."""
    deliver = one.config.pipeline.deliver
    if not (deliver.email or deliver.slack or deliver.files):
        raise ConfigError(
            f"{one.config.path}: nobody to send to; add [deliver.email], [deliver.slack] or [deliver.files]"
        )

    def join(target: Target, name: str, *, owner: str = "", apart: Hashable = None) -> None:
        groups.setdefault((target, owner, apart), Group(target, owner, name)).members.append(one)

    if deliver.email:
        to = tuple(deliver.email.to)
        if to:
            join(_mail(one.config, deliver.email, to), "email")
        for owner in _owners(one.body, deliver.email):
            join(_mail(one.config, deliver.email, (owner,)), f"email/{owner}", owner=owner)
    if deliver.slack:
        join(Slack(one.config.secrets[deliver.slack.webhook_env]), "slack")
    if deliver.files:
        store = open_store(one.config.url(deliver.files.url), one.config.storage)
        join(Files(store, report.render_index), "files", apart=one.name)


def _owners(body: Mapping[str, Any], email: Email) -> list[str]:
    """Owners with a mail address of their own and something to read; those on the list get the whole."""
    if not email.owners:
        return []
    on_list = {one.lower() for one in email.to}
    return [
        owner
        for owner in sorted(body.get("owners") or {})
        if "@" in owner and owner.lower() not in on_list and report.concerns(body, owner)
    ]


def _mail(config: Config, email: Email, to: tuple[str, ...]) -> Target:
    if email.ses:
        s3 = config.pipeline.storage.s3
        return Ses(to=to, sender=email.sender, region=email.region or s3.region, profile=s3.profile)
    return Mail(
        to=to,
        sender=email.sender,
        host=email.smtp_host,
        port=email.smtp_port,
        starttls=email.starttls,
        tls=email.tls,
        username=config.secrets.get(email.username_env, ""),
        password=config.secrets.get(email.password_env, ""),
        ca_file=config.url(email.ca_file),
    )
