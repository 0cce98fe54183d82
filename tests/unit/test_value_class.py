"""Value classes behave as the frozen, slotted dataclasses that they stand for."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import pprint

import pytest

from openmodality.errors import ConfigurationError
from openmodality.network.entity import LocalAE
from openmodality.network.timeouts import Timeouts
from openmodality.upper_layer.items import UnknownItem
from openmodality.upper_layer.primitives import AbortIndication, ReleaseConfirm, TransportClosed
from openmodality.value_class import replace


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
