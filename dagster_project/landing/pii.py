"""Personal data apart: the key of its hashes, the hashes as SQL, and who was erased.

A feed's personal columns never get into `part.parquet`. They lie beside it in `pii.parquet`, joined by `_row`. The part
has HMAC-SHA256 values instead: `_pii_hash` over all of them, so that a change is seen, and `_email_key` and
`_phone_key` over the normalised address and number, so that records of one person can be matched.

- e-mail: trimmed and in lower case.
- telephone: the digits and a leading `+` (`00` counts as one); a country is not guessed, so a national number and the
  international one of the same line do not match.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from dagster_project.errors import ConfigurationError
from dagster_project.landing import sql
from dagster_project.landing.manifest import read_json_lines, sync_folder, write_durably
from dagster_project.landing.source import PII_HASH, Feed

KEY_FILE = "pii.key"
FINGERPRINT = "pii_key.sha256"
ERASED = "erased.jsonl"
MIN_BYTES = 32
BLOCK = 64
UNIT = "\x1f"


@dataclass(frozen=True)
class Pii:
    """The key, and the tombstones of those who were erased.

    Attributes:
        erased: `person_key` of each erased person; their values are not landed again.
    """

    key: bytes = field(repr=False)
    erased: frozenset[str] = frozenset()

    def digest(self, text: str) -> str:
        """HMAC-SHA256 of a text, in hexadecimal: what `hmac_sha256` gives in SQL."""
        return hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()

    def person_key(self, system: str, *values: object) -> str:
        """The tombstone of a person, by source system and the values that identify the person there."""
        return self.digest(UNIT.join((system, *map(str, values))))

    def register(self, con: duckdb.DuckDBPyConnection) -> None:
        """Give a connection the function `hmac_sha256`; the key stands in no statement, so in no error message."""
        block = (hashlib.sha256(self.key).digest() if len(self.key) > BLOCK else self.key).ljust(BLOCK, b"\0")
        pads = [bytes(byte ^ pad for byte in block) for pad in (0x36, 0x5C)]
        con.execute(
            "create or replace temp table pii_pads as select $1::blob as inner_pad, $2::blob as outer_pad", pads
        )
        con.execute("set variable pii_inner = (select inner_pad from pii_pads)")
        con.execute("set variable pii_outer = (select outer_pad from pii_pads)")
        con.execute("drop table pii_pads")
        con.execute(
            "create or replace temp macro hmac_sha256(text) as sha256(getvariable('pii_outer')"
            " || unhex(sha256(getvariable('pii_inner') || encode(text))))"
        )

    def split(self, con: duckdb.DuckDBPyConnection, feed: Feed, relation: str, columns: Mapping[str, str]) -> str:
        """SQL of the relation with `_pii_hash` and the match keys beside its own columns and `_row`.

        The values of erased persons are NULL; the hash still tells whether their row changed.

        Args:
            relation: SQL with the feed's columns and `_row`.
            columns: those it has, as found.
        """
        self.register(con)
        con.execute("create or replace temp table erased_person (person varchar)")
        if self.erased:
            con.execute("insert into erased_person select unnest($1)", [sorted(self.erased)])
        erased = "person in (select person from erased_person)" if self.erased else "false"
        shown = [sql.quote(name) for name in columns if name not in feed.pii]
        for name in columns:
            if name in feed.pii:
                shown.append(f"case when not {erased} then {sql.quote(name)} end as {sql.quote(name)}")
        for key, normalised in match_values(feed, columns).items():
            shown.append(f"case when not {erased} then hmac_sha256({normalised}) end as {key}")
        person = person_value(feed) if self.erased else "cast(null as varchar)"
        return (
            f"(select {', '.join(shown)}, hmac_sha256({_all_values(feed, columns)}) as {PII_HASH}, _row"
            f" from (select *, {person} as person from {relation}))"
        )


def person_value(feed: Feed) -> str:
    """SQL of a row's `person_key`."""
    values = [f"coalesce(cast({sql.quote(name)} as varchar), '')" for name in feed.person]
    return f"hmac_sha256({' || chr(31) || '.join([sql.literal(feed.system), *values])})"


def _all_values(feed: Feed, columns: Mapping[str, str]) -> str:
    """SQL of one text of all personal values, each with its length, so that no two rows have the same by chance."""
    texts = (f"cast({sql.quote(name)} as varchar)" for name in sorted(feed.pii) if name in columns)
    return " || ".join(f"coalesce(length({text}) || ':' || {text}, '-')" for text in texts) or "''"


def match_values(feed: Feed, columns: Mapping[str, str]) -> dict[str, str]:
    """Match key -> SQL of the normalised value it is the hash of; of several columns the first with a value."""

    def first(target: str) -> str:
        found = [name for name, to in feed.pii.items() if to == target and name in columns]
        texts = ", ".join(f"nullif(trim(cast({sql.quote(name)} as varchar)), '')" for name in found)
        return f"coalesce({texts})" if found else "cast(null as varchar)"

    phone = f"regexp_replace({first('phone')}, '^ *00', '+')"
    normalised = {
        "email": f"lower({first('email')})",
        "phone": f"nullif(case when starts_with({phone}, '+') then '+' else '' end"
        f" || regexp_replace({phone}, '[^0-9]', '', 'g'), '')",
    }
    return {key: normalised[target] for key, target in feed.match_keys.items()}


def open_pii(home: Path, landing: Path, given: str, feeds: Iterable[Feed]) -> Pii | None:
    """The key for these feeds; None when none of them has personal data.

    Without CLIENTELE_PII_KEY the key is made once and kept in the home as `pii.key`, for its owner only.

    Args:
        given: CLIENTELE_PII_KEY; empty: the file.

    Raises:
        ConfigurationError: the key is too short, or another one than what has landed was hashed with.
    """
    if not any(feed.pii for feed in feeds):
        return None
    file = home / KEY_FILE
    mark = landing / FINGERPRINT
    if given:
        key = _bytes(given, "CLIENTELE_PII_KEY")
    else:
        if not file.exists():
            if mark.exists():
                raise ConfigurationError(
                    f"the key of the personal data is gone: {file} does not exist, but personal data landed with it",
                    remedy=f"set CLIENTELE_PII_KEY to that key, or restore {file} from a backup",
                )
            make_key(file)
        key = _bytes(file.read_text(encoding="utf-8").strip(), str(file))
    pii = Pii(key, erased_persons(landing))
    fingerprint = pii.digest("fingerprint of the key")
    if mark.exists():
        if mark.read_text(encoding="utf-8") != fingerprint:
            raise ConfigurationError(
                f"{'CLIENTELE_PII_KEY' if given else file} is not the key that personal data has landed with:"
                " every row would look changed and no two records would match",
                remedy="use the earlier key; to begin with another one, start in a new CLIENTELE_HOME",
            )
    else:
        landing.mkdir(parents=True, exist_ok=True)
        write_durably(mark, fingerprint)
    return pii


def erased_persons(landing: Path) -> frozenset[str]:
    """Tombstones of those who were erased; the last word on each counts."""
    last = {str(record["person"]): not record.get("lifted") for record in read_json_lines(landing / ERASED)}
    return frozenset(person for person, erased in last.items() if erased)


def _bytes(text: str, where: str) -> bytes:
    """The key's bytes: of hexadecimal digits what they stand for, else the text itself."""
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = text.encode()
    if len(key) < MIN_BYTES:
        raise ConfigurationError(
            f"{where}: the key has {len(key)} bytes, at least {MIN_BYTES} are needed",
            remedy="make one with: openssl rand -hex 32",
        )
    return key


def make_key(file: Path) -> None:
    """A random secret in a file for its owner only: there whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:  # noqa: PTH123 - the mode
        stream.write(secrets.token_hex(MIN_BYTES) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(file)
    sync_folder(file.parent)
