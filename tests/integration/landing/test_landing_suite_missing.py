"""A feed nobody wrote a suite for lands, but not in silence."""

from pathlib import Path

from landing_kit import LINES, Shop

from dagster_project.settings import Settings
from dagster_project.warehouse.checks import check_gate


def test_a_feed_without_a_suite_warns_and_says_which_file_to_write(tmp_path: Path) -> None:
    here = Shop(tmp_path / "shop", lines=LINES)
    here.write("lines.csv", "id,sold_at,amount,note\n1,2017-03-01,1,a\n2,2017-03-01,1,b\n")
    settings = Settings(home=tmp_path / "home", expectations_dir=tmp_path / "expectations")
    gate = check_gate(settings, here.source.feeds["lines"])

    result = here.load("lines", gate=gate)  # type: ignore[arg-type]

    assert result.counts.accepted == 2
    (check,) = result.verdict.checks  # type: ignore[union-attr]
    assert (check.rule, check.severity.value, check.success, check.element_count) == (
        "suite_missing",
        "warning",
        False,
        2,
    )
    assert f"shop.lines has no suite, so its 2 new rows were not judged: write {tmp_path}" in check.message
    assert "expectations/landing/shop/lines.json" in check.message
