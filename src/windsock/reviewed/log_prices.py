"""What a bucket costs: list prices by scheme from the reviewed table `sql/log_bill/list_prices.csv`, or the user's own."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

OWN = "[log_bill] of the pipeline file"


@dataclass(frozen=True, slots=True)
class LogPrices:
    """Prices of one store: a gigabyte (2^30 bytes) kept for a month, a thousand puts, a thousand gets."""

    storage_gb_month: float
    put_1000: float
    get_1000: float
    currency: str
    source: str
    as_of: str = ""
    """The month in which the list was read, `2026-11`; empty for the user's own prices."""

    @property
    def is_list_price(self) -> bool:
        """Whether nobody said what this deployment pays."""
        return self.source != OWN


def load_list_prices(sql_folder: Path) -> dict[str, LogPrices]:
    """List prices by scheme of the address (`s3`, `gs`)."""
    with (sql_folder / "log_bill" / "list_prices.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["scheme"]: LogPrices(
                float(row["storage_gb_month"]),
                float(row["put_1000"]),
                float(row["get_1000"]),
                row["currency"],
                row["source"],
                row["as_of"],
            )
            for row in csv.DictReader(file)
        }


def own_prices(
    listed: LogPrices | None,
    *,
    storage_gb_month: float | None,
    put_1000: float | None,
    get_1000: float | None,
    currency: str,
) -> LogPrices | None:
    """The user's prices over the list's; a price of nothing where neither tells it. None where no price is known at all."""
    if storage_gb_month is None and put_1000 is None and get_1000 is None:
        return listed
    base = listed or LogPrices(0.0, 0.0, 0.0, "USD", OWN)
    return LogPrices(
        base.storage_gb_month if storage_gb_month is None else storage_gb_month,
        base.put_1000 if put_1000 is None else put_1000,
        base.get_1000 if get_1000 is None else get_1000,
        currency or base.currency,
        OWN,
    )
