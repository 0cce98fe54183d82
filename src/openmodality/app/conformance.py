"""The conformance statement of a device as values for JSON: what the command line prints and a program gets."""

from __future__ import annotations

from typing import Any

from openmodality.conformance.as_json import statement_as_json
from openmodality.conformance.statement import make_statement
from openmodality.device.site.site import Site


def describe_conformance(site: Site) -> dict[str, Any]:
    """The statement of the device of a site (``docs/conformance.schema.json``)."""
    return statement_as_json(make_statement(site))
