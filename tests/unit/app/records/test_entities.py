"""Studies, series and instances for programs."""

from __future__ import annotations

from openmodality.app.records.entities import entity_as_json
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


def test_a_program_gets_attributes_and_counts() -> None:
    assert entity_as_json(STUDY) == {
        **STUDY.attributes,
        "studies": 1,
        "series": 2,
        "instances": 3,
        "sent": 4,
        "committed": 5,
        "modalities": ["CT", "MR"],
        "devices": [],
    }
