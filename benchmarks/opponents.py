"""The cells of the sales cube as chDB and polars make them: each grain from the lines, joined with the dimensions."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from benchmarks.measure import BenchmarkError

if TYPE_CHECKING:
    from benchmarks.grains import Clock

BOTH = ("orders", "buyers")
# Grain -> calendar level and members it is told by, and what is counted in it.
GRAINS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "day": ("day", (), BOTH),
    "day_department": ("day", ("department",), ()),
    "month": ("month", (), BOTH),
    "month_department": ("month", ("department",), BOTH),
    "month_department_category": ("month", ("department", "category"), BOTH),
    "month_store": ("month", ("store_key",), BOTH),
    "month_age_income": ("month", ("age_band", "income_band"), BOTH),
    "total": ("all", (), BOTH),
    "year": ("year", (), BOTH),
    "quarter": ("quarter", (), BOTH),
    "week": ("week", (), BOTH),
    "department": ("all", ("department",), ("buyers",)),
    "department_category": ("all", ("department", "category"), ()),
    "store": ("all", ("store_key",), BOTH),
    "age_income": ("all", ("age_band", "income_band"), BOTH),
}
MEMBERS = ("department", "category", "store_key", "age_band", "income_band")
SUMS = {
    "net_sales": "net_amount",
    "gross_sales": "gross_amount",
    "discount_retail": "discount_retail_amount",
    "discount_match": "discount_match_amount",
    "discount_coupon": "discount_coupon_amount",
    "units": "quantity",
    "cost": "cost_amount",
}
# The tables beneath the grains, from which further questions are answered.
CUBOIDS: dict[str, tuple[str, ...]] = {
    "sales_base": ("order_date", "store_key", "department", "category", "age_band", "income_band"),
    "sales_store_days": ("order_date", "store_key", "department"),
    "sales_orders": (
        "order_date", "order_id", "store_key", "channel_key", "customer_key", "customer_durable_key", "person",
        "age_band", "income_band",
    ),
    "sales_customer_months": ("month", "person", "store_key", "department"),
}  # fmt: skip
# Only the columns that are needed; money in 64 bits, which suits both sides.
EXPORTS = {
    "lines": "select order_id, order_date, store_key, product_key, customer_profile_key, customer_durable_key,"
    " customer_key, channel_key, quantity, "
    + ", ".join(f"cast({c} as decimal(18, 4)) as {c}" for c in SUMS.values() if c != "quantity")
    + " from star.fct_sales_line",
    "products": "select product_key, department, category from star.dim_product",
    "profiles": "select customer_profile_key, age_band, income_band from star.dim_customer_profile",
    "people": "select customer_durable_key, mastered_customer_key as person from star.bridge_identity where is_current",
}
KEYS = {"lines": "order_date", "products": "product_key", "profiles": "customer_profile_key",
        "people": "customer_durable_key"}  # fmt: skip


def export(warehouse: Path, folder: Path) -> None:
    """The star's tables as Parquet, and as chDB's own tables."""
    with duckdb.connect(str(warehouse), read_only=True) as con:
        for name, query in EXPORTS.items():
            con.execute(f"copy ({query}) to '{folder / name}.parquet' (format parquet)")
    session = _session(folder)
    session.query("create database star")
    session.query("create database cube")
    for name, key in KEYS.items():
        session.query(
            f"create table star.{name} engine MergeTree order by {key} settings allow_nullable_key = 1"
            f" as select * from file('{folder / name}.parquet', Parquet)"
        )
    session.close()


def _session(folder: Path) -> Any:
    from chdb import session

    return session.Session(str(folder / "chdb"))


JOINED = """
    select l.* except (customer_durable_key), l.customer_durable_key as customer_durable_key,
        coalesce(people.person, -1) as person, coalesce(products.department, '(unknown)') as department,
        coalesce(products.category, '(unknown)') as category,
        coalesce(profiles.age_band, '(unknown)') as age_band,
        coalesce(profiles.income_band, '(unknown)') as income_band, {month} as month
    from star.lines as l
    left join star.products as products on l.product_key = products.product_key
    left join star.profiles as profiles on l.customer_profile_key = profiles.customer_profile_key
    left join star.people as people on l.customer_durable_key = people.customer_durable_key"""
PERIODS = {
    "day": "order_date",
    "week": "toMonday(order_date)",
    "month": "toStartOfMonth(order_date)",
    "quarter": "toStartOfQuarter(order_date)",
    "year": "toStartOfYear(order_date)",
}
CLICKHOUSE_SUMS = ", ".join(
    [f"sum({column}) as {name}" for name, column in SUMS.items()]
    + ["count() as lines", "sum(if(cost_amount is not null, net_amount, null)) as costed_sales"]
)

CLICKHOUSE_COUNTS = {"orders": "uniqExact(order_id)", "buyers": "uniqExactIf(person, person > 0)"}


def chdb_all(folder: Path, clock: Clock) -> None:
    session = _session(folder)
    for table in ("cells", *CUBOIDS):
        session.query(f"drop table if exists cube.{table}")
    joined = f"({JOINED.format(month=PERIODS['month'])})"
    session.query("select count() from star.lines")
    parts = []
    for grain, (period, members, counted) in GRAINS.items():
        columns = [f"'{grain}' as grain"]
        columns.append(
            f"toNullable({PERIODS[period]}) as period_start_date"
            if period != "all"
            else "cast(null as Nullable(Date32)) as period_start_date"
        )
        for member in MEMBERS:
            kind = "Int64" if member == "store_key" else "String"
            columns.append(
                f"toNullable({member}) as of_{member}"
                if member in members
                else f"cast(null as Nullable({kind})) as of_{member}"
            )
        counts = ", ".join(
            f"{f'toNullable({sql})' if name in counted else 'cast(null as Nullable(UInt64))'} as {name}"
            for name, sql in CLICKHOUSE_COUNTS.items()
        )
        keys = ([PERIODS[period]] if period != "all" else []) + list(members)
        grouped = f" group by {', '.join(keys)}" if keys else ""
        parts.append(f"select {', '.join(columns)}, {CLICKHOUSE_SUMS}, {counts} from {joined}{grouped}")
    with clock.of("grains"):
        session.query("create table cube.cells engine MergeTree order by grain as " + parts[0])
        for part in parts[1:]:
            session.query(f"insert into cube.cells {part}")
    with clock.of("tables beneath"):
        for table, keys in CUBOIDS.items():
            listed = ", ".join(keys)
            session.query(
                f"create table cube.{table} engine MergeTree order by {keys[0]} settings allow_nullable_key = 1"
                f" as select {listed}, {CLICKHOUSE_SUMS} from {joined} group by {listed}"
            )
    target = folder / "chdb.parquet"
    target.unlink(missing_ok=True)
    session.query(f"select * from cube.cells into outfile '{target}' format Parquet")
    session.close()


def polars_all(folder: Path, clock: Clock) -> None:
    import polars as pl

    unknown = [pl.col(name).fill_null("(unknown)") for name in MEMBERS if name != "store_key"]
    joined = (
        pl.scan_parquet(folder / "lines.parquet")
        .join(pl.scan_parquet(folder / "products.parquet"), on="product_key", how="left")
        .join(pl.scan_parquet(folder / "profiles.parquet"), on="customer_profile_key", how="left")
        .join(pl.scan_parquet(folder / "people.parquet"), on="customer_durable_key", how="left")
        .with_columns(*unknown, pl.col("person").fill_null(-1), pl.col("order_date").dt.truncate("1mo").alias("month"))
    )
    sums = [pl.col(column).sum().alias(name) for name, column in SUMS.items()]
    sums += [pl.len().alias("lines")]
    sums += [pl.col("net_amount").filter(pl.col("cost_amount").is_not_null()).sum().alias("costed_sales")]
    counts = {
        "orders": pl.col("order_id").n_unique().alias("orders"),
        "buyers": pl.col("person").filter(pl.col("person") > 0).n_unique().alias("buyers"),
    }
    every = {"day": "1d", "week": "1w", "month": "1mo", "quarter": "1q", "year": "1y"}
    plans = []
    for grain, (period, members, counted) in GRAINS.items():
        keys: list[Any] = list(members)
        if period != "all":
            keys.append(pl.col("order_date").dt.truncate(every[period]).alias("period_start_date"))
        chosen = sums + [counts[name] for name in counted]
        plan = joined.group_by(keys).agg(chosen) if keys else joined.select(chosen)
        plans.append(plan.with_columns(pl.lit(grain).alias("grain")))
    with clock.of("grains"):
        cells = pl.collect_all(plans, engine="streaming")
    beneath = folder / "polars"
    shutil.rmtree(beneath, ignore_errors=True)
    beneath.mkdir()
    with clock.of("tables beneath"):
        for table, names in CUBOIDS.items():
            joined.group_by(names).agg(sums).sort(names[0]).sink_parquet(beneath / f"{table}.parquet")
    pl.concat(
        [frame.rename({name: f"of_{name}" for name in MEMBERS if name in frame.columns}) for frame in cells],
        how="diagonal_relaxed",
    ).write_parquet(folder / "polars.parquet")


def same_cells(warehouse: Path, cells: Path, who: str) -> None:
    """Raises BenchmarkError unless the cells are those of the cube."""
    measures = [*SUMS, "lines", "costed_sales", "orders", "buyers"]
    ours = ", ".join(f"nullif({member}, '(all)') as of_{member}" for member in MEMBERS if member != "store_key")
    tables = " union all by name ".join(
        f"select grain, period_start_date, {ours}, store_key as of_store_key, {', '.join(measures)} from cube.{table}"
        for table in ("sales_month_grains", "sales_grains")
    )
    kinds = {"grain": "varchar", "period_start_date": "date", **{f"of_{member}": "varchar" for member in MEMBERS}}
    kinds["of_store_key"] = "bigint"
    kinds |= {
        name: "bigint" if name in {"units", "lines", "orders", "buyers"} else "decimal(19, 4)" for name in measures
    }
    # nothing summed is 0 to polars, and NULL to the others
    listed = ", ".join(
        f"cast({f'coalesce({name}, 0)' if name in {'cost', 'costed_sales'} else name} as {kind}) as {name}"
        for name, kind in kinds.items()
    )
    with duckdb.connect(str(warehouse), read_only=True) as con:
        wrong = con.execute(
            f"with ours as (select {listed} from ({tables})), theirs as (select {listed} from '{cells}')"
            " (select 'the cube' as who, * from (from ours except all from theirs))"
            " union all (select 'they', * from (from theirs except all from ours)) order by all limit 6"
        ).fetchall()
    if wrong:
        raise BenchmarkError(f"{who} says otherwise: {wrong}")
