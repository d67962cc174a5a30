"""A real PostgreSQL for the tests: a server of their own on loopback, stopped and removed at the end.

It runs as a user without rights (PostgreSQL refuses root), in a folder under the system's temporary one, on a
free port, with a random password that is checked (scram). Nothing of the machine's own server is touched.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import adbc_driver_postgresql.dbapi as adbc

USER = "postgres"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "40",
    "shared_buffers": "32MB",
    "restart_after_crash": "off",
}


class Unavailable(Exception):
    """No PostgreSQL can be started here; says why."""


def binaries() -> Path:
    """The folder of the newest installed server's programs.

    Raises:
        Unavailable: none is installed, or root has no user to run it as.
    """
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: float(path.parts[-3]))
    found = installed[-1] if installed else shutil.which("postgres")
    if found is None:
        raise Unavailable("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    if os.geteuid() == 0 and USER not in {user.pw_name for user in pwd.getpwall()}:
        raise Unavailable(f"PostgreSQL does not run as root, and there is no user {USER}")
    return Path(found).resolve().parent


class Server:
    """A PostgreSQL server; `stop` removes all of it."""

    def __init__(self) -> None:
        self.bin = binaries()
        self.password = secrets.token_urlsafe(16)
        self.folder = Path(tempfile.mkdtemp(prefix="clientele-postgres-"))
        self.data = self.folder / "data"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        secret = self.folder / "password"
        secret.write_text(self.password)
        self.own: dict[str, Any] = {}
        if os.geteuid() == 0:
            user = pwd.getpwnam(USER)
            self.own = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
            for path in (self.folder, secret):
                os.chown(path, user.pw_uid, user.pw_gid)
        try:
            options = ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--no-sync"]
            subprocess.run(
                [self.bin / "initdb", "--pgdata", self.data, "--username", USER, "--pwfile", secret, *options],
                check=True,
                capture_output=True,
                **self._run_as,
            )
            secret.unlink()
            self.start()
        except BaseException:
            shutil.rmtree(self.folder)
            raise

    @property
    def _run_as(self) -> dict[str, Any]:
        return {**self.own, "cwd": self.folder}

    def start(self) -> None:
        """Start, and wait until it answers."""
        settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.bin / "postgres", "-D", self.data, "-p", str(self.port), *settings],
                stdout=log,
                stderr=log,
                **self._run_as,
            )
        until = time.monotonic() + 30
        while True:
            try:
                self.run("select 1")
            except adbc.Error:
                if time.monotonic() > until or self.process.poll() is not None:
                    raise
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """kill -9 of the server and of all that serve connections."""
        own = self.process.pid
        children = subprocess.run(["pgrep", "-P", str(own)], capture_output=True, text=True, check=False).stdout
        for pid in (own, *map(int, children.split())):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def halt(self) -> None:
        """Stop as an operator does; `start` continues."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=30)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.folder)

    def dsn(self, database: str = USER, user: str = USER, password: str | None = None) -> str:
        return f"postgresql://{user}:{password or self.password}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str = USER) -> adbc.Connection:
        """A connection of one's own, outside the tested code; commits nothing by itself."""
        return adbc.connect(self.dsn(database))

    def run(self, statements: str, database: str = USER) -> None:
        """Run statements, separated by semicolons, and commit each."""
        with adbc.connect(self.dsn(database), autocommit=True) as connection, connection.cursor() as cursor:
            cursor.executescript(statements)

    def ask(self, query: str, database: str = USER) -> list[tuple[Any, ...]]:
        with adbc.connect(self.dsn(database), autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()

    def database(self, statements: str = "") -> str:
        """A fresh database with these statements run in it; returns its name."""
        name = f"shop_{secrets.token_hex(4)}"
        self.run(f"create database {name}")
        if statements:
            self.run(statements, name)
        return name
