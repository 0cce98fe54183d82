"""The templates of the X-Ray Radiation Dose Report, and a walk of a finished tree against them.

Written apart from the builder and its tables: from PS3.16 as published parts and pages of it show TID 10001 and 10003
(2024), 10002 (2025b), 10003B (2020a) and 10007 (2024e), and from knowledge of the standard where no page was at hand;
the edition of each row was not compared again. Codes, meanings and members of context groups are held to pydicom's
dictionary of PS3.16, which is a source of its own. Each row: relationship, value type, code value, value multiplicity,
requirement, and unit, value or context group. What is required under a condition is MC here and judged in
``_judge_event`` and ``_judge_sums``; a condition that each exposure of a projection X-ray device meets makes M of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from pydicom.dataset import Dataset
from pydicom.sr import _concepts_dict

HAS, OBS, PART, PROPERTY = "HAS CONCEPT MOD", "HAS OBS CONTEXT", "CONTAINS", "HAS PROPERTIES"
Row = tuple[str, str, str, str, str, str | int]

TID_10001: Final[tuple[Row, ...]] = (
    (HAS, "CODE", "121049", "1", "U", "en"),  # row 1b, TID 1204
    (HAS, "CODE", "121058", "1", "M", "113704"),
    (PART, "CODE", "122142", "1", "U", 10032),
    (OBS, "CODE", "121005", "1", "M", 270),  # row 5, TID 1002 with TID 1004
    (OBS, "UIDREF", "121012", "1", "M", ""),
    (OBS, "TEXT", "121013", "1", "U", ""),
    (OBS, "TEXT", "121014", "1", "U", ""),
    (OBS, "TEXT", "121015", "1", "U", ""),
    (OBS, "TEXT", "121016", "1", "U", ""),
    (OBS, "TEXT", "121017", "1", "U", ""),
    (OBS, "CODE", "113876", "1-n", "U", 7445),
    (OBS, "CODE", "113705", "1", "M", 10000),
    (PART, "CODE", "113945", "1", "U", 231),
    (PART, "CODE", "113943", "1", "U", 231),
    (PART, "CODE", "113944", "1", "U", 231),
    (PART, "CONTAINER", "113702", "1", "M", ""),  # row 11: one plane
    (PART, "CONTAINER", "113706", "1-n", "M", ""),
    (PART, "TEXT", "121106", "1", "U", ""),
    (PART, "IMAGE", "121342", "1-n", "U", ""),
    (PART, "CODE", "113854", "1-n", "M", 10020),
)
# With TID 10004 and TID 10007, which it includes where the type of device is fluoroscopy-guided or not given.
TID_10002: Final[tuple[Row, ...]] = (
    (HAS, "CODE", "113764", "1", "M", "113622"),
    (PART, "CONTAINER", "122505", "1-n", "MC", ""),  # iff calibration data is available
    (PART, "NUM", "113726", "1", "MC", "Gy.m2"),
    (PART, "NUM", "113728", "1", "MC", "Gy"),
    (PART, "NUM", "113730", "1", "MC", "s"),
    (PART, "NUM", "113727", "1", "M", "Gy.m2"),
    (PART, "NUM", "113729", "1", "M", "Gy"),  # the source of dose information is not MPPS
    (PART, "NUM", "113855", "1", "M", "s"),
    (PART, "NUM", "113722", "1", "M", "Gy.m2"),
    (PART, "NUM", "113725", "1", "M", "Gy"),
    (PART, "NUM", "113731", "1", "U", "1"),
    (PART, "NUM", "113737", "1", "MC", "mm"),
    (PART, "TEXT|CODE", "113780", "1", "M", 10025),
)
CALIBRATION: Final[tuple[Row, ...]] = (
    (HAS, "CODE", "113794", "1", "M", 10010),
    (PART, "DATETIME", "113723", "1", "M", ""),
    (PART, "NUM", "122322", "1", "M", "1"),
    (PART, "NUM", "113763", "1", "M", "%"),
    (PART, "TEXT", "113724", "1", "M", ""),
    (PART, "TEXT", "113720", "1", "U", ""),
)
# With TID 10003A (detector), 10003B (source) and 10003C (mechanics).
TID_10003: Final[tuple[Row, ...]] = (
    (HAS, "CODE", "113764", "1", "M", "113622"),
    (PART, "UIDREF", "113769", "1", "M", ""),
    (PART, "TEXT", "113605", "1", "U", ""),
    (PART, "DATETIME", "111526", "1", "M", ""),
    (PART, "CODE", "113721", "1", "M", 10002),
    (PART, "TEXT", "125203", "1", "U", ""),
    (PART, "CODE", "123014", "1", "M", 4031),
    (PART, "CODE", "113745", "1", "U", 21),
    (PART, "CODE", "113743", "1", "U", 19),
    (PART, "NUM", "122130", "1", "M", "Gy.m2"),
    (PART, "NUM", "111638", "1", "U", "mm"),
    (PART, "TEXT", "121106", "1", "U", ""),
    (PART, "IMAGE", "113795", "1-n", "U", ""),
    (PART, "NUM", "113738", "1", "M", "Gy"),  # 10003B, row 1
    (PART, "TEXT|CODE", "113780", "1", "M", 10025),  # rows 2, 3: as row 1 is there
    (PART, "CODE", "113732", "1", "MC", 10004),
    (PART, "NUM", "113791", "1", "MC", "{pulse}/s"),
    (PART, "NUM", "113768", "1", "MC", "1"),
    (PART, "NUM", "113793", "1-n", "U", "ms"),
    (PART, "NUM", "113742", "1", "U", "s"),
    (PART, "NUM", "113733", "1-n", "M", "kV"),
    (PART, "NUM", "113734", "1-n", "MC", "mA"),
    (PART, "NUM", "113824", "1", "MC", "ms"),
    (PART, "NUM", "113736", "1-n", "MC", "uA.s"),
    (PART, "NUM", "113766", "1", "U", "mm"),
    (PART, "CODE", "111632", "1", "U", 10016),
    (PART, "CONTAINER", "113771", "1-n", "U", ""),
    (PART, "NUM", "113790", "1", "U", "m2"),
    (PART, "NUM", "113788", "1", "U", "mm"),
    (PART, "NUM", "113789", "1", "U", "mm"),
    (PART, "CODE", "111635", "1-n", "U", 10017),
    (PART, "NUM", "112011", "1", "U", "deg"),  # 10003C
    (PART, "NUM", "112012", "1", "U", "deg"),
    (PART, "NUM", "113739", "1", "U", "deg"),
    (PART, "NUM", "113740", "1", "U", "deg"),
    (PART, "NUM", "113770", "1", "U", "deg"),
    (PART, "NUM", "113754", "1", "U", "deg"),
    (PART, "NUM", "113755", "1", "U", "deg"),
    (PART, "NUM", "113756", "1", "U", "deg"),
    *((PART, "NUM", code, "1", "U", "mm") for code in (
        "113748", "113750", "113751", "113752", "113753", "113759", "113760", "113761",
    )),
    (PART, "NUM", "113737", "1", "M", "mm"),
)  # fmt: skip
FILTERS: Final[tuple[Row, ...]] = (
    (PART, "CODE", "113772", "1", "U", 10007),
    (PART, "CODE", "113757", "1", "U", 10006),
    (PART, "NUM", "113758", "1", "U", "mm"),
    (PART, "NUM", "113773", "1", "U", "mm"),
)
TABLES: Final[dict[str, tuple[Row, ...]]] = {
    "113701": TID_10001,
    "113702": TID_10002,
    "113706": TID_10003,
    "122505": CALIBRATION,
    "113771": FILTERS,
    "121058": ((HAS, "CODE", "363703001", "1", "M", 3629),),
    "113705": ((PROPERTY, "UIDREF", "121126|110180", "1", "M", ""),),
    "113743": ((HAS, "CODE", "113744", "1", "M", 20),),
    "113605": ((HAS, "CODE", "113606", "1", "M", 10022),),  # the label is an attribute of the images
    "123014": ((HAS, "CODE", "272741003", "1", "U", 244),),
    "113768": ((HAS, "CODE", "121401", "1", "U", "414135002"),),
}
TEMPLATES: Final = {"113701": "10001", "113702": "10002", "113706": "10003"}
ENGLISH: Final = ("RFC5646", "en", "English")
"""Of CID 5000, which is no part of pydicom's dictionary."""
UNITS: Final = {"1": "no units", "%": "Percent", "{pulse}/s": "pulse/s"}


def _index_concepts() -> dict[tuple[str, str], list[tuple[str, list[int]]]]:
    index: dict[tuple[str, str], list[tuple[str, list[int]]]] = {}
    concepts: dict[str, Any] = dict(_concepts_dict.concepts)
    for scheme, keywords in concepts.items():
        for codes in keywords.values():
            for value, named in codes.items():
                index.setdefault((scheme, value), []).append(named)
    return index


_CONCEPTS: Final = _index_concepts()
"""Meaning and context groups by coding scheme and code value, as pydicom has them of PS3.16."""
_OTHER_UNITS: Final = {"Gy.m2": "dGy.cm2", "Gy": "mGy"}
_VALUES: Final = {
    "TEXT": "TextValue", "UIDREF": "UID", "DATETIME": "DateTime", "CODE": "ConceptCodeSequence",
    "IMAGE": "ReferencedSOPSequence",
}  # fmt: skip


def find_faults(report: Dataset, *, statement_units: bool = False) -> list[str]:
    """What in the tree of a report breaks its templates, or is called otherwise than in the standard."""
    return list(_walk(report, statement_units))


def _walk(item: Dataset, statement_units: bool) -> Iterator[str]:
    code = _code(item.ConceptNameCodeSequence[0])
    rows = TABLES.get(code, ())
    children = list(item.get("ContentSequence", ()))
    if code in TEMPLATES and item.ContentTemplateSequence[0].TemplateIdentifier != TEMPLATES[code]:
        yield f"{code}: template {item.ContentTemplateSequence[0].TemplateIdentifier}"
    codes = [_code(child.ConceptNameCodeSequence[0]) for child in children]
    for child, child_code in zip(children, codes, strict=True):
        found = [row for row in rows if child_code in row[2].split("|")]
        if not found:
            yield f"{code}: unknown {_name(child)}"
            continue
        yield from _judge(child, found[0], statement_units)
        yield from _walk(child, statement_units)
    for row in rows:
        count = sum(child_code in row[2].split("|") for child_code in codes)
        if row[4] == "M" and not count:
            yield f"{code}: {row[2]} is missing"
        if row[3] == "1" and count > 1:
            yield f"{code}: {row[2]} comes {count} times"
    if code == "113706":
        yield from _judge_event(children)
    if code == "113701":
        yield from _judge_sums(item)


def _judge(item: Dataset, row: Row, statement_units: bool) -> Iterator[str]:
    relationship, value_type, _, _, _, constraint = row
    name = _name(item)
    if item.RelationshipType != relationship:
        yield f"{name}: {item.RelationshipType}"
    if item.ValueType not in value_type.split("|"):
        yield f"{name}: {item.ValueType}"
    yield from _judge_code(item.ConceptNameCodeSequence[0])
    if item.ValueType in _VALUES and not item.get(_VALUES[item.ValueType]):
        yield f"{name}: no value"
    if item.ValueType == "NUM":
        yield from _judge_number(item, str(constraint), statement_units)
    if item.ValueType == "CODE":
        value = item.ConceptCodeSequence[0]
        yield from _judge_code(value)
        if isinstance(constraint, int) and constraint not in _groups(value):
            yield f"{name}: {value.CodeMeaning} is not in CID {constraint}"
        if isinstance(constraint, str) and constraint and value.CodeValue != constraint:
            yield f"{name}: {value.CodeMeaning}"


def _judge_number(item: Dataset, unit: str, statement_units: bool) -> Iterator[str]:
    if not item.MeasuredValueSequence:
        (qualifier,) = item.NumericValueQualifierCodeSequence
        if 42 not in _groups(qualifier):
            yield f"{_name(item)}: qualifier {qualifier.CodeMeaning}"
        return
    measured = item.MeasuredValueSequence[0]
    units = measured.MeasurementUnitsCodeSequence[0]
    expected = _OTHER_UNITS.get(unit, unit) if statement_units else unit
    if (units.CodeValue, units.CodingSchemeDesignator) != (expected, "UCUM"):
        yield f"{_name(item)}: unit {units.CodeValue}, not {expected}"
    if units.CodeMeaning != UNITS.get(expected, expected):
        yield f"{_name(item)}: unit called {units.CodeMeaning}"
    if len(str(measured.NumericValue)) > 16:
        yield f"{_name(item)}: {measured.NumericValue} is no Decimal String"


def _judge_event(children: list[Dataset]) -> Iterator[str]:
    """The conditions of TID 10003B."""
    values = {_code(child.ConceptNameCodeSequence[0]): child for child in children}
    mode = values["113732"].ConceptCodeSequence[0].CodeMeaning if "113732" in values else ""
    is_fluoroscopy = values["113721"].ConceptCodeSequence[0].CodeValue == "44491008"
    conditions = (
        ("113732", "Fluoro Mode", is_fluoroscopy),
        ("113791", "Pulse Rate", mode == "Pulsed"),
        ("113768", "Number of Pulses", mode != "Continuous"),
    )
    for code, name, wanted in conditions:
        if (code in values) is not wanted:
            yield f"113706: {name} is {'missing' if wanted else 'not for such an event'}"
    if "113736" not in values and not {"113734", "113824"} <= values.keys():
        yield "113706: neither Exposure nor X-Ray Tube Current with Exposure Time"


def _judge_sums(report: Dataset) -> Iterator[str]:
    """The conditions of TID 10004 and 10007."""
    items = [child for child in report.ContentSequence if child.ValueType == "CONTAINER"]
    sums = {_code(child.ConceptNameCodeSequence[0]) for child in items[0].ContentSequence}
    events = [{_code(child.ConceptNameCodeSequence[0]): child for child in item.ContentSequence} for item in items[1:]]
    kinds = {event["113721"].ConceptCodeSequence[0].CodeValue for event in events}
    for code in ("113726", "113728", "113730"):
        if (code in sums) is not ("44491008" in kinds):
            yield f"113702: {code} belongs to fluoroscopy"
    distances = {str(event["113737"].MeasuredValueSequence[0].NumericValue) for event in events}
    if ("113737" in sums) is not (len(distances) == 1):
        yield "113702: Distance Source to Reference Point is there where it is constant"


def _judge_code(code: Dataset) -> Iterator[str]:
    # SNOMED's own long name is what pydicom has of the one concept that PS3.16 names by itself, Has Intent.
    if (code.CodingSchemeDesignator, code.CodeValue, code.CodeMeaning) == ENGLISH:
        return
    known = {
        name.removesuffix(" (attribute)").casefold()
        for name, _ in _CONCEPTS.get((code.CodingSchemeDesignator, code.CodeValue), ())
    }
    if code.CodeMeaning.casefold() not in known:
        yield f"{code.CodeValue} is called {code.CodeMeaning}, not {known}"


def _groups(code: Dataset) -> set[int]:
    named = _CONCEPTS.get((code.CodingSchemeDesignator, code.CodeValue), ())
    return {group for _, groups in named for group in groups}


def _code(item: Dataset) -> str:
    return str(item.CodeValue)


def _name(item: Dataset) -> str:
    return str(item.ConceptNameCodeSequence[0].CodeMeaning)
