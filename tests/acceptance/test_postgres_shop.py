"""A shop in PostgreSQL from its tables to the warehouse, two nights: the fact is the source, to the cent."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.installation import PROJECT, Installation
from tests.support.postgres import Server

pytestmark = pytest.mark.long

SOURCE = """
name: webshop
kind: postgres
dsn: ${SHOP_PG_DSN}
timezone: Europe/Rome
feeds:
  customers:
    table: public.customers
    class: descriptive
    canonical: customers
    extract: snapshot
    key: [customer_id]
    columns: {customer_id: BIGINT, country: VARCHAR}
  order_lines:
    query: select l.*, o.ordered_at, o.customer_id from order_lines l join orders o using (order_id)
    class: transactional
    canonical: order_lines
    extract: append
    key: [order_id, line_no]
    cursor: ordered_at
    control_totals: {net_amount: net, quantity: quantity}
    columns:
      order_id: BIGINT
      line_no: INTEGER
      product_id: VARCHAR
      quantity: INTEGER
      net: DECIMAL(19, 4)
      ordered_at: TIMESTAMPTZ
      customer_id: BIGINT
"""
STAGING = {
    "stg_webshop__customers": """
select
    _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row, _op as op,
    _effective_from as effective_from, cast(customer_id as varchar) as customer_id, country
from {{ landed('webshop', 'customers') }} as landed
""",
    "stg_webshop__order_lines": """
select
    _system as source_system, _feed as source_feed, _load_id as load_id, _row as load_row,
    cast(order_id as varchar) as order_id, line_no, _business_date as order_date,
    cast(customer_id as varchar) as customer_id, product_id, quantity, net as gross, 0 as discount_retail,
    0 as discount_coupon, 0 as discount_match, net
from {{ landed('webshop', 'order_lines') }} as landed
""",
}
TABLES = """
create table customers (customer_id bigint primary key, country text);
create table orders (order_id bigint primary key, ordered_at timestamptz not null, customer_id bigint);
create table order_lines (order_id bigint, line_no int, product_id text, quantity int, net numeric(12, 2));
insert into customers select i, case when i % 2 = 0 then 'IT' else 'NO' end from generate_series(1, 20) i;
insert into orders select i, timestamptz '2017-03-01 00:00+01' + i * interval '30 minutes', i % 20 + 1
    from generate_series(0, 95) i;
insert into order_lines select o, n, 'p' || n, n, (o * 7 + n) / 100.0
    from generate_series(0, 95) o, generate_series(1, 3) n;
"""


@dataclass
class Nights:
    server: Server
    database: str
    installation: Installation
    reports: list[dict[str, Any]]

    def both(self, night: str) -> tuple[Any, Any]:
        """Lines and money until the end of a day in Rome: in the source, in the fact."""
        asked = (
            "select count(*)::text, sum(net)::numeric(19, 4)::text from order_lines join orders using (order_id)"
            f" where (ordered_at at time zone 'Europe/Rome')::date <= date '{night}'"
        )
        fact = "select count(*)::varchar, sum(net_amount)::varchar from star.fct_sales_line where order_date <= "
        return self.server.ask(asked, self.database), self.installation.sql(f"{fact} date '{night}'")


@pytest.fixture(scope="module")
def nights(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Nights:
    folder = tmp_path_factory.mktemp("webshop")
    shutil.copytree(PROJECT / "dbt", folder / "dbt", ignore=shutil.ignore_patterns("target", "logs"))
    shutil.copytree(PROJECT / "sources", folder / "sources")
    files = {f"dbt/models/staging/webshop/{name}.sql": text for name, text in STAGING.items()}
    files["dbt/models/staging/webshop/sources.yml"] = (
        "sources: [{name: webshop, schema: landing, tables: [{name: customers}, {name: order_lines}]}]\n"
    )
    files["sources/webshop/source.yml"] = SOURCE
    rule = {"rule": "key_present", "severity": "quarantine", "why": "Without it no row is told from another."}
    for feed, key in {"customers": "customer_id", "order_lines": "order_id"}.items():
        check = {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": key}, "meta": rule}
        suite = {"name": f"landing.webshop.{feed}", "expectations": [check]}
        files[f"expectations/landing/webshop/{feed}.json"] = json.dumps(suite)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    database = postgres.database(TABLES)
    env = {f"CLIENTELE_{name.upper()}_DIR": str(folder / name) for name in ("dbt", "sources", "expectations")}
    env |= {"CLIENTELE_SOURCES": "webshop", "SHOP_PG_DSN": postgres.dsn(database)}
    installation = Installation(folder / "home", folder, env)
    reports = [installation.load("2017-03-01")]
    postgres.run(
        "update customers set country = 'FR' where customer_id = 1;"
        " insert into orders values (200, '2017-03-01 12:00+01', 3);"
        " insert into order_lines values (200, 1, 'p1', 1, 9.99)",
        database,
    )
    reports.append(installation.load("2017-03-02"))
    return Nights(postgres, database, installation, reports)


@pytest.mark.parametrize("night", ["2017-03-01", "2017-03-02"])
def test_the_fact_is_the_source_to_the_cent(nights: Nights, night: str) -> None:
    source, fact = nights.both(night)

    assert source == fact
    assert [report["status"] for report in nights.reports] == ["published", "published"]


def test_a_customer_that_moved_has_two_versions(nights: Nights) -> None:
    found = nights.installation.sql(
        "select country, valid_from::varchar from star.dim_customer where customer_id = '1' order by valid_from"
    )

    assert found == [("NO", "1900-01-01"), ("FR", "2017-03-02")]


def test_the_source_is_checked_and_its_password_is_told_nowhere(nights: Nights) -> None:
    checked = nights.installation.run("source", "check", check=0)

    assert "as agreed" in checked.out
    secret = nights.server.password.encode()
    assert secret not in checked.text.encode()
    told = [path for path in nights.installation.home.rglob("*") if path.is_file() and secret in path.read_bytes()]
    assert told == []


def test_a_server_that_is_down_fails_its_feeds_after_three_tries_and_the_release_stays(nights: Nights) -> None:
    nights.server.halt()
    try:
        finished = nights.installation.run("load", "--date", "2017-03-03", check=1)
    finally:
        nights.server.start()

    assert finished.text.count("trying again") >= 2
    assert f"table public.customers at 127.0.0.1:{nights.server.port}/{nights.database} can't be read" in finished.text
    assert nights.installation.sql("select count(*) from star.fct_sales_line")[0][0] == 96 * 3 + 1
    assert nights.installation.load("2017-03-03")["status"] in {"published", "unchanged"}
