"""Says in our words what is wrong with a value of a request, since pydantic's texts are for Python programmers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

FaultContext = Mapping[str, Any]


def describe_fault_of_field(fault: Mapping[str, Any]) -> str:
    """An error of pydantic in our words, or in its own where we have none."""
    words = _WORDS.get(str(fault["type"]))
    if words is None:
        return str(fault["msg"])
    return words if isinstance(words, str) else words(fault.get("ctx", {}))


_NOT_TEXT: Final = "is no text"
_NOT_NUMBER: Final = "is no number"
_NOT_WHOLE: Final = "is no whole number"
_NOT_OBJECT: Final = "is no JSON object: write {...}"
_NEITHER: Final = "is neither true nor false"
_WORDS: Final[Mapping[str, str | Callable[[FaultContext], str]]] = {
    "missing": "is missing",
    "extra_forbidden": "is nothing that this request has: look for a mistake in its name",
    "json_invalid": lambda said: f"is no JSON: {said.get('error', '')}",
    "string_type": _NOT_TEXT,
    "string_pattern_mismatch": lambda said: f"is not of the form that it has to have: {said['pattern']}",
    "string_too_long": lambda said: f"is longer than {said['max_length']} characters",
    "string_too_short": lambda said: f"is shorter than {said['min_length']} characters",
    "int_type": _NOT_WHOLE,
    "int_parsing": _NOT_WHOLE,
    "int_parsing_size": _NOT_WHOLE,
    "int_from_float": _NOT_WHOLE,
    "float_type": _NOT_NUMBER,
    "float_parsing": _NOT_NUMBER,
    "finite_number": _NOT_NUMBER,
    "bool_type": _NEITHER,
    "bool_parsing": _NEITHER,
    "greater_than_equal": lambda said: f"is less than {said['ge']}",
    "less_than_equal": lambda said: f"is more than {said['le']}",
    "greater_than": lambda said: f"is not more than {said['gt']}",
    "less_than": lambda said: f"is not less than {said['lt']}",
    "literal_error": lambda said: f"is not one of {said['expected']}",
    "enum": lambda said: f"is not one of {said['expected']}",
    "none_required": "may only be null",
    "list_type": "is no list: write [...]",
    "tuple_type": "is no list: write [...]",
    "dict_type": _NOT_OBJECT,
    "model_type": _NOT_OBJECT,
    "model_attributes_type": _NOT_OBJECT,
    "too_long": lambda said: f"has more than {said['max_length']} values",
    "too_short": lambda said: f"has fewer than {said['min_length']} values",
}
