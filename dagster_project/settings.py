"""Where things are and how a load behaves: everything an operator may set, read from the environment."""

from __future__ import annotations

import os
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from dagster_project.errors import ConfigurationError

PROJECT = Path(__file__).resolve().parent.parent

# Set before any of these libraries is imported: none of them may call home.
NO_TELEMETRY = {
    "DAGSTER_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "GX_ANALYTICS_ENABLED": "false",
}
os.environ.update(NO_TELEMETRY)


class Settings(BaseSettings):
    """Settings of one installation; each is the environment variable CLIENTELE_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="CLIENTELE_", extra="ignore")

    home: Path = Field(PROJECT / "data", description="Folder of landing, ledger, builds and releases.")
    sources: str = Field("complete_journey", description="Enabled sources, separated by commas.")
    sources_dir: Path = Field(PROJECT / "sources", description="Folder of the source.yml files.")
    expectations_dir: Path = Field(PROJECT / "expectations", description="Folder of the suites.")
    dbt_dir: Path = Field(PROJECT / "dbt", description="The dbt project.")
    threads: int = Field(default_factory=lambda: min(os.cpu_count() or 2, 8), ge=1)
    memory_limit: str = Field("2500MB", description="DuckDB's memory limit in each stage.")
    keep_releases: int = Field(3, ge=1, description="Releases kept by a load; older ones are pruned.")
    first_date: date = Field(date(2017, 1, 1), description="First load date a partition exists for.")
    schedule: str = Field("0 3 * * *", description="Cron expression of the nightly load.")
    timezone: str = Field("America/New_York", description="Zone of the schedule and of 'yesterday'.")
    lock_wait: int = Field(3600, ge=0, description="Seconds a scheduled load waits for another one.")
    webhook: str = Field("", description="URL that failed loads are posted to; empty: log only.")
    published_webhook: str = Field("", description="URL that is told of each release; empty: nobody.")
    pg_dsn: SecretStr = Field(
        SecretStr(""), description="The PostgreSQL store, postgresql://USER:PASSWORD@HOST:PORT/DATABASE; empty: none."
    )
    pg_facts: str = Field("", description="Facts sent to the store besides marts, cubes, dimensions; `all` for all.")
    pg_pii: bool = Field(False, description="Whether personal data is sent, to a schema only `steward` reads.")
    pg_analyst_password: SecretStr = Field(SecretStr(""), description="Password of the store's role `analyst`.")
    pg_steward_password: SecretStr = Field(SecretStr(""), description="Password of the store's role `steward`.")
    superset_password: SecretStr = Field(SecretStr(""), description="Password of Superset's user `admin`.")
    superset_dsn: SecretStr = Field(
        SecretStr(""), description="Superset's own metadata, as CLIENTELE_PG_DSN; empty: a database beside the store's."
    )
    superset_port: int = Field(8088, description="Port of Superset, on loopback.")
    pii_key: SecretStr = Field(
        SecretStr(""), description="Key of the hashes of personal data, 32 bytes or more; empty: the home's `pii.key`."
    )
    spark_master: str = Field(
        "local[2]", description="Where Spark is: local[N], spark://, sc:// or thrift://host:port."
    )
    spark_driver_memory: str = Field(
        "2g", description="Memory of Spark's driver where the load is it: local and standalone."
    )
    spark_options: dict[str, str] = Field({}, description="Further options of Spark, as JSON.")
    port: int = Field(3000, description="Port of the web UI, on loopback.")
    role: str = Field("", description="Role whose policy the cubes apply; empty: everything is shown.")

    @property
    def landing(self) -> Path:
        return self.home / "landing"

    @property
    def quarantine(self) -> Path:
        return self.home / "quarantine"

    @property
    def ledger(self) -> Path:
        return self.home / "ledger"

    @property
    def build(self) -> Path:
        return self.home / "build"

    @property
    def releases(self) -> Path:
        return self.home / "releases"

    @property
    def spark(self) -> Path:
        """What Spark keeps: data, catalog, releases. On a cluster a folder that every node sees."""
        return self.home / "spark"

    @property
    def dagster_home(self) -> Path:
        return self.home / "dagster"

    @property
    def report(self) -> Path:
        """The night on one page."""
        return self.home / "report.html"

    @property
    def serving(self) -> Path:
        """What became of the last sync of the PostgreSQL store."""
        return self.home / "serving.json"

    @property
    def warehouse(self) -> Path:
        """The link analysts open: at the project's top, or inside a home set elsewhere."""
        at_top = self.home == PROJECT / "data"
        return (PROJECT if at_top else self.home) / "warehouse.duckdb"

    @property
    def enabled_sources(self) -> list[str]:
        return [name.strip() for name in self.sources.split(",") if name.strip()]


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process.

    Raises:
        ConfigurationError: a variable has a value that can't be used; names the variable.
    """
    try:
        found = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "CLIENTELE_" + "_".join(str(part) for part in first["loc"]).upper()
        raise ConfigurationError(
            f"{name}={first.get('input')!r}: {first['msg']}", remedy=f"correct or unset {name}"
        ) from None
    return found.model_copy(update={"home": found.home.expanduser().absolute()})


def yesterday(zone: str) -> date:
    """The last day that is over in a time zone: what a load takes when no date is given."""
    from datetime import datetime
    from zoneinfo import ZoneInfo

    return datetime.now(ZoneInfo(zone)).date() - timedelta(days=1)
