"""Value classes behave as the frozen, slotted dataclasses that they stand for."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import pprint
from collections.abc import Callable
from dataclasses import field
from typing import Any, ClassVar

import pytest

from openmodality.errors import ConfigurationError
from openmodality.network.entity import LocalAE
from openmodality.network.timeouts import Timeouts
from openmodality.upper_layer.items import UnknownItem
from openmodality.upper_layer.primitives import AbortIndication, ReleaseConfirm, TransportClosed
from openmodality.value_class import dataclass, replace


def test_values_are_equal_by_class_and_fields() -> None:
    assert AbortIndication(2, 1) == AbortIndication(2, 1, "")
    assert AbortIndication(2, 1) != AbortIndication(2, 2)
    assert len({ReleaseConfirm(), TransportClosed(), ReleaseConfirm()}) == 2
    assert hash(AbortIndication(2, 1)) == hash(AbortIndication(source=2, reason=1))


def test_values_show_their_fields() -> None:
    assert repr(UnknownItem(1, b"a")) == "UnknownItem(type=1, data=b'a')"
    assert repr(ReleaseConfirm()) == "ReleaseConfirm()"


@pytest.mark.parametrize("name", ["type", "other"])
def test_values_do_not_change(name: str) -> None:
    item = UnknownItem(1, b"a")
    with pytest.raises(AttributeError, match="immutable"):
        setattr(item, name, 2)
    with pytest.raises(AttributeError, match="immutable"):
        delattr(item, name)
    assert not hasattr(item, "__dict__")


def test_constructors_check_their_arguments() -> None:
    with pytest.raises(TypeError, match=r"AbortIndication\(\) needs a value for source, reason"):
        AbortIndication()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"needs a value for reason"):
        AbortIndication(2)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"UnknownItem\(\) takes 2 values but 3 were given"):
        UnknownItem(1, b"a", 3)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"AbortIndication\(\) has no field 'more'"):
        AbortIndication(2, 1, more=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"AbortIndication\(\) got two values for 'source'"):
        AbortIndication(2, 1, source=1)  # type: ignore[misc]


def test_defaults_and_names_in_any_order() -> None:
    assert AbortIndication(2, 1).violation == ""
    assert AbortIndication(reason=1, source=2, violation="why") == AbortIndication(2, 1, "why")


def test_a_changed_copy() -> None:
    assert replace(AbortIndication(2, 1), reason=6) == AbortIndication(2, 6)
    with pytest.raises(TypeError):
        replace(AbortIndication(2, 1), nothing=6)


def test_the_functions_of_dataclasses_know_them() -> None:
    value = AbortIndication(2, 1)
    assert dataclasses.replace(value, reason=6) == AbortIndication(2, 6)
    assert dataclasses.asdict(value) == {"source": 2, "reason": 1, "violation": ""}
    fields = {field.name: (field.type, field.default) for field in dataclasses.fields(Timeouts)}
    assert fields["idle_s"] == ("float | None", 600.0)
    assert dataclasses.fields(AbortIndication)[0].default is dataclasses.MISSING
    assert pprint.pformat(LocalAE("A"), width=20) == repr(LocalAE("A"))


def test_a_dataclass_may_be_made_of_one() -> None:
    @dataclasses.dataclass(frozen=True)
    class Own(AbortIndication):
        note: str = ""

    assert Own(2, 1, note="mine").note == "mine"
    with pytest.raises(TypeError, match="cannot inherit non-frozen"):
        dataclasses.dataclass(type("Changing", (AbortIndication,), {}))


def test_what_the_constructor_ends_with() -> None:
    with pytest.raises(ConfigurationError, match="PDU of 5 bytes"):
        LocalAE(max_pdu_length=5)


def test_values_match_by_position() -> None:
    match AbortIndication(2, 1):
        case AbortIndication(source, reason):
            assert (source, reason) == (2, 1)


def test_values_can_be_copied() -> None:
    item = UnknownItem(1, b"a")
    assert copy.deepcopy(item) == item
    assert pickle.loads(pickle.dumps(item)) == item


# Dataclasses whose functions wait


@dataclass(frozen=True, slots=True)
class Waiting:
    """A value with all kinds of fields."""

    first: int
    second: str = "two"
    third: tuple[int, ...] = field(default_factory=tuple)
    named: int = field(default=0, kw_only=True)
    noted: str = field(default="", compare=False, repr=False)
    unset: int = field(default=5, init=False)
    shared: ClassVar[int] = 7

    def __post_init__(self) -> None:
        if self.first < 0:
            raise ValueError("below 0")


@dataclass(slots=True)
class Changing:
    """A value that changes."""

    first: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A value that is made by names."""

    first: int


@dataclass(frozen=True, slots=True, eq=False)
class Itself:
    """A value that is equal to itself alone."""

    first: int = 1


@dataclass(frozen=True, slots=True)
class Own:
    """A value with functions of its own."""

    first: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Own)

    def __repr__(self) -> str:
        return "own"


def make_at_once(kind: Any, **options: Any) -> Any:
    """The class as the standard library makes it."""
    fields = [
        (each.name, each.type, field(**{name: getattr(each, name) for name in _OF_FIELD}))
        for each in dataclasses.fields(kind)
    ]
    functions = {"__post_init__": Waiting.__post_init__} if kind is Waiting else {}
    return dataclasses.make_dataclass(kind.__qualname__, fields, namespace=functions, slots=True, **options)


_OF_FIELD = ("default", "default_factory", "init", "repr", "compare", "kw_only")


@pytest.mark.parametrize(
    ("kind", "options", "make"),
    [
        (Waiting, {"frozen": True}, lambda kind: kind(1, "a", (2,), named=3, noted="n")),
        (Waiting, {"frozen": True}, lambda kind: kind(first=2)),
        (Changing, {}, lambda kind: kind(2)),
        (Named, {"frozen": True, "kw_only": True}, lambda kind: kind(first=2)),
        (Itself, {"frozen": True, "eq": False}, lambda kind: kind(2)),
    ],
)
def test_a_dataclass_whose_functions_wait_is_one(kind: Any, options: Any, make: Callable[[Any], Any]) -> None:
    like = make_at_once(kind, **options)
    ours, theirs = make(kind), make(like)
    assert repr(ours) == repr(theirs)
    assert (ours == make(kind)) == (theirs == make(like))
    assert (kind.__hash__ is None) == (like.__hash__ is None)
    assert kind.__hash__ is None or (hash(ours) == hash(make(kind))) == (hash(theirs) == hash(make(like)))
    assert dataclasses.asdict(ours) == dataclasses.asdict(theirs)
    assert dataclasses.fields(kind)[0].type == dataclasses.fields(like)[0].type == "int"
    assert kind.__match_args__ == like.__match_args__
    assert kind.__slots__ == like.__slots__
    assert str(inspect.signature(kind)) == str(inspect.signature(like))
    assert dataclasses.replace(ours) == ours or kind is Itself
    assert dataclasses.astuple(pickle.loads(pickle.dumps(ours))) == dataclasses.astuple(copy.deepcopy(ours))


def test_functions_of_a_dataclass_wait_until_one_is_used() -> None:
    @dataclass(frozen=True, slots=True)
    class Fresh:
        first: int

    def list_made() -> list[str]:
        functions = ("__init__", "__eq__", "__hash__", "__repr__")
        return [name for name in functions if inspect.isfunction(vars(Fresh)[name])]

    assert list_made() == []
    one = Fresh(1)
    assert list_made() == ["__init__"]
    assert one == Fresh(1)
    assert list_made() == ["__init__", "__eq__", "__hash__", "__repr__"]


def test_a_dataclass_keeps_its_own_functions_and_those_of_its_module() -> None:
    assert repr(Own(1)) == "own"
    assert Own(1) == Own(2)
    assert hash(Own(1)) != hash(Own(2))
    assert (Waiting.shared, Waiting.__qualname__, Waiting.__module__) == (7, "Waiting", __name__)
    with pytest.raises(ValueError, match="below 0"):
        Waiting(-1)
    with pytest.raises(TypeError, match=r"missing 1 required positional argument: 'first'"):
        Own()  # type: ignore[call-arg]


@pytest.mark.parametrize("name", ["first", "other"])
def test_a_frozen_dataclass_does_not_change(name: str) -> None:
    value = Waiting(1)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign"):
        setattr(value, name, 2)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete"):
        delattr(value, name)
    assert not hasattr(value, "__dict__")
    changing = Changing()
    changing.first = 3
    assert changing == Changing(3)


def test_a_dataclass_that_is_made_of_one() -> None:
    @dataclass(frozen=True, slots=True)
    class Longer(Own):
        more: int = 2

    class Plain(Own):
        def __init__(self, first: int) -> None:
            super().__init__(first + 1)

    assert Longer(1).more == 2
    assert [each.name for each in dataclasses.fields(Longer)] == ["first", "more"]
    assert Plain(1).first == 2
