"""Writes a document as one HTML file that needs nothing else: no script, no picture, no font from elsewhere.

It prints with a page for each part and heads on every page of a table, and follows the light or dark of the reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from typing import Final

from openmodality.conformance.document import Document, PrintedTable, make_section_id, number_sections

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --line: #c9d1d9; --soft: #f3f5f7; --link: #0b57a4; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e3e7eb; --paper: #14181c; --line: #3a424b; --soft: #1d2329; --link: #7fb6f0; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 75rem; padding: 1.5rem; color: var(--ink); background: var(--paper);
  font: 16px/1.5 system-ui, sans-serif; }
h1, h2, h3, h4 { line-height: 1.25; margin: 2rem 0 .75rem; }
h2 { border-bottom: 2px solid var(--line); padding-bottom: .25rem; }
a { color: var(--link); }
a:focus-visible, .wide:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
nav ul { list-style: none; padding-left: 1.25rem; margin: 0; }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
caption { text-align: left; font-weight: 600; padding: .35rem 0; }
th, td { border: 1px solid var(--line); padding: .3rem .5rem; text-align: left; vertical-align: top;
  overflow-wrap: anywhere; }
thead th { background: var(--soft); }
tbody tr:nth-child(even) { background: var(--soft); }
@media print {
  :root { --ink: #000; --paper: #fff; --line: #888; --soft: #f3f3f3; --link: #000; }
  @page { margin: 15mm; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  table { font-size: 8pt; }
  .wide { overflow: visible; }
  h2 { break-before: page; }
  h1, h2, h3, h4, caption { break-after: avoid; }
  tr { break-inside: avoid; }
  thead { display: table-header-group; }
  a { text-decoration: none; } }
"""

_ID: Final = re.compile(r"\b(?:MR|RF)-\d[\d.]*-\d+\b")
"""An id of a sentence."""


def write_html(document: Document) -> str:
    """The text of the file."""
    return "\n".join(_list_lines(document)) + "\n"


def _list_lines(document: Document) -> Iterator[str]:
    title = escape(document.title)
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>"
    yield from _list_cover(document)
    yield '</header>\n<nav aria-label="Contents">\n<h2>Contents</h2>'
    yield from _list_contents(document)
    yield "</nav>\n<main>"
    count = 0
    for number, level, section in number_sections(document.sections):
        head = f"h{min(level + 1, 6)}"
        yield f'<{head} id="{make_section_id(number)}">{number} {escape(section.title)}</{head}>'
        for block in section.blocks:
            if isinstance(block, PrintedTable):
                count += 1
                yield from _list_table(block, count)
            else:
                yield f"<p>{_link_ids(escape(block))}</p>"
    yield "</main>\n</body>\n</html>"


def _list_cover(document: Document) -> Iterator[str]:
    yield '<table class="cover"><tbody>'
    for name, value in document.cover:
        yield f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>'
    yield "</tbody></table>"


def _list_contents(document: Document) -> Iterator[str]:
    depth = 0
    for number, level, section in number_sections(document.sections):
        if level > depth:
            yield "<ul>" * (level - depth)
        else:
            yield "</li>" + "</ul></li>" * (depth - level)
        depth = level
        yield f'<li><a href="#{make_section_id(number)}">{number} {escape(section.title)}</a>'
    yield "</li></ul>" * depth


def _list_table(table: PrintedTable, count: int) -> Iterator[str]:
    name = f"Table {count}: {escape(table.title)}"
    yield f'<div class="wide" id="t{count}" tabindex="0" role="region" aria-label="{name}"><table>'
    yield f"<caption>{name}</caption>"
    heads = "".join(f'<th scope="col">{escape(each)}</th>' for each in table.heads)
    yield f"<thead><tr>{heads}</tr></thead>"
    yield "<tbody>"
    for row in table.rows:
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in row)
        yield f'<tr id="{escape(row[0])}">{cells}</tr>' if table.has_anchors else f"<tr>{cells}</tr>"
    yield "</tbody></table></div>"


def _link_ids(text: str) -> str:
    """A paragraph whose ids lead to their evidence; only a document with evidence has any."""
    return _ID.sub(r'<a href="#\g<0>">\g<0></a>', text)
