"""The lake: plain Parquet by table and week. Spill, merge, publish, ledger, lock; and DuckDB connections to ask it."""

from windsock.lake.lake import Lake, NoLake
from windsock.lake.ledger import Todo
from windsock.lake.writer import Writer

__all__ = ["Lake", "NoLake", "Todo", "Writer"]
