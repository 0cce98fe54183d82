"""How studies, series and instances of the local database are shown as lists."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from openmodality.cli.terminal.output import date_and_time
from openmodality.cli.terminal.table import Column
from openmodality.errors import NotFound
from openmodality.standard.query_retrieve import Level
from openmodality.store.listing.entities import Found

if TYPE_CHECKING:
    from openmodality.app.view import LocalView


def _make_attribute_column(heading: str, keyword: str, *, leave_out: int = 0, words: bool = False) -> Column[Found]:
    return Column(heading, lambda each: each[keyword], leave_out=leave_out, words=words)


def _make_count_column(name: str, *, leave_out: int = 0) -> Column[Found]:
    return Column(name, lambda each: getattr(each, name), leave_out=leave_out)


DEVICE_COLUMN: Final[Column[Found]] = Column("devices", lambda each: each.devices, words=True)
"""Shown where the devices of a department are."""


class Entity(NamedTuple):
    """A level of the local database as the command line names and lists it; ``below`` is what its entities hold."""

    level: Level
    noun: str
    plural: str
    unique_key: str
    columns: Sequence[Column[Found]]
    counts: Sequence[str]
    below: Entity | None


INSTANCES: Final = Entity(
    Level.IMAGE,
    "instance",
    "instances",
    "SOPInstanceUID",
    (
        _make_attribute_column("series", "SeriesNumber"),
        _make_attribute_column("number", "InstanceNumber"),
        _make_attribute_column("modality", "Modality", leave_out=2),
        _make_attribute_column("rows", "Rows", leave_out=4),
        _make_attribute_column("columns", "Columns", leave_out=3),
        _make_count_column("sent"),
        _make_count_column("committed"),
        _make_attribute_column("SOP Instance UID", "SOPInstanceUID", leave_out=1),
    ),
    (),
    None,
)
SERIES: Final = Entity(
    Level.SERIES,
    "series",
    "series",
    "SeriesInstanceUID",
    (
        _make_attribute_column("number", "SeriesNumber"),
        _make_attribute_column("modality", "Modality"),
        _make_attribute_column("description", "SeriesDescription", words=True),
        _make_count_column("instances"),
        _make_count_column("sent"),
        _make_count_column("committed"),
        _make_attribute_column("Series Instance UID", "SeriesInstanceUID"),
    ),
    ("sent", "committed"),
    INSTANCES,
)
STUDIES: Final = Entity(
    Level.STUDY,
    "study",
    "studies",
    "StudyInstanceUID",
    (
        Column("date", lambda each: date_and_time(each["StudyDate"], each["StudyTime"])),
        _make_attribute_column("patient", "PatientName", words=True),
        _make_attribute_column("patient ID", "PatientID", leave_out=2),
        _make_attribute_column("accession", "AccessionNumber", leave_out=3),
        _make_count_column("modalities", leave_out=4),
        _make_count_column("series", leave_out=5),
        _make_count_column("instances"),
        _make_count_column("sent", leave_out=1),
        _make_count_column("committed"),
        _make_attribute_column("Study Instance UID", "StudyInstanceUID"),
    ),
    ("instances", "sent", "committed"),
    SERIES,
)


def find_entity(view: LocalView, entity: Entity, uid: str) -> Found:
    """The one with this UID. Raises :class:`NotFound` where there is none."""
    found = view.find(entity.level, {entity.unique_key: uid})
    if len(found) != 1:
        raise NotFound(f"there is no {entity.noun} {uid}", advice=f"openmodality {entity.plural} list shows all")
    return found[0]
