"""Getting the finished report to people: all or nothing per target, never twice for one week."""

from windsock.deliver.send import Package, Receipts, Target, send_all

__all__ = ["Package", "Receipts", "Target", "send_all"]
