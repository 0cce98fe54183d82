"""The attributes of the index against a second source."""

from __future__ import annotations

import pytest
from pydicom.datadict import dictionary_VR
from sqlalchemy import Table

from openmodality.store.columns import list_keywords
from openmodality.store.index_columns import (
    INSTANCE_ATTRIBUTES,
    PATIENT_ATTRIBUTES,
    SERIES_ATTRIBUTES,
    STUDY_ATTRIBUTES,
)
from openmodality.store.schema import instances, patients, series, studies

LEVELS = [
    (patients, PATIENT_ATTRIBUTES),
    (studies, STUDY_ATTRIBUTES),
    (series, SERIES_ATTRIBUTES),
    (instances, INSTANCE_ATTRIBUTES),
]


@pytest.mark.parametrize(("table", "attributes"), LEVELS, ids=lambda each: getattr(each, "name", ""))
def test_each_attribute_is_a_column_and_has_the_vr_of_the_dictionary(table: Table, attributes: dict[str, str]) -> None:
    assert list(attributes) == list(list_keywords(table))
    assert attributes == {keyword: dictionary_VR(keyword) for keyword in attributes}
