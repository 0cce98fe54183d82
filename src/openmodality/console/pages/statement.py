"""Statement: shows the conformance statement, made from the tables and settings that the device runs by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from openmodality.app.conformance import FORMATS, USUAL_LAYOUT
from openmodality.conformance.document import Document, PrintedTable, make_section_id, number_sections
from openmodality.conformance.evidence import Evidence
from openmodality.conformance.layouts import LAYOUTS
from openmodality.console.context import ConsoleContext
from openmodality.console.pages.shell import Page, render_page
from openmodality.console.security.access import At, Viewer
from openmodality.device.site.site_loader import read_site_text
from openmodality.errors import ConfigurationError, NotFound
from openmodality.value_class import dataclass

FILE_TYPES: Final[Mapping[str, str]] = {
    "json": "application/json",
    "html": "text/html; charset=utf-8",
    "markdown": "text/markdown; charset=utf-8",
}
"""What the statement is sent as, by its format."""
_ENDINGS: Final[Mapping[str, str]] = {"json": "json", "html": "html", "markdown": "md"}
_ORDERS: Final[Mapping[str, str]] = {
    "annex-n": "PS3.2 Annex N",
    "mr": "Order of the MR statement",
    "rf": "Order of the R/F statement",
}


@dataclass(frozen=True, slots=True)
class NumberedTable:
    """A table with its number in the document."""

    number: int
    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class StatedSection:
    """A section with its number, the anchor that leads to it, and how deep it is."""

    number: str
    anchor: str
    level: int
    title: str
    blocks: Sequence[str | NumberedTable]


@dataclass(frozen=True, slots=True)
class StatementView:
    """The document of the page, and the settings that are in force after a restart only.

    ``shows_evidence``: the document says which tests show each sentence, which can be asked for where ``has_evidence``.
    """

    title: str
    cover: Sequence[tuple[str, str]]
    sections: Sequence[StatedSection]
    layout: str
    waiting: Sequence[str]
    shows_evidence: bool
    has_evidence: bool


router = APIRouter()


@router.get("/statement")
def _show_statement(
    request: Request, viewer: Viewer, context: At, layout: str = USUAL_LAYOUT, evidence: bool = False
) -> Response:
    document = context.statement.arrange(_check_layout(layout), read_evidence_if(context, evidence))
    view = StatementView(
        title=document.title,
        cover=document.cover,
        sections=list(list_stated_sections(document)),
        layout=layout,
        waiting=_list_waiting(context),
        shows_evidence=evidence,
        has_evidence=context.statement.has_evidence,
    )
    page = Page("statement.html", "Statement", "statement")
    return render_page(request, context, viewer, page, statement=view, orders=_ORDERS, formats=FORMATS)


@router.get("/statement/{format}")
def _send_statement(
    _: Viewer, context: At, format: str, layout: str = USUAL_LAYOUT, evidence: bool = False
) -> Response:
    if format not in FORMATS:
        raise NotFound(f"the statement cannot be had as {format[:40]!r}", advice=f"choose of {', '.join(FORMATS)}")
    text = context.statement.write(format, _check_layout(layout), read_evidence_if(context, evidence))
    name = f"conformance-{context.modality.site.profile.name}.{_ENDINGS[format]}"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type=FILE_TYPES[format], headers=headers)


def read_evidence_if(context: ConsoleContext, is_asked_for: bool) -> Evidence | None:
    """The evidence of the profile where somebody asks for it. Raises :class:`UsageError` where there is none."""
    return context.statement.read_evidence() if is_asked_for else None


def list_stated_sections(document: Document) -> Iterator[StatedSection]:
    """The sections of a document, those below others after them; tables are numbered from 1."""
    numbers = count(1)
    for number, level, section in number_sections(document.sections):
        blocks = [
            NumberedTable(next(numbers), block.title, block.heads, block.rows)
            if isinstance(block, PrintedTable)
            else block
            for block in section.blocks
        ]
        yield StatedSection(number, make_section_id(number), level, section.title, blocks)


def _check_layout(layout: str) -> str:
    if layout not in LAYOUTS:
        raise NotFound(f"the statement has no order {layout[:40]!r}", advice=f"choose of {', '.join(LAYOUTS)}")
    return layout


def _list_waiting(context: ConsoleContext) -> list[str]:
    try:
        return context.live.list_waiting(read_site_text(context.modality.site.path))
    except ConfigurationError:  # the file is away or cannot be read; Service says so
        return []
