"""What the log says of an association, and what it never repeats."""

from __future__ import annotations

import logging

import pytest

from openmodality.dimse.channel import PeerInfo
from openmodality.dimse.command import Command
from openmodality.network.association_log import (
    list_rejected,
    log_agreement,
    log_request,
    make_message_log,
    warn_nothing_accepted,
)
from openmodality.standard.dimse import CommandField
from openmodality.upper_layer.items import PresentationContextAC, PresentationContextRQ
from openmodality.upper_layer.negotiation import Negotiated, read_outcome
from openmodality.upper_layer.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RQ
from openmodality.upper_layer.user_information import UserInformation

IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
ECHO, MR = "1.2.840.10008.1.1", "1.2.840.10008.5.1.4.1.1.4"
RQ = A_ASSOCIATE_RQ(
    "US",
    "PEER  ",
    (
        PresentationContextRQ(1, ECHO, (IMPLICIT,)),
        PresentationContextRQ(3, MR, (IMPLICIT, EXPLICIT)),
        PresentationContextRQ(5, "\x1b[2JDoe^Jane", (IMPLICIT,)),
    ),
    user_information=UserInformation(
        maximum_length=16384, implementation_class_uid="1.2.3", implementation_version_name="TOOL 1"
    ),
)
AC = A_ASSOCIATE_AC(
    "US",
    "PEER",
    (
        PresentationContextAC(1, 0, IMPLICIT),
        PresentationContextAC(3, 4, IMPLICIT),
        PresentationContextAC(5, 3, IMPLICIT),
    ),
)


def negotiate(ac: A_ASSOCIATE_AC = AC) -> Negotiated:
    return read_outcome(RQ, ac)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Each record with its own fields."""
    usual = vars(logging.makeLogRecord({}))
    shown = []
    for record in caplog.records:
        fields = {name: value for name, value in vars(record).items() if name not in usual and name != "message"}
        shown.append(f"{record.levelname} {record.getMessage()} {fields}")
    return shown


def test_info_tells_who_asks_and_why_a_context_was_rejected(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        log_request(RQ, "10.0.0.7")
        log_agreement(RQ, negotiate(), "10.0.0.7")
    requested, *rejected = lines(caplog)
    assert requested.startswith("INFO association.requested")
    for part in ("'calling': 'PEER'", "'called': 'US'", "'max_pdu_length': 16384", "'implementation': '1.2.3 TOOL 1'"):
        assert part in requested
    assert len(rejected) == 2
    assert f"'abstract_syntax': '{MR}'" in rejected[0]
    assert "'result': 'transfer-syntaxes-not-supported (provider rejection)'" in rejected[0]
    assert f"'transfer_syntaxes': '{IMPLICIT},{EXPLICIT}'" in rejected[0]
    assert "'abstract_syntax': '(not a UID)'" in rejected[1]
    assert "Doe" not in caplog.text


def test_debug_adds_the_accepted_contexts_and_the_messages(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        log_agreement(RQ, negotiate(), "10.0.0.7")
        message_log = make_message_log(PeerInfo("PEER", "US"))
        message_log(
            "dimse.received", 3, Command(CommandField.C_STORE_RQ, MR, MessageID=7, AffectedSOPInstanceUID="1.2.9")
        )
        message_log("dimse.sent", 3, Command(CommandField.C_STORE_RSP, MR, MessageIDBeingRespondedTo=7, Status=0xA700))
    accepted, received, sent = lines(caplog)[2:]
    assert "DEBUG association.context_accepted {'address': '10.0.0.7', 'calling': 'PEER', 'context': 1," in accepted
    assert f"'{ECHO}', 'result': 'accepted', 'transfer_syntaxes': '{IMPLICIT}', 'we_are': 'SCU'" in accepted
    assert "'command': 'C-STORE-RQ', 'message_id': 7, 'context': 3, 'status': None" in received
    assert "'sop_instance_uid': '1.2.9'" in received
    assert "'command': 'C-STORE-RSP', 'message_id': 7, 'context': 3, 'status': 'A700'" in sent


def test_an_association_without_any_context_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    nothing = A_ASSOCIATE_AC("US", "PEER", tuple(PresentationContextAC(number, 3, IMPLICIT) for number in (1, 3, 5)))
    warn_nothing_accepted(RQ, negotiate(nothing), "10.0.0.7")
    [line] = lines(caplog)
    reason = "abstract-syntax-not-supported (provider rejection)"
    assert line.startswith("WARNING association.nothing_accepted")
    assert f"{ECHO} {reason}, {MR} {reason}, (not a UID) {reason}" in line


def test_a_long_list_of_rejected_contexts_is_cut() -> None:
    rq = A_ASSOCIATE_RQ(
        "US", "PEER", tuple(PresentationContextRQ(2 * n + 1, f"1.2.{n}", (IMPLICIT,)) for n in range(9))
    )
    assert list_rejected(read_outcome(rq, A_ASSOCIATE_AC("US", "PEER", ()))).endswith("(provider rejection) and 5 more")
