"""Attributes given as DICOM keywords and plain values, as a companion file or a caller's program has them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pydicom.config import RAISE
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.valuerep import format_number_as_ds

from openmodality.errors import ObjectInvalid

LONGEST_SHOWN = 64


def attributes_of(values: Mapping[str, object], where: str) -> Dataset:
    """A data set from keywords and values: text, numbers, and lists of them.

    ``where`` names the origin in the error. Numbers of any precision may be given for a Decimal String.

    Raises :class:`ObjectInvalid` where a keyword is not DICOM's, or its value does not fit its VR.
    """
    data_set = Dataset()
    for keyword, value in values.items():
        tag = tag_for_keyword(keyword)
        if tag is None:
            raise ObjectInvalid(
                f"{where}: {keyword[:LONGEST_SHOWN]} is not a DICOM keyword",
                advice="use keywords such as SliceThickness",
            )
        vr = dictionary_VR(tag).split(" or ")[0]
        try:
            data_set.add(DataElement(Tag(tag), vr, _plain(value, vr), validation_mode=RAISE))
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise ObjectInvalid(
                f"{where}: the value of {keyword} does not fit its value representation {vr}"
            ) from error
    return data_set


def _plain(value: object, vr: str) -> object:
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(item, vr) for item in value]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise TypeError("neither text, number nor list")
    if vr == "DS" and not isinstance(value, str):
        return format_number_as_ds(float(value))
    if vr in ("US", "SS", "UL", "SL") and not isinstance(value, int):
        raise TypeError("not a whole number")
    return value
