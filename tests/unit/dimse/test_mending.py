"""Elements of others, mended."""

from __future__ import annotations

import pytest
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.multival import MultiValue
from pydicom.tag import Tag

from openmodality.dimse.mending import is_code_sequence, is_identifier, list_written, mend_copied, mend_element


def element(keyword: str, value: object) -> DataElement:
    """As it is read: pydicom leaves text where a number cannot be read."""
    shown = MultiValue(str, value) if isinstance(value, list) else value
    return DataElement(Tag(keyword), dictionary_VR(keyword), shown, already_converted=True)


@pytest.mark.parametrize(
    ("keyword", "value", "written"),
    [
        ("PixelSpacing", ["0.456412596987676812", "1,5"], ["0.45641259698768", "1.5"]),
        ("EchoTrainLength", "1.0", ["1"]),
        ("AcquisitionDate", "2026.01.01", ["20260101"]),
        ("ImageType", ["original", "PRIMARY"], ["ORIGINAL", "PRIMARY"]),
        ("OperatorsName", ["A\nB", "C"], ["A B", "C"]),
    ],
)
def test_each_value_is_mended(keyword: str, value: object, written: list[str]) -> None:
    mended = mend_element(element(keyword, value))
    assert mended.element is not None
    assert list_written(mended.element) == written
    assert mended.problem


@pytest.mark.parametrize(("keyword", "value"), [("PixelSpacing", ["1", "NaN"]), ("SeriesDescription", "x" * 65)])
def test_one_value_that_cannot_be_mended_spoils_all(keyword: str, value: object) -> None:
    mended = mend_element(element(keyword, value))
    assert mended.element is None
    assert mended.problem


@pytest.mark.parametrize(
    ("keyword", "value"), [("PixelSpacing", ["1", "2.5"]), ("Rows", 4), ("PatientName", "A^B=山"), ("PatientID", "")]
)
def test_what_is_right_stays(keyword: str, value: object) -> None:
    given = element(keyword, value)
    mended = mend_element(given)
    assert mended.element is given
    assert not mended.problem


def test_an_identifier_is_never_cut() -> None:
    text, name, code = (
        element("SeriesDescription", "x" * 65),
        element("PatientID", "9" * 65),
        element("CodeValue", "9" * 17),
    )
    assert [getattr(mend_copied(each).element, "value", None) for each in (text, name, code)] == [
        "x" * 64,
        "9" * 65,
        None,
    ]
    assert all(mend_copied(each).problem for each in (text, name, code))


def test_a_sequence_of_codes_is_known_by_its_name() -> None:
    assert is_code_sequence(int(Tag("RequestedProcedureCodeSequence")))
    assert not is_code_sequence(int(Tag("RequestAttributesSequence")))
    assert not is_code_sequence(0x00091001)


@pytest.mark.parametrize(
    ("keyword", "identifies"),
    [
        ("PatientID", True),
        ("OtherPatientIDs", True),
        ("StudyInstanceUID", True),
        ("AccessionNumber", True),
        ("CodeValue", True),
        ("CodingSchemeDesignator", True),
        ("PatientName", False),
        ("RequestedProcedureDescription", False),
    ],
)
def test_a_changed_identifier_would_name_something_else(keyword: str, identifies: bool) -> None:
    assert is_identifier(int(Tag(keyword))) is identifies
