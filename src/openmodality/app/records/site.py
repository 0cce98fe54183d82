"""The site and the profile of a device as JSON values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openmodality.device.profile.profile import Profile
    from openmodality.device.site.site import Site


def site_as_json(site: Site) -> dict[str, Any]:
    """Where a device is, who it is on the network, and each parameter of its profile with its value in force."""
    equipment = site.equipment
    return {
        "profile": site.profile.name,
        "station_name": equipment.station_name,
        "institution_name": equipment.institution_name,
        "department": equipment.department,
        "manufacturer": equipment.manufacturer,
        "model": equipment.model,
        "serial_number": equipment.serial_number,
        "software_versions": list(equipment.software_versions),
        "application_entities": [
            {"role": each.role, "ae_title": each.ae_title, "port": each.port, "tls": each.tls}
            for each in site.application_entities.values()
        ],
        "peers": list(site.peers),
        "printers": list(site.printers),
        "extensions": list(site.settings.extensions),
        "parameters": [
            {
                "parameter": key,
                "description": each.description,
                "value": _make_plain(site.parameters[key]),
                "default": _make_plain(each.default),
                "allowed": each.allowed,
                "configurable": each.configurable,
            }
            for key, each in site.profile.parameters.items()
        ],
    }


def profile_as_json(profile: Profile) -> dict[str, Any]:
    """Which device this is, and what it makes."""
    return {
        "name": profile.name,
        "title": profile.title,
        "modalities": list(profile.modalities),
        "implementation_class_uid": profile.implementation_class_uid,
        "implementation_version_name": profile.implementation_version_name,
        "objects": [
            {"name": each.name, "sop_class_uid": str(each.sop_class_uid), "modality": each.modality}
            for each in profile.objects
        ],
        "body_parts": [each.term for each in profile.body_parts],
    }


def _make_plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
