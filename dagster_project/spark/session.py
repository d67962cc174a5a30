"""The connection to Spark: a session in this process (local, standalone cluster or Connect), or a thrift server."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from dagster_project.errors import ConfigurationError, LoadError
from dagster_project.settings import Settings

INSTALL = "install it with: make spark-install (or uv sync --group spark)"
# What the models rely on, whatever the cluster's defaults are.
SQL_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
}


class Spark(Protocol):
    """What the loader asks of Spark: statements, and their rows as tuples."""

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement; raises LoadError with what Spark said."""
        ...

    def close(self) -> None: ...


def open_spark(settings: Settings) -> Spark:
    """Connect as CLIENTELE_SPARK_MASTER says: local[N], spark://host:port, sc://host:port or thrift://host:port.

    Raises:
        ConfigurationError: Spark or Java is missing, or the address can't be used. LoadError: nobody answers there.
    """
    if settings.spark_master.startswith("thrift://"):
        return _checked(ThriftSpark(settings), settings.spark_master)
    return _checked(SessionSpark(settings), settings.spark_master)


def _checked(spark: Spark, master: str) -> Spark:
    """A server that was started by others may have other settings than the models rely on.

    Raises:
        ConfigurationError: names the setting.
    """
    for name, value in SQL_SETTINGS.items():
        found = str(spark.rows(f"set {name}")[0][1])
        if found.lower() != value.lower():
            raise ConfigurationError(
                f"Spark at {master} has {name}={found}, and the models need {value}",
                remedy=f"start the server with --conf {name}={value}",
            )
    return spark


def dbt_environment(settings: Settings) -> dict[str, str]:
    """How dbt's target `spark` connects."""
    if not settings.spark_master.startswith("thrift://"):
        return {"CLIENTELE_SPARK_METHOD": "session"}
    address = urlsplit(settings.spark_master)
    return {
        "CLIENTELE_SPARK_METHOD": "thrift",
        "CLIENTELE_SPARK_HOST": address.hostname or "127.0.0.1",
        "CLIENTELE_SPARK_PORT": str(address.port or 10000),
        "CLIENTELE_SPARK_USER": address.username or "clientele",
    }


class SessionSpark:
    """A SparkSession of this process; dbt's `session` method finds the same one."""

    def __init__(self, settings: Settings) -> None:
        try:
            from pyspark.sql import SparkSession
        except ImportError:
            raise ConfigurationError("PySpark is not installed", remedy=INSTALL) from None
        master = settings.spark_master
        if master.startswith("sc://"):
            os.environ["SPARK_REMOTE"] = master
            builder = SparkSession.builder.remote(master)
            options = SQL_SETTINGS
        else:
            if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
                raise ConfigurationError(
                    "Spark needs Java 17 or later, and there is no `java`",
                    remedy="install it (Debian: openjdk-17-jre-headless) or set JAVA_HOME",
                )
            builder = SparkSession.builder.master(master).appName("clientele").enableHiveSupport()
            options = SQL_SETTINGS | _own_options(settings)
        for name, value in (options | settings.spark_options).items():
            builder = builder.config(name, value)
        try:
            self._session = builder.getOrCreate()
            if not master.startswith("sc://"):
                self._session.sparkContext.setLogLevel("ERROR")
        except Exception as error:  # noqa: BLE001 - whatever Java or gRPC says of a cluster that is not there
            raise LoadError(
                f"Spark at {master} can't be used: {first_line(error)}",
                remedy="check CLIENTELE_SPARK_MASTER and that the cluster runs",
            ) from None

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        from pyspark.errors import PySparkException

        try:
            return [tuple(row) for row in self._session.sql(statement).collect()]
        except PySparkException as error:
            raise LoadError(f"Spark refused: {first_line(error)}", remedy=f"the statement: {statement[:300]}") from None
        except Exception as error:  # noqa: BLE001 - py4j's, when the driver or its JVM is gone
            raise LoadError(
                f"Spark broke off: {first_line(error)}", remedy="load again; nothing was published"
            ) from None

    def close(self) -> None:
        self._session.stop()


class ThriftSpark:
    """A thrift server (`start-thriftserver.sh`), by PyHive."""

    def __init__(self, settings: Settings) -> None:
        try:
            from pyhive import hive
        except ImportError:
            raise ConfigurationError("PyHive is not installed", remedy=INSTALL) from None
        where = dbt_environment(settings)
        try:
            self._connection = hive.connect(
                where["CLIENTELE_SPARK_HOST"],
                int(where["CLIENTELE_SPARK_PORT"]),
                where["CLIENTELE_SPARK_USER"],
                configuration=settings.spark_options,
            )
        except Exception as error:  # noqa: BLE001 - thrift's own, and sockets'
            raise LoadError(
                f"no thrift server answers at {settings.spark_master}: {first_line(error)}",
                remedy="start it with start-thriftserver.sh, or correct CLIENTELE_SPARK_MASTER",
            ) from None

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        cursor = self._connection.cursor()
        try:
            cursor.execute(statement)
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []
        except Exception as error:  # noqa: BLE001 - PyHive raises thrift's errors as they are
            raise LoadError(f"Spark refused: {first_line(error)}", remedy=f"the statement: {statement[:300]}") from None
        finally:
            cursor.close()

    def close(self) -> None:
        self._connection.close()


def first_line(error: Exception) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)[:500]


def _own_options(settings: Settings) -> dict[str, str]:
    """A catalog beside the data and no open port but on loopback, unless the options say otherwise."""
    catalog: Path = settings.spark / "catalog"
    catalog.mkdir(parents=True, exist_ok=True)
    options = {
        "spark.sql.warehouse.dir": str(catalog / "databases"),
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={catalog}/metastore;create=true",
        "spark.hadoop.hive.metastore.schema.verification": "false",
        "spark.hadoop.datanucleus.schema.autoCreateAll": "true",
        # a catalog on one machine can be made anew (`load --target spark --rebuild`), so it need not wait for the
        # disk at each change: opening it takes 16 s instead of 48, a table 1.4 s instead of 5.9
        "spark.driver.extraJavaOptions": f"-Dderby.system.home={catalog} -Dderby.system.durability=test",
        "spark.driver.memory": settings.spark_driver_memory,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.sources.parallelPartitionDiscovery.threshold": "10000",
    }
    if settings.spark_master.startswith("local"):
        # each join and sort takes a page at once, however few rows it has: of 32 MB, the default for 2 GB, a small
        # load filled the heap (peak 2.4 GB instead of 1.0) and spent 10 of 88 s of CPU on collecting them
        options["spark.buffer.pageSize"] = "2m"
        # Hadoop's native library is in no wheel, so a process of its own sets each file's and folder's permissions.
        # Without a checksum beside each file there are a third fewer: 320 instead of 473 for three tables of 50 months
        options["spark.hadoop.fs.file.impl"] = "org.apache.hadoop.fs.RawLocalFileSystem"
        # 200, the default, makes a small night of small tasks
        options["spark.sql.shuffle.partitions"] = str(2 * settings.threads)
    return options
