"""MR 3.3.3: the device sends what a peer asks for to the destination that the peer names."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from pydicom import Dataset
from pynetdicom import evt
from pynetdicom.dimse_primitives import C_MOVE
from sqlalchemy import text

from openmodality.activities import retrieve_answers
from tests.acceptance.requirements.query_device import MOVE, QueryDevice, make_identifier, query_device
from tests.peers.process import wait_until
from tests.peers.pynetdicom_ae import associated

MODELS = ("PATIENT", "STUDY")
SYNTAXES = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"]
FIRST = ["1.2.1.1.1", "1.2.1.1.2", "1.2.1.2.1"]
"""The images of the first study."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QueryDevice]:
    with query_device(tmp_path_factory.mktemp("retrieve")) as made:
        yield made


@pytest.fixture
def device(running: QueryDevice) -> Iterator[QueryDevice]:
    """The device, with a destination that has nothing and behaves."""
    destination = running.destination
    destination.stored.clear()
    yield running
    destination.statuses.clear()
    destination.pause = None


def name_study(model: str, number: int = 1) -> dict[str, Any]:
    patient = {"PatientID": "P1" if number < 3 else "P2"} if model == "PATIENT" else {}
    return {**patient, "StudyInstanceUID": f"1.2.{number}"}


def list_counts(status: Dataset) -> tuple[int | None, ...]:
    names = ("Remaining", "Completed", "Failed", "Warning")
    return tuple(status.get(f"NumberOf{name}Suboperations") for name in names)


@pytest.mark.requirement("MR-2.1.1-03", "MR-2.1.2-12", "MR-2.1.2-13", "MR-3.2.3.1-01", "MR-3.3.3.1-01", "MR-3.3.3.1-02")
@pytest.mark.requirement("MR-3-07", "MR-3-09", "MR-3.3.3.3-01", "MR-3.3.3.4-01")
@pytest.mark.requirement("MR-3.3.3.3-02", "MR-3.3.3.3-07", "MR-3.3.3.4-02", "MR-3.3.3.4-07")
@pytest.mark.parametrize("model", MODELS)
def test_a_study_is_sent_with_a_response_for_each_image(device: QueryDevice, model: str) -> None:
    *pending, (final, _) = device.move(model, "STUDY", **name_study(model))
    assert [(status.Status, list_counts(status)) for status, _ in pending] == [
        (0xFF00, (2, 1, 0, 0)), (0xFF00, (1, 2, 0, 0)), (0xFF00, (0, 3, 0, 0)),
    ]  # fmt: skip
    assert (final.Status, list_counts(final)) == (0, (None, 3, 0, 0))
    assert device.destination.uids == FIRST
    requests = [event.request for event in device.destination.stored]
    assert {(each.MoveOriginatorApplicationEntityTitle, each.MoveOriginatorMessageID) for each in requests} == {
        ("READER", 1)
    }
    assert {event.assoc.requestor.ae_title for event in device.destination.stored} == {"OM_MR"}
    assert len({id(event.assoc) for event in device.destination.stored}) == 1, "one association for all"


@pytest.mark.parametrize(
    ("model", "level", "keys", "uids"),
    [
        ("PATIENT", "PATIENT", {"PatientID": "P1"}, [*FIRST, "1.2.2.1.1"]),
        ("STUDY", "STUDY", {"StudyInstanceUID": ["1.2.2", "1.2.3"]}, ["1.2.2.1.1", "1.2.3.1.1"]),
        ("STUDY", "SERIES", {"StudyInstanceUID": "1.2.1", "SeriesInstanceUID": "1.2.1.1"}, FIRST[:2]),
        (
            "PATIENT",
            "IMAGE",
            {
                "PatientID": "P1",
                "StudyInstanceUID": "1.2.1",
                "SeriesInstanceUID": "1.2.1.1",
                "SOPInstanceUID": ["1.2.1.1.2", "1.9"],
            },
            ["1.2.1.1.2"],
        ),
        ("STUDY", "STUDY", {"StudyInstanceUID": "1.9"}, []),
        ("PATIENT", "STUDY", {"PatientID": "P2", "StudyInstanceUID": "1.2.1"}, []),
    ],
)
def test_each_level_can_be_named(
    device: QueryDevice, model: str, level: str, keys: dict[str, Any], uids: list[str]
) -> None:
    final, _ = device.move(model, level, **keys)[-1]
    assert (final.Status, final.NumberOfCompletedSuboperations) == (0, len(uids))
    assert device.destination.uids == uids


@pytest.mark.requirement("MR-3.3.3.2-01", "MR-3.3.3.6-01")
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("syntax", SYNTAXES)
def test_each_transfer_syntax_of_the_statement(device: QueryDevice, model: str, syntax: str) -> None:
    with associated(device.address, [MOVE[model]], calling="READER", transfer_syntaxes=[syntax]) as association:
        assert association.acceptor.sop_class_extended == {}
        asked = make_identifier(QueryRetrieveLevel="STUDY", **name_study(model, 2))
        statuses = [status.Status for status, _ in association.send_c_move(asked, "STORE", MOVE[model])]
    assert statuses == [0xFF00, 0]
    assert device.destination.uids == ["1.2.2.1.1"]


@pytest.mark.requirement("MR-3.3.3.3-04", "MR-3.3.3.4-04", "MR-3.3.3.3-09", "MR-3.3.3.4-09")
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("title", ["NOBODY", "OM_MR", "store"])
def test_a_destination_that_the_site_does_not_know(device: QueryDevice, model: str, title: str) -> None:
    ((status, _),) = device.move(model, "STUDY", title, **name_study(model))
    assert status.Status == 0xA801
    assert status.ErrorComment


@pytest.mark.requirement("MR-3.3.3.3-08", "MR-3.3.3.4-08", "MR-3.3.3.3-09", "MR-3.3.3.4-09")
@pytest.mark.parametrize("model", MODELS)
def test_an_instance_that_fails_is_named_and_the_others_go_on(device: QueryDevice, model: str) -> None:
    """One is refused by the destination, the file of another is cut off, a third comes with a warning."""
    device.destination.statuses = {"1.2.1.1.2": 0xA900}
    *_, (final, left) = device.move(model, "STUDY", **name_study(model))
    assert (final.Status, list_counts(final)) == (0xB000, (None, 2, 1, 0))
    assert left is not None
    assert left.FailedSOPInstanceUIDList == "1.2.1.1.2"
    assert "A900" in final.ErrorComment
    assert device.destination.uids == ["1.2.1.1.1", "1.2.1.2.1"]

    device.destination.statuses = {"1.2.1.2.1": 0xB000}
    path = device.modality.instance_path("1.2.1.1.1")
    whole = path.read_bytes()
    path.write_bytes(whole[:200])
    try:
        *_, (final, left) = device.move(model, "STUDY", **name_study(model))
    finally:
        path.write_bytes(whole)
    assert (final.Status, list_counts(final)) == (0xB000, (None, 1, 1, 1))
    assert left is not None
    assert left.FailedSOPInstanceUIDList == "1.2.1.1.1"
    assert "damaged" in final.ErrorComment


@pytest.mark.parametrize("model", MODELS)
def test_a_destination_that_cannot_be_reached(device: QueryDevice, model: str) -> None:
    *_, (final, left) = device.move(model, "STUDY", "READER", **name_study(model))
    assert (final.Status, list_counts(final)) == (0xA702, (None, 0, 3, 0))
    assert left is not None
    assert list(left.FailedSOPInstanceUIDList) == FIRST
    assert final.ErrorComment


@pytest.mark.requirement("MR-3.3.3.3-06", "MR-3.3.3.4-06")
@pytest.mark.parametrize("model", MODELS)
def test_a_retrieve_is_cancelled(device: QueryDevice, model: str) -> None:
    device.destination.pause = threading.Event()
    with associated(device.address, [MOVE[model]], calling="READER") as association:
        asked = make_identifier(QueryRetrieveLevel="STUDY", **name_study(model))
        responses = association.send_c_move(asked, "STORE", MOVE[model], msg_id=9)
        association.send_c_cancel(9, query_model=MOVE[model])
        device.destination.pause.set()
        *_, (final, _) = list(responses)
    remaining, completed, failed, _ = list_counts(final)
    assert final.Status == 0xFE00
    assert remaining
    assert (completed, failed) == (3 - remaining, 0)
    assert len(device.destination.uids) < 3


@pytest.mark.requirement("MR-3.3.3.3-05", "MR-3.3.3.4-05", "MR-3.3.3.3-09", "MR-3.3.3.4-09")
@pytest.mark.parametrize("model", MODELS)
def test_what_is_no_identifier_cannot_be_processed(device: QueryDevice, model: str) -> None:
    with associated(device.address, [MOVE[model]], calling="READER", transfer_syntaxes=SYNTAXES[:1]) as association:
        request = C_MOVE()
        request.MessageID, request.AffectedSOPClassUID, request.Priority = 1, MOVE[model], 2
        request.MoveDestination, request.Identifier = "STORE", BytesIO(b"\x08\x00\x52\x00\xff\x00\x00\x00CUT OFF!")
        association._reactor_checkpoint.clear()
        association.dimse.send_msg(request, association.accepted_contexts[0].context_id or 0)
        _, answer = association.dimse.get_msg(block=True)
        association._reactor_checkpoint.set()
    assert answer is not None
    assert answer.Status == 0xC000
    assert answer.ErrorComment


@pytest.mark.requirement("MR-3.3.3.3-03", "MR-3.3.3.4-03")
@pytest.mark.parametrize("model", MODELS)
def test_without_its_database_the_device_is_out_of_resources(device: QueryDevice, model: str) -> None:
    """A701, which the standard has in place of A700 of the statement (DECISIONS MR 8)."""
    database = device.modality._runtime.store.database
    with database.write() as transaction:
        transaction.execute(text("ALTER TABLE studies RENAME TO gone"))
    try:
        ((status, _),) = device.move(model, "STUDY", **name_study(model))
    finally:
        with database.write() as transaction:
            transaction.execute(text("ALTER TABLE gone RENAME TO studies"))
    assert status.Status == 0xA701
    assert status.ErrorComment


def test_an_id_of_two_patients_names_neither(device: QueryDevice) -> None:
    ((status, _),) = device.move("PATIENT", "PATIENT", PatientID="4711")
    assert (status.Status, status.OffendingElement) == (0xC000, 0x00100020)
    assert "several patients" in status.ErrorComment
    assert device.destination.uids == []
    final, _ = device.move("PATIENT", "STUDY", PatientID="4711", StudyInstanceUID="1.2.5")[-1]
    assert (final.Status, device.destination.uids) == (0, ["1.2.5.1.1"])


def test_a_retrieve_waits_for_the_association_that_the_device_has_open(
    device: QueryDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One association at a time (MR-3.1.2-01): the requestor is told that it goes on, and later that it does not."""
    monkeypatch.setattr(retrieve_answers, "_TELL_S", 0.02)
    monkeypatch.setattr(retrieve_answers, "MAX_WAIT_S", 0.1)
    connections = device.modality._runtime.connections
    with connections.take_turn("storage"):
        *pending, (final, _) = device.move("STUDY", "STUDY", **name_study("STUDY"))
    assert {list_counts(status) for status, _ in pending} == {(3, 0, 0, 0)}
    assert (final.Status, list_counts(final)) == (0xA702, (None, 0, 3, 0))
    assert "another association" in final.ErrorComment
    monkeypatch.setattr(retrieve_answers, "MAX_WAIT_S", 20)
    with connections.take_turn("storage"):
        acceptor = device.modality._runtime.acceptors["device"]
        mover = threading.Thread(target=device.move, args=("STUDY", "STUDY"), kwargs=name_study("STUDY"))
        mover.start()
        wait_until(lambda: acceptor.open_associations == 1, what="the association of the requestor")
    mover.join(20)
    assert device.destination.uids == FIRST


def test_images_are_sent_as_the_destination_takes_them(device: QueryDevice) -> None:
    """In the transfer syntax that it accepts, whatever they are stored in."""
    with associated(
        device.address, [MOVE["STUDY"]], [(evt.EVT_C_STORE, lambda event: 0)], calling="READER"
    ) as association:
        asked = make_identifier(QueryRetrieveLevel="STUDY", **name_study("STUDY"))
        assert [status.Status for status, _ in association.send_c_move(asked, "STORE", MOVE["STUDY"])][-1] == 0
    for event in device.destination.stored:
        event.dataset.file_meta = event.file_meta
        assert (event.dataset.Rows, len(event.dataset.PixelData)) == (8, 128)
