"""What PostgreSQL or the way to it refused, told so that an operator can act on it."""

from __future__ import annotations

import re

from dagster_project.errors import FeedError, SourceUnavailableError
from dagster_project.landing.postgres.dsn import Dsn
from dagster_project.landing.source import Feed

SQLSTATE = re.compile(r"SQLSTATE: ([0-9A-Z]{5})")
REASON = re.compile(r"(?:ERROR|FATAL):\s+(.*)")

# SQLSTATE, or its class -> remedy. These pass by themselves: the load tries again.
PASSING = {
    "08": "see that the server and the network to it are up, then load again",
    "57P": "the server was stopped or ended the connection: see that it runs, then load again",
    "53": "the server is short of connections, memory or disk: free some, then load again",
    "55P03": "another transaction changes the table and holds it locked: let it end, then load again",
    "40": "the server had to break the reading off: load again",
}
# These need someone who changes something first.
LASTING = {
    "57014": "it took longer than `statement_timeout_seconds` in source.yml, or was cancelled: raise that,"
    " or see what slows the server down",
    "28": "correct user or password in the variable of `dsn`, or let them in (pg_hba.conf)",
    "3D": "correct the database in the variable of `dsn`",
    "42501": "as its owner: GRANT USAGE ON SCHEMA ... and GRANT SELECT ON ... to the user of `dsn`",
    "42P01": "correct `table` or `query` in source.yml, or have the table restored",
    "42703": "correct `query` in source.yml, or have the column restored",
    "42601": "correct `query` in source.yml: it must be one SELECT",
}
# What libpq says when there is no session yet, and so no SQLSTATE.
REFUSED = {
    "password authentication failed": "28",
    "no password supplied": "28",
    "no pg_hba.conf entry": "28",
    "role ": "28",
    "invalid uri": "dsn",
    "in connection info string": "dsn",
    "invalid connection option": "dsn",
    "database ": "3D",
}
# What comes within a stream has none either; without "ERROR" it is the connection that is gone.
BROKEN_OFF = {
    "canceling statement due to conflict with recovery": "40",
    "canceling statement": "57014",
    "terminating connection": "57P",
    "error:": "of the query",
}


def explain(feed: Feed, dsn: Dsn, error: Exception) -> FeedError:
    """Turn what ADBC raised into a feed's error that names source, feed, host, database and table."""
    told = str(error)
    state = getattr(error, "sqlstate", None) or next(iter(SQLSTATE.findall(told)), None)
    if state is None:
        known = REFUSED if "Failed to connect" in told else BROKEN_OFF
        lower = told.lower()
        state = next((found for words, found in known.items() if words in lower), None)
    reason = REASON.search(told)
    said = dsn.without_secrets((reason[1] if reason else told.removeprefix("IO: [libpq] ").split("\n")[0]).strip())
    if state == "dsn":
        return FeedError(
            feed.source,
            feed.name,
            "the connection string in the variable of `dsn` is not valid",
            remedy="set it to postgresql://USER:PASSWORD@HOST:PORT/DATABASE",
        )
    message = f"{feed.place} at {dsn.place} can't be read: {said[:300]}"
    if state is None:
        return SourceUnavailableError(feed.source, feed.name, message, remedy=PASSING["08"])
    for remedies, kind in ((LASTING, FeedError), (PASSING, SourceUnavailableError)):
        for code, remedy in remedies.items():
            if state.startswith(code):
                return kind(feed.source, feed.name, message, remedy=remedy)
    return FeedError(
        feed.source, feed.name, message, remedy="correct `query` or the values in the database (its log says more)"
    )
