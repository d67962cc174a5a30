"""Spark for tests: whether it is here, options for small data, and a real standalone cluster on loopback."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

# No code is compiled, and none optimised, for a handful of rows: a third of the time.
QUICK = {
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.adaptive.enabled": "false",
}
JAVA = {"JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC", "SPARK_LOCAL_IP": "127.0.0.1"}


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
        "CLIENTELE_SPARK_DRIVER_MEMORY": "1g",
        "CLIENTELE_SPARK_OPTIONS": json.dumps(QUICK | options),
    }


class Cluster:
    """A standalone master and workers, processes of this machine."""

    def __init__(self, folder: Path, workers: int) -> None:
        import pyspark

        self.home = Path(pyspark.__file__).parent
        self.folder = folder
        self.port = _free_port()
        self.url = f"spark://127.0.0.1:{self.port}"
        self._start("master", "org.apache.spark.deploy.master.Master", "--port", str(self.port), "--webui-port", "0")
        _wait_for(self.port)
        self.workers = [
            self._start(f"worker{number}", "org.apache.spark.deploy.worker.Worker", "--cores", "1", "--memory", "1g",
                        "--webui-port", "0", "--work-dir", str(folder / f"work{number}"), self.url)
            for number in range(workers)
        ]  # fmt: skip

    def _start(self, name: str, main: str, *args: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [str(self.home / "bin" / "spark-class"), main, "--host", "127.0.0.1", *args],
                stdout=log,
                stderr=log,
                env=os.environ | JAVA | {"SPARK_HOME": str(self.home)},
                start_new_session=True,
            )


@contextmanager
def cluster(folder: Path, workers: int = 2) -> Iterator[Cluster]:
    """A running cluster; every process of it is gone afterwards."""
    folder.mkdir(parents=True)
    started = Cluster(folder, workers)
    try:
        yield started
    finally:
        subprocess.run(["pkill", "-9", "-f", f"127.0.0.1:{started.port}|--port {started.port}"], check=False)


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, seconds: int = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise TimeoutError(f"nothing listens on port {port}")
