"""Writes a document as Markdown, as GitHub and others show it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from openmodality.conformance.document import Document, PrintedTable, number_sections

_MARKS: Final = str.maketrans({mark: f"\\{mark}" for mark in r"\`*_[]<>|#"})


def write_markdown(document: Document) -> str:
    """The text of the document."""
    return "\n".join(_list_lines(document)) + "\n"


def _list_lines(document: Document) -> Iterator[str]:
    yield f"# {escape(document.title)}\n"
    yield from _list_table_lines(("", ""), document.cover)
    yield "\n## Contents\n"
    numbered = list(number_sections(document.sections))
    for number, level, section in numbered:
        yield f"{'  ' * (level - 1)}- [{number} {escape(section.title)}](#{make_anchor(number, section.title)})"
    count = 0
    for number, level, section in numbered:
        yield f"\n{'#' * min(level + 1, 6)} {number} {escape(section.title)}\n"
        for block in section.blocks:
            if isinstance(block, PrintedTable):
                count += 1
                yield f"**Table {count}: {escape(block.title)}**\n"
                yield from _list_table_lines(block.heads, block.rows)
                yield ""
            else:
                yield f"{escape(block)}\n"


def _list_table_lines(heads: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> Iterator[str]:
    yield f"| {' | '.join(map(escape, heads))} |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield f"| {' | '.join(map(escape, row))} |"


@cache
def escape(text: str) -> str:
    """The text without what Markdown would take for a mark; a line stays one."""
    return " ".join(text.split()).translate(_MARKS)


def make_anchor(number: str, title: str) -> str:
    """The anchor that a heading gets: small letters, blanks as dashes, no other marks."""
    return re.sub(r"[^\w\- ]", "", f"{number} {title}").strip().lower().replace(" ", "-")
