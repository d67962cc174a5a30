"""A connection string is told without its password and gets what ends endless waits."""

import pytest

from dagster_project.errors import ConfigurationError
from dagster_project.landing.postgres.dsn import Dsn


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("postgresql://ana:s3cret@db.example:6432/shop", "db.example:6432/shop"),
        ("postgres://ana:s3cret@db.example/shop?sslmode=require", "db.example:5432/shop"),
        ("postgresql:///shop?host=db.example&password=s3cret", "db.example:5432/shop"),
        ("postgresql://ana:s3cret@one:1,two:2/shop", "one:1,two:2/shop"),
        ("host=db.example port=6432 dbname=shop user=ana password=s3cret", "db.example:6432/shop"),
        ("host = db.example password = 's3cret' dbname=shop", "db.example:5432/shop"),
    ],
)
def test_the_place_is_told_and_the_password_is_not(text: str, place: str) -> None:
    dsn = Dsn.parse(text, "shop")

    assert dsn.place == place
    assert dsn.without_secrets("FATAL: s3cret is wrong") == "FATAL: *** is wrong"


def test_a_password_is_hidden_as_it_is_written_and_as_it_is_meant() -> None:
    dsn = Dsn.parse("postgresql://ana:p%40ss@db/shop", "shop")

    assert dsn.without_secrets("p%40ss p@ss") == "*** ***"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://db/shop", "postgresql://db/shop?application_name="),
        ("postgresql://db/shop?sslmode=require", "postgresql://db/shop?sslmode=require&application_name="),
        ("host=db dbname=shop", "host=db dbname=shop application_name="),
    ],
)
def test_waits_are_bounded_unless_the_string_says_otherwise(text: str, expected: str) -> None:
    assert Dsn.parse(text, "shop").text.startswith(expected)
    assert "connect_timeout=10" in Dsn.parse(text, "shop").text
    said = (
        f"{text} connect_timeout=3"
        if text.startswith("host")
        else f"{text}{'&' if '?' in text else '?'}connect_timeout=3"
    )
    assert "connect_timeout=10" not in Dsn.parse(said, "shop").text


def test_what_is_no_connection_string_is_not_repeated() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Dsn.parse("s3cret", "shop")

    assert "s3cret" not in str(caught.value)
