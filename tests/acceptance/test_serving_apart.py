"""Stores of their own: one that is down while a load publishes, and one that is sent personal data."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import adbc_driver_manager
import pytest

from tests.support.installation import Installation
from tests.support.people_shop import people_shop
from tests.support.postgres import Server
from tests.support.small_shop import SmallShop
from tests.support.store import Store

pytestmark = pytest.mark.long


def test_a_store_that_is_down_does_not_fail_the_load_and_catches_up(tmp_path: Path) -> None:
    server = Server()
    try:
        shop = SmallShop(tmp_path / "home-data")
        store = Store.of(server, Installation(tmp_path / "home", shop.folder))
        shop.line(100, 1, 10, "2017-03-01 15:00:00", 2.00)
        shop.write()
        server.halt()
        done = store.home.run("load", "--date", "2017-03-01", check=0)
        assert "the PostgreSQL store lags behind" in done.err
        assert store.home.sql("select count(*) from star.fct_sales_line") == [(1,)]
        assert "refused" in store.home.run("serve", "status", check=1).err
        assert "lags since" in store.home.run("status").out
        server.start()
        assert store.home.run("load", "--date", "2017-03-01", "--json", check=0).json["status"] == "unchanged"
        assert store.differing() == []
        assert store.home.run("serve", "status", "--json", check=0).json["up_to_date"]
        told = store.home.run("status", "--json").json["store"]
        assert (told["error"], told["release"]) == ("", store.ask("select release from ops.served")[0][0])
    finally:
        server.stop()


def test_personal_data_is_sent_only_where_wanted_and_only_stewards_read_it(postgres: Server, tmp_path: Path) -> None:
    store = Store.of(postgres, people_shop(tmp_path), CLIENTELE_PG_PII="true")
    files = {
        "customers": "number,city,first_name,last_name,mail,born\n7,Berlin,Ann,Lee,ann@lee.example,1970-05-17\n",
        "phones": "customer,phone\nC7,+4930123456\n",
        "lines": "id,sold_at,number,net\n1,2017-03-01 10:00:00,7,2.50\n",
    }
    for name, text in files.items():
        (store.home.data / f"{name}.csv").write_text(text)
    store.home.run("serve", "init", check=0)
    store.home.load("2017-03-01")
    people = "select count(*), count(email) from pii.customer"
    assert store.ask_as("steward", people) == [(1, 1)]
    with pytest.raises(adbc_driver_manager.Error, match="permission denied"):
        store.ask_as("analyst", people)
    named = store.ask("select table_name from information_schema.columns where column_name in ('email', 'phone')")
    assert named == [("customer",)] * 2
    without = replace(store, home=replace(store.home, env={**store.home.env, "CLIENTELE_PG_PII": "false"}))
    without.home.run("serve", "sync", check=0)
    assert store.ask("select count(*) from information_schema.tables where table_schema = 'pii'") == [(0,)]


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """An address on loopback, and what was posted to it."""
    heard: list[dict[str, str]] = []

    class Hears(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hears)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/published", heard
    server.shutdown()


def test_a_publish_is_told_once_and_a_deaf_receiver_fails_no_load(
    tmp_path: Path, receiver: tuple[str, list[dict[str, str]]]
) -> None:
    address, heard = receiver
    shop = SmallShop(tmp_path / "home-data")
    home = Installation(tmp_path / "home", shop.folder, {"CLIENTELE_PUBLISHED_WEBHOOK": address})
    shop.line(100, 1, 10, "2017-03-01 15:00:00", 2.00)
    shop.write()
    release = home.load("2017-03-01")["release"]
    home.load("2017-03-01")
    told = [(message["event"], message["release"], message["load_date"]) for message in heard]
    assert told == [("published", release, "2017-03-01")], "an unchanged load publishes nothing"
    home.env["CLIENTELE_PUBLISHED_WEBHOOK"] = "http://127.0.0.1:1/nobody"
    assert "CLIENTELE_PUBLISHED_WEBHOOK was not told" in home.run("load", "--date", "2017-03-02", check=0).err
