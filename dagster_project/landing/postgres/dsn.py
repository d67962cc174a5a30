"""A connection string: where it leads, without its password, and what a load adds to it."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlencode

from dagster_project.errors import ConfigurationError

# A dead server or a cut cable must end a load's wait, not only an answer: libpq waits for hours by default.
ADDED = {
    "application_name": "clientele",
    "client_encoding": "UTF8",
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
URI = re.compile(
    r"^postgres(?:ql)?://(?:(?P<login>[^@/?]*)@)?(?P<hosts>[^/?]*)(?:/(?P<database>[^?]*))?(?:\?(?P<rest>.*))?$"
)
SECRETS = ("password", "sslpassword")


@dataclass(frozen=True)
class Dsn:
    """A connection string, taken apart.

    Attributes:
        text: what libpq is given, with what a load adds.
        place: host, port and database, for people.
        secrets: texts that no message may hold.
    """

    text: str
    place: str
    secrets: tuple[str, ...]

    @classmethod
    def parse(cls, text: str, source: str) -> Dsn:
        """Take a URI or `key=value` string apart.

        Raises:
            ConfigurationError: it is neither. The message does not repeat it: it may hold a password.
        """
        text = text.strip()
        if uri := URI.match(text):
            return cls._of_uri(text, uri)
        try:
            said = dict(part.split("=", 1) for part in shlex.split(re.sub(r"\s*=\s*", "=", text)))
        except ValueError:
            said = {}
        if not said:
            raise ConfigurationError(
                f"source {source}: `dsn` is neither a URI nor a list of key=value",
                remedy="set its variable to postgresql://USER:PASSWORD@HOST:PORT/DATABASE",
            )
        place = _place(said.get("host", "localhost"), said.get("port", ""), said.get("dbname", said.get("user", "")))
        added = " ".join(f"{name}={value}" for name, value in ADDED.items() if name not in said)
        return cls(f"{text} {added}", place, _secrets(said))

    @classmethod
    def _of_uri(cls, text: str, uri: re.Match[str]) -> Dsn:
        user, _, password = (uri["login"] or "").partition(":")
        said = dict(parse_qsl(uri["rest"] or "", keep_blank_values=True))
        host, _, port = uri["hosts"].partition(":") if "," not in uri["hosts"] else (uri["hosts"], "", "")
        database = unquote(uri["database"] or "") or said.get("dbname") or unquote(user)
        place = _place(unquote(host) or said.get("host", "localhost"), port or said.get("port", ""), database)
        added = urlencode({name: value for name, value in ADDED.items() if name not in said}, quote_via=quote)
        joined = "&" if uri["rest"] else "" if uri["rest"] == "" else "?"
        return cls(f"{text}{joined}{added}", place, _secrets(said | {"password": password or said.get("password", "")}))

    def without_secrets(self, message: str) -> str:
        for secret in self.secrets:
            message = message.replace(secret, "***")
        return message


def _place(host: str, port: str, database: str) -> str:
    return f"{host}{'' if ',' in host else f':{port or 5432}'}/{database}"


def _secrets(said: dict[str, str]) -> tuple[str, ...]:
    found = {text for name in SECRETS if (value := said.get(name)) for text in (value, unquote(value), quote(value))}
    return tuple(sorted(found, key=len, reverse=True))
