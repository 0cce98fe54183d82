"""Reads key object documents of any origin (PS3.3 A.35.4, PS3.16 TID 2010)."""

from __future__ import annotations

from pathlib import Path

from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError

import openmodality.dimse.pydicom_settings  # noqa: F401 - its import is the act
from openmodality.errors import NotFound, ObjectInvalid, UsageError
from openmodality.standard.sop_classes import KEY_OBJECT_SELECTION_DOCUMENT_STORAGE
from openmodality.value_class import value_class

_TITLE_MODIFIER, _DESCRIPTION = "113011", "113012"


@value_class
class KeyDocument:
    """What a document says. ``instances`` are the SOP Instance UIDs that it refers to, in its order."""

    title: str
    reasons: tuple[str, ...]
    description: str
    observer: str
    instances: tuple[str, ...]


def read_key_document(path: Path) -> KeyDocument:
    """A document of the local database, or of a file.

    Raises :class:`NotFound` where there is none, :class:`ObjectInvalid` where it cannot be read, and
    :class:`UsageError` where it is something else.
    """
    try:
        document = dcmread(path, stop_before_pixels=True)
    except FileNotFoundError:
        raise NotFound(f"there is no instance {path.stem}") from None
    except (OSError, InvalidDicomError) as error:
        raise ObjectInvalid(f"{path.name} cannot be read") from error
    if document.get("SOPClassUID") != KEY_OBJECT_SELECTION_DOCUMENT_STORAGE:
        raise UsageError(f"{path.stem} is no key object document")
    items = list(document.get("ContentSequence") or [])
    return KeyDocument(
        _read_concept(document),
        tuple(_read_code(item) for item in items if _is(item, "CODE", _TITLE_MODIFIER)),
        next((str(item.get("TextValue") or "") for item in items if _is(item, "TEXT", _DESCRIPTION)), ""),
        next((str(item.get("PersonName") or "") for item in items if item.get("ValueType") == "PNAME"), ""),
        tuple(
            str(reference.ReferencedSOPInstanceUID)
            for item in items
            if item.get("RelationshipType") == "CONTAINS"
            for reference in item.get("ReferencedSOPSequence") or []
        ),
    )


def _is(item: Dataset, value_type: str, concept: str) -> bool:
    names = item.get("ConceptNameCodeSequence") or []
    return item.get("ValueType") == value_type and any(name.get("CodeValue") == concept for name in names)


def _read_concept(item: Dataset) -> str:
    return next((str(name.get("CodeMeaning") or "") for name in item.get("ConceptNameCodeSequence") or []), "")


def _read_code(item: Dataset) -> str:
    return next((str(code.get("CodeMeaning") or "") for code in item.get("ConceptCodeSequence") or []), "")
