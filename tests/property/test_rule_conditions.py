"""Every condition of the profiles' tables parses, and says what the code said before the tables had a language.

The old readings are kept here as a second source: a regular expression for what a kit measures, a comparison of text
for what holds inside each item, and functions for the sides of the body.
"""

from __future__ import annotations

import re
from functools import partial

from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from openmodality.device.profile.conditions import AppliesWhen, Context, GivenValue, OneLess, parse_condition
from openmodality.device.profile.loader import load_profile
from openmodality.objects.rules.elements import element_at
from openmodality.objects.rules.standard_rules import UNKNOWN_SIDES, UNPAIRED

PROFILES = [load_profile(name) for name in ("mr", "rf")]
CONDITIONS = sorted(
    {row.condition for profile in PROFILES for row in profile.attribute_rules}
    | {row.condition for profile in PROFILES for row in profile.mpps_attributes}
    | {use.condition for profile in PROFILES for use in profile.module_uses}
    | {row.condition for row in UNKNOWN_SIDES}
)
LATERALITY, ORIENTATION = (row.condition for row in UNKNOWN_SIDES)

VALUES: dict[str, st.SearchStrategy[object]] = {
    "BodyPartExamined": st.sampled_from([*UNPAIRED, "KNEE", "OTHER", "", None]),
    "ImageLaterality": st.sampled_from(["L", "R", "", None]),
    "ImageOrientationPatient": st.sampled_from([[1, 0, 0, 0, 1, 0], None]),
    "PerformedProcedureStepStatus": st.sampled_from(["IN PROGRESS", "COMPLETED", "DISCONTINUED", ""]),
    "PatientAge": st.sampled_from(["010Y", "", None]),
    "ValueType": st.sampled_from(["CODE", "TEXT", "PNAME", "IMAGE", "NUM", ""]),
    "BitsStored": st.integers(8, 16),
}


@st.composite
def data_sets(draw: st.DrawFn) -> Dataset:
    data_set = Dataset()
    for keyword, values in VALUES.items():
        if draw(st.booleans()):
            setattr(data_set, keyword, draw(values))
    return data_set


def read_as_before(text: str, data_set: Dataset, switches_off: frozenset[str]) -> bool | None:
    """What the code said that stood in three places; None where it said nothing."""
    if match := re.fullmatch(r"0 unless ([a-z_]+\.[a-z0-9_]+)", text):
        return match[1] in switches_off
    if text == "inside each item":
        return True
    if text == LATERALITY:
        return "ImageLaterality" not in data_set and str(data_set.get("BodyPartExamined") or "") not in UNPAIRED
    if text == ORIENTATION:
        return "ImageOrientationPatient" not in data_set
    if text == "when PerformedProcedureStepStatus is DISCONTINUED":
        return bool(data_set.get("PerformedProcedureStepStatus") == "DISCONTINUED")
    return None


def test_every_condition_of_the_profiles_parses() -> None:
    kinds = [type(parse_condition(text)) for text in CONDITIONS if text]
    assert {AppliesWhen, GivenValue, OneLess} == set(kinds)


def test_the_old_readings_cover_what_was_read() -> None:
    assert sum(read_as_before(text, Dataset(), frozenset()) is not None for text in CONDITIONS) == 5


@given(data_set=data_sets(), switches_off=st.sampled_from([frozenset(), frozenset({"kits.dap"})]))
def test_conditions_say_what_the_code_said(data_set: Dataset, switches_off: frozenset[str]) -> None:
    for text in CONDITIONS:
        condition = parse_condition(text)
        if isinstance(condition, AppliesWhen | GivenValue):
            said = condition.expression.evaluate(partial(element_at, data_set), Context(switches_off))
            before = read_as_before(text, data_set, switches_off)
            assert before is None or said is before
