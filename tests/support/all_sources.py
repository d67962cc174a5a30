"""One home with slices of every source at once: what was published by others, where it is here, and what changes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.support import online_retail
from tests.support.installation import Installation
from tests.support.real_data import published_data, write_slice
from tests.support.small_service import SmallService

SHOP, CRM = "adventureworks_dw", "adventureworks_oltp"
# Of some customers and resellers, and of few months: on Spark each month of a table is a file of its own, and of 75
# months they were 1,077 of a first load's 1,219 files. Files without a line here are taken whole.
SLICES = {
    f"{SHOP}/FactInternetSales.parquet": "CustomerKey % 20 = 0 and OrderDate >= '2013-12-01'",
    f"{SHOP}/DimCustomer.parquet": "CustomerKey % 20 = 0",
    f"{SHOP}/FactResellerSales.parquet": "ResellerKey % 20 = 0 and OrderDate >= '2013-11-01'",
    f"{SHOP}/FactSurveyResponse.parquet": "CustomerKey % 20 = 0 and Date >= '2012-04-01'",
    f"{SHOP}/FactCurrencyRate.parquet": "Date >= '2013-11-01'",
    f"{SHOP}/ProspectiveBuyer.parquet": "ProspectiveBuyerKey % 50 = 0",
    f"{SHOP}/FactInternetSalesReason.parquet": "cast(substr(SalesOrderNumber, 3) as bigint) % 20 = 0",
    f"{CRM}/Customer.csv": "cast(CustomerID as bigint) % 20 = 0",
    f"{CRM}/EmailAddress.csv": "cast(BusinessEntityID as bigint) % 20 = 0",
    f"{CRM}/PersonPhone.csv": "cast(BusinessEntityID as bigint) % 20 = 0",
    f"{CRM}/SalesOrderHeaderSalesReason.csv": "cast(SalesOrderID as bigint) % 20 = 0",
}


@dataclass
class AllSources:
    """The home and the sources behind it. Journey and service are always there, the others where their data is.

    Attributes:
        absent: source -> why it is not there.
    """

    home: Installation
    journey: Path
    service: SmallService
    incoming: Path
    absent: dict[str, str]

    @classmethod
    def at(cls, folder: Path) -> AllSources:
        journey = write_slice(folder / "journey", households=30, stores=1)
        service = SmallService(folder)
        home = service.installation(folder)
        incoming = folder / "incoming"
        (incoming / "by-day").mkdir(parents=True)
        here, absent = ["complete_journey", "service"], {}
        home.env |= {"COMPLETE_JOURNEY_DIR": str(journey)}
        home.env |= {online_retail.VARIABLE: str(incoming), "ADVENTUREWORKS_DIR": str(folder / "adventureworks")}
        for source, slice_ in (
            ("adventureworks", lambda: adventureworks_slice(folder / "adventureworks")),
            ("online_retail", online_retail.data),
        ):
            try:
                slice_()
                here.append(source)
            except pytest.skip.Exception as reason:
                absent[source] = str(reason)
        home.env["CLIENTELE_SOURCES"] = ",".join(here)
        return cls(home, journey, service, incoming, absent)

    def arrive(self, number: int) -> None:
        """Online Retail's file of that day comes in: its first 500 lines."""
        if "online_retail" not in self.absent:
            day = online_retail.days()[number]
            with (online_retail.data() / "by-day" / f"{day}.csv").open(encoding="utf-8") as whole:
                (self.incoming / "by-day" / f"{day}.csv").write_text("".join(next(whole) for _ in range(500)))

    def edit(self, file: str, *statements: str) -> None:
        """Change one of the journey's files by SQL on the table `t`."""
        Installation(self.home.home, self.journey).edit(file, *statements)


def adventureworks_slice(folder: Path) -> None:
    """The files of both systems, the large ones cut; skips the test where they are absent."""
    source = published_data("ADVENTUREWORKS_DIR", SHOP, CRM)
    for system, kind in ((SHOP, "parquet"), (CRM, "csv")):
        (folder / system).mkdir(parents=True)
        for file in sorted((source / system).glob(f"*.{kind}")):
            taken = SLICES.get(f"{system}/{file.name}")
            target = folder / system / file.name
            if taken is None:
                target.symlink_to(file)
                continue
            read = f"'{file}'" if kind == "parquet" else f"read_csv('{file}', all_varchar = true)"
            form = "format parquet" if kind == "parquet" else "format csv, header"
            with duckdb.connect() as con:
                con.execute(f"copy (from {read} where {taken}) to '{target}' ({form})")


def service_orders(service: SmallService) -> None:
    """What the service company has at first: orders and payments that change later."""
    for number, band in (("c1", "low"), ("c2", "high")):
        service.set("customers", number, customer_id=number, income_band=band)
    service.set("employees", "e1", employee_id="e1", team="North")
    service.set("households", "c1", household_id="h1", customer_id="c1", weight=1)
    service.set(
        "interactions", "i1", interaction_id="i1", customer_id="c1", channel="chat", started_at="2017-02-26 09:00:00"
    )
    service.cost("02-26", "print", 40)
    service.left("c9", "02-25", "02-26 12", kind="natural")
    service.opportunity("q1", "lead", "02-26 12", entered="2017-02-26")
    service.order("o1", "c1", "02-26 09", "02-26 09", promised_at="2017-03-05 12:00:00")
    service.order("o2", "c2", "02-26 10", "02-26 10", freight=0)
    service.payment("p1", "c1", " Card", 100, "02-26 12", paid_at="2017-02-26 12:00:00")
    service.write()


def service_changes(service: SmallService) -> None:
    """One order goes on, one moves to another month and customer, the payment is corrected: an upsert of each."""
    approved: dict[str, Any] = {"status": "approved", "approved_at": "2017-02-28 08:00:00"}
    service.order("o1", "c1", "02-26 09", "02-28 08", promised_at="2017-03-05 12:00:00", **approved)
    service.order("o2", "c9", "01-28 10", "02-28 09", freight=0)
    service.payment("p1", "c1", "card", 110, "02-28 12", paid_at="2017-02-26 12:00:00")
    service.opportunity("q1", "quoted", "02-28 12", entered="2017-02-26", quoted="2017-02-28")
    service.write()
