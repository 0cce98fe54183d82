"""What a peer makes of a key is told by its answers alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydicom import Dataset

from openmodality.conformance.doctor.find_probe import FoundItems
from openmodality.conformance.doctor.key_probe import AskNarrowed, Matching, TriedKey, judge_returned, try_key
from openmodality.device.paths import TagPath, parse_path
from openmodality.query.identifier import Key, identifier
from openmodality.query.matching import matches

STEP = "ScheduledProcedureStepSequence>"
ANNA = {
    "PatientID": "1",
    "PatientName": "Meyer^Anna",
    f"{STEP}Modality": "MR",
    f"{STEP}ScheduledProcedureStepStartDate": "20260101",
}
BERT = {
    "PatientID": "2",
    "PatientName": "Smith^Bert",
    f"{STEP}Modality": "MR",
    f"{STEP}ScheduledProcedureStepStartDate": "20260102",
}


def make_item(values: dict[str, str]) -> Dataset:
    return identifier(
        [Key(parse_path(name)) for name in values], {parse_path(name): value for name, value in values.items()}
    )


ITEMS = [make_item(ANNA), make_item(BERT)]


def honest(values: dict[TagPath, object]) -> FoundItems:
    asked = identifier([Key(path) for path in values], values)
    return FoundItems(items=[item for item in ITEMS if matches(asked, item)])


def deaf(values: dict[TagPath, object]) -> FoundItems:
    return FoundItems(items=ITEMS)


def empty(values: dict[TagPath, object]) -> FoundItems:
    return FoundItems()


def refusing(values: dict[TagPath, object]) -> FoundItems:
    return FoundItems(outcome="status A900")


@pytest.mark.parametrize(
    "key",
    [
        TriedKey.of("PatientID"),
        TriedKey.of("PatientName", Matching.WILDCARD),
        TriedKey.of(f"{STEP}ScheduledProcedureStepStartDate", Matching.RANGE),
        TriedKey.of(f"{STEP}Modality"),  # which all have: one that nobody has must bring nothing
    ],
    ids=lambda key: key.name,
)
@pytest.mark.parametrize(
    ("ask", "said"), [(honest, "honoured"), (deaf, "ignored"), (empty, "wrong"), (refusing, "refused")]
)
def test_what_becomes_of_a_key(key: TriedKey, ask: Callable[[dict[TagPath, object]], FoundItems], said: str) -> None:
    put: AskNarrowed = ask
    assert try_key(key, ITEMS, put)[0] == said


def test_a_key_that_no_item_has_is_not_tried() -> None:
    assert try_key(TriedKey.of("AccessionNumber"), ITEMS, refusing) == ("untried", None)
    wild = make_item({"PatientID": "A*"})
    assert try_key(TriedKey.of("PatientID"), [wild], refusing) == ("untried", None)


def test_what_comes_back_of_a_return_key() -> None:
    path = parse_path("PatientID")
    assert judge_returned(path, []) == "unknown"
    assert judge_returned(path, ITEMS) == "value"
    assert judge_returned(path, [make_item({"PatientID": ""})]) == "empty"
    assert judge_returned(parse_path("PatientSex"), ITEMS) == "absent"
