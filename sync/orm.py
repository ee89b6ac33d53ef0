"""peewee, without the database servers that it would look for.

It imports each driver that is installed when it is imported itself: psycopg takes longer than all
the rest of a kiosk's database code, and only a city on PostgreSQL needs it. `sync.city.postgres`
imports it there.
"""

import sys

_DRIVER = "psycopg"
_is_free = _DRIVER not in sys.modules
if _is_free:
    sys.modules[_DRIVER] = None  # type: ignore[assignment]  # Python's own way to say "not here".
try:
    from peewee import (
        AutoField,
        BigAutoField,
        BigIntegerField,
        BlobField,
        BooleanField,
        CompositeKey,
        Database,
        DatabaseError,
        DoesNotExist,
        ForeignKeyField,
        IntegerField,
        InterfaceError,
        InternalError,
        Model,
        OperationalError,
        PostgresqlDatabase,
        Psycopg3Adapter,
        SqliteDatabase,
        TextField,
        fn,
    )
finally:
    if _is_free:
        del sys.modules[_DRIVER]

__all__ = [
    "AutoField",
    "BigAutoField",
    "BigIntegerField",
    "BlobField",
    "BooleanField",
    "CompositeKey",
    "Database",
    "DatabaseError",
    "DoesNotExist",
    "ForeignKeyField",
    "IntegerField",
    "InterfaceError",
    "InternalError",
    "Model",
    "OperationalError",
    "PostgresqlDatabase",
    "Psycopg3Adapter",
    "SqliteDatabase",
    "TextField",
    "fn",
]
