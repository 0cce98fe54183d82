"""A series as a program holds it: what its images say that depends on how a volume is turned for readers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom import Dataset

from openmodality.errors import ObjectInvalid
from openmodality.exam.series import Series
from openmodality.exam.session import Exam
from openmodality.standard.sop_classes import ENHANCED_MR_IMAGE_STORAGE
from openmodality.store.files.instance_file import StorageFull

BeginExam = Callable[..., Exam]
AXIAL = np.diag([1.0, 1, 2, 1])
TRANSPOSED = np.array([[0, 1.0, 0, 0], [1, 0, 0, 0], [0, 0, 2, 0], [0, 0, 0, 1]])  # i to the front, j to the right
PHASE = "InPlanePhaseEncodingDirection"


def read_images(exam: Exam, series: Series) -> list[Dataset]:
    files = exam._workflow.store.files
    uids = [each.SOPInstanceUID for each in exam.instances() if each.SeriesInstanceUID == series.series_instance_uid]
    return sorted((pydicom.dcmread(files.path(uid)) for uid in uids), key=lambda image: int(image.InstanceNumber))


@pytest.mark.parametrize(("affine", "expected"), [(AXIAL, "ROW"), (TRANSPOSED, "COL")])
@pytest.mark.parametrize("of_series", [True, False])
def test_the_direction_of_phase_encoding_turns_with_rows_and_columns(
    begin_exam: BeginExam, affine: Any, expected: str, *, of_series: bool
) -> None:
    exam = begin_exam()
    said: dict[str, Any] = {PHASE: "ROW"}
    series = exam.series("T1", **(said if of_series else {}))
    series.add_volume(np.ones((2, 3, 4), np.uint16), affine, **({} if of_series else said))
    assert {image[PHASE].value for image in read_images(exam, series)} == {expected}
    assert series.overridden == ()


def test_each_position_has_its_b_value_and_direction(begin_exam: BeginExam) -> None:
    exam = begin_exam()
    series = exam.series("DWI")
    volume = np.arange(2 * 3 * 4 * 5, dtype=np.uint16).reshape(2, 3, 4, 5)
    directions = [[], [0, 1, 0]]
    series.add_volume(
        volume, AXIAL, dimension="b-value", DiffusionBValue=[0, 1000], DiffusionGradientOrientation=directions
    )
    images = read_images(exam, series)
    assert [image.DiffusionBValue for image in images] == [0] * 3 + [1000] * 3
    assert [list(image.get("DiffusionGradientOrientation", [])) for image in images] == [[]] * 3 + [[0, 1, 0]] * 3
    assert series.unused == {}


def test_as_many_b_values_as_positions_or_a_word_about_it(begin_exam: BeginExam) -> None:
    series = begin_exam().series("DWI")
    volume = np.ones((2, 3, 4, 5), np.uint16)
    with pytest.raises(ObjectInvalid, match="DiffusionBValue has 3 values, and the fourth axis 2 positions"):
        series.add_volume(volume, AXIAL, dimension="b-value", DiffusionBValue=[0, 500, 1000])
    series.add_volume(volume, AXIAL, dimension="b-value")
    assert series.unused == {"dimension": "no DiffusionBValue says its values"}


def test_frames_of_one_call_are_stored_together_or_not_at_all(
    begin_exam: BeginExam, monkeypatch: pytest.MonkeyPatch
) -> None:
    exam = begin_exam()
    series = exam.series("T1", ImageOrientationPatient=[1, 0, 0, 0, 1, 0], PixelSpacing=[1, 1], SliceThickness=5)
    frames = np.arange(3 * 4 * 5, dtype=np.uint16).reshape(3, 4, 5)
    files = exam._workflow.store.files
    create, made = files.create, []

    def fail_at_the_third(*arguments: Any) -> Any:
        made.append(arguments)
        if len(made) == 3:
            raise StorageFull("the disk is full")
        return create(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(files, "create", fail_at_the_third)
        with pytest.raises(StorageFull):
            series.add(frames, ImagePositionPatient=[0, 0, 0])
    assert exam.instances() == []
    assert len(series.add(frames, ImagePositionPatient=[0, 0, 0])) == 3
    assert [int(image.InstanceNumber) for image in read_images(exam, series)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        ([[1, 2], [3, 4]], "image 1: list is no array of numbers"),
        (None, "image 1: NoneType is no array of numbers"),
        (np.ma.masked_greater(np.arange(6.0).reshape(2, 3), 3), "image 1: 2 of 6 values are masked"),
        (np.ma.masked_greater(np.arange(6, dtype=np.uint16).reshape(2, 3), 3), "image 1: 2 of 6 values are masked"),
    ],
)
def test_what_is_no_whole_array_is_refused(begin_exam: BeginExam, pixels: Any, words: str) -> None:
    with pytest.raises(ObjectInvalid, match=words):
        begin_exam().series("T1").add(pixels)


def test_a_masked_volume_is_refused_and_one_with_nothing_masked_is_taken(begin_exam: BeginExam) -> None:
    series, values = begin_exam().series("T1"), np.arange(24, dtype=np.uint16).reshape(2, 3, 4)
    with pytest.raises(ObjectInvalid, match="volume: 20 of 24 values are masked"):
        series.add_volume(np.ma.masked_greater(values, 3), AXIAL)
    assert len(series.add_volume(np.ma.masked_greater(values, 99), AXIAL)) == 2


def test_what_an_enhanced_image_says_otherwise_is_named(begin_exam: BeginExam) -> None:
    series = begin_exam().series("E", sop_class_uid=ENHANCED_MR_IMAGE_STORAGE, PatientName="Other^Person")
    place = {"ImagePositionPatient": [0, 0, 0], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
    said = {
        "PixelSpacing": [1, 1],
        "SliceThickness": 5,
        "Rows": 3,
        "EchoTime": 20,
        "ImageType": ["ORIGINAL", "PRIMARY"],
    }
    series.add(np.ones((4, 5), np.uint16), **place, **said)
    assert series.overridden == ("PatientName", "Rows")
