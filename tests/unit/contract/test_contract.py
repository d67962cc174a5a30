"""The contract: what it refuses, and that what is generated from it is committed."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.contract.contract import Shape, read_contract
from dagster_project.contract.generate import generated, strays, write
from dagster_project.errors import ConfigurationError

PROJECT = Path(__file__).resolve().parents[3]

FEED = """
feeds:
  visits:
    description: Visits.
    class: service
    shape: events
    date: visit_date
    key: [visit_id]
    columns:
      visit_id: {type: varchar, description: Visit.}
      visit_date: {type: date, description: Day.}
      spent: {type: money, description: Money. Additive.}
      guest: {type: varchar, pii: true, description: Who came.}
"""


def test_the_canonical_views_and_their_document_are_what_the_contract_generates() -> None:
    contract = read_contract()
    differing = [
        str(path)
        for path, text in generated(contract).items()
        if not (PROJECT / path).exists() or (PROJECT / path).read_text(encoding="utf-8") != text
    ]
    assert not differing + strays(contract, PROJECT), "run: python -m dagster_project.contract"


def test_personal_data_is_in_the_contract_and_in_no_view() -> None:
    customers = read_contract().feeds["customers"]
    assert list(customers.pii) == ["name", "email", "phone", "address", "birth_date"]
    assert not set(customers.pii) & set(customers.view)


def test_every_view_begins_with_where_the_row_comes_from() -> None:
    for feed in read_contract().feeds.values():
        first = ["source_system", "source_feed", "load_id", "load_row", "op"]
        then = ["effective_from", "updated_at"] if feed.shape is Shape.LIST else ["updated_at", "is_superseded"]
        assert list(feed.view)[:7] == first + then, feed.name


def test_writing_twice_changes_nothing_and_views_of_dropped_feeds_go(tmp_path: Path) -> None:
    path = tmp_path / "contract.yml"
    path.write_text(FEED)
    contract = read_contract(path)
    stray = tmp_path / "dbt/models/canonical/calls.sql"
    stray.parent.mkdir(parents=True)
    stray.write_text("select 1")
    assert stray in write(contract, tmp_path)
    assert not stray.exists()
    assert "data_type: decimal(19, 4)" in (tmp_path / "dbt/models/canonical/visits.yml").read_text()
    assert write(contract, tmp_path) == []


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ("type: money", "type: float", "feeds.visits.columns.spent: type 'float' is none of"),
        ("key: [visit_id]", "key: [guest]", "feeds.visits: key names ['guest']"),
        ("date: visit_date", "", "feeds.visits: events need a date"),
        ("date: visit_date", "date: spent", "feeds.visits: date names 'spent', which is no column of type date"),
        ("class: service", "class: odd", "feeds.visits.class:"),
        ("spent:", "load_id:", "feeds.visits: columns ['load_id'] are names every view begins with"),
        ("shape: events", "shape: events\n    colour: red", "feeds.visits.colour: is not a known key"),
        ("description: Visits.", "", "feeds.visits.description: is required and missing"),
    ],
)
def test_a_wrong_contract_is_refused_with_its_file_and_key(tmp_path: Path, was: str, becomes: str, told: str) -> None:
    path = tmp_path / "contract.yml"
    path.write_text(FEED.replace(was, becomes, 1))
    with pytest.raises(ConfigurationError) as raised:
        read_contract(path)
    assert f"{path}: {told}" in str(raised.value)
