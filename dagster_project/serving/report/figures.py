"""What the report shows: each figure is one question, asked of the cube or in SQL, with the words around it.

In texts and questions `{release}`, `{month}` and `{since}` are the release, its newest month with orders, and the first
of the twelve months that end with it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Asked:
    """A question to the cube."""

    metrics: str
    by: str = ""
    where: str = ""
    order: str = ""
    limit: int = 0


@dataclass(frozen=True)
class Chart:
    """How a figure is drawn: `line` over periods, or `bar` over members.

    Attributes:
        along: the column that names the places. values: the columns drawn.
    """

    kind: str
    along: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Figure:
    title: str
    about: str
    question: Asked | str
    chart: Chart | None = None


@dataclass(frozen=True)
class Chapter:
    name: str
    title: str
    figures: tuple[Figure, ...]


FRESHNESS = Figure(
    "How fresh each feed is",
    "The last load that brought rows of the feed, and all it brought.",
    "select source || '.' || feed as feed, max(load_date) as newest_load_date, sum(rows_accepted) as rows_landed"
    " from ops.batch where rows_accepted > 0 group by 1 order by 2, 1",
)
RECENT = "calendar.month between '{since}' and '{month}'"

CHAPTERS = (
    Chapter(
        "load",
        "Last night",
        (
            Figure(
                "What landed",
                "Rows of each feed: read, accepted, set aside by a rule (quarantined), or no row at all (rejected).",
                "select source || '.' || feed as feed, outcome, rows_read, rows_accepted, rows_quarantined,"
                " rows_rejected from ops.batch where load_id = '{release}' order by 1",
            ),
            Figure(
                "How long it took",
                "Seconds of each stage of the load.",
                "select stage, round(seconds, 1) as seconds from ops.stage_timing"
                " where load_id = '{release}' and seconds >= 0.5 order by seconds desc limit 12",
                Chart("bar", "stage", ("seconds",)),
            ),
            Figure(
                "Restated figures",
                "Past months this load changed, and by how much: late rows and corrections.",
                "select feed, month, measure, change from ops.restatement where load_id = '{release}' order by 1, 2, 3",
            ),
        ),
    ),
    Chapter(
        "quality",
        "Quality and freshness",
        (
            Figure(
                "Rules that did not hold",
                "Expectations on batches and tables of this load; a critical one would have stopped the publish.",
                "select source || '.' || feed as of, rule, severity, unexpected_count as rows, message"
                " from ops.quality_result where load_id = '{release}' and not success order by severity, 1, 2",
            ),
            Figure(
                "Rules over the loads",
                "How many held and how many did not, in the last loads.",
                "select l.load_id as load, count(*) filter (where q.success) as held,"
                " count(*) filter (where not q.success) as broken"
                " from ops.quality_result as q join ops.load as l using (load_id) group by 1 order by 1 desc limit 14",
            ),
            FRESHNESS,
        ),
    ),
    Chapter(
        "sales",
        "Sales",
        (
            Figure(
                "Net sales by month",
                "Beside the same month a year before, as far as that was loaded.",
                Asked("net_sales,net_sales.previous_year,net_sales.year_over_year", "calendar.month", RECENT),
                Chart("line", "calendar.month", ("net_sales", "net_sales.previous_year")),
            ),
            Figure(
                "Orders and buyers by month",
                "Orders, people who bought, and what an order brings.",
                Asked("orders,buyers,average_order_value", "calendar.month", RECENT),
                Chart("line", "calendar.month", ("orders", "buyers")),
            ),
            Figure(
                "Departments in {month}",
                "The ten that sold most, beside the year before.",
                Asked(
                    "net_sales,net_sales.year_over_year,units",
                    "calendar.month,product.department",
                    "calendar.month = '{month}'",
                    "-net_sales", 10,
                ),
                Chart("bar", "product.department", ("net_sales",)),
            ),
        ),
    ),
    Chapter(
        "customers",
        "Customers",
        (
            Figure(
                "New, kept, back and lost",
                "Of the month; in the open month, who has not come yet counts as lost.",
                Asked(
                    "buyers,new_customers,retained_customers,reactivated_customers,lost_customers",
                    "calendar.month",
                    RECENT,
                ),
                Chart("line", "calendar.month", ("new_customers", "retained_customers", "lost_customers")),
            ),
            Figure(
                "Segments in {month}",
                "By recency and frequency over twelve months.",
                "select rfm_segment, customers, customer_share, net_sales_12_months, net_sales_share"
                " from mart.mart_rfm_segment where month_start_date = date '{month}-01' order by customers desc",
                Chart("bar", "rfm_segment", ("customers",)),
            ),
            Figure(
                "Who moved",
                "Customers whose state changed from the month before.",
                "select from_part, to_part, customers from mart.mart_customer_movement where parted_by = 'state'"
                " and month_start_date = date '{month}-01' and from_part <> to_part order by customers desc limit 12",
            ),
            Figure(
                "The pyramid in {month}",
                "Tiers by what customers brought in twelve months; who rose, who fell.",
                "select tier_name, customers, value_12_months, value_share, upgraded, downgraded"
                " from mart.mart_customer_pyramid where month_start_date = date '{month}-01' order by pyramid_tier",
                Chart("bar", "tier_name", ("value_12_months",)),
            ),
            Figure(
                "What they are worth",
                "Customer equity by state: what is expected of them, discounted (told_by names the model).",
                "select part as state, told_by, customers, historic_value, expected_present_value"
                " from mart.mart_customer_equity where parted_by = 'state' order by expected_present_value desc",
                Chart("bar", "state", ("expected_present_value",)),
            ),
            Figure(
                "Warnings",
                "The most valuable who may be leaving, and why. Keys, no names.",
                "select warning_rank, mastered_customer_key, value_12_months, state, recency_days, reason"
                " from mart.mart_customer_warning order by warning_rank limit 20",
            ),
        ),
    ),
    Chapter(
        "campaigns",
        "Campaigns",
        (
            Figure(
                "The latest campaigns",
                "Reach, response, redemption, cost and return; empty where it is not measured.",
                "select campaign_id, campaign_type, start_date, people_contacted, response_rate, redemption_rate, cost,"
                " incremental_net_sales, roi from mart.mart_campaign"
                " order by start_date desc nulls last, campaign_id limit 12",
            ),
        ),
    ),
)  # fmt: skip
