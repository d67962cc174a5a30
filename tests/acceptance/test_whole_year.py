"""The default load, whole: 22 million rows of the real data, as `make load` runs it."""

from __future__ import annotations

import re
from typing import Any

import duckdb
import pytest

from tests.support.documents import Document
from tests.support.installation import Installation
from tests.support.real_data import package_data


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> tuple[Installation, dict[str, Any]]:
    home = Installation(tmp_path_factory.mktemp("year") / "home", package_data())
    return home, home.load()


def test_the_load_publishes_with_every_check_of_severity_above_warning_passed(
    year: tuple[Installation, dict[str, Any]],
) -> None:
    _, report = year
    assert report["status"] == "published"
    assert {check["severity"] for check in report["checks"]["broken"]} == {"warning"}


def test_every_row_of_every_file_has_landed(year: tuple[Installation, dict[str, Any]]) -> None:
    home, report = year
    with duckdb.connect() as con:
        in_files = {
            path.stem: con.execute(f"select count(*) from '{path}'").fetchall()[0][0]
            for path in package_data().glob("*.parquet")
        }
    read = {row["feed"].split(".")[1]: row["read"] for row in report["feeds"]}
    assert read == in_files
    # the 4,872 exact repeats of coupons are the only rows that are not facts or members of their own
    assert {row["feed"]: row["unchanged"] for row in report["feeds"] if row["unchanged"]} == {
        "complete_journey.coupons": 4872
    }
    assert home.sql("select count(*) from star.fct_promo_coverage") == [(20_940_529,)]


def test_net_sales_of_feed_fact_and_cube_agree_to_the_cent(year: tuple[Installation, dict[str, Any]]) -> None:
    home, report = year
    with duckdb.connect() as con:
        in_file = con.execute(
            f"select sum(sales_value::decimal(19, 2))::varchar from '{package_data()}/transactions.parquet'"
        ).fetchall()
    assert in_file == [("4596039.58",)]
    for query in (
        "select sum(net_amount)::decimal(19, 2)::varchar from star.fct_sales_line",
        "select sum(net_sales)::decimal(19, 2)::varchar from cube.sales_base",
        "select sum(net_sales)::decimal(19, 2)::varchar from cube.sales_by_month_department_category",
        "select net_sales::decimal(19, 2)::varchar from cube.sales_total",
    ):
        assert home.sql(query) == in_file, query
    assert all(float(row["expected"]) == float(row["actual"]) for row in report["reconciliation"]["measures"])


def test_the_order_date_is_new_yorks(year: tuple[Installation, dict[str, Any]]) -> None:
    """17% of the lines change their date from UTC to New York, and none is left in the following year."""
    home, _ = year
    assert home.sql("select min(order_date)::varchar, max(order_date)::varchar from star.fct_sales_line") == [
        ("2017-01-01", "2017-12-31")
    ]
    share = home.sql("select avg(case when order_date <> ordered_at::date then 1 else 0 end) from star.fct_sales_line")
    assert 0.16 < share[0][0] < 0.18


def test_no_promotion_is_counted_twice(year: tuple[Installation, dict[str, Any]]) -> None:
    home, _ = year
    assert home.sql(
        "select count(*) from (select 1 from star.fct_promo_coverage"
        " group by product_key, store_key, week_date, promo_vehicle_key having count(*) > 1)"
    ) == [(0,)]


def test_no_published_column_has_a_type_that_bi_tools_stumble_over(
    year: tuple[Installation, dict[str, Any]],
) -> None:
    home, _ = year
    assert (
        home.sql(
            "select table_schema, table_name, column_name, data_type from information_schema.columns"
            " where table_schema in ('star', 'cube') and"
            " (data_type in ('HUGEINT', 'UHUGEINT', 'BLOB') or data_type like 'STRUCT%' or data_type like '%[]')"
        )
        == []
    )


def test_staging_and_canonical_are_not_in_the_release(year: tuple[Installation, dict[str, Any]]) -> None:
    home, _ = year
    assert home.sql("select distinct table_schema from information_schema.tables order by 1") == [
        ("cube",), ("mart",), ("ops",), ("star",)
    ]  # fmt: skip


def test_the_answers_shown_in_the_documents_are_those_of_the_year(year: tuple[Installation, dict[str, Any]]) -> None:
    """Cell by cell as docs/questions.md prints them; worth is that of the fit the document names."""
    home, _ = year
    assert home.run("fit").code == 0
    home.load()
    shown = re.findall(r"```sql\n([^`]+)\n```\n\n((?:\|.*\n)+)", Document("docs/questions.md").text)
    assert len(shown) > 10
    for query, table in shown:
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
        assert [["" if cell is None else str(cell) for cell in row] for row in home.sql(query)] == rows, query
