"""Reads the header of an instance of the virtual PACS: the attributes for queries and for checks.

An archive may have twenty thousand files. So a usual file is read with one system call and one walk over its elements,
which decodes only those that are kept; an unusual one is left to pydicom, which takes ten times as long.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

from pydicom import Dataset, dcmread
from pydicom.datadict import tag_for_keyword

from openmodality.dimse.pydicom_text import convert_terms
from openmodality.dimse.repeated_elements import build_data_set
from openmodality.encoding.deflate import PIECE_BYTES, inflate
from openmodality.encoding.headers import layout_of
from openmodality.encoding.part10 import encode_file_head, read_any
from openmodality.errors import ObjectInvalid
from openmodality.media.element_walk import walk_elements
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, TRANSFER_SYNTAXES

KEPT: Final = (
    "SpecificCharacterSet", "ImageType", "InstanceCreationDate", "InstanceCreationTime", "SOPClassUID",
    "SOPInstanceUID", "StudyDate", "SeriesDate", "ContentDate", "StudyTime", "SeriesTime", "ContentTime",
    "AccessionNumber", "Modality", "Manufacturer", "InstitutionName", "ReferringPhysicianName", "StationName",
    "StudyDescription", "SeriesDescription", "PerformingPhysicianName", "OperatorsName",
    "ReferencedPerformedProcedureStepSequence", "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate",
    "PatientBirthTime", "PatientSex", "PatientAge", "PatientSize", "PatientWeight", "OtherPatientIDs",
    "PatientComments", "BodyPartExamined", "ProtocolName", "PatientPosition", "StudyInstanceUID", "SeriesInstanceUID",
    "StudyID", "SeriesNumber", "AcquisitionNumber", "InstanceNumber", "Laterality", "NumberOfFrames", "Rows",
    "Columns", "BitsAllocated", "RequestAttributesSequence", "PerformedProcedureStepStartDate",
    "ReferencedRequestSequence", "PerformedProcedureStepStartTime", "PerformedProcedureStepID",
    "PerformedProcedureStepDescription",
)  # fmt: skip
"""What can be asked for in a query, and what is checked."""

MAX_DEFLATED_HEADER_BYTES: Final = 4 * 1024 * 1024
"""How much of a deflated data set is looked at for its header; what comes behind it is pixels."""
_USUAL_BYTES: Final = 16 * 1024
"""A header that is longer is unusual."""
_KEPT_TAGS: Final = frozenset(tag_for_keyword(keyword) for keyword in KEPT)
_LAST: Final = max(filter(None, _KEPT_TAGS))


def read_stored_header(path: Path) -> Dataset:
    """The attributes of :data:`KEPT`. Raises :class:`ObjectInvalid` where the file cannot be read."""
    try:
        header = _read_usual(path)
        if header is None:
            with path.open("rb") as file:
                header = Dataset(dcmread(_bound(file), stop_before_pixels=True, specific_tags=list(KEPT)))
            header.walk(lambda parent, element: None)  # values are decoded on access: find what cannot be read now
    except Exception as error:  # pydicom raises many kinds for bytes that are no data set
        raise ObjectInvalid(f"{path} cannot be read: {type(error).__name__}") from error
    return header


def _read_usual(path: Path) -> Dataset | None:
    """The header of a file as most are; ``None`` where pydicom is to read it."""
    with path.open("rb") as file:
        start = file.read(_USUAL_BYTES)
    try:
        meta = read_any(start)
    except ObjectInvalid:
        return None
    syntax = TRANSFER_SYNTAXES.get(meta.transfer_syntax_uid)
    if meta.headless or syntax is None or syntax.deflated:
        return None
    layout, pieces, end = layout_of(meta.transfer_syntax_uid), list[bytes](), meta.data_set_offset
    with suppress(ObjectInvalid):  # the pixels end behind what was read
        for place in walk_elements(start, end, len(start), layout):
            if place.tag > _LAST:
                break
            end = place.end
            if place.tag in _KEPT_TAGS:
                pieces.append(start[place.start : end])
    following = layout.read(start, end, len(start) - end)
    is_whole = following[0] > _LAST if following else end == len(start) < _USUAL_BYTES
    return build_data_set(b"".join(pieces), layout, convert_terms(())) if is_whole else None


def _bound(file: BinaryIO) -> BinaryIO:
    """The file, or the beginning of what it inflates to: a few bytes of a peer may stand for a gigabyte."""
    meta = read_any(file)
    syntax = TRANSFER_SYNTAXES.get(meta.transfer_syntax_uid)
    if syntax is None or not syntax.deflated:
        file.seek(0)
        return file
    file.seek(meta.data_set_offset)
    beginning = bytearray(
        encode_file_head(
            meta.media_storage_sop_class_uid,
            meta.media_storage_sop_instance_uid,
            EXPLICIT_VR_LITTLE_ENDIAN,
            meta.implementation_class_uid,
        )
    )
    for piece in inflate(iter(partial(file.read, PIECE_BYTES), b"")):
        beginning += piece
        if len(beginning) > MAX_DEFLATED_HEADER_BYTES:
            break
    return BytesIO(beginning)
