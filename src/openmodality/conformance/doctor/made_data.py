"""Makes what an examination writes: images, a performed step and a film of a patient who is plainly a test."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pydicom import Dataset

from openmodality.encoding.uid import new_uid
from openmodality.standard import sop_classes
from openmodality.standard.performed_step import StepStatus
from openmodality.standard.sop_classes import STORAGE_ROOT

TEST_PATIENT_NAME: Final = "TEST^OPENMODALITY^^DO NOT USE"
TEST_PATIENT_ID: Final = "OM-TEST-DELETE"
_DESCRIPTION: Final = "OPENMODALITY PEER CHECK, DELETE"

MODALITIES: Final = {
    sop_classes.MR_IMAGE_STORAGE: "MR",
    sop_classes.X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE: "RF",
    sop_classes.X_RAY_ANGIOGRAPHIC_IMAGE_STORAGE: "XA",
    sop_classes.COMPUTED_RADIOGRAPHY_IMAGE_STORAGE: "CR",
    sop_classes.SECONDARY_CAPTURE_IMAGE_STORAGE: "OT",
    f"{STORAGE_ROOT}2": "CT",
    f"{STORAGE_ROOT}1.1": "DX",
    f"{STORAGE_ROOT}1.2": "MG",
    f"{STORAGE_ROOT}6.1": "US",
    f"{STORAGE_ROOT}128": "PT",
    f"{STORAGE_ROOT}20": "NM",
    f"{STORAGE_ROOT}481.1": "RTIMAGE",
}
"""The SOP classes of which test images are made, with their modalities; those of our devices first."""

_ROWS, _COLUMNS = 64, 64


class MadeStudy:
    """The study of one examination; its UIDs are new."""

    def __init__(self, now: datetime) -> None:
        self.study_instance_uid = new_uid()
        self.date, self.time = now.strftime("%Y%m%d"), now.strftime("%H%M%S")
        self.number = now.strftime("%m%d%H%M%S")

    def make_image(self, sop_class_uid: str, number: int, shade: int = 0) -> Dataset:
        """A small image, a series by itself; ``shade`` changes its pixels."""
        image = self._make_patient()
        image.SOPClassUID, image.SOPInstanceUID = sop_class_uid, new_uid()
        image.StudyInstanceUID, image.SeriesInstanceUID = self.study_instance_uid, new_uid()
        image.ImageType = ["DERIVED", "SECONDARY"]
        image.StudyDate = image.SeriesDate = image.ContentDate = self.date
        image.StudyTime = image.SeriesTime = image.ContentTime = self.time
        image.Modality = MODALITIES.get(sop_class_uid, "OT")
        image.Manufacturer = "OpenModality"
        image.StudyDescription = image.SeriesDescription = _DESCRIPTION
        image.StudyID, image.AccessionNumber, image.ReferringPhysicianName = self.number, "", ""
        image.SeriesNumber, image.InstanceNumber = number, 1
        image.ConversionType = "SYN"
        image.PatientOrientation = ["L", "P"]
        image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
        image.Rows, image.Columns = _ROWS, _COLUMNS
        image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 12, 11, 0
        image.PixelData = _draw_ramp(shade)
        return image

    def make_new_step(self, station_ae_title: str) -> Dataset:
        """The attributes of N-CREATE of a step that nobody has scheduled (PS3.4 Table F.7.2-1)."""
        step = self._make_patient()
        scheduled = Dataset()
        scheduled.StudyInstanceUID = self.study_instance_uid
        scheduled.ReferencedStudySequence = []
        for keyword in ("AccessionNumber", "RequestedProcedureID", "RequestedProcedureDescription"):
            setattr(scheduled, keyword, "")
        scheduled.ScheduledProcedureStepID = scheduled.ScheduledProcedureStepDescription = ""
        scheduled.ScheduledProtocolCodeSequence = []
        step.ScheduledStepAttributesSequence = [scheduled]
        step.ReferencedPatientSequence = []
        step.PerformedProcedureStepID = self.number
        step.PerformedStationAETitle = station_ae_title
        step.PerformedStationName = step.PerformedLocation = ""
        step.PerformedProcedureStepStartDate, step.PerformedProcedureStepStartTime = self.date, self.time
        step.PerformedProcedureStepStatus = StepStatus.IN_PROGRESS.value
        step.PerformedProcedureStepDescription = _DESCRIPTION
        step.PerformedProcedureTypeDescription = ""
        step.ProcedureCodeSequence = []
        step.PerformedProcedureStepEndDate = step.PerformedProcedureStepEndTime = ""
        step.Modality, step.StudyID = "OT", self.number
        step.PerformedProtocolCodeSequence = []
        step.PerformedSeriesSequence = []
        return step

    def make_step_end(self) -> Dataset:
        """The attributes of the N-SET that discontinues the step: nothing was done."""
        end = Dataset()
        end.PerformedProcedureStepStatus = StepStatus.DISCONTINUED.value
        end.PerformedProcedureStepEndDate, end.PerformedProcedureStepEndTime = self.date, self.time
        series = Dataset()
        series.PerformingPhysicianName = series.OperatorsName = ""
        series.ProtocolName = "TEST"
        series.SeriesInstanceUID = new_uid()
        series.SeriesDescription, series.RetrieveAETitle = _DESCRIPTION, ""
        series.ReferencedImageSequence = []
        series.ReferencedNonImageCompositeSOPInstanceSequence = []
        end.PerformedSeriesSequence = [series]
        return end

    def _make_patient(self) -> Dataset:
        data_set = Dataset()
        data_set.PatientName, data_set.PatientID = TEST_PATIENT_NAME, TEST_PATIENT_ID
        data_set.PatientBirthDate, data_set.PatientSex = "19000101", "O"
        return data_set


def make_film_session() -> Dataset:
    """One copy, when the printer has nothing else to do."""
    session = Dataset()
    session.NumberOfCopies, session.PrintPriority, session.FilmSessionLabel = 1, "LOW", "TEST"
    return session


def make_film_box(session_uid: str) -> Dataset:
    """A film with one image, of a size that the printer chooses."""
    box = Dataset()
    box.ImageDisplayFormat = r"STANDARD\1,1"
    box.FilmOrientation = "PORTRAIT"
    reference = Dataset()
    reference.ReferencedSOPClassUID = sop_classes.BASIC_FILM_SESSION
    reference.ReferencedSOPInstanceUID = session_uid
    box.ReferencedFilmSessionSequence = [reference]
    return box


def make_image_box(*, is_color: bool) -> Dataset:
    """The one image of the film: a ramp of grey, which says by itself that it is no patient's."""
    pixels = Dataset()
    pixels.SamplesPerPixel = 3 if is_color else 1
    pixels.PhotometricInterpretation = "RGB" if is_color else "MONOCHROME2"
    if is_color:
        pixels.PlanarConfiguration = 1
    pixels.Rows, pixels.Columns = _ROWS, _COLUMNS
    pixels.PixelAspectRatio = [1, 1]
    pixels.BitsAllocated = pixels.BitsStored = 8
    pixels.HighBit, pixels.PixelRepresentation = 7, 0
    ramp = bytes(column * 4 for _ in range(_ROWS) for column in range(_COLUMNS))
    pixels.PixelData = ramp * pixels.SamplesPerPixel
    pixels["PixelData"].VR = "OB"
    box = Dataset()
    box.ImageBoxPosition = 1
    setattr(box, "BasicColorImageSequence" if is_color else "BasicGrayscaleImageSequence", [pixels])
    return box


def _draw_ramp(shade: int) -> bytes:
    return b"".join(
        ((column * 64 + row + shade) % 4096).to_bytes(2, "little") for row in range(_ROWS) for column in range(_COLUMNS)
    )
