"""Spark for tests: whether it is here, options for small data, and a real standalone cluster on loopback."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from dagster_project.spark.session import SQL_SETTINGS
from tests.support.installation import Installation

# No code is compiled, and none optimised, for a handful of rows: a third of the time.
QUICK = {
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    # a table in a union is a task and not two
    "spark.sql.files.minPartitionNum": "1",
    "spark.default.parallelism": "1",
    # no Derby: the catalog dies with the load, and the next one makes it from release.json
    "spark.sql.catalogImplementation": "in-memory",
}
JAVA = {
    "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m -XX:+UseSerialGC",
    "SPARK_LOCAL_IP": "127.0.0.1",
}
NO_UI = ("--webui-port", "0")


def missing() -> str:
    """Why Spark can't be run here; empty if it can."""
    if importlib.util.find_spec("pyspark") is None:
        return "PySpark is not installed: make spark-install"
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        return "there is no Java: install openjdk-17-jre-headless"
    return ""


needs_spark = pytest.mark.skipif(bool(missing()), reason=missing())


def environment(master: str = "local[2]", **options: str) -> dict[str, str]:
    """What an installation needs to load small data on Spark."""
    return JAVA | {
        "CLIENTELE_SPARK_MASTER": master,
        "CLIENTELE_SPARK_OPTIONS": json.dumps(QUICK | options),
    }


@contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A standalone master and workers: its address, and the workers' processes; all gone afterwards."""
    folder.mkdir(parents=True)
    port = _free_port()
    address = f"spark://127.0.0.1:{port}"
    deploy = "org.apache.spark.deploy"
    started = [
        _java(folder / "master", f"{deploy}.master.Master", "--host", "127.0.0.1", "--port", str(port), *NO_UI)
    ]  # fmt: skip
    try:
        _wait_for(port)
        for number in range(workers):
            own = ("--host", "127.0.0.1", "--cores", "1", "--memory", "1g", "--work-dir", str(folder / f"work{number}"))
            started.append(_java(folder / f"worker{number}", f"{deploy}.worker.Worker", *own, *NO_UI, address))
        yield address, started[1:]
    finally:
        for process in started:
            if process.poll() is None:
                kill(process)


@contextmanager
def server(kind: str, folder: Path) -> Iterator[str]:
    """A Spark Connect (`sc`) or thrift (`thrift`) server, set as docs/scale.md asks; its address."""
    folder.mkdir(parents=True)
    port = _free_port()
    settings = QUICK | SQL_SETTINGS | {
        "spark.ui.enabled": "false",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.catalogImplementation": "hive",
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={folder}/metastore;create=true",
        "spark.hadoop.hive.metastore.schema.verification": "false",
        "spark.hadoop.datanucleus.schema.autoCreateAll": "true",
        "spark.driver.extraJavaOptions": f"-Dderby.system.home={folder} -Dderby.system.durability=test",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
    }  # fmt: skip
    options = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
    main = {
        "sc": ("org.apache.spark.sql.connect.service.SparkConnectServer", "spark-internal"),
        "thrift": (
            *("org.apache.spark.sql.hive.thriftserver.HiveThriftServer2", "spark-internal"),
            *("--hiveconf", "hive.server2.thrift.bind.host=127.0.0.1"),
            *("--hiveconf", f"hive.server2.thrift.port={port}"),
        ),
    }[kind]
    started = _java(
        folder / kind,
        "org.apache.spark.deploy.SparkSubmit",
        *("--master", "local[2]", "--driver-memory", "2g", *options, "--class", *main),
    )
    try:
        _wait_for(port)
        yield f"{kind}://127.0.0.1:{port}"
    finally:
        kill(started)


def kill(process: subprocess.Popen[bytes]) -> None:
    """`kill -9` the process and what it started."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _java(log: Path, *command: str) -> subprocess.Popen[bytes]:
    import pyspark

    home = Path(pyspark.__file__).parent
    with log.with_suffix(".log").open("wb") as out:
        return subprocess.Popen(
            [str(home / "bin" / "spark-class"), *command],
            stdout=out,
            stderr=out,
            cwd=log.parent,
            env=os.environ | JAVA | {"SPARK_HOME": str(home)},
            start_new_session=True,
        )


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, seconds: int = 180) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise TimeoutError(f"nothing listens on port {port}")


def wait_for_model(home: Installation, model: str, seconds: int = 600) -> None:
    """Until dbt, in a load that was started, has come to the model."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if any(model in log.read_text() for log in home.home.glob("build/*/logs/dbt.log")):
            return
        time.sleep(0.2)
    raise TimeoutError(f"dbt did not come as far as {model}")
