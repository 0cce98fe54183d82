"""The records of a medium as a list: which columns each level has."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from openmodality.cli.terminal.output import date_and_time
from openmodality.cli.terminal.table import Column
from openmodality.standard.query_retrieve import Level

Record = Mapping[str, str]
"""Values of a record by keyword."""

_DATES: Final = ("PatientBirthDate", "StudyDate")


def _make_column(heading: str, keyword: str, *, leave_out: int = 0, words: bool = False) -> tuple[str, Column[Record]]:
    def show(record: Record) -> str:
        return date_and_time(record[keyword], "") if keyword in _DATES else record[keyword]

    return keyword, Column(heading, show, leave_out=leave_out, words=words)


RECORD_COLUMNS: Final[Mapping[str, Mapping[str, Column[Record]]]] = MappingProxyType(
    {
        Level.PATIENT: dict(
            (
                _make_column("patient", "PatientName", words=True),
                _make_column("patient ID", "PatientID"),
                _make_column("born", "PatientBirthDate", leave_out=1),
            )
        ),
        Level.STUDY: dict(
            (
                _make_column("date", "StudyDate"),
                _make_column("patient", "PatientName", words=True),
                _make_column("patient ID", "PatientID", leave_out=2),
                _make_column("study", "StudyDescription", leave_out=1, words=True),
                _make_column("Study Instance UID", "StudyInstanceUID"),
            )
        ),
        Level.SERIES: dict(
            (
                _make_column("patient ID", "PatientID", leave_out=1),
                _make_column("number", "SeriesNumber"),
                _make_column("modality", "Modality"),
                _make_column("series", "SeriesDescription", words=True),
                _make_column("Series Instance UID", "SeriesInstanceUID"),
            )
        ),
        Level.IMAGE: dict(
            (
                _make_column("series", "SeriesNumber"),
                _make_column("number", "InstanceNumber"),
                _make_column("SOP Instance UID", "SOPInstanceUID"),
            )
        ),
    }
)
"""By level and keyword."""
