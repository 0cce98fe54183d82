"""Irradiation events (TID 10003, with 10003B and 10003C)."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from openmodality.objects.irradiation.event import IrradiationEvent
from openmodality.objects.report.dose_content import DoseContent, ImageReference
from openmodality.objects.report.tid_10003 import make_irradiation_event
from tests.content_tree import find_items, read_number
from tests.made_objects import NOW, irradiation_events


@pytest.fixture(scope="module")
def exposure() -> IrradiationEvent:
    """To simulate it takes seconds, which a process that only collects the tests need not spend."""
    return irradiation_events()[2]


def make_event(event: IrradiationEvent, *images: ImageReference) -> Dataset:
    content = DoseContent([event], True, "1.2.3", {event.uid: images})
    return make_irradiation_event(event, content).to_data_set()


def test_what_the_event_was(exposure: IrradiationEvent) -> None:
    container = make_event(exposure)
    (kind,) = find_items(container, "113721")
    assert kind.ConceptCodeSequence[0].CodeMeaning == exposure.event_type
    assert exposure.uid == find_items(container, "113769")[0].UID
    assert read_number(container, "113733") == (exposure["KVP"], "kV")
    assert read_number(container, "113750")[0] == exposure["DistanceSourceToDetector"]


@pytest.mark.parametrize(("pulse_rate", "mode"), [(0.0, "Continuous"), (7.5, "Pulsed")])
def test_fluoroscopy_says_whether_it_was_pulsed(pulse_rate: float, mode: str) -> None:
    rate = {"PulseRate": pulse_rate} if pulse_rate else {}
    event = IrradiationEvent(KVP=80, IrradiationEventType="Fluoroscopy", **rate).begin("1.2.3", NOW, 1)
    container = make_event(event)
    assert find_items(container, "113732")[0].ConceptCodeSequence[0].CodeMeaning == mode
    assert bool(find_items(container, "113791")) is (pulse_rate > 0)


@pytest.mark.parametrize("filters", [0, 1, 2])
def test_a_filter_is_told_where_there_is_one(filters: int) -> None:
    stated = {"FilterMaterial": ["ALUMINUM"] * filters, "FilterThicknessMaximum": [1.5] * filters}
    event = IrradiationEvent(KVP=80, **(stated if filters else {})).begin("1.2.3", NOW, 1)
    assert len(find_items(make_event(event), "113771")) == filters


def test_the_images_are_those_of_the_event(exposure: IrradiationEvent) -> None:
    image = ImageReference("1.2.840.10008.5.1.4.1.1.12.2", "1.2.6", "1.2.5")
    (item,) = find_items(make_event(exposure, image), "113795")
    assert item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == "1.2.6"
