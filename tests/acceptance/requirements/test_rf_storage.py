"""R/F 4.2.1.3, 4.2.8 and 4.2.2.4: sending, verifying and being called, each before pynetdicom or bytes by hand."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet
from pydicom import Dataset

from openmodality import Modality
from openmodality.activities.commit_record import StoredCommitments
from openmodality.errors import ConfigurationError, OpenModalityError
from openmodality.store.states import JobKind, JobState
from tests.acceptance.requirements.pynetdicom_hospital import (
    COMMITMENT,
    COMMITMENT_INSTANCE,
    EXPLICIT,
    IMPLICIT,
    TITLE,
    Recorded,
    Recorder,
    listening,
    recorded_device,
    reporting,
)
from tests.devices import add_image
from tests.interop import wire
from tests.peers import dcmtk
from tests.peers.process import Address, wait_until

VERIFICATION = "1.2.840.10008.1.1"
PERSON = {"PatientID": "1", "PatientName": "Doe^Jane"}
NEVER_AGAIN = "[parameters.storage]\nretry_delay_min = 0\n[parameters.general]\ndimse_timeout_s = 1"
RETRY = "[parameters.storage]\nretry_delay_min = 5"
Answer = int | str


def two_images(modality: Modality) -> list[str]:
    """An exam of two images, whose jobs are queued; their SOP Instance UIDs."""
    with modality.exam(patient=PERSON) as exam:
        series = exam.series("T1", ProtocolName="T1")
        return [add_image(series, number) for number in (1, 2)]


@pytest.mark.requirement(
    "RF-4.1.2.1-01", "RF-4.1.2.1-02", "RF-4.2.1.3.1.1-01", "RF-4.2.1.3.1.1-02", "RF-4.2.1.3.1.1-04",
    "RF-4.2.1.3.1.3-01",
)  # fmt: skip
def test_all_images_of_a_job_go_over_one_association(tmp_path: Path) -> None:
    with recorded_device(tmp_path, "rf") as recorded, recorded.modality() as modality:
        uids = two_images(modality)
        assert modality.wait_until_idle(10)
        recorded.recorder.closed()
        (call,) = recorded.recorder.of(name="C-STORE-RQ")
        assert [request.data.SOPInstanceUID for request in call.requests] == uids
        assert [request.data.InstanceNumber for request in call.requests] == [1, 2]
        assert (call.calling, call.end) == ("ADR_STORAGE_SCU", "released")
        assert modality.jobs.list(kinds=[JobKind.SEND])[0].state is JobState.DONE


def row(answer: Answer, more: str, state: JobState, *ids: str) -> ParameterSet:
    """How the archive answers, the parameters of the site, and what becomes of the job."""
    name = answer if isinstance(answer, str) else f"{answer:04X}"
    return pytest.param(answer, more, state, id=name, marks=pytest.mark.requirement(*ids))


STRICT = "[parameters.behaviour]\nstore_warnings_are_success = false"
STATUS = "RF-4.2.1.3.1.3"


@pytest.mark.parametrize(
    ("answer", "more", "state"),
    [
        row(0xA700, RETRY, JobState.TODO, f"{STATUS}-02", "RF-4.1.2.1-03", "RF-4.2.1.3.1.1-03"),
        row(0xA900, RETRY, JobState.FAILED, f"{STATUS}-03"),
        row(0xA9FF, RETRY, JobState.FAILED, f"{STATUS}-03"),
        row(0xC001, RETRY, JobState.FAILED, f"{STATUS}-04"),
        row(0xB000, STRICT, JobState.FAILED, f"{STATUS}-05"),
        row(0xB006, STRICT, JobState.FAILED, f"{STATUS}-05"),
        row(0xB007, STRICT, JobState.FAILED, f"{STATUS}-05"),
        row(0x0122, RETRY, JobState.FAILED, f"{STATUS}-06"),
        row("abort", RETRY, JobState.TODO, f"{STATUS}-08", "RF-4.1.2.1-03", "RF-4.2.1.3.1.1-03"),
    ],
)
def test_a_store_that_fails(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, answer: Answer, more: str, state: JobState
) -> None:
    with recorded_device(tmp_path, "rf", more=more) as recorded, recorded.modality() as modality:
        recorder = recorded.recorder
        recorder.forget(C_STORE=answer)
        with caplog.at_level(logging.INFO, "openmodality"):
            two_images(modality)
            modality.wait_until(lambda: bool(modality.jobs.list(kinds=[JobKind.SEND])[0].reason), 10)
        (job,) = modality.jobs.list(kinds=[JobKind.SEND])
        recorder.closed()
        call, *others = recorder.of(name="C-STORE-RQ")
        assert call.names == ["C-STORE-RQ"]
        assert bool(others) is (answer == "abort")  # which may be about one image; a status ends the job
        assert call.end == ("closed" if answer == "abort" else "aborted")
        assert (job.state, job.attempts) == (state, 1)
        words = "abort" if answer == "abort" else f"{answer:04X}"
        assert words in job.reason
        assert any(words in change.detail for change in modality.jobs.show(job.id).history)


@pytest.mark.requirement("RF-4.2.1.3.1.3-05")
@pytest.mark.parametrize("status", [0xB000, 0xB006, 0xB007])
def test_a_warning_is_a_success_by_default(tmp_path: Path, status: int) -> None:
    with recorded_device(tmp_path, "rf") as recorded, recorded.modality() as modality:
        recorded.recorder.forget(C_STORE=status)
        two_images(modality)
        assert modality.wait_until_idle(10)
        assert len(recorded.recorder.requests("C-STORE-RQ")) == 2
        assert modality.jobs.list(kinds=[JobKind.SEND])[0].state is JobState.DONE


# Verification

VERIFY = "RF-4.2.8.3.1"


@pytest.mark.requirement(
    "RF-4.1.1-12", "RF-4.1.2.8-01", "RF-7-03", f"{VERIFY}.1-01", f"{VERIFY}.1-02", f"{VERIFY}.2-01", f"{VERIFY}.3-01",
)  # fmt: skip
def test_verification(tmp_path: Path) -> None:
    with recorded_device(tmp_path, "rf") as recorded, recorded.modality() as modality:
        assert modality.echo("hospital") == 0
        (call,) = recorded.recorder.closed()
        assert call.contexts == {VERIFICATION: (IMPLICIT, EXPLICIT)}
        assert (call.calling, call.names, call.end) == ("ADR_VER_SCU", ["C-ECHO-RQ"], "released")
        assert not call.roles  # and pynetdicom, which has no TLS here, understood it: RF-7-03
        assert not call.has_extended_negotiation


@pytest.mark.parametrize(
    ("answer", "end", "words"),
    [
        pytest.param("silent", "aborted", "C-ECHO", marks=pytest.mark.requirement(f"{VERIFY}.3-02")),
        pytest.param("abort", "closed", "abort", marks=pytest.mark.requirement(f"{VERIFY}.3-03")),
    ],
)
def test_a_verification_that_fails(tmp_path: Path, answer: str, end: str, words: str) -> None:
    with recorded_device(tmp_path, "rf", more=NEVER_AGAIN) as recorded, recorded.modality() as modality:
        recorded.recorder.forget(C_ECHO=answer)
        with pytest.raises(OpenModalityError, match=words):
            modality.echo("hospital")
        (call,) = recorded.recorder.closed()
        assert call.end == end


# Being called


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Recorded, Modality, Address]]:
    folder = tmp_path_factory.mktemp("rf")
    with recorded_device(folder, "rf") as recorded, recorded.modality() as modality:
        modality.serve()
        yield recorded, modality, listening(recorded, "storage_commitment", "ADR_S_COMM_SCU")


Served = tuple[Recorded, Modality, Address]


@pytest.mark.requirement("RF-4.2.2.4.1.4-01")
@pytest.mark.needs("echoscu")
def test_it_answers_an_echo(served: Served) -> None:
    assert dcmtk.scu("echoscu", served[2], calling=TITLE).status == 0


REJECT = "RF-4.2.2.4.1.1"
DICOM = "1.2.840.10008.3.1.1.1"


@pytest.mark.parametrize(
    ("called", "calling", "context", "answer"),
    [
        pytest.param("", TITLE, "1.2.3", (1, 1, 2), marks=pytest.mark.requirement(f"{REJECT}-05")),
        pytest.param("OTHER", TITLE, DICOM, (1, 1, 7), marks=pytest.mark.requirement(f"{REJECT}-06")),
        pytest.param("", "STRANGER", DICOM, (1, 1, 3), marks=pytest.mark.requirement(f"{REJECT}-07")),
    ],
)
def test_rejections(served: Served, called: str, calling: str, context: str, answer: tuple[int, ...]) -> None:
    contexts = [(VERIFICATION, [IMPLICIT])]
    with wire.connected(served[2]) as connection:
        title = called or served[2].aet
        connection.send(wire.associate_rq(contexts, called=title, calling=calling, application_context=context))
        assert tuple(connection.expect(wire.ASSOCIATE_RJ)[1:]) == answer


@pytest.mark.requirement(f"{REJECT}-08")
def test_a_request_that_cannot_be_parsed(served: Served) -> None:
    with wire.connected(served[2]) as connection:
        connection.send(wire.pdu(wire.ASSOCIATE_RQ, bytes(67) + b"\x10\0\xff\xff"))
        assert tuple(connection.expect(wire.ASSOCIATE_RJ)[1:]) == (1, 2, 1)


# Results of storage commitment

RESULT = "RF-4.2.2.4.1.3.1"


def ask(recorder: Recorder, modality: Modality) -> Dataset:
    """Let the device ask for a commitment; the result that says that all is well."""
    recorder.forget()
    uid = two_images(modality)[0]
    modality.commit(instance=uid, peer="hospital")
    wait_until(lambda: bool(recorder.requests("N-ACTION-RQ")) and bool(recorder.requests("N-ACTION-RQ")[0].data))
    return recorder.requests("N-ACTION-RQ")[0].data


def report(device: Address, data_set: Dataset, event: int = 1) -> Dataset:
    with reporting(device) as association:
        status: Dataset
        status, _ = association.send_n_event_report(data_set, event, COMMITMENT, COMMITMENT_INSTANCE)
    return status


@pytest.mark.requirement(f"{RESULT}-03")
def test_a_result_that_is_taken(served: Served) -> None:
    recorded, modality, device = served
    assert report(device, ask(recorded.recorder, modality)).Status == 0x0000
    assert modality.wait_until_idle(10)


@pytest.mark.requirement(f"{RESULT}-04")
def test_a_transaction_that_was_never_issued(served: Served) -> None:
    recorded, modality, device = served
    data_set = ask(recorded.recorder, modality)
    data_set.TransactionUID = "1.2.3.4"
    assert report(device, data_set).Status == 0x0211


@pytest.mark.requirement(f"{RESULT}-06")
def test_an_event_type_that_does_not_exist(served: Served) -> None:
    recorded, modality, device = served
    assert report(device, ask(recorded.recorder, modality), event=3).Status == 0x0113


@pytest.mark.requirement(f"{RESULT}-07")
def test_an_error_of_our_own(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded, modality, device = served
    data_set = ask(recorded.recorder, modality)
    with monkeypatch.context() as patch:
        patch.setattr(StoredCommitments, StoredCommitments.keep_result.__name__, None)
        answer = report(device, data_set)
    assert answer.Status == 0x0110
    assert answer.ErrorComment


@pytest.mark.requirement(f"{RESULT}-08")
def test_an_instance_that_was_not_asked_for(served: Served) -> None:
    recorded, modality, device = served
    data_set = ask(recorded.recorder, modality)
    data_set.ReferencedSOPSequence[0].ReferencedSOPInstanceUID = "1.2.3.4"
    assert report(device, data_set).Status == 0x0115


# Kits

KITS = "[parameters.kits]\n{}"


@pytest.mark.requirement("RF-1-05", "RF-1-06")
@pytest.mark.parametrize(
    ("kits", "proposed"),
    [
        ("mwm = true\nmpps = true", {"C-FIND-RQ", "N-CREATE-RQ", "N-SET-RQ"}),
        ("mwm = false\nmpps = true", {"C-FIND-RQ", "N-CREATE-RQ", "N-SET-RQ"}),
        ("mwm = true\nmpps = false", {"C-FIND-RQ"}),
        ("mwm = false\nmpps = false", set()),
    ],
)
def test_what_is_asked_of_a_ris_follows_from_the_kits(tmp_path: Path, kits: str, proposed: set[str]) -> None:
    services = ["verification", "storage", *(["worklist"] if "C-FIND-RQ" in proposed else [])]
    services += ["mpps"] if "mpps = true" in kits else []
    with recorded_device(tmp_path, "rf", services=services, more=KITS.format(kits)) as recorded:
        with recorded.modality() as modality:
            if "worklist" in services:
                modality.worklist()
            two_images(modality)
            assert modality.wait_until_idle(10)
        names = {name for call in recorded.recorder.closed() for name in call.names}
        assert names - {"C-STORE-RQ", "C-ECHO-RQ"} == proposed


@pytest.mark.requirement("RF-1-06")
def test_a_service_without_its_kit_is_not_used_where_the_site_names_it(tmp_path: Path) -> None:
    """Whether the site file is refused or the device leaves it be: nothing of a performed step goes out."""
    with recorded_device(tmp_path, "rf", more=KITS.format("mpps = false")) as recorded:
        with contextlib.suppress(ConfigurationError), recorded.modality() as modality:
            two_images(modality)
            modality.wait_until_idle(10)
            assert modality.jobs.list(kinds=[JobKind.MPPS_CREATE]) == []
        assert recorded.recorder.of(name="N-CREATE-RQ") == []
        assert recorded.recorder.of(calling="ADR_MPPS_SCU") == []
