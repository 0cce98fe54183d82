"""Observer context: the person or the device that says what a report says (PS3.16 TID 1002, 1003, 1004)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pydicom.dataset import Dataset

from openmodality.objects.report import content_items as sr
from openmodality.objects.report.content_items import dcm
from openmodality.objects.rules.sequence_items import Code, SequenceItem

_NAMES: Final = (
    (dcm("121013", "Device Observer Name"), "StationName"),
    (dcm("121014", "Device Observer Manufacturer"), "Manufacturer"),
    (dcm("121015", "Device Observer Model Name"), "ManufacturerModelName"),
    (dcm("121016", "Device Observer Serial Number"), "DeviceSerialNumber"),
    (dcm("121017", "Device Observer Physical Location During Observation"), "PerformedLocation"),
)


def make_device_observer(uid: str, equipment: Dataset, role: Code | None = None) -> Iterator[SequenceItem]:
    """The content items that name a device as observer, in the words of its equipment attributes.

    ``role`` is a code of CID 7445.
    """
    yield sr.make_code(dcm("121005", "Observer Type"), dcm("121007", "Device"))
    yield sr.make_uidref(dcm("121012", "Device Observer UID"), uid)
    for concept, keyword in _NAMES:
        if name := equipment.get(keyword):
            yield sr.make_text(concept, str(name))
    if role is not None:
        yield sr.make_code(dcm("113876", "Device Role in Procedure"), role)


def make_person_observer(name: str) -> Iterator[SequenceItem]:
    """The content items that name a person as observer; ``name`` is a Person Name (PN)."""
    yield sr.make_code(dcm("121005", "Observer Type"), dcm("121006", "Person"))
    yield sr.make_pname(dcm("121008", "Person Observer Name"), name)
