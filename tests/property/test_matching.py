"""Matching agrees with a slow model that is written in another way; noise is answered or refused (PS3.4 C.2.2.2)."""

import re
from functools import cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset, config
from pydicom.dataelem import DataElement

from openmodality.dimse.channel import PeerInfo, PresentationContext
from openmodality.dimse.command import Command
from openmodality.dimse.data_set import decode_data_set
from openmodality.dimse.exchange import await_response, send_request
from openmodality.dimse.identifier import Key, identifier
from openmodality.dimse.loopback import loopback_pair
from openmodality.dimse.matching import matches, matches_wildcard, requested
from openmodality.dimse.moments import matches_moment
from openmodality.dimse.moving import Transfer
from openmodality.dimse.reading import values_of
from openmodality.dimse.service import Refuse, Service
from openmodality.dimse.status import is_pending
from openmodality.errors import ObjectInvalid
from openmodality.services.commitment import (
    CommitmentRequest,
    CommitmentResult,
    Missing,
    commitment_result_service,
    commitment_service,
)
from openmodality.services.mpps import mpps_service
from openmodality.services.query_retrieve import MoveRequest, move_service, query_service
from openmodality.services.worklist import defects, worklist_service
from openmodality.standard.dimse import CommandField
from openmodality.standard.sop_classes import (
    MODALITY_PERFORMED_PROCEDURE_STEP,
    MODALITY_WORKLIST_FIND,
    STORAGE_COMMITMENT_PUSH_MODEL,
    STORAGE_COMMITMENT_PUSH_MODEL_INSTANCE,
    STUDY_ROOT_FIND,
    STUDY_ROOT_MOVE,
)
from openmodality.standard.transfer_syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, UNCOMPRESSED

LETTERS = st.text("ab*?.", max_size=8)


@cache
def slow_wildcard(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "*":
        return slow_wildcard(pattern[1:], text) or (bool(text) and slow_wildcard(pattern, text[1:]))
    return bool(text) and pattern[0] in ("?", text[0]) and slow_wildcard(pattern[1:], text[1:])


@given(LETTERS, LETTERS)
def test_wildcards(pattern: str, text: str) -> None:
    assert matches_wildcard(pattern, text) is slow_wildcard(pattern, text)


DATES = st.dates().map(lambda date: date.strftime("%Y%m%d").zfill(8))
SECONDS = st.integers(0, 86399)


@given(DATES, DATES, DATES)
def test_date_ranges(low: str, high: str, date: str) -> None:
    assert matches_moment("DA", f"{low}-{high}", date) is (low <= date <= high)
    assert matches_moment("DA", f"{low}-", date) is (low <= date)
    assert matches_moment("DA", f"-{high}", date) is (date <= high)
    assert matches_moment("DA", low, date) is (low == date)


def clock(second: int, precision: int) -> str:
    return f"{second // 3600:02}{second // 60 % 60:02}{second % 60:02}"[:precision]


@given(SECONDS, SECONDS, SECONDS, st.sampled_from([2, 4, 6]))
def test_time_ranges(low: int, high: int, time: int, precision: int) -> None:
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
    answer = requested(asked, candidate)
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


# Whatever arrives, a service answers it


class Everything:
    """All ports at once: has two entities, knows no transaction, sends nothing."""

    def find(self, *_: Any) -> Any:
        item = Dataset()
        item.PatientID = "1"
        item.ScheduledProcedureStepSequence = [Dataset()]
        return [item, Dataset()]

    def open(self, request: MoveRequest) -> Transfer:
        raise Refuse(0xA801, "nobody")

    def create(self, sop_instance_uid: str, attributes: Dataset) -> bool:
        return True

    def update(self, sop_instance_uid: str, change: Any) -> bool:
        change(Dataset())
        return True

    def commit(self, request: CommitmentRequest) -> None:
        assert request.references

    def answered(self, request: CommitmentRequest) -> None:
        assert request.references


class NothingKnown:
    def find(self, transaction_uid: str, peer: PeerInfo) -> Missing:
        return Missing.UNKNOWN

    def result(self, result: CommitmentResult, peer: PeerInfo) -> None:
        raise AssertionError("nothing was asked for")


PORT = Everything()
ASKED: list[tuple[str, CommandField, Service]] = [
    (MODALITY_WORKLIST_FIND, CommandField.C_FIND_RQ, worklist_service(PORT)),
    (STUDY_ROOT_FIND, CommandField.C_FIND_RQ, query_service(PORT, "ARCHIVE")),
    (STUDY_ROOT_MOVE, CommandField.C_MOVE_RQ, move_service(PORT)),
    (MODALITY_PERFORMED_PROCEDURE_STEP, CommandField.N_CREATE_RQ, mpps_service(PORT)),
    (MODALITY_PERFORMED_PROCEDURE_STEP, CommandField.N_SET_RQ, mpps_service(PORT)),
    (STORAGE_COMMITMENT_PUSH_MODEL, CommandField.N_ACTION_RQ, commitment_service(PORT)),
    (STORAGE_COMMITMENT_PUSH_MODEL, CommandField.N_EVENT_REPORT_RQ, commitment_result_service(NothingKnown())),
]


def element(tag: int, vr: str, value: bytes) -> bytes:
    value += b" " * (len(value) & 1)
    head = tag.to_bytes(4, "little")[2:] + tag.to_bytes(4, "little")[:2] + vr.encode()
    if vr in ("SQ", "OB", "UN", "UT"):
        return head + b"\0\0" + len(value).to_bytes(4, "little") + value
    return head + len(value).to_bytes(2, "little") + value


SUSPECTS = st.sampled_from(
    [
        *(0x00080005, 0x00080018, 0x00080052, 0x00081195, 0x00081197, 0x00081198, 0x00081199, 0x00090010),
        *(0x00100010, 0x00100020, 0x0020000D, 0x0020000E, 0x00400100, 0x00400252, 0x00400340),
    ]
)
VRS = st.sampled_from(["UI", "PN", "CS", "DA", "TM", "DS", "IS", "US", "SQ", "UN", "AT", "UT"])
CONTENT = st.binary(max_size=12) | st.sampled_from([b"STUDY", b"IMAGE", b"1.2.3", b"IN PROGRESS", b"COMPLETED", b"*"])
ELEMENTS = st.dictionaries(SUSPECTS, st.tuples(VRS, CONTENT), max_size=8).map(
    lambda chosen: b"".join(element(tag, *chosen[tag]) for tag in sorted(chosen))
)


@given(st.sampled_from(ASKED), ELEMENTS | st.binary(max_size=60).map(lambda raw: raw[: len(raw) // 2 * 2]))
def test_noise_is_answered(asked: tuple[str, CommandField, Service], raw: bytes) -> None:
    syntax, command_field, service = asked
    channel, _ = loopback_pair([PresentationContext(1, syntax, EXPLICIT_VR_LITTLE_ENDIAN)], [service])
    command = Command(
        CommandField=command_field,
        AffectedSOPClassUID=syntax,
        RequestedSOPClassUID=syntax,
        RequestedSOPInstanceUID=STORAGE_COMMITMENT_PUSH_MODEL_INSTANCE,
        ActionTypeID=1,
        EventTypeID=1,
        MoveDestination="SOMEWHERE",
    )
    message_id = send_request(channel, 1, command, raw)
    response = await_response(channel, message_id)
    while is_pending(response.command.Status):
        response = await_response(channel, message_id)
    assert "internal error" not in (response.command.ErrorComment or "")


@given(ELEMENTS, st.sampled_from(UNCOMPRESSED))
def test_any_item_has_defects_or_is_no_data_set(raw: bytes, transfer_syntax: str) -> None:
    try:
        item = decode_data_set(raw, transfer_syntax)
    except ObjectInvalid:
        return
    assert "(0040,0100) ScheduledProcedureStepSequence: missing" in defects(item) or 0x00400100 in item
