"""Reads a statement of an irradiation event: checks it, and adds what follows from it.

Everything that is wrong is named in one error, each item with what would be right.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from difflib import get_close_matches
from typing import Final, TypeAlias, overload

from openmodality.encoding.uid import is_valid_uid
from openmodality.errors import ObjectInvalid
from openmodality.objects.irradiation.deriving import derive_rest, round_number
from openmodality.objects.irradiation.moments import MOMENT_KEYWORDS, find_moment, parse_moment
from openmodality.objects.irradiation.quantities import (
    FILTER_MATERIALS,
    FILTER_TYPES,
    FLUOROSCOPY,
    PATIENT_POSITIONS,
    QUANTITIES,
    TERMS,
    TEXTS,
    Quantity,
    Term,
    describe_keyword,
)
from openmodality.standard.text_rules import clean_text
from openmodality.value_class import dataclass

FilterValues: TypeAlias = tuple[str, str, float, float]

_LONGEST_TEXT: Final = 1024
_LONGEST_SHOWN: Final = 40
_SAME: Final = 1e-6
_FILTERS: Final = ("FilterType", "FilterMaterial", "FilterThicknessMinimum", "FilterThicknessMaximum")
_POSITION: Final = "PatientPosition"
_EVENT_UID: Final = "IrradiationEventUID"
_DIGITS_OF_A_DOSE: Final = 14
DOSE_DECIMALS: Final[Mapping[str, int]] = {"DoseAreaProduct": 13, "DoseRP": 12, "EntranceDoseInmGy": 9}
"""Decimals of doses in Gy.m2, Gy and mGy: a Decimal String holds them in every unit that is used, up to 9 Gy."""


@dataclass(slots=True)
class Statement:
    """What was stated and what follows from it, by the names of ``quantities``; ``derived`` names the latter."""

    numbers: dict[str, float] = field(default_factory=dict)
    derived: frozenset[str] = frozenset()
    terms: dict[str, str] = field(default_factory=dict)
    filters: list[FilterValues] = field(default_factory=list)
    started: datetime | None = None
    uid: str = ""


def read_statement(attributes: Mapping[str, object], where: str) -> Statement:
    """What keywords and values say of an irradiation event.

    Raises :class:`ObjectInvalid` where a keyword is not known, a value is impossible, two contradict each other, or
    KVP is missing; ``where`` names the origin.
    """
    given = {keyword: value for keyword, value in attributes.items() if value is not None}
    statement, problems = Statement(), [*_find_unknown(given), *_find_missing(given)]
    for reader in (_read_quantities, _read_terms, _read_texts, _read_position, _read_filters, _read_moment, _read_uid):
        problems += reader(given, statement)
    if not problems:
        stated = frozenset(statement.numbers)
        derive_rest(statement.numbers, statement.terms)
        statement.derived = frozenset(statement.numbers) - stated
        problems += [*_check(statement), *_check_derived(statement)]
    if problems:
        raise ObjectInvalid(f"{where}: {'; '.join(problems)}", advice="")
    return statement


def known_keywords() -> tuple[str, ...]:
    """All keywords that state something of an irradiation event, sorted."""
    names = {*MOMENT_KEYWORDS, *_FILTERS, _POSITION, _EVENT_UID}
    for quantity in QUANTITIES:
        names |= {quantity.name, *quantity.also}
    for term in TERMS:
        names |= {term.name, *term.also}
    for keywords in TEXTS.values():
        names |= set(keywords)
    return tuple(sorted(names))


def round_dose(name: str, value: float) -> float:
    """A dose on the grid of its quantity, on which sums and shares are exact; another number as it is rounded."""
    decimals = DOSE_DECIMALS.get(name)
    return round_number(value) if decimals is None else round(value, decimals)


@overload
def convert_dose(value: float, factor: float) -> float: ...
@overload
def convert_dose(value: float | None, factor: float) -> float | None: ...
def convert_dose(value: float | None, factor: float) -> float | None:
    """A dose in another unit, with the same digits; one that is not known stays so."""
    return None if value is None else float(f"{value * factor:.{_DIGITS_OF_A_DOSE}g}")


def _find_unknown(given: Mapping[str, object]) -> Iterator[str]:
    known = {keyword.casefold(): keyword for keyword in known_keywords()}
    for keyword in given:
        if keyword not in known.values():
            nearest = get_close_matches(keyword.casefold(), known, n=1, cutoff=0.6)
            hint = f", {known[nearest[0]]} is" if nearest else "; use such as KVP, XRayTubeCurrent, ExposureTime"
            yield f"{str(keyword)[:_LONGEST_SHOWN]} is no keyword of an irradiation event{hint}"


def _find_missing(given: Mapping[str, object]) -> Iterator[str]:
    if "KVP" not in given:
        yield f"{describe_keyword('KVP')} is missing; give the peak voltage of the tube in kV, such as 80"


def _read_quantities(given: Mapping[str, object], statement: Statement) -> Iterator[str]:
    for quantity in QUANTITIES:
        for keyword, factor in {quantity.name: 1.0, **quantity.also}.items():
            if keyword in given:
                yield from _read_quantity(quantity, keyword, factor, given[keyword], statement)


def _read_quantity(
    quantity: Quantity, keyword: str, factor: float, stated: object, statement: Statement
) -> Iterator[str]:
    number = _parse_number(stated)
    unit = "" if quantity.unit == "1" else f" {quantity.unit}"
    # What another unit would be is said in that unit: the factor is left out where it is 1.
    right = "a whole number" if quantity.is_whole else f"a number{f' in{unit}' if unit and factor == 1.0 else ''}"
    if number is None or (quantity.is_whole and number != int(number)):
        yield f"{describe_keyword(keyword)} is no number; give {right} {_describe_range(quantity)}"
        return
    if not quantity.allows(number):
        yield f"{describe_keyword(keyword)} is {number:g}; give {right} {_describe_range(quantity)}"
        return
    if abs(number * factor) > quantity.most:
        yield f"{describe_keyword(keyword)} is {number:g}; give {right} of at most {quantity.most / factor:g}"
        return
    value = round_dose(quantity.name, number * factor)
    before = statement.numbers.setdefault(quantity.name, value)
    if not math.isclose(before, value, rel_tol=_SAME):
        yield f"{describe_keyword(keyword)} says {value:g}{unit}, another keyword {before:g}{unit}; give one of them"


def _describe_range(quantity: Quantity) -> str:
    return "" if quantity.allowed == "any number" else quantity.allowed


def _parse_number(stated: object) -> float | None:
    """The number; of a sequence with one value that one. None where there is none."""
    if isinstance(stated, Sequence) and not isinstance(stated, str) and len(stated) == 1:
        stated = stated[0]
    if isinstance(stated, bool) or (not hasattr(stated, "__float__") and not isinstance(stated, str)):
        return None
    try:
        number = float(stated)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _read_terms(given: Mapping[str, object], statement: Statement) -> Iterator[str]:
    for term in TERMS:
        for keyword, words in {term.name: {word: word for word in term.words}, **term.also}.items():
            if keyword in given:
                yield from _read_term(term, keyword, words, str(given[keyword]), statement)


def _read_term(term: Term, keyword: str, words: Mapping[str, str], stated: str, statement: Statement) -> Iterator[str]:
    meaning = _find_word(words, stated)
    if meaning is None:
        yield f"{describe_keyword(keyword)} is not one of its terms; give one of {', '.join(words)}"
        return
    before = statement.terms.setdefault(term.name, meaning)
    # Radiation Setting does not tell the kinds of acquisition apart.
    if before != meaning and (FLUOROSCOPY in (before, meaning) or term.name != "IrradiationEventType"):
        yield f"{describe_keyword(keyword)} says {meaning}, another keyword {before}; give one of them"


def _find_word(words: Mapping[str, str], stated: str) -> str | None:
    folded = stated.strip().replace("_", " ").casefold()
    return next((meaning for word, meaning in words.items() if word.casefold() == folded), None)


def _read_texts(given: Mapping[str, object], statement: Statement) -> Iterator[str]:
    for name, keywords in TEXTS.items():
        for keyword in keywords:
            if keyword not in given:
                continue
            text = clean_text(str(given[keyword])).strip()
            if len(text) > _LONGEST_TEXT:
                yield f"{describe_keyword(keyword)} is too long; give at most {_LONGEST_TEXT} characters"
            elif text:
                statement.terms.setdefault(name, text)


def _read_position(given: Mapping[str, object], statement: Statement) -> Iterator[str]:
    if _POSITION not in given:
        return
    position = PATIENT_POSITIONS.get(str(given[_POSITION]).strip().upper())
    if position is None:
        yield f"{describe_keyword(_POSITION)} is not one of its terms; give one of {', '.join(PATIENT_POSITIONS)}"
        return
    names = ("PatientTableRelationship", "PatientOrientation", "PatientOrientationModifier")
    for name, meaning in zip(names, position, strict=True):
        statement.terms.setdefault(name, meaning)


def _read_filters(given: Mapping[str, object], statement: Statement) -> Iterator[str]:
    if not any(keyword in given for keyword in _FILTERS):
        return
    columns = [_list_values(given.get(keyword)) for keyword in _FILTERS]
    kinds, materials, least, most = columns
    count = max(map(len, columns))
    kinds = kinds or ["FLAT"] * count
    if [str(kind).upper() for kind in kinds] == ["NONE"] and not materials:
        return
    least, most = least or most, most or least
    if not materials or not least or {len(materials), len(least), len(most)} != {count} or len(kinds) not in (1, count):
        yield (
            f"{describe_keyword('FilterMaterial')} and {describe_keyword('FilterThicknessMaximum')} belong together; "
            "give both, with one value for each filter"
        )
        return
    kinds = kinds * count if len(kinds) == 1 else kinds
    for number in range(count):
        yield from _read_filter(kinds[number], materials[number], (least[number], most[number]), statement)


def _read_filter(
    kind: object, material: object, thickness: tuple[object, object], statement: Statement
) -> Iterator[str]:
    found = _find_word({**FILTER_TYPES, **{word: word for word in FILTER_TYPES.values()}}, str(kind))
    of_what = _find_word(FILTER_MATERIALS, str(material))
    least, most = _parse_number(thickness[0]), _parse_number(thickness[1])
    if found is None:
        yield f"{describe_keyword('FilterType')} is not one of its terms; give one of {', '.join(FILTER_TYPES)}"
    if of_what is None:
        yield f"{describe_keyword('FilterMaterial')} is not one of its terms; give one of {', '.join(FILTER_MATERIALS)}"
    if least is None or most is None or not 0 <= least <= most:
        yield f"{describe_keyword('FilterThicknessMaximum')} is no thickness; give mm, not below the minimum"
    elif found and of_what:
        statement.filters.append((found, of_what, least, most))


def _list_values(stated: object) -> list[object]:
    if stated is None:
        return []
    if isinstance(stated, str):
        return list(stated.split("\\"))
    return list(stated) if isinstance(stated, Sequence) else [stated]


def _read_moment(given: Mapping[str, object], statement: Statement) -> Iterator[str]:
    keyword, stated = find_moment(given)
    if not keyword:
        return
    statement.started = parse_moment(stated)
    if statement.started is None:
        right = "a moment as YYYYMMDDHHMMSS.FFFFFF, or AcquisitionDate and AcquisitionTime"
        yield f"{describe_keyword(keyword)} is no moment; give {right}"


def _read_uid(given: Mapping[str, object], statement: Statement) -> Iterator[str]:
    statement.uid = str(given.get(_EVENT_UID, ""))
    if statement.uid and not is_valid_uid(statement.uid):
        yield f"{describe_keyword(_EVENT_UID)} is no UID; give a valid one, or leave it out to have one made"


def _check(statement: Statement) -> Iterator[str]:
    """The contradictions, and the values that mean nothing without another one."""
    numbers, terms = statement.numbers, statement.terms
    if "CollimatedFieldArea" in numbers and "DistanceSourceToDetector" not in numbers:
        yield (
            "a collimated field without distance; give "
            f"{describe_keyword('DistanceSourceToDetector')} in mm, where the field is measured"
        )
    if terms.get("FluoroMode") == "Continuous" and "PulseRate" in numbers:
        yield "PulseRate of continuous fluoroscopy; leave it out, or state FluoroMode Pulsed"
    if "PatientOrientation" in terms and "PatientOrientationModifier" not in terms:
        yield "PatientOrientation without PatientOrientationModifier; give both, such as recumbent and supine"
    if "PatientOrientationModifier" in terms and "PatientOrientation" not in terms:
        yield "PatientOrientationModifier without PatientOrientation; give both, such as recumbent and supine"
    yield from _check_distances(numbers)


def _check_derived(statement: Statement) -> Iterator[str]:
    for quantity in QUANTITIES:
        if quantity.name in statement.derived and statement.numbers[quantity.name] > quantity.most:
            most = f"{quantity.most:g} {quantity.unit}"
            yield f"{describe_keyword(quantity.name)} would be above {most}; correct what it follows from"


def _check_distances(numbers: Mapping[str, float]) -> Iterator[str]:
    detector = numbers.get("DistanceSourceToDetector")
    for name in ("DistanceSourceToIsocenter", "DistanceSourceToEntrance", "DistanceSourceToPatient"):
        if detector is not None and numbers.get(name, 0.0) > detector:
            yield f"{describe_keyword(name)} is more than the distance to the detector; give at most {detector:g} mm"
