"""Value classes and dataclasses that cost little to define.

A process that only sends one C-ECHO defines all value classes, and defining a class is most of what it does: the
standard library's dataclass compiles six functions per class, which took 20 ms of the 100 ms that a whole echo may
take. :func:`value_class` compiles none; all classes share the methods below, so that a value is made in 2 us instead
of 1. To a reader, to mypy and to the functions of ``dataclasses`` the classes are frozen dataclasses; see
docs/decisions.

:func:`dataclass` is that of the standard library, of which the functions are compiled when the first value of a class
is made: a device defines three hundred of them at its start and makes values of a third.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, dataclass_transform

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


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # to mypy it is the very same
else:

    def dataclass(cls: type[T] | None = None, /, **options: bool) -> Any:
        """As ``dataclasses.dataclass``; of a class with slots the functions are compiled when one of them is used."""
        if cls is None:
            return lambda each: dataclass(each, **options)
        if _can_wait(cls, options):
            return _make_waiting(cls, options)
        from dataclasses import dataclass as dataclass_at_once  # noqa: PLC0415 - what this decorator is there to avoid

        return dataclass_at_once(cls, **options)


_OPTIONS_THAT_WAIT = frozenset(("eq", "frozen", "kw_only", "slots"))


def _can_wait(cls: type, options: dict[str, bool]) -> bool:
    """Whether its own annotations, as text, tell all fields of a class."""
    annotations = vars(cls).get("__annotations__", {}).values()
    are_told = all(isinstance(each, str) and "InitVar" not in each and "KW_ONLY" not in each for each in annotations)
    inherits = any("__dataclass_fields__" in vars(base) or issubclass(base, _Value) for base in cls.__mro__[1:])
    return are_told and not inherits and options.get("slots", False) and _OPTIONS_THAT_WAIT.issuperset(options)


def _make_waiting(cls: type[T], options: dict[str, bool]) -> type[T]:
    """The class with its slots, whose functions wait in a :class:`_Waiting`."""
    body = dict(vars(cls))
    annotations: dict[str, str] = body.get("__annotations__", {})
    names = tuple(name for name, kind in annotations.items() if "ClassVar" not in kind)
    given = {name: body.pop(name) for name in names if name in body}
    for unslotted in ("__dict__", "__weakref__"):
        body.pop(unslotted, None)
    if body.get("__hash__", cls) is None:  # as a class has it that defines __eq__
        del body["__hash__"]
    is_frozen, has_eq = options.get("frozen", False), options.get("eq", True)
    functions = ["__init__", "__repr__", *_ASKED_FOR, *(["__eq__"] if has_eq else [])]
    functions += ["__hash__"] if has_eq and is_frozen else []
    like = {"__annotations__": annotations, "__module__": cls.__module__, "__doc__": cls.__name__, **given}
    if hasattr(cls, "__post_init__"):
        like["__post_init__"] = None
    waiting = _Waiting(like, options)
    added: dict[str, object] = {name: _WaitingFunction(name, waiting) for name in functions}
    added |= {"__slots__": names, "__match_args__": _list_positional(names, given, options)}
    if has_eq and not is_frozen:
        added["__hash__"] = None
    if is_frozen:
        added |= {"__setattr__": _refuse_change, "__delattr__": _refuse_deletion}
        added |= {"__getstate__": _read_state, "__setstate__": _write_state}
    kind: Any = type(cls)
    made_class: type[T] = kind(cls.__name__, cls.__bases__, {**added, **body})
    made_class.__qualname__ = cls.__qualname__
    waiting.owner = made_class
    return made_class


def _list_positional(names: tuple[str, ...], given: dict[str, Any], options: dict[str, bool]) -> tuple[str, ...]:
    """The fields that a value can be made of, and matched, by position."""
    if options.get("kw_only"):
        return ()
    return tuple(name for name in names if not _is_left_out(given.get(name)))


def _is_left_out(default: Any) -> bool:
    """Whether the constructor does not take a field, or is given by its name alone."""
    if type(default).__name__ != "Field":
        return False
    return not default.init or default.kw_only is True


class _Waiting:
    """What the functions of a dataclass are compiled from, when one of them is used."""

    owner: type

    def __init__(self, like: dict[str, object], options: dict[str, bool]) -> None:
        self._like = like
        self._options = options

    def complete(self, wanted: str) -> None:
        """Give the class its functions, as the standard library makes them for one with the same fields.

        Where the constructor is ``wanted`` it gets no other: most values are made, and neither compared nor shown.
        """
        from dataclasses import dataclass as dataclass_at_once  # noqa: PLC0415 - what this decorator is there to avoid

        is_made = wanted == "__init__"
        options = {**self._options, "eq": False, "repr": False} if is_made else self._options
        like: type = dataclass_at_once(type(self.owner.__name__, (), dict(self._like)), **options)
        for name, found in list(vars(self.owner).items()):
            if isinstance(found, _WaitingFunction) and (name == wanted or not is_made):
                setattr(self.owner, name, vars(like)[name])


class _WaitingFunction:
    """A function of a dataclass, or what tells of its fields, before it is first used."""

    def __init__(self, name: str, waiting: _Waiting) -> None:
        self._name = name
        self._waiting = waiting

    def __get__(self, instance: object, owner: type) -> Any:
        self._waiting.complete(self._name)
        found = vars(self._waiting.owner)[self._name]
        return found.__get__(instance, owner) if hasattr(found, "__get__") else found


def _refuse_change(self: object, name: str, _: object) -> NoReturn:
    from dataclasses import FrozenInstanceError  # noqa: PLC0415 - what this decorator is there to avoid

    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_deletion(self: object, name: str) -> NoReturn:
    from dataclasses import FrozenInstanceError  # noqa: PLC0415 - likewise

    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _read_state(self: Any) -> list[object]:
    from dataclasses import fields  # noqa: PLC0415 - likewise

    return [getattr(self, each.name) for each in fields(self)]


def _write_state(self: Any, state: list[object]) -> None:
    from dataclasses import fields  # noqa: PLC0415 - likewise

    for each, value in zip(fields(self), state, strict=True):
        _set_field(self, each.name, value)
