"""Changes several things by one command: shows each as it is afterwards, and names those that cannot be changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from openmodality.cli.terminal.json_output import print_document
from openmodality.cli.terminal.output import say
from openmodality.errors import OpenModalityError
from openmodality.value_class import dataclass

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Changing(Generic[_T]):
    """What is changed by its number, and how that is shown: in lines, or as JSON once all is done."""

    noun: str
    change: Callable[[int], _T]
    format_line: Callable[[_T], str]
    list_as_json: Callable[[Sequence[_T]], Iterable[Mapping[str, Any]]]


def change_each(numbers: Iterable[int], changing: Changing[_T], *, goes_on: bool, as_json: bool) -> int:
    """Change one after the other; the exit status.

    ``goes_on`` is for things that the user has not named one by one: what cannot be changed is named on stderr, and the
    next one follows. Else the first error is raised, after the changes before it are shown.
    """
    changed: list[_T] = []
    refused = 0
    try:
        for number in numbers:
            try:
                changed.append(changing.change(number))
            except (OpenModalityError, OSError) as error:
                if not goes_on:
                    raise
                say(f"openmodality: {_describe_refusal(f'{changing.noun} {number}', error)}")
                refused += 1
            else:
                if not as_json:
                    print(changing.format_line(changed[-1]), flush=True)
    finally:
        if as_json:
            print_document(changing.list_as_json(changed))
    return 1 if refused else 0


def _describe_refusal(name: str, error: Exception) -> str:
    """The error with the name of what it is about, which some errors begin with already."""
    text = error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error)
    return text if text.startswith((f"{name} ", f"{name}:")) else f"{name}: {text}"
