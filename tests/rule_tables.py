"""Small rule tables for the tests of the engine."""

from __future__ import annotations

from pydicom.dataset import Dataset

from openmodality.device.paths import parse_path
from openmodality.device.profile.profile import AttributeRule, Requirement, ValueRule, ValueSource
from openmodality.dimse.attribute_names import vr_of
from openmodality.objects.rules.definition import RuleTable


def rule(
    path: str,
    requirement: Requirement,
    *sources: ValueSource,
    module: str = "Test",
    value_rule: ValueRule = "",
    values: tuple[str, ...] = (),
    condition: str = "",
) -> AttributeRule:
    tags = parse_path(path)
    return AttributeRule(
        object="Test Object", ie="Image", module=module, path=tags, keyword=path.rsplit(">", 1)[-1],
        vr=vr_of(tags[-1]), requirement=requirement, sources=sources or ("AUTO",), value_rule=value_rule,
        values=values, condition=condition,
    )  # fmt: skip


def table_of(*rules: AttributeRule, optional: tuple[str, ...] = ()) -> RuleTable:
    return RuleTable("Test Object", rules, frozenset(optional))


def data(**values: object) -> Dataset:
    data_set = Dataset()
    for keyword, value in values.items():
        setattr(data_set, keyword, value)
    return data_set


def keywords(data_set: Dataset) -> list[str]:
    return [element.keyword for element in data_set]
