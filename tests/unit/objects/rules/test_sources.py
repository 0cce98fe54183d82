"""Sources of a table as places to look in."""

from __future__ import annotations

import pytest

from openmodality.device.profile.profile import Requirement, ValueSource
from openmodality.objects.rules.sources import SourceValues, list_places
from tests.rule_tables import data, rule

WORKLIST, USER, CONFIGURATION, ACQUISITION, AUTOMATIC = range(5)


@pytest.mark.parametrize(
    ("requirement", "sources", "places"),
    [
        ("2", ("MWL", "USER"), (WORKLIST, USER, ACQUISITION)),
        ("3", ("AUTO",), (AUTOMATIC, CONFIGURATION, ACQUISITION)),
        ("1", ("MWL",), (WORKLIST, AUTOMATIC)),
        ("ALWAYS", ("CONFIG",), (CONFIGURATION, AUTOMATIC)),
        ("3", ("ACQ", "AUTO"), (ACQUISITION, AUTOMATIC, CONFIGURATION)),
    ],
)
def test_places_come_in_the_order_of_the_sources(
    requirement: Requirement, sources: tuple[ValueSource, ...], places: tuple[int, ...]
) -> None:
    assert list_places(rule("StudyID", requirement, *sources)) == places


@pytest.mark.parametrize("requirement", ["1", "2", "VNAP"])
def test_who_the_patient_is_never_comes_with_the_pixels(requirement: Requirement) -> None:
    row = rule("PatientName", requirement, "MWL", "USER", "AUTO", module="Patient")
    assert ACQUISITION not in list_places(row)
    assert list_places(row)[:2] == (WORKLIST, USER)


def test_only_what_has_a_value_is_found() -> None:
    indexed = SourceValues(user=data(StudyID="7", PatientAge=""), automatic=data(Rows=0)).index()
    assert [sorted(place) for place in indexed] == [[], [0x00200010], [], [], [0x00280010]]
