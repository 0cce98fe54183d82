"""What PS3.3 requires beyond a device's table."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from openmodality.objects.rules.builder import build
from openmodality.objects.rules.definition import RuleTable
from openmodality.objects.rules.sources import SourceValues
from openmodality.objects.rules.standard_rules import UNKNOWN_SIDES, UNPAIRED, add_standard_rules
from tests.rule_tables import data, rule


def build_with(*keywords: str, **values: object) -> Dataset:
    rows = tuple(rule(keyword, "3", "ACQ") for keyword in keywords)
    return build(RuleTable("Image", rows + UNKNOWN_SIDES), SourceValues(acquisition=data(**values)))


@pytest.mark.parametrize("part", [*UNPAIRED[:3], "KNEE", "OTHER", ""])
def test_laterality_is_asked_for_unless_the_part_comes_once(part: str) -> None:
    assert ("Laterality" in build_with("BodyPartExamined", BodyPartExamined=part)) is (part not in UNPAIRED)


def test_image_laterality_stands_for_it() -> None:
    assert "Laterality" not in build_with("ImageLaterality", ImageLaterality="L")


def test_patient_orientation_is_asked_for_where_the_image_has_no_place_in_space() -> None:
    assert "PatientOrientation" in build_with()
    assert "PatientOrientation" not in build_with("ImageOrientationPatient", ImageOrientationPatient=[1, 0, 0, 0, 1, 0])


def test_only_what_a_table_forgot_is_added() -> None:
    rows = (rule("SOPInstanceUID", "1"), rule("Rows", "1", "ACQ"))
    added = [row.keyword for row in add_standard_rules(rows, is_image=True)[2:]]
    assert "SOPClassUID" in added
    assert not {"SOPInstanceUID", "Rows"} & set(added)
    assert "PixelData" not in [row.keyword for row in add_standard_rules((), is_image=False)]
