import pytest

from sync.city.address import is_postgres, without_password


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://town@db/city", "postgresql://town@db/city"),
        ("postgresql://town:p@ss:w/rd@db:5432/city", "postgresql://town:…@db:5432/city"),
        ("postgresql://db/city?password=pass&user=x", "postgresql://db/city?password=…&user=x"),
        ("'postgresql://db/city?password=a slip'", "'postgresql://db/city?password=…'"),
        ("'mysql://town:pass@db'", "'mysql://town:…@db'"),
        ("town:pass@db/city", "town:…@db/city"),
        ("http://127.0.0.1:8090/", "http://127.0.0.1:8090/"),
    ],
)
def test_an_address_is_shown_without_its_password(text: str, shown: str) -> None:
    """Wherever in it the password stands, and whatever is in the password."""
    assert without_password(text) == shown


def test_a_file_and_a_website_are_no_database() -> None:
    """What verify is given can be any of the three."""
    addresses = ("postgresql://db/city", "state/city", "http://127.0.0.1:8090/")
    assert [is_postgres(address) for address in addresses] == [True, False, False]
