"""R/F Table 4.4-2: each parameter changed at a site, and what a peer of another maker sees of it then."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from openmodality import Modality
from openmodality.errors import ConfigurationError, OpenModalityError, PeerTimeout
from openmodality.store.states import JobKind, JobState
from tests.acceptance.requirements.pynetdicom_hospital import (
    COMMITMENT,
    EXPLICIT,
    TITLE,
    Recorded,
    Recorder,
    listening,
    recorded_device,
)
from tests.console_site import read_page
from tests.devices import add_image
from tests.interop import wire
from tests.parameter_ranges import PARAMETER_RANGES
from tests.peers.process import HOST, free_port, wait_until
from tests.peers.pynetdicom_ae import associated

VERIFICATION = "1.2.840.10008.1.1"
PERSON = {"PatientID": "1", "PatientName": "Doe^Jane"}
MINUTE_S, HOUR_S, YEAR_S = 60, 3600, 365 * 86400
Settings = dict[str, object]


def write(settings: Settings) -> str:
    """``{"storage.retries": 2}`` as tables of a site file."""
    tables: dict[str, list[str]] = {}
    for key, value in settings.items():
        group, name = key.split(".")
        shown = str(value).lower() if isinstance(value, bool) else repr(value).replace("'", '"')
        tables.setdefault(group, []).append(f"{name} = {shown}")
    return "\n".join("\n".join([f"[parameters.{group}]", *lines]) for group, lines in tables.items())


def later(seconds: float) -> Callable[[], float]:
    """A clock that is ahead: a device that is started with it was off for so long."""
    return lambda: time.time() + seconds


@contextmanager
def scripted(folder: Path, settings: Settings, peer: wire.Script, profile: str = "rf") -> Iterator[Modality]:
    """A device whose peer is a script that knows no DICOM beyond its bytes."""
    text = f"""
        profile = "{profile}"
        [peers.hospital]
        ae_title = "{peer.aet}"
        host = "{peer.host}"
        port = {peer.port}
        services = ["verification"]
        """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "site.toml").write_text(f"{text}\n{write(settings)}", encoding="utf-8")
    with Modality(folder / "site.toml") as modality:
        yield modality


def image_sent(modality: Modality) -> str:
    """An exam of one image, whose jobs are queued; its SOP Instance UID."""
    with modality.exam(patient=PERSON) as exam:
        return add_image(exam.series("T1", ProtocolName="T1"))


def tried(modality: Modality, recorder: Recorder, name: str, count: int) -> None:
    """So many requests of a name came, and the job that made them is no longer at work."""
    wait_until(lambda: len(recorder.requests(name)) == count and not modality.jobs.list(states=[JobState.DOING]))
    recorder.closed()


def fail(recorder: Recorder, name: str, how: str = "abort") -> None:
    """Let the hospital answer all requests of a name with an abort, or not at all."""
    recorder.forget(**{name.removesuffix("-RQ").replace("-", "_"): how})


# What is allowed, and what holds where nothing is set


@pytest.mark.parametrize(("key", "least", "most", "default"), PARAMETER_RANGES)
def test_limits_and_default(tmp_path: Path, key: str, least: int, most: int, default: object) -> None:
    with recorded_device(tmp_path, "rf") as recorded:
        text = recorded.site.read_text(encoding="utf-8")
        with recorded.modality() as modality:
            assert modality.site.parameters.integer(key) == default
        for value in (least, most):
            recorded.site.write_text(text + write({key: value}), encoding="utf-8")
            with recorded.modality() as modality:
                assert modality.site.parameters.integer(key) == value
        for value in (least - 1, most + 1):
            recorded.site.write_text(text + write({key: value}), encoding="utf-8")
            with pytest.raises(ConfigurationError, match=key.partition(".")[2]):
                recorded.modality()


@pytest.mark.parametrize(
    "key",
    [f"{group}.max_initiated_associations" for group in ("storage", "storage_commitment", "worklist", "mpps")]
    + [
        pytest.param("storage_commitment.max_accepted_associations", marks=pytest.mark.requirement("RF-4.4.2-17")),
        pytest.param("storage_commitment.release_delay_s", marks=pytest.mark.requirement("RF-4.4.2-18")),
    ],
)
def test_what_is_fixed_cannot_be_set(tmp_path: Path, key: str) -> None:
    with recorded_device(tmp_path, "rf", more=write({key: 2})) as recorded, pytest.raises(ConfigurationError):
        recorded.modality()


# Lengths and time-outs of the network


@pytest.mark.requirement("RF-4.4.2-02")
@pytest.mark.parametrize(("receive", "send"), [(20_000, 9_000), (9_000, 20_000), (None, None)])
def test_pdu_lengths(tmp_path: Path, receive: int | None, send: int | None) -> None:
    settings: Settings = {}
    if receive is not None:
        settings = {"general.max_pdu_receive_bytes": receive, "general.max_pdu_send_bytes": send}
    with recorded_device(tmp_path, "rf", more=write(settings)) as recorded, recorded.modality() as modality:
        modality.serve()
        with modality.exam(patient=PERSON) as exam:
            add_image(exam.series("T1", ProtocolName="T1"), size=256)
        assert modality.wait_until_idle(10)
        (call,) = (call for call in recorded.recorder.closed() if "C-STORE-RQ" in call.names)
        assert call.maximum_length == (receive or 32_768)
        assert call.longest_pdu == (send or 32_768)
        device = listening(recorded, "storage_commitment", "ADR_S_COMM_SCU")
        with associated(device, [VERIFICATION], calling=TITLE) as association:
            assert association.acceptor.maximum_length == (receive or 32_768)


def timed_out(modality: Modality, seconds: float = 1) -> str:
    """What an echo waited for; it was not much longer than the site says."""
    began = time.monotonic()
    with pytest.raises(PeerTimeout) as caught:
        modality.echo("hospital")
    assert seconds <= time.monotonic() - began < seconds + 8
    return str(caught.value)


@pytest.mark.requirement("RF-4.4.2-03")
def test_association_time_out(tmp_path: Path) -> None:
    with wire.listening(lambda connection: connection.until_closed()) as peer:  # noqa: SIM117 - the script ends last
        with scripted(tmp_path, {"general.association_timeout_s": 1}, peer) as modality:
            assert "A-ASSOCIATE-RQ" in timed_out(modality)
    assert peer.result[0][0] == wire.ASSOCIATE_RQ


@pytest.mark.requirement("RF-4.4.2-04")
def test_release_time_out(tmp_path: Path) -> None:
    def script(connection: wire.Wire) -> float:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.associate_ac([(1, 0, EXPLICIT)]))
        connection.receive_command()
        connection.send(wire.p_data(wire.value(wire.response(0x8030, wire.VERIFICATION), 3)))
        connection.expect(wire.RELEASE_RQ)
        began = time.monotonic()
        connection.until_closed()
        return time.monotonic() - began

    with wire.listening(script) as peer, scripted(tmp_path, {"general.release_timeout_s": 1}, peer) as modality:
        assert modality.echo("hospital") == 0
    assert 0.9 < peer.result[0] < 9


@pytest.mark.parametrize(
    "profile",
    [
        pytest.param("rf", marks=pytest.mark.requirement("RF-4.4.2-05")),
        pytest.param("mr", marks=pytest.mark.requirement("MR-11.2-03")),
    ],
)
def test_connect_time_out(tmp_path: Path, profile: str) -> None:
    """A listening socket with a full queue answers no further SYN."""
    with socket.socket() as server:
        server.bind((HOST, 0))
        server.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(server.getsockname())
        peer = wire.Script("FULL", server.getsockname()[1])
        with scripted(tmp_path, {"general.connect_timeout_s": 1}, peer, profile) as modality:
            assert "no connection" in timed_out(modality)
        for sock in waiting:
            sock.close()


@pytest.mark.requirement("RF-4.4.2-06")
def test_dimse_time_out(tmp_path: Path) -> None:
    settings: Settings = {"general.dimse_timeout_s": 1}
    with recorded_device(tmp_path, "rf", more=write(settings)) as recorded, recorded.modality() as modality:
        recorded.recorder.forget(C_ECHO="silent")
        assert "C-ECHO" in timed_out(modality)
        (call,) = recorded.recorder.closed()
        assert call.end == "aborted"


@pytest.mark.requirement("RF-4.4.2-07")
def test_network_time_out(tmp_path: Path) -> None:
    """A peer begins a message and says no more."""
    settings: Settings = {"general.network_timeout_s": 1}
    with recorded_device(tmp_path, "rf", more=write(settings)) as recorded, recorded.modality() as modality:
        modality.serve()
        device = listening(recorded, "storage_commitment", "ADR_S_COMM_SCU")
        with wire.associated(device, called=device.aet, calling=TITLE) as connection:
            echo = wire.p_data(wire.value(wire.request(0x0030, wire.VERIFICATION), 3))
            connection.send(echo[:20])
            began = time.monotonic()
            connection.until_closed()
            assert 0.9 < time.monotonic() - began < 9


# Time-outs of the services


def service(key: str, name: str, kind: JobKind, *ids: str) -> ParameterSet:
    return pytest.param(key, name, kind, id=key, marks=pytest.mark.requirement(*ids))


@pytest.mark.parametrize(
    ("key", "name", "kind"),
    [
        service("storage.response_timeout_s", "C-STORE-RQ", JobKind.SEND, "RF-4.4.2-08", "RF-4.2.1.3.1.3-07"),
        service("storage_commitment.response_timeout_s", "N-ACTION-RQ", JobKind.COMMIT, "RF-4.4.2-13"),
        service("mpps.create_response_timeout_s", "N-CREATE-RQ", JobKind.MPPS_CREATE, "RF-4.4.2-26"),
        service("mpps.set_response_timeout_s", "N-SET-RQ", JobKind.MPPS_SET, "RF-4.4.2-27"),
    ],
)
def test_time_out_of_a_service(tmp_path: Path, key: str, name: str, kind: JobKind) -> None:
    """The time-out of all other DIMSE requests is another; a C-STORE is given 15 seconds at least."""
    limit_s = 15 if kind is JobKind.SEND else 1
    settings: Settings = {key: limit_s, "general.dimse_timeout_s": 300}
    peer, more = "automatic_commitment = true", f"{write(settings)}\n[console]\nport = {free_port()}\n"
    with recorded_device(tmp_path, "rf", peer=peer, more=more) as recorded, recorded.modality() as modality:
        fail(recorded.recorder, name, "silent")
        recorded.recorder.patience_s = 60
        image_sent(modality)
        wait_until(lambda: bool(recorded.recorder.requests(name)))
        began = time.monotonic()
        (call,) = recorded.recorder.of(name=name)
        wait_until(lambda: bool(call.end), timeout_s=40)
        assert limit_s - 1 < time.monotonic() - began < limit_s + 8
        assert call.end == "aborted"
        wait_until(lambda: bool(modality.jobs.list(kinds=[kind])[0].reason))
        (job,) = modality.jobs.list(kinds=[kind])
        assert f"within {limit_s} s" in job.reason
        if kind is JobKind.SEND:
            line = read_page(modality, "/jobs").partition(f"job {job.id}<")[2].partition("</tr>")[0]
            assert f"within {limit_s} s" in line, "the user is told under Jobs"


@pytest.mark.requirement("RF-4.4.2-22")
def test_time_out_of_the_worklist(tmp_path: Path) -> None:
    settings: Settings = {"worklist.response_timeout_s": 1, "general.dimse_timeout_s": 300}
    with recorded_device(tmp_path, "rf", more=write(settings)) as recorded, recorded.modality() as modality:
        recorded.recorder.forget(C_FIND="silent")
        began = time.monotonic()
        with pytest.raises(OpenModalityError, match="C-FIND"):
            modality.worklist()
        assert 0.9 < time.monotonic() - began < 9
        assert [call.end for call in recorded.recorder.closed()] == ["aborted"]


# Retries: the device was off until the time of the next attempt

RETRIED = [
    pytest.param("storage.retries", "C-STORE-RQ", id="storage", marks=pytest.mark.requirement("RF-4.4.2-09")),
    pytest.param(
        "storage_commitment.retries", "N-ACTION-RQ", id="commitment", marks=pytest.mark.requirement("RF-4.4.2-14")
    ),
]


@pytest.mark.requirement("RF-4.2.1.3.1.3-09")
@pytest.mark.parametrize(("key", "name"), RETRIED)
@pytest.mark.parametrize("retries", [2, 0])
def test_retries(tmp_path: Path, key: str, name: str, retries: int) -> None:
    """0 is for ever for a send job."""
    settings: Settings = {key: retries, "storage.retry_delay_min": 1}
    peer = "automatic_commitment = true"
    most = 3 if retries else 1 if name == "N-ACTION-RQ" else 5
    with recorded_device(tmp_path, "rf", peer=peer, more=write(settings)) as recorded:
        recorder = recorded.recorder
        fail(recorder, name)
        with recorded.modality() as modality:
            image_sent(modality)
            tried(modality, recorder, name, 1)
        for attempt in range(1, 5):
            with Modality(recorded.site, clock=later(attempt * (MINUTE_S + 1))) as modality:
                tried(modality, recorder, name, min(attempt + 1, most))
                states = {job.state for job in modality.jobs.list() if job.kind.value in ("send", "commit")}
                assert (JobState.FAILED in states) is (attempt + 1 >= most and most < 5)


@pytest.mark.requirement("RF-4.4.2-10")
@pytest.mark.parametrize(
    ("name", "kind", "minutes"),
    [
        ("C-STORE-RQ", JobKind.SEND, 2),
        ("C-STORE-RQ", JobKind.SEND, 0),
        ("N-ACTION-RQ", JobKind.COMMIT, 2),
        ("N-CREATE-RQ", JobKind.MPPS_CREATE, 2),
    ],
)
def test_delay_between_retries(tmp_path: Path, name: str, kind: JobKind, minutes: int) -> None:
    """0 is never; the other jobs have the delay of send jobs."""
    more = write({"storage.retry_delay_min": minutes})
    with recorded_device(tmp_path, "rf", peer="automatic_commitment = true", more=more) as recorded:
        recorder = recorded.recorder
        fail(recorder, name)
        with recorded.modality() as modality:
            image_sent(modality)
            tried(modality, recorder, name, 1)
            (job,) = modality.jobs.list(kinds=[kind])
            assert job.state is (JobState.TODO if minutes else JobState.FAILED)
            assert not minutes or -30 < (job.due_at or 0) - time.time() - minutes * MINUTE_S <= 0
        with Modality(recorded.site, clock=later(2 * MINUTE_S + 1)) as modality:
            tried(modality, recorder, name, 2 if minutes else 1)


# Storage commitment


def committed(recorded: Recorded, after_s: float, kept: int = 1) -> tuple[int, JobState, bool]:
    """An archive reports on an image some time after it was asked.

    The device's status, the state of its job, and whether ``kept`` images are left in it.
    """
    recorder = recorded.recorder
    with recorded.modality() as modality:
        image_sent(modality)
        tried(modality, recorder, "N-ACTION-RQ", 1)
    (request,) = recorder.requests("N-ACTION-RQ")
    with Modality(recorded.site, clock=later(after_s)) as modality:
        modality.serve()
        device = listening(recorded, "storage_commitment", "ADR_S_COMM_SCU")
        status = recorder.report(device, request.data.TransactionUID, request.data.ReferencedSOPSequence)
        (job,) = modality.jobs.list(kinds=[JobKind.COMMIT])
        modality.wait_until(lambda: modality.jobs.show(job.id).job.state in (JobState.DONE, JobState.FAILED), 10)
        is_right = modality.wait_until(lambda: len(modality.instances()) == kept, 10)
        return status, modality.jobs.show(job.id).job.state, is_right


@pytest.mark.requirement("RF-4.4.2-16", "RF-4.2.2.4.1.3.1-05")
@pytest.mark.parametrize(
    ("hours", "after_s", "status", "state"),
    [
        (2, 2 * HOUR_S - 60, 0x0000, JobState.DONE),
        (2, 2 * HOUR_S + 60, 0x0213, JobState.FAILED),
        (0, 3 * YEAR_S, 0x0000, JobState.DONE),
    ],
)
def test_time_out_of_the_notification(tmp_path: Path, hours: int, after_s: int, status: int, state: JobState) -> None:
    settings: Settings = {"storage_commitment.notification_timeout_h": hours}
    with recorded_device(tmp_path, "rf", peer="automatic_commitment = true", more=write(settings)) as recorded:
        assert committed(recorded, after_s) == (status, state, True)


@pytest.mark.requirement("RF-4.4.2-19")
@pytest.mark.parametrize(("setting", "kept"), [("delete", 0), ("permit_delete", 1), (None, 1)])
def test_what_becomes_of_committed_images(tmp_path: Path, setting: str | None, kept: int) -> None:
    settings: Settings = {"storage_commitment.on_success": setting} if setting else {}
    with recorded_device(tmp_path, "rf", peer="automatic_commitment = true", more=write(settings)) as recorded:
        assert committed(recorded, 1, kept) == (0, JobState.DONE, True)


@pytest.mark.requirement("RF-4.4.2-18")
def test_the_association_is_released_at_once(tmp_path: Path) -> None:
    with recorded_device(tmp_path, "rf", peer="automatic_commitment = true") as recorded:
        with recorded.modality() as modality:
            image_sent(modality)
            tried(modality, recorded.recorder, "N-ACTION-RQ", 1)
        (call,) = recorded.recorder.of(name="N-ACTION-RQ")
        assert (list(call.contexts), call.names, call.end) == ([COMMITMENT], ["N-ACTION-RQ"], "released")
