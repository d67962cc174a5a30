"""A feed that changes its shape: new columns land and are told, others stop the feed until accepted."""

from collections.abc import Callable
from pathlib import Path

from landing_kit import CUSTOMERS, LINES, Rule, Shop

from dagster_project.landing import schema, sql
from dagster_project.landing.opening import current_shape

MakeShop = Callable[..., Shop]
PARQUET = LINES | {"path": "lines.parquet", "columns": LINES["columns"] | {"amount": "DOUBLE"}}
ROW = "select {id}::bigint as id, timestamp '2017-03-01' as sold_at, 1.5::double as amount, 'x' as note"


def accept(here: Shop, feed: str, spill: Path) -> schema.Schema:
    """What `clientele source accept` does."""
    source = here.source
    declared, folder = source.feeds[feed], here.root / "landing" / "shop" / feed
    with sql.scratch(spill, "500MB", 2) as con:
        agreed = schema.accepted(declared, folder).columns
        return schema.accept(declared, folder, current_shape(con, source, declared, agreed, spill))


def test_a_new_column_lands_is_reported_and_makes_no_old_row_look_new(shop: MakeShop) -> None:
    here = shop(lines=PARQUET, twins=PARQUET | {"key": []})
    here.parquet("lines.parquet", f"{ROW.format(id=1)} union all {ROW.format(id=2)}")
    for feed in ("lines", "twins"):
        here.load(feed, "2017-03-01")
    rows = " union all ".join(f"{ROW.format(id=n)}, {n} as till" for n in (1, 2, 3))
    here.parquet("lines.parquet", rows)

    for feed in ("lines", "twins"):
        result = here.load(feed, "2017-03-02")

        assert result.drift == ["+ till INTEGER: new"]
        assert (result.counts.read, result.counts.already_landed, result.counts.accepted) == (3, 2, 1)
        assert here.landed(feed, "id, till") == [(1, None), (2, None), (3, 3)]


def test_an_ignored_column_never_lands_and_is_no_news(shop: MakeShop) -> None:
    here = shop(lines=PARQUET | {"ignore": ["till"]})
    here.parquet("lines.parquet", f"select *, 7 as till from ({ROW.format(id=1)})")

    assert here.load("lines", "2017-03-01").drift == []
    assert here.landed("lines", "columns(lambda c: c in ('id', 'till'))") == [(1,)]


def test_a_new_column_of_a_snapshot_is_a_change_of_every_row(shop: MakeShop) -> None:
    here = shop(customers=CUSTOMERS)
    here.write("customers.csv", "id,city\n1,Rome\n")
    here.load("customers", "2017-03-01")
    here.write("customers.csv", "id,city,band\n1,Rome,A\n")

    assert here.load("customers", "2017-03-02").counts.accepted == 1
    assert here.load("customers", "2017-03-03").counts.unchanged == 1


def test_a_missing_column_stops_the_feed_until_it_is_accepted(shop: MakeShop, tmp_path: Path) -> None:
    here = shop(lines=PARQUET)
    here.parquet("lines.parquet", ROW.format(id=1))
    here.load("lines")
    here.parquet("lines.parquet", f"select * exclude note from ({ROW.format(id=1)} union all {ROW.format(id=2)})")

    told = here.fail("lines", "2017-03-02")
    assert "file lines.parquet: its shape changed against schema version 1:\n    - note VARCHAR: missing" in told
    assert "clientele source accept shop.lines" in told

    assert accept(here, "lines", tmp_path).version == 2
    result = here.load("lines", "2017-03-02")
    assert (result.counts.already_landed, result.counts.accepted) == (1, 1)
    assert result.manifest
    assert result.manifest.schema_version == 2
    assert here.landed("lines", "id, note") == [(1, "x"), (2, None)]


def test_a_retyped_column_stops_the_feed_until_it_is_accepted(shop: MakeShop, tmp_path: Path) -> None:
    here = shop(lines=PARQUET)
    here.parquet("lines.parquet", ROW.format(id=1))
    here.load("lines")
    rows = " union all ".join(ROW.format(id=n) for n in (1, 2, 3))
    amount = "case id when 1 then '1.50' when 2 then 'unknown' else '2.25' end as amount"
    retyped = f"select * replace ({amount}) from ({rows})"
    here.parquet("lines.parquet", retyped)

    assert "~ amount: was DOUBLE, is VARCHAR" in here.fail("lines", "2017-03-02")

    accept(here, "lines", tmp_path)
    result = here.load("lines", "2017-03-02", Rule("typeof(amount) <> 'DOUBLE'"))
    # 1.5 landed as a number and comes again as the text 1.50: the same row. What can't be a number would break
    # the build, which casts to the declared type: it waits in quarantine. The gate sees declared types.
    assert (result.counts.already_landed, result.counts.accepted, result.counts.quarantined) == (1, 1, 1)
    assert here.landed("lines", "id, amount", "load03") == [(3, "2.25")]
    assert result.manifest
    assert result.manifest.months == {"2017-03-01": {"rows": "1", "amount": "2.2500"}}
    assert [(row.rule, row.reason) for row in here.quarantine.held("shop.lines")] == [
        ("wrong_type", "amount is VARCHAR by now, and its value can't be read as the DOUBLE of source.yml")
    ]


def test_a_type_accepted_as_finer_than_declared_is_not_rounded_by_the_build(shop: MakeShop, tmp_path: Path) -> None:
    here = shop(lines=PARQUET)
    rows = " union all ".join(ROW.format(id=n) for n in (1, 2))
    here.parquet("lines.parquet", f"select * replace (id + (id - 1) / 2.0::double as id) from ({rows})")
    here.fail("lines")
    accept(here, "lines", tmp_path)

    here.load("lines")

    assert here.landed("lines", "id") == [(1.0,)]
    assert [row.rule for row in here.quarantine.held("shop.lines")] == ["wrong_type"]


def test_accepting_a_csv_keeps_the_types_agreed_but_for_a_column_that_became_text(
    shop: MakeShop, tmp_path: Path
) -> None:
    here = shop(lines=LINES | {"max_rejected": 0.1, "control_totals": {}})
    here.write("lines.csv", "id,sold_at,amount,till\n1,2017-03-01,dear,9\n2,2017-03-01,cheap,9\n")
    here.fail("lines")

    accepted = accept(here, "lines", tmp_path)

    assert accepted.columns == {"id": "BIGINT", "sold_at": "TIMESTAMP", "amount": "VARCHAR", "till": "VARCHAR"}
    assert here.load("lines").counts.quarantined == 2
    # what the warehouse is to make of it is a decision of source.yml; then the rows come out of quarantine
    here.feeds["lines"] = here.feeds["lines"] | {"columns": LINES["columns"] | {"amount": "VARCHAR"}}
    here.quarantine.request("shop.lines", "replay", here.quarantine.held("shop.lines"))
    assert here.load("lines").counts.accepted == 2
    assert here.landed("lines", "id, amount") == [(1, "dear"), (2, "cheap")]
