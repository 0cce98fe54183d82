"""What two statements differ in, in words; and that every change a peer could notice is one."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest

from openmodality.conformance.as_json import statement_as_json
from openmodality.conformance.comparing import find_differences
from openmodality.errors import UsageError
from tests.statements import make_profile_statement

Change = Callable[[dict[str, Any]], object]
BEFORE = statement_as_json(make_profile_statement("mr"))
KEPT = pickle.dumps(BEFORE)
"""A copy that a test may change comes out of it sooner than from ``copy.deepcopy``."""


def find(change: Change) -> list[str]:
    after = pickle.loads(KEPT)
    change(after)
    return [each.text for each in find_differences(BEFORE, after)]


def first(rows: list[dict[str, Any]], **values: object) -> dict[str, Any]:
    return next(row for row in rows if all(row[name] == value for name, value in values.items()))


def drop(member: str, **values: object) -> Change:
    return lambda stated: stated[member].remove(first(stated[member], **values))


def put(member: str, where: dict[str, object], **values: object) -> Change:
    return lambda stated: first(stated[member], **where).update(values)


def test_the_same_is_no_difference() -> None:
    assert find(lambda stated: None) == []


MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            drop("presentation_contexts", sop_class_uid=MR_IMAGE, direction="accepted"),
            "The AE device no longer accepts MR Image Storage as SCP.",
        ),
        (
            put("presentation_contexts", {"sop_class_uid": MR_IMAGE, "direction": "proposed"}, is_enabled=False),
            "The AE device no longer proposes MR Image Storage as SCU.",
        ),
        (
            put("presentation_contexts", {"sop_class_uid": MR_IMAGE, "direction": "proposed"},
                transfer_syntaxes=["1.2.840.10008.1.2"]),
            "The AE device now proposes MR Image Storage as SCU in Implicit VR Little Endian; it was Explicit VR Little"
            " Endian, Implicit VR Little Endian, Explicit VR Big Endian.",
        ),
        (
            put("application_entities", {"role": "device"}, ae_title="NEW"),
            "The AE device is now called NEW; it was OM_MR: peers that know its title must learn it.",
        ),
        (
            drop("worklist_keys", keyword="PatientID"),
            "The worklist is no longer asked for PatientID (0010,0020).",
        ),
        (
            put("statuses", {"operation": "C-STORE", "code": "B000"}, effect="fail", aborts=True),
            "A status B000 to C-STORE (Storage): now fails, with the meaning of the status in the log and before the"
            " operator, and the association is aborted; before counts as done.",
        ),
        (
            put("rejections", {"reason_name": "temporary-congestion"}, reason_name="no-reason-given"),
            "Where nothing is accepted for now, associations are now rejected with no-reason-given; it was"
            " temporary-congestion.",
        ),
        (
            put("parameters", {"key": "storage.retries"}, value="3"),
            "storage.retries is now 3; it was 10 (How often a failed send job is tried again).",
        ),
        (
            lambda stated: stated["character_sets"]["supported"].append({"term": "GB18030", "code_extensions": False}),
            "The character set GB18030 is supported now.",
        ),
        (
            lambda stated: stated["association"].update(max_pdu_receive_bytes=16384),
            "Largest PDU received, in bytes: now 16384; before 32768.",
        ),
        (
            lambda stated: stated["security"].update(is_enabled=True),
            "TLS is used here: now yes; before no.",
        ),
        (
            put("performed_step", {"keyword": "StudyID"}, n_set="2"),
            "N-SET of the performed step now carries StudyID (0020,0010), type 2.",
        ),
        (
            drop("private_attributes", name="Technologist"),
            "The private attribute Technologist (0009,1001) is gone.",
        ),
    ],
)  # fmt: skip
def test_one_change_is_one_sentence(change: Change, sentence: str) -> None:
    assert find(change) == [sentence]


AREAS = (
    "application_entities", "presentation_contexts", "worklist_keys", "query_keys", "performed_step",
    "print_attributes", "statuses", "answers", "failures", "rejections", "parameters", "mapping", "objects",
    "modules", "private_attributes", "body_parts", "media",
)  # fmt: skip


@pytest.mark.parametrize("name", AREAS)
def test_a_row_that_went_or_came_is_noticed(name: str) -> None:
    after = {**BEFORE, name: BEFORE[name][:-1]}
    assert find_differences(BEFORE, after) != []
    assert find_differences(after, BEFORE) != []


def test_what_only_the_device_notices_is_left_out() -> None:
    assert find(put("worklist_keys", {"keyword": "PatientID"}, displayed=False)) == []
    assert find(lambda stated: stated["device"].update(serial_number="2")) == []


def test_what_an_older_release_did_not_tell_of_was_none() -> None:
    before = pickle.loads(KEPT)
    del before["security"]["legacy_profiles"]
    (found,) = find_differences(before, BEFORE)
    assert found.text.startswith("Profile where older versions are allowed: now Basic TLS Secure")
    assert found.text.endswith("; before none.")


def test_another_device_differs_in_most_areas() -> None:
    after = statement_as_json(make_profile_statement("rf"))
    found = find_differences(BEFORE, after)
    assert found[0].text == "It is another device: rf in place of mr."
    assert len({each.area for each in found}) >= 15


@pytest.mark.parametrize("row", [{}, None, "text", {"role": "device"}])
def test_a_damaged_statement_is_refused(row: object) -> None:
    after = pickle.loads(KEPT)
    after["application_entities"] = [row]
    with pytest.raises(UsageError, match="a statement is damaged"):
        find_differences(BEFORE, after)
