"""Superset prepared and started: its metadata in PostgreSQL, the store and the file connected, dashboards in place."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import yaml
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from dagster_project.errors import ClienteleError, ConfigurationError
from dagster_project.landing import sql
from dagster_project.landing.pii import make_key
from dagster_project.olap.dictionary import read_dictionary
from dagster_project.served import LOCKED
from dagster_project.serving.postgres import create_database, open_store
from dagster_project.serving.superset.dashboards import dashboard_files
from dagster_project.serving.superset.datasets import VERSION, Connection, Dataset, datasets_of
from dagster_project.settings import PROJECT, Settings
from dagster_project.warehouse.releases import FILE, releases_of

ENVIRONMENT = PROJECT / ".superset"
HERE = Path(__file__).parent
DRIVER = "postgresql+psycopg2"
FILE_OPTIONS = {name: str(value) for name, value in LOCKED.items()} | {"access_mode": "read_only"}


def prepare(settings: Settings, tell: Callable[[str], None] = lambda _: None) -> list[str]:
    """Bring Superset's metadata, its administrator's password, connections, datasets and dashboards up to date.

    What users made in Superset stays; dashboards of the project are written anew: change a copy.

    Returns:
        Names of what was brought in.

    Raises:
        ConfigurationError: a setting or Superset's environment is missing.
        StoreError: PostgreSQL does not answer. ClienteleError: nothing is served, or Superset refused something.
    """
    _check(settings)
    tell("reading the metric dictionary")
    files = bundle(settings)
    told = {
        "files": {name: yaml.safe_dump(file, sort_keys=False, allow_unicode=True) for name, file in files.items()},
        "passwords": {connections(settings)[0].file: settings.pg_analyst_password.get_secret_value()},
        "admin_password": settings.superset_password.get_secret_value(),
    }
    url = _metadata(settings)
    if not settings.superset_dsn.get_secret_value():
        with open_store(settings) as store:
            create_database(store, str(url.database))
    tell("Superset: metadata, administrator, databases, datasets, dashboards (a minute the first time)")
    done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
        [str(ENVIRONMENT / "bin" / "python"), str(HERE / "prepare.py")],
        env=environment(settings),
        input=json.dumps(told),
        capture_output=True,
        text=True,
        check=False,
    )
    log = settings.home / "superset" / "prepare.log"
    log.write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode:
        last = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "no word")
        raise ClienteleError(f"Superset could not be prepared: {last[:300]}", remedy=f"read {log}")
    return sorted(files)


def command(host: str, port: int) -> list[str]:
    """What serves it; one process, since the limit on logins counts within one."""
    return [
        str(ENVIRONMENT / "bin" / "gunicorn"), "--bind", f"{host}:{port}", "--workers", "1", "--threads", "8",
        "--worker-class", "gthread", "--timeout", "120", "superset.app:create_app()",
    ]  # fmt: skip


def environment(settings: Settings) -> dict[str, str]:
    """Of Superset's processes: nothing of ours but what its configuration reads."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("CLIENTELE_", "VIRTUAL_ENV"))}
    folder = settings.home / "superset"
    return ours | {
        "SUPERSET_CONFIG_PATH": str(HERE / "config.py"),
        "SUPERSET_HOME": str(folder),
        "CLIENTELE_SUPERSET_METADATA": _metadata(settings).render_as_string(hide_password=False),
        "CLIENTELE_SUPERSET_SECRET_KEY": _secret(folder / "secret.key"),
    }


def bundle(settings: Settings) -> dict[str, dict[str, Any]]:
    """Superset's files, by name: both connections, their datasets, and the dashboards over the store.

    Raises:
        ClienteleError: nothing is served yet. ConfigurationError: a dashboard shows what is not there.
    """
    release = releases_of(settings).current()
    if release is None:
        raise ClienteleError("there is no warehouse yet to show", remedy="run: clientele load")
    file = settings.releases / release.release / FILE
    manifest = json.loads((file.parent / "target" / "manifest.json").read_text(encoding="utf-8"))
    found: list[Dataset] = []
    ways = connections(settings)
    with duckdb.connect(str(file), read_only=True, config=sql.CONFIG) as con:
        dictionary = read_dictionary(con)
        for way in ways:
            found += datasets_of(way, con, manifest, dictionary)
    of_store = {dataset.name: dataset for dataset in found if dataset.connection == ways[0]}
    return {
        "metadata.yaml": {"version": VERSION, "type": "assets"},
        **{way.file: way.as_file() for way in ways},
        **{dataset.file: dataset.as_file() for dataset in found},
        **dashboard_files(of_store),
    }


def connections(settings: Settings) -> tuple[Connection, Connection]:
    """The store, as its role `analyst`, and the file."""
    store = _url(settings.pg_dsn.get_secret_value(), "CLIENTELE_PG_DSN").set(username="analyst", password="X" * 10)
    warehouse = URL.create("duckdb", database=f"/{settings.warehouse}", query=FILE_OPTIONS)
    return (
        Connection("store", "Clientele", store.render_as_string(hide_password=False), "postgres", settings.pg_facts),
        Connection("file", "Clientele (DuckDB file)", str(warehouse), "duckdb", "all"),
    )


def _check(settings: Settings) -> None:
    if not settings.pg_dsn.get_secret_value():
        raise ConfigurationError(
            "Superset needs the PostgreSQL store: CLIENTELE_PG_DSN is not set",
            remedy="see docs/serving.md, then: clientele serve init; clientele serve sync",
        )
    missing = [
        name
        for name, value in (
            ("CLIENTELE_PG_ANALYST_PASSWORD", settings.pg_analyst_password),
            ("CLIENTELE_SUPERSET_PASSWORD", settings.superset_password),
        )
        if not value.get_secret_value()
    ]
    if missing:
        raise ConfigurationError(f"no password: {' and '.join(missing)} is not set", remedy=f"set {missing[0]}")
    if not (ENVIRONMENT / "bin" / "gunicorn").exists():
        raise ConfigurationError("Superset is not installed", remedy="run: make superset-install (0.9 GB)")


def _metadata(settings: Settings) -> URL:
    """Where Superset keeps its own: CLIENTELE_SUPERSET_DSN, else a database beside the store's."""
    if own := settings.superset_dsn.get_secret_value():
        return _url(own, "CLIENTELE_SUPERSET_DSN")
    store = _url(settings.pg_dsn.get_secret_value(), "CLIENTELE_PG_DSN")
    return store.set(database=f"{store.database}_superset")


def _url(text: str, name: str) -> URL:
    try:
        url = make_url(text)
    except ArgumentError:
        url = None
    if url is None or not url.drivername.startswith("postgres") or not url.database:
        raise ConfigurationError(f"{name} is no address that Superset can use",
                                 remedy=f"set {name} to postgresql://USER:PASSWORD@HOST:PORT/DATABASE")  # fmt: skip
    return url.set(drivername=DRIVER)


def _secret(file: Path) -> str:
    """Signs sessions and encrypts the passwords Superset keeps; made once."""
    if not file.exists():
        make_key(file)
    return file.read_text(encoding="utf-8").strip()
