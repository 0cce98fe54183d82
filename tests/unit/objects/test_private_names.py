"""Private attributes by the names and tags that people call them by."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom.datadict import private_dictionary_VR

from openmodality.acquisition.keywords import attributes_of
from openmodality.device.profile.loader import load_profile
from openmodality.device.profile.profile import PrivateAttribute
from openmodality.errors import ObjectInvalid
from openmodality.objects.private_names import PrivateNames, format_key, parse_key, register_with_pydicom

MR = load_profile("mr")
NAMES = PrivateNames(MR.private_attributes)
AXIS = "MMCPrivate (0029,101F) LO"


@pytest.mark.parametrize(
    "given", ["MPGAxisNumber", "0029,101F", "(0029,101f)", "0029101F", AXIS, {"private": {"MPGAxisNumber": "3"}}]
)
def test_an_attribute_is_found_by_name_and_tag(given: Any) -> None:
    values = given if isinstance(given, dict) else {given: "3"}
    assert NAMES.name_keys(values, "api") == {AXIS: "3"}


def test_a_keyword_goes_before_a_name_of_the_dictionary() -> None:
    given = {"Laterality": "L", "private": {"0009,100B": "x"}}
    assert NAMES.name_keys(given, "api") == {"Laterality": "L", "MMCPrivate (0009,100B) SH": "x"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"Technologist": "x"}, "3 private attributes are called Technologist"),
        ({"0029,10FF": "x"}, "0029,10FF is no private attribute of this device"),
        ({"Acme (0033,1001) LO": "x"}, "Acme (0033,1001) LO is no private attribute"),
        ({"private": {"EchoTime": 1}}, "EchoTime is no private attribute"),
        ({"private": {"0018,0081": 1}}, "0018,0081 is no private attribute"),
    ],
)
def test_what_the_device_does_not_have_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ObjectInvalid) as caught:
        NAMES.name_keys(given, "api")
    assert words in caught.value.message
    assert caught.value.advice


def test_items_of_sequences_are_looked_through() -> None:
    given = {"MRDiffusionSequence": [{"DiffusionGradientDirectionSequence": [{"MPGAxisNumber": "3"}]}]}
    [outer] = attributes_of(NAMES.name_keys(given, "api"), "api").MRDiffusionSequence
    [item] = outer.DiffusionGradientDirectionSequence
    assert item.private_block(0x0029, "MMCPrivate")[0x1F].value == "3"


def test_a_key_says_all_that_makes_the_element() -> None:
    for attribute in MR.private_attributes:
        key = parse_key(format_key(attribute))
        assert key is not None
        assert (key.creator, key.vr) == (attribute.creator, attribute.vr)
        assert key.creator_tag == attribute.group << 16 | 0x10
    assert parse_key("EchoTime") is None


def test_pydicom_reads_implicit_vr_by_the_dictionary_of_the_device() -> None:
    register_with_pydicom(MR.private_attributes)
    for attribute in MR.private_attributes:
        tag = attribute.group << 16 | 0x1000 | attribute.offset
        assert private_dictionary_VR(tag, attribute.creator) == attribute.vr
    other = PrivateAttribute("OPENMODALITY TEST", 0x0035, 0x01, "FD", "Angle")
    register_with_pydicom([other])
    assert private_dictionary_VR(0x00351001, "OPENMODALITY TEST") == "FD"
