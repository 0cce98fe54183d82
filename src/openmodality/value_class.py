"""Frozen, slotted value classes that cost little to define.

A process that only sends one C-ECHO defines all of them, and defining a class is most of what it does: the standard
library's dataclass compiles six functions per class, which took 20 ms of the 100 ms that a whole echo may take. This
decorator compiles one, the constructor, and shares the rest. To a reader, to mypy and to the functions of
``dataclasses`` the classes are frozen dataclasses; see docs/decisions.
"""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def value_class(cls: type[T]) -> type[T]:
    """Make ``cls`` a class of immutable values with its annotations as fields: constructor, equality, hash and repr.

    A method of these that ``cls`` defines itself stays; its ``__post_init__``, if any, ends the constructor.
    """
    body = dict(vars(cls))
    names = tuple(body.get("__annotations__", ()))
    defaults = {name: body.pop(name) for name in names if name in body}
    for unslotted in ("__dict__", "__weakref__"):
        body.pop(unslotted, None)
    shared = {name: method for name, method in vars(_Value).items() if name in _SHARED}
    constructor = _constructor(names, defaults, "__post_init__" in body)
    made = {"__slots__": names, "__match_args__": names, "__init__": constructor}
    made |= {name: _AsDataclass(body.get("__annotations__", {}), defaults) for name in _ASKED_FOR}
    made_class: type[T] = type(cls.__name__, cls.__bases__, {**shared, **body, **made})
    return made_class


def _constructor(names: tuple[str, ...], defaults: dict[str, object], has_post_init: bool) -> object:
    """``def __init__(self, a, b=default)`` for the fields; compiled, because a generic one is slow on every call."""
    parameters = "".join(f", {name}=defaults[{name!r}]" if name in defaults else f", {name}" for name in names)
    lines = [f"set_field(self, {name!r}, {name})" for name in names] + ["self.__post_init__()"] * has_post_init
    statements = "".join(f"\n    {line}" for line in lines or ["pass"])
    scope: dict[str, object] = {"set_field": object.__setattr__, "defaults": defaults}
    exec(f"def __init__(self{parameters}):{statements}", scope)
    return scope["__init__"]


class _AsDataclass:
    """What makes a dataclass to the functions of ``dataclasses``, made for a value class when one of them asks."""

    def __init__(self, annotations: dict[str, Any], defaults: dict[str, object]) -> None:
        self._annotations = annotations
        self._defaults = defaults

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type) -> Any:
        from dataclasses import MISSING, field, make_dataclass  # noqa: PLC0415 - what this decorator is there to avoid

        fields = [
            (name, annotation, field(default=self._defaults.get(name, MISSING)))
            for name, annotation in self._annotations.items()
        ]
        like = make_dataclass(owner.__name__, fields, frozen=True)
        for name in _ASKED_FOR:
            setattr(owner, name, getattr(like, name))
        return getattr(owner, self._name)


_ASKED_FOR = ("__dataclass_fields__", "__dataclass_params__")


class _Value:
    """The methods that all value classes share."""

    __match_args__: tuple[str, ...]

    def _fields(self) -> tuple[object, ...]:
        return tuple([getattr(self, name) for name in self.__match_args__])

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash((type(self), *self._fields()))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__match_args__)
        return f"{type(self).__qualname__}({fields})"

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), self._fields()

    def __setattr__(self, name: str, _: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable, {name!r} cannot be changed")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable, {name!r} cannot be deleted")


_SHARED = ("_fields", "__eq__", "__hash__", "__repr__", "__reduce__", "__setattr__", "__delattr__")


def replace(original: T, **changes: object) -> T:
    """A copy of a value with some fields changed: `dataclasses.replace`, where that need not be imported."""
    names: tuple[str, ...] = type(original).__match_args__  # type: ignore[attr-defined]  # every value class has it
    return type(original)(**{name: getattr(original, name) for name in names} | changes)
