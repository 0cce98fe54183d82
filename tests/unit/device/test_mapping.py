"""Worklist attributes on their way to images and to the performed procedure step."""

from __future__ import annotations

from io import BytesIO

import pytest
from pydicom import dcmread
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian

from openmodality.device.mapping import describe_misfit, map_to_image, map_to_mpps, map_to_performed_series
from openmodality.device.paths import parse_path
from openmodality.device.profile.loader import load_profile
from openmodality.device.profile.profile import MappingRule

RULES = load_profile("rf").mapping


def code(value: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "99OM", value.lower()
    return item


def step(number: int) -> Dataset:
    item = Dataset()
    item.Modality = "RF"
    item.ScheduledProcedureStepID = f"SPS{number}"
    item.ScheduledProcedureStepDescription = f"Step {number}"
    item.ScheduledPerformingPhysicianName = "Doc^Tor"
    item.ScheduledProtocolCodeSequence = Sequence([code(f"P{number}")])
    return item


def worklist_item(*steps: Dataset) -> Dataset:
    item = Dataset()
    item.PatientName = "Yamada^Tarou=山田^太郎"
    item.PatientID = "0000001"
    item.IssuerOfPatientID = "OM"
    item.PatientBirthDate = "19700102"
    item.PatientSex = "M"
    item.StudyInstanceUID = "1.2.3.4"
    item.AccessionNumber = "A1"
    item.ReferringPhysicianName = "Ref^Erring"
    item.RequestedProcedureID = "RP1"
    item.RequestedProcedureDescription = "Upper GI"
    item.RequestedProcedureCodeSequence = Sequence([code("UGI")])
    item.OperatorsName = "Op^Erator"
    item.ScheduledProcedureStepSequence = Sequence(steps)
    return item


def test_images_take_patient_study_and_request() -> None:
    image = map_to_image([worklist_item(step(1))], RULES)
    assert image.PatientName == "Yamada^Tarou=山田^太郎"
    assert (image.PatientID, image.IssuerOfPatientID) == ("0000001", "OM")
    assert (image.StudyInstanceUID, image.AccessionNumber) == ("1.2.3.4", "A1")
    assert image.StudyDescription == "Upper GI"
    assert image.ProcedureCodeSequence[0].CodeValue == "UGI"
    assert image.PerformingPhysicianName == "Doc^Tor"
    assert image.PerformedProcedureStepDescription == "Step 1"
    request = image.RequestAttributesSequence[0]
    assert (request.RequestedProcedureID, request.ScheduledProcedureStepID) == ("RP1", "SPS1")
    assert request.ScheduledProtocolCodeSequence[0].CodeValue == "P1"


def test_the_performed_procedure_step_takes_them_too() -> None:
    mpps = map_to_mpps([worklist_item(step(1))], RULES)
    scheduled = mpps.ScheduledStepAttributesSequence[0]
    assert (scheduled.StudyInstanceUID, scheduled.AccessionNumber) == ("1.2.3.4", "A1")
    assert scheduled.RequestedProcedureDescription == "Upper GI"
    assert mpps.PatientID == "0000001"
    assert mpps.ProcedureCodeSequence[0].CodeValue == "UGI"
    assert mpps.PerformedProcedureStepDescription == "Step 1"
    assert mpps.Modality == "RF"
    assert "PerformedSeriesSequence" not in mpps
    assert "ReferringPhysicianName" not in mpps


def test_performed_series_take_the_people() -> None:
    series = map_to_performed_series([worklist_item(step(1))], RULES)
    assert (series.PerformingPhysicianName, series.OperatorsName) == ("Doc^Tor", "Op^Erator")


# Table 8.1-29: what goes where, with the contradictions settled.
TABLE_8_1_29 = [
    ("StudyInstanceUID", "StudyInstanceUID", "ScheduledStepAttributesSequence>StudyInstanceUID"),
    ("ReferencedStudySequence", "ReferencedStudySequence", "ScheduledStepAttributesSequence>ReferencedStudySequence"),
    ("AccessionNumber", "AccessionNumber", "ScheduledStepAttributesSequence>AccessionNumber"),
    (
        "RequestedProcedureID",
        "RequestAttributesSequence>RequestedProcedureID",
        "ScheduledStepAttributesSequence>RequestedProcedureID",
    ),
    (
        "ScheduledProcedureStepSequence>ScheduledProcedureStepID",
        "RequestAttributesSequence>ScheduledProcedureStepID",
        "ScheduledStepAttributesSequence>ScheduledProcedureStepID",
    ),
    (
        "ScheduledProcedureStepSequence>ScheduledProcedureStepDescription",
        "RequestAttributesSequence>ScheduledProcedureStepDescription",
        "ScheduledStepAttributesSequence>ScheduledProcedureStepDescription",
    ),
    (
        "ScheduledProcedureStepSequence>ScheduledProtocolCodeSequence",
        "RequestAttributesSequence>ScheduledProtocolCodeSequence",
        "ScheduledStepAttributesSequence>ScheduledProtocolCodeSequence",
    ),
    ("RequestedProcedureCodeSequence", "ProcedureCodeSequence", "ProcedureCodeSequence"),
    ("PatientName", "PatientName", "PatientName"),
    ("PatientID", "PatientID", "PatientID"),
    ("PatientBirthDate", "PatientBirthDate", "PatientBirthDate"),
    ("PatientSex", "PatientSex", "PatientSex"),
    (
        "ScheduledProcedureStepSequence>ScheduledPerformingPhysicianName",
        "PerformingPhysicianName",
        "PerformedSeriesSequence>PerformingPhysicianName",
    ),
]


@pytest.mark.parametrize("profile", ["mr", "rf"])
@pytest.mark.parametrize(("worklist", "image", "mpps"), TABLE_8_1_29)
def test_the_default_mapping_is_the_statement_s(profile: str, worklist: str, image: str, mpps: str) -> None:
    wanted = MappingRule(parse_path(worklist), parse_path(image), parse_path(mpps))
    assert wanted in load_profile(profile).mapping


def test_several_steps_and_items_each_have_their_request() -> None:
    second = worklist_item(step(3))
    second.RequestedProcedureID = "RP2"
    items = [worklist_item(step(1), step(2)), second]
    requests = map_to_image(items, RULES).RequestAttributesSequence
    assert [(r.RequestedProcedureID, r.ScheduledProcedureStepID) for r in requests] == [
        ("RP1", "SPS1"),
        ("RP1", "SPS2"),
        ("RP2", "SPS3"),
    ]
    assert len(map_to_mpps(items, RULES).ScheduledStepAttributesSequence) == 3


def test_no_item_gives_no_attribute() -> None:
    assert len(map_to_image([], RULES)) == 0
    assert len(map_to_mpps([], RULES)) == 0
    assert len(map_to_performed_series([], RULES)) == 0


@pytest.mark.parametrize("steps", ["empty", "absent", "empty item"])
def test_an_item_without_step_still_gives_patient_and_request(steps: str) -> None:
    item = worklist_item(*([Dataset()] if steps == "empty item" else []))
    if steps == "absent":
        del item.ScheduledProcedureStepSequence
    image = map_to_image([item], RULES)
    assert image.PatientID == "0000001"
    assert [len(request) for request in image.RequestAttributesSequence] == [1]
    assert len(map_to_mpps([item], RULES).ScheduledStepAttributesSequence) == 1


def test_empty_values_and_empty_codes_are_no_values() -> None:
    item = worklist_item(step(1))
    item.AccessionNumber = ""
    item.PatientName = "^^="
    item.RequestedProcedureCodeSequence = Sequence([Dataset(), code("")])
    item.RequestedProcedureCodeSequence[1].CodingSchemeDesignator = ""
    item.RequestedProcedureCodeSequence[1].CodeMeaning = ""
    image = map_to_image([item], RULES)
    assert not {"AccessionNumber", "PatientName", "ProcedureCodeSequence"} & set(image.dir())


def test_only_filled_items_of_a_sequence_are_copied() -> None:
    item = worklist_item(step(1))
    item.RequestedProcedureCodeSequence = Sequence([Dataset(), code("UGI")])
    copied = map_to_image([item], RULES).ProcedureCodeSequence
    assert [entry.CodeValue for entry in copied] == ["UGI"]
    copied[0].CodeValue = "CHANGED"
    assert item.RequestedProcedureCodeSequence[1].CodeValue == "UGI"


def test_the_first_rule_with_a_value_decides() -> None:
    item = worklist_item(step(1))
    item.PerformingPhysicianName = "First^Rule"
    assert map_to_image([item], RULES).PerformingPhysicianName == "First^Rule"


def test_long_text_is_cut_and_identifiers_are_not() -> None:
    rules = [
        MappingRule(parse_path("RequestedProcedureComments"), parse_path("StudyDescription"), None),
        MappingRule(parse_path("PatientID"), parse_path("StudyID"), None),
    ]
    item = Dataset()
    item.RequestedProcedureComments = "x" * 100
    item.PatientID = "9" * 20
    image = map_to_image([item], rules)
    assert image.StudyDescription == "x" * 64
    assert image.StudyID == "9" * 20


def test_other_vrs_are_written_as_text() -> None:
    rules = [MappingRule(parse_path("PatientWeight"), parse_path("ImageComments"), None)]
    item = Dataset()
    item.PatientWeight = "71.5"
    image = map_to_image([item], rules)
    assert (image["ImageComments"].VR, image.ImageComments) == ("LT", "71.5")


def test_values_that_have_no_place_are_refused_beforehand() -> None:
    rule = MappingRule(parse_path("PatientName"), parse_path("PatientWeight"), None)
    assert (
        describe_misfit(rule) == "(0010,0010) PatientName is PN and cannot go to (0010,1030) PatientWeight, which is DS"
    )
    assert not describe_misfit(MappingRule(parse_path("PatientID"), None, parse_path("StudyID")))


def put_raw(item: Dataset, keyword: str, vr: str, value: bytes) -> None:
    """Put an element there as it comes from a peer, right or wrong."""
    tag = Tag(keyword)
    item[tag] = RawDataElement(tag, vr, len(value), value, 0, False, True)


def received(item: Dataset) -> Dataset:
    """The item as it comes from a peer: not decoded yet."""
    item.file_meta = FileMetaDataset()
    item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = BytesIO()
    item.save_as(buffer)
    return Dataset(dcmread(BytesIO(buffer.getvalue()), force=True))


def test_names_of_every_script_arrive() -> None:
    item = worklist_item(step(1))
    item.SpecificCharacterSet = "ISO_IR 192"
    image = map_to_image([received(item)], RULES)
    assert str(image.PatientName) == "Yamada^Tarou=山田^太郎"
    assert image.RequestAttributesSequence[0].ScheduledProcedureStepID == "SPS1"


def test_unreadable_values_are_no_values() -> None:
    item = worklist_item(step(1))
    put_raw(item, "PregnancyStatus", "US", b"\x04")
    rules = [MappingRule(parse_path("PregnancyStatus"), parse_path("PregnancyStatus"), None), *RULES]
    image = map_to_image([item], rules)
    assert image.PatientID == "0000001"
    assert "PregnancyStatus" not in image


@pytest.mark.parametrize(
    "missing",
    [("CodeValue",), ("CodingSchemeDesignator",), ("CodeMeaning",), ("CodingSchemeDesignator", "CodeMeaning")],
)
def test_an_incomplete_code_is_left_out(missing: tuple[str, ...]) -> None:
    whole, broken = code("UGI"), code("HEAD")
    for keyword in missing:
        setattr(broken, keyword, "")
    item = worklist_item(step(1))
    item.RequestedProcedureCodeSequence = Sequence([broken, whole])
    item.ScheduledProcedureStepSequence[0].ScheduledProtocolCodeSequence = Sequence([broken])
    step_of, image = map_to_mpps([item], RULES), map_to_image([item], RULES)
    for mapped in (step_of, image):
        (kept,) = mapped.ProcedureCodeSequence
        assert kept.CodeValue == "UGI"
    (scheduled,) = step_of.ScheduledStepAttributesSequence
    assert "ScheduledProtocolCodeSequence" not in scheduled
    assert "PerformedProtocolCodeSequence" not in step_of


def test_a_code_with_a_long_value_or_a_urn_is_whole() -> None:
    long, urn, too_long = code(""), Dataset(), code("X" * 17)
    long.LongCodeValue, long.CodeMeaning = "L" * 20, "long"
    urn.URNCodeValue, urn.CodeMeaning = "urn:oid:1.2.3", "by URN"
    item = worklist_item(step(1))
    item.RequestedProcedureCodeSequence = Sequence([long, urn, too_long])
    mapped = map_to_image([item], RULES).ProcedureCodeSequence
    assert [("LongCodeValue" in each, "URNCodeValue" in each) for each in mapped] == [(True, False), (False, True)]


@pytest.mark.parametrize(
    ("keyword", "value", "kept"),
    [
        ("PatientBirthDate", "19810229", None),
        ("PatientBirthDate", "00000000", None),
        ("PatientBirthDate", "1981.02.28", "19810228"),
        ("PatientSex", "Female", None),
        ("PatientSex", "f", "F"),
        ("PatientWeight", "72,5", 72.5),
        ("PatientWeight", "1,234", None),
        ("PatientWeight", "NaN", None),
        ("PatientWeight", "72.456412596987676812", 72.4564125969877),
        ("PatientID", "9" * 70, "9" * 70),
        ("PatientName", "D" * 70, "D" * 64),
        ("RequestedProcedureDescription", "x" * 70, "x" * 64),
    ],
)
def test_what_is_no_value_is_mended_or_left_out(keyword: str, value: str, kept: object) -> None:
    item = worklist_item(step(1))
    item.add(DataElement(Tag(keyword), dictionary_VR(keyword), value, already_converted=True))
    mapped = map_to_image([item], RULES)
    target = "StudyDescription" if keyword not in mapped and keyword == "RequestedProcedureDescription" else keyword
    assert mapped.get(target) == kept


def test_an_item_that_names_a_character_set_of_its_own_takes_that_of_the_whole() -> None:
    item = worklist_item(step(1))
    item.RequestedProcedureCodeSequence[0].SpecificCharacterSet = "ISO_IR 192"
    assert "SpecificCharacterSet" not in map_to_image([item], RULES).ProcedureCodeSequence[0]


WRITTEN_AS_TEXT = (
    "ScheduledStationAETitle", "PatientAge", "Modality", "PatientBirthDate", "PatientWeight", "AcquisitionDateTime",
    "InstanceNumber", "ScheduledProcedureStepStartTime", "AccessionNumber", "PatientID", "InstitutionAddress",
    "PatientComments", "LongCodeValue", "TextValue",
)  # fmt: skip
"""One attribute of each VR whose values are characters."""


@pytest.mark.parametrize("source", WRITTEN_AS_TEXT)
def test_what_is_written_in_characters_goes_into_any_text(source: str) -> None:
    assert describe_misfit(MappingRule(parse_path(source), parse_path("StudyDescription"), None)) == ""
    back = describe_misfit(MappingRule(parse_path("StudyDescription"), parse_path(source), None))
    assert (back == "") is (dictionary_VR(source) in ("SH", "LO", "ST", "LT", "UC", "UT"))


@pytest.mark.parametrize("source", ["StudyInstanceUID", "PatientName", "Rows", "ReferencedStudySequence"])
def test_what_is_not_goes_into_none(source: str) -> None:
    assert "cannot go to" in describe_misfit(MappingRule(parse_path(source), parse_path("StudyDescription"), None))
