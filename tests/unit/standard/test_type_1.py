"""The table of Type 1 attributes against a second source: highdicom's module tables of PS3.3."""

from __future__ import annotations

import pytest
from pydicom.tag import Tag

from openmodality.standard.sop_classes import X_RAY_RADIATION_DOSE_SR_STORAGE
from openmodality.standard.type_1 import BY_SOP_CLASS, EVERY_OBJECT, list_type_1_attributes
from tools.generate_mandatory_attributes import read_table

PIXEL_DATA = 0x7FE00010


def mandatory(sop_class_uid: str) -> frozenset[int]:
    iod = read_table("sop_class_iod_map")[sop_class_uid]
    modules = [module["key"] for module in read_table("iod_module_map")[iod] if module["usage"] == "M"]
    attributes = [attribute for module in modules for attribute in read_table("module_attribute_map")[module]]
    return frozenset(Tag(each["keyword"]) for each in attributes if not each["path"] and each["type"] == "1")


@pytest.mark.parametrize("sop_class_uid", BY_SOP_CLASS)
def test_the_table_holds_what_the_mandatory_modules_hold(sop_class_uid: str) -> None:
    assert list_type_1_attributes(sop_class_uid) - {PIXEL_DATA} == mandatory(sop_class_uid)


def test_every_object_has_what_is_asked_of_every_object() -> None:
    assert mandatory(X_RAY_RADIATION_DOSE_SR_STORAGE) >= EVERY_OBJECT
    assert list_type_1_attributes("1.2.840.10008.5.1.4.1.1.2") == EVERY_OBJECT
