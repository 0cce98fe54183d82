"""Makes values of binary VRs: bytes, words, numbers and tags."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from pydicom.datadict import tag_for_keyword
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag

_NUMBERS: Final = {"OB": "<u1", "OD": "<f8", "OF": "<f4", "OL": "<u4", "OV": "<u8", "OW": "<u2", "UN": "<u1"}


def pick_vr(possible: str, value: object) -> str:
    """The VR of a value, where PS3.6 leaves a choice such as ``US or SS`` and ``US or OW``."""
    choices = possible.split(" or ")
    if "SS" in choices and _has_negative(value):
        return "SS"
    if "OW" in choices and (isinstance(value, bytes | Mapping) or choices[0] == "OB"):
        return "OW"
    return choices[0]


def make_bytes(vr: str, value: object) -> bytes:
    """The bytes of a value. Raises :class:`ValueError` or :class:`TypeError` where it is no such value."""
    if isinstance(value, bytes | bytearray | memoryview):
        return _pad(bytes(value))
    if isinstance(value, Mapping) and set(value) == {"InlineBinary"}:
        return _pad(base64.b64decode(str(value["InlineBinary"]), validate=True))
    if isinstance(value, np.ndarray):
        value = value.ravel().tolist()
    if value == "":
        return b""
    if not isinstance(value, list | tuple) or not all(type(each) in (int, float) for each in value):
        raise TypeError("neither bytes nor numbers")
    return _pad(_pack(list(value), np.dtype(_NUMBERS[vr])))


def make_tag(value: object) -> BaseTag | MultiValue[BaseTag] | str:
    """The tag, or tags, that a value names: by number, as ``0018,1063``, or by keyword.

    Raises :class:`ValueError` where it names none.
    """
    if value == "":
        return ""
    if isinstance(value, list | tuple):
        return MultiValue(BaseTag, [_find_tag(each) for each in value])
    return _find_tag(value)


def _find_tag(value: Any) -> BaseTag:
    if isinstance(value, int) and not isinstance(value, bool):
        return Tag(value)
    text = str(value).strip("() ")
    known = tag_for_keyword(text)
    if known is not None:
        return Tag(known)
    return Tag(int(text.replace(",", "").replace(" ", ""), 16))


def _pack(values: list[float], dtype: np.dtype[Any]) -> bytes:
    if dtype.kind == "u":
        if any(each != int(each) or not 0 <= each <= np.iinfo(dtype).max for each in values):
            raise ValueError("a number that does not fit")
        return np.array([int(each) for each in values], dtype=dtype).tobytes()
    return np.array(values, dtype=dtype).tobytes()


def _pad(value: bytes) -> bytes:
    return value if len(value) % 2 == 0 else value + b"\0"


def _has_negative(value: object) -> bool:
    values = value if isinstance(value, list | tuple | np.ndarray) else [value]
    return any(isinstance(each, int | np.integer) and int(each) < 0 for each in values)
