"""The second look at who the patient is, before an exam starts; and who could be taken for him.

A line of a list is easily mistaken for the one above it. So the operator says something that the wristband or the
patient says, and not the list: that is compared with the item, and the start waits for it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final, Literal, Protocol

SecondLook = Literal["scan", "type", "confirm", "off"]
TAIL: Final = 3
"""How many of the last characters of a Patient ID are asked for."""
CONFIRMED: Final = "yes"
_ALIKE: Final = 0.8
_YEAR: Final = 4
_COMPARED: Final = ("PatientID", "PatientName", "PatientBirthDate")


class ItemLike(Protocol):
    """A worklist item: its attributes by keyword, empty where it has none."""

    def __getitem__(self, keyword: str, /) -> str: ...


def describe_check(check: SecondLook) -> str:
    """What the operator is asked for; empty where nothing is."""
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
    """Another patient of the same list who could be taken for this one, and what is alike."""

    name: str
    patient_id: str
    birth_date: str
    alike: str


def find_similar(item: ItemLike, others: Iterable[ItemLike]) -> list[Similar]:
    """The patients of a list who have a name, a date of birth or an ID like that of an item, each once.

    Who is alike in most ways comes first.
    """
    found: dict[str, Similar] = {}
    own = {keyword: item[keyword] for keyword in _COMPARED}  # read once: lists have thousands of items
    for other in others:
        alike = _describe_alike(own, other)
        if alike and other["PatientID"] not in found:
            found[other["PatientID"]] = Similar(
                other["PatientName"], other["PatientID"], other["PatientBirthDate"], alike
            )
    return sorted(found.values(), key=lambda each: -each.alike.count(" and "))


def _describe_alike(item: ItemLike, other: ItemLike) -> str:
    if (item["PatientID"], item["PatientName"]) == (other["PatientID"], other["PatientName"]):
        return ""  # the same person
    ways = (
        ("name", _are_alike(_split_name(item), _split_name(other))),
        ("date of birth", bool(item["PatientBirthDate"]) and item["PatientBirthDate"] == other["PatientBirthDate"]),
        ("Patient ID", _are_digits_alike(item["PatientID"], other["PatientID"])),
    )
    return " and ".join(way for way, is_alike in ways if is_alike)


def _split_name(item: ItemLike) -> str:
    return _fold(item["PatientName"].split("=")[0].replace("^", " "))


def _are_alike(one: str, other: str) -> bool:
    if not one or not other:
        return False
    if one.split()[0] == other.split()[0]:
        return True
    matcher = SequenceMatcher(None, one, other)  # the bounds cost little, and lists have thousands of names
    return min(matcher.real_quick_ratio(), matcher.quick_ratio()) >= _ALIKE and matcher.ratio() >= _ALIKE


def _are_digits_alike(one: str, other: str) -> bool:
    """The same characters in another order, or one of them another: what a person mistypes."""
    if len(one) != len(other) or not one:
        return False
    differing = [number for number, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1]]
    return one == other or (len(differing) == 2 and sorted(one) == sorted(other))
