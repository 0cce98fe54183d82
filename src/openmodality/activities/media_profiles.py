"""Lists the media storage application profiles of a device, from its profile's table and the switches of its site."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from openmodality.device.site.association_limits import find_identity
from openmodality.device.site.site import Site
from openmodality.errors import ConfigurationError
from openmodality.media.application_profile import USB, ApplicationProfile
from openmodality.objects.private_names import index_vrs

if TYPE_CHECKING:
    from openmodality.media.file_set import Decompressor, FileSetOptions

_MEGABYTE: Final = 1_000_000


def list_media_profiles(site: Site) -> Mapping[str, ApplicationProfile]:
    """List the profiles by name, those of the statement first, then ``usb``; none without a media kit (RF-1-09)."""
    found: dict[str, ApplicationProfile] = {}
    missing: set[str] = set()
    for use in site.profile.media:
        if use.profile in missing or (use.enabled_by and not site.parameters.boolean(use.enabled_by)):
            missing.update({use.profile} - set(found))  # without its first line a profile is not there
            continue
        known = found.get(use.profile)
        found[use.profile] = ApplicationProfile(
            use.profile,
            use.capacity_mb * _MEGABYTE,
            frozenset(map(str, use.sop_classes)) | (known.sop_classes if known else frozenset()),
            activities=frozenset(use.activities),
        )
    if found:
        reads = frozenset[str]().union(*(profile.activities for profile in found.values()))
        found["usb"] = ApplicationProfile(USB.name, USB.capacity_bytes, activities=reads)
    return found


def choose_media_profile(site: Site, name: str = "") -> ApplicationProfile:
    """The profile of this name; without one, the first that the device has.

    Raises :class:`ConfigurationError` where the device writes no media, or has no profile of this name.
    """
    profiles = list_media_profiles(site)
    if not profiles:
        raise ConfigurationError(
            f"profile {site.profile.name} writes no media here", advice="the switch kits.media in the site file says so"
        )
    if name and name not in profiles:
        raise ConfigurationError(f"there is no media profile {name}", advice=f"this device has {', '.join(profiles)}")
    return profiles[name] if name else next(iter(profiles.values()))


def make_file_set_options(
    site: Site, profile: ApplicationProfile, label: str, decompress: Decompressor | None = None
) -> FileSetOptions:
    """How this device writes a file-set: its identity, and its AE title where the statement has one (MR-7.1-01)."""
    from openmodality.media.file_set import FileSetOptions  # noqa: PLC0415 - start-up time: to list profiles needs none

    has_title = site.parameters.boolean("behaviour.media_source_ae_title")
    return FileSetOptions(
        profile,
        find_identity(site),
        file_set_id=label,
        source_ae_title=site.calling_ae("storage").ae_title if has_title else "",
        decompress=decompress,
        private_vrs=index_vrs(site.profile.private_attributes),
        durable=site.settings.data.durability == "fsync",
    )
