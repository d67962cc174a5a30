"""Words as YAML and SQL take them."""

from __future__ import annotations

import json
import re
from functools import lru_cache

import duckdb

PLAIN = re.compile(r"^[A-Za-z_/.$][A-Za-z0-9_*/.${}:+-]*( [A-Za-z0-9_*/.$(),-]+)*$")
YAML_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "~"}


def scalar(value: str) -> str:
    """A YAML scalar; quoted unless it is plainly a string."""
    return value if PLAIN.match(value) and value.lower() not in YAML_WORDS and ": " not in value else json.dumps(value)


def flow(values: tuple[str, ...] | list[str]) -> str:
    return f"[{', '.join(in_flow(value) for value in values)}]"


def flow_map(values: dict[str, str]) -> str:
    return f"{{{', '.join(f'{in_flow(key)}: {in_flow(value)}' for key, value in values.items())}}}"


def in_flow(value: str) -> str:
    """A YAML scalar within brackets or braces."""
    return value if re.match(r"^[A-Za-z_]\w*$", value) and value.lower() not in YAML_WORDS else json.dumps(value)


def column(name: str) -> str:
    """A column of the source in a model: lower case, or quoted by the adapter where SQL would misread it."""
    if re.match(r"^[A-Za-z_]\w*$", name) and not _is_reserved(name):
        return name.lower()
    return f"{{{{ adapter.quote({_jinja(name)}) }}}}"


@lru_cache
def _is_reserved(name: str) -> bool:
    try:
        duckdb.extract_statements(f"select {name} from t")
    except duckdb.ParserException:
        return True
    return False


def _jinja(name: str) -> str:
    return "'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'"
