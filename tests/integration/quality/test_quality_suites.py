"""The suites of Complete Journey against the real data: known dirt warns, nothing else is wrong."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from dagster_project.quality import GateResult, check_batch
from dagster_project.quality.suite import load_suite

SUITES = Path(__file__).parents[3] / "expectations" / "landing" / "complete_journey"

KNOWN_WARNINGS = {
    "transactions": {
        "sales_not_positive": 11_226,
        "quantity_not_positive": 8_869,
        "sales_below_coupon_discount": 3_507,
        "coupon_match_above_coupon": 4,
        "quantity_in_another_unit": 13_510,
    },
    "promotions": {},
    "campaigns": {},
    "campaign_descriptions": {},
    "coupons": {},
    "coupon_redemptions": {},
    "products": {"product_category_missing": 540, "product_type_missing": 528},
    "demographics": {},
}
ROWS = {
    "transactions": 1_469_307,
    "promotions": 20_940_529,
    "campaigns": 6_589,
    "campaign_descriptions": 27,
    "coupons": 111_332,
    "coupon_redemptions": 2_102,
    "products": 92_331,
    "demographics": 801,
}
FEEDS = sorted(ROWS)


def check(feed: str, batch: Path, violations: Path) -> GateResult:
    return check_batch(batch, SUITES / f"{feed}.json", source="complete_journey", feed=feed, violations=violations)


def altered(landed: Path, target: Path, select: str) -> Path:
    """A batch made from a real one by SQL; `{landed}` stands for it."""
    with duckdb.connect() as con:
        con.execute(f"COPY ({select.format(landed=repr(str(landed)))}) TO '{target}' (FORMAT parquet)")
    return target


def test_every_feed_has_a_suite_and_every_suite_a_feed() -> None:
    assert sorted(p.stem for p in SUITES.glob("*.json")) == FEEDS
    for feed in FEEDS:
        assert load_suite(SUITES / f"{feed}.json").name == f"landing.complete_journey.{feed}"


@pytest.mark.parametrize("feed", FEEDS)
def test_the_first_load_has_exactly_the_known_warnings(
    feed: str, landed: Callable[[str], Path], tmp_path: Path
) -> None:
    violations = tmp_path / "violations.parquet"

    result = check(feed, landed(feed), violations)

    assert {c.rule: c.unexpected_count for c in result.warnings} == KNOWN_WARNINGS[feed]
    assert {c.element_count for c in result.checks} == {ROWS[feed]}
    assert result.passed
    assert result.quarantined_rows == 0
    assert not violations.exists()


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("rows", [0, 1])
def test_a_night_with_hardly_a_row_passes(feed: str, rows: int, landed: Callable[[str], Path], tmp_path: Path) -> None:
    batch = altered(landed(feed), tmp_path / "part.parquet", f"FROM {{landed}} WHERE _row = 1 LIMIT {rows}")

    result = check(feed, batch, tmp_path / "violations.parquet")

    assert all(c.success for c in result.checks)


@pytest.mark.parametrize("feed", FEEDS)
def test_a_row_without_any_key_is_set_aside_and_the_batch_goes_on(
    feed: str, landed: Callable[[str], Path], tmp_path: Path
) -> None:
    key = next(c for c in load_suite(SUITES / f"{feed}.json").expectations if c.meta.rule.endswith("_present"))
    batch = altered(
        landed(feed),
        tmp_path / "part.parquet",
        f"SELECT * REPLACE (CASE WHEN _row = 2 THEN NULL ELSE {key.columns[0]} END AS {key.columns[0]}) "
        "FROM {landed} WHERE _row <= 3",
    )
    violations = tmp_path / "violations.parquet"

    result = check(feed, batch, violations)

    assert result.passed
    assert result.quarantined_rows == 1
    assert duckdb.execute("SELECT _row, rule FROM read_parquet(?)", [str(violations)]).fetchall() == [
        (2, key.meta.rule)
    ]


@pytest.mark.parametrize("feed", [f for f in FEEDS if f != "campaign_descriptions"])
def test_a_broken_extract_without_keys_is_critical(feed: str, landed: Callable[[str], Path], tmp_path: Path) -> None:
    key = next(c for c in load_suite(SUITES / f"{feed}.json").expectations if c.meta.rule.endswith("_present"))
    batch = altered(
        landed(feed),
        tmp_path / "part.parquet",
        f"SELECT * REPLACE (CASE WHEN _row > 200 THEN {key.columns[0]} END AS {key.columns[0]}) "
        "FROM {landed} WHERE _row <= 400",
    )

    result = check(feed, batch, tmp_path / "violations.parquet")

    assert [c.rule for c in result.critical] == ["keys_mostly_present"]
    assert result.critical[0].unexpected_count == 200


@pytest.mark.parametrize(
    ("change", "rule", "severity"),
    [
        ("-1.0 AS retail_disc", "retail_disc_not_negative", "quarantine"),
        ("'NaN'::DOUBLE AS sales_value", "amounts_finite", "quarantine"),
        ("NULL AS coupon_match_disc", "coupon_match_disc_present", "quarantine"),
        ("0 AS product_id", "product_id_positive", "quarantine"),
        ("TIMESTAMP '1970-01-01' AS transaction_timestamp", "transaction_timestamp_plausible", "quarantine"),
        ("-3.5 AS sales_value", "sales_not_positive", "warning"),
        ("-2 AS quantity", "quantity_not_positive", "warning"),
        ("52 AS week", "week_matches_business_date", "warning"),
    ],
)
def test_unusable_sales_are_set_aside_and_odd_ones_stay(
    change: str, rule: str, severity: str, landed: Callable[[str], Path], tmp_path: Path
) -> None:
    batch = altered(
        landed("transactions"),
        tmp_path / "part.parquet",
        f"SELECT * REPLACE ({change}) FROM {{landed}} WHERE _row = 1",
    )

    result = check("transactions", batch, tmp_path / "violations.parquet")

    broken = {c.rule: c.severity.value for c in result.checks if not c.success}
    assert broken[rule] == severity
    assert result.quarantined_rows == (1 if severity == "quarantine" else 0)


def test_a_campaign_that_ends_before_it_starts_is_set_aside(landed: Callable[[str], Path], tmp_path: Path) -> None:
    batch = altered(
        landed("campaign_descriptions"),
        tmp_path / "part.parquet",
        "SELECT * REPLACE (start_date - INTERVAL 1 DAY AS end_date) FROM {landed} WHERE _row = 1",
    )

    result = check("campaign_descriptions", batch, tmp_path / "violations.parquet")

    assert [c.rule for c in result.quarantined] == ["ends_after_start"]
