"""The printed statements of the devices without a site file."""

from __future__ import annotations

from functools import cache

from openmodality.conformance.model import ConformanceStatement
from openmodality.conformance.statement import make_statement
from openmodality.device.site.site_loader import load_default_site


@cache
def make_profile_statement(profile: str) -> ConformanceStatement:
    return make_statement(load_default_site(profile))
