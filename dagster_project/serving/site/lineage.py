"""From feeds to metrics: what each rests on, read from dbt's manifest and the metric dictionary, and drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from dagster_project.olap.dictionary import Dictionary

WIDTH, ROW, BOX, GAP = 160, 26, 18, 30
LETTERS = 24
# What loads note of themselves is read as a source, but no feed.
LEDGER = "ops"


@dataclass(frozen=True)
class Node:
    """A feed, a table (`model`) or a metric. `id`: dbt's, for a metric `metric.<name>`."""

    id: str
    kind: str
    name: str


class Lineage:
    """A graph without circles; edges lead from what is read to what is made of it."""

    def __init__(self, manifest: Mapping[str, Any], dictionary: Dictionary) -> None:
        self.nodes: dict[str, Node] = {}
        self.parents: dict[str, list[str]] = {}
        tables: dict[str, str] = {}
        for identity, source in manifest["sources"].items():
            if source["source_name"] != LEDGER:
                self.nodes[identity] = Node(identity, "feed", f"{source['source_name']}.{source['name']}")
        for identity, node in manifest["nodes"].items():
            if node["resource_type"] == "model":
                name = f"{node['schema']}.{node.get('alias') or node['name']}"
                self.nodes[identity] = Node(identity, "model", name)
                tables[name] = identity
        for identity in self.nodes:
            read = manifest["parent_map"].get(identity, [])
            self.parents[identity] = sorted(other for other in read if other in self.nodes)
        for metric in dictionary.metrics.values():
            sources = {dictionary.measure(name).source for name in dictionary.measures_of(metric)}
            identity = metric_id(metric.name)
            self.nodes[identity] = Node(identity, "metric", metric.name)
            self.parents[identity] = sorted(tables[dictionary.sources[name].table] for name in sources)

    def upstream(self, identity: str) -> set[str]:
        """All it rests on, and itself."""
        found, waiting = set(), [identity]
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting += self.parents[one]
        return found

    def feeds(self, identity: str) -> list[str]:
        """Names of the feeds it rests on."""
        return sorted(self.nodes[one].name for one in self.upstream(identity) if self.nodes[one].kind == "feed")

    def metrics_of_feeds(self) -> dict[str, list[str]]:
        """Feed -> the metrics that rest on it."""
        found: dict[str, list[str]] = {}
        for node in self.nodes.values():
            if node.kind == "metric":
                for feed in self.feeds(node.id):
                    found.setdefault(feed, []).append(node.name)
        return found

    def drawn(self, identity: str, links: Mapping[str, str]) -> str:
        """The ways from feeds to it as SVG, feeds on the left; without tables that rest on no feed.

        Args:
            links: node -> where a click on it leads.
        """
        fed = {one for one in self.upstream(identity) if self.feeds(one)}
        columns = self._columns(fed | {identity})
        places = {
            one: (nth * (WIDTH + GAP), row * ROW)
            for nth, column in enumerate(columns)
            for row, one in enumerate(column)
        }
        height = max(map(len, columns)) * ROW
        drawn = [
            self._edge(places[parent], places[one])
            for one in places
            for parent in self.parents[one]
            if parent in places
        ]
        drawn += [self._box(self.nodes[one], place, links.get(one, "")) for one, place in places.items()]
        width = len(columns) * (WIDTH + GAP) - GAP
        return f'<svg class="lineage" viewBox="0 0 {width} {height}" style="width:{width}px">{"".join(drawn)}</svg>'

    def _columns(self, nodes: set[str]) -> list[list[str]]:
        """Each node as far right as the longest way to it; within a column near to what it reads."""
        depths: dict[str, int] = {}

        def depth(one: str) -> int:
            if one not in depths:
                depths[one] = 1 + max((depth(parent) for parent in self.parents[one] if parent in nodes), default=-1)
            return depths[one]

        columns: list[list[str]] = [[] for _ in range(max(map(depth, nodes)) + 1)]
        for one in sorted(nodes, key=lambda one: self.nodes[one].name):
            columns[depths[one]].append(one)
        rows: dict[str, float] = {}
        for column in columns:
            column.sort(key=lambda one: (self._middle(self.parents[one], rows), self.nodes[one].name))
            rows |= {one: row for row, one in enumerate(column)}
        return columns

    @staticmethod
    def _middle(parents: Iterable[str], rows: Mapping[str, float]) -> float:
        known = [rows[parent] for parent in parents if parent in rows]
        return sum(known) / len(known) if known else 0.0

    @staticmethod
    def _edge(start: tuple[int, int], end: tuple[int, int]) -> str:
        x, y = start[0] + WIDTH, start[1] + BOX / 2
        to_x, to_y = end[0], end[1] + BOX / 2
        bend = (to_x - x) / 2
        return f'<path d="M{x},{y} C{x + bend},{y} {to_x - bend},{to_y} {to_x},{to_y}"/>'

    @staticmethod
    def _box(node: Node, place: tuple[int, int], link: str) -> str:
        x, y = place
        name = node.name if len(node.name) <= LETTERS else f"…{node.name[1 - LETTERS :]}"
        box = (
            f'<g class="{node.kind}"><title>{escape(node.name)}</title>'
            f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{BOX}" rx="3"/>'
            f'<text x="{x + 5}" y="{y + 13}">{escape(name)}</text></g>'
        )
        return f'<a href="{escape(link)}">{box}</a>' if link else box


def metric_id(name: str) -> str:
    return f"metric.{name}"
