"""Presentation states and key images in the viewer: those that there are, and new ones of the exam in progress."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from pydicom import Dataset

from openmodality.console.context import ConsoleContext
from openmodality.console.pages.viewer import find_series, list_images, open_state
from openmodality.console.security.access import At, Form, Operator, SentForm, Viewer
from openmodality.console.template_files import format_date, format_dicom_time
from openmodality.errors import NotFound, UsageError
from openmodality.objects.selection import SelectedImage, read_key_objects, read_state_images
from openmodality.objects.state.marks import Graphic, Mark, Words
from openmodality.objects.state.presentation_state import Look, VoiTable
from openmodality.standard.query_retrieve import Level
from openmodality.standard.sop_classes import (
    GRAYSCALE_SOFTCOPY_PRESENTATION_STATE_STORAGE,
    KEY_OBJECT_SELECTION_DOCUMENT_STORAGE,
)

_LINEAR: Final = "LINEAR"
_MOST_MARKS: Final = 500
_WHOLE_SERIES: Final = "series"

router = APIRouter(prefix="/viewer")


@router.get("/series/{uid}/states")
def _list_states(_: Viewer, context: At, uid: str) -> Response:
    series = find_series(context, uid)
    own = {each["SOPInstanceUID"] for each in list_images(context, uid)}
    study = series["StudyInstanceUID"]
    states = [
        {"uid": str(state.SOPInstanceUID), "label": describe_state(state), "images": refers}
        for state in _read_all(context, study, GRAYSCALE_SOFTCOPY_PRESENTATION_STATE_STORAGE)
        if (refers := _keep_own(read_state_images(state), own))
    ]
    keys = [
        {"title": _read_title(document), "images": refers}
        for document in _read_all(context, study, KEY_OBJECT_SELECTION_DOCUMENT_STORAGE)
        if (refers := _keep_own(read_key_objects(document), own))
    ]
    return JSONResponse({"states": states, "keys": keys})


@router.post("/exam/{exam_id}/state")
def _save_state(_: Operator, form: SentForm, context: At, exam_id: int) -> Response:
    look = read_look(form)
    instances, series = _choose_images(form)
    uid = context.modality.find_exam(exam_id).present(instances, look, series=series)
    return JSONResponse({"uid": uid, "said": f"Saved as presentation state {look.label}. It is sent with the images."})


@router.post("/exam/{exam_id}/key")
def _save_key(_: Operator, form: SentForm, context: At, exam_id: int) -> Response:
    (uid, *_others) = context.modality.find_exam(exam_id).key_objects(
        [form["instance"]], title=form["title"], description=form["description"]
    )
    return JSONResponse({"uid": uid, "said": "Noted as a key image. The document is sent with the images."})


def _choose_images(form: Form) -> tuple[Sequence[str], Sequence[str]]:
    is_series = form["scope"] == _WHOLE_SERIES
    return ([], [form["series"]]) if is_series else ([form["instance"]], [])


def read_look(form: Form) -> Look:
    """What the viewer shows, as a presentation state says it. Raises :class:`UsageError` for what none can say."""
    try:
        shown: Mapping[str, Any] = json.loads(form["look"])
        if shown["window"] and shown["function"] != _LINEAR:
            raise UsageError(
                "a presentation state of this device has linear windows only", advice="choose a window in the fields"
            )
        table = shown.get("lut")
        return Look(
            window=(float(shown["window"][0]), float(shown["window"][1])) if shown["window"] else None,
            lut=VoiTable(table["first"], table["bits"], [int(each) for each in table["entries"]]) if table else None,
            inverse=bool(shown["inverse"]),
            rotation=int(shown["rotation"]),
            flip=bool(shown["flip"]),
            area=tuple(int(each) for each in shown["area"]) if shown["area"] else None,  # type: ignore[arg-type]
            marks=list(_read_marks(shown["marks"])),
            label=form["label"].upper(),
            description=form["description"],
        )
    except (ValueError, TypeError, LookupError) as error:
        raise UsageError("what the page says of the image cannot be read", advice="open the page again") from error


def _read_marks(marks: Sequence[Mapping[str, Any]]) -> Iterator[Mark]:
    for mark in marks[:_MOST_MARKS]:
        points = [(float(column), float(row)) for column, row in mark["points"]]
        units = str(mark.get("units") or "PIXEL")
        if mark["type"] == "TEXT":
            yield Words(str(mark["words"]), points[0], units)
        else:
            yield Graphic(str(mark["type"]), points, bool(mark.get("filled")), units)


def describe_state(state: Dataset) -> str:
    """A state in a line: its label, what it is for, when it was made."""
    said = [str(state.get(key) or "") for key in ("ContentLabel", "ContentDescription")]
    made = [
        format_date(str(state.get("PresentationCreationDate") or "")),
        format_dicom_time(str(state.get("PresentationCreationTime") or "")),
    ]
    return ", ".join(filter(None, (*said, " ".join(filter(None, made))))) or "without a label"


def _read_title(document: Dataset) -> str:
    codes = document.get("ConceptNameCodeSequence") or []
    return str(codes[0].get("CodeMeaning") or "") if codes else ""


def _read_all(context: ConsoleContext, study_uid: str, sop_class_uid: str) -> Iterator[Dataset]:
    """The documents of a class in a study; one that cannot be read is passed over."""
    keys = {"StudyInstanceUID": study_uid, "SOPClassUID": sop_class_uid}
    for each in context.modality.view.find(Level.IMAGE, keys):
        try:
            yield open_state(context, each["SOPInstanceUID"])
        except NotFound:
            continue


def _keep_own(images: Sequence[SelectedImage], own: set[str]) -> list[str]:
    return [each.sop_instance_uid for each in images if each.sop_instance_uid in own]
