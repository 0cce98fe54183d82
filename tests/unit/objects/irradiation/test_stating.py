"""What may be said of an irradiation event, and what is refused."""

from __future__ import annotations

import json

import pytest

from openmodality import IrradiationEvent
from openmodality.errors import ObjectInvalid
from openmodality.objects.irradiation.event import XRayFilter


def test_attributes_and_concepts_say_the_same_in_their_units() -> None:
    attributes = IrradiationEvent(KVP=80, ImageAndFluoroscopyAreaDoseProduct="1.5", EntranceDose=2, Grid="FOCUSED")
    concepts = IrradiationEvent(KVP=80, DoseAreaProduct=1.5e-5, EntranceDoseInmGy=200, XRayGrid="Focused grid")
    assert attributes == concepts
    assert hash(attributes) == hash(concepts)


def test_position_field_and_filters() -> None:
    event = IrradiationEvent(
        KVP=80, PatientPosition="FFP", CollimatedFieldHeight=200, CollimatedFieldWidth=100,
        DistanceSourceToDetector=1100, FilterMaterial=["ALUMINUM", "COPPER"], FilterThicknessMaximum=[1, 0.2],
    )  # fmt: skip
    assert event["CollimatedFieldArea"] == 0.02
    assert (event.text("PatientTableRelationship"), event.text("PatientOrientationModifier")) == ("feet-first", "prone")
    assert event.filters == (
        XRayFilter("Flat filter", "Aluminum", 1.0, 1.0),
        XRayFilter("Flat filter", "Copper", 0.2, 0.2),
    )


def test_an_event_survives_the_database() -> None:
    event = IrradiationEvent(
        KVP=80, AcquisitionDateTime="20261129083001", FilterMaterial="TIN", FilterThicknessMaximum=1
    )
    assert IrradiationEvent.from_json(json.loads(json.dumps(event.to_json()))) == event


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({}, "(0018,0060) KVP is missing; give the peak voltage of the tube in kV, such as 80"),
        ({"KVP": -1}, "(0018,0060) KVP is -1; give a number in kV above 0"),
        ({"KVP": "high"}, "(0018,0060) KVP is no number; give a number in kV above 0"),
        ({"KVP": 80, "DoseAreaProduct": -1}, "DoseAreaProduct is -1; give a number in Gy.m2 not below 0"),
        ({"KVP": 80, "EntranceDoseInmGy": float("nan")}, "(0040,8302) EntranceDoseInmGy is no number"),
        ({"KVP": 80, "CollimatedFieldArea": 0.1}, "give (0018,1110) DistanceSourceToDetector in mm"),
        ({"KVP": 80000}, "(0018,0060) KVP is 80000; give a number in kV of at most 1000"),
        ({"KVP": 80, "XRayTubeCurrentInuA": 1e9}, "XRayTubeCurrentInuA is 1e+09; give a number of at most 1e+08"),
        ({"KVP": 80, "IrradiationDuration": 1e300}, "IrradiationDuration is 1e+300; give a number in s of at most"),
        ({"KVP": 80, "NumberOfPulses": 9, "PulseRate": 1e-9}, "IrradiationDuration would be above 100000 s"),
        ({"KVP": 80, "AcquisitionDateTime": "99991231235959"}, "(0008,002A) AcquisitionDateTime is no moment"),
        ({"ExposureTime": 0, "DoseRP": -1}, "(0018,0060) KVP is missing"),
        ({"KVP": 80, "Kvp": 80}, "Kvp is no keyword of an irradiation event, KVP is"),
        ({"KVP": 80, "IrradiationEventType": "Photo"}, "give one of Fluoroscopy, Stationary Acquisition"),
        ({"KVP": 80, "XRayTubeCurrent": 10, "XRayTubeCurrentInuA": 10}, "another keyword 10 mA; give one of them"),
        ({"KVP": 80, "AcquisitionDateTime": "today"}, "(0008,002A) AcquisitionDateTime is no moment"),
        ({"KVP": 80, "IrradiationEventUID": "1.02"}, "(0008,3010) IrradiationEventUID is no UID"),
        ({"KVP": 80, "FilterMaterial": "TIN"}, "FilterThicknessMaximum belong together"),
        ({"KVP": 80, "NumberOfPulses": 1.5}, "give a whole number above 0"),
        ({"KVP": 80, "PositionerPrimaryAngle": 400}, "PositionerPrimaryAngle is 400; give a number in deg -360 to 360"),
        ({"KVP": 80, "PatientOrientation": "erect"}, "PatientOrientation without PatientOrientationModifier"),
        (
            {"KVP": 80, "DistanceSourceToDetector": 1000, "DistanceSourceToIsocenter": 1100},
            "DistanceSourceToIsocenter is more than the distance to the detector",
        ),
    ],
)
def test_what_is_impossible_is_named_with_what_would_be_right(stated: dict[str, object], said: str) -> None:
    with pytest.raises(ObjectInvalid) as caught:
        IrradiationEvent(**stated)
    assert said in str(caught.value)


def test_everything_wrong_is_in_one_error_that_names_the_file() -> None:
    with pytest.raises(ObjectInvalid) as caught:
        IrradiationEvent.from_keywords({"KVP": 0, "ExposureTime": -3}, "exposure.json")
    assert caught.value.message == (
        "exposure.json: (0018,0060) KVP is 0; give a number in kV above 0; "
        "(0018,1150) ExposureTime is -3; give a number in ms above 0"
    )
