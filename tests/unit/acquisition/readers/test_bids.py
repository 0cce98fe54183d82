"""Sidecars of BIDS and dcm2niix: units, names, and what they may not say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydicom.datadict import tag_for_keyword

from openmodality.acquisition.keywords import attributes_of
from openmodality.acquisition.readers.bids import apply_sidecar, is_sidecar, read_keys
from openmodality.acquisition.readers.companion import Companion
from openmodality.acquisition.readers.found import FoundSeries
from openmodality.acquisition.volume import Volume
from openmodality.errors import ObjectInvalid


def volume(positions: int = 1, affine: Any = None) -> FoundSeries:
    shape = (2, 3, 4) if positions == 1 else (2, 3, 4, positions)
    return FoundSeries(
        "a.nii", Volume(array=np.zeros(shape), affine=np.eye(4) if affine is None else affine, axes="ijk")
    )


def sidecar(found: FoundSeries | None = None, **content: Any) -> FoundSeries:
    return apply_sidecar(found or volume(), Companion("a.json", content))


def test_seconds_become_milliseconds() -> None:
    said = sidecar(EchoTime=0.03, RepetitionTime=2.3, InversionTime=0.9, SliceThickness=5, FlipAngle=9).volume.keywords
    assert said == pytest.approx(
        {"EchoTime": 30, "RepetitionTime": 2300, "InversionTime": 900, "SliceThickness": 5, "FlipAngle": 9}
    )


def test_names_and_forms_are_dicoms() -> None:
    said = sidecar(
        ManufacturersModelName="X", BodyPart="HEAD", PercentPhaseFOV=75, EchoNumber=2, ScanningSequence="GR_IR",
        SequenceVariant="SP\\MP", AcquisitionTime="10:22:33.450000", AcquisitionDateTime="2020-01-02T03:04:05.6",
    ).volume.keywords  # fmt: skip
    assert said == {
        "ManufacturerModelName": "X", "BodyPartExamined": "HEAD", "PercentPhaseFieldOfView": 75, "EchoNumbers": 2,
        "ScanningSequence": ["GR", "IR"], "SequenceVariant": ["SP", "MP"], "AcquisitionTime": "102233.450000",
        "AcquisitionDateTime": "20200102030405.6",
    }  # fmt: skip


def test_keywords_of_the_table_are_dicoms() -> None:
    assert [key.keyword for key in read_keys().values() if key.keyword and tag_for_keyword(key.keyword) is None] == []


def test_what_is_unknown_or_the_devices_own_is_named() -> None:
    assert sidecar(Foo=1, SeriesNumber=3).volume.unused == {
        "Foo": "no DICOM keyword is known for it",
        "SeriesNumber": "the exam numbers its series",
    }


def test_milliseconds_in_a_sidecar_are_refused() -> None:
    with pytest.raises(ObjectInvalid, match=r"a\.json: RepetitionTime is 500 s") as caught:
        sidecar(RepetitionTime=500)
    assert "NAME.toml" in caught.value.advice


@pytest.mark.parametrize(
    ("content", "echo", "repetition"),
    [
        ({"EchoTime1": 0.004, "EchoTime2": 0.007}, 7, None),
        ({"EchoTime": 0.007, "EchoTime1": 0.004, "EchoTime2": 0.007}, 7, None),
        ({"RepetitionTimeExcitation": 0.01}, None, 10),
        ({"RepetitionTime": 2.3, "RepetitionTimeExcitation": 0.01}, None, 2300),
    ],
)
def test_a_second_key_is_used_where_the_first_is_absent(
    content: dict[str, Any], echo: float | None, repetition: float | None
) -> None:
    found = sidecar(**content)
    assert found.volume.keywords.get("EchoTime") == (None if echo is None else pytest.approx(echo))
    assert found.volume.keywords.get("RepetitionTime") == (None if repetition is None else pytest.approx(repetition))
    lost = {"EchoTime1"} if "EchoTime1" in content else set()
    lost |= {"RepetitionTimeExcitation"} if "RepetitionTime" in content else set()
    assert set(found.volume.unused) == lost


def test_two_volumes_with_two_echo_times_are_two_echoes() -> None:
    found = sidecar(volume(2), EchoTime1=0.004, EchoTime2=0.007)
    assert found.volume.keywords["EchoTime"] == pytest.approx([4, 7])
    assert found.volume.dimension == "echo"


SAGITTAL = np.array([[0, 0, 1.0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]])  # i to the front, j to the head


@pytest.mark.parametrize(
    ("direction", "affine", "expected"),
    [("i", np.eye(4), "ROW"), ("j-", np.eye(4), "COL"), ("i-", SAGITTAL, "ROW"), ("j", SAGITTAL, "COL")],
)
def test_phase_encoding_is_along_a_row_or_a_column(direction: str, affine: Any, expected: str) -> None:
    found = sidecar(volume(affine=affine), PhaseEncodingDirection=direction)
    assert found.volume.keywords["InPlanePhaseEncodingDirection"] == expected


def test_phase_encoding_across_the_slices_is_named() -> None:
    assert "PhaseEncodingDirection" in sidecar(PhaseEncodingDirection="k").volume.unused


def test_the_orientation_only_checks_the_affine() -> None:
    assert sidecar(ImageOrientationPatientDICOM=[1, 0, 0, 0, 1, 0]).notices == ()
    assert sidecar(ImageOrientationPatientDICOM=[1, 0, 0, 0, 0, -1]).notices == ()  # another axis of the volume
    tilted = sidecar(ImageOrientationPatientDICOM=[1, 0, 0, 0, 0.8, 0.6])
    assert "does not lie as the affine" in tilted.notices[0]
    assert "ImageOrientationPatient" not in tilted.volume.keywords


def test_a_patient_is_told_and_not_used() -> None:
    found = sidecar(PatientName="A^B", PatientID="1", PatientSex="M")
    assert found.identity == {"PatientName": "A^B", "PatientID": "1"}
    assert found.volume.keywords == {}
    assert "PatientSex" in found.volume.unused


def test_a_companion_with_names_of_ours_is_no_sidecar() -> None:
    assert is_sidecar(Companion("a.json", {"EchoTime": 0.03}))
    assert not is_sidecar(Companion("a.json", {"EchoTime": 30}, {"object": "MR Image"}))
    assert not is_sidecar(Companion("a.toml", {"EchoTime": 30}))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"EchoTime": True}, "EchoTime is no number"),
        ({"EchoTime": 10**400}, "EchoTime is no number"),
        ({"EchoTime": [0.01, {}]}, "EchoTime is no number"),
        ({"RepetitionTime": "500"}, "RepetitionTime is 500 s"),
        ({"RepetitionTime": [2, 500]}, "RepetitionTime is 500 s"),
        ({"RepetitionTimeExcitation": "500"}, "RepetitionTime is 500 s"),
        ({"FlipAngle": 10**400}, "FlipAngle"),
    ],
)
def test_what_is_no_number_of_seconds_is_refused(content: dict[str, Any], words: str) -> None:
    with pytest.raises(ObjectInvalid, match=words):
        sidecar(**content)


def test_an_echo_time_of_each_image_and_one_more_is_named() -> None:
    found = sidecar(EchoTime=[0.01, 0.02], EchoTime1=0.01)
    assert found.volume.unused == {"EchoTime1": "an image has one EchoTime, and that is given"}


def test_directions_that_are_none_are_told_and_do_no_harm() -> None:
    found = sidecar(ImageOrientationPatientDICOM=[1, 0, "a", 0, 1, 0])
    assert found.notices == ("a.json: ImageOrientationPatientDICOM has no six numbers",)


def test_a_value_of_a_wrong_type_is_taken_or_refused_by_a_word_that_names_the_file() -> None:
    refusals: list[str] = []
    wrong: list[Any] = [
        None,
        True,
        -1,
        1e308 * 10,
        10**400,
        10**17,
        "",
        "x",
        "\0",
        [],
        [None],
        [{}],
        [[1]],
        {},
        {"a": 1},
    ]
    for name in (*read_keys(), "EchoTime1", "EchoTime2", "RepetitionTimeExcitation", "PhaseEncodingDirection", "New"):
        for value in wrong:
            try:
                attributes_of(sidecar(**{name: value}).volume.keywords, "a.json")
            except ObjectInvalid as error:
                refusals.append(error.message)
    assert len(refusals) > 100
    assert [words for words in refusals if not words.startswith("a.json: ")] == []
