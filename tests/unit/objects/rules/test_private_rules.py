"""Private attributes as modules of an object, and what repeats a standard attribute."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom.dataset import Dataset

from openmodality.device.profile.loader import load_profile
from openmodality.objects.rules.builder import build
from openmodality.objects.rules.check import check
from openmodality.objects.rules.definition import RuleTable
from openmodality.objects.rules.elements import data_set_of, make_element
from openmodality.objects.rules.private_rules import add_mirrors, index_mirrors, list_private_rules
from openmodality.objects.rules.sources import SourceValues

MR = load_profile("mr")
RULES = list_private_rules(MR.private_attributes)
TABLE = RuleTable("Test Object", RULES, optional_modules=frozenset(rule.module for rule in RULES))
MIRRORS = index_mirrors(MR.private_attributes)


def test_a_block_is_reserved_where_something_is_said_in_it() -> None:
    given = Dataset()
    given.add(make_element(0x0029101F, "LO", "3"))
    made = build(TABLE, SourceValues(acquisition=given))
    assert [str(each.tag) for each in made] == ["(0029,0010)", "(0029,101F)"]
    assert made[0x00290010].value == "MMCPrivate"
    assert [str(finding) for finding in check(made, TABLE)] == []
    del made[0x00290010]
    assert [str(finding) for finding in check(made, TABLE)] == [
        "(0029,0010) in Private Attributes 0029 module: missing (0029,0010)"
    ]
    assert len(build(TABLE, SourceValues())) == 0


@pytest.mark.parametrize(
    ("said", "tag", "vr", "value"),
    [
        ({"RFEchoTrainLength": 4}, 0x00291083, "US", 4),
        ({"PixelBandwidth": "130"}, 0x002910A3, "DS", "130"),
        ({"DiffusionBValue": 1000.0}, 0x00291030, "FD", 1000.0),
        ({"TagAngleSecondAxis": 45.0}, 0x0029109F, "SS", 45),
    ],
)
def test_a_value_is_repeated_in_the_vr_of_the_private_attribute(
    said: dict[str, Any], tag: int, vr: str, value: object
) -> None:
    repeated = add_mirrors(data_set_of(**said), MIRRORS)[tag]
    assert (repeated.VR, repeated.value) == (vr, value)


def test_a_code_is_repeated_part_by_part_and_what_was_given_stays() -> None:
    item = data_set_of(CodeValue="T-1", CodingSchemeDesignator="SRT", CodeMeaning="Knee")
    given = data_set_of(AnatomicRegionSequence=[item], PixelBandwidth="130")
    given.add(make_element(0x002910A3, "DS", "99"))
    made = add_mirrors(given, MIRRORS)
    assert [made[tag].value for tag in (0x00291058, 0x00291059, 0x0029105B)] == ["T-1", "SRT", "Knee"]
    assert made[0x00291057].value[0].CodeValue == "T-1"
    assert made[0x002910A3].value == "99"


def test_what_has_no_place_in_the_other_vr_is_not_repeated() -> None:
    assert 0x0029109F not in add_mirrors(data_set_of(TagAngleSecondAxis=45.5), MIRRORS)
    plain = data_set_of(EchoTime="30")
    assert add_mirrors(plain, MIRRORS) is plain
