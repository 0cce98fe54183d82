"""Key object documents: the tree of TID 2010, and what of it is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom import Dataset
from pydicom.sr.codedict import codes

from openmodality.errors import UsageError
from openmodality.objects.exam_facts import InstanceFacts, SeriesFacts
from openmodality.objects.references import EvidenceReference
from openmodality.objects.report.key_object import build_key_object
from openmodality.objects.report.tid_2010 import KeyObjects, Note
from openmodality.objects.rules.check import check
from openmodality.standard import key_object_titles
from openmodality.standard.sop_classes import GRAYSCALE_SOFTCOPY_PRESENTATION_STATE_STORAGE, MR_IMAGE_STORAGE
from tests.made_objects import NOW, UIDS, definition_of, exam

IMAGE = EvidenceReference("1.2.1", "1.2.1.1", MR_IMAGE_STORAGE, "1.2.1.1.1")
FRAMES = EvidenceReference("1.2.1", "1.2.1.2", MR_IMAGE_STORAGE, "1.2.1.2.1", (2, 5))
STATE = EvidenceReference("1.2.1", "1.2.1.3", GRAYSCALE_SOFTCOPY_PRESENTATION_STATE_STORAGE, "1.2.1.3.1")
PRIOR = EvidenceReference("1.2.9", "1.2.9.1", MR_IMAGE_STORAGE, "1.2.9.1.1")


def make_document(
    *references: EvidenceReference, identical: tuple[EvidenceReference, ...] = (), **said: Any
) -> Dataset:
    return build_key_object(
        definition_of("mr", "Key Object Selection Document"),
        exam(None),
        SeriesFacts(UIDS(), 8001, NOW, "KO"),
        InstanceFacts(UIDS(), 1, NOW),
        KeyObjects(references or (IMAGE,), Note(**said), UIDS(), identical),
    )


def list_items(document: Dataset) -> list[tuple[str, str, str]]:
    return [
        (item.RelationshipType, item.ValueType, item.ConceptNameCodeSequence[0].CodeMeaning)
        if "ConceptNameCodeSequence" in item
        else (item.RelationshipType, item.ValueType, "")
        for item in document.ContentSequence
    ]


def test_a_document_names_its_title_its_observer_and_its_images() -> None:
    document = make_document(
        IMAGE, FRAMES, STATE, title="For Teaching", description="a fine cyst", observer="Curie^Marie"
    )
    assert check(document, definition_of("mr", "Key Object Selection Document")) == []
    title = document.ConceptNameCodeSequence[0]
    assert (title.CodeValue, title.CodingSchemeDesignator, title.CodeMeaning) == ("113004", "DCM", "For Teaching")
    assert document.ContentTemplateSequence[0].TemplateIdentifier == "2010"
    assert list_items(document) == [
        ("HAS OBS CONTEXT", "CODE", "Observer Type"),
        ("HAS OBS CONTEXT", "PNAME", "Person Observer Name"),
        ("CONTAINS", "TEXT", "Key Object Description"),
        ("CONTAINS", "IMAGE", ""),
        ("CONTAINS", "IMAGE", ""),
        ("CONTAINS", "COMPOSITE", ""),
    ]
    assert document.ContentSequence[1].PersonName == "Curie^Marie"
    assert [int(frame) for frame in document.ContentSequence[4].ReferencedSOPSequence[0].ReferencedFrameNumber] == [
        2,
        5,
    ]
    (study,) = document.CurrentRequestedProcedureEvidenceSequence
    assert [series.SeriesInstanceUID for series in study.ReferencedSeriesSequence] == ["1.2.1.1", "1.2.1.2", "1.2.1.3"]


def test_without_a_person_the_device_is_the_observer() -> None:
    items = list_items(make_document())
    assert ("HAS OBS CONTEXT", "UIDREF", "Device Observer UID") in items
    assert ("HAS OBS CONTEXT", "PNAME", "Person Observer Name") not in items


def test_a_reason_modifies_the_title() -> None:
    document = make_document(title="113001", reason="Motion blur")
    modifier = document.ContentSequence[0]
    assert (modifier.RelationshipType, modifier.ConceptCodeSequence[0].CodeValue) == ("HAS CONCEPT MOD", "111210")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"title": "For Fun"}, "'For Fun' is no title"),
        ({"title": "113001"}, "requires a reason"),
        ({"title": "113004", "reason": "Motion blur"}, "does not take the reason"),
        ({"title": "113013", "reason": "Motion blur"}, "does not take the reason"),
    ],
)
def test_what_is_no_title_or_reason_is_refused(said: dict[str, str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Note(**said)


def test_a_document_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="one instance at least"):
        KeyObjects((), Note(), UIDS())


def test_the_same_document_in_another_study_is_named() -> None:
    twin = EvidenceReference("1.2.9", "1.2.9.8", "1.2.840.10008.5.1.4.1.1.88.59", "1.2.9.8.1")
    document = make_document(IMAGE, PRIOR, identical=(twin,))
    assert [study.StudyInstanceUID for study in document.CurrentRequestedProcedureEvidenceSequence] == [
        "1.2.1",
        "1.2.9",
    ]
    (study,) = document.IdenticalDocumentsSequence
    assert study.ReferencedSeriesSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID == "1.2.9.8.1"


@pytest.mark.parametrize(
    ("group", "known"),
    [
        ("cid7010", key_object_titles.TITLES),
        ("cid7011", key_object_titles.REASONS["113001"]),
        ("cid7012", key_object_titles.REASONS["113013"]),
    ],
)
def test_titles_and_reasons_are_those_of_the_standard(group: str, known: dict[str, str]) -> None:
    concepts = getattr(codes, group).concepts.values()
    assert dict(known) == {each.value: each.meaning for each in concepts}
