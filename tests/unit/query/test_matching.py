"""Each kind of matching of PS3.4 C.2.2.2, by example."""

from typing import Any

import pytest
from pydicom import Dataset, config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.uid import ExplicitVRLittleEndian

from openmodality.dimse.data_set import decode_data_set, encode_data_set
from openmodality.dimse.moments import matches_moment
from openmodality.query.matching import has_unsupported, matches, matches_name, select_requested


def data_set(**values: Any) -> Dataset:
    result = Dataset()
    for keyword, value in values.items():
        setattr(result, keyword, value)
    return result


@pytest.mark.parametrize(
    ("keyword", "key", "value", "expected"),
    [
        ("PatientID", "A1", "A1", True),
        ("PatientID", "A1", "A1 ", True),
        ("PatientID", "a1", "A1", False),
        ("PatientID", "", "A1", True),
        ("PatientID", "", None, True),
        ("PatientID", "A1", None, False),
        ("PatientID", "*", None, True),
        ("PatientID", "A*", "A1", True),
        ("PatientID", "A?", "A1", True),
        ("PatientID", "A?", "A12", False),
        ("PatientID", "?*2", "A12", True),
        ("PatientID", "a.1", "axa", False),
        ("StudyInstanceUID", "1.2.3", "1.2.3", True),
        ("StudyInstanceUID", ["1.2", "1.2.3"], "1.2.3", True),
        ("StudyInstanceUID", ["1.2", "1.2.4"], "1.2.3", False),
        ("StudyInstanceUID", "1.2.*", "1.2.3", False),
        ("ModalitiesInStudy", "MR", ["CT", "MR"], True),
        ("ModalitiesInStudy", "PT", ["CT", "MR"], False),
        ("PregnancyStatus", 0, 4, True),
        ("PregnancyStatus", 0, None, True),
        ("PregnancyStatus", 4, 4, True),
        ("PregnancyStatus", 1, 4, False),
        ("StudyDate", "20261122", "20261122", True),
        ("StudyDate", "20261122", "20261123", False),
        ("StudyDate", "20261101-20261130", "20261122", True),
        ("StudyDate", "20261101-20261130", "20261130", True),
        ("StudyDate", "20261101-20261130", "20261201", False),
        ("StudyDate", "-20261130", "19700101", True),
        ("StudyDate", "20261201-", "20261130", False),
        ("StudyDate", "20261101-", "2026.11.22", True),
        ("StudyDate", "20261101-", None, False),
        ("StudyDate", "2026????", "20261122", False),
        ("StudyTime", "10", "103059.5", True),
        ("StudyTime", "1030-1130", "113059.99", True),
        ("StudyTime", "1030-1130", "1131", False),
        ("StudyTime", "-10", "105959", True),
        ("AcquisitionDateTime", "2026", "20261122103000", True),
        ("AcquisitionDateTime", "2026112212-20261123", "20261122113000", False),
        ("AcquisitionDateTime", "20261122100000+0100", "20261122090000+0000", True),
        ("AcquisitionDateTime", "20261122-", "20261122003000+0100", True),
        ("AcquisitionDateTime", "20261122+0000-", "20261122003000+0100", False),
        ("AcquisitionDateTime", "202602-202602", "20260228235959", True),
        ("PatientWeight", "70.0", "70", True),
        ("PatientWeight", "70.1", "70", False),
        ("SeriesNumber", "007", "7", True),
        ("Rows", 512, 512, True),
        ("Rows", 512, 256, False),
        ("PatientName", "doe^john", "Doe^John", True),
        ("PatientName", "DOE*", "Doe^John", True),
        ("PatientName", "Doe^John^^", "Doe^John", True),
        ("PatientName", "Doe ^John", "Doe^John", True),
        ("PatientName", "Doe", "Doe^John", False),
        ("PatientName", "山田*", "Yamada^Tarou=山田^太郎=やまだ^たろう", True),
        ("PatientName", "yamada*=山田*", "Yamada^Tarou=山田^太郎=やまだ^たろう", True),
        ("PatientName", "=山口*", "Yamada^Tarou=山田^太郎=やまだ^たろう", False),
        ("PatientName", "=山口*", "Yamada^Tarou", False),
        ("PatientName", "Mu\u0308ller", "MÜLLER", True),
    ],
)
def test_a_key_matches_these_values(keyword: str, key: Any, value: Any, expected: bool) -> None:
    asked, held = Dataset(), Dataset()
    for target, content in ((asked, key), (held, value)):
        tag = tag_for_keyword(keyword)
        assert tag is not None
        target.add(DataElement(tag, dictionary_VR(tag), content, validation_mode=config.IGNORE))
    assert matches(asked, held) is expected


def test_key_for_an_absent_attribute_matches_only_universally() -> None:
    assert matches(data_set(PatientID=""), Dataset())
    assert not matches(data_set(PatientID="1"), Dataset())


def test_sequence_matches_when_one_item_matches_all_keys() -> None:
    held = data_set(
        ScheduledProcedureStepSequence=[
            data_set(Modality="MR", ScheduledStationAETitle="ONE"),
            data_set(Modality="CT", ScheduledStationAETitle="TWO"),
        ]
    )
    both = data_set(Modality="CT", ScheduledStationAETitle="TWO")
    crossed = data_set(Modality="MR", ScheduledStationAETitle="TWO")
    for inner, expected in ((both, True), (crossed, False), (data_set(Modality=""), True), (Dataset(), True)):
        assert matches(data_set(ScheduledProcedureStepSequence=[inner]), held) is expected
    assert matches(data_set(ScheduledProcedureStepSequence=[data_set(Modality="")]), Dataset())
    assert not matches(data_set(ScheduledProcedureStepSequence=[both]), Dataset())


def test_only_what_was_asked_for_is_returned() -> None:
    held = data_set(
        SpecificCharacterSet="ISO_IR 100",
        PatientID="1",
        PatientName="Müller",
        ProcedureCodeSequence=[data_set(CodeValue="7", CodeMeaning="seven")],
        ScheduledProcedureStepSequence=[data_set(Modality="MR", ScheduledProcedureStepID="9")],
    )
    asked = data_set(
        PatientName="M*",
        AccessionNumber="",
        ReferencedStudySequence=[],
        ProcedureCodeSequence=[],
        ScheduledProcedureStepSequence=[data_set(Modality="")],
    )
    assert select_requested(asked, held) == data_set(
        SpecificCharacterSet="ISO_IR 100",
        PatientName="Müller",
        AccessionNumber=None,
        ReferencedStudySequence=[],
        ProcedureCodeSequence=[data_set(CodeValue="7", CodeMeaning="seven")],
        ScheduledProcedureStepSequence=[data_set(Modality="MR")],
    )


def test_key_that_is_not_supported_is_neither_matched_nor_returned() -> None:
    supported = {(0x00100020,), (0x00400100, 0x00080060)}
    asked = data_set(PatientID="1", PatientName="Nobody")
    held = data_set(PatientID="1", PatientName="Doe")
    assert has_unsupported(asked, supported)
    assert matches(asked, held, supported)
    assert select_requested(asked, held, supported) == data_set(PatientID="1")
    inside = data_set(ScheduledProcedureStepSequence=[data_set(Modality="MR", ScheduledStationName="X")])
    assert has_unsupported(inside, supported)
    assert not has_unsupported(data_set(ScheduledProcedureStepSequence=[data_set(Modality="MR")]), supported)


def test_pattern_made_to_be_slow_is_not() -> None:
    assert not matches_name("*a" * 200 + "b", "a" * 5000)


@pytest.mark.parametrize("vr", ["DA", "TM", "DT"])
def test_key_of_hyphens_is_read_once(vr: str, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    monkeypatch.setattr("openmodality.dimse.moments.read_span", lambda vr, text: read.append(text))
    assert not matches_moment(vr, "-" * 200_000, "2026")
    assert len(read) == 2


def test_longest_range_is_one() -> None:
    longest = "20261122103000.000000+0100-20261122113000.000000+0100"
    assert matches_moment("DT", longest, "20261122110000.000000+0100")
    assert not matches_moment("DT", longest, "20261122120000.000000+0100")


@pytest.mark.parametrize(
    ("terms", "raw", "name", "returned_in"),
    [
        ("utf-7", b"Zo\xeb^+2AA-", "Zo\ufffd^+2AA-", "ISO_IR 192"),
        ("ISO_IR 192", b"A\xed\xa0\x80", "A\ufffd\ufffd\ufffd", "ISO_IR 192"),
        ("ISO_IR 100", b"Zo\xeb", "Zo\xeb", "ISO_IR 100"),
        ("ISO_IR 100", b"Zo\xeb\x9b", "Zo\xeb\ufffd", "ISO_IR 192"),
        ("", b"Zo\xeb", "Zo\xeb", None),
        ("", b"\x1b$B;3\x1b(B", "\u5c71", "ISO_IR 192"),
        ("\\ISO 2022 IR 87", b"\x1b$B;3\x1b(B", "\u5c71", ["", "ISO 2022 IR 87"]),
        ("\\ISO 2022 IR 58", b"\x1b$)A\xcd\xf5", "\u738b", ["", "ISO 2022 IR 58"]),
    ],
)
def test_what_is_returned_can_be_read_by_who_asked(
    terms: str, raw: bytes, name: str, returned_in: str | list[str] | None
) -> None:
    syntax = ExplicitVRLittleEndian
    held = data_set(SpecificCharacterSet="X" * len(terms), PatientName="N" * len(raw))
    encoded = encode_data_set(held, syntax).replace(b"X" * len(terms), terms.encode())
    if not terms:
        encoded = encoded[encoded.index(b"\x10\x00\x10\x00") :]
    candidate = decode_data_set(encoded.replace(b"N" * len(raw), raw), syntax)
    answer = select_requested(data_set(PatientName=""), candidate)
    again = decode_data_set(encode_data_set(answer, syntax), syntax)
    assert again.PatientName == name
    assert again.get("SpecificCharacterSet") == returned_in
