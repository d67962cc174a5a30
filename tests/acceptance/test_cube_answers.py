"""The cube gives the number the fact gives: random questions, against answers written without the dictionary."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_project.olap.cube import Cube
from dagster_project.olap.dictionary import Metric
from tests.support.brute_force import LEVELS, METRICS, Lines, comparable, condition, days_of, label
from tests.support.installation import PROJECT, Installation
from tests.support.metricflow import Peer
from tests.support.online_retail import Shop, days
from tests.support.real_data import published_data

WINDOWS = [
    "previous_period", "previous_year", "rolling_7_days", "rolling_28_days", "rolling_365_days", "rolling_12_months",
    "week_to_date", "month_to_date", "quarter_to_date", "year_to_date",
]  # fmt: skip
PERIODS = ["day", "week", "month", "quarter", "year"]
# The same questions in every run; a figure that differs is then seen by whoever looks into it, too.
RANDOM = settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module", params=["complete_journey", "online_retail", "adventureworks"])
def sides(
    request: pytest.FixtureRequest, slice_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Cube, Lines]:
    """The cube of a loaded system, and its lines."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "complete_journey":
        home = nights_with_changes(folder, slice_dir)
    elif request.param == "online_retail":
        home = Shop.at(folder)
        home.arrive(*days()[:4], *days()[40:44], *days()[-4:])
        home.load(days()[-1].isoformat())
    else:
        files = published_data("ADVENTUREWORKS_DIR", "adventureworks_dw", "adventureworks_oltp")
        env = {"CLIENTELE_SOURCES": "adventureworks", "ADVENTUREWORKS_DIR": str(files)}
        home = Installation(folder / "home", folder, env)
        home.load()
    return Cube.open(home.warehouse), Lines(home.warehouse)


def nights_with_changes(folder: Path, slice_dir: Path) -> Installation:
    """Three loads: before the second one, late lines come, products move and people earn more."""
    data = folder / "data"
    shutil.copytree(slice_dir, data)
    home = Installation(folder / "home", data)
    whole = (data / "transactions.parquet").read_bytes()
    home.edit(
        "transactions.parquet",
        "delete from t where transaction_timestamp between '2017-08-28' and '2017-08-30' and household_id % 2 = 0",
    )
    home.load("2017-08-31")
    (data / "transactions.parquet").write_bytes(whole)
    home.edit("products.parquet", "update t set department = 'MOVED' where product_id % 10 = 0")
    home.edit("demographics.parquet", "update t set income = '250K+' where household_id % 3 = 0")
    home.load("2017-09-01")
    home.load()
    return home


@pytest.fixture(scope="module")
def semantic_manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What dbt writes for MetricFlow."""
    folder = tmp_path_factory.mktemp("semantic")
    where = ["--project-dir", str(PROJECT / "dbt"), "--profiles-dir", str(PROJECT / "dbt")]
    subprocess.run(
        [
            sys.executable,
            "-m",
            "dbt.cli.main",
            "parse",
            *where,
            "--target-path",
            str(folder),
            "--log-path",
            str(folder),
        ],
        env=os.environ | {"CLIENTELE_BUILD": str(folder / "warehouse.duckdb")},
        check=True,
        capture_output=True,
    )
    return folder / "semantic_manifest.json"


def some_conditions(data: st.DataObject, lines: Lines, levels: list[str]) -> tuple[list[str], list[str]]:
    """Up to two conditions over members that occur, as the cube reads them and over the lines."""
    asked, sql = [], []
    for _ in range(data.draw(st.integers(0, 2), label="conditions")):
        level = data.draw(st.sampled_from(levels), label="of")
        members = lines.members(level)
        operator = data.draw(st.sampled_from(["=", "<>", ">=", "<", "in", "not in"]), label="operator")
        chosen = data.draw(st.lists(st.sampled_from(members), min_size=1, max_size=3, unique=True), label="members")
        one, other = condition(level, operator, chosen)
        asked.append(one)
        sql.append(other)
    return asked, sql


@RANDOM
@given(data=st.data())
def test_any_question_gives_the_facts_number(sides: tuple[Cube, Lines], data: st.DataObject) -> None:
    cube, lines = sides
    metrics = data.draw(
        st.lists(st.sampled_from(sorted(METRICS)), min_size=1, max_size=4, unique=True), label="metrics"
    )
    by = data.draw(st.lists(st.sampled_from(sorted(LEVELS)), max_size=3, unique=True), label="by")
    asked, sql = some_conditions(data, lines, sorted(LEVELS))
    answer = cube.query(metrics, by, asked)
    rows = [tuple(record.values()) for record in answer.records()]
    assert comparable(rows) == comparable(lines.answer(metrics, by, sql)), answer.statement.answered_by


@RANDOM
@given(data=st.data())
def test_any_window_gives_the_facts_number(sides: tuple[Cube, Lines], data: st.DataObject) -> None:
    """Seen from some day: before, a year ago, to date, rolling; sums, counts of people and ratios."""
    cube, lines = sides
    window = data.draw(st.sampled_from(WINDOWS), label="window")
    period = data.draw(st.sampled_from(PERIODS), label="period")
    metric = data.draw(st.sampled_from(["net_sales", "buyers", "orders", "average_order_value"]), label="metric")
    others = [level for level in sorted(LEVELS) if not level.startswith("calendar.")]
    by = data.draw(st.lists(st.sampled_from(others), max_size=1), label="by")
    asked, sql = some_conditions(data, lines, others)
    day = data.draw(st.dates(lines.first, lines.last), label="day")
    seen = condition_of_period(period, day)
    answer = cube.query(f"{metric}.{window}", [f"calendar.{period}", *by], [*asked, seen])
    rows = [tuple(record.values())[1:] for record in answer.records()]
    assert {record[f"calendar.{period}"] for record in answer.records()} <= {label(period, day)}
    assert comparable(rows) == comparable(lines.within(metric, period, day, window, by, sql))


def condition_of_period(period: str, day: date) -> str:
    named = label(period, day)
    return f"calendar.{period} = {named}" if period == "year" else f"calendar.{period} = '{named}'"


@pytest.mark.parametrize("sides", ["complete_journey"], indirect=True)
def test_members_that_moved_are_told_as_they_were_and_as_they_are(sides: tuple[Cube, Lines]) -> None:
    """What was sold before a product moved stays where it was sold; seen from today it all moved."""
    cube, _ = sides
    moved = "product.department = 'MOVED'"
    first = cube.query("lines", "calendar.day", moved).records()[0]["calendar.day"]
    assert first >= date(2017, 9, 1)
    (was,) = cube.query("net_sales", where=moved).records()
    (now,) = cube.query("net_sales", where="product_now.department = 'MOVED'").records()
    assert 0 < was["net_sales"] < now["net_sales"]


def test_month_to_date_is_right_on_each_day(sides: tuple[Cube, Lines]) -> None:
    """On the first of a month it is that day's; on the last, the month's; in leap years, too."""
    cube, lines = sides
    answer = cube.query("net_sales.month_to_date,buyers.month_to_date", "calendar.day")
    told = {record["calendar.day"]: record for record in answer.records()}
    sold = dict(lines.answer(["net_sales"], ["calendar.day"]))
    assert set(sold) <= set(told)
    day, running = lines.first, 0.0
    while day <= lines.last:
        running = float(sold.get(day, 0)) + (0 if day.day == 1 else running)
        if day in told:
            assert float(told[day]["net_sales.month_to_date"]) == pytest.approx(running)
        day += timedelta(days=1)
    for day in sorted(told)[:: max(1, len(told) // 12)]:
        low, high = days_of("month_to_date", "day", day, lines.last)
        span = f"order_date between date '{low}' and date '{high}'"
        ((people,),) = lines.answer(["buyers"], [], [span])
        assert told[day]["buyers.month_to_date"] == people


def test_growth_share_and_rank_follow_from_the_plain_numbers(sides: tuple[Cube, Lines]) -> None:
    cube, lines = sides
    names = [
        "net_sales",
        "net_sales.period_over_period",
        "net_sales.previous_period",
        "net_sales.share",
        "net_sales.rank",
    ]
    found = cube.query(names, "calendar.month,product.department").records()
    totals = dict(lines.answer(["net_sales"], ["calendar.month"]))
    cells = {(row["calendar.month"], row["product.department"]): row for row in found}
    plain = {(month, department): value for month, department, value in
             lines.answer(["net_sales"], ["calendar.month", "product.department"])}  # fmt: skip
    assert {key for key, row in cells.items() if row["net_sales"] is not None} == set(plain)
    for (month, department), row in cells.items():
        if (month, department) not in plain:
            continue
        value = float(plain[month, department])
        assert row["net_sales.share"] == pytest.approx(value / float(totals[month]))
        higher = [v for (m, _), v in plain.items() if m == month and v > plain[month, department]]
        assert row["net_sales.rank"] == len(higher) + 1
        if before := row["net_sales.previous_period"]:
            assert row["net_sales.period_over_period"] == pytest.approx(value / float(before) - 1)


def test_customers_are_new_stay_come_back_or_are_lost(sides: tuple[Cube, Lines]) -> None:
    """Against sets of people by month, by hand."""
    cube, lines = sides
    months: dict[str, set[Any]] = {}
    for month, person in lines.con.execute(
        f"select distinct {LEVELS['calendar.month']}, person from lines where person is not null"
    ).fetchall():
        months.setdefault(month, set()).add(person)
    every: list[str] = []
    day = lines.first.replace(day=1)
    while day <= lines.last:
        every.append(f"{day:%Y-%m}")
        day = (day + timedelta(days=31)).replace(day=1)
    expected, known, before = [], set(), set()
    for month in every:
        here = months.get(month, set())
        row = (month, len(here - known), len(here & before), len((here & known) - before), len(before - here))
        if any(row[1:]):
            expected.append(row)
        known, before = known | here, here
    names = "new_customers,retained_customers,reactivated_customers,lost_customers"
    found = [tuple(record.values()) for record in cube.query(names, "calendar.month").records()]
    assert found == expected


def test_repeat_buyers_are_people_with_two_orders(sides: tuple[Cube, Lines]) -> None:
    cube, lines = sides
    expected = lines.con.execute(f"""
        select quarter, count(*) filter (where orders > 1) from (
            select {LEVELS["calendar.quarter"]} as quarter, person, count(distinct order_id) as orders
            from lines where person is not null group by all
        ) group by quarter order by quarter
    """).fetchall()
    found = [tuple(record.values()) for record in cube.query("repeat_buyers", "calendar.quarter").records()]
    assert [row for row in found if row[1]] == [row for row in expected if row[1]]


def test_a_slice_without_rows_is_empty_not_wrong(sides: tuple[Cube, Lines]) -> None:
    cube, _ = sides
    nobody = "product.department = 'there is no such department'"
    assert cube.query("net_sales,buyers", "calendar.month", nobody).records() == []
    (total,) = cube.query("net_sales,buyers,orders", (), nobody).records()
    assert total == {"net_sales": None, "buyers": 0, "orders": 0}


def test_levels_of_a_dimension_sum_to_what_is_above_them(sides: tuple[Cube, Lines]) -> None:
    """Drilling keeps the filter, and the parts are the whole; rolling up comes back."""
    cube, _ = sides
    departments = cube.query("net_sales,lines", "product.department", order="-net_sales")
    top = departments.records()[0]
    below = departments.drill(top["product.department"])
    assert below.query.by == ("product.category",)
    assert sum(row["net_sales"] for row in below.records()) == top["net_sales"]
    assert sum(row["lines"] for row in below.records()) == top["lines"]
    assert below.roll_up().records() == departments.records()


@pytest.mark.parametrize("sides", ["complete_journey"], indirect=True)
def test_redemptions_shared_out_over_products_sum_to_the_redemptions(sides: tuple[Cube, Lines]) -> None:
    """A coupon is good for many products: by weight nothing is counted twice, and none is lost."""
    cube, lines = sides
    found = cube.query("allocated_redemptions", "product_now.department").records()
    expected = lines.con.execute("""
        select coalesce(p.department, '(unknown)') as department, sum(coalesce(b.weight, 1))
        from w.star.fct_coupon_redemption r
        left join w.star.bridge_coupon_product b on b.coupon_key = r.coupon_key
        left join w.star.dim_product p on p.product_durable_key = b.product_durable_key and p.is_current
        group by all order by department
    """).fetchall()
    told = [(row["product_now.department"], row["allocated_redemptions"]) for row in found]
    assert told == expected
    (total,) = cube.query("redemptions").records()
    assert sum(value for _, value in told) == total["redemptions"]


def test_retail_periods_run_from_their_first_day(sides: tuple[Cube, Lines]) -> None:
    """The 4-5-4 calendar, also across the 53rd week; its first days are those of dim_date, proven by its own test."""
    cube, lines = sides
    for unit, columns in (("retail_month", "retail_year, retail_month"), ("retail_year", "retail_year")):
        told = cube.query(f"net_sales.{unit}_to_date", "calendar.day").records()
        firsts = dict(lines.con.execute(f"""
            select calendar_date, min(calendar_date) over (partition by {columns}) from w.star.dim_date
            where calendar_date is not null
        """).fetchall())  # fmt: skip
        for row in told[:: max(1, len(told) // 25)]:
            day = row["calendar.day"]
            span = f"order_date between date '{firsts[day]}' and date '{day}'"
            ((expected,),) = lines.answer(["net_sales"], [], [span])
            assert row[f"net_sales.{unit}_to_date"] == expected


def test_metricflow_gives_the_same_from_the_same_semantic_models(
    sides: tuple[Cube, Lines], semantic_manifest: Path
) -> None:
    """Every metric MetricFlow knows, in total and by month, channel and campaign: it reads facts, never a rollup."""
    cube, _ = sides
    peer = Peer(semantic_manifest, cube.file)
    compared = 0
    for metric in cube.dictionary.metrics.values():
        if metric.subject == "customer_base" or metric.type == "cumulative":
            continue
        known = cube.dictionary.dimensions_of(metric)
        for ours, theirs in (
            ((), ()),
            # MetricFlow knows the last snapshot of a period only by its own time
            (("calendar.month",), ("metric_time__month" if of_snapshot(metric, cube) else "calendar__calendar_month",)),
            (("customer_standing.state",), ("customer_standing__state",)),
            (("channel.channel_code",), ("channel__channel_code",)),
            (("campaign.campaign_id", "calendar.quarter"), ("campaign__campaign_id", "calendar__calendar_quarter")),
        ):
            if not all(level.partition(".")[0] in known for level in ours):
                continue
            found = [tuple(row.values()) for row in cube.query(metric.name, ours).records()]
            expected = peer.answer([metric.name], theirs)
            if "metric_time__month" in theirs:
                expected = [(f"{month:%Y-%m}", value) for month, value in expected]
            assert cells(found) == pytest.approx(cells(expected), abs=0.0001), (metric.name, ours)
            compared += len(found)
    assert compared > 100


def of_snapshot(metric: Metric, cube: Cube) -> bool:
    measures = [cube.dictionary.measure(name) for name in cube.dictionary.measures_of(metric)]
    return any(cube.dictionary.sources[measure.source].snapshots for measure in measures)


def test_metricflow_gives_the_same_running_totals(sides: tuple[Cube, Lines], semantic_manifest: Path) -> None:
    cube, lines = sides
    peer = Peer(semantic_manifest, cube.file)
    for metric in ("net_sales_28_days", "net_sales_year_to_date"):
        found = {row["calendar.day"]: row[metric] for row in cube.query(metric, "calendar.day").records()}
        where = f"{{{{ TimeDimension('metric_time', 'day') }}}} >= '{lines.last - timedelta(days=40)}'"
        expected = dict(peer.answer([metric], ["metric_time__day"], [where]))
        shared = [day for day in expected if lines.last - timedelta(days=40) <= day <= lines.last]
        assert len(shared) >= 4
        assert {day: found[day] for day in shared} == {day: expected[day] for day in shared}


def cells(rows: list[tuple[Any, ...]]) -> dict[str, float]:
    """Member or members -> value. MetricFlow's ratios are doubles, ours of money are rounded to four decimals.

    Contacts without a conversion are a rate of 0 here and NULL there.
    """
    return {repr(row[:-1]): float(row[-1]) for row in rows if row[-1]}
