"""Values that a person gives are held to the tables of the device, and errors say what these say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from openmodality.acquisition.source import AcquiredFrame, AcquiredSeries
from openmodality.acquisition.volume import Volume
from openmodality.device.profile.loader import load_profile
from openmodality.errors import ObjectInvalid
from openmodality.exam.given import GivenAttributes
from openmodality.objects.rules.elements import data_set_of

GIVEN = GivenAttributes(load_profile("mr"))
ONE = np.zeros((2, 2), dtype=np.uint16)


class Recorded:
    """A source of these series."""

    def __init__(self, *acquired: AcquiredSeries) -> None:
        self._acquired = acquired

    def series(self) -> Any:
        return iter(self._acquired)


@pytest.mark.parametrize("value", ["2d", "2D ", ["2D"], "", "3D"])
def test_enumerated_values_may_be_written_as_people_do(value: object) -> None:
    assert GIVEN.prepare({"MRAcquisitionType": value}, "api") == {"MRAcquisitionType": value}


def test_an_error_says_module_type_vr_and_source() -> None:
    with pytest.raises(ObjectInvalid) as caught:
        GIVEN.read({"MRAcquisitionType": "4D"}, "api")
    assert caught.value.message == ("api: (0018,0023) MRAcquisitionType: not 2D or 3D (MR Image module, type 2, VR CS)")
    assert caught.value.advice == "give 2D or 3D, or leave it out; it may come from the acquisition"


def test_an_error_of_an_attribute_that_is_in_no_table_stays_as_it_is() -> None:
    with pytest.raises(ObjectInvalid) as caught:
        GIVEN.read({"KVP": "x"}, "api")
    assert caught.value.message == "api: (0018,0060) KVP: no number, 'x'"


@pytest.mark.parametrize(
    "given",
    [
        {"T2Preparation": "MAYBE"},
        {"MRModifierSequence": [{"T2Preparation": "MAYBE"}]},
        {"SharedFunctionalGroupsSequence": [{"MRModifierSequence": [{"T2Preparation": "MAYBE"}]}]},
    ],
)
def test_enumerated_values_hold_wherever_an_attribute_is_given(given: dict[str, Any]) -> None:
    with pytest.raises(ObjectInvalid, match=r"\(0018,9021\) T2Preparation: not NO or YES") as caught:
        GIVEN.read(given, "api")
    assert caught.value.tag == 0x00189021


def test_an_error_is_explained_once() -> None:
    with pytest.raises(ObjectInvalid) as caught, GIVEN.explain_errors("MR Image"):
        GIVEN.read({"MRAcquisitionType": "4D"}, "api")
    assert caught.value.message.count("module, type") == 1


@pytest.mark.parametrize(
    "item",
    [
        {"CodeValue": "1", "CodeMeaning": "Knee"},
        {"CodingSchemeDesignator": "SRT", "CodeMeaning": "Knee"},
        {"CodeValue": "1", "CodingSchemeDesignator": "SRT"},
    ],
)
def test_an_incomplete_code_is_refused(item: dict[str, str]) -> None:
    with pytest.raises(ObjectInvalid, match="a code without"):
        GIVEN.prepare({"AnatomicRegionSequence": [item]}, "api")


def test_what_is_said_of_a_series_goes_before_what_its_source_says() -> None:
    frame = AcquiredFrame(ONE, data_set_of(EchoTime=10, RepetitionTime=500))
    framed = AcquiredSeries("a", "MR", "", [frame], 1)
    volume = AcquiredSeries("b", "MR", "", [], 1, volume=Volume(array=ONE, keywords={"EchoTime": 10}))
    said = {"EchoTime": 30, "SeriesDescription": "new", "MPGAxisNumber": "3"}
    first, second = GIVEN.walk([Recorded(framed, volume)], said)
    [taken] = first.frames
    assert (taken.attributes.EchoTime, taken.attributes.RepetitionTime, taken.stated.EchoTime) == (30, 500, 30)
    assert taken.attributes[0x0029101F].value == "3"
    assert (first.description, second.description) == ("new", "new")
    assert second.volume is not None
    assert second.volume.keywords["EchoTime"] == 30
    assert second.volume.keywords["MMCPrivate (0029,101F) LO"] == "3"
    assert list(GIVEN.walk([Recorded(framed)], {})) == [framed]
