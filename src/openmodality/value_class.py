"""Frozen, slotted value classes that cost little to define.

A process that only sends one C-ECHO defines all of them, and defining a class is most of what it does: the standard
library's dataclass compiles six functions per class, which took 20 ms of the 100 ms that a whole echo may take. This
decorator compiles none; all classes share the methods below, so that a value is made in 2 us instead of 1. To a
reader, to mypy and to the functions of ``dataclasses`` the classes are frozen dataclasses; see docs/decisions.
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
    body |= {"__slots__": names, "__match_args__": names, "_defaults": defaults}
    body |= {name: _AsDataclass(body.get("__annotations__", {}), defaults) for name in _ASKED_FOR}
    bases = (_Value,) if cls.__bases__ == (object,) else cls.__bases__
    made_class: type[T] = type(cls.__name__, bases, body)
    return made_class


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
    """What all value classes have."""

    __slots__ = ()
    __match_args__: tuple[str, ...]
    _defaults: dict[str, object]

    def __init__(self, *values: object, **named: object) -> None:
        names = self.__match_args__
        if named or len(values) != len(names):
            values = _bound(type(self), values, named)
        for name, value in zip(names, values, strict=True):
            _set_field(self, name, value)
        self.__post_init__()

    def __post_init__(self) -> None:
        """Ends the constructor, where a class has something to check."""

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


_set_field = object.__setattr__


def _bound(cls: type[_Value], values: tuple[object, ...], named: dict[str, object]) -> tuple[object, ...]:
    """One value for each field, of those that are given by position or by name and of the defaults."""
    names = cls.__match_args__
    if len(values) > len(names):
        raise TypeError(f"{cls.__name__}() takes {len(names)} values but {len(values)} were given")
    given = {**cls._defaults, **named, **dict(zip(names, values, strict=False))}
    if unknown := given.keys() - set(names):
        raise TypeError(f"{cls.__name__}() has no field {unknown.pop()!r}")
    if twice := named.keys() & set(names[: len(values)]):
        raise TypeError(f"{cls.__name__}() got two values for {twice.pop()!r}")
    if missing := [name for name in names if name not in given]:
        raise TypeError(f"{cls.__name__}() needs a value for {', '.join(missing)}")
    return tuple([given[name] for name in names])


def replace(original: T, **changes: object) -> T:
    """A copy of a value with some fields changed: `dataclasses.replace`, where that need not be imported."""
    names: tuple[str, ...] = type(original).__match_args__  # type: ignore[attr-defined]  # every value class has it
    return type(original)(**{name: getattr(original, name) for name in names} | changes)
