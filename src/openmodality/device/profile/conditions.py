"""Conditions of the rule tables: checked when a profile is loaded, parsed into expressions that can be evaluated.

The column ``condition`` of a profile's tables holds one of these, or nothing::

    when EXPRESSION             types 1C and 2C: the attribute is required then; any other: it is sent only then
    inside each item            required in each item of its sequence, and only there
    VALUE unless EXPRESSION     the attribute has this value where the expression is false
    VALUE while EXPRESSION      the attribute has this value where the expression is true
    one less than KEYWORD       the value is one less than that of another attribute

An expression joins facts with ``and`` and ``or``; ``and`` binds closer. A fact is one of::

    KEYWORD is known            the attribute has a value          KEYWORD is absent     the data set does not have it
    KEYWORD is A|B              one of its values is one of these  KEYWORD is not A|B    none of them is
    kits.dap                    this switch of the site is on
    the step is IN PROGRESS, text is beyond the default repertoire
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Protocol, TypeAlias

from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.multival import MultiValue

from openmodality.errors import ConfigurationError
from openmodality.value_class import dataclass

STEP_IN_PROGRESS: Final = "the step is IN PROGRESS"
BEYOND_DEFAULT_REPERTOIRE: Final = "text is beyond the default repertoire"
FACTS: Final = (STEP_IN_PROGRESS, BEYOND_DEFAULT_REPERTOIRE)
"""What a condition can ask for that is no attribute of the data set; who builds it says which of them hold."""

Lookup: TypeAlias = Callable[[int], DataElement | None]
"""Gives the attribute of a tag, in the data set or item that a condition is about; None where it is absent."""

_SWITCH: Final = re.compile(r"[a-z_]+\.[a-z0-9_]+")
_ATTRIBUTE: Final = re.compile(r"(\w+) is (known|absent|not (\S+)|(\S+))")
_GIVEN: Final = re.compile(r"(\S+) (unless|while) (.+)")
_DIFFERENCE: Final = re.compile(r"one less than (\w+)")


@dataclass(frozen=True, slots=True)
class Context:
    """What holds beside the data set: the switches of the site that are off, and those of :data:`FACTS` that are so."""

    switches_off: frozenset[str] = frozenset()
    facts: frozenset[str] = frozenset()


class Expression(Protocol):
    """Something that is true or false of a data set."""

    def evaluate(self, lookup: Lookup, context: Context) -> bool:
        """Whether it is true."""


@dataclass(frozen=True, slots=True)
class Always:
    """True."""

    def evaluate(self, lookup: Lookup, context: Context) -> bool:
        """Whether it is true."""
        return True


@dataclass(frozen=True, slots=True)
class IsKnown:
    """The attribute has a value."""

    tag: int

    def evaluate(self, lookup: Lookup, context: Context) -> bool:
        """Whether it is true."""
        found = lookup(self.tag)
        return found is not None and not found.is_empty


@dataclass(frozen=True, slots=True)
class IsAbsent:
    """The data set does not have the attribute, not even with zero length."""

    tag: int

    def evaluate(self, lookup: Lookup, context: Context) -> bool:
        """Whether it is true."""
        return lookup(self.tag) is None


@dataclass(frozen=True, slots=True)
class IsOneOf:
    """The attribute has one of these values, among others perhaps."""

    tag: int
    values: frozenset[str]

    def evaluate(self, lookup: Lookup, context: Context) -> bool:
        """Whether it is true."""
        found = lookup(self.tag)
        if found is None:
            return False
        values = found.value if isinstance(found.value, MultiValue | list) else (found.value,)
        return any(str(value) in self.values for value in values)


@dataclass(frozen=True, slots=True)
class IsSwitchedOn:
    """A switch of the site is on, such as ``kits.dap``."""

    key: str

    def evaluate(self, lookup: Lookup, context: Context) -> bool:
        """Whether it is true."""
        return self.key not in context.switches_off


@dataclass(frozen=True, slots=True)
class IsFact:
    """One of :data:`FACTS` holds."""

    name: str

    def evaluate(self, lookup: Lookup, context: Context) -> bool:
        """Whether it is true."""
        return self.name in context.facts


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    operand: Expression

    def evaluate(self, lookup: Lookup, context: Context) -> bool:
        """Whether it is true."""
        return not self.operand.evaluate(lookup, context)


@dataclass(frozen=True, slots=True)
class All:
    """Each of the operands is true."""

    operands: tuple[Expression, ...]

    def evaluate(self, lookup: Lookup, context: Context) -> bool:
        """Whether it is true."""
        return all(operand.evaluate(lookup, context) for operand in self.operands)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of the operands is true."""

    operands: tuple[Expression, ...]

    def evaluate(self, lookup: Lookup, context: Context) -> bool:
        """Whether it is true."""
        return any(operand.evaluate(lookup, context) for operand in self.operands)


@dataclass(frozen=True, slots=True)
class AppliesWhen:
    """``when EXPRESSION``, ``inside each item``: where the attribute is required."""

    expression: Expression


@dataclass(frozen=True, slots=True)
class GivenValue:
    """``VALUE unless EXPRESSION``, ``VALUE while EXPRESSION``: a value that stands for whatever else is known."""

    value: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class OneLess:
    """``one less than KEYWORD``."""

    tag: int


RuleCondition: TypeAlias = AppliesWhen | GivenValue | OneLess


def list_tags(asking: RuleCondition | Expression | None) -> frozenset[int]:
    """The attributes that a condition or an expression asks for."""
    match asking:
        case IsKnown() | IsAbsent() | IsOneOf() | OneLess():
            return frozenset({asking.tag})
        case Not():
            return list_tags(asking.operand)
        case All() | AnyOf():
            return frozenset().union(*map(list_tags, asking.operands))
        case AppliesWhen() | GivenValue():
            return list_tags(asking.expression)
    return frozenset()


def parse_condition(text: str) -> RuleCondition | None:
    """Parse the text of a table's cell; None where it is empty.

    Raises :class:`ConfigurationError` where it is no condition.
    """
    if not text:
        return None
    if text == "inside each item":
        return AppliesWhen(Always())
    if text.startswith("when "):
        return AppliesWhen(parse_expression(text.removeprefix("when ")))
    if match := _DIFFERENCE.fullmatch(text):
        return OneLess(_parse_keyword(match[1]))
    if match := _GIVEN.fullmatch(text):
        expression = parse_expression(match[3])
        return GivenValue(match[1], Not(expression) if match[2] == "unless" else expression)
    raise ConfigurationError(
        f"condition {text!r} cannot be read",
        advice="write 'when ...', 'inside each item', 'VALUE unless ...', 'VALUE while ...' or 'one less than KEYWORD'",
    )


def parse_expression(text: str) -> Expression:
    """Parse facts that ``and`` and ``or`` join.

    Raises :class:`ConfigurationError` where one of them is no fact.
    """
    alternatives = [_parse_all(part) for part in text.split(" or ")]
    return alternatives[0] if len(alternatives) == 1 else AnyOf(tuple(alternatives))


def _parse_all(text: str) -> Expression:
    facts = [_parse_fact(part.strip()) for part in text.split(" and ")]
    return facts[0] if len(facts) == 1 else All(tuple(facts))


def _parse_fact(text: str) -> Expression:
    if text in FACTS:
        return IsFact(text)
    if _SWITCH.fullmatch(text):
        return IsSwitchedOn(text)
    match = _ATTRIBUTE.fullmatch(text)
    if match is None:
        raise ConfigurationError(
            f"condition: {text!r} is no fact",
            advice=f"write 'KEYWORD is known', 'is absent', 'is A|B' or 'is not A|B', a switch, or: {', '.join(FACTS)}",
        )
    tag = _parse_keyword(match[1])
    if match[2] == "known":
        return IsKnown(tag)
    if match[2] == "absent":
        return IsAbsent(tag)
    values = IsOneOf(tag, frozenset((match[3] or match[4]).split("|")))
    return Not(values) if match[3] else values


def _parse_keyword(keyword: str) -> int:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise ConfigurationError(f"condition: {keyword!r} is no keyword of PS3.6")
    return tag
