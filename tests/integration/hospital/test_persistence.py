"""What the hospital has got is there after a restart; documents are replaced as a whole; what is due is done."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from pydicom.uid import generate_uid

from openmodality.errors import StoreError
from openmodality.hospital.addresses import DEVICES, AddressBook
from openmodality.hospital.agenda import Agenda
from openmodality.hospital.commitments import CommitmentState
from openmodality.hospital.items import ItemState
from openmodality.hospital.journal import Journal
from openmodality.hospital.json_documents import Documents
from tests import hospital_scu as scu


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    transactions, uid = scu.Transactions(), generate_uid()
    with scu.hospital(tmp_path) as hospital:
        item = hospital.ris.items[1]
        scu.create_step(hospital, scu.step_attributes(item), uid)
        images = scu.images(item, uid)
        scu.store(hospital, *images)
        hospital.ris.change_patient(hospital.ris.items[0].patient_id, PatientName="Changed^Name")
        scu.store(hospital, *scu.images(hospital.ris.items[0], "1.2.3", 1))
        scu.request_commitment(hospital, transactions, images)
        assert hospital.wait_for(lambda: hospital.pacs.commitments[0].attempts > 0)
        complaints = [complaint.text for complaint in hospital.complaints]
        assert len(complaints) == 1
    with scu.listening(transactions) as port, scu.hospital(tmp_path, OM_MR=port) as again:
        assert again.ris.items[0].patient_name == "Changed^Name"
        assert again.ris.items[1].patient_name == item.patient_name
        assert again.ris.items[1].state is ItemState.IN_PROGRESS
        assert [step.sop_instance_uid for step in again.ris.steps] == [uid]
        assert {image.SOPInstanceUID for image in images} <= set(again.pacs.instances)
        assert [complaint.text for complaint in again.complaints] == complaints
        assert again.wait_for(lambda: again.pacs.commitments[0].state is CommitmentState.REPORTED)
    assert len(transactions.results[0].committed) == 2


def test_a_second_hospital_on_one_folder_is_refused(tmp_path: Path) -> None:
    with scu.hospital(tmp_path):
        with pytest.raises(StoreError, match="another hospital uses the folder") as refused, scu.hospital(tmp_path):
            pass
        assert "--data DIR" in refused.value.advice
    with scu.hospital(tmp_path):
        pass  # the lock of the one that has ended is free


def test_what_it_keeps_of_patients_is_its_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "hospital"
    folder.mkdir(mode=0o755)
    with scu.hospital(folder) as hospital:
        scu.create_step(hospital, scu.step_attributes(hospital.ris.items[0]), generate_uid())
        scu.store(hospital, *scu.images(hospital.ris.items[0], "1.2.3", 1))
        hospital.ris.change_patient(hospital.ris.items[0].patient_id, PatientName="Changed^Name")
        assert folder.stat().st_mode & 0o777 == 0o700
        kept = [*folder.glob("*.json*"), *folder.glob("ris/**/*.json")]
        assert {path.name for path in kept} >= {"schedule.json", "complaints.jsonl"}
        assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}
        assert len(kept) >= 4


def test_a_device_that_comes_later_gets_its_result_at_once(tmp_path: Path) -> None:
    transactions = scu.Transactions()
    with scu.hospital(tmp_path, retry_s=3600) as hospital, scu.listening(transactions) as port:
        images = scu.images(hospital.ris.items[0], generate_uid(), 1)
        scu.request_commitment(hospital, transactions, images)
        assert hospital.wait_for(lambda: "has no OM_MR" in hospital.pacs.commitments[0].last_error)
        hospital.peers[scu.DEVICE] = ("127.0.0.1", port)
        assert hospital.wait_for(lambda: hospital.pacs.commitments[0].state is CommitmentState.REPORTED)


def test_a_transaction_uid_is_used_once(tmp_path: Path) -> None:
    transactions = scu.Transactions()
    with scu.hospital(tmp_path) as hospital:
        images = scu.images(hospital.ris.items[0], generate_uid(), 1)
        uid = generate_uid()
        first, second = (scu.request_commitment(hospital, transactions, images, uid=uid) for _ in range(2))
    assert (first.status, second.status) == (0x0000, 0x0210)


def test_a_document_replaces_the_one_of_its_name(tmp_path: Path) -> None:
    documents = Documents(tmp_path)
    documents.save("one", {"a": 1})
    documents.save("one", {"a": 2})
    documents.save("two", {"name": "山田"})
    (tmp_path / "one.0.tmp").write_text("{")
    assert Documents(tmp_path).load() == {"one": {"a": 2}, "two": {"name": "山田"}}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.json", "two.json"]


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_damaged_document_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "one.json").write_text(text)
    with pytest.raises(StoreError, match=r"one\.json"):
        Documents(tmp_path).load()


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError):
        Documents(tmp_path / "file" / "folder")


def test_complaints_survive_a_cut_line(tmp_path: Path) -> None:
    file = tmp_path / "complaints.jsonl"
    Journal(file, lambda: scu.NOON).complain("RIS", "something is wrong", step="1.2")
    with file.open("a") as stream:
        stream.write('{"time": "2026')
    (complaint,) = Journal(file, lambda: scu.NOON).complaints
    assert complaint.as_dict() == json.loads(file.read_text().splitlines()[0])


def test_waiting_ends_without_an_event(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "complaints.jsonl", lambda: scu.NOON)
    assert not journal.wait_for(lambda: False, timeout_s=0.01)
    assert journal.wait_for(lambda: True, timeout_s=0)


def test_the_agenda_tries_until_it_is_done() -> None:
    tried: list[str] = []
    done = threading.Event()

    def perform(key: str) -> float | None:
        tried.append(key)
        if key == "broken":
            raise ValueError
        if tried.count(key) < 3:
            return 0.0
        done.set()
        return None

    agenda = Agenda(perform, "test")
    agenda.plan("broken", 0)
    agenda.plan("later", 3600)
    agenda.start()
    agenda.hurry()
    assert done.wait(10)
    agenda.stop()
    assert sorted(tried) == ["broken", "later", "later", "later"]


def test_the_address_book() -> None:
    changes: list[int] = []
    book = AddressBook(DEVICES)
    book.changed = lambda: changes.append(len(book))
    book["NEW"] = ("host", 104)
    remote = book.find("NEW ")
    assert remote is not None
    assert str(remote) == "NEW@host:104"
    del book["NEW"]
    assert book.find("NEW") is None
    assert changes == [len(DEVICES) + 1]
    assert set(book) == set(DEVICES)
