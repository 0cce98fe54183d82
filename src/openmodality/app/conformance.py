"""The conformance statement of a device: as values for JSON, as a document, and as the text of a file."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, Final

from openmodality.conformance.as_json import statement_as_json, write_json
from openmodality.conformance.document import Document
from openmodality.conformance.evidence import Evidence, find_evidence_file, read_evidence
from openmodality.conformance.html import write_html
from openmodality.conformance.layouts import arrange_document
from openmodality.conformance.markdown import write_markdown
from openmodality.conformance.model import ConformanceStatement
from openmodality.conformance.statement import make_statement
from openmodality.device.site.site import Site
from openmodality.errors import UsageError

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

    def read_evidence(self, file: Path | None = None) -> Evidence:
        """What the tests of the profile showed: the evidence of a file, by default that which comes with the profile.

        Raises :class:`UsageError` where there is none, or it is that of another profile.
        """
        site = self._site
        source = file or find_evidence_file(site.settings.profile, site.path.parent)
        found = read_evidence(source)
        if found.profile != site.profile.name:
            raise UsageError(
                f"{source}: is the evidence of profile {found.profile}; this device is {site.profile.name}"
            )
        return found

    @cached_property
    def has_evidence(self) -> bool:
        """Whether evidence comes with the profile; with one of somebody's own there may be none."""
        try:
            self.read_evidence()
        except UsageError:
            return False
        return True

    def describe(self, evidence: Evidence | None = None) -> dict[str, Any]:
        """The statement ready for JSON (``docs/conformance.schema.json``), with the evidence if given."""
        return statement_as_json(self.stated, evidence)

    def arrange(self, layout: str = USUAL_LAYOUT, evidence: Evidence | None = None) -> Document:
        """The statement as a document in a layout, one of ``LAYOUTS``, with the evidence if given."""
        if evidence is not None:
            return arrange_document(self.stated, layout, evidence)
        if layout not in self._documents:
            self._documents[layout] = arrange_document(self.stated, layout)
        return self._documents[layout]

    def write(self, format: str, layout: str = USUAL_LAYOUT, evidence: Evidence | None = None) -> str:
        """The text of a file in one of :data:`FORMATS`, with the evidence if given; JSON has no layout."""
        if format == "json":
            return write_json(self.describe(evidence))
        return {"html": write_html, "markdown": write_markdown}[format](self.arrange(layout, evidence))
