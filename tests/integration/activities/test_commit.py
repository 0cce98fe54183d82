"""Commit jobs against an archive that reports as it is told (R/F 4.2.2, DECISIONS 10 to 12)."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, time

import pytest

from openmodality import Modality
from openmodality.errors import AssociationRejected
from openmodality.jobs.job import Job
from openmodality.jobs.outcome import Continue, Done, JobOutcome
from openmodality.jobs.queue import Queue
from openmodality.network.association import Association
from openmodality.network.entity import LocalAE
from openmodality.network.requestor import associate
from openmodality.services.commitment import (
    CommitmentRequest,
    CommitmentResult,
    Failure,
    Reference,
    request_commitment,
    send_report,
)
from openmodality.standard.sop_classes import STORAGE_COMMITMENT_PUSH_MODEL
from openmodality.store.database import open_database
from openmodality.store.states import InstanceResult, JobKind, JobState
from openmodality.upper_layer.negotiation import ContextProposal
from tests.devices import Device, add_image, device_in_hospital
from tests.peers.process import wait_until
from tests.stand_in import Hospital, commit_what_is_there

AUTOMATIC = "automatic_commitment = true"


@dataclass
class Clock:
    """The time of day, and what was added to it."""

    ahead_s: float = 0.0

    def __call__(self) -> float:
        return time() + self.ahead_s


@contextmanager
def one_image(device: Device, clock: Clock | None = None) -> Iterator[tuple[Modality, str]]:
    """A serving device that has made one image."""
    with Modality(device.site, clock=clock or time) as modality:
        modality.serve()
        with modality.exam(patient={"PatientID": "1"}) as exam:
            uid = add_image(exam.series("T1", ProtocolName="T1"))
        yield modality, uid


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that can be set, which the worker notices at once."""
    monkeypatch.setattr("openmodality.jobs.worker._LOOK_S", 0.05)
    return Clock()


def stored_uids(device: Device) -> list[str]:
    return [arrival.request.identity.sop_instance_uid for arrival in device.hospital.stored]


def get_commit(modality: Modality) -> Job:
    """The newest commit job."""
    return modality.jobs.list(kinds=[JobKind.COMMIT])[0]


def commit_states(modality: Modality) -> list[JobState]:
    return [job.state for job in reversed(modality.jobs.list(kinds=[JobKind.COMMIT]))]


@dataclass
class Decisions:
    """What the archive does with each request; ``seen`` are the requests."""

    seen: list[CommitmentRequest] = field(default_factory=list)
    fails: int = 0
    reason: int = 0x0110
    when: str = "new"

    def __call__(self, hospital: Hospital, request: CommitmentRequest) -> tuple[str, CommitmentResult]:
        self.seen.append(request)
        if len(self.seen) <= self.fails:
            failed = tuple(Failure(reference, self.reason) for reference in request.references)
            return self.when, CommitmentResult(request.transaction_uid, (), failed)
        return self.when, commit_what_is_there(hospital, request)[1]


@pytest.mark.requirement(
    "RF-4.2.2.3.1.1-01", "RF-4.2.2.3.1.1-03", "RF-4.2.2.4.1.1-01", "RF-4.2.2.4.1.1-02", "RF-4.2.2.4.1.3.1-03",
    "RF-4.1.1-02", "RF-4.1.1-03", "RF-4.1.2.1-04", "RF-4.1.2.2-01", "RF-4.1.2.2-02", "MR-3.3.5.1-01",
    "MR-3.3.5.3.1-01", "MR-3.3.5.3.1-02", "MR-3.2.4.1-01", "MR-2.1.1-07",
)  # fmt: skip
@pytest.mark.parametrize("profile", ["mr", "rf"])
@pytest.mark.parametrize("role", [True, False])
def test_committed_on_another_association(tmp_path: Path, profile: str, role: bool) -> None:
    with device_in_hospital(tmp_path, profile, peer=AUTOMATIC) as device:
        device.hospital.with_role_selection = role
        with one_image(device) as (modality, _):
            assert modality.wait_until_idle(10)
            assert commit_states(modality) == [JobState.DONE]
            wait_until(lambda: device.hospital.reports == [0])
            (instance,) = modality.instances()
            assert instance.committed == 1


def test_role_selection_may_be_demanded(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr", peer=AUTOMATIC + "\nrole_selection_required = true") as device:
        device.hospital.with_role_selection = False
        with one_image(device) as (modality, _):
            wait_until(lambda: device.hospital.reports == [-1])
            assert modality.wait_until(lambda: commit_states(modality) == [JobState.WAITING], 10)


@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_committed_on_the_same_association(tmp_path: Path, profile: str) -> None:
    peer = AUTOMATIC + "\ncommitment_same_association = true"
    with device_in_hospital(tmp_path, profile, peer=peer) as device:
        device.hospital.decide_commitment = Decisions(when="same")
        with one_image(device) as (modality, _):
            assert modality.wait_until_idle(10)
            assert commit_states(modality) == [JobState.DONE]


@pytest.mark.requirement("RF-4.2.2.4.1.3.1-02")
def test_what_is_not_committed_is_sent_and_asked_for_again(tmp_path: Path, clock: Clock) -> None:
    with device_in_hospital(tmp_path, "rf", peer=AUTOMATIC) as device:
        device.hospital.decide_commitment = decisions = Decisions(fails=1)
        with one_image(device, clock) as (modality, uid):
            assert modality.wait_until(lambda: commit_states(modality) == [JobState.DONE, JobState.TODO], 10)
            assert stored_uids(device) == [uid], "not before the delay of send jobs is over"
            clock.ahead_s += 301
            assert modality.wait_until_idle(10)
            assert commit_states(modality) == [JobState.DONE, JobState.DONE]
            first, second = reversed(modality.jobs.list(kinds=[JobKind.COMMIT]))
            assert "0110" in first.reason
            assert first.reason.endswith("; it is sent again, and asked for again by another job")
            assert [each.result for each in modality.jobs.show(first.id).instances] == [InstanceResult.FAILURE]
            assert [each.result for each in modality.jobs.show(second.id).instances] == [InstanceResult.SUCCESS]
            assert stored_uids(device) == [uid, uid]
            assert len({request.transaction_uid for request in decisions.seen}) == 2


def test_what_fails_although_it_was_sent_again_waits_for_a_person(tmp_path: Path, clock: Clock) -> None:
    with device_in_hospital(tmp_path, "rf", peer=AUTOMATIC) as device:
        device.hospital.decide_commitment = decisions = Decisions(fails=2)
        with one_image(device, clock) as (modality, uid):
            assert modality.wait_until(lambda: commit_states(modality) == [JobState.DONE, JobState.TODO], 10)
            clock.ahead_s += 301
            assert modality.wait_until(lambda: commit_states(modality) == [JobState.DONE, JobState.FAILED], 10)
            assert (len(decisions.seen), stored_uids(device)) == (2, [uid, uid])
            assert ", although it was sent again; " in get_commit(modality).reason
            modality.jobs.retry(get_commit(modality).id)
            assert modality.wait_until_idle(10)
            assert commit_states(modality) == [JobState.DONE, JobState.DONE]


def test_what_the_archive_has_not_indexed_yet_is_asked_for_again_before_it_is_sent_again(
    tmp_path: Path, clock: Clock
) -> None:
    with device_in_hospital(tmp_path, "mr", peer=AUTOMATIC) as device:
        device.hospital.decide_commitment = decisions = Decisions(fails=2, reason=0x0112)
        with one_image(device, clock) as (modality, uid):
            for asked, delay_s in ((1, 300), (2, 600)):
                assert modality.wait_until(lambda: "to index" in get_commit(modality).waiting_for, 30)
                waits = get_commit(modality)
                assert waits.due_at == pytest.approx(clock() + delay_s, abs=10)
                assert len(decisions.seen) == asked
                clock.ahead_s += delay_s + 1
                assert modality.wait_until(lambda asked=asked: len(decisions.seen) > asked, 30)  # type: ignore[misc]
            assert modality.wait_until_idle(30)
            assert commit_states(modality) == [JobState.DONE]
            assert stored_uids(device) == [uid]
            assert len({request.transaction_uid for request in decisions.seen}) == 3


def test_a_job_that_is_woken_too_early_goes_on_waiting(tmp_path: Path, clock: Clock) -> None:
    """As by a report that came while its job settled it."""
    with device_in_hospital(tmp_path, "mr", peer=AUTOMATIC) as device:
        device.hospital.decide_commitment = decisions = Decisions(fails=9, reason=0x0112)
        with one_image(device, clock) as (modality, _):
            assert modality.wait_until(lambda: get_commit(modality).state is JobState.WAITING, 30)
            assert modality.wait_until(lambda: "to index" in get_commit(modality).waiting_for, 30)
            waits = get_commit(modality)
            queue = Queue(open_database(f"sqlite:///{tmp_path / 'data' / 'openmodality.db'}", clock=clock))
            with queue.database.write() as transaction:
                queue.wake(transaction, waits.id)
            queue.database.close()

            def has_run_again() -> bool:
                return [each.state for each in modality.jobs.show(waits.id).history][-3:] == [
                    "todo",
                    "doing",
                    "waiting",
                ]

            assert modality.wait_until(has_run_again, 30)
            assert (get_commit(modality).due_at, len(decisions.seen)) == (waits.due_at, 1)


def test_what_the_archive_never_indexes_is_sent_again_once(tmp_path: Path, clock: Clock) -> None:
    with device_in_hospital(tmp_path, "mr", peer=AUTOMATIC) as device:
        device.hospital.decide_commitment = decisions = Decisions(fails=4, reason=0x0112)
        with one_image(device, clock) as (modality, uid):
            for delay_s in (300, 600, 1200):
                assert modality.wait_until(lambda: "to index" in get_commit(modality).waiting_for, 30)
                seen = len(decisions.seen)
                clock.ahead_s += delay_s + 1
                assert modality.wait_until(lambda seen=seen: len(decisions.seen) > seen, 30)  # type: ignore[misc]
            assert modality.wait_until(lambda: commit_states(modality) == [JobState.DONE, JobState.TODO], 30)
            clock.ahead_s += 301
            assert modality.wait_until_idle(30)
            assert (len(decisions.seen), stored_uids(device)) == (5, [uid, uid])


def test_a_lost_report_is_asked_for_anew_by_hand(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "rf", peer=AUTOMATIC) as device:
        device.hospital.decide_commitment = decisions = Decisions(when="never")
        with one_image(device) as (modality, _):
            assert modality.wait_until(lambda: commit_states(modality) == [JobState.WAITING], 10)
            job = get_commit(modality)
            address = f"HOSPITAL must call ADR_S_COMM_SCU at 127.0.0.1:{device.port}"
            assert job.waiting_for == f"hospital to report on 1 request for storage commitment: {address}"
            decisions.when = "new"
            modality.jobs.retry(job.id)
            assert modality.wait_until_idle(10)
            assert commit_states(modality) == [JobState.DONE]
            assert len({request.transaction_uid for request in decisions.seen}) == 2


def test_a_lost_report_is_asked_for_anew_where_the_site_says_so(tmp_path: Path, clock: Clock) -> None:
    more = "[parameters.storage_commitment]\nask_again_min = 10"
    with device_in_hospital(tmp_path, "rf", peer=AUTOMATIC, more=more) as device:
        device.hospital.decide_commitment = decisions = Decisions(when="never")
        with one_image(device, clock) as (modality, _):
            assert modality.wait_until(lambda: commit_states(modality) == [JobState.WAITING], 10)
            decisions.when = "new"
            assert get_commit(modality).due_at == pytest.approx(clock() + 600, abs=30)
            clock.ahead_s += 601
            assert modality.wait_until_idle(10)
            assert commit_states(modality) == [JobState.DONE]
            assert len({request.transaction_uid for request in decisions.seen}) == 2


def test_lost_reports_use_up_no_attempt_for_what_is_not_indexed_yet(tmp_path: Path, clock: Clock) -> None:
    more = "[parameters.storage_commitment]\nask_again_min = 10"
    with device_in_hospital(tmp_path, "mr", peer=AUTOMATIC, more=more) as device:
        device.hospital.decide_commitment = decisions = Decisions(fails=9, reason=0x0112, when="never")
        with one_image(device, clock) as (modality, uid):
            for asked in (1, 2):
                assert modality.wait_until(lambda asked=asked: len(decisions.seen) == asked, 30)  # type: ignore[misc]
                assert modality.wait_until(lambda: "to report on" in get_commit(modality).waiting_for, 30)
                decisions.when = "never" if asked == 1 else "new"
                clock.ahead_s += 601
            for asked, delay_s in ((3, 300), (4, 600), (5, 1200)):
                assert modality.wait_until(lambda asked=asked: len(decisions.seen) == asked, 30)  # type: ignore[misc]
                assert modality.wait_until(lambda: "to index" in get_commit(modality).waiting_for, 30)
                assert get_commit(modality).due_at == pytest.approx(clock() + delay_s, abs=10)
                clock.ahead_s += delay_s + 1
            assert modality.wait_until(lambda: commit_states(modality) == [JobState.DONE, JobState.TODO], 30)
            assert (len(decisions.seen), stored_uids(device)) == (6, [uid])


@pytest.mark.requirement("RF-4.4.2-16")
def test_a_report_on_a_request_that_was_asked_anew_still_counts(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "rf", peer=AUTOMATIC) as device:
        device.hospital.decide_commitment = decisions = Decisions(when="never")
        with one_image(device) as (modality, _):
            assert modality.wait_until(lambda: commit_states(modality) == [JobState.WAITING], 10)
            modality.jobs.retry(get_commit(modality).id)
            assert modality.wait_until(lambda: len(decisions.seen) == 2, 10)
            assert modality.wait_until(lambda: commit_states(modality) == [JobState.WAITING], 10)
            assert send_reports(device, commit_what_is_there(device.hospital, decisions.seen[0])[1]) == [0]
            assert modality.wait_until(lambda: commit_states(modality) == [JobState.DONE], 10)


@pytest.mark.parametrize("name", ["name", "ae_title"])
def test_a_report_is_taken_although_the_peer_was_renamed(tmp_path: Path, name: str) -> None:
    old, new = {"name": ("[peers.hospital]", "[peers.archive]"), "ae_title": ("HOSPITAL", "ARCHIVE")}[name]
    with device_in_hospital(tmp_path, "mr", peer=AUTOMATIC) as device:
        device.hospital.decide_commitment = decisions = Decisions(when="never")
        with one_image(device) as (modality, _):
            assert modality.wait_until(lambda: commit_states(modality) == [JobState.WAITING], 10)
        device.site.write_text(device.site.read_text("utf-8").replace(old, new), "utf-8")
        with Modality(device.site) as modality:
            modality.serve()
            report = commit_what_is_there(device.hospital, decisions.seen[0])[1]
            calling = "HOSPITAL" if name == "name" else "ARCHIVE"
            assert send_reports(device, report, calling=calling) == [0]
            assert modality.wait_until(lambda: commit_states(modality) == [JobState.DONE], 10)


def test_a_job_whose_peer_is_gone_goes_to_another(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr", peer=AUTOMATIC) as device:
        device.hospital.store_status = lambda request: 0xA700
        with one_image(device) as (modality, uid):
            assert modality.wait_until(lambda: any(job.attempts for job in modality.jobs.list()), 10)
        device.hospital.store_status = lambda request: 0
        text = device.site.read_text("utf-8")
        device.site.write_text(text.replace("[peers.hospital]", "[peers.archive]"), "utf-8")
        with Modality(device.site) as modality:
            modality.serve()
            (send,) = modality.jobs.list(kinds=[JobKind.SEND])
            modality.jobs.retry(send.id)
            assert modality.wait_until(lambda: modality.jobs.show(send.id).job.state is JobState.FAILED, 10)
            reason = modality.jobs.show(send.id).job.reason
            assert reason.endswith(f"openmodality jobs retry {send.id} --peer NAME gives the job to another")
            modality.jobs.retry(send.id, "archive")
            assert modality.wait_until_idle(10)
            assert {job.state for job in modality.jobs.list(destination="archive")} == {JobState.DONE}
            assert stored_uids(device) == [uid]


def test_a_job_says_that_a_report_of_somebody_else_was_refused(tmp_path: Path) -> None:
    more = '[peers.other]\nae_title = "OTHER"\nhost = "127.0.0.1"\nport = 9\nservices = ["storage_commitment"]'
    with device_in_hospital(tmp_path, "mr", peer=AUTOMATIC, more=more) as device:
        device.hospital.decide_commitment = decisions = Decisions(when="never")
        with one_image(device) as (modality, _):
            assert modality.wait_until(lambda: commit_states(modality) == [JobState.WAITING], 10)
            report = commit_what_is_there(device.hospital, decisions.seen[0])[1]
            assert send_reports(device, report, calling="OTHER") == [0x0211]
            assert "came under the AE title OTHER and was refused" in get_commit(modality).waiting_for


@pytest.mark.requirement("RF-4.4.2-17", "RF-4.2.2.4.1.1-03")
def test_a_second_association_is_held_and_then_told_of_the_limit(tmp_path: Path) -> None:
    more = "[parameters.storage_commitment]\nhold_s = 1"
    with device_in_hospital(tmp_path, "rf", peer=AUTOMATIC, more=more) as device:
        device.hospital.decide_commitment = decisions = Decisions(when="never")
        with one_image(device) as (modality, _):
            assert modality.wait_until(lambda: commit_states(modality) == [JobState.WAITING], 10)
            report = commit_what_is_there(device.hospital, decisions.seen[0])[1]
            with open_for_reports(device):
                began = monotonic()
                with pytest.raises(AssociationRejected) as caught:
                    send_reports(device, report)
                assert monotonic() - began >= 1
            assert (caught.value.result, caught.value.source, caught.value.reason) == (2, 3, 2)
            said = get_commit(modality)
            assert "an association of HOSPITAL was rejected" in said.waiting_for
            assert f"openmodality jobs retry {said.id} asks anew" in said.waiting_for


def test_a_second_association_is_taken_when_the_first_ends_in_time(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "rf", peer=AUTOMATIC) as device:
        device.hospital.decide_commitment = decisions = Decisions(when="never")
        with one_image(device) as (modality, _):
            assert modality.wait_until(lambda: commit_states(modality) == [JobState.WAITING], 10)
            report = commit_what_is_there(device.hospital, decisions.seen[0])[1]
            first = open_for_reports(device)
            threading.Timer(0.5, first.release).start()
            assert send_reports(device, report) == [0]
            assert modality.wait_until(lambda: commit_states(modality) == [JobState.DONE], 10)


def test_a_job_that_died_before_it_ended_sends_again_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    """What follows from a report is queued in the transaction that ends the job: a lost run leaves nothing."""
    finish = Queue.finish
    lost: list[JobOutcome] = []

    def dies_once(queue: Queue, job_id: int, outcome: JobOutcome, worker: str = "") -> Job:
        if isinstance(outcome, Done) and "0110" in outcome.comment and not lost:
            lost.append(outcome)
            outcome = Continue()
        return finish(queue, job_id, outcome, worker)

    monkeypatch.setattr(Queue, "finish", dies_once)
    with device_in_hospital(tmp_path, "mr", peer=AUTOMATIC) as device:
        device.hospital.decide_commitment = decisions = Decisions(fails=1)
        with one_image(device, clock) as (modality, uid):
            assert modality.wait_until(lambda: commit_states(modality) == [JobState.DONE, JobState.TODO], 10)
            clock.ahead_s += 301
            assert modality.wait_until_idle(10)
            assert len(lost) == 1
            assert len(decisions.seen) == 2
            assert commit_states(modality) == [JobState.DONE, JobState.DONE]
            assert stored_uids(device) == [uid, uid]


def test_the_transaction_is_on_record_before_it_is_sent(tmp_path: Path) -> None:
    known: list[bool] = []
    with device_in_hospital(tmp_path, "mr", peer=AUTOMATIC) as device:

        def decide(hospital: Hospital, request: CommitmentRequest) -> tuple[str, CommitmentResult]:
            with closing(sqlite3.connect(tmp_path / "data" / "openmodality.db")) as connection:
                rows = connection.execute("select TransactionUID from commitments").fetchall()
            known.append((request.transaction_uid,) in rows)
            return commit_what_is_there(hospital, request)

        device.hospital.decide_commitment = decide
        with one_image(device) as (modality, _):
            assert modality.wait_until_idle(10)
    assert known == [True]


@pytest.mark.requirement("RF-4.2.2.3.1.3.1-02", "RF-4.2.2.4.1.3.1-05", "RF-4.2.2.4.1.3.1-04", "RF-4.4.2-16")
def test_no_answer_in_time_and_then_a_late_one(tmp_path: Path, clock: Clock) -> None:
    more = "[parameters.storage_commitment]\nnotification_timeout_h = 1\nretries = 0"
    with device_in_hospital(tmp_path, "rf", peer=AUTOMATIC, more=more) as device:
        device.hospital.decide_commitment = decisions = Decisions(when="never")
        with one_image(device, clock) as (modality, _):
            assert modality.wait_until(lambda: commit_states(modality) == [JobState.WAITING], 10)
            (job,) = modality.jobs.list(kinds=[JobKind.COMMIT])
            assert job.due_at == pytest.approx(clock() + 3600, abs=30)
            clock.ahead_s = 3700
            assert modality.wait_until(lambda: commit_states(modality) == [JobState.FAILED], 10)
            assert "no notification came in time" in modality.jobs.show(job.id).job.reason
            late = commit_what_is_there(device.hospital, decisions.seen[0])[1]
            unknown = CommitmentResult("2.25.1", (Reference("1.2.3", "1.2.3.4"),))
            assert send_reports(device, late, unknown) == [0x0213, 0x0211]


@pytest.mark.requirement("MR-3.2.4.3.1-03")
def test_an_answer_is_taken_years_later_where_no_limit_is_set(tmp_path: Path, clock: Clock) -> None:
    with device_in_hospital(tmp_path, "mr", peer=AUTOMATIC) as device:
        device.hospital.decide_commitment = decisions = Decisions(when="never")
        with one_image(device, clock) as (modality, _):
            assert modality.wait_until(lambda: commit_states(modality) == [JobState.WAITING], 10)
            clock.ahead_s = 10 * 365 * 86400
            assert not modality.wait_until(lambda: commit_states(modality) != [JobState.WAITING], 1)
            assert len(decisions.seen) == 1
            assert send_reports(device, commit_what_is_there(device.hospital, decisions.seen[0])[1]) == [0]
            assert modality.wait_until(lambda: commit_states(modality) == [JobState.DONE], 10)
            (instance,) = modality.instances()
            assert instance.committed == 1


@pytest.mark.requirement("RF-4.2.2.1-01")
@pytest.mark.parametrize("profile", ["mr", "rf"])
def test_nobody_may_ask_the_device_to_commit_itself(tmp_path: Path, profile: str) -> None:
    with device_in_hospital(tmp_path, profile, peer=AUTOMATIC) as device, device.modality() as modality:
        modality.serve()
        assert device.hospital.device is not None
        syntaxes = ("1.2.840.10008.1.2",)
        both = ContextProposal(STORAGE_COMMITMENT_PUSH_MODEL, syntaxes, scu_role=True, scp_role=True)
        with associate(device.hospital.device, LocalAE("HOSPITAL"), [both]) as association:
            (context,) = association.contexts
            assert (context.as_scu, context.as_scp) == (False, True), "the role of the SCU is the device's"
        unsaid = ContextProposal(STORAGE_COMMITMENT_PUSH_MODEL, syntaxes)  # as some report without a role
        with associate(device.hospital.device, LocalAE("HOSPITAL"), [unsaid]) as association:
            assert request_commitment(association, "2.25.1", [Reference("1.2.3", "1.2.3.4")]).status == 0x0211


@pytest.mark.requirement("RF-4.2.2.4.1.3.1-08")
def test_an_instance_that_was_not_asked_for(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "rf", peer=AUTOMATIC) as device:
        device.hospital.decide_commitment = decisions = Decisions(when="never")
        with one_image(device) as (modality, _):
            assert modality.wait_until(lambda: commit_states(modality) == [JobState.WAITING], 10)
            asked = decisions.seen[0]
            strange = CommitmentResult(asked.transaction_uid, (*asked.references, Reference("1.2.3", "1.2.3.4")))
            assert send_reports(device, strange) == [0x0115]
            assert commit_states(modality) == [JobState.WAITING]


@pytest.mark.requirement("MR-2.1.3-02", "MR-2.1.1-06", "MR-3.2.4.1-02", "MR-3.2.4.3.1-02")
def test_by_hand_and_before_it_was_sent(tmp_path: Path) -> None:
    with device_in_hospital(tmp_path, "mr") as device:
        device.hospital.store_status = lambda request: 0xC000
        with one_image(device) as (modality, uid):
            assert modality.wait_until_idle(10)
            job = modality.commit(instance=uid)
            assert modality.wait_until(lambda: "0112" in modality.jobs.show(job.id).job.waiting_for, 10)


@pytest.mark.requirement("RF-4.2.2.4.1.3.1-01", "RF-4.4.2-19")
def test_deleted_once_committed_where_the_site_says_so(tmp_path: Path) -> None:
    more = '[parameters.storage_commitment]\non_success = "delete"'
    device_there = device_in_hospital(tmp_path, "rf", peer=AUTOMATIC, more=more)
    with device_there as device, one_image(device) as (modality, uid):
        assert modality.wait_until(lambda: modality.instances() == [], 10)
        wait_until(lambda: not modality.instance_path(uid).exists())
        assert device.hospital.files.path(uid).exists()


def open_for_reports(device: Device, calling: str = "HOSPITAL") -> Association:
    assert device.hospital.device is not None
    syntaxes = ("1.2.840.10008.1.2",)
    proposal = ContextProposal(STORAGE_COMMITMENT_PUSH_MODEL, syntaxes, scu_role=False, scp_role=True)
    return associate(device.hospital.device, LocalAE(calling), [proposal])


def send_reports(device: Device, *results: CommitmentResult, calling: str = "HOSPITAL") -> list[int]:
    with open_for_reports(device, calling) as association:
        return [send_report(association, result).status for result in results]
