"""``openmodality echo`` as a user runs it."""

from __future__ import annotations

import pytest
from pynetdicom import evt
from pynetdicom.sop_class import MRImageStorage, Verification  # type: ignore[attr-defined]

from tests.acceptance.command_line import openmodality
from tests.interop import wire
from tests.peers import pynetdicom_ae
from tests.peers.process import HOST, free_port


def test_peer_that_is_there() -> None:
    with pynetdicom_ae.serving([Verification]) as peer:
        plain = openmodality("echo", peer)
        machine = openmodality("echo", peer, "--json", "--calling", "ME")
    assert (plain.status, plain.err) == (0, "")
    assert plain.out.startswith(f"{peer}: 0000 Success in ")
    assert (machine.status, machine.err) == (0, "")
    assert machine.item["success"] is True
    assert machine.item["status"] == "0000"
    assert machine.item["peer"] == str(peer)


def test_asking_again_is_one_association_with_a_line_for_each_answer() -> None:
    accepted: list[object] = []
    answers = iter([0x0000, 0x0110, 0x0000, 0x0000, 0x0000])
    handlers = [(evt.EVT_ACCEPTED, accepted.append), (evt.EVT_C_ECHO, lambda _: next(answers))]
    with pynetdicom_ae.serving([Verification], handlers) as peer:
        plain = openmodality("echo", peer, "--repeat", 3)
        machine = openmodality("echo", peer, "--repeat", "2", "--json")
        assert openmodality("echo", peer, "--repeat", "0").status == 2
    assert len(accepted) == 2
    assert [line.split()[1] for line in plain.out.splitlines()] == ["0000", "0110", "0000"]
    assert plain.status == 1, "one answer was no Success"
    assert [item["status"] for item in machine.items] == ["0000", "0000"]
    assert machine.status == 0


def test_the_log_shows_the_association_as_the_page_says() -> None:
    with pynetdicom_ae.serving([Verification]) as peer:
        quiet, verbose, debug = (
            openmodality("echo", peer, *option, "--calling", "ME") for option in ([], ["-v"], ["-d"])
        )
    assert quiet.err == ""
    assert quiet.status == verbose.status == debug.status == 0
    requested, opened, released = verbose.err.splitlines()
    for line in (requested, opened, released):
        assert "calling=ME called=PYNETDICOM" in line
    assert "association.requested" in requested
    assert " contexts=1 max_pdu_sent=16382 max_pdu_received=262144 " in opened
    assert "association.released" in released
    [context] = [line for line in debug.err.splitlines() if "association.context_accepted" in line]
    assert "context=1 abstract_syntax=1.2.840.10008.1.1 transfer_syntaxes=1.2.840.10008.1.2" in context
    assert "result=accepted we_are=SCU" in context
    asked, answered = (line for line in debug.err.splitlines() if "dimse." in line)
    assert "dimse.sent" in asked
    assert "command=C-ECHO-RQ message_id=1" in asked
    assert "dimse.received" in answered
    assert "command=C-ECHO-RSP message_id=1 status=0000" in answered


def test_a_refusal_has_no_traceback_and_names_the_context() -> None:
    with pynetdicom_ae.serving([MRImageStorage]) as peer:
        debug = openmodality("echo", peer, "--debug")
    assert debug.status == 1
    assert "Traceback" not in debug.err
    [rejected] = [line for line in debug.err.splitlines() if "association.context_rejected" in line]
    assert "abstract_syntax=1.2.840.10008.1.1" in rejected
    assert "result='abstract-syntax-not-supported (provider rejection)'" in rejected


def test_peer_that_answers_with_a_failure() -> None:
    with pynetdicom_ae.serving([Verification], [(evt.EVT_C_ECHO, lambda _: 0x0110)]) as peer:
        plain = openmodality("echo", peer)
        machine = openmodality("echo", peer, "--json")
    assert plain.status == machine.status == 1
    assert "0110 Processing failure" in plain.out
    assert machine.item["success"] is False


def test_dead_peer() -> None:
    ended = openmodality("echo", f"NOBODY@{HOST}:{free_port()}")
    assert ended.status == 1
    assert "Connection refused; check that the peer is running" in ended.error_line
    assert ended.out == ""


def test_host_that_does_not_exist() -> None:
    ended = openmodality("echo", "NOBODY@no-such-host.invalid:104")
    assert ended.status == 1
    assert "no-such-host.invalid" in ended.error_line


def test_peer_that_does_not_know_us() -> None:
    def reject(connection: wire.Wire) -> None:
        connection.expect(wire.ASSOCIATE_RQ)
        connection.send(wire.rejection(1, 1, 3))

    with wire.listening(reject) as peer:
        ended = openmodality("echo", peer)
    assert ended.status == 1
    assert "calling-AE-title-not-recognized" in ended.error_line
    assert "added to those that the peer knows" in ended.error_line


def test_peer_that_never_answers() -> None:
    with wire.listening(lambda connection: connection.until_closed()) as peer:
        ended = openmodality("echo", peer, "--timeout", "0.2")
    assert ended.status == 1
    assert f"no answer from {peer} within 0.2 s while waiting for the answer to A-ASSOCIATE-RQ" in ended.error_line


def test_peer_without_verification() -> None:
    with pynetdicom_ae.serving([MRImageStorage]) as peer:
        ended = openmodality("echo", peer)
    assert ended.status == 1
    assert "accepted none of the presentation contexts" in ended.error_line


def test_peer_that_is_no_dicom_application() -> None:
    with wire.listening(lambda connection: connection.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as peer:
        ended = openmodality("echo", peer)
    assert ended.status == 1
    assert str(peer) in ended.error_line


@pytest.mark.parametrize(
    "arguments",
    [
        ["echo"],
        ["echo", "nobody"],
        ["echo", "A@localhost"],
        ["echo", "A@localhost:0"],
        ["echo", "A@localhost:99999"],
        ["echo", "MUCH-TOO-LONG-A-TITLE@localhost:104"],
        ["echo", "A@localhost:104", "--calling", "back\\slash"],
        ["echo", "A@localhost:104", "--calling", ""],
        ["echo", "A@localhost:104", "--timeout", "soon"],
        ["echo", "A@localhost:104", "--timeout", "nan"],
        ["echo", "A@localhost:104", "--timeout", "inf"],
        ["echo", "A@localhost:104", "--timeout", "1e10"],
        ["echo", "A@a..b:104"],
        ["echo", f"A@{'x' * 70}:104"],
        ["echo", "A@localhost:104", "--no-such-option"],
        ["no-such-command"],
    ],
    ids=lambda arguments: " ".join(arguments),
)
def test_wrong_usage_is_status_2_and_one_line(arguments: list[str]) -> None:
    ended = openmodality(*arguments)
    assert ended.status == 2
    assert ended.error_line.startswith("openmodality: ")
