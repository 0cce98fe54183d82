"""Errors of the database library as ours: a row's fault or the database's, without any value of a row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from openmodality.errors import StoreAway, StoreError
from openmodality.store.database_words import Trouble, advise, find_trouble

_CLASSES_OF_ROWS: Final = ("22", "54")
"""Of PostgreSQL's SQLSTATE: data exceptions, and program limits such as the length of what an index may hold."""


class DatabaseFailed(StoreError):
    """The database as a whole does not work, whatever is asked of it."""

    def __init__(self, trouble: Trouble, detail: str) -> None:
        super().__init__(f"{trouble}: {detail}", advice=advise(trouble))
        self.trouble = trouble


class DatabaseAway(DatabaseFailed, StoreAway):
    """The database as a whole does not work for the moment."""


class RowRefused(StoreError):
    """The database works, and does not take a row as it is."""


class ConstraintViolated(RowRefused):
    """A row would break an invariant of the schema, such as a second one with the same UID."""


@contextmanager
def map_errors() -> Iterator[None]:
    """Turn the database library's errors into ours; their texts may hold values of rows, so they are not passed on."""
    try:
        yield
    except IntegrityError as error:
        raise ConstraintViolated(f"the database refused a row: {_describe_without_values(error)}") from None
    except DBAPIError as error:
        if _is_fault_of_row(error):
            raise RowRefused(f"the database refused a row: {_describe_without_values(error)}") from None
        trouble = find_trouble(error.orig)
        kind = DatabaseAway if trouble in (Trouble.AWAY, Trouble.LOCKED) else DatabaseFailed
        raise kind(trouble, _describe_without_values(error)) from None
    except PoolTimeout:
        raise DatabaseFailed(Trouble.OTHER, "all connections are in use") from None


def _is_fault_of_row(error: DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None) or ""
    return isinstance(error, DataError) or state[:2] in _CLASSES_OF_ROWS


def _describe_without_values(error: DBAPIError) -> str:
    """What went wrong without any value: SQLite names tables and columns only, PostgreSQL's primary message too."""
    diagnostics = getattr(error.orig, "diag", None)
    said = getattr(diagnostics, "message_primary", None) if diagnostics is not None else error.orig
    return str(said or type(error.orig).__name__)
