"""Where a source is, as source.yml says it: environment variables and installed packages resolved."""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path

from dagster_project.errors import ConfigurationError


def with_variables(text: str, source: str, example: str) -> str:
    """The text with `${NAME}` and `${NAME:-default}` replaced.

    Raises:
        ConfigurationError: a variable is unset; the remedy shows an example of its value.
    """

    def value(match: re.Match[str]) -> str:
        name, default = match["name"], match["default"]
        found = os.environ.get(name) or default
        if found is None:
            raise ConfigurationError(
                f"source {source}: the environment variable {name} is not set", remedy=f"export {name}={example}"
            )
        return found

    return re.sub(r"\$\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\}", value, text)


def resolve_root(root: str, source: str) -> Path:
    """The folder that `root` names; `package:NAME/folder` is one within an installed Python package.

    Raises:
        ConfigurationError: a variable is unset or the package is not installed.
    """
    text = with_variables(root, source, "FOLDER")
    if not text.startswith("package:"):
        return Path(text).expanduser()
    package, _, below = text.removeprefix("package:").partition("/")
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigurationError(
            f"source {source}: the Python package {package} is not installed",
            remedy="run `uv sync`, or set the source's folder variable",
        )
    return Path(next(iter(spec.submodule_search_locations))) / below
