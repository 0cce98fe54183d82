"""The conformance statement of a device: as values for JSON, as a document, and as the text of a file."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

from openmodality.conformance.as_json import statement_as_json, write_json
from openmodality.conformance.document import Document
from openmodality.conformance.html import write_html
from openmodality.conformance.layouts import arrange_document
from openmodality.conformance.markdown import write_markdown
from openmodality.conformance.model import ConformanceStatement
from openmodality.conformance.statement import make_statement
from openmodality.device.site.site import Site

FORMATS: Final = ("html", "markdown", "json")
"""What the statement can be written as."""
USUAL_LAYOUT: Final = "annex-n"


class DeviceStatement:
    """The statement of the device of a site, which is made when it is asked for first."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._documents: dict[str, Document] = {}

    @cached_property
    def stated(self) -> ConformanceStatement:
        """The statement as a tree of values."""
        return make_statement(self._site)

    def describe(self) -> dict[str, Any]:
        """The statement ready for JSON (``docs/conformance.schema.json``)."""
        return statement_as_json(self.stated)

    def arrange(self, layout: str = USUAL_LAYOUT) -> Document:
        """The statement as a document in a layout, one of ``LAYOUTS``."""
        if layout not in self._documents:
            self._documents[layout] = arrange_document(self.stated, layout)
        return self._documents[layout]

    def write(self, format: str, layout: str = USUAL_LAYOUT) -> str:
        """The text of a file in one of :data:`FORMATS`; JSON has no layout."""
        if format == "json":
            return write_json(self.describe())
        return {"html": write_html, "markdown": write_markdown}[format](self.arrange(layout))
