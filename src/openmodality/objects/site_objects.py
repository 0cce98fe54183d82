"""Applies the settings of a site to its objects: equipment attributes, character sets, installed kits."""

from __future__ import annotations

from functools import lru_cache

from pydicom.dataset import Dataset

from openmodality.device.profile.profile import Profile
from openmodality.device.site.site import Equipment, Site
from openmodality.errors import ConfigurationError
from openmodality.objects.identity import Uids
from openmodality.objects.rules.definition import ObjectDefinition
from openmodality.objects.rules.elements import data_set_of
from openmodality.value_class import dataclass


def make_definition(site: Site, object_name: str) -> ObjectDefinition:
    """How an object is made at this site.

    Raises :class:`ConfigurationError` where the device does not make the object.
    """
    known = [item.name for item in site.profile.objects]
    if object_name not in known:
        raise ConfigurationError(f"profile {site.profile.name} makes no {object_name!r}; it makes: {', '.join(known)}")
    return _make(SameProfile(site.profile), object_name, find_switches_off(site), site.character_sets)


@dataclass(frozen=True, slots=True, eq=False)
class SameProfile:
    """A profile, which equals itself alone: to compare two takes longer than to make an object.

    What is worked out from a profile is remembered by it.
    """

    profile: Profile

    def __hash__(self) -> int:
        return id(self.profile)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SameProfile) and self.profile is other.profile


@lru_cache(maxsize=32)  # each series of each exam asks
def _make(
    same: SameProfile, object_name: str, switches_off: frozenset[str], character_sets: tuple[tuple[str, ...], ...]
) -> ObjectDefinition:
    return ObjectDefinition.of(same.profile, object_name, switches_off=switches_off, character_sets=character_sets)


def find_switches_off(site: Site) -> frozenset[str]:
    """The parameters of kind boolean that are off at this site, such as ``kits.dap``."""
    return frozenset(key for key, value in site.parameters.items() if value is False)


def make_equipment_attributes(equipment: Equipment) -> Dataset:
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
        "PhysiciansOfRecord": equipment.physicians_of_record,
        "DateOfLastCalibration": equipment.date_of_last_calibration,
        "TimeOfLastCalibration": equipment.time_of_last_calibration,
        "SpatialResolution": equipment.spatial_resolution,
    }
    return data_set_of(**{keyword: value for keyword, value in values.items() if value})


def find_uid_maker(site: Site) -> Uids:
    """How this device makes UIDs."""
    return Uids(site.settings.device.uid_root) if site.settings.device.uid_root else Uids()
