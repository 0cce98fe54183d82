"""Presentation states of an exam: how its images are to be shown (PS3.3 A.33.1)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pydicom import Dataset

from openmodality.device.site.site import Site
from openmodality.errors import UsageError
from openmodality.exam.facts import describe_exam, describe_series
from openmodality.exam.producers.by_hand import DocumentSeriesPlan, check_made
from openmodality.imaging.presentation import list_frame_places, read_spacing
from openmodality.objects.exam_facts import InstanceFacts
from openmodality.objects.references import EvidenceReference
from openmodality.objects.site_objects import find_uid_maker
from openmodality.objects.state.presentation_state import (
    Look,
    PresentedImage,
    Rescaling,
    build_presentation_state,
    check_images,
)
from openmodality.store.listing.exams import ExamRecord, SeriesRecord, StepRecord

PRESENTATION_STATE: Final = "Grayscale Softcopy Presentation State"
_FIRST_NUMBER: Final = 7001


def plan_state(site: Site, images: list[PresentedImage], look: Look) -> DocumentSeriesPlan:
    """The series of a state. Raises :class:`UsageError` where the device makes none, or not of these images."""
    check_made(site, PRESENTATION_STATE)
    check_images(images, look)
    return DocumentSeriesPlan(PRESENTATION_STATE, _FIRST_NUMBER, look.description or look.label)


def describe_image(reference: EvidenceReference, header: Dataset) -> PresentedImage:
    """The facts of an image that a state requires. Raises :class:`UsageError` where it is no grey image."""
    photometric = str(header.get("PhotometricInterpretation") or "")
    if photometric not in ("MONOCHROME1", "MONOCHROME2"):
        raise UsageError(
            f"{reference.sop_instance_uid} is no grey image", advice="presentation states of this device are for these"
        )
    return PresentedImage(
        reference,
        int(header.Rows),
        int(header.Columns),
        read_spacing(header),
        _find_rescale(reference, header),
        is_low_white=photometric == "MONOCHROME1",
        anatomy=(
            str(header.get("BodyPartExamined") or ""),
            str(header.get("Laterality") or header.get("ImageLaterality") or ""),
        ),
    )


def _find_rescale(reference: EvidenceReference, header: Dataset) -> Rescaling | None:
    """The rescale of an image, or of all its frames: a state has one, whatever the image has its own in."""
    numbers = range(1, len(header.get("PerFrameFunctionalGroupsSequence") or ()) + 1)
    found = {_read_rescale(header, number) for number in numbers or (1,)}
    if len(found) > 1:
        raise UsageError(
            f"the frames of {reference.sop_instance_uid} have different rescales",
            advice="a state has one; store the frames with one slope and intercept",
        )
    return found.pop()


def _read_rescale(header: Dataset, number: int) -> Rescaling | None:
    for place in list_frame_places(header, number):
        if "RescaleSlope" in place and "RescaleIntercept" in place:
            return float(place.RescaleSlope), float(place.RescaleIntercept), str(place.get("RescaleType") or "")
    return None


def build_state(
    site: Site,
    exam: ExamRecord,
    step: StepRecord | None,
    series: SeriesRecord,
    images: list[PresentedImage],
    look: Look,
) -> Dataset:
    """The presentation state. Raises what ``build_presentation_state`` raises."""
    instance = InstanceFacts(find_uid_maker(site).new(), 1, datetime.fromtimestamp(series.started))
    facts = describe_exam(site, exam, step)
    definition = check_made(site, PRESENTATION_STATE)
    return build_presentation_state(definition, facts, describe_series(series), instance, images, look)
