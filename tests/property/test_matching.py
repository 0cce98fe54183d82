"""Matching agrees with a slow model that is written in another way (PS3.4 C.2.2.2)."""

import re
from functools import cache

from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset, config
from pydicom.dataelem import DataElement

from openmodality.dimse.moments import matches_moment
from openmodality.dimse.reading import values_of
from openmodality.query.identifier import Key, identifier
from openmodality.query.matching import matches, matches_wildcard, select_requested

LETTERS = st.text("ab*?.", max_size=8)


@cache
def slow_wildcard(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "*":
        return slow_wildcard(pattern[1:], text) or (bool(text) and slow_wildcard(pattern, text[1:]))
    return bool(text) and pattern[0] in ("?", text[0]) and slow_wildcard(pattern[1:], text[1:])


@given(LETTERS, LETTERS)
def test_wildcards_match_as_a_slow_matcher_does(pattern: str, text: str) -> None:
    assert matches_wildcard(pattern, text) is slow_wildcard(pattern, text)


DATES = st.dates().map(lambda date: date.strftime("%Y%m%d").zfill(8))
SECONDS = st.integers(0, 86399)


@given(DATES, DATES, DATES)
def test_dates_match_the_ranges_that_hold_them(low: str, high: str, date: str) -> None:
    assert matches_moment("DA", f"{low}-{high}", date) is (low <= date <= high)
    assert matches_moment("DA", f"{low}-", date) is (low <= date)
    assert matches_moment("DA", f"-{high}", date) is (date <= high)
    assert matches_moment("DA", low, date) is (low == date)


def clock(second: int, precision: int) -> str:
    return f"{second // 3600:02}{second // 60 % 60:02}{second % 60:02}"[:precision]


@given(SECONDS, SECONDS, SECONDS, st.sampled_from([2, 4, 6]))
def test_times_match_the_ranges_that_hold_them(low: int, high: int, time: int, precision: int) -> None:
    unit = {2: 3600, 4: 60, 6: 1}[precision]
    expected = low // unit <= time // unit <= high // unit
    assert matches_moment("TM", f"{clock(low, precision)}-{clock(high, precision)}", clock(time, 6)) is expected


@given(
    st.sampled_from(["DA", "TM", "DT"]), st.text("0123456789-+.", max_size=30), st.text("0123456789-+.", max_size=30)
)
def test_no_text_breaks_the_matching_of_moments(vr: str, key: str, text: str) -> None:
    assert matches_moment(vr, key, text) in (True, False)


KEYS = (("PatientID", "LO"), ("Modality", "CS"), ("AccessionNumber", "SH"), ("StudyInstanceUID", "UI"))
TAGS = {"PatientID": 0x00100020, "Modality": 0x00080060, "AccessionNumber": 0x00080050, "StudyInstanceUID": 0x0020000D}
VALUES = st.text("AB*?", max_size=3)
FLAT = st.dictionaries(st.sampled_from([keyword for keyword, _ in KEYS]), VALUES, max_size=4)
ENTITIES = st.tuples(FLAT, st.lists(FLAT, max_size=3))
Entity = tuple[dict[str, str], list[dict[str, str]]]


def data_set_of(flat: dict[str, str]) -> Dataset:
    result = Dataset()
    for keyword, value in flat.items():
        result.add(DataElement(TAGS[keyword], dict(KEYS)[keyword], value, validation_mode=config.IGNORE))
    return result


def entity_of(entity: Entity) -> Dataset:
    result = data_set_of(entity[0])
    result.ScheduledProcedureStepSequence = [data_set_of(item) for item in entity[1]]
    return result


def slow_matches(key: dict[str, str], held: dict[str, str]) -> bool:
    def one(keyword: str, wanted: str) -> bool:
        if not wanted:
            return True
        value = held.get(keyword, "")
        if keyword == "StudyInstanceUID":
            return wanted == value and value != ""
        if set(wanted) == {"*"}:
            return True
        pattern = re.escape(wanted).replace(r"\*", ".*").replace(r"\?", ".")
        return value != "" and re.fullmatch(pattern, value) is not None

    return all(one(keyword, wanted) for keyword, wanted in key.items())


def slow_entity_matches(key: Entity, held: Entity) -> bool:
    if not slow_matches(*(pair[0] for pair in (key, held))):
        return False
    inner = key[1][0] if key[1] else {}
    return slow_matches(inner, {}) or any(slow_matches(inner, item) for item in held[1])


@given(ENTITIES, ENTITIES)
def test_entities(key: Entity, held: Entity) -> None:
    asked, candidate = entity_of(key), entity_of(held)
    assert matches(asked, candidate) is slow_entity_matches(key, held)
    answer = select_requested(asked, candidate)
    assert set(answer.keys()) == set(asked.keys())


@given(
    st.dictionaries(
        st.lists(st.sampled_from(sorted(TAGS.values())), min_size=1, max_size=1).map(tuple)
        | st.sampled_from(sorted(TAGS.values())).map(lambda tag: (0x00400100, tag)),
        st.text(st.characters(exclude_characters="\\", exclude_categories=["C"]), max_size=12),
    )
)
def test_identifier_holds_what_was_given(values: dict[tuple[int, ...], str]) -> None:
    built = identifier([Key((0x00400100,))], values, character_sets=["ISO_IR 192"])
    for path, value in values.items():
        element = (built if len(path) == 1 else built[path[0]].value[0])[path[-1]]
        written = "\\".join(map(str, values_of(element)))
        assert written.strip() == value.strip()
    foreign = any(not value.isascii() for value in values.values())
    assert ("SpecificCharacterSet" in built) is foreign
