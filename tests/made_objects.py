"""Every object that the two devices make, from the simulators and an invented exam."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

from pydicom.dataset import Dataset
from pydicom.uid import XRayRadiofluoroscopicImageStorage

from openmodality.acquisition.arrays import make_frames
from openmodality.acquisition.mr_protocol import SURVEY
from openmodality.acquisition.mr_simulator import MrSimulator
from openmodality.acquisition.rf_simulator import RfSimulator
from openmodality.acquisition.source import AcquiredFrame, AcquiredSeries
from openmodality.acquisition.xray_protocol import UPPER_GI, ImageKind
from openmodality.device.profile.loader import load_profile
from openmodality.objects.exam_facts import ExamFacts, InstanceFacts, SeriesFacts, StepReference
from openmodality.objects.identity import Uids
from openmodality.objects.image.image import ImageBuilder
from openmodality.objects.irradiation.event import IrradiationEvent
from openmodality.objects.irradiation.image_attributes import describe_exposure, merge_exposure
from openmodality.objects.report.dose_content import DoseContent, DoseUnitsName, ImageReference
from openmodality.objects.report.dose_report import build_dose_report
from openmodality.objects.rules.definition import ObjectDefinition

NOW = datetime(2026, 11, 22, 8, 30, 15)
UIDS = Uids()
NAMES = {
    "ascii": "Doe^Jane",
    "latin": "Müller^Jürgen",
    "japanese": "Yamada^Tarou=山田^太郎=やまだ^たろう",
    "katakana": "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
    "chinese": "Wang^XiaoDong=王^小东",
}
# The character sets of each device hold these.
WRITTEN = {"mr": ("ascii", "latin", "japanese", "katakana"), "rf": ("ascii", "latin", "japanese", "chinese")}


def code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "99TEST", meaning
    return item


def worklist(name: str) -> Dataset:
    """A worklist item after the attribute mapping, as the exam hands it over."""
    request = Dataset()
    request.RequestedProcedureID, request.ScheduledProcedureStepID = "RP1", "SPS1"
    request.ScheduledProcedureStepDescription = "Routine"
    request.ScheduledProtocolCodeSequence = [code("P1", "Protocol")]
    item = Dataset()
    item.PatientName, item.PatientID, item.PatientBirthDate, item.PatientSex = name, "0000001", "19700101", "O"
    item.AccessionNumber, item.ReferringPhysicianName = "A0001", name
    item.StudyDescription, item.Modality = "EXAM", "RF"
    item.RequestAttributesSequence = [request]
    item.PerformedProtocolCodeSequence = [code("P1", "Protocol")]
    item.PerformedProcedureStepDescription = "Routine"
    item.ReferencedStudySequence = []
    return item


def equipment() -> Dataset:
    data_set = Dataset()
    data_set.Manufacturer, data_set.ManufacturerModelName = "OpenModality", "Simulator"
    data_set.InstitutionName, data_set.StationName = "Test Hospital", "ROOM1"
    data_set.DeviceSerialNumber, data_set.SoftwareVersions = "1", "0.1"
    return data_set


def exam(scheduled: Dataset | None) -> ExamFacts:
    user = Dataset()
    user.PatientName, user.PatientID = "Unscheduled", "U1"
    return ExamFacts(
        study_instance_uid=UIDS(),
        started=NOW,
        study_id="1",
        accession_number="L1",
        step=StepReference(UIDS(), "PPS1", NOW),
        worklist=scheduled if scheduled is not None else Dataset(),
        user=user if scheduled is None else Dataset(),
        configuration=equipment(),
    )


@cache
def definition_of(profile_name: str, object_name: str) -> ObjectDefinition:
    """The definition of an object; profiles are read once, because that takes most of the time of a test."""
    return ObjectDefinition.of(load_profile(profile_name), object_name)


def acquired(object_name: str) -> AcquiredSeries:
    """A series that a simulator made, computed once; its attributes may be changed."""
    made = _simulate(object_name)
    frames = [AcquiredFrame(frame.pixels, deepcopy(frame.attributes)) for frame in made.frames]
    return replace(made, frames=frames, attributes=deepcopy(made.attributes))


@cache
def _simulate(object_name: str) -> AcquiredSeries:
    made = _scan(object_name)
    frames = list(made.frames)
    if made.irradiation is not None:
        event = made.irradiation.begin(UIDS(), NOW, len(frames))
        exposed = [merge_exposure(frame.attributes, describe_exposure(event, n)) for n, frame in enumerate(frames)]
        frames = [replace(frame, attributes=each) for frame, each in zip(frames, exposed, strict=True)]
    return replace(made, frames=frames)


def _scan(object_name: str) -> AcquiredSeries:
    if object_name == "MR Image":
        return next(iter(MrSimulator([replace(SURVEY[2], matrix=64, slices=2)], clock=lambda: NOW).series()))
    if object_name == "SC Image":
        frames = make_frames(next(iter(acquired("MR Image").frames)).pixels, {})
        return AcquiredSeries("screen", "OT", "", frames, 1)
    kind = next(kind for kind in ImageKind if kind.value[1] == object_name[:2])
    protocol = replace(UPPER_GI[1], matrix=64, kind=kind, duration_s=0.3)
    return next(iter(RfSimulator([protocol]).series()))


def instances(
    profile_name: str, object_name: str, scheduled: Dataset | None, **attributes: str
) -> Iterator[tuple[ObjectDefinition, Dataset]]:
    definition = definition_of(profile_name, object_name)
    facts, source = exam(scheduled), acquired(object_name)
    series = SeriesFacts(
        UIDS(), 1, NOW, definition.information_object.modality, source.description, source.number_of_frames,
        UIDS.derived(facts.study_instance_uid), source.attributes,
    )  # fmt: skip
    for keyword, value in attributes.items():
        setattr(source.attributes, keyword, value)
    builder = ImageBuilder(definition, facts, series)
    for number, frame in enumerate(source.frames, start=1):
        yield definition, builder.build(InstanceFacts(UIDS(), number, NOW), frame.pixels, frame.attributes)


OBJECTS = [
    ("mr", "MR Image"), ("mr", "SC Image"), ("rf", "SC Image"),
    ("rf", "RF Image"), ("rf", "XA Image"), ("rf", "CR Image"),
]  # fmt: skip


@cache
def _simulate_events() -> tuple[IrradiationEvent, ...]:
    protocols = [replace(protocol, matrix=16, is_automatic=False) for protocol in UPPER_GI]
    events = [series.irradiation for series in RfSimulator(protocols).series() if series.irradiation]
    return tuple(event.begin(UIDS(), NOW + timedelta(minutes=number), 1) for number, event in enumerate(events))


def irradiation_events() -> list[IrradiationEvent]:
    """Those of an upper GI exam: two fluoroscopy runs and two exposures."""
    return list(_simulate_events())


def changed(event: IrradiationEvent, **values: float | str) -> IrradiationEvent:
    """A recorded event with other numbers, and other words."""
    kept = event.to_json()
    for name, value in values.items():
        kept["terms" if isinstance(value, str) else "numbers"][name] = value
    return IrradiationEvent.from_json(kept)


def report(scheduled: Dataset | None, *, units: DoseUnitsName = "standard", complete: bool = True) -> Dataset:
    definition = definition_of("rf", "Dose SR")
    facts = exam(scheduled)
    events = irradiation_events()
    images = {event.uid: [ImageReference(XRayRadiofluoroscopicImageStorage, UIDS(), UIDS())] for event in events}
    content = DoseContent(events, complete, UIDS.derived("device"), images, units)
    series = SeriesFacts(UIDS(), 9001, NOW, "SR", "Dose report")
    return build_dose_report(definition, facts, series, InstanceFacts(UIDS(), 1, NOW), content)
