"""Each personality as a device meets it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydicom.dataset import FileDataset
from pydicom.uid import generate_uid

from openmodality.errors import (
    AssociationAborted,
    AssociationRejected,
    NoPresentationContext,
    OpenModalityError,
    PeerTimeout,
    TransportError,
)
from openmodality.hospital.commitments import CommitmentState
from openmodality.hospital.hospital import Hospital
from openmodality.hospital.personalities import PERSONALITIES
from openmodality.services.commitment import FAILURES_EXIST
from openmodality.services.verification import echo
from openmodality.services.worklist import WorklistFailed, find_defects
from openmodality.standard.sop_classes import VERIFICATION
from tests import hospital_scu as scu


@pytest.fixture
def hospital(tmp_path: Path) -> Iterator[Hospital]:
    with scu.hospital(tmp_path) as running:
        yield running


def ask(hospital: Hospital, server: str = "pacs", timeout_s: float = 10.0) -> int:
    with scu.associated(hospital.peer(server), VERIFICATION, timeout_s=timeout_s) as association:
        return echo(association)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("refuse-association", (1, 1, 1)),
        ("reject-called-ae", (1, 1, 7)),
        ("reject-calling-ae", (1, 1, 3)),
        ("local-limit", (2, 3, 2)),
        ("congestion", (2, 3, 1)),
    ],
)
@pytest.mark.parametrize("server", ["ris", "pacs", "printer"])
def test_associations_are_rejected(hospital: Hospital, server: str, name: str, expected: tuple[int, ...]) -> None:
    hospital.misbehave(f"{server}:{name}@1")
    with pytest.raises(AssociationRejected) as caught:
        ask(hospital, server)
    assert (caught.value.result, caught.value.source, caught.value.reason) == expected
    assert ask(hospital, server) == 0


def test_no_context_is_accepted(hospital: Hospital) -> None:
    hospital.misbehave("pacs:zero-contexts")
    with pytest.raises(NoPresentationContext):
        ask(hospital)


@pytest.mark.parametrize(
    ("name", "error"), [("hang", PeerTimeout), ("abort", AssociationAborted), ("drop", TransportError)]
)
def test_requests_are_not_answered(hospital: Hospital, name: str, error: type[OpenModalityError]) -> None:
    hospital.misbehave(f"pacs:{name}")
    with pytest.raises(error):
        ask(hospital, timeout_s=0.3)
    hospital.behave(f"pacs:{name}")
    assert ask(hospital) == 0


def test_slow_is_late_but_honest(hospital: Hospital) -> None:
    hospital.misbehave("printer:slow=0.2")
    with pytest.raises(PeerTimeout):
        ask(hospital, "printer", timeout_s=0.05)
    assert ask(hospital, "printer") == 0


def test_a_hang_ends_when_the_hospital_stops(tmp_path: Path) -> None:
    ended: list[Exception] = []

    def wait() -> None:
        try:
            ask(running, timeout_s=60)
        except OpenModalityError as error:
            ended.append(error)

    with scu.hospital(tmp_path) as running:
        running.misbehave("pacs:hang")
        device = threading.Thread(target=wait)
        device.start()
        assert running.wait_for(lambda: any(event.kind == "misbehaved" for event in running.events))
    device.join(10)
    assert not device.is_alive()
    assert len(ended) == 1


@pytest.mark.parametrize(
    ("name", "status", "stored"),
    [
        ("a700", 0xA700, False),
        ("a900", 0xA900, False),
        ("c000", 0xC000, False),
        ("b000", 0xB000, True),
        ("b006", 0xB006, True),
        ("b007", 0xB007, True),
        ("duplicate-0111", 0x0111, True),
    ],
)
def test_the_second_instance_gets_another_status(hospital: Hospital, name: str, status: int, stored: bool) -> None:
    images = scu.images(hospital.ris.items[0], generate_uid(), 3)
    hospital.misbehave(f"pacs:{name}@2")
    assert [result.status for result in scu.store(hospital, *images)] == [0, status, 0]
    assert (images[1].SOPInstanceUID in hospital.pacs.instances) is stored
    assert len(hospital.pacs.instances) == 2 + stored


@pytest.mark.parametrize(
    ("name", "error", "stored"),
    [
        ("abort-mid-transfer", AssociationAborted, False),
        ("drop-mid-transfer", TransportError, False),
        ("store-lost-answer", TransportError, True),
    ],
)
def test_a_transfer_that_breaks_is_an_error(
    hospital: Hospital, name: str, error: type[OpenModalityError], stored: bool
) -> None:
    image = scu.images(hospital.ris.items[0], generate_uid(), 1)[0]
    hospital.misbehave(name)
    with pytest.raises(error):
        scu.store(hospital, image)
    assert hospital.wait_for(lambda: (image.SOPInstanceUID in hospital.pacs.instances) is stored)
    hospital.behave()
    assert scu.store(hospital, image)[0].status == 0


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("mpps-0110", 0x0110),
        ("mpps-0107", 0x0107),
        ("mpps-0116", 0x0116),
        ("mpps-0111", 0x0111),
    ],
)
def test_steps_get_another_status(hospital: Hospital, name: str, status: int) -> None:
    hospital.misbehave(name)
    result = scu.create_step(hospital, scu.step_attributes(hospital.ris.items[0]))
    assert result.status == status
    assert len(hospital.ris.steps) == (name in ("mpps-0107", "mpps-0116"))


def test_another_step_uid_is_assigned(hospital: Hospital) -> None:
    hospital.misbehave("mpps-other-uid")
    uid = generate_uid()
    result = scu.create_step(hospital, scu.step_attributes(hospital.ris.items[0]), uid)
    assert result.sop_instance_uid != uid
    assert [step.sop_instance_uid for step in hospital.ris.steps] == [result.sop_instance_uid]
    assert scu.end_step(hospital, result.sop_instance_uid).status == 0


def test_the_step_uid_may_be_missing_in_the_response(hospital: Hospital) -> None:
    hospital.misbehave("mpps-no-uid")
    uid = generate_uid()
    assert scu.create_step(hospital, scu.step_attributes(hospital.ris.items[0]), uid).status == 0
    assert [step.sop_instance_uid for step in hospital.ris.steps] == [uid]


def test_the_answer_to_a_step_is_lost(hospital: Hospital) -> None:
    hospital.misbehave("mpps-lost-answer@1")
    uid, attributes = generate_uid(), scu.step_attributes(hospital.ris.items[0])
    with pytest.raises(TransportError):
        scu.create_step(hospital, attributes, uid)
    assert scu.create_step(hospital, attributes, uid).status == 0x0111


@pytest.mark.parametrize(
    ("name", "request_it"),
    [
        ("worklist-hang", lambda at: scu.query(at, timeout_s=0.3)),
        ("worklist-stall", lambda at: scu.query(at, timeout_s=0.3)),
        ("mpps-hang", lambda at: scu.create_step(at, scu.step_attributes(at.ris.items[0]), timeout_s=0.3)),
        ("store-hang", lambda at: scu.store(at, *scu.images(at.ris.items[0], "1.2", 1), timeout_s=0.3)),
        (
            "commit-hang",
            lambda at: scu.request_commitment(
                at, scu.Transactions(), scu.images(at.ris.items[0], "1.2", 1), timeout_s=0.3
            ),
        ),
    ],
)
def test_one_kind_of_request_hangs(hospital: Hospital, name: str, request_it: Callable[[Hospital], object]) -> None:
    hospital.misbehave(name)
    with pytest.raises(PeerTimeout):
        request_it(hospital)
    assert ask(hospital, "ris") == 0


@pytest.mark.parametrize(("name", "status"), [("a700", 0xA700), ("a900", 0xA900), ("c000", 0xC000)])
def test_the_worklist_is_refused(hospital: Hospital, name: str, status: int) -> None:
    hospital.misbehave(f"worklist-{name}")
    with pytest.raises(WorklistFailed) as caught:
        scu.query(hospital)
    assert caught.value.status == status


def test_optional_keys_are_not_supported(hospital: Hospital) -> None:
    hospital.misbehave("worklist-ff01")
    assert scu.query(hospital).optional_keys_unsupported


def test_an_identifier_with_the_final_response_is_ignored(hospital: Hospital) -> None:
    hospital.misbehave("worklist-leftover")
    assert len(scu.query(hospital).items) == 12


@pytest.mark.parametrize("is_known", [True, False])
def test_items_without_end(hospital: Hospital, is_known: bool) -> None:
    hospital.misbehave("worklist-endless")
    answer = scu.query(hospital, modality="MR" if is_known else "US", limit=3)
    assert answer.must_abort
    assert len(answer.items) == 3


@pytest.mark.parametrize(
    ("name", "finding"),
    [
        ("no-step", "(0040,0100) ScheduledProcedureStepSequence: no item"),
        ("several-steps", "(0040,0100) ScheduledProcedureStepSequence: 2 items where one is allowed"),
        ("no-study-uid", "(0020,000D) StudyInstanceUID: missing"),
    ],
)
def test_items_are_defective(hospital: Hospital, name: str, finding: str) -> None:
    hospital.misbehave(f"worklist-{name}")
    found = scu.query(hospital).items
    assert len(found) == 12
    assert all(finding in map(str, find_defects(item)) for item in found)


def test_items_come_without_character_set(hospital: Hospital) -> None:
    hospital.misbehave("worklist-no-charset")
    found = scu.query(hospital, modality="RF").items
    assert len(found) == 6
    assert not any("SpecificCharacterSet" in item for item in found)
    names = "\n".join(str(item.PatientName) for item in found)
    assert "王^小明".encode("gb18030") in names.encode("latin-1"), (
        "the bytes are as they were, and nothing says what they are"
    )


# Storage commitment


@pytest.fixture
def stored(hospital: Hospital) -> list[FileDataset]:
    images = scu.images(hospital.ris.items[0], generate_uid())
    scu.store(hospital, *images)
    return images


def state_is(hospital: Hospital, state: CommitmentState) -> bool:
    return hospital.wait_for(lambda: [each.state for each in hospital.pacs.commitments] == [state])


def test_the_result_comes_before_the_response(hospital: Hospital, stored: list[FileDataset]) -> None:
    hospital.misbehave("commit-early")
    transactions = scu.Transactions()
    assert scu.request_commitment(hospital, transactions, stored).status == 0
    assert len(transactions.results) == 1
    assert state_is(hospital, CommitmentState.REPORTED)


def test_the_result_comes_on_the_same_association(hospital: Hospital, stored: list[FileDataset]) -> None:
    hospital.misbehave("commit-same-association")
    transactions = scu.Transactions()
    assert scu.request_commitment(hospital, transactions, stored, stay_s=10).status == 0
    assert len(transactions.results[0].committed) == 2
    assert state_is(hospital, CommitmentState.REPORTED)


def test_a_device_that_hangs_up_gets_its_result_on_a_new_association(
    hospital: Hospital, stored: list[FileDataset]
) -> None:
    hospital.misbehave("commit-same-association")
    transactions = scu.Transactions()
    with scu.listening(transactions) as port:
        hospital.peers[scu.DEVICE] = ("127.0.0.1", port)
        scu.request_commitment(hospital, transactions, stored)
        assert state_is(hospital, CommitmentState.REPORTED)
    assert len(transactions.results) == 1


def test_a_failed_instance_is_reported(hospital: Hospital, stored: list[FileDataset]) -> None:
    hospital.misbehave("commit-failures@1", "commit-early")
    transactions = scu.Transactions()
    for _ in range(2):
        scu.request_commitment(hospital, transactions, stored)
    first, second = transactions.results
    assert (len(first.committed), len(first.failed)) == (1, 1)
    assert (len(second.committed), len(second.failed)) == (2, 0)
    assert FAILURES_EXIST == 2


def test_no_result_ever(hospital: Hospital, stored: list[FileDataset]) -> None:
    hospital.misbehave("commit-never")
    transactions = scu.Transactions()
    with scu.listening(transactions) as port:
        hospital.peers[scu.DEVICE] = ("127.0.0.1", port)
        assert scu.request_commitment(hospital, transactions, stored).status == 0
        assert state_is(hospital, CommitmentState.WITHHELD)
    assert transactions.results == []


def test_an_unknown_transaction(hospital: Hospital, stored: list[FileDataset]) -> None:
    hospital.misbehave("commit-unknown")
    transactions = scu.Transactions()
    with scu.listening(transactions) as port:
        hospital.peers[scu.DEVICE] = ("127.0.0.1", port)
        scu.request_commitment(hospital, transactions, stored)
        assert state_is(hospital, CommitmentState.REFUSED)
    assert hospital.pacs.commitments[0].status == 0x0211
    assert transactions.results == []
    assert not any("commitment" in complaint.text for complaint in hospital.complaints)


@pytest.mark.parametrize(("name", "reports"), [("commit-twice", 2), ("commit-no-role", 1), ("commit-late=0.01", 1)])
def test_ways_to_report(hospital: Hospital, stored: list[FileDataset], name: str, reports: int) -> None:
    hospital.misbehave(name)
    transactions = scu.Transactions()
    with scu.listening(transactions) as port:
        hospital.peers[scu.DEVICE] = ("127.0.0.1", port)
        scu.request_commitment(hospital, transactions, stored)
        assert state_is(hospital, CommitmentState.REPORTED)
    assert len(transactions.results) == 1
    assert transactions.reports == reports


@pytest.mark.parametrize(("name", "status"), [("commit-refused", 0x0110), ("commit-busy", 0x0213)])
def test_requests_for_commitment_are_refused(
    hospital: Hospital, stored: list[FileDataset], name: str, status: int
) -> None:
    hospital.misbehave(name)
    assert scu.request_commitment(hospital, scu.Transactions(), stored).status == status
    assert hospital.pacs.commitments == []


def test_what_is_on_and_off(hospital: Hospital) -> None:
    hospital.misbehave("pacs:a700@5", "ris:hang")
    assert hospital.misbehaviour == ["pacs:a700@5", "ris:hang"]
    hospital.behave("ris:hang")
    assert hospital.misbehaviour == ["pacs:a700@5"]
    hospital.behave()
    assert hospital.misbehaviour == []


def test_every_personality_is_tested_here() -> None:
    """Those of STOW-RS and of the audit repository are tested with what is sent there."""
    tests = Path(__file__).parent.parent
    texts = (
        Path(__file__),
        tests / "integration" / "activities" / "test_stow.py",
        tests / "integration/activities/test_audit_delivery.py",
    )
    text = "".join(path.read_text(encoding="utf-8") for path in texts)
    of_others = [name for name, each in PERSONALITIES.items() if each.servers != ("printer",)]
    assert [name for name in of_others if name not in text and name.removeprefix("worklist-") not in text] == []
