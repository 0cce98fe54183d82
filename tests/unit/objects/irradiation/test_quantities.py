"""The table of what can be said of an irradiation event, against PS3.6 and PS3.16 as pydicom has them."""

from __future__ import annotations

from typing import Any

from pydicom.datadict import tag_for_keyword
from pydicom.sr import _concepts_dict

from openmodality.objects.irradiation.quantities import (
    FILTER_MATERIALS,
    FILTER_TYPES,
    PATIENT_POSITIONS,
    QUANTITIES,
    SOME_GRID,
    TERMS,
    describe_keyword,
)
from openmodality.objects.report.dose_codes import NUMBERS, TERM_CONCEPTS, WORDS

GROUPS = {
    "IrradiationEventType": 10002, "FluoroMode": 10004, "AnodeTargetMaterial": 10016, "XRayGrid": 10017,
    "PatientTableRelationship": 21, "PatientOrientation": 19, "PatientOrientationModifier": 20,
    "Laterality": 244,
}  # fmt: skip


CONCEPTS: dict[str, Any] = dict(_concepts_dict.concepts)


def groups_of(value: str, meaning: str, scheme: str) -> list[int]:
    return [
        group
        for codes in CONCEPTS[scheme].values()
        for code, (name, groups) in codes.items()
        if (code, name) == (value, meaning)
        for group in groups
    ]


def test_other_keywords_are_attributes_of_ps3_6() -> None:
    others = [keyword for each in QUANTITIES for keyword in each.also]
    others += [keyword for term in TERMS for keyword in term.also]
    assert [keyword for keyword in others if tag_for_keyword(keyword) is None] == []


def test_each_word_has_its_code_of_the_context_group() -> None:
    for term in TERMS:
        for word in term.words:
            code = WORDS[word]
            assert GROUPS[term.name] in groups_of(code.value, code.meaning, code.scheme), word
        for words in term.also.values():
            assert set(words.values()) <= {*term.words, SOME_GRID}
        assert term.name in TERM_CONCEPTS
    for group, words in ((10007, FILTER_TYPES), (10006, FILTER_MATERIALS)):
        for word in words.values():
            assert group in groups_of(WORDS[word].value, word, WORDS[word].scheme), word


def test_each_concept_is_called_as_in_ps3_16() -> None:
    schemes = ("DCM", "SCT")
    known = {(code, name) for each in schemes for codes in CONCEPTS[each].values() for code, (name, _) in codes.items()}
    concepts = [*(concept for concept, _, _ in NUMBERS.values()), *TERM_CONCEPTS.values()]
    assert [concept for concept in concepts if (concept.value, concept.meaning) not in known] == []
    assert set(NUMBERS) <= {quantity.name for quantity in QUANTITIES}


def test_positions_and_names() -> None:
    assert PATIENT_POSITIONS["FFDL"] == ("feet-first", "recumbent", "left lateral decubitus")
    assert len(PATIENT_POSITIONS) == 8
    assert (describe_keyword("KVP"), describe_keyword("DoseRP")) == ("(0018,0060) KVP", "DoseRP")
