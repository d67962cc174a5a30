"""How the served warehouse is opened by whoever asks it: read-only, and without reach into files or the network."""

from __future__ import annotations

from pathlib import Path

import duckdb

from dagster_project.errors import ClienteleError

# Read-only is not enough: such a connection can still read files and COPY TO. External access off closes that.
LOCKED: dict[str, str | bool | int | float | list[str]] = {
    # without this DuckDB wants to download the extension that the time zone needs, which is built in
    "autoinstall_known_extensions": "false",
    "enable_external_access": "false",
    "lock_configuration": "true",
    "TimeZone": "UTC",
}


def connect(file: Path) -> duckdb.DuckDBPyConnection:
    """A connection to warehouse.duckdb, or to what the link of that name leads to now.

    Raises:
        ClienteleError: nothing was published yet.
    """
    if not file.exists():
        raise ClienteleError(f"nothing was published yet: there is no {file}", remedy="run: clientele load")
    return duckdb.connect(str(file.resolve()), read_only=True, config=LOCKED)
