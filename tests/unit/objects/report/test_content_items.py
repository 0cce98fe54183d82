"""Content items of every value type (PS3.3 C.17.3)."""

from __future__ import annotations

from datetime import datetime

import pytest

from openmodality.objects.report import content_items as sr
from openmodality.objects.rules.sequence_items import SequenceItem

CONCEPT = sr.dcm("121005", "Observer Type")


@pytest.mark.parametrize(
    ("item", "value_type", "keyword"),
    [
        (sr.make_code(CONCEPT, sr.dcm("121007", "Device")), "CODE", "ConceptCodeSequence"),
        (sr.make_num(CONCEPT, 1 / 3, sr.ucum("mm")), "NUM", "MeasuredValueSequence"),
        (sr.make_text(CONCEPT, "said"), "TEXT", "TextValue"),
        (sr.make_uidref(CONCEPT, "1.2.3"), "UIDREF", "UID"),
        (sr.make_date_time(CONCEPT, datetime(2026, 11, 29)), "DATETIME", "DateTime"),
        (sr.make_image(CONCEPT, "1.2", "1.2.3"), "IMAGE", "ReferencedSOPSequence"),
        (sr.make_container(CONCEPT, [], template="10001"), "CONTAINER", "ContentTemplateSequence"),
    ],
)
def test_an_item_has_its_concept_its_type_and_its_value(item: SequenceItem, value_type: str, keyword: str) -> None:
    data_set = item.to_data_set()
    assert data_set.ValueType == value_type
    assert data_set.ConceptNameCodeSequence[0].CodeValue == "121005"
    assert data_set.get(keyword)


def test_a_number_fits_a_decimal_string() -> None:
    measured = sr.make_num(CONCEPT, 1 / 3, sr.ucum("mm")).to_data_set().MeasuredValueSequence[0]
    assert len(str(measured.NumericValue)) <= 16
    assert measured.MeasurementUnitsCodeSequence[0].CodeMeaning == "mm"


def test_children_say_how_they_are_related() -> None:
    children = sr.contains(sr.make_text(CONCEPT, "a"), sr.make_text(CONCEPT, "b"))
    modified = sr.make_code(CONCEPT, CONCEPT, [sr.relate(sr.HAS_CONCEPT_MOD, sr.make_text(CONCEPT, "c"))])
    assert [child.to_data_set().RelationshipType for child in children] == ["CONTAINS", "CONTAINS"]
    assert modified.to_data_set().ContentSequence[0].RelationshipType == "HAS CONCEPT MOD"
