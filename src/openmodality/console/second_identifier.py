"""Checks a second identifier of the patient before an exam starts, and finds patients with a similar identity.

It is easy to take the wrong line of a list. So the operator types an identifier that the list does not show, from the
wristband or from the patient. It is compared with the item, and the exam does not start without it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from operator import ne
from typing import Final, Protocol

from openmodality.device.site.setting_types import SecondLook
from openmodality.value_class import dataclass

TAIL: Final = 3
"""How many of the last characters of a Patient ID are asked for."""
CONFIRMED: Final = "yes"
_ALIKE: Final = 0.8
_YEAR: Final = 4
_COMPARED: Final = ("PatientName", "PatientID", "PatientBirthDate")


class ItemLike(Protocol):
    """A worklist item: its attributes by keyword, empty where it has none."""

    def __getitem__(self, keyword: str, /) -> str: ...


def describe_check(check: SecondLook) -> str:
    """What the operator is asked for; empty where the site asks for nothing."""
    return {
        "scan": "Scan the wristband: Patient ID or accession number",
        "type": f"Year of birth, or the last {TAIL} characters of the Patient ID",
        "confirm": "I have compared name and date of birth with the patient",
        "off": "",
    }[check]


def find_mistake(check: SecondLook, item: ItemLike, given: str) -> str:
    """Why what the operator gave does not identify the patient of an item; empty where it does."""
    if check == "off" or (check == "confirm" and given == CONFIRMED):
        return ""
    if not given or check == "confirm":
        return f"{describe_check(check)}: this is needed before the exam can start."
    expected = _list_scanned(item) if check == "scan" else _list_typed(item)
    if _fold(given) in {_fold(each) for each in expected}:
        return ""
    return "This is not what the worklist has for this patient. Look at the wristband, and at the line you have chosen."


def _list_scanned(item: ItemLike) -> Iterator[str]:
    yield from filter(None, (item["PatientID"], item["AccessionNumber"]))


def _list_typed(item: ItemLike) -> Iterator[str]:
    yield from filter(None, (item["PatientBirthDate"][:_YEAR], item["PatientID"].strip()[-TAIL:]))


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold().strip()


@dataclass(frozen=True, slots=True)
class Similar:
    """Another patient of the same list with a similar identity, and what is alike."""

    name: str
    patient_id: str
    birth_date: str
    alike: str


def find_similar(item: ItemLike, others: Iterable[ItemLike]) -> list[Similar]:
    """The patients of a list who have a name, a date of birth or an ID like that of an item, each once.

    Who is alike in most ways comes first.
    """
    found: dict[str, Similar] = {}
    own = _Compared(item)
    for other in others:
        patient_id = other["PatientID"]
        if patient_id in found:
            continue
        alike = own.describe_alike(other["PatientName"], patient_id, other["PatientBirthDate"])
        if alike:
            found[patient_id] = Similar(other["PatientName"], patient_id, other["PatientBirthDate"], alike)
    return sorted(found.values(), key=lambda each: -each.alike.count(" and "))


class _Compared:
    """A patient whom thousands are compared with: so values that are costly to make are made once."""

    def __init__(self, item: ItemLike) -> None:
        self._name, self._patient_id, self._birth_date = (item[keyword] for keyword in _COMPARED)
        self._folded = _split_name(self._name)
        self._family = self._folded.split()[:1]
        self._matcher = SequenceMatcher()
        self._matcher.set_seq2(self._folded)

    def describe_alike(self, name: str, patient_id: str, birth_date: str) -> str:
        """In which ways another is like him; empty where in none."""
        if (patient_id, name) == (self._patient_id, self._name):
            return ""  # the same person
        ways = (
            ("name", self._is_name_alike(_split_name(name))),
            ("date of birth", bool(birth_date) and birth_date == self._birth_date),
            ("Patient ID", _are_digits_alike(self._patient_id, patient_id)),
        )
        return " and ".join([way for way, is_alike in ways if is_alike])

    def _is_name_alike(self, other: str) -> bool:
        if not self._folded or not other:
            return False
        if other.split(maxsplit=1)[:1] == self._family:
            return True
        self._matcher.set_seq1(other)  # its bounds are the same both ways round, and cost little
        if min(self._matcher.real_quick_ratio(), self._matcher.quick_ratio()) < _ALIKE:
            return False
        return SequenceMatcher(None, self._folded, other).ratio() >= _ALIKE


def _split_name(name: str) -> str:
    return _fold(name.split("=")[0].replace("^", " "))


def _are_digits_alike(one: str, other: str) -> bool:
    """The same characters, or two of them exchanged: what a person mistypes."""
    if len(one) != len(other) or not one:
        return False
    differing = sum(map(ne, one, other))
    return differing == 0 or (differing == 2 and sorted(one) == sorted(other))
