"""The device as observer (TID 1002, 1004)."""

from __future__ import annotations

from openmodality.objects.report.content_items import dcm
from openmodality.objects.report.tid_1002 import make_device_observer
from tests.rule_tables import data


def test_only_what_is_known_of_the_device_is_told() -> None:
    observer = make_device_observer(
        "1.2.3", data(Manufacturer="Maker", DeviceSerialNumber=""), dcm("113859", "Irradiating Device")
    )
    items = [item.to_data_set() for item in observer]
    concepts = [item.ConceptNameCodeSequence[0].CodeMeaning for item in items]
    assert concepts == [
        "Observer Type", "Device Observer UID", "Device Observer Manufacturer", "Device Role in Procedure",
    ]  # fmt: skip
    assert (items[1].UID, items[2].TextValue) == ("1.2.3", "Maker")
