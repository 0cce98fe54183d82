"""Body parts: what a device offers, takes and refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydicom.dataset import Dataset

from openmodality.device.body_parts import check_body_part, describe_unknown_body_parts, list_offered_terms
from openmodality.device.profile.loader import load_profile
from openmodality.device.profile.profile import Profile
from openmodality.errors import UsageError


@pytest.fixture(scope="module")
def mr() -> Profile:
    return load_profile("mr")


@pytest.fixture(scope="module")
def rf() -> Profile:
    return load_profile("rf")


def of(part: str | None) -> Dataset:
    data_set = Dataset()
    data_set.BodyPartExamined = part
    return data_set


@pytest.mark.parametrize(
    ("part", "advice"),
    [
        ("HED", "use one of HEAD"),
        ("NOSUCH", "use one of SKULL, CSPINE, TSPINE, LSPINE, "),
        ("knees", "use one of KNEE"),
        ("SHOULDERS", "use one of SHOULDER"),
        ("Q", "use one of SKULL, CSPINE, TSPINE, LSPINE, "),
    ],
)
def test_another_term_is_refused_with_the_nearest(rf: Profile, part: str, advice: str) -> None:
    with pytest.raises(UsageError, match=f"'{part}' is no Body Part Examined") as caught:
        check_body_part(rf, of(part))
    assert caught.value.advice.startswith(advice)


def test_the_terms_of_the_statement_are_taken(rf: Profile) -> None:
    terms = list_offered_terms(rf)
    assert len(terms) == 26
    for term in (*terms, "", None):
        check_body_part(rf, of(term))
    check_body_part(rf, Dataset())
    for name in ("RF Image", "CR Image"):
        rules = [rule for rule in rf.rules_of(name) if rule.keyword == "BodyPartExamined"]
        assert {(rule.value_rule, rule.values) for rule in rules} == {("defined", terms)}


def test_both_spellings_are_taken_and_the_printed_one_is_offered(mr: Profile) -> None:
    check_body_part(mr, of("GENERALABDOME"))
    check_body_part(mr, of("GENERALABDOMEN"))
    assert "GENERALABDOME" in list_offered_terms(mr)
    assert "GENERALABDOMEN" not in list_offered_terms(mr)


def test_a_device_without_a_list_takes_any() -> None:
    device = replace(load_profile("mr"), body_parts=())
    check_body_part(device, of("TAIL"))
    assert list_offered_terms(device) == ()


def test_scheduled_parts_that_are_not_of_the_list_are_told(rf: Profile) -> None:
    (notice,) = describe_unknown_body_parts(rf, [(4, of("KNEE")), (17, of("TAIL")), (18, Dataset())])
    assert notice == "worklist item 17 has Body Part Examined 'TAIL', which this device does not list; it is kept"
