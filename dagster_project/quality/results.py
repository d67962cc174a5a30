"""What a check says: plain records of counts, never of values found in the data."""

from dataclasses import asdict, dataclass
from enum import StrEnum


class Severity(StrEnum):
    """What a broken rule means for the load."""

    WARNING = "warning"
    """Recorded; the rows stay."""

    QUARANTINE = "quarantine"
    """The rows that break it are set aside with rule and reason; the rest of the batch lands."""

    CRITICAL = "critical"
    """It can't be trusted. A batch: its feed lands nothing this time, other feeds go on. A table: no publish."""


@dataclass(frozen=True)
class CheckResult:
    """One rule judged on one batch, on a feed's own history, or on a built table.

    Attributes:
        source, feed: whose batch it was; of a built table its schema and name.
        rule: stable id of the rule, unique within its suite.
        expectation: Great Expectations type, e.g. `expect_column_values_to_not_be_null`.
        column: the column or columns (comma separated) the rule looks at, None for whole rows.
        severity: what a failure means.
        success: True if the rule holds.
        element_count: rows looked at (history entries for freshness and volume).
        unexpected_count: of those, the ones that break the rule.
        observed: the figure behind the verdict as text; counts and numbers only.
        message: one sentence for a business reader; holds no value of any row, but of a built table
            whose critical rule is broken the key of one.
    """

    source: str
    feed: str
    rule: str
    expectation: str
    column: str | None
    severity: Severity
    success: bool
    element_count: int
    unexpected_count: int
    observed: str | None
    message: str

    def as_record(self) -> dict[str, str | int | bool | None]:
        """The JSON-able row of `ops.quality_result`, without the load id the caller adds."""
        record = asdict(self)
        record["column_name"] = record.pop("column")
        record["severity"] = self.severity.value
        return record


@dataclass(frozen=True)
class GateResult:
    """All rules of one suite on one batch.

    Attributes:
        checks: one result a rule, in the order of the suite.
        quarantined_rows: distinct rows that break at least one quarantine rule.
        seconds: wall time of the gate, import of Great Expectations excluded.
    """

    checks: tuple[CheckResult, ...]
    quarantined_rows: int
    seconds: float

    def _failed(self, severity: Severity) -> tuple[CheckResult, ...]:
        return tuple(c for c in self.checks if not c.success and c.severity is severity)

    @property
    def critical(self) -> tuple[CheckResult, ...]:
        """Broken critical rules; any of them means the feed lands nothing."""
        return self._failed(Severity.CRITICAL)

    @property
    def quarantined(self) -> tuple[CheckResult, ...]:
        """Broken quarantine rules."""
        return self._failed(Severity.QUARANTINE)

    @property
    def warnings(self) -> tuple[CheckResult, ...]:
        """Broken warning rules."""
        return self._failed(Severity.WARNING)

    @property
    def passed(self) -> bool:
        """True if the batch may land, less its quarantined rows."""
        return not self.critical

    def records(self) -> list[dict[str, str | int | bool | None]]:
        """Rows for the ledger, one a rule."""
        return [check.as_record() for check in self.checks]
