"""Online Retail as tests need it: where its files are, an installation that loads them, and its figures by pandas."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from tests.support.installation import Installation

VARIABLE = "ONLINE_RETAIL_DIR"
CHARGES = {
    *("POST", "DOT", "C2", "M", "m", "D", "B", "S", "PADS", "CRUK", "AMAZONFEE", "BANK CHARGES"),
    *(f"gift_0001_{pounds}" for pounds in (10, 20, 30, 40, 50)),
}


def data() -> Path:
    """The folder with `by-day/`; skips the test where it is absent."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data" / "online_retail"
    folder = Path(os.environ.get(VARIABLE) or beside)
    if not (folder / "by-day").is_dir():
        pytest.skip(f"{folder} has no by-day/: download Online Retail and set {VARIABLE}")
    return folder


def days() -> list[date]:
    """The dates of the files, in order."""
    return sorted(date.fromisoformat(path.stem) for path in (data() / "by-day").glob("*.csv"))


class Shop(Installation):
    """An installation that loads this source only, from files that arrive when a test says so."""

    @classmethod
    def at(cls, folder: Path) -> Shop:
        incoming = folder / "incoming"
        (incoming / "by-day").mkdir(parents=True)
        env = {
            VARIABLE: str(incoming),
            "CLIENTELE_SOURCES": "online_retail",
            "CLIENTELE_FIRST_DATE": days()[0].isoformat(),
        }
        return cls(folder / "home", incoming, env)

    def arrive(self, *arriving: date) -> None:
        """The files of the days come in."""
        for day in arriving:
            (self.data / "by-day" / f"{day}.csv").symlink_to(data() / "by-day" / f"{day}.csv")


@dataclass(frozen=True)
class Figures:
    """Rows, signed units and signed money of one destination."""

    rows: int
    quantity: int
    amount: Decimal


def figures(lines: pd.DataFrame) -> dict[str, Figures]:
    """What the lines come to per destination, by pandas and integers of a thousandth of a pound.

    Args:
        lines: columns as in the files, texts as they stand there.
    """
    thousandths = lines["UnitPrice"].map(lambda price: int(Decimal(str(price)) * 1000))
    quantity = lines["Quantity"].astype("int64")
    charged = lines["StockCode"].isin(CHARGES) | lines["InvoiceNo"].str.startswith("A")
    returned = ~charged & (lines["InvoiceNo"].str.startswith("C") | (quantity < 0))
    chosen = {"charges": charged, "returns": returned, "sales": ~charged & ~returned}
    return {
        name: Figures(
            rows=int(where.sum()),
            quantity=int(quantity[where].sum()),
            amount=Decimal(int((quantity[where] * thousandths[where]).sum())) / 1000,
        )
        for name, where in chosen.items()
    }


def of_files(chosen: list[date]) -> pd.DataFrame:
    """The lines of the days' files, as texts except the quantity."""
    files = [data() / "by-day" / f"{day}.csv" for day in chosen]
    return pd.concat([pd.read_csv(file, dtype=str, keep_default_na=False) for file in files], ignore_index=True)


def in_warehouse(shop: Installation) -> dict[str, Figures]:
    """The same figures as the star has them, in the signs of the source."""
    of_facts = {
        "sales": "select count(*), sum(quantity), sum(net_amount) from star.fct_sales_line",
        "returns": "select count(*), -sum(quantity), -sum(return_amount) from star.fct_return_line",
        "charges": "select count(*), sum(quantity), sum(charge_amount) from star.fct_order_charge",
    }
    return {name: Figures(*shop.sql(query)[0]) for name, query in of_facts.items()}
