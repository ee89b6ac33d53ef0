"""The address of a PostgreSQL database, as people write it and as it may be shown."""

import re


def is_postgres(address: str) -> bool:
    """Whether this is the address of a PostgreSQL database, and no file's and no website's."""
    return address.startswith("postgresql://")


def without_password(text: str) -> str:
    """Any text, with … where an address in it has a password."""
    text = re.sub(r"(//|^(?!.*//))([^/@:]*):.*@", r"\1\2:…@", text)
    return re.sub(r"(password=)[^&]*?(?=&|['\"]?$)", r"\1…", text)
