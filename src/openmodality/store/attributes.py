"""What the index keeps of an instance, read from its file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError
from pydicom.multival import MultiValue
from pydicom.tag import Tag
from sqlalchemy import Table

from openmodality.errors import ObjectInvalid
from openmodality.store.schema import instances, patients, series, studies


def keywords_of(table: Table) -> tuple[str, ...]:
    """The columns of a table that hold attributes: those named by a keyword."""
    return tuple(column.name for column in table.columns if column.name[0].isupper())


_FILE_META = ("TransferSyntaxUID",)
_REQUIRED = ("SOPInstanceUID", "SOPClassUID", "SeriesInstanceUID", "StudyInstanceUID")
_TAGS = sorted(
    Tag(keyword)
    for table in (patients, studies, series, instances)
    for keyword in keywords_of(table)
    if keyword not in _FILE_META
)


@dataclass(frozen=True, slots=True)
class Attributes:
    """One row for each level, by keyword; an attribute that is absent or empty is an empty text."""

    patient: dict[str, str]
    study: dict[str, str]
    series: dict[str, str]
    instance: dict[str, str]
    length_bytes: int


def read_attributes(path: Path) -> Attributes:
    """Read the head of an instance file as far as the index needs it.

    Raises ``ObjectInvalid`` for what is no PS3.10 file or lacks one of the UIDs, and ``OSError``.
    """
    try:
        dataset = dcmread(path, stop_before_pixels=True, specific_tags=list(_TAGS))
    except (InvalidDicomError, EOFError, ValueError, KeyError, NotImplementedError, AttributeError) as error:
        raise ObjectInvalid(f"{path.name} is not a readable PS3.10 file: {type(error).__name__}") from None
    dataset.TransferSyntaxUID = dataset.file_meta.get("TransferSyntaxUID", "")
    missing = [keyword for keyword in _REQUIRED if not text_of(dataset, keyword)]
    if missing:
        raise ObjectInvalid(f"{path.name} lacks {', '.join(missing)}")
    patient, study, series_, instance = (
        _row(dataset, keywords_of(table)) for table in (patients, studies, series, instances)
    )
    return Attributes(patient, study, series_, instance, path.stat().st_size)


def _row(dataset: Dataset, keywords: Iterable[str]) -> dict[str, str]:
    return {keyword: text_of(dataset, keyword) for keyword in keywords}


def text_of(dataset: Dataset, keyword: str) -> str:
    """The value as the data set has it; several values are parted by a backslash."""
    try:
        value = dataset.get(keyword)
    except (ValueError, TypeError, OverflowError):
        return ""  # a value that its VR does not allow is kept in the file and not in the index
    if value is None:
        return ""
    several = isinstance(value, MultiValue | list)
    return ("\\".join(str(part) for part in value) if several else str(value)).replace("\0", "")
