"""Media storage application profiles as values: what may be on which medium (PS3.11), made from a device's tables."""

from __future__ import annotations

from typing import Final

from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from openmodality.value_class import dataclass

SECTOR_BYTES: Final = 2048


@dataclass(frozen=True, slots=True)
class ApplicationProfile:
    """A profile of a device. ``sop_classes`` empty: all. ``capacity_bytes`` 0: no limit.

    ``activities`` are the acts that the device does under it: ``create``, ``update``, ``query``, ``retrieve``.
    """

    name: str
    capacity_bytes: int
    sop_classes: frozenset[str] = frozenset()
    transfer_syntax: str = EXPLICIT_VR_LITTLE_ENDIAN
    activities: frozenset[str] = frozenset({"create", "update", "query", "retrieve"})

    def takes(self, sop_class_uid: str) -> bool:
        """Whether instances of a SOP class may be on the medium."""
        return not self.sop_classes or sop_class_uid in self.sop_classes


def describe_refusal(profile: ApplicationProfile, sop_class_uid: str) -> str:
    """Why an instance of a SOP class may not be on a medium of a profile; empty where it may."""
    return "" if profile.takes(sop_class_uid) else f"profile {profile.name} does not take SOP class {sop_class_uid}"


USB: Final = ApplicationProfile("usb", 0)
"""A folder or stick, beyond both statements: any instance, no limit but the stick's own."""


def count_medium_bytes(length_bytes: int) -> int:
    """What a file takes of a medium: whole sectors."""
    return -(-length_bytes // SECTOR_BYTES) * SECTOR_BYTES
