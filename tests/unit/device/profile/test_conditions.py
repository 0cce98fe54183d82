"""The language of conditions: what each form means, and what is none."""

from __future__ import annotations

from functools import partial

import pytest
from pydicom.dataset import Dataset

from openmodality.device.profile.conditions import (
    BEYOND_DEFAULT_REPERTOIRE,
    STEP_IN_PROGRESS,
    Always,
    AppliesWhen,
    Context,
    GivenValue,
    OneLess,
    parse_condition,
    parse_expression,
)
from openmodality.errors import ConfigurationError
from openmodality.objects.rules.elements import element_at
from tests.rule_tables import data

ANYWHERE = Context()


def holds(text: str, data_set: Dataset, context: Context = ANYWHERE) -> bool:
    return parse_expression(text).evaluate(partial(element_at, data_set), context)


@pytest.mark.parametrize(
    ("text", "data_set", "expected"),
    [
        ("PatientAge is known", data(PatientAge="010Y"), True),
        ("PatientAge is known", data(PatientAge=""), False),
        ("PatientAge is known", data(), False),
        ("PatientAge is absent", data(), True),
        ("PatientAge is absent", data(PatientAge=""), False),
        ("ValueType is TEXT|CODE", data(ValueType="CODE"), True),
        ("ValueType is TEXT|CODE", data(ValueType="NUM"), False),
        ("ValueType is TEXT", data(), False),
        ("ValueType is not TEXT|CODE", data(ValueType="NUM"), True),
        ("ValueType is not TEXT|CODE", data(ValueType="TEXT"), False),
        ("ValueType is not TEXT|CODE", data(), True),
        ("PatientAge is known and ValueType is TEXT", data(PatientAge="010Y", ValueType="TEXT"), True),
        ("PatientAge is known and ValueType is TEXT", data(ValueType="TEXT"), False),
        ("PatientAge is known or ValueType is TEXT", data(ValueType="TEXT"), True),
        ("ValueType is A or ValueType is TEXT and PatientAge is known", data(ValueType="A"), True),
    ],
)
def test_conditions_on_attributes_are_true_or_false(text: str, data_set: Dataset, expected: bool) -> None:
    assert holds(text, data_set) is expected


def test_switches_and_facts() -> None:
    assert holds("kits.dap", data())
    assert not holds("kits.dap", data(), Context(switches_off=frozenset({"kits.dap"})))
    for fact in (STEP_IN_PROGRESS, BEYOND_DEFAULT_REPERTOIRE):
        assert not holds(fact, data())
        assert holds(fact, data(), Context(facts=frozenset({fact})))


def test_each_form_of_a_condition_is_parsed() -> None:
    assert parse_condition("") is None
    assert parse_condition("inside each item") == AppliesWhen(Always())
    assert parse_condition("one less than BitsStored") == OneLess(0x00280101)
    zero, partial_ = parse_condition("0 unless kits.dap"), parse_condition(f"PARTIAL while {STEP_IN_PROGRESS}")
    assert isinstance(zero, GivenValue)
    assert isinstance(partial_, GivenValue)
    assert (zero.value, partial_.value) == ("0", "PARTIAL")
    assert not zero.expression.evaluate(lambda tag: None, Context())
    assert partial_.expression.evaluate(lambda tag: None, Context(facts=frozenset({STEP_IN_PROGRESS})))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("sometimes", "condition 'sometimes' cannot be read"),
        ("when it rains", "'it rains' is no fact"),
        ("when Nonsense is known", "'Nonsense' is no keyword of PS3.6"),
        ("one less than Nonsense", "'Nonsense' is no keyword of PS3.6"),
        ("0 unless it rains", "'it rains' is no fact"),
        ("when PatientAge is known and", "no fact"),
        ("when PatientAge is A |B", "no fact"),
    ],
)
def test_what_is_no_condition_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem.replace("(", r"\(")):
        parse_condition(text)
