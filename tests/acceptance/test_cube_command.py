"""`clientele cube` as an analyst types it: answers, files, and errors that help."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from tests.support.installation import Installation

BY_DEPARTMENT = ("cube", "query", "sales", "--metrics", "net_sales,buyers", "--by", "product.department")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory, slice_dir: Path) -> Installation:
    installation = Installation(tmp_path_factory.mktemp("cube") / "home", slice_dir)
    assert installation.load()["status"] == "published"
    return installation


def test_cells_come_as_json_csv_and_files(loaded: Installation, tmp_path: Path) -> None:
    expected = loaded.sql("select department, net_sales from cube.sales_by_department order by department")
    told = loaded.run(*BY_DEPARTMENT, "--json", check=0).json
    assert [(row["product.department"], float(row["net_sales"])) for row in told] == [
        (name, float(value)) for name, value in expected
    ]
    lines = loaded.run(*BY_DEPARTMENT, "--csv", check=0).out.splitlines()
    assert lines[0] == "product.department,net_sales,buyers"
    assert len(lines) == len(expected) + 1
    for ending in ("csv", "json", "parquet", "arrow"):
        path = tmp_path / f"cells.{ending}"
        loaded.run(*BY_DEPARTMENT, "--output", str(path), check=0)
        if ending == "arrow":
            import pyarrow as pa

            assert pa.ipc.open_file(path).read_all().num_rows == len(expected)
        elif ending == "json":
            assert len(json.loads(path.read_text())) == len(expected)
        else:
            with duckdb.connect() as con:
                assert con.execute(f"select count(*) from '{path}'").fetchall() == [(len(expected),)]
    told = loaded.run(*BY_DEPARTMENT, "--output", str(tmp_path / "cells.xls"), check=1).text
    assert "use .csv, .json, .parquet or .arrow" in told


def test_explain_names_the_table_the_rows_read_and_the_release(loaded: Installation) -> None:
    told = loaded.run("cube", "explain", "sales", "--metrics", "net_sales", "--by", "calendar.month", "--json").json
    assert told["answered_by"] == ["cube.sales_by_month"]
    assert 0 < told["rows_read"] < 1000
    assert told["release"] == loaded.warehouse.resolve().parent.name
    assert told["last_day"]["sales"] == str(loaded.sql("select max(order_date) from star.fct_sales_line")[0][0])
    assert "cube.sales_month_grains" in told["sql"]
    of_fact = loaded.run("cube", "explain", "sales", "--metrics", "net_sales", "--by", "product.brand", "--json").json
    assert of_fact["answered_by"] == ["star.fct_sales_line"]
    assert of_fact["rows_read"] >= loaded.sql("select count(*) from star.fct_sales_line")[0][0]


@pytest.mark.parametrize(
    ("args", "message", "remedy"),
    [
        (["--metrics", "net_sale"], "there is no metric 'net_sale'", "net_sales"),
        (["--by", "product.departmnt"], "there is no level 'product.departmnt'", "product.department"),
        (["--metrics", "net_sales.yearovr"], "there is no variant of net_sales 'yearovr'", "year_over_year"),
        (["--by", "age_band"], "several dimensions have a level 'age_band'", "customer_now.age_band"),
        (["--where", "calendar.day = 'yesterday'"], "can't be compared", "calendar.day is of type date"),
        (["--where", "calendar.year like '2%'"], "can't be compared", "calendar.year is of type integer"),
        (["--where", "store.store_id = "], "this is no condition", "write it like"),
        (["--where", "store.store_id = (select 1)"], "a condition can't hold", "write it like"),
        (["--where", 'product.department = "GROCERY"'], "in double quotes is a name", "'GROCERY'"),
        (["--metrics", "campaign_cost", "--by", "product.department"], "fct_campaign_cost) has no product", "calendar"),
        (["--metrics", "net_sales.previous_period"], "needs a calendar level", "calendar.month"),
        (["--metrics", "net_sales.previous_period", "--by", "calendar.weekday"], "periods that follow", "retail ones"),
        (
            ["--metrics", "average_order_value.share", "--by", "product.department"],
            "a ratio is no part",
            "what it divides",
        ),
        (["--metrics", "new_customers"], "needs a calendar level", "calendar.month"),
        (["--metrics", "returned_sales.year_to_date"], "star.fct_return_line is empty", "clientele catalog"),
    ],
)
def test_a_wrong_question_says_why_and_what_is_near(
    loaded: Installation, args: list[str], message: str, remedy: str
) -> None:
    done = loaded.run("cube", "query", "sales", *args, check=1)
    assert message in done.text
    assert remedy in done.text
    assert "Traceback" not in done.text


def test_a_subject_that_is_not_known_names_those_that_are(loaded: Installation) -> None:
    assert "sales" in loaded.run("cube", "query", "sale", check=1).text
    assert loaded.run("cube", "query", check=2).code == 2


def test_what_is_not_measured_is_null(loaded: Installation) -> None:
    (row,) = loaded.run("cube", "query", "profitability", "--json", check=0).json
    assert row == {"costed_sales": None, "cost": None, "gross_margin": None, "gross_margin_rate": None}


def test_the_catalogue_tells_a_bi_tool_what_is_there(loaded: Installation) -> None:
    kinds = dict(loaded.sql("select kind, count(*) from cube.catalog group by kind"))
    assert kinds["metric"] > 40
    assert kinds["level"] > 50
    assert (
        loaded.sql("select name from cube.catalog where kind = 'metric' and (source is null or description is null)")
        == []
    )
    assert loaded.sql("select name from cube.catalog where kind = 'level' and data_type is null") == []


def test_describe_tells_what_a_name_means(loaded: Installation) -> None:
    told = loaded.run("cube", "describe", "average_order_value", "--json", check=0).json
    assert told["definition"] == "denominator = orders, numerator = net_sales"
    assert told["additive"] is False
    assert loaded.run("cube", "describe", "customer_base", "--json").json["metrics"]
    assert loaded.run("cube", "describe", "product", "--json").json["hierarchies"]
    assert loaded.run("cube", "describe", "wallet_share", "--json").json["waits for"]
    members = loaded.run("cube", "describe", "product.department", "--json").json["members"]
    assert members == loaded.sql("select count(distinct coalesce(department, '(unknown)')) from star.dim_product")[0][0]


def test_a_chart_is_drawn_of_an_answer(loaded: Installation) -> None:
    from dagster_project.olap.cube import Cube

    cube = Cube.open(loaded.warehouse)
    figure = cube.query("net_sales,units", "calendar.month").chart()
    assert {trace.type for trace in figure.data} == {"scatter"}
    assert len(figure.data[0].x) == 12
    bars = cube.query("net_sales", "product.department").chart()
    assert {trace.type for trace in bars.data} == {"bar"}
    cube.close()
