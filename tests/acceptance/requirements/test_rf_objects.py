"""R/F 8.1: the objects of the R/F device as they reach an archive, judged by dciodvfy and by the statement itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID

from openmodality.acquisition.rf_simulator import UPPER_GI, ImageKind, RfSimulator
from tests.acceptance.requirements.pynetdicom_hospital import EXPLICIT, recorded_device
from tests.acceptance.requirements.test_rf_association import full_item
from tests.devices import pixels
from tests.peers.dicom3tools import dciodvfy_errors
from tests.peers.process import wait_until

XA, RF, SC = "1.2.840.10008.5.1.4.1.1.12.1", "1.2.840.10008.5.1.4.1.1.12.2", "1.2.840.10008.5.1.4.1.1.7"
CR, DOSE_SR = "1.2.840.10008.5.1.4.1.1.1", "1.2.840.10008.5.1.4.1.1.88.67"
IMAGES = (XA, RF, SC, CR)
PROTOCOLS = [
    replace(UPPER_GI[1], matrix=64, duration_s=0.1, kind=kind, name=kind.value[1])
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
"""


@dataclass(frozen=True, slots=True)
class Made:
    """What an archive got of one scheduled exam, by SOP class, and of one that was not scheduled."""

    scheduled: dict[str, Dataset]
    by_hand: dict[str, Dataset]
    item: Dataset


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    item = full_item()
    with recorded_device(tmp_path_factory.mktemp("rf"), "rf", items=[item], more=DEVICE) as recorded:
        recorder = recorded.recorder
        sent: list[dict[str, Dataset]] = []
        with recorded.modality() as modality:
            for scheduled in (True, False):
                recorder.forget()
                person = {"PatientID": "1", "PatientName": "Doe^Jane", "PatientBirthDate": "19700101"}
                exam = modality.start_exam(modality.worklist()[0]) if scheduled else modality.register(person)
                exam.acquire(RfSimulator(PROTOCOLS))
                exam.series("SC", sop_class_uid=SC).add(pixels())
                exam.complete()
                assert modality.wait_until_idle(20)
                wait_until(lambda: len(recorder.requests("C-STORE-RQ")) == 5)
                recorder.closed()
                sent.append({str(each.data.SOPClassUID): each.data for each in recorder.requests("C-STORE-RQ")})
        yield Made(sent[0], sent[1], item)


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
        assert report.InstanceNumber == 1
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
        (report,) = (each.data for each in recorded.recorder.requests("C-STORE-RQ") if each.data.Modality == "SR")
        assert {item.TextValue for item in find(report.ContentSequence, "121016")} == {"S-1"}
        assert (report.DeviceSerialNumber, report.StationName) == ("S-1", "")
        assert {item.UID for item in find(report.ContentSequence, "110180")} == {report.StudyInstanceUID}


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
def test_age(made: Made) -> None:
    for image in each(made, *IMAGES):
        assert image.PatientAge[-1:] == "Y"


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
