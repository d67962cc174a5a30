"""The project's documents as tests need them: their commands, queries, tables, paths and links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")


class Document:
    """One Markdown file of the project."""

    def __init__(self, name: str) -> None:
        self.path = PROJECT / name
        self.text = self.path.read_text(encoding="utf-8")

    def blocks(self, language: str) -> list[str]:
        """The fenced blocks of a language."""
        return [body.strip() for found, body in FENCE.findall(self.text) if found == language]

    @property
    def prose(self) -> str:
        """The text without its fenced blocks."""
        return FENCE.sub("", self.text)

    def commands(self) -> list[str]:
        """The lines of the `sh` blocks."""
        return [line for block in self.blocks("sh") for line in block.splitlines() if line]

    def inline(self) -> list[str]:
        """What stands in backticks within the text."""
        return INLINE.findall(self.prose)

    def queries(self) -> list[str]:
        """SQL in `sql` blocks, in the tables, and after `clientele sql`."""
        in_commands = [re.search(r'clientele sql "([^"]+)"', line) for line in self.commands()]
        return [
            *self.blocks("sql"),
            *(text for text in self.inline() if text.startswith("select ")),
            *(found[1] for found in in_commands if found),
        ]

    def table_below(self, heading: str) -> Iterator[list[str]]:
        """The cells of the first table after a heading, row by row, without its head."""
        section = self.text.split(f"\n## {heading}\n", maxsplit=1)[1]
        rows = re.search(r"((?:^\|.*\n)+)", section, re.MULTILINE)
        assert rows is not None, f"no table below {heading}"
        for line in rows[1].splitlines()[2:]:
            yield [cell.strip() for cell in line.strip("|").split(" | ")]

    def links(self) -> list[str]:
        """Targets of links within the project."""
        return [link for link in LINK.findall(self.prose) if "://" not in link]

    def paths(self) -> list[str]:
        """Inline names of files and folders that begin with something the project has at its top."""
        tops = {path.name for path in PROJECT.iterdir()} - {"data", "warehouse.duckdb"}
        return [
            text
            for text in self.inline()
            if re.fullmatch(r"[\w.*/-]+", text) and "/" in text and text.split("/")[0] in tops
        ]

    def anchors(self) -> set[str]:
        """What a link may name after `#`."""
        headings = re.findall(r"^#+ (.+)$", self.prose, re.MULTILINE)
        return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
