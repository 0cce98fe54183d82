"""Body parts as codes, against CID 4031 as pydicom has it and against the list of the R/F device."""

from __future__ import annotations

from typing import Any

from pydicom.sr import _concepts_dict

from openmodality.device.profile.loader import load_profile
from openmodality.standard.body_part_codes import ENTIRE_BODY, ORGAN_REGIONS, REGIONS, find_region, find_target_region

CONCEPTS: dict[str, Any] = dict(_concepts_dict.concepts)
CODES = {code: groups for codes in CONCEPTS["SCT"].values() for code, (_, groups) in codes.items()}
CID_4031 = {
    (code, meaning) for codes in CONCEPTS["SCT"].values() for code, (meaning, groups) in codes.items() if 4031 in groups
}


def test_each_region_is_in_the_context_group() -> None:
    assert set(REGIONS.values()) - CID_4031 == set()


def test_each_body_part_of_the_device_has_a_region() -> None:
    terms = [part.term for part in load_profile("rf").body_parts]
    assert terms
    assert [term for term in terms if find_target_region(term) == ENTIRE_BODY] == ["OTHER"]
    assert find_target_region("lspine ") == ("122496007", "Lumbar spine")
    assert find_target_region("") == ENTIRE_BODY


def test_organs_are_codes_that_dose_reports_do_not_take() -> None:
    assert [code for code, _ in ORGAN_REGIONS.values() if 4031 in CODES[code]] == []
    assert {find_target_region(term) for term in ORGAN_REGIONS} == {ENTIRE_BODY}
    assert find_region("brain") == ("12738006", "Brain")
    assert find_region("ABDOMEN") == find_target_region("ABDOMEN")
    assert find_region("OTHER") == ENTIRE_BODY
