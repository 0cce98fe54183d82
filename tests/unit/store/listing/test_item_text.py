"""Attributes as text from DICOM JSON, as a data set would give them."""

from __future__ import annotations

import pytest
from pydicom import Dataset

from openmodality.standard.tags import PATIENT_ID, PATIENT_NAME, REQUESTED_PROCEDURE_DESCRIPTION
from openmodality.store.data_set_json import to_json
from openmodality.store.listing.item_text import text_of
from openmodality.store.rows.worklist import value_of


def item(**attributes: str) -> Dataset:
    data_set = Dataset()
    for keyword, value in attributes.items():
        setattr(data_set, keyword, value)
    return data_set


@pytest.mark.parametrize("name", ["DOE^JANE", "Yamada^Tarou=山田^太郎=やまだ^たろう", "=山田^太郎", "", "^^"])
def test_it_is_what_the_data_set_says(name: str) -> None:
    data_set = item(PatientName=name, PatientID="1")
    kept = to_json(data_set)
    assert text_of(kept, PATIENT_NAME) == value_of(data_set, "PatientName")
    assert text_of(kept, PATIENT_ID) == "1"


def test_the_scheduled_step_is_looked_at_last() -> None:
    step = item(PatientID="2", RequestedProcedureDescription="of the step")
    data_set = item(PatientID="1")
    data_set.ScheduledProcedureStepSequence = [step]
    kept = to_json(data_set)
    assert (text_of(kept, PATIENT_ID), text_of(kept, REQUESTED_PROCEDURE_DESCRIPTION)) == ("1", "of the step")
    assert text_of({}, PATIENT_ID) == ""
