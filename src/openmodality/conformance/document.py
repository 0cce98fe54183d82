"""A document as values: sections with paragraphs and tables, which Markdown and HTML are written from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from openmodality.value_class import dataclass

Cell: TypeAlias = str | int | float | bool | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class PrintedTable:
    """A table with a title that is unlike that of every other of the document.

    ``has_anchors``: a link by the text of its first column leads to a row.
    """

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    has_anchors: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A section: its title, what stands in it, and the sections below it. A text is a paragraph.

    ``areas`` are those of the requirements that tell of it.
    """

    title: str
    blocks: tuple[str | PrintedTable, ...] = ()
    sections: tuple[Section, ...] = ()
    areas: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """The whole: a title, the lines of its cover, and sections."""

    title: str
    cover: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]


def tabulate(title: str, heads: str, rows: Sequence[Sequence[Cell]]) -> PrintedTable:
    """A table; ``heads`` are separated by ``|``. Rows with values of any kind, as people read them."""
    return PrintedTable(title, tuple(heads.split("|")), tuple(tuple(map(format_cell, row)) for row in rows))


def format_cell(value: Cell) -> str:
    """A value as a table shows it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case tuple():
            return ", ".join(value)
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def number_sections(sections: Sequence[Section], above: str = "") -> Iterator[tuple[str, int, Section]]:
    """Each section with its number and its level, in the order of the document."""
    for place, section in enumerate(sections, start=1):
        number = f"{above}{place}"
        yield number, number.count(".") + 1, section
        yield from number_sections(section.sections, f"{number}.")


def make_section_id(number: str) -> str:
    """The name by which a link within HTML leads to a section."""
    return f"s{number.replace('.', '-')}"
