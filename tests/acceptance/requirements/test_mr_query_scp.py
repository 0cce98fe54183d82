"""MR 3.3.2: the device answers the queries of peers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from pydicom import Dataset
from pynetdicom import evt
from pynetdicom.dimse_primitives import C_FIND
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]
from sqlalchemy import text

from openmodality.activities import query_answers
from openmodality.store.listing.audit import AuditSearch
from tests.acceptance.requirements.query_device import (
    FIND,
    LEVELS,
    MOVE,
    UNIQUE,
    QueryDevice,
    list_keys,
    make_identifier,
    query_device,
)
from tests.peers.objects import mr_image
from tests.peers.pynetdicom_ae import associated

MODELS = ("PATIENT", "STUDY")
SYNTAXES = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"]
ABOVE = {"PatientID": "P1", "StudyInstanceUID": "1.2.1", "SeriesInstanceUID": "1.2.1.1"}
VALUES = {
    "PatientName": "Yamada^Tarou=山田^太郎=やまだ^たろう", "PatientID": "P1", "StudyDate": "20260101",
    "StudyTime": "101500", "AccessionNumber": "A1", "StudyID": "S1", "StudyInstanceUID": "1.2.1",
    "ReferringPhysicianName": "Refer^Rita", "Modality": "MR", "SeriesNumber": "1", "SeriesInstanceUID": "1.2.1.1",
    "MRAcquisitionType": "2D", "ScanningSequence": "SE", "SequenceName": "T1", "ContrastBolusAgent": "Gd",
    "SOPInstanceUID": "1.2.1.1.1",
}  # fmt: skip
"""What the keys of the first image, and of all above it, are."""
ONE: dict[str, dict[str, str]] = {
    "PATIENT": {},
    "STUDY": {"StudyDescription": "Head"},
    "SERIES": {"SeriesNumber": "1"},
    "IMAGE": {"InstanceNumber": "1"},
}
"""Further keys, with which there is one entity of each level."""
_CANCEL = bytes.fromhex("00000001 02000000 ff0f")
"""(0000,0100) Command Field of a C-CANCEL-RQ (PS3.7 E.1)."""
OTHER = {"StudyDate": "19990101", "StudyTime": "0301", "SeriesNumber": "77"}


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QueryDevice]:
    peers = {
        "narrow": {"sop_classes": ["PatientRootQueryRetrieveInformationModelFind"]},
        "storing": {"incoming": ["verification", "storage"]},
    }
    with query_device(tmp_path_factory.mktemp("query"), peers) as made:
        yield made


def name_above(model: str, level: str) -> dict[str, str]:
    """The unique keys of the levels above."""
    levels = list(UNIQUE)[model == "STUDY" :]
    return {UNIQUE[upper]: ABOVE[UNIQUE[upper]] for upper in levels[: levels.index(level)]}


def ask(model: str, level: str, **keys: Any) -> dict[str, Any]:
    """An identifier that asks for the unique key of the level, below those of the levels above."""
    return {UNIQUE[level]: "", **name_above(model, level), **keys}


def found_uids(found: list[Dataset], level: str) -> list[str]:
    return [str(each[UNIQUE[level]].value) for each in found]


@pytest.mark.requirement("MR-3.3.2.3-02", "MR-3.3.2.4-02", "MR-3-06", "MR-3-08", "MR-3.3.2.3-01", "MR-3.3.2.4-01")
@pytest.mark.parametrize(("model", "level"), LEVELS)
def test_each_key_of_the_statement_matches_and_is_returned(device: QueryDevice, model: str, level: str) -> None:
    """One entity has the value that is asked for, nobody has another one."""
    keys = list_keys(model, level)
    assert UNIQUE[level] in keys
    for keyword in keys:
        (found,) = device.matches(model, level, **ask(model, level) | ONE[level] | {keyword: VALUES[keyword]})
        assert str(found[keyword].value) == VALUES[keyword]
        nobody = ask(model, level) | {keyword: OTHER.get(keyword, "1.999" if "UID" in keyword else "XYZ")}
        assert device.matches(model, level, **nobody) == [], keyword


@pytest.mark.requirement("MR-2.1.1-01", "MR-2.1.2-10", "MR-2.1.2-11", "MR-3.3.2.1-01")
@pytest.mark.requirement("MR-3.3.2.3-03", "MR-3.3.2.3-04", "MR-3.3.2.4-03", "MR-3.3.2.4-04")
@pytest.mark.parametrize(
    ("model", "level", "uids"),
    [
        ("PATIENT", "PATIENT", ["P1", "P2", "4711", "4711"]),
        ("PATIENT", "STUDY", ["1.2.1", "1.2.2"]),
        ("STUDY", "STUDY", ["1.2.1", "1.2.2", "1.2.3", "1.2.4", "1.2.5"]),
        ("STUDY", "SERIES", ["1.2.1.1", "1.2.1.2"]),
        ("PATIENT", "IMAGE", ["1.2.1.1.1", "1.2.1.1.2"]),
    ],
)
def test_one_pending_response_for_each_match_and_then_success(
    device: QueryDevice, model: str, level: str, uids: list[str]
) -> None:
    *pending, (final, left) = device.find(model, level, **ask(model, level))
    assert [status.Status for status, _ in pending] == [0xFF00] * len(uids)
    assert sorted(found_uids([found for _, found in pending if found is not None], level)) == sorted(uids)
    assert (final.Status, left, "ErrorComment" in final) == (0, None, False)
    for _, found in pending:
        assert found is not None
        assert (found.QueryRetrieveLevel, found.RetrieveAETitle) == (level, "OM_MR")


def test_a_query_of_a_peer_is_on_record(device: QueryDevice) -> None:
    before = device.modality.audit.read_state().last
    assert len(device.matches("STUDY", "STUDY", **ask("STUDY", "STUDY", PatientID="P2"))) == 1
    rows = [row for row in device.modality.audit.find(AuditSearch()).rows if row.number > before]
    [query] = [row for row in rows if row.entry.kind == "query"]
    assert query.users[-1] == "OM_MR"


@pytest.mark.parametrize(
    ("keys", "studies"),
    [
        ({"PatientName": "YAMADA^TAROU*"}, "12"),
        ({"PatientName": "山田^太郎"}, "12"),
        ({"PatientName": "=*太郎"}, "12"),
        ({"PatientName": "yama*=*=やまだ*"}, "12"),
        ({"PatientName": "muller^jorg"}, "3"),
        ({"PatientName": "M?LLER^J*"}, "3"),
        ({"PatientName": "*"}, "12345"),
        ({"StudyInstanceUID": ["1.2.1", "1.2.4", "1.9"]}, "14"),
        ({"StudyDate": "20260101-20260301"}, "12"),
        ({"StudyDate": "-20260101"}, "1"),
        ({"StudyDate": "20260302-"}, "345"),
        ({"StudyTime": "1015"}, "1245"),
        ({"StudyTime": "2300-2359"}, "3"),
        ({"StudyDate": "20260301-", "StudyTime": "10-11"}, "245"),
        ({"AccessionNumber": "A[1]"}, ""),
        ({"AccessionNumber": "A?", "StudyID": "S*"}, "12345"),
        ({"AccessionNumber": "a1"}, ""),
        ({"PatientID": "4711"}, "45"),
        ({"PatientID": "4711", "PatientBirthDate": "19710101"}, "5"),
        ({"ModalitiesInStudy": "MR"}, "12345"),
        ({"ModalitiesInStudy": ["CT", "SC"]}, ""),
        ({"SOPClassesInStudy": "1.2.840.10008.5.1.4.1.1.4"}, "12345"),
        ({"ReferringPhysicianName": "refer^*"}, "1"),
    ],
)
def test_every_kind_of_matching(device: QueryDevice, keys: dict[str, Any], studies: str) -> None:
    """PS3.4 C.2.2.2: single value, list of UIDs, universal, wild card, range, all keys together (DECISIONS MR 9)."""
    found = device.find("STUDY", "STUDY", **{"StudyInstanceUID": "", "SpecificCharacterSet": "ISO_IR 192", **keys})
    assert found[-1][0].Status == 0
    uids = [str(each.StudyInstanceUID).removeprefix("1.2.") for _, each in found if each is not None]
    assert "".join(sorted(uids)) == studies


def test_what_is_counted_and_told_besides(device: QueryDevice) -> None:
    counts = dict.fromkeys(
        ("NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances", "ModalitiesInStudy", "SOPClassesInStudy",
         "InstanceAvailability", "NumberOfPatientRelatedStudies", "NumberOfPatientRelatedInstances"), "",
    )  # fmt: skip
    (study,) = device.matches("STUDY", "STUDY", StudyInstanceUID="1.2.1", **counts)
    assert (study.NumberOfStudyRelatedSeries, study.NumberOfStudyRelatedInstances) == (2, 3)
    assert (study.NumberOfPatientRelatedStudies, study.NumberOfPatientRelatedInstances) == (2, 4)
    assert (study.ModalitiesInStudy, study.InstanceAvailability) == ("MR", "ONLINE")
    assert study.SOPClassesInStudy == "1.2.840.10008.5.1.4.1.1.4"
    series = device.matches("STUDY", "SERIES", **ask("STUDY", "SERIES", NumberOfSeriesRelatedInstances=""))
    assert sorted(each.NumberOfSeriesRelatedInstances for each in series) == [1, 2]
    (image,) = device.matches(
        "STUDY",
        "IMAGE",
        **ask("STUDY", "IMAGE", Rows="", SOPClassUID="", NumberOfFrames="", SOPInstanceUID="1.2.1.1.2"),
    )
    assert (image.Rows, image.SOPClassUID) == (8, "1.2.840.10008.5.1.4.1.1.4")


def test_a_key_that_the_device_does_not_have_is_left_out_and_said_so(device: QueryDevice) -> None:
    """FF01H: matches are as if it had not been asked for (PS3.4 C.4.1.1.4)."""
    *pending, (final, _) = device.find("STUDY", "STUDY", StudyInstanceUID="", EchoTime="99")
    assert [status.Status for status, _ in pending] == [0xFF01] * 5
    assert final.Status == 0
    assert all(found is not None and "EchoTime" not in found for _, found in pending)


def make_item(**values: Any) -> list[Dataset]:
    """The value of a sequence: one item with these attributes."""
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return [item]


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize(
    ("level", "keys", "is_found"),
    [
        ("SERIES", {"RequestAttributesSequence": make_item(ScheduledProcedureStepID="SPS1")}, True),
        ("SERIES", {"RequestAttributesSequence": make_item(ScheduledProcedureStepID="SPS?")}, True),
        ("SERIES", {"RequestAttributesSequence": make_item(ScheduledProcedureStepID="SPS2")}, False),
        (
            "SERIES",
            {"RequestAttributesSequence": make_item(ScheduledProtocolCodeSequence=make_item(CodeValue="T1"))},
            True,
        ),
        (
            "SERIES",
            {"RequestAttributesSequence": make_item(ScheduledProtocolCodeSequence=make_item(CodeValue="T2"))},
            False,
        ),
        ("STUDY", {"ProcedureCodeSequence": make_item(CodeValue="HEAD", CodingSchemeDesignator="99X")}, True),
        ("STUDY", {"ProcedureCodeSequence": make_item(CodeValue="HEAD", CodingSchemeDesignator="99Y")}, False),
        ("STUDY", {"PatientAge": "076Y"}, True),
        ("SERIES", {"InstitutionName": "H*"}, True),
        ("IMAGE", {"EchoTime": "12.50"}, True),
        ("IMAGE", {"EchoTime": "13"}, False),
        ("IMAGE", {"ImageType": "DERIVED"}, True),
    ],
)
def test_keys_that_files_answer_are_matched(
    device: QueryDevice, syntax: str, level: str, keys: dict[str, Any], is_found: bool
) -> None:
    """PS3.4 C.2.2.2.6: a sequence matches where one of its items matches all keys of the item that was asked for."""
    *pending, (final, _) = device.find("STUDY", level, syntaxes=[syntax], **ask("STUDY", level) | keys)
    assert final.Status == 0
    assert {status.Status for status, _ in pending} <= {0xFF00}
    expected = {"STUDY": "1.2.1", "SERIES": "1.2.1.1", "IMAGE": "1.2.1.1.1"}[level]
    assert found_uids([found for _, found in pending if found is not None], level) == [expected] * is_found


def test_keys_that_files_answer_are_returned(device: QueryDevice) -> None:
    """A sequence without an item, or with one, whose keys are then returned; empty where a file has no value."""
    keys = {"PatientID": "P1", "PatientName": "", "InstitutionName": "", "RequestAttributesSequence": []}
    first, second = device.matches("STUDY", "SERIES", **ask("STUDY", "SERIES") | keys)
    (request,) = first.RequestAttributesSequence
    assert (request.RequestedProcedureID, request.ScheduledProcedureStepID) == ("RP1", "SPS1")
    assert request.ScheduledProtocolCodeSequence[0].CodeMeaning == "Kopf über alles"
    assert (first.InstitutionName, str(first.PatientName)) == ("Hôpital", VALUES["PatientName"])
    assert (second.InstitutionName, list(second.RequestAttributesSequence)) == ("Test Hospital", [])
    asked = make_item(CodeMeaning="", CodeValue="")
    found = device.matches("STUDY", "STUDY", StudyInstanceUID="", ProcedureCodeSequence=asked, PatientWeight="")
    codes = {str(each.StudyInstanceUID): list(each.ProcedureCodeSequence) for each in found}
    assert [(code.CodeValue, code.CodeMeaning, len(code)) for code in codes["1.2.1"]] == [("HEAD", "Head", 2)]
    assert not any(codes[f"1.2.{number}"] for number in range(2, 6))
    people = device.matches("PATIENT", "PATIENT", PatientID="P1", OtherPatientIDsSequence=[])
    assert people[0].OtherPatientIDsSequence[0].PatientID == "OLD1"


def test_too_many_files_are_not_looked_into(device: QueryDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_answers, "MAX_FILES", 4)
    ((final, found),) = device.find("STUDY", "STUDY", StudyInstanceUID="", PatientAge="076Y")
    assert (final.Status, found) == (0xA700, None)
    assert "more keys" in final.ErrorComment
    assert len(device.matches("STUDY", "STUDY", StudyInstanceUID="", PatientAge="")) == 5
    assert len(device.matches("STUDY", "STUDY", StudyInstanceUID="", PatientAge="076Y", PatientID="P1")) == 1


def test_patients_who_share_an_id_are_two(device: QueryDevice) -> None:
    found = device.matches("PATIENT", "PATIENT", PatientID="4711", PatientName="", PatientBirthDate="")
    assert [(each.PatientName, each.PatientBirthDate) for each in found] == [
        ("Delta^Dan", "19610101"),
        ("Epsilon^Eve", "19710101"),
    ]


@pytest.mark.parametrize(
    ("charset", "key", "declared"),
    [
        ("ISO_IR 192", "山田*", "ISO_IR 192"),
        (["", "ISO 2022 IR 87"], "=山田^太郎", ["", "ISO 2022 IR 87"]),
        ("ISO_IR 100", "MÜLLER*", "ISO_IR 100"),
        (None, "Delta*", None),
    ],
)
def test_the_answer_comes_in_the_character_set_of_the_question(
    device: QueryDevice, charset: object, key: str, declared: object
) -> None:
    asked = {} if charset is None else {"SpecificCharacterSet": charset}
    for found in device.matches("STUDY", "STUDY", PatientName=key, StudyInstanceUID="", **asked):
        found.decode()
        assert found.get("SpecificCharacterSet") == declared
        assert str(found.PatientName).split("=")[0] in ("Yamada^Tarou", "Müller^Jörg", "Delta^Dan")


@pytest.mark.requirement("MR-3.3.2.2-01", "MR-3.3.2.6-01")
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("syntax", SYNTAXES)
def test_each_transfer_syntax_of_the_statement(device: QueryDevice, model: str, syntax: str) -> None:
    responses = device.find(model, "STUDY", syntaxes=[syntax], **ask(model, "STUDY", PatientID="P2", StudyDate=""))
    assert [(status.Status, found and found.StudyDate) for status, found in responses] == [
        (0xFF00, "20260302"),
        (0, None),
    ]


@pytest.mark.requirement(
    "MR-3.3.2.2-02", "MR-3.3.3.2-02", "MR-3.3.2.5-01", "MR-3.3.3.5-01", "MR-2.1.2-08", "MR-2.1.2-09"
)
@pytest.mark.parametrize(
    ("calling", "accepted"),
    [
        ("READER", [*FIND.values(), *MOVE.values()]),
        ("NARROW", [FIND["PATIENT"]]),
        ("STORING", []),
    ],
)
def test_the_site_file_says_who_may_query_what(device: QueryDevice, calling: str, accepted: list[str]) -> None:
    offered = [Verification, *FIND.values(), *MOVE.values()]
    with associated(device.address, offered, calling=calling) as association:
        assert {str(context.abstract_syntax) for context in association.accepted_contexts} == {Verification, *accepted}
        assert association.acceptor.sop_class_extended == {}


@pytest.mark.requirement("MR-3.3.2.3-08", "MR-3.3.2.4-08")
@pytest.mark.parametrize(
    ("model", "level", "keys", "offending"),
    [
        ("STUDY", "SERIES", {"SeriesInstanceUID": ""}, 0x0020000D),
        ("STUDY", "SERIES", {"StudyInstanceUID": ["1.2.1", "1.2.2"]}, 0x0020000D),
        ("PATIENT", "STUDY", {"StudyInstanceUID": ""}, 0x00100020),
        ("PATIENT", "STUDY", {"PatientID": "P*"}, 0x00100020),
        ("STUDY", "IMAGE", {"StudyInstanceUID": "1.2.1"}, 0x0020000E),
        ("STUDY", "STUDY", {"SeriesInstanceUID": "1.2.1.1"}, 0x0020000E),
        ("STUDY", "PATIENT", {"PatientID": "P1"}, 0x00080052),
        ("PATIENT", "", {"PatientID": "P1"}, 0x00080052),
    ],
)
def test_a_query_across_the_levels_is_refused(
    device: QueryDevice, model: str, level: str, keys: dict[str, Any], offending: int
) -> None:
    ((status, found),) = device.find(model, level, **keys)
    assert (status.Status, status.OffendingElement, found) == (0xA900, offending, None)
    assert status.ErrorComment


@pytest.mark.requirement("MR-3.3.2.3-06", "MR-3.3.2.4-06", "MR-3.3.2.3-08", "MR-3.3.2.4-08")
@pytest.mark.parametrize("model", MODELS)
def test_what_is_no_identifier_cannot_be_processed(device: QueryDevice, model: str) -> None:
    with associated(device.address, [FIND[model]], calling="READER", transfer_syntaxes=SYNTAXES[:1]) as association:
        request = C_FIND()
        request.MessageID, request.AffectedSOPClassUID, request.Priority = 1, FIND[model], 2
        request.Identifier = BytesIO(b"\x08\x00\x52\x00\xff\x00\x00\x00CUT OFF!")
        association._reactor_checkpoint.clear()
        association.dimse.send_msg(request, association.accepted_contexts[0].context_id or 0)
        _, answer = association.dimse.get_msg(block=True)
        association._reactor_checkpoint.set()
    assert answer is not None
    assert answer.Status == 0xC000
    assert answer.ErrorComment


@pytest.mark.requirement("MR-3.3.2.3-07", "MR-3.3.2.4-07")
@pytest.mark.parametrize("model", MODELS)
def test_a_query_is_cancelled(device: QueryDevice, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The C-CANCEL comes in one piece with the request, so that it is there after the first match."""
    with associated(device.address, [FIND[model]], calling="READER") as association:
        asked = make_identifier(QueryRetrieveLevel="STUDY", **ask(model, "STUDY"))
        send = association.dimse.send_msg
        connection = association.dul.socket
        assert connection is not None
        held: list[bytes] = []
        write = connection.send

        def send_both(primitive: object, context_id: int) -> None:
            send(primitive, context_id)  # type: ignore[arg-type]
            if type(primitive).__name__ == "C_FIND":
                association.send_c_cancel(7, context_id)

        def hold_until_cancelled(pdu: bytes) -> None:
            held.append(pdu)
            if len(held) == len(("command", "identifier", "C-CANCEL")):
                write(b"".join(held))
            elif len(held) > len(("command", "identifier", "C-CANCEL")):
                write(pdu)

        monkeypatch.setattr(association.dimse, "send_msg", send_both)
        monkeypatch.setattr(connection, "send", hold_until_cancelled)
        statuses = [status.Status for status, _ in association.send_c_find(asked, FIND[model], msg_id=7)]
    assert statuses[-1] == 0xFE00
    assert 1 <= len(statuses) <= 2 + (model == "STUDY") * 3


def test_a_search_that_finds_nothing_is_cancelled(device: QueryDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_answers, "_FILES_BETWEEN_LOOKS", 2)
    looked_into: list[object] = []
    has_sent = threading.Event()

    def wait_for_cancel(*what: Any) -> Dataset:
        has_sent.wait(10)
        looked_into.append(what)
        return Dataset()

    monkeypatch.setattr(query_answers.StoredEntities, "_read_file", wait_for_cancel)
    with associated(device.address, [FIND["STUDY"]], calling="READER") as association:
        asked = make_identifier(QueryRetrieveLevel="STUDY", **ask("STUDY", "STUDY", PatientAge="001D"))
        send = association.dimse.send_msg

        def send_both(primitive: object, context_id: int) -> None:
            send(primitive, context_id)  # type: ignore[arg-type]
            if type(primitive).__name__ == "C_FIND":
                association.send_c_cancel(7, context_id)

        def note_cancel(event: evt.Event) -> None:
            if _CANCEL in event.pdu.encode():
                has_sent.set()

        association.bind(evt.EVT_PDU_SENT, note_cancel)  # pynetdicom sends in a thread of its own
        monkeypatch.setattr(association.dimse, "send_msg", send_both)
        ((status, _),) = association.send_c_find(asked, FIND["STUDY"], msg_id=7)
    assert (status.Status, len(looked_into) < 5) == (0xFE00, True)


@pytest.mark.requirement("MR-3.3.2.3-05", "MR-3.3.2.4-05")
@pytest.mark.parametrize("model", MODELS)
def test_without_its_database_the_device_is_out_of_resources(device: QueryDevice, model: str) -> None:
    database = device.modality._runtime.store.database
    with database.write() as transaction:
        transaction.execute(text("ALTER TABLE studies RENAME TO gone"))
    try:
        ((status, _),) = device.find(model, "STUDY", **ask(model, "STUDY"))
    finally:
        with database.write() as transaction:
            transaction.execute(text("ALTER TABLE gone RENAME TO studies"))
    assert status.Status == 0xA700
    assert status.ErrorComment
    assert device.matches(model, "STUDY", **ask(model, "STUDY"))


def test_what_arrives_is_found_at_once(device: QueryDevice) -> None:
    """Storing and asking on one association, one after the other."""
    image = mr_image(rows=4, columns=4, PatientID="NEW", StudyInstanceUID="1.2.99", SOPInstanceUID="1.2.99.1.1")
    syntaxes = [image.SOPClassUID, FIND["STUDY"]]
    with associated(device.address, syntaxes, [(evt.EVT_C_STORE, lambda event: 0)], calling="READER") as association:
        assert association.send_c_store(image).Status == 0
        asked = make_identifier(QueryRetrieveLevel="STUDY", StudyInstanceUID="1.2.99", PatientID="")
        found = [each for _, each in association.send_c_find(asked, FIND["STUDY"]) if each is not None]
    assert [each.PatientID for each in found] == ["NEW"]
    device.modality.delete("STUDY", "1.2.99", force=True)
