"""What is written out of a release: exports by role, the report on one page, the documentation."""

from __future__ import annotations

import base64
import re
import shutil
from decimal import Decimal
from html import unescape
from pathlib import Path

import duckdb
import pytest
import sqlalchemy

from tests.support.browser import browser, needs_chromium
from tests.support.installation import Installation

DAY = "2017-03-02"


@pytest.fixture(scope="module")
def shop(slice_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """A slice of real data, loaded once."""
    folder = tmp_path_factory.mktemp("files")
    shutil.copytree(slice_dir, folder / "home-data")
    home = Installation(folder / "home", folder / "home-data")
    home.load(DAY)
    return home


def test_the_file_by_sqlalchemy_as_the_documents_say(shop: Installation) -> None:
    """docs/serving.md: duckdb:////path/to/warehouse.duckdb?access_mode=read_only."""
    expected = shop.sql("select net_sales from cube.sales_total")
    url = f"duckdb:///{shop.warehouse}?access_mode=read_only"
    # closed at once: the connections of one process to a file must have one configuration
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool)
    with engine.connect() as connection:
        told = connection.execute(sqlalchemy.text("select net_sales from cube.sales_total")).fetchall()
        with pytest.raises(sqlalchemy.exc.DBAPIError, match="read-only"):
            connection.execute(sqlalchemy.text("create table star.mine (a integer)"))
    assert [tuple(row) for row in told] == expected


def test_an_analysts_export_has_no_small_cell_and_nobodys_row(shop: Installation, tmp_path: Path) -> None:
    done = shop.run("export", str(tmp_path / "out"), "--role", "analyst", "--json", check=0).json
    assert "mart.mart_customer_360" in done["left_out"]
    assert sum(done["hidden_cells"].values()) > 0
    with duckdb.connect(str(tmp_path / "out" / "warehouse.duckdb"), read_only=True) as out:
        grains = [name for name in done["tables"] if name.startswith("cube.sales_by_")]
        assert len(grains) > 10
        for name in done["hidden_cells"]:
            kinds = dict(out.execute(f"select column_name, column_type from (describe {name})").fetchall())
            measured = [column for column in ("buyers", "customers", "cohort_customers") if column in kinds]
            for column in measured:
                assert out.execute(f"select count(*) from {name} where {column} between 1 and 4").fetchall() == [(0,)]
        # what is shown is what the cube says
        shown = out.execute("select sum(net_sales) from cube.sales_total").fetchall()
    assert shown == shop.sql("select net_sales from cube.sales_total")


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_stewards_export_is_the_whole_of_each_table(shop: Installation, tmp_path: Path, kind: str) -> None:
    told = shop.run("export", str(tmp_path / "out"), "--role", "steward", "--format", kind, "--json", check=0).json
    assert told["left_out"] == {}
    rows = dict(
        shop.sql("select schema_name || '.' || table_name, estimated_size from duckdb_tables()")  # exact when closed
    )
    for name, count in told["tables"].items():
        file = tmp_path / "out" / f"{name.replace('.', '/')}.{kind}"
        assert duckdb.sql(f"select count(*) from '{file}'").fetchall() == [(count,)]
        assert rows.get(name, count) == count
    again = shop.run("export", str(tmp_path / "out"), "--role", "steward", check=1)
    assert "is not empty" in again.err


def test_the_report_is_one_file_whose_numbers_are_those_of_its_sql(shop: Installation, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    shop.run("report", "--output", str(page), check=0)
    text = page.read_text()
    assert not re.findall(r"(?:src|href)=\"(?!#)|url\(|@import|<script", text), "nothing from elsewhere"
    figures = figures_of(text)
    assert len(figures) >= 15
    assert sum("<svg" in figure for figure in figures) >= 6
    assert_as_their_sql(figures, shop)


def figures_of(text: str) -> list[str]:
    return re.findall(r"<figure>(.*?)</figure>", text, re.DOTALL)


def assert_as_their_sql(figures: list[str], shop: Installation) -> None:
    """Each number stands as the SQL shown beside it finds it in the warehouse."""
    for figure in figures:
        query = unescape(re.findall(r"<pre>(.*?)</pre>", figure, re.DOTALL)[0])
        with duckdb.connect(str(shop.warehouse.resolve()), read_only=True) as con:
            found = con.execute(query).fetchall()
        cells = re.findall(r"<td[^>]*>(.*?)</td>", figure, re.DOTALL)
        width = len(re.findall(r"<th[ >]", figure))
        shown = [[unescape(cell) for cell in cells[at : at + width]] for at in range(0, len(cells), width or 1)]
        assert len(shown) == len(found), query
        for row, expected in zip(shown, found, strict=True):
            for cell, value in zip(row, expected, strict=True):
                if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
                    number = Decimal(cell.removesuffix(" %").replace(",", ""))
                    exact = Decimal(str(value)) * (100 if cell.endswith(" %") else 1)
                    assert abs(number - exact) <= Decimal("0.051"), (query, cell, value)
                elif value is not None:
                    assert cell == str(value)


@needs_chromium
@pytest.mark.parametrize(("width", "is_phone"), [(1400, False), (390, True)], ids=["wide", "phone"])
def test_the_report_in_a_browser_fits_its_window_and_asks_for_nothing(
    shop: Installation, tmp_path: Path, width: int, is_phone: bool
) -> None:
    page = tmp_path / "report.html"
    shop.run("report", "--output", str(page), check=0)
    with browser(width, is_phone=is_phone) as window:
        window.open(page.as_uri())
        assert [one.url for one in window.requests()] == [page.as_uri()]
        assert window.errors() == []
        assert window.driver.execute_script("return document.documentElement.scrollWidth") <= width
        charts = window.find("figure svg")
        assert len(charts) >= 6
        for chart in charts:
            box = window.driver.execute_script(
                "const outer = arguments[0].getBoundingClientRect();"
                " return [...arguments[0].querySelectorAll('text')].map(text => text.getBoundingClientRect())"
                "  .filter(box => box.left < outer.left - 1 || box.right > outer.right + 1).length",
                chart,
            )
            assert box == 0, "a text leaves its chart"
        rows = [row for row in window.find("tbody tr") if row.is_displayed()]
        assert max(row.rect["height"] for row in rows) < 200, "no text is squeezed into a column of words"
        window.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        assert not any(one.is_displayed() for one in window.find("nav, details")), "paper has no use for them"
        printed = window.driver.execute_cdp_cmd("Page.printToPDF", {"paperWidth": 8.27, "paperHeight": 11.69})
        assert base64.b64decode(printed["data"]).startswith(b"%PDF")


def test_every_link_of_the_documentation_leads_somewhere(shop: Installation, tmp_path: Path) -> None:
    shop.run("docs", str(tmp_path / "docs"), check=0)
    pages = {path: path.read_text() for path in (tmp_path / "docs").rglob("*.html") if path.name != "dbt.html"}
    manifest = (tmp_path / "docs" / "dbt.html").read_text()
    followed = 0
    for path, text in pages.items():
        for link in re.findall(r'href="([^"]*)"', text):
            target, _, anchor = unescape(link).partition("#")
            file = (path.parent / target).resolve() if target else path
            assert file.exists(), (path.name, link)
            if anchor.startswith("!/model/"):
                assert f'"{anchor.removeprefix("!/model/")}"' in manifest, link
            elif anchor:
                assert f'id="{anchor}"' in pages[file], (path.name, link)
            followed += 1
    assert followed > 500
    metrics = {name for (name,) in shop.sql("select name from cube.catalog where kind = 'metric'")}
    assert {path.stem for path in pages if path.parent.name == "metrics"} == metrics
    assert_as_their_sql(figures_of(pages[tmp_path / "docs" / "quality.html"]), shop)
    of_transactions = pages[tmp_path / "docs" / "feeds.html"].split('id="complete_journey.transactions"')[1]
    assert "metrics/net_sales.html" in of_transactions.split("</section>")[0]
    assert "complete_journey.transactions" in pages[tmp_path / "docs" / "metrics" / "net_sales.html"]


@needs_chromium
def test_the_documentation_in_a_browser(shop: Installation, tmp_path: Path) -> None:
    shop.run("docs", str(tmp_path / "docs"), check=0)
    with browser(390, is_phone=True) as window:
        for name in ("index", "metrics", "metrics/net_sales", "feeds", "quality"):
            page = (tmp_path / "docs" / f"{name}.html").as_uri()
            window.open(page)
            assert [one.url for one in window.requests()] == [page]
            assert window.errors() == []
            assert window.driver.execute_script("return document.documentElement.scrollWidth") <= 390, name
        window.open((tmp_path / "docs" / "metrics.html").as_uri())
        window.find("#find")[0].send_keys("retention")
        shown = [row.text for row in window.find("tr.metric") if row.is_displayed()]
        assert 0 < len(shown) < 10
        assert all("retention" in row.lower() for row in shown)
        window.open((tmp_path / "docs" / "dbt.html").as_uri() + "#!/model/model.clientele.fct_sales_line")
        described = {row.text for row in window.wait_for(".column-row td, td .ng-binding")}
        assert {"net_amount", "order_id"} <= {word for text in described for word in text.split()}
        assert [one.url for one in window.requests() if not one.url.startswith("file:")] == []
