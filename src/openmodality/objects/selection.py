"""Reads what key object documents and presentation states of any origin refer to (PS3.3 A.35.4, A.33.1).

Both refer to images of any study. Where a part of a reference is missing, the rest of it is used.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydicom import Dataset
from pydicom.multival import MultiValue

from openmodality.value_class import dataclass


@dataclass(frozen=True, slots=True)
class SelectedImage:
    """An image that is referred to; without ``frames`` all of them are.

    ``presentation_state_uid`` is the state that it is to be shown with, empty where none is named.
    """

    sop_class_uid: str
    sop_instance_uid: str
    frames: tuple[int, ...] = ()
    presentation_state_uid: str = ""


def read_key_objects(document: Dataset) -> tuple[SelectedImage, ...]:
    """The images of a key object document in the order of its content, each once (PS3.16 TID 2010)."""
    return tuple(dict.fromkeys(_list_images(document)))


def read_state_images(state: Dataset) -> tuple[SelectedImage, ...]:
    """The images that a presentation state is for (PS3.3 C.11.11)."""
    return tuple(
        image
        for series in state.get("ReferencedSeriesSequence") or []
        for item in series.get("ReferencedImageSequence") or []
        if (image := _read_reference(item)) is not None
    )


def _list_images(item: Dataset) -> Iterator[SelectedImage]:
    for content in item.get("ContentSequence") or []:
        if content.get("ValueType") == "IMAGE":
            references = content.get("ReferencedSOPSequence") or []
            yield from filter(None, map(_read_reference, references))
        yield from _list_images(content)


def _read_reference(item: Dataset) -> SelectedImage | None:
    uid = str(item.get("ReferencedSOPInstanceUID") or "")
    if not uid:
        return None
    states = [str(each.get("ReferencedSOPInstanceUID") or "") for each in item.get("ReferencedSOPSequence") or []]
    return SelectedImage(
        sop_class_uid=str(item.get("ReferencedSOPClassUID") or ""),
        sop_instance_uid=uid,
        frames=_read_frames(item.get("ReferencedFrameNumber")),
        presentation_state_uid=next(filter(None, states), ""),
    )


def _read_frames(value: object) -> tuple[int, ...]:
    values = value if isinstance(value, MultiValue | list | tuple) else [value]
    return tuple(int(str(each)) for each in values if str(each if each is not None else "").strip().isdigit())
