"""R/F 8.1: the objects of the R/F device as they reach an archive, judged by dciodvfy and by the statement itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID

from openmodality import IrradiationEvent
from openmodality.acquisition.rf_simulator import RfSimulator
from openmodality.acquisition.xray_protocol import UPPER_GI, ImageKind
from tests.acceptance.requirements.pynetdicom_hospital import EXPLICIT, recorded_device
from tests.acceptance.requirements.test_rf_association import full_item
from tests.devices import pixels
from tests.dose_templates import find_faults
from tests.peers.dicom3tools import dciodvfy_errors
from tests.peers.process import wait_until

XA, RF, SC = "1.2.840.10008.5.1.4.1.1.12.1", "1.2.840.10008.5.1.4.1.1.12.2", "1.2.840.10008.5.1.4.1.1.7"
CR, DOSE_SR = "1.2.840.10008.5.1.4.1.1.1", "1.2.840.10008.5.1.4.1.1.88.67"
IMAGES = (XA, RF, SC, CR)
PROTOCOLS = [
    replace(UPPER_GI[1], matrix=64, duration_s=0.1, kind=kind, name=kind.value[1], body_part="ABDOMEN")
    for kind in (ImageKind.RADIOFLUOROSCOPIC, ImageKind.ANGIOGRAPHIC, ImageKind.COMPUTED_RADIOGRAPHY)
]
DEVICE = """
[device]
manufacturer = "Maker"
model = "Model"
serial_number = "S-1"
station_name = "ROOM1"
[parameters.behaviour]
rdsr_units = "statement"
rdsr_patient_study = false
rdsr_partial_interval_s = 0
"""


@dataclass(frozen=True, slots=True)
class Made:
    """What an archive got of one scheduled exam, by SOP class, and of one that was not scheduled."""

    scheduled: dict[str, Dataset]
    by_hand: dict[str, Dataset]
    item: Dataset
    all: list[Dataset]
    n_set: Dataset


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    item = full_item()
    item.AdditionalPatientHistory = "no prior records"
    with recorded_device(tmp_path_factory.mktemp("rf"), "rf", items=[item], more=DEVICE) as recorded:
        recorder = recorded.recorder
        sent: list[list[Dataset]] = []
        n_sets: list[Dataset] = []
        with recorded.modality() as modality:
            for scheduled in (True, False):
                recorder.forget()
                person = {"PatientID": "1", "PatientName": "Doe^Jane", "PatientBirthDate": "19700101"}
                exam = modality.start_exam(modality.worklist()[0]) if scheduled else modality.register(person)
                exam.acquire(RfSimulator(PROTOCOLS))
                exam.series("SC", sop_class_uid=SC).add(pixels())
                exam.complete()
                assert modality.wait_until_idle(20)
                # Four images; a PARTIAL report with each of the three exposures, and a COMPLETE one.
                wait_until(lambda: len(recorder.requests("C-STORE-RQ")) == 8)
                wait_until(lambda: recorder.requests("N-SET-RQ") != [])
                recorder.closed()
                sent.append([each.data for each in recorder.requests("C-STORE-RQ")])
                n_sets.append(recorder.requests("N-SET-RQ")[0].data)
        last = [{str(each.SOPClassUID): each for each in sorted(day, key=_get_number)} for day in sent]
        yield Made(last[0], last[1], item, sent[0], n_sets[0])


def _get_number(data_set: Dataset) -> int:
    return int(data_set.InstanceNumber)


def each(made: Made, *classes: str) -> list[Dataset]:
    """The objects of some classes, scheduled and not."""
    return [day[uid] for day in (made.scheduled, made.by_hand) for uid in classes]


@pytest.mark.requirement("RF-8.1.1-01", "RF-4.2.1.3.1.3-10")
@pytest.mark.needs("dciodvfy")
@pytest.mark.parametrize("sop_class", [*IMAGES, DOSE_SR])
def test_dciodvfy_finds_no_error(made: Made, tmp_path: Path, sop_class: str) -> None:
    for number, data_set in enumerate(each(made, sop_class)):
        path = tmp_path / f"{number}.dcm"
        data_set.file_meta = FileMetaDataset()
        data_set.file_meta.TransferSyntaxUID = UID(EXPLICIT)
        data_set.file_meta.MediaStorageSOPClassUID = data_set.SOPClassUID
        data_set.file_meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID
        data_set.save_as(path, implicit_vr=False, little_endian=True, enforce_file_format=True)
        assert dciodvfy_errors(path) == []


ALL_IMAGES = (
    "PatientID", "PatientName", "StudyInstanceUID", "Modality", "SeriesInstanceUID", "Manufacturer", "InstanceNumber",
    "Rows", "PixelData", "WindowCenter", "SOPInstanceUID",
)  # fmt: skip
"""One attribute at least of Patient, General Study, General Series, General Equipment, General Image, Image Pixel, VOI
LUT and SOP Common.
"""
EMPTY_IN_IMAGES = (
    "ClinicalTrialSponsorName", "ClinicalTrialTimePointID", "ClinicalTrialCoordinatingCenterName",
    "SynchronizationFrameOfReferenceUID", "ContrastBolusAgent", "FrameTime", "NumberOfFrames",
    "MaskSubtractionSequence", "DeviceSequence", "InterventionSequence", "ModalityLUTSequence",
)  # fmt: skip


def modules(*keywords: str, sop_class: str, requirement: str) -> object:
    return pytest.param(sop_class, keywords, marks=pytest.mark.requirement(requirement))


@pytest.mark.parametrize(
    ("sop_class", "keywords"),
    [
        modules("ImageType", "PixelIntensityRelationship", sop_class=XA, requirement="RF-8.1.1.1-01"),
        modules("ImageType", "PixelIntensityRelationship", sop_class=RF, requirement="RF-8.1.1.2-01"),
        modules("ConversionType", "DateOfSecondaryCapture", sop_class=SC, requirement="RF-8.1.1.3-01"),
        modules("PatientAge", "ViewPosition", "BodyPartExamined", sop_class=CR, requirement="RF-8.1.1.5-01"),
    ],
)
def test_modules_of_images(made: Made, sop_class: str, keywords: tuple[str, ...]) -> None:
    for image in each(made, sop_class):
        assert [keyword for keyword in (*ALL_IMAGES, *keywords) if keyword not in image] == []
        assert [keyword for keyword in EMPTY_IN_IMAGES if keyword in image] == []
        assert [element.tag for element in image if element.tag.group == 0x6000] == []  # Overlay Plane


@pytest.mark.requirement("RF-8.1.1.4-01", "RF-8.1.1.8-01", "RF-8.1.1.8-02", "RF-8.1.1.8-03")
def test_header_of_the_dose_report(made: Made) -> None:
    present = (
        "PatientID", "PatientName", "StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber", "SeriesDate", "SeriesTime",
        "Manufacturer", "ManufacturerModelName", "DeviceSerialNumber", "SoftwareVersions", "StationName",
        "InstanceNumber", "ContentDate", "ContentTime", "ContentSequence", "SOPInstanceUID",
    )  # fmt: skip
    absent = (
        "ClinicalTrialSponsorName", "ClinicalTrialTimePointID", "ClinicalTrialCoordinatingCenterName",
        "SynchronizationFrameOfReferenceUID", "PatientAge", "PatientSize", "PixelData",
    )  # fmt: skip
    for report in each(made, DOSE_SR):
        assert [keyword for keyword in present if not report.get(keyword)] == []
        assert [keyword for keyword in absent if keyword in report] == []
        assert "ReferencedPerformedProcedureStepSequence" in report
        assert "PerformedProcedureCodeSequence" in report
        assert report.InstanceNumber == 4
        assert (report.Modality, report.CompletionFlag, report.VerificationFlag) == ("SR", "COMPLETE", "UNVERIFIED")
        assert (report.Manufacturer, report.ManufacturerModelName) == ("Maker", "Model")
        assert (report.StationName, report.DeviceSerialNumber) == ("ROOM1", "S-1")


def find(items: list[Dataset], value: str) -> Iterator[Dataset]:
    """The content items of a concept name, at any depth."""
    for item in items:
        if "ConceptNameCodeSequence" in item and item.ConceptNameCodeSequence[0].CodeValue == value:
            yield item
        yield from find(item.get("ContentSequence", []), value)


@pytest.mark.requirement("RF-8.1.1.8-05", "RF-8.1.1.8-08")
def test_content_of_the_dose_report(made: Made) -> None:
    for report in each(made, DOSE_SR):
        content = list(report.ContentSequence)
        accumulated, events = [*find(content, "113702")], [*find(content, "113706")]
        assert (len(accumulated), len(events)) == (1, len(PROTOCOLS))
        for container, template in [(accumulated[0], "10002"), *((event, "10003") for event in events)]:
            assert container.ContentTemplateSequence[0].TemplateIdentifier == template
            assert [*find([container], "113764")]
        assert {item.TextValue for item in find(content, "121016")} == {report.DeviceSerialNumber}
        for code, unit in (("122130", "dGy.cm2"), ("113738", "mGy")):
            values = [item.MeasuredValueSequence[0] for item in find(content, code)]
            assert values
            assert {each.MeasurementUnitsCodeSequence[0].CodeValue for each in values} == {unit}


@pytest.mark.requirement("RF-8.1.1.8-06")
def test_observer_and_study_of_a_dose_report(tmp_path: Path) -> None:
    """Where no RIS is told of a performed step, the dose is that of the study.

    Enhanced General Equipment has Station Name always, also where the site has none; General Equipment has not.
    """
    device = DEVICE.replace('station_name = "ROOM1"\n', "")
    with recorded_device(tmp_path, "rf", more=device, services=("storage",)) as recorded:
        with recorded.modality() as modality:
            with modality.exam(patient={"PatientID": "1"}) as exam:
                exam.acquire(RfSimulator(PROTOCOLS[:1]))
            assert modality.wait_until_idle(20)
        reports = [each.data for each in recorded.recorder.requests("C-STORE-RQ") if each.data.Modality == "SR"]
        report = max(reports, key=_get_number)
        assert {item.TextValue for item in find(report.ContentSequence, "121016")} == {"S-1"}
        assert (report.DeviceSerialNumber, report.StationName) == ("S-1", "")
        assert {item.UID for item in find(report.ContentSequence, "110180")} == {report.StudyInstanceUID}


def _read(item: Dataset) -> Decimal:
    return Decimal(str(item.MeasuredValueSequence[0].NumericValue))


def test_image_step_and_report_say_the_same_to_the_last_digit(made: Made) -> None:
    report = made.scheduled[DOSE_SR]
    (accumulated,), events = [*find(report.ContentSequence, "113702")], [*find(report.ContentSequence, "113706")]
    images = [each for each in made.all if str(each.SOPClassUID) in (XA, RF, CR)]
    for event in events:
        (uid,) = find([event], "113769")
        own = [each for each in images if each.IrradiationEventUID == uid.UID]
        product = sum(Decimal(str(each.ImageAndFluoroscopyAreaDoseProduct)) for each in own)
        assert product == _read(next(find([event], "122130")))
        assert {Decimal(str(each.KVP)) for each in own} == {_read(next(find([event], "113733")))}
        (referred,) = find([event], "113795")
        assert [each.SOPInstanceUID for each in own] == [referred.ReferencedSOPSequence[0].ReferencedSOPInstanceUID]
    total = _read(next(find([accumulated], "113722")))
    assert total == sum(_read(next(find([event], "122130"))) for event in events)
    assert total == Decimal(str(made.n_set.ImageAndFluoroscopyAreaDoseProduct))
    assert Decimal(str(made.n_set.EntranceDoseInmGy)) == sum(Decimal(str(each.EntranceDoseInmGy)) for each in images)
    exposures = made.n_set.ExposureDoseSequence
    for keyword, factor, concept in (("KVP", 1, "113733"), ("XRayTubeCurrentInuA", 1000, "113734")):
        told = [Decimal(str(item[keyword].value)) for item in exposures]
        assert told == [factor * _read(next(find([event], concept))) for event in events]
    # An Integer String: of each exposure, and of the time of fluoroscopy.
    assert [item.ExposureTime for item in exposures] == [
        round(_read(next(find([event], "113824")))) for event in events
    ]
    assert made.n_set.TotalTimeOfFluoroscopy == round(_read(next(find([accumulated], "113730"))))


def test_reports_are_partial_until_the_step_ends_and_the_last_names_them(made: Made) -> None:
    reports = sorted((each for each in made.all if each.SOPClassUID == DOSE_SR), key=_get_number)
    assert [each.CompletionFlag for each in reports] == ["PARTIAL"] * 3 + ["COMPLETE"]
    uids = [each.SOPInstanceUID for each in reports]
    assert len(set(uids)) == 4
    assert [len([*find(each.ContentSequence, "113706")]) for each in reports] == [1, 2, 3, 3]
    (study,) = reports[-1].PredecessorDocumentsSequence
    named = [item.ReferencedSOPInstanceUID for item in study.ReferencedSeriesSequence[0].ReferencedSOPSequence]
    assert sorted(named) == sorted(uids[:-1])
    in_step = [
        item.ReferencedSOPInstanceUID
        for series in made.n_set.PerformedSeriesSequence
        for item in series.ReferencedNonImageCompositeSOPInstanceSequence
    ]
    assert sorted(in_step) == sorted(uids)


def test_events_do_not_overlap(made: Made) -> None:
    spans = []
    for event in find(made.scheduled[DOSE_SR].ContentSequence, "113706"):
        started = datetime.strptime(str(next(find([event], "111526")).DateTime), "%Y%m%d%H%M%S.%f")
        spans.append((started, started + timedelta(seconds=float(_read(next(find([event], "113742")))))))
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(spans))


@pytest.mark.requirement("RF-8.1.1.8-04")
def test_the_tree_follows_its_templates(made: Made) -> None:
    for report in each(made, DOSE_SR):
        (root,) = report.ConceptNameCodeSequence
        assert (root.CodeValue, root.CodeMeaning) == ("113701", "X-Ray Radiation Dose Report")
        assert report.ContinuityOfContent == "SEPARATE"
        (template,) = report.ContentTemplateSequence
        assert (template.MappingResource, template.TemplateIdentifier) == ("DCMR", "10001")
        assert find_faults(report, statement_units=True) == []


REFERENCE = """
[device]
serial_number = "S-1"
institution_name = "Clinic"
institution_address = "Street 9"
department = "X-ray"
physicians_of_record = "House^G"
[parameters.dose]
reference_point_definition = "30.0 cm Plate"
reference_point_distance_mm = 300
calibration_datetime = "20260115000000"
calibration_responsible_party = "Physics"
"""
SHUTTER = {
    "ShutterShape": "RECTANGULAR", "ShutterLeftVerticalEdge": 2, "ShutterRightVerticalEdge": 14,
    "ShutterUpperHorizontalEdge": 0, "ShutterLowerHorizontalEdge": 15, "ShutterPresentationValue": 0,
}  # fmt: skip
SHOT = {"KVP": 80, "XRayTubeCurrent": 200, "ExposureTime": 50, "ImageAndFluoroscopyAreaDoseProduct": 1.5}


@pytest.fixture(scope="module")
def by_program(tmp_path_factory: pytest.TempPathFactory) -> list[Dataset]:
    """What an archive gets of images that a program hands over, in pairs: without an exposure, and with one."""
    with recorded_device(tmp_path_factory.mktemp("own"), "rf", more=REFERENCE, services=("storage",)) as recorded:
        with recorded.modality() as modality:
            with modality.exam(patient={"PatientID": "1"}) as exam:
                for sop_class in (XA, RF, CR):
                    with exam.series("A", sop_class_uid=sop_class) as series:
                        series.add(pixels())
                        series.add(pixels(), irradiation=IrradiationEvent(**SHOT), **SHUTTER)
            assert modality.wait_until_idle(30)
        return [each.data for each in recorded.recorder.requests("C-STORE-RQ")]


def _pair(by_program: list[Dataset], sop_class: str) -> tuple[Dataset, Dataset]:
    plain, exposed = sorted((each for each in by_program if each.SOPClassUID == sop_class), key=_get_number)
    return plain, exposed


@pytest.mark.requirement("RF-8.1.1.6-11")
@pytest.mark.parametrize("sop_class", [XA, RF])
def test_the_shutter_is_what_a_person_sets(by_program: list[Dataset], sop_class: str) -> None:
    plain, exposed = _pair(by_program, sop_class)
    assert {keyword: exposed.get(keyword) for keyword in SHUTTER} == SHUTTER
    assert [keyword for keyword in SHUTTER if keyword in plain] == []


@pytest.mark.requirement("RF-8.1.1.7-09")
def test_what_a_cr_image_says_of_its_exposure(by_program: list[Dataset]) -> None:
    plain, exposed = _pair(by_program, CR)
    keywords = ("KVP", "ExposureTime", "XRayTubeCurrent", "ImageAndFluoroscopyAreaDoseProduct", "IrradiationEventUID")
    assert [keyword for keyword in keywords if keyword in plain] == []
    assert [keyword for keyword in keywords if not exposed.get(keyword)] == []
    assert (float(exposed.KVP), exposed.ExposureTime, exposed.XRayTubeCurrent) == (80, 50, 200)


def test_what_ps3_3_has_as_type_2_is_empty_without_an_exposure(by_program: list[Dataset]) -> None:
    plain, exposed = _pair(by_program, XA)
    for keyword in ("KVP", "ExposureTime", "XRayTubeCurrent", "PositionerPrimaryAngle", "PositionerSecondaryAngle"):
        assert plain[keyword].is_empty
    assert float(exposed.KVP) == 80


def test_what_the_site_says_where_no_worklist_does(by_program: list[Dataset]) -> None:
    for image in by_program:
        assert (image.InstitutionName, image.InstitutionAddress) == ("Clinic", "Street 9")
        assert (image.InstitutionalDepartmentName, image.PhysiciansOfRecord) == ("X-ray", "House^G")


@pytest.mark.requirement("RF-8.1.1.8-07")
def test_the_reference_point_is_that_of_the_site(by_program: list[Dataset]) -> None:
    report = max((each for each in by_program if each.SOPClassUID == DOSE_SR), key=_get_number)
    assert {item.TextValue for item in find(report.ContentSequence, "113780")} == {"30.0 cm Plate"}
    distances = [_read(item) for item in find(report.ContentSequence, "113737")]
    assert distances == [300] * 4  # of the sums, and of each event
    assert {item.TextValue for item in find(report.ContentSequence, "113724")} == {"Physics"}
    assert find_faults(report) == []


@pytest.mark.requirement("RF-8.1.1.6-01")
def test_patient(made: Made) -> None:
    for image in each(made, *IMAGES, DOSE_SR):
        assert image.PatientID
        assert [keyword for keyword in ("PatientName", "PatientBirthDate", "PatientSex") if keyword not in image] == []
    for image in (made.scheduled[sop_class] for sop_class in IMAGES):
        assert (image.PatientID, str(image.PatientName)) == (made.item.PatientID, str(made.item.PatientName))
    for image in (made.by_hand[sop_class] for sop_class in IMAGES):
        assert image.PatientSex == ""
        assert [keyword for keyword in ("OtherPatientIDs", "EthnicGroup", "PatientComments") if keyword in image] == []


# Attributes


@pytest.mark.requirement("RF-8.1.1-02", "RF-8.1.1-03", "RF-8.1.1.6-02")
def test_where_values_come_from(made: Made) -> None:
    """From the worklist, the user, the configuration and the device itself; what has no value goes out empty or not."""
    for sop_class in IMAGES:
        scheduled, by_hand = made.scheduled[sop_class], made.by_hand[sop_class]
        assert scheduled.StudyInstanceUID == made.item.StudyInstanceUID != by_hand.StudyInstanceUID
        assert scheduled.AccessionNumber == made.item.AccessionNumber != by_hand.AccessionNumber != ""
        assert (by_hand.PatientID, str(by_hand.PatientName)) == ("1", "Doe^Jane")  # USER
        assert scheduled.StationName == by_hand.StationName == "ROOM1"  # CONFIG
        assert by_hand.PatientSex == ""  # VNAP
        assert "PatientComments" in scheduled
        assert "PatientComments" not in by_hand  # ANAP
        assert scheduled.PatientOrientation in ("", None)  # EMPTY


@pytest.mark.requirement("RF-8.1.1.6-03")
def test_age_and_history(made: Made) -> None:
    for image in each(made, *IMAGES):
        assert image.PatientAge[-1:] == "Y"
    for uid in IMAGES:
        assert made.scheduled[uid].AdditionalPatientHistory == made.item.AdditionalPatientHistory
        assert "AdditionalPatientHistory" not in made.by_hand[uid]


@pytest.mark.requirement("RF-8.1.1.6-04")
def test_series(made: Made) -> None:
    for image in each(made, XA, RF):
        assert image.Modality in ("XA", "RF")
        assert image.SeriesInstanceUID
        assert image.PerformedProcedureStepID


@pytest.mark.requirement("RF-8.1.1.6-08", "RF-8.1.1.7-06")
def test_secondary_capture(made: Made) -> None:
    for image in each(made, SC):
        assert image.ConversionType == "DI"
        assert len(image.DateOfSecondaryCapture) == 8
        assert len(image.TimeOfSecondaryCapture) >= 6


@pytest.mark.requirement("RF-8.1.1.6-09", "RF-8.1.1.6-12")
def test_general_image(made: Made) -> None:
    for image in each(made, *IMAGES):
        assert image.PatientOrientation in ("", None)
        assert int(image.ImagesInAcquisition) >= 1
        assert image.SOPClassUID
        assert image.SOPInstanceUID
        assert image.InstanceNumber is not None


@pytest.mark.requirement("RF-8.1.1.6-10", "RF-8.1.1.7-01")
def test_pixels(made: Made) -> None:
    for image in each(made, *IMAGES):
        assert (image.BitsAllocated, image.PixelRepresentation, image.SamplesPerPixel) == (16, 0, 1)
        assert image.BitsStored in (16, 14, 12)
        assert image.HighBit == image.BitsStored - 1
        assert image.PhotometricInterpretation == "MONOCHROME2"
        assert len(image.PixelData) == 2 * image.Rows * image.Columns
    for image in each(made, XA, RF):
        assert image.ImageType
        assert image.PixelIntensityRelationship


@pytest.mark.requirement("RF-8.1.1.7-02", "RF-8.1.1.7-05", "RF-8.1.1.7-08")
def test_what_x_ray_images_always_have(made: Made) -> None:
    for image in each(made, XA, RF):
        assert image.RadiationSetting in ("SC", "GR")
    for image in each(made, *IMAGES):
        assert image.WindowWidth
        assert image.WindowCenter is not None
    for image in each(made, CR):
        assert image.BodyPartExamined == "ABDOMEN"
        assert image.ViewPosition in ("", None)


@pytest.mark.requirement("RF-8.1.1.7-07")
@pytest.mark.parametrize("sop_class", [XA, RF])
def test_table(tmp_path: Path, sop_class: str) -> None:
    """What the acquisition says of the table brings the module with it; what it does not say goes out empty."""
    with recorded_device(tmp_path, "rf", more=DEVICE) as recorded, recorded.modality() as modality:
        exam = modality.register({"PatientID": "1"})
        with exam.series("A", sop_class_uid=sop_class, KVP=80) as series:
            series.add(pixels(), TableMotion="STATIC", TableVerticalIncrement=2)
        exam.complete()
        assert modality.wait_until_idle(20)
        image = recorded.recorder.requests("C-STORE-RQ")[0].data
        assert (image.TableMotion, image.TableVerticalIncrement) == ("DYNAMIC", 2)
        for keyword in ("TableLateralIncrement", "TableLongitudinalIncrement", "TableAngle"):
            assert image[keyword].is_empty
