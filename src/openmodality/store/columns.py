"""Helps to declare the tables of ``store.schema``: names of constraints, and columns of one kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, MetaData, String, Table, Text
from sqlalchemy.types import BigInteger

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


LONG = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only in a column of type INTEGER


def list_values(values: Iterable[str]) -> str:
    """Values as SQL has them in a list."""
    return "(" + ", ".join(f"'{value}'" for value in values) + ")"


def make_choice(column: str, values: Iterable[str]) -> CheckConstraint:
    """One of some values, which are words of ours."""
    return CheckConstraint(f"{column} IN {list_values(values)}", name=column)


def make_text_column(name: str) -> Column[str]:
    """A text, which is empty where there is none."""
    return Column(name, Text, nullable=False, server_default="")


def make_uid(name: str, *, unique: bool = False) -> Column[str]:
    """A UID (PS3.5 9.1), which is always there."""
    return Column(name, String(64), nullable=False, unique=unique)


def make_attributes(vrs: Mapping[str, str], *, unique: str = "") -> list[Column[str]]:
    """A column for each attribute; a UID has the length of its VR (PS3.5 6.2), all else may be longer than allowed."""
    return [make_uid(name, unique=name == unique) if vr == "UI" else make_text_column(name) for name, vr in vrs.items()]


def make_searched_column(name: str) -> Column[str]:
    """A text that is searched by its beginning: compared by its code points on PostgreSQL too, as its index is."""
    kind = Text().with_variant(Text(collation="C"), "postgresql")
    return Column(name, kind, nullable=False, server_default="")


def make_device(*, primary_key: bool = False) -> Column[int]:
    """The device that a row belongs to. Rows of ``devices`` are never deleted; a reference would cost each insert."""
    return Column("device_id", LONG, nullable=False, primary_key=primary_key, autoincrement=False, server_default="1")


def make_parent(name: str, target: str, *, ondelete: str, nullable: bool = False, index: bool = True) -> Column[int]:
    """The row of another table that a row belongs to."""
    return Column(name, LONG, ForeignKey(target, ondelete=ondelete), nullable=nullable, index=index)


def list_keywords(table: Table) -> tuple[str, ...]:
    """The columns of a table that hold attributes: those named by a keyword."""
    return tuple(column.name for column in table.columns if column.name[0].isupper())
