"""The sidecar of BIDS and dcm2niix: ``NAME.json`` beside ``NAME.nii``. It has seconds where DICOM has milliseconds.

``bids_keys.csv`` has the keys: the DICOM keyword and the factor to its unit, or the reason why a key is not used.
Times of a sidecar that would be minutes long are refused, because then they are milliseconds and the file is none.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from openmodality.acquisition.keywords import LONGEST_SHOWN
from openmodality.acquisition.readers.companion import Companion, check_keywords
from openmodality.acquisition.readers.found import IDENTITY_KEYWORDS, FoundSeries
from openmodality.acquisition.readers.viewing import find_phase_encoding
from openmodality.errors import ObjectInvalid
from openmodality.value_class import value_class

_MS_PER_S: Final = 1000.0
_LONGEST_S: Final = {"EchoTime": 5.0, "RepetitionTime": 120.0, "InversionTime": 60.0}
"""A sidecar that says more means milliseconds."""
_SECOND_CHOICE: Final = MappingProxyType(
    {
        "RepetitionTimeExcitation": "RepetitionTime",
        "EchoTime2": "EchoTime",
        "EchoTime1": "EchoTime",
    }
)
"""Keys, in seconds, that stand in for a keyword which the sidecar does not have otherwise."""
_ECHOES: Final = ("EchoTime1", "EchoTime2")
_PHASE: Final = ("PhaseEncodingDirection", "InPlanePhaseEncodingDirectionDICOM", "PhaseEncodingAxis")
_ORIENTATION: Final = "ImageOrientationPatientDICOM"
_ALIKE: Final = 1e-2


@value_class
class SidecarKey:
    """A key of a sidecar: its ``keyword`` and ``factor``, or in ``form`` the reason why it has none."""

    keyword: str
    factor: float
    form: str


@cache
def read_keys() -> Mapping[str, SidecarKey]:
    """The keys that are known."""
    text = resources.files(__package__).joinpath("bids_keys.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {row["key"]: SidecarKey(row["keyword"], float(row["factor"] or 1), row["form"]) for row in rows}


def is_sidecar(companion: Companion) -> bool:
    """Whether a companion of a NIfTI file is a sidecar: in JSON, and without any of our own names."""
    return companion.where.lower().endswith(".json") and not companion.settings


def apply_sidecar(found: FoundSeries, sidecar: Companion) -> FoundSeries:
    """What was found in a NIfTI file with what its sidecar says.

    Raises :class:`ObjectInvalid` where a value cannot be used, and where times are no seconds.
    """
    content, where = dict(sidecar.keywords), sidecar.where
    identity = {name: str(content.pop(name)) for name in IDENTITY_KEYWORDS if content.get(name)}
    keywords, unused = _map_keys(content, where)
    unused |= _use_second_choices(content, keywords, found, where)
    unused |= _describe_phase_encoding(content, keywords, found)
    if _are_echoes(content, found):
        found = found.arrange(dimension="echo")
        keywords["EchoTime"] = [_read_ms(content, name, where) for name in _ECHOES]
    check_keywords(keywords, where)
    notices = (*found.notices, *_compare_orientation(content, found, where))
    found = replace(found, identity={**found.identity, **identity}, notices=notices)
    return found.say(keywords).leave_out(unused)


def _map_keys(content: Mapping[str, Any], where: str) -> tuple[dict[str, object], dict[str, str]]:
    keywords: dict[str, object] = {}
    unused: dict[str, str] = {}
    apart = {*_SECOND_CHOICE, *_PHASE, _ORIENTATION}
    for name, value in content.items():
        if name in apart:
            continue
        key = read_keys().get(name)
        if key is None:
            unused[name[:LONGEST_SHOWN]] = "no DICOM keyword is known for it"
        elif not key.keyword:
            unused[name] = key.form
        elif value not in ("", None, []):
            keywords[key.keyword] = _convert(key, value, name, where)
    return keywords, unused


def _convert(key: SidecarKey, value: object, name: str, where: str) -> object:
    if key.form:
        return _FORMS[key.form](value)
    if key.factor == 1.0:
        return value
    seconds = [_read_seconds(each, f"{where}: {name}") for each in (value if isinstance(value, list) else [value])]
    for each in seconds:
        _check_seconds(key.keyword, each, where)
    converted = [each * key.factor for each in seconds]
    return converted if isinstance(value, list) else converted[0]


def _read_seconds(value: object, where: str) -> float:
    """A number of seconds, which some write as a text; true and false are none."""
    try:
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            return float(value)
    except (OverflowError, ValueError):
        pass  # said below
    raise ObjectInvalid(f"{where} is no number", advice="give a number of seconds")


def _check_seconds(keyword: str, seconds: float, where: str) -> None:
    longest = _LONGEST_S.get(keyword)
    if longest is not None and seconds > longest:
        raise ObjectInvalid(
            f"{where}: {keyword} is {seconds:g} s",
            advice="a sidecar beside NIfTI has seconds; for milliseconds use NAME.toml, or name the object in it",
        )


def _use_second_choices(
    content: Mapping[str, Any], keywords: dict[str, object], found: FoundSeries, where: str
) -> dict[str, str]:
    unused = {}
    for name, keyword in _SECOND_CHOICE.items():
        if name not in content or (name in _ECHOES and _are_echoes(content, found)):
            continue
        if keyword in keywords:
            if not np.allclose(np.asarray(keywords[keyword], dtype=np.float64), _read_ms(content, name, where)):
                unused[name] = f"an image has one {keyword}, and that is given"
            continue
        keywords[keyword] = in_ms = _read_ms(content, name, where)
        _check_seconds(keyword, in_ms / _MS_PER_S, where)
    return unused


def _are_echoes(content: Mapping[str, Any], found: FoundSeries) -> bool:
    """Two volumes with EchoTime1 and EchoTime2 are two echoes."""
    return all(name in content for name in _ECHOES) and found.positions == len(_ECHOES)


def _read_ms(content: Mapping[str, Any], name: str, where: str) -> float:
    return _read_seconds(content[name], f"{where}: {name}") * _MS_PER_S


def _describe_phase_encoding(
    content: Mapping[str, Any], keywords: dict[str, object], found: FoundSeries
) -> dict[str, str]:
    """The first of the keys that says along which side of an image phase is encoded."""
    given = [name for name in _PHASE if isinstance(content.get(name), str)]
    if not given:
        return {}
    first = given[0]
    direction = str(content[first])
    if first == "InPlanePhaseEncodingDirectionDICOM":
        keywords["InPlanePhaseEncodingDirection"] = direction
    elif side := find_phase_encoding(direction[:1], found):
        keywords["InPlanePhaseEncodingDirection"] = side
    else:
        return {first: "it is across the slices"}
    return {}


def _compare_orientation(content: Mapping[str, Any], found: FoundSeries, where: str) -> list[str]:
    """A notice where the slices of the sidecar lie across none of the axes of the affine."""
    given = content.get(_ORIENTATION)
    if given is None or found.volume.affine is None:
        return []
    is_vectors = isinstance(given, list) and len(given) == 6 and all(type(each) in (int, float) for each in given)
    cosines = np.asarray(given if is_vectors else [], dtype=np.float64)
    if not is_vectors:
        return [f"{Path(where).name}: {_ORIENTATION} has no six numbers"]
    normal = np.cross(cosines[:3], cosines[3:]) * [-1, -1, 1]  # to RAS, as the affine
    matrix = np.asarray(found.volume.affine, dtype=np.float64)[:3, :3]
    axes = matrix / np.linalg.norm(matrix, axis=0)
    if np.abs(normal @ axes).max() > 1 - _ALIKE:
        return []
    return [f"{Path(where).name}: {_ORIENTATION} does not lie as the affine of the volume does, which holds"]


def _split(value: object) -> object:
    r"""``SP_MP`` and ``EP\SE`` are two values each."""
    if not isinstance(value, str):
        return value
    parts = [part.strip() for part in value.replace("_", "\\").split("\\") if part.strip()]
    return parts if len(parts) != 1 else parts[0]


def _keep_digits(value: object) -> object:
    return "".join(letter for letter in str(value).split("T")[-1] if letter in "0123456789.")


def _keep_date(value: object) -> object:
    return "".join(letter for letter in str(value).split("T")[0] if letter.isdigit())


_FORMS: Final[Mapping[str, Callable[[object], object]]] = MappingProxyType(
    {
        "joined": _split,
        "time": _keep_digits,
        "date": _keep_date,
        "moment": lambda value: f"{_keep_date(value)}{_keep_digits(value)}",
    }
)
