"""The tables of the two profiles: complete in themselves, and what some requirements say about them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from openmodality.device.paths import TagPath, format_keywords, parse_path
from openmodality.device.profile.loader import load_profile

PROFILES = ("mr", "rf")
FOLDER = Path(__file__).parents[4] / "src" / "openmodality" / "profiles"


def orphans(paths: Iterable[TagPath]) -> list[str]:
    known = set(paths)
    return [format_keywords(path) for path in known if len(path) > 1 and path[:-1] not in known]


@pytest.mark.parametrize("name", PROFILES)
def test_no_attribute_stands_without_its_sequence(name: str) -> None:
    profile = load_profile(name)
    assert orphans(key.path for key in profile.worklist_keys) == []
    assert orphans(attribute.path for attribute in profile.mpps_attributes) == []
    for item in profile.objects:
        assert orphans(rule.path for rule in profile.rules_of(item.name)) == []


@pytest.mark.parametrize("name", PROFILES)
def test_worklist_keys_and_mpps_attributes_stand_once(name: str) -> None:
    profile = load_profile(name)
    for paths in ([key.path for key in profile.worklist_keys], [item.path for item in profile.mpps_attributes]):
        assert len(paths) == len(set(paths))


@pytest.mark.parametrize("name", PROFILES)
def test_objects_and_rules_are_reachable_by_name(name: str) -> None:
    profile = load_profile(name)
    for item in profile.objects:
        assert profile.find_object(item.name) is item
        assert profile.rules_of(item.name)


def test_mr_offers_the_printed_body_part_and_takes_both_spellings() -> None:
    terms = {part.term: part.offered for part in load_profile("mr").body_parts}
    assert len(terms) == 45
    assert (terms["GENERALABDOME"], terms["GENERALABDOMEN"]) == (True, False)


def test_mr_search_keys_are_those_of_the_statement() -> None:
    keys = {key.keyword: key for key in load_profile("mr").worklist_keys if set(key.matching) - {"U"}}
    required = {keyword for keyword, key in keys.items() if key.required}
    assert required == {"ScheduledStationAETitle", "ScheduledProcedureStepStartDate", "Modality", "PatientID"}
    assert set(keys) - required == {"AccessionNumber", "StudyInstanceUID"}
    assert {keyword for keyword, key in keys.items() if not key.configurable} == {"StudyInstanceUID"}


def test_rf_matching_is_that_of_the_statement() -> None:
    keys = {key.keyword: key.matching for key in load_profile("rf").worklist_keys if set(key.matching) - {"U"}}
    assert keys == {
        "ScheduledStationAETitle": ("S", "U"),
        "ScheduledStationName": ("S",),
        "ScheduledProcedureStepLocation": ("S",),
        "ScheduledProcedureStepStartDate": ("S", "R"),
        "Modality": ("S", "U"),
        "PatientID": ("S",),
    }


@pytest.mark.parametrize("name", PROFILES)
def test_mpps_ends_with_date_time_and_series(name: str) -> None:
    final = {item.path for item in load_profile(name).mpps_attributes if item.final == "1"}
    ends = ("PerformedProcedureStepEndDate", "PerformedProcedureStepEndTime", "PerformedSeriesSequence")
    assert {parse_path(keyword) for keyword in ends} <= final


@pytest.mark.parametrize("name", PROFILES)
def test_referenced_study_goes_with_the_scheduled_step(name: str) -> None:
    path = parse_path("ScheduledStepAttributesSequence>ReferencedStudySequence")
    (attribute,) = [item for item in load_profile(name).mpps_attributes if item.path == path]
    assert (attribute.n_create, attribute.n_set) == ("2", "")


def test_makers_are_named_in_profile_files_only() -> None:
    tables = [path for path in FOLDER.rglob("*") if path.is_file() and path.name != "profile.toml"]
    assert [path for path in tables if re.search("CANON|FUJI", path.read_text(), re.IGNORECASE)] == []
