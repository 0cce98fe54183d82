"""Mutated DICOMDIRs: read, listed, verified and looked through, as a medium of whoever made it is."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

from fuzz.outcomes import ACCEPTED, REJECTED
from fuzz.recording import MR, part10
from fuzz.tree import Node, data_set
from openmodality.activities.disc_pages import make_page_studies
from openmodality.activities.media_reading import find_on_medium, query_medium, verify_medium
from openmodality.encoding.part10 import read_any
from openmodality.encoding.transcode import transcode
from openmodality.errors import ObjectInvalid
from openmodality.media.directory import DirectoryRecord, encode_directory, encode_element
from openmodality.media.directory_reader import parse_directory
from openmodality.standard import tags
from openmodality.standard.transfer_syntaxes import (
    EXPLICIT_VR_BIG_ENDIAN,
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
)

_WHOLE_MEDIUM: Final = 0.1
"""So many of the streams are also tried as a medium with files; that takes longer."""
_OUTSIDE: Final = "OUTSIDE"


def directories() -> list[Node]:
    """DICOMDIRs to begin with: of a few records, of many, and in transfer syntaxes that none should be in."""
    small, large = _encode(1, 1), _encode(2, 6)
    start = read_any(small).data_set_offset
    nodes = [_tree(small, EXPLICIT_VR_LITTLE_ENDIAN), _tree(large, EXPLICIT_VR_LITTLE_ENDIAN)]
    for syntax in (IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN):
        head = small[:start].replace(b"1.2.840.10008.1.2.1\0", syntax.encode().ljust(20, b"\0"))
        body = b"".join(map(bytes, transcode([small[start:]], EXPLICIT_VR_LITTLE_ENDIAN, syntax)))
        nodes.append(_tree(head + body, syntax))
    return nodes


def read_medium(data: bytes, variant: str, rng: Random) -> str:
    """Read a DICOMDIR as all that reads one does; no record may lead out of the medium, none may come twice."""
    try:
        directory = parse_directory(data)
    except ObjectInvalid:
        return REJECTED
    records = [id(record) for patient in directory.patients for record in patient.walk()]
    if len(records) != len(set(records)):
        raise AssertionError("a record has two places")
    if rng.random() < _WHOLE_MEDIUM:
        with TemporaryDirectory(prefix="openmodality-fuzz-") as name:
            _look_through(Path(name), data)
    return ACCEPTED


def _look_through(folder: Path, data: bytes) -> None:
    root = folder / "medium"
    (root / "IMAGES").mkdir(parents=True)
    (root / "DICOMDIR").write_bytes(data)
    for path in (root / "IMAGES" / "IM1", folder / _OUTSIDE):
        path.write_bytes(part10(EXPLICIT_VR_LITTLE_ENDIAN))
    (root / "LINK").symlink_to(folder)
    (root / "CIRCLE").symlink_to(root / "CIRCLE")
    files, _ = find_on_medium(root, {})
    if any(not path.is_relative_to(root.resolve()) for path in files):
        raise AssertionError("a record leads out of the medium")
    for level in ("PATIENT", "STUDY", "SERIES", "IMAGE"):
        query_medium(root, level, {"PatientID": "7*", "StudyDate": "20260101-", "InstanceNumber": "1"})
    verify_medium(root)
    for study in make_page_studies(root, parse_directory(data)):
        for series in study.series:
            list(series.images)
    shutil.rmtree(root)


def _encode(patients: int, images: int) -> bytes:
    made = [_patient(number, images) for number in range(1, patients + 1)]
    return b"".join(encode_directory(made, "FUZZ", ("1.2.3", "FUZZ"), "FUZZ"))


def _patient(number: int, images: int) -> DirectoryRecord:
    places = [("IMAGES", "IM1"), ("images", "im1"), ("LINK", _OUTSIDE), ("..", _OUTSIDE), ("CIRCLE",), ("IMAGES", "NO")]
    uid = f"1.2.3.{number}"
    leaves = [
        DirectoryRecord("IMAGE", _key(tags.INSTANCE_NUMBER, "IS", str(each)), places[each % len(places)], MR,
                        f"{uid}.1.1.{each}", EXPLICIT_VR_LITTLE_ENDIAN)
        for each in range(images)
    ]  # fmt: skip
    series = DirectoryRecord(
        "SERIES",
        _key(tags.MODALITY, "CS", "MR") + _key(tags.SERIES_INSTANCE_UID, "UI", f"{uid}.1.1")
        + _key(tags.SERIES_NUMBER, "IS", "1"),
        children=leaves,
    )  # fmt: skip
    study = DirectoryRecord(
        "STUDY",
        _key(tags.STUDY_DATE, "DA", "20261129") + _key(tags.STUDY_TIME, "TM", "101112.5")
        + _key(tags.STUDY_DESCRIPTION, "LO", "Head") + _key(tags.STUDY_INSTANCE_UID, "UI", f"{uid}.1"),
        children=[series],
    )  # fmt: skip
    keys = (
        _key(tags.SPECIFIC_CHARACTER_SET, "CS", "ISO_IR 192")
        + _key(tags.PATIENT_NAME, "PN", "Müller^Jürgen")
        + _key(tags.PATIENT_ID, "LO", f"7{number}")
    )
    return DirectoryRecord("PATIENT", keys, children=[study])


def _key(tag: int, vr: str, value: str) -> bytes:
    return encode_element(tag, vr, value.encode(), b"\0" if vr == "UI" else b" ")


def _tree(data: bytes, syntax: str) -> Node:
    start = read_any(data).data_set_offset
    head = data_set(data[132:start], EXPLICIT_VR_LITTLE_ENDIAN)
    return Node("file", [Node("preamble", data[:132]), head, data_set(data[start:], syntax)])
