"""What the tables of a profile lack, by the mandatory modules and attributes of PS3.3."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from pydicom.tag import Tag

from openmodality.device.profile.completeness import find_gaps
from openmodality.device.profile.loader import load_profile
from openmodality.standard.type_1 import BY_SOP_CLASS, list_type_1_attributes
from tools import generate_mandatory_attributes as facts

ROOT: Final = Path(__file__).parents[4]
CT: Final = ROOT / "docs" / "examples" / "ct"
US: Final = ROOT / "tests" / "data" / "profiles" / "us"


def test_the_example_of_the_documents_lacks_nothing(caplog: pytest.LogCaptureFixture) -> None:
    assert find_gaps(load_profile(CT)) == []
    assert caplog.records == []


@pytest.mark.parametrize("name", ["mr", "rf"])
def test_the_two_devices_lack_nothing(name: str) -> None:
    """Where a statement asks for less than PS3.3, what each image has is no gap: fixed values, groups of frames."""
    assert find_gaps(load_profile(ROOT / "src" / "openmodality" / "profiles" / name)) == []


@pytest.mark.parametrize(
    ("keyword", "gap"),
    [
        ("KVP", "the mandatory module ct image lacks KVP (Type 2)"),
        ("RescaleSlope", "the mandatory module ct image lacks RescaleSlope (Type 1)"),
        ("FrameOfReferenceUID", "the mandatory module frame of reference lacks FrameOfReferenceUID (Type 1)"),
        ("SeriesDescription", ""),
        ("Rows", ""),
    ],
)
def test_an_attribute_that_is_missing_is_named_with_its_module(keyword: str, gap: str) -> None:
    whole = load_profile(CT)
    rules = tuple(rule for rule in whole.attribute_rules if rule.keyword != keyword)
    assert [str(each) for each in find_gaps(replace(whole, attribute_rules=rules))] == ([gap] if gap else [])


@pytest.mark.parametrize(
    ("keyword", "requirement", "is_enough"),
    [
        ("KVP", "VNAP", True), ("KVP", "ANAP", False), ("KVP", "3", False), ("KVP", "1", True), ("KVP", "2C", False),
        ("RescaleSlope", "2", False), ("RescaleSlope", "VNAP", False), ("RescaleSlope", "ALWAYS", True),
    ],
)  # fmt: skip
def test_a_weaker_requirement_is_not_enough(keyword: str, requirement: str, is_enough: bool) -> None:
    whole = load_profile(CT)
    rules = tuple(
        replace(rule, requirement=requirement) if rule.keyword == keyword else rule  # type: ignore[arg-type]
        for rule in whole.attribute_rules
    )
    assert (find_gaps(replace(whole, attribute_rules=rules)) == []) == is_enough


@pytest.mark.parametrize(
    ("presence", "condition", "is_enough"), [("ALWAYS", "", True), ("ANAP", "", False), ("ALWAYS", "MR only", False)]
)
def test_a_fixed_value_that_each_image_has_is_enough(presence: str, condition: str, is_enough: bool) -> None:
    """One of a module that is left out where there is nothing to say in it is not, nor one with a condition."""
    whole = load_profile(CT)
    fixed = {"requirement": "ANAP", "value_rule": "fixed", "values": ("1",), "condition": condition}
    (module,) = {rule.module for rule in whole.attribute_rules if rule.keyword == "RescaleSlope"}
    rules = tuple(
        replace(rule, **fixed) if rule.keyword == "RescaleSlope" else rule  # type: ignore[arg-type]
        for rule in whole.attribute_rules
    )
    uses = tuple(
        replace(use, presence=presence) if use.module == module else use  # type: ignore[arg-type]
        for use in whole.module_uses
    )
    assert (find_gaps(replace(whole, attribute_rules=rules, module_uses=uses)) == []) == is_enough


def test_the_loader_warns_in_one_line_and_says_what_lists_all(caplog: pytest.LogCaptureFixture) -> None:
    load_profile(US)
    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (logging.WARNING, "profile.incomplete")
    assert record.__dict__["attributes"] == "12 mandatory ones are missing, such as PatientID"
    assert record.__dict__["reason"] == f"openmodality profile check {US} lists them"


def test_the_facts_are_those_of_highdicom() -> None:
    by_class = facts.list_modules()
    assert by_class["1.2.840.10008.5.1.4.1.1.2"][-2:] == ["ct-image", "sop-common"]
    written = (facts.TARGET / "mandatory_modules.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert written == [f"{uid},{'|'.join(modules)}" for uid, modules in by_class.items()]


@pytest.mark.parametrize("sop_class", BY_SOP_CLASS)
def test_the_facts_agree_with_the_table_of_type_1(sop_class: str) -> None:
    """Of what instances that are received must have."""
    known = facts.read_table("module_attribute_map")
    keywords = {
        keyword
        for module in facts.list_modules()[sop_class]
        for keyword, type_ in facts.list_attributes(known[module])
        if type_ == "1"
    }
    assert {Tag(keyword) for keyword in keywords} == list_type_1_attributes(sop_class) - {Tag("PixelData")}
