"""SQL that fills the columns of a canonical feed from a landed feed: casts, moments, and the money of an order line."""

from __future__ import annotations

from typing import NamedTuple

from dagster_project.contract.contract import CanonicalFeed
from dagster_project.profiling import text
from dagster_project.profiling.draft import FeedDraft
from dagster_project.profiling.matching import Match
from dagster_project.profiling.profile import ColumnProfile

MONEY = "decimal(19, 4)"
NOTHING = f"cast(0 as {MONEY})"
# Keys that landing makes of personal data, for matching customers across systems
HASHED = {"email_key": ("_email_key", "email"), "phone_key": ("_phone_key", "phone")}


class Filled(NamedTuple):
    """SQL of a column, and the comment to stand above it."""

    sql: str
    note: str = ""


def fill(draft: FeedDraft, match: Match, timezone: str) -> dict[str, Filled]:
    """Canonical column -> how the feed fills it; columns it can't fill are left out, parts of the key never."""
    feed = match.feed
    found: dict[str, Filled] = {}
    for name, source_name in match.columns.items():
        if name != feed.date:
            column = draft.profile.columns[source_name]
            found[name] = _cast(column, draft.columns[source_name], feed.columns[name].type, timezone)
    if feed.date:
        told = (
            ""
            if draft.cursor or draft.dated_by
            else "DECIDE: no column says when it happened; this is the day of the load"
        )
        found[feed.date] = Filled("_business_date", told)
    found |= _local_moments(draft, match, timezone)
    for name in match.missing_key:
        found.setdefault(name, _missing_key(name, feed))
    for name, (key, personal) in HASHED.items():
        if name in feed.columns and personal in draft.personal.values():
            found[name] = Filled(key)
    if feed.name == "order_lines":
        found |= _order_line(found)
    return found


def _cast(column: ColumnProfile, kind: str, wanted: str, timezone: str) -> Filled:
    """The column as the contract's type."""
    name = text.column(column.name)
    if wanted == "timestamp":
        return Filled(_moment(name, kind, timezone))
    if wanted == kind.lower().replace(",", ", ").replace(",  ", ", "):
        return Filled(name)
    if wanted.startswith("decimal") and kind in {"DOUBLE", "FLOAT"}:
        places = wanted.rstrip(")").split(", ")[1]
        return Filled(f"cast(round({name}, {places}) as {wanted})")
    if wanted in {"bigint", "integer"} and not column.is_whole:
        return Filled(f"cast(round({name}) as {wanted})", "DECIDE: the contract counts whole units, here are fractions")
    return Filled(f"cast({name} as {wanted})")


def _moment(name: str, kind: str, timezone: str) -> str:
    """UTC of a moment; one without a zone is taken as local."""
    if kind == "DATE":
        return f"cast({name} as timestamp)"
    if kind.endswith("WITH TIME ZONE"):
        return f"{{{{ utc_moment('{name}') }}}}"
    return name if timezone == "UTC" else f"{{{{ utc_time('{name}', '{timezone}') }}}}"


def _local_moments(draft: FeedDraft, match: Match, timezone: str) -> dict[str, Filled]:
    """The wall clock's moments the contract asks for; none where the source gives only a day."""
    found = {}
    for name in match.feed.columns:
        source_name = match.columns.get(name.removesuffix("_local"))
        if not name.endswith("_at_local") or source_name is None or draft.columns[source_name] == "DATE":
            continue
        column = text.column(source_name)
        if draft.columns[source_name].endswith("WITH TIME ZONE"):
            column = f"{{{{ local_time(utc_moment('{column}'), '{timezone}') }}}}"
        found[name] = Filled(column)
    return found


def _missing_key(name: str, feed: CanonicalFeed) -> Filled:
    if name == "line_no":
        return Filled("_row", "DECIDE: no line number was recognised; the row's number in its batch tells lines apart")
    told = f"DECIDE: part of the key of {feed.name}, and nothing was recognised as it"
    return Filled(f"cast(null as {feed.columns[name].type})", told)


def _order_line(given: dict[str, Filled]) -> dict[str, Filled]:
    """What every order line needs: a quantity, a channel, and gross - discount_retail - discount_match = net."""
    found: dict[str, Filled] = {}
    if "quantity" not in given:
        found["quantity"] = Filled("cast(1 as bigint)", "DECIDE: no quantity was recognised; one unit a line")
    if "channel" not in given:
        told = "DECIDE: a code of dbt/seeds/channels.csv: store, online, phone, mail, email, partner"
        found["channel"] = Filled("'store'", told)
    discount = given["discount_retail"].sql if "discount_retail" in given else None
    if "net" in given and "gross" not in given:
        found["gross"] = Filled(_sum(given["net"].sql, "+", discount), "DECIDE: taken as net plus discount")
    elif "gross" in given and "net" not in given:
        found["net"] = Filled(_sum(given["gross"].sql, "-", discount), "DECIDE: taken as gross less discount")
    elif "net" not in given and "unit_price" in given:
        amount = f"{(given | found)['quantity'].sql} * {given['unit_price'].sql}"
        found["gross"] = Filled(_sum(amount, "-", None), "DECIDE: taken as quantity times unit price")
        found["net"] = Filled(_sum(amount, "-", discount))
    elif "net" not in given:
        found["gross"] = Filled(f"cast(null as {MONEY})", "DECIDE: no amount was recognised")
        found["net"] = Filled(f"cast(null as {MONEY})")
    for name in ("discount_retail", "discount_match", "discount_coupon"):
        if name not in given:
            found[name] = Filled(NOTHING)
    return found


def _sum(amount: str, sign: str, discount: str | None) -> str:
    if discount is None and " " not in amount:
        return amount
    return f"cast({amount} as {MONEY})" if discount is None else f"cast({amount} {sign} {discount} as {MONEY})"
