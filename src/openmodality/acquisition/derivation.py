"""Marks images as derived from others, with a reference to their source (PS3.3 C.7.6.1.1.2, C.12.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pydicom.dataset import Dataset

from openmodality.acquisition.source import AcquiredFrame

_DERIVED, _SECONDARY = "DERIVED", "SECONDARY"
_PURPOSE: Final = ("121322", "DCM", "Source image for image processing operation")


def derive_frames(frames: Sequence[AcquiredFrame], reference: tuple[str, str]) -> list[AcquiredFrame]:
    """Frames as those of a derived image; ``reference`` is SOP Class and Instance UID of its source."""
    return [_derive(frame, reference, number if len(frames) > 1 else 0) for number, frame in enumerate(frames, 1)]


def _derive(frame: AcquiredFrame, reference: tuple[str, str], number: int) -> AcquiredFrame:
    attributes = Dataset()
    attributes.update(frame.attributes)
    attributes.ImageType = [_DERIVED, *(list(attributes.get("ImageType", []))[1:2] or [_SECONDARY])]
    if all(reference):
        attributes.SourceImageSequence = [_refer_to(reference, number)]
    return replace(frame, attributes=attributes)


def _refer_to(reference: tuple[str, str], number: int) -> Dataset:
    item, purpose = Dataset(), Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = reference
    if number:
        item.ReferencedFrameNumber = number
    purpose.CodeValue, purpose.CodingSchemeDesignator, purpose.CodeMeaning = _PURPOSE
    item.PurposeOfReferenceCodeSequence = [purpose]
    return item
