"""What the device finds out by itself about exam, series and instance."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from pydicom.dataset import Dataset

from openmodality.objects.exam_facts import (
    ExamFacts,
    InstanceFacts,
    SeriesFacts,
    find_common_values,
    find_own_values,
    format_age,
    format_moment,
)
from tests.rule_tables import data

NOW = datetime(2026, 11, 22, 8, 30, 15, 250000)
SERIES = SeriesFacts("1.2.5", 3, NOW, "MR", "T1", attributes=data(AcquisitionDate="20261120"))
INSTANCE = InstanceFacts("1.2.6", 4, NOW)


@pytest.mark.parametrize(
    ("birth", "expected"),
    [("19700101", "056Y"), ("20241123", "023M"), ("20241122", "002Y"), ("20261030", "023D"), ("20261022", "001M"),
     ("", ""), ("1970", ""), ("20270101", ""), ("18000101", "226Y"), ("00010101", "999Y")],
)  # fmt: skip
def test_an_age_is_in_years_months_or_days(birth: str, expected: str) -> None:
    assert format_age(birth, date(2026, 11, 22)) == expected


def test_a_moment_is_a_date_and_a_time() -> None:
    assert format_moment(NOW) == ("20261122", "083015.250000")


def test_what_instances_of_a_series_have_in_common() -> None:
    values = find_common_values(
        ExamFacts("1.2.3", NOW, study_id="7", worklist=data(PatientBirthDate="19700101")), SERIES
    )
    automatic = values.automatic
    assert (automatic.StudyInstanceUID, automatic.SeriesInstanceUID) == ("1.2.3", "1.2.5")
    assert (automatic.SeriesNumber, automatic.AcquisitionNumber, automatic.PatientAge) == (3, 3, "056Y")
    # Images of an exam without a performed step still belong to a group of their own.
    assert automatic.PerformedProcedureStepID == "7"
    assert values.acquisition is SERIES.attributes


def test_what_an_instance_knows_alone() -> None:
    frame = data(ContentTime="070000")
    values = find_own_values(SERIES, INSTANCE, frame)
    automatic = values.automatic
    assert (automatic.SOPInstanceUID, automatic.InstanceNumber) == ("1.2.6", 4)
    assert (automatic.ContentDate, automatic.InstanceCreationTime) == ("20261122", "083015.250000")
    # What made the pixels knows better when that was.
    assert (automatic.ContentTime, automatic.AcquisitionDate) == ("070000", "20261120")
    assert values.acquisition is frame
    assert values.worklist == Dataset()
