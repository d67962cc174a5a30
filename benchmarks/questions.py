"""Questions a shop asks: in the words of the metric dictionary, and as SQL over the star written by hand."""

from __future__ import annotations

from dataclasses import dataclass

DAY = " join star.dim_date as d on l.order_date_key = d.date_key"
PRODUCT = " left join star.dim_product as p on l.product_key = p.product_key"
STORE = " left join star.dim_store as s on l.store_key = s.store_key"
CUSTOMER = " left join star.dim_customer as c on l.customer_key = c.customer_key"
PERSON = " left join star.bridge_identity as i on l.customer_durable_key = i.customer_durable_key and i.is_current"
LINES = " from star.fct_sales_line as l"

DEPARTMENT = "coalesce(p.department, '(unknown)')"
CATEGORY = "coalesce(p.category, '(unknown)')"
AGE, INCOME = "coalesce(c.age_band, '(unknown)')", "coalesce(c.income_band, '(unknown)')"
NET, UNITS, ORDERS = "sum(l.net_amount)", "sum(l.quantity)", "count(distinct l.order_id)"
BUYERS = "count(distinct i.mastered_customer_key) filter (where i.mastered_customer_key > 0)"
DISCOUNT = "cast(sum(l.gross_amount) - sum(l.net_amount) as double) / nullif(sum(l.gross_amount), 0)"
LAST_DAY = "(select max(order_date) from star.fct_sales_line)"


@dataclass(frozen=True)
class Question:
    """One question, twice.

    Attributes:
        metrics, by, where: as `Cube.query` takes them.
        fact: the same rows and columns from the star, in any order.
        people: it asks only for distinct people.
    """

    name: str
    metrics: str
    by: str
    fact: str
    where: str = ""
    people: bool = False


def _plain(columns: str, values: str, joins: str, where: str = "") -> str:
    """Aggregates of the lines by columns."""
    listed = f"{columns}, " if columns else ""
    return f"select {listed}{values}{LINES}{joins}{f' where {where}' if where else ''} group by all"


def _buyers(name: str, by: str, columns: str, joins: str, where: str = "", condition: str = "") -> Question:
    return Question(name, "buyers", by, _plain(columns, BUYERS, joins + PERSON, condition), where, people=True)


PREVIOUS_YEAR = f"""
with months as (
    select d.month_start_date as month, {DEPARTMENT} as department, {NET} as net
    {LINES}{DAY}{PRODUCT} group by all
),
earlier as (
    select cast(month + interval 1 year as date) as month, department, net from months
    where month + interval 1 year <= {LAST_DAY}
)
select strftime(coalesce(months.month, earlier.month), '%Y-%m'), coalesce(months.department, earlier.department),
    months.net, earlier.net
from months full join earlier on months.month = earlier.month and months.department = earlier.department"""

YEAR_TO_DATE = f"""
with months as (select d.calendar_year, d.year_month, {NET} as net, {UNITS} as units {LINES}{DAY} group by all)
select year_month, sum(net) over so_far, sum(units) over so_far from months
window so_far as (partition by calendar_year order by year_month)"""

SHARE = f"""
with cells as (
    select d.year_month, {DEPARTMENT} as department, {NET} as net
    {LINES}{DAY}{PRODUCT} where d.calendar_year = 2022 group by all
)
select year_month, department, cast(net as double) / sum(net) over (partition by year_month) from cells"""

SHARE_OF_PARENT = f"""
with cells as (
    select {DEPARTMENT} as department, {CATEGORY} as category, {NET} as net
    {LINES}{DAY}{PRODUCT} where d.year_quarter = '2022-Q2' group by all
)
select department, category, cast(net as double) / nullif(sum(net) over (partition by department), 0) from cells"""

ROLLING = f"""
with days as (select l.order_date, {DEPARTMENT} as department, {NET} as net {LINES}{PRODUCT} group by all),
weeks as (
    select iso_year_week, least(max(calendar_date), {LAST_DAY}) as last_day
    from star.dim_date where calendar_date is not null
    group by all
    having min(calendar_date) <= {LAST_DAY}
        and max(calendar_date) >= (select min(order_date) from star.fct_sales_line)
)
select weeks.iso_year_week, days.department, sum(days.net)
from weeks join days on days.order_date between weeks.last_day - 27 and weeks.last_day
group by all"""

QUESTIONS = (
    Question(
        "sales, units, orders and buyers by month",
        "net_sales, units, orders, buyers",
        "calendar.month",
        _plain("d.year_month", f"{NET}, {UNITS}, {ORDERS}, {BUYERS}", DAY + PERSON),
    ),
    Question(
        "sales and discount rate by department",
        "net_sales, discount_rate",
        "product.department",
        _plain(DEPARTMENT, f"{NET}, {DISCOUNT}", PRODUCT),
    ),
    Question(
        "sales and units by quarter and department",
        "net_sales, units",
        "calendar.quarter, product.department",
        _plain(f"d.year_quarter, {DEPARTMENT}", f"{NET}, {UNITS}", DAY + PRODUCT),
    ),
    Question(
        "sales and lines by year and category",
        "net_sales, lines",
        "calendar.year, product.department, product.category",
        _plain(f"d.calendar_year, {DEPARTMENT}, {CATEGORY}", f"{NET}, count(*)", DAY + PRODUCT),
    ),
    Question(
        "sales and order value by week",
        "net_sales, average_order_value",
        "calendar.week",
        _plain("d.iso_year_week", f"{NET}, cast({NET} / {ORDERS} as decimal(19, 4))", DAY),
    ),
    Question(
        "sales, orders and buyers by store",
        "net_sales, orders, buyers",
        "store.store_id",
        _plain("s.store_id", f"{NET}, {ORDERS}, {BUYERS}", STORE + PERSON),
    ),
    Question(
        "sales and units by month and store",
        "net_sales, units",
        "calendar.month, store.store_id",
        _plain("d.year_month, s.store_id", f"{NET}, {UNITS}", DAY + STORE),
    ),
    Question(
        "orders and units per basket by quarter and store",
        "orders, items_per_basket",
        "calendar.quarter, store.store_id",
        _plain("d.year_quarter, s.store_id", f"{ORDERS}, cast({UNITS} as double) / {ORDERS}", DAY + STORE),
    ),
    Question(
        "sales, orders and buyers by age and income",
        "net_sales, orders, buyers",
        "customer.age_band, customer.income_band",
        _plain(f"{AGE}, {INCOME}", f"{NET}, {ORDERS}, {BUYERS}", CUSTOMER + PERSON),
    ),
    Question(
        "sales per buyer by month and age",
        "buyers, sales_per_buyer",
        "calendar.month, customer.age_band",
        _plain(
            f"d.year_month, {AGE}",
            f"{BUYERS}, cast({NET} / nullif({BUYERS}, 0) as decimal(19, 4))",
            DAY + CUSTOMER + PERSON,
        ),
    ),
    Question(
        "orders per buyer by year",
        "orders_per_buyer",
        "calendar.year",
        _plain("d.calendar_year", f"cast({ORDERS} as double) / nullif({BUYERS}, 0)", DAY + PERSON),
    ),
    Question(
        "orders by month and department",
        "orders",
        "calendar.month, product.department",
        _plain(f"d.year_month, {DEPARTMENT}", ORDERS, DAY + PRODUCT),
    ),
    Question("sales and units, year to date, by month", "net_sales.year_to_date, units.year_to_date", "calendar.month",
             YEAR_TO_DATE),
    Question(
        "sales beside the year before, by month and department",
        "net_sales, net_sales.previous_year",
        "calendar.month, product.department",
        PREVIOUS_YEAR,
    ),
    Question(
        "departments' shares by month of a year",
        "net_sales.share",
        "calendar.month, product.department",
        SHARE,
        "calendar.year = 2022",
    ),
    Question(
        "categories' shares of their department in a quarter",
        "net_sales.share_of_parent",
        "product.department, product.category",
        SHARE_OF_PARENT,
        "calendar.quarter = '2022-Q2'",
    ),
    Question("sales of 28 days by week and department", "net_sales.rolling_28_days",
             "calendar.week, product.department", ROLLING),
    Question(
        "sales by day of one department",
        "net_sales, units",
        "calendar.day",
        _plain("l.order_date", f"{NET}, {UNITS}", PRODUCT, "p.department = 'GROCERY'"),
        "product.department = 'GROCERY'",
    ),
    Question(
        "sales by week and department of one store",
        "net_sales",
        "calendar.week, product.department",
        _plain(f"d.iso_year_week, {DEPARTMENT}", NET, DAY + PRODUCT + STORE, "s.store_id = '367'"),
        "store.store_id = '367'",
    ),
    Question(
        "sales by age and department in a quarter",
        "net_sales",
        "customer.age_band, product.department",
        _plain(f"{AGE}, {DEPARTMENT}", NET, DAY + CUSTOMER + PRODUCT, "d.year_quarter = '2022-Q2'"),
        "calendar.quarter = '2022-Q2'",
    ),
    _buyers("buyers", "", "", ""),
    _buyers("buyers by quarter", "calendar.quarter", "d.year_quarter", DAY),
    _buyers("buyers by department", "product.department", DEPARTMENT, PRODUCT),
    _buyers("buyers by month and department", "calendar.month, product.department", f"d.year_month, {DEPARTMENT}",
            DAY + PRODUCT),
    _buyers("buyers by month of one store", "calendar.month", "d.year_month", DAY + STORE,
            "store.store_id = '367'", "s.store_id = '367'"),
    _buyers("buyers of one age by year", "calendar.year", "d.calendar_year", DAY + CUSTOMER,
            "customer.age_band = '45-54'", "c.age_band = '45-54'"),
)  # fmt: skip
