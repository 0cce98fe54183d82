"""Functional groups encoded frame by frame are byte for byte those that pydicom writes of data sets."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.filereader import read_dataset

import openmodality.dimse.pydicom_settings  # noqa: F401 - its import is the act
from openmodality.device.profile.conditions import Context
from openmodality.errors import ObjectInvalid
from openmodality.objects.rules.elements import data_set_of, index_values
from openmodality.objects.rules.encoded_groups import FrameGroups, encode_items_of
from openmodality.objects.rules.functional_groups import place_groups
from openmodality.objects.rules.sources import SourceValues
from openmodality.objects.rules.template import encode_with_pydicom
from tests.made_objects import definition_of

PER_FRAME = 0x52009230
TABLE = definition_of("mr", "Enhanced MR Image")
COMMON: dict[str, Any] = {
    "PixelSpacing": ["0.5", "0.5"], "SliceThickness": "3", "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
    "FrameAcquisitionDateTime": "20260101101010.5", "FrameType": ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"],
    "FrameLaterality": "U", "AnatomicRegionSequence": [data_set_of(CodeValue="1", CodingSchemeDesignator="SCT")],
    "PixelPresentation": "MONOCHROME", "VolumetricProperties": "VOLUME", "ComplexImageComponent": "MAGNITUDE",
    "VolumeBasedCalculationTechnique": "NONE", "AcquisitionContrast": "T1",
}  # fmt: skip
COMMON["AnatomicRegionSequence"][0].CodeMeaning = "Brain"

OWN = st.fixed_dictionaries(
    {"ImagePositionPatient": st.lists(st.integers(-99, 99).map(lambda each: each / 8), min_size=3, max_size=3)},
    optional={
        "EffectiveEchoTime": st.sampled_from([10.0, 20.5]),
        "DiffusionBValue": st.sampled_from([0.0, 800.0]),
        "DiffusionDirectionality": st.sampled_from(["NONE", "DIRECTIONAL"]),
        "DiffusionGradientDirectionSequence": st.sampled_from([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]).map(
            lambda each: [data_set_of(DiffusionGradientOrientation=each)]
        ),
        "StackID": st.sampled_from(["1", "2a", "Schädel"]),
        "InStackPositionNumber": st.integers(1, 9),
        "DimensionIndexValues": st.lists(st.integers(1, 9), min_size=2, max_size=2),
        "RescaleSlope": st.sampled_from(["1", "0.25"]),
        "RescaleIntercept": st.just("0"),
        "RescaleType": st.just("US"),
        "MetaboliteMapDescription": st.sampled_from(["NAA", "Cho"]),
        "FrameAcquisitionDateTime": st.sampled_from(["20260101101011", "20260101101012.25"]),
    },
)


def encode(frames: list[dict[str, Any]], **more: Any) -> tuple[Dataset, bytes]:
    groups = FrameGroups(
        TABLE, index_values(data_set_of(**COMMON, **more)), [index_values(data_set_of(**each)) for each in frames]
    )
    return groups.shared, encode_items_of(PER_FRAME, groups.encode_items(["ISO_IR 100"]))


def build(frames: list[dict[str, Any]]) -> Dataset:
    values = [SourceValues(acquisition=data_set_of(**{**COMMON, **each})) for each in frames]
    return place_groups(TABLE, values, Context())


@given(st.lists(OWN, min_size=1, max_size=6))
def test_the_items_are_those_of_the_slow_way(frames: list[dict[str, Any]]) -> None:
    try:
        slow = build(frames)
    except ObjectInvalid as error:
        with pytest.raises(ObjectInvalid, match=error.message.partition(":")[0]):
            encode(frames)
        return
    shared, items = encode(frames)
    assert shared == slow.SharedFunctionalGroupsSequence[0]
    assert items == encode_with_pydicom(slow[PER_FRAME], ["ISO_IR 100"])


def test_a_value_that_is_too_long_is_refused() -> None:
    places = [{"ImagePositionPatient": [0, 0, number]} for number in range(2)]
    with pytest.raises(ObjectInvalid, match="more than 16 characters"):
        encode([*places, {"ImagePositionPatient": ["0.12345678901234567", "0", "0"]}])


def test_frames_are_read_by_pydicom() -> None:
    _, items = encode([{"ImagePositionPatient": [0, 0, number], "StackID": "1"} for number in range(3)])
    read = read_dataset(BytesIO(items), is_implicit_VR=False, is_little_endian=True)
    places = [item.PlanePositionSequence[0].ImagePositionPatient[2] for item in read[PER_FRAME].value]
    assert places == [0, 1, 2]
