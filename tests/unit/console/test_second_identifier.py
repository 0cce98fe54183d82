from __future__ import annotations

import pytest

from openmodality.console.second_identifier import find_mistake, find_similar
from openmodality.device.site.setting_types import SecondLook


class Item:
    def __init__(self, name: str = "Carter^Edith", patient_id: str = "OM-8297", born: str = "19691226") -> None:
        self._values = {
            "PatientName": name,
            "PatientID": patient_id,
            "PatientBirthDate": born,
            "AccessionNumber": "A1",
        }

    def __getitem__(self, keyword: str, /) -> str:
        return self._values.get(keyword, "")


@pytest.mark.parametrize(
    ("check", "given", "is_right"),
    [
        ("type", "1969", True),
        ("type", "297", True),
        ("type", " 1969 ", True),
        ("type", "1970", False),
        ("type", "OM-8297", False),
        ("type", "", False),
        ("scan", "OM-8297", True),
        ("scan", "om-8297", True),
        ("scan", "A1", True),
        ("scan", "1969", False),
        ("confirm", "yes", True),
        ("confirm", "", False),
        ("off", "", True),
    ],
)
def test_what_is_given_is_compared_with_the_item(check: SecondLook, given: str, is_right: bool) -> None:
    assert (find_mistake(check, Item(), given) == "") is is_right


def test_an_empty_attribute_is_no_identifier() -> None:
    assert find_mistake("type", Item(born="", patient_id=""), "") != ""
    assert find_mistake("scan", Item(patient_id=""), "") != ""


@pytest.mark.parametrize(
    ("other", "alike"),
    [
        (Item("Carter^Edwin", "OM-1111", "19800101"), "name"),
        (Item("Smith^Ann", "OM-1111", "19691226"), "date of birth"),
        (Item("Smith^John", "OM-8279", "19800101"), "Patient ID"),
        (Item("Cartér^Edith", "OM-8297", "19691226"), "name and date of birth and Patient ID"),
        (Item("Smith^John", "OM-1111", "19800101"), None),
        (Item("Smith^John", "", ""), None),
    ],
)
def test_who_could_be_taken_for_the_patient(other: Item, alike: str | None) -> None:
    found = find_similar(Item(), [Item(), other, other])
    assert [each.alike for each in found] == ([alike] if alike else [])
