"""The limits of an AE's associations at its site: how many at once, and under which implementation identity."""

from __future__ import annotations

from typing import Final

from openmodality.device.site.site import Site
from openmodality.standard.implementation import OWN_CLASS_UID, OWN_VERSION_NAME

_ACCEPTED_LIMITS: Final = {"storage_commitment": "storage_commitment.max_accepted_associations"}
"""Local AEs that have a limit of their own for what they accept."""


def count_turns(site: Site, role: str) -> int:
    """How many associations a local AE may open at once: the least that a parameter of its services allows, else one.

    A service without a parameter of its own has that of the device, as its PDU length (RF-4.4.2-11).
    """
    contexts = site.profile.presentation_contexts
    services = {entry.service for entry in contexts if entry.ae == role and not entry.accepted}
    keys = (f"{group}.max_initiated_associations" for group in sorted(services | {"general"}))
    return min((site.parameters.integer(key) for key in keys if key in site.parameters), default=1)


def count_accepted(site: Site, role: str) -> int:
    """How many associations a local AE may have accepted at once: the device's limit, or the lower one of its own."""
    general = site.parameters.integer("general.max_accepted_associations")
    own = _ACCEPTED_LIMITS.get(role)
    return min(general, site.parameters.integer(own)) if own else general


def find_identity(site: Site) -> tuple[str, str]:
    """Implementation Class UID and Version Name (PS3.7 D.3.3.2): the site's, else our own."""
    device = site.settings.device
    return (
        device.implementation_class_uid or OWN_CLASS_UID,
        device.implementation_version_name or OWN_VERSION_NAME,
    )
