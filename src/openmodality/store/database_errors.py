"""Errors of the database library as ours: a row's fault or the database's, without any value of a row."""

from __future__ import annotations

import sqlite3
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
    except DBAPIError as error:
        raise _translate(error.orig, isinstance(error, IntegrityError), isinstance(error, DataError)) from None
    except sqlite3.Error as error:  # of a statement that went to the driver alone
        is_constraint = isinstance(error, sqlite3.IntegrityError)
        raise _translate(error, is_constraint, isinstance(error, sqlite3.DataError)) from None
    except PoolTimeout:
        raise DatabaseFailed(Trouble.OTHER, "all connections are in use") from None


def _translate(error: BaseException | None, is_constraint: bool, is_data: bool) -> StoreError:
    """An error of the driver as ours."""
    said = _describe_without_values(error)
    if is_constraint:
        return ConstraintViolated(f"the database refused a row: {said}")
    if is_data or (getattr(error, "sqlstate", None) or "")[:2] in _CLASSES_OF_ROWS:
        return RowRefused(f"the database refused a row: {said}")
    trouble = find_trouble(error)
    kind = DatabaseAway if trouble in (Trouble.AWAY, Trouble.LOCKED) else DatabaseFailed
    return kind(trouble, said)


def _describe_without_values(error: BaseException | None) -> str:
    """What went wrong without any value: SQLite names tables and columns only, PostgreSQL's primary message too."""
    diagnostics = getattr(error, "diag", None)
    said = getattr(diagnostics, "message_primary", None) if diagnostics is not None else error
    return str(said or type(error).__name__)
