"""Ways out of the house: mail by SMTP or SES, Slack, files. All or nothing per target, never twice for one week."""

from windsock.deliver.parcel import Chapter, Note, Parcel
from windsock.deliver.receipts import Receipt
from windsock.deliver.send import Delivery, Outcome, Target, send_all, unsent

__all__ = ["Chapter", "Delivery", "Note", "Outcome", "Parcel", "Receipt", "Target", "send_all", "unsent"]
