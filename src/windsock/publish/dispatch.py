"""Finished reports → targets: who gets what, as one message for several deployments, and each owner's slice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from windsock import archive, report
from windsock.config import Config
from windsock.deliver import Chapter, Delivery, Note, Outcome, Parcel, send_all, unsent
from windsock.errors import DeliveryError, WindsockError
from windsock.publish import summary
from windsock.publish.addressing import Finished, Group, grouped
from windsock.report.letter import Part
from windsock.store import Store
from windsock.week import Week


def send(
    configs: Sequence[Config],
    *,
    week: Week,
    now: datetime,
    sleep: Callable[[float], None],
    lake_of: Callable[[Config], Store],
    again: bool = False,
    dry_run: bool = False,
) -> list[str]:
    """Deliver finished reports; returns what was done, in sentences. Raises when anything was not delivered."""
    told = Outcome()
    finished, groups = grouped(configs, week, lake_of, told)
    deliveries = []
    for group in groups:
        pending = _pending(group, told, again=again)
        if pending:
            receipts = tuple(one.receipt(group.receipt_name) for one in pending)
            deliveries.append(Delivery(group.target, _parcel(group, pending), receipts))
    if dry_run:
        told.done += [_shown(one) for one in deliveries]
    else:
        send_all(deliveries, told, now=now, sleep=sleep, again=again)
        _keep(finished, week, told)
    if told.failed:
        done = f" ({'; '.join(told.done)})" if told.done and not dry_run else ""
        raise DeliveryError(
            f"not delivered: {'; '.join(told.failed)}{done}; run `windsock send` again when it is mended"
        )
    return told.done


def _keep(finished: Sequence[Finished], week: Week, told: Outcome) -> None:
    """What people were sent is what next week compares with."""
    for one in finished:
        if one.name in told.delivered:
            try:
                archive.keep_delivered(one.store, week, one.files["report.json"].decode())
            except WindsockError as error:
                told.failed.append(f"{one.name}: sent, but the lake keeps no copy of what was sent: {error}")


def _pending(group: Group, told: Outcome, *, again: bool) -> list[Finished]:
    """The group's deployments that were not sent yet; the others are told."""
    pending = []
    for one in group.members:
        try:
            is_open, why = unsent(one.receipt(group.receipt_name), again=again)
        except WindsockError as error:
            told.failed.append(f"{group.receipt_name} of {one.name}: {error}")
            continue
        if is_open:
            pending.append(one)
        else:
            told.done.append(f"{group.receipt_name}: week {one.week} of {one.name} was {why}")
    return pending


def _parcel(group: Group, pending: Sequence[Finished]) -> Parcel:
    mail = report.letter([one.body for one in pending], owner=group.owner)
    first = pending[0]
    return Parcel(
        deployments=tuple(one.name for one in pending),
        week=str(first.week),
        subject=mail.subject,
        html=report.render_email_html(mail),
        text=report.render_email_text(mail),
        chapters=tuple(_chapter(part) for part in mail.parts),
        folder=first.config.out.name,
        files=first.files,
        summary=summary(first.body),
    )


def _chapter(part: Part) -> Chapter:
    return Chapter(
        title=f"Airflow {part.deployment}, week {part.week}",
        verdict=f"{part.cause} {part.detail}".strip(),
        notes=tuple(Note(one.headline, one.advice, one.link) for one in part.actions),
        more=len(part.also) + part.still_open,
        link=part.url,
    )


def _shown(one: Delivery) -> str:
    body = one.target.preview(one.parcel).rstrip("\n")
    return f"would send {one.target.describe(one.parcel)}\n" + "\n".join(
        f"    {line}" for line in body.split("\n")
    )
