"""What an exam has made, looked over."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from openmodality.app.records.exams import check_as_json
from openmodality.cli.display.exam_checks import print_check
from openmodality.exam.session import Exam
from openmodality.standard.sop_classes import ENHANCED_MR_IMAGE_STORAGE

BeginExam = Callable[..., Exam]
CORONAL_TO_THE_BACK = np.array([[-1.0, 0, 0, 0], [0, 0, -3.0, 0], [0, -2.0, 0, 0], [0, 0, 0, 1]])


def test_a_volume_is_described(begin_exam: BeginExam, capsys: pytest.CaptureFixture[str]) -> None:
    exam = begin_exam()
    array = np.arange(60, dtype=np.uint16).reshape(3, 4, 5)
    array[0, 0, 0] = 4095
    exam.series("CORONAL").add_volume(array, CORONAL_TO_THE_BACK)
    [check] = exam.check()
    assert (check.orientation, check.order, check.images, check.object_name) == ("L\\F", "front to back", 3, "MR Image")
    assert (check.spacing_mm, check.slice_spacing_mm, check.field_of_view_mm) == ((2, 1), 3, (8, 5))
    assert (check.bits_used, check.bits_stored, check.duplicates, check.warnings) == (12, 12, (), ())
    assert check.clipped_share == pytest.approx(1 / 60)
    came_from = {each.keyword: each.came_from for each in check.mandatory}
    assert came_from["ImagePositionPatient"] == "the acquisition"
    assert came_from["SOPInstanceUID"] == came_from["StudyInstanceUID"] == "the device"
    assert check.missing == ()
    print_check(check)
    said = capsys.readouterr().out
    assert "series 1 CORONAL: 3 MR Images" in said
    assert "L, F" in said
    assert "front to back" in said
    assert check_as_json(check)["slice_spacing_mm"] == 3


def test_the_field_of_view_is_that_of_all_pixels(begin_exam: BeginExam) -> None:
    exam = begin_exam()
    place = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "ImagePositionPatient": [0, 0, 0], "SliceThickness": 1}
    exam.series("FINE").add(np.ones((4, 5), dtype=np.uint16), **place, PixelSpacing=[0.5, 0.25])
    [check] = exam.check()
    assert check.field_of_view_mm == (2.0, 1.25)


def test_what_is_odd_is_said(begin_exam: BeginExam, capsys: pytest.CaptureFixture[str]) -> None:
    exam = begin_exam()
    place = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [1, 1], "SliceThickness": 1}
    series = exam.series("ODD")
    for depth, value in ((0, 1), (1, 2), (3, 1), (3, 4), (7, 5)):
        series.add(np.full((4, 4), value, np.uint16), ImagePositionPatient=[0, 0, depth], **place)
    [check] = exam.check()
    assert check.duplicates == (((1, 0), (3, 0)),)
    assert check.warnings == (
        "5 images lie at 4 places",
        "the slices are 1 to 4 mm from each other, not equally far",
    )
    print_check(check)
    assert "ODD: the same pixels in images 1, 3" in capsys.readouterr().out


def test_each_frame_of_an_enhanced_image_is_looked_at(
    begin_exam: BeginExam, capsys: pytest.CaptureFixture[str]
) -> None:
    exam = begin_exam()
    array = np.arange(60, dtype=np.uint16).reshape(3, 4, 5)
    array[2] = array[1]
    array[0, 0, 0] = 4095
    series = exam.series("CORONAL", sop_class_uid=ENHANCED_MR_IMAGE_STORAGE, RepetitionTime=500, FlipAngle=90)
    series.add_volume(array, CORONAL_TO_THE_BACK)
    [check] = exam.check()
    assert (check.orientation, check.order, check.images) == ("L\\F", "front to back", 1)
    assert (check.spacing_mm, check.slice_spacing_mm, check.field_of_view_mm) == ((2, 1), 3, (8, 5))
    assert (check.bits_used, check.bits_stored, check.missing) == (12, 12, ())
    unstated = (
        "AcquisitionDuration", "EffectiveEchoTime", "FrameAcquisitionDuration", "MagneticFieldStrength",
        "PixelBandwidth", "SpecificAbsorptionRateValue", "TransmitterFrequency",
    )  # fmt: skip
    assert series.unstated == unstated
    assert check.warnings == (f"0 stands for {', '.join(unstated)}, which nobody stated",)
    print_check(check)
    assert "ODD: the same pixels in images 1 frame 2, 1 frame 3" in capsys.readouterr().out


def test_a_derived_enhanced_image_says_no_zero_for_what_nobody_knows(begin_exam: BeginExam) -> None:
    series = begin_exam().series(
        "SUM", sop_class_uid=ENHANCED_MR_IMAGE_STORAGE, ImageType=["DERIVED", "PRIMARY"], BodyPartExamined="BRAIN"
    )
    series.add_volume(np.arange(40, dtype=np.uint16).reshape(2, 4, 5), CORONAL_TO_THE_BACK)
    assert series.unstated == ()


def test_what_is_missing_before_the_first_image_is_said_with_where_it_could_come_from(
    begin_exam: BeginExam, capsys: pytest.CaptureFixture[str]
) -> None:
    exam = begin_exam()
    exam.series("EMPTY")
    [check] = exam.check()
    missing = {each.keyword: each.could_come_from for each in check.missing}
    assert missing["ImagePositionPatient"] == missing["PixelSpacing"] == "the acquisition"
    assert "StudyInstanceUID" not in missing
    print_check(check)
    assert "MISSING: PixelSpacing, which could come from the acquisition" in capsys.readouterr().out
