"""How studies, series and instances are listed."""

from __future__ import annotations

from openmodality.cli.display.entities import INSTANCES, SERIES, STUDIES
from openmodality.standard.query_retrieve import Level
from openmodality.store.listing.entities import Found

STUDY = Found(
    Level.STUDY,
    1,
    {
        "StudyDate": "20261122",
        "StudyTime": "0840",
        "PatientName": "DOE^JANE",
        "PatientID": "1",
        "AccessionNumber": "A1",
        "StudyInstanceUID": "1.2",
    },
    1,
    2,
    3,
    4,
    5,
    ("CT", "MR"),
)


def test_a_study_has_a_cell_for_each_column() -> None:
    cells = {column.heading: column.value(STUDY) for column in STUDIES.columns}
    assert (cells["date"], cells["modalities"], cells["committed"]) == ("2026-11-22 08:40", ("CT", "MR"), 5)
    assert cells["Study Instance UID"] == "1.2"


def test_each_level_names_what_is_below_it() -> None:
    assert (STUDIES.below, SERIES.below, INSTANCES.below) == (SERIES, INSTANCES, None)
