"""What a site decides about its objects: equipment attributes, character sets, installed kits."""

from __future__ import annotations

from dataclasses import replace

from pydicom.dataset import Dataset

from openmodality.device.site.site import Equipment, Site
from openmodality.errors import ConfigurationError
from openmodality.objects.rules.definition import ObjectDefinition
from openmodality.objects.rules.elements import data_set_of


def definition_at(site: Site, object_name: str) -> ObjectDefinition:
    """How an object is made at this site. Raises ConfigurationError for an object that the device does not make."""
    known = [item.name for item in site.profile.objects]
    if object_name not in known:
        raise ConfigurationError(f"profile {site.profile.name} makes no {object_name!r}; it makes: {', '.join(known)}")
    off = (key for key, value in site.parameters.items() if value is False)
    return replace(ObjectDefinition.of(site.profile, object_name, switches_off=off), character_sets=site.character_sets)


def definition_for_sop_class(site: Site, sop_class_uid: str) -> ObjectDefinition:
    """How instances of a SOP class are made at this site.

    Raises ConfigurationError for a SOP class that the device does not make.
    """
    for item in site.profile.objects:
        if item.sop_class_uid == sop_class_uid:
            return definition_at(site, item.name)
    raise ConfigurationError(f"profile {site.profile.name} makes no objects of SOP class {sop_class_uid}")


def equipment_attributes(equipment: Equipment) -> Dataset:
    """General Equipment Module (PS3.3 C.7.5.1), without what is not configured."""
    values = {
        "Manufacturer": equipment.manufacturer,
        "ManufacturerModelName": equipment.model,
        "DeviceSerialNumber": equipment.serial_number,
        "SoftwareVersions": list(equipment.software_versions),
        "StationName": equipment.station_name,
        "InstitutionName": equipment.institution_name,
        "InstitutionAddress": equipment.institution_address,
        "InstitutionalDepartmentName": equipment.department,
    }
    return data_set_of(**{keyword: value for keyword, value in values.items() if value})
