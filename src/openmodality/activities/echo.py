"""Verification: whether a peer is there and speaks DICOM (PS3.4 Annex A)."""

from __future__ import annotations

from time import perf_counter

from openmodality.activities.ends import Ends
from openmodality.dimse.status import describe
from openmodality.errors import NotReached, PeerTimeout, TransportError
from openmodality.services.verification import echo
from openmodality.standard.sop_classes import VERIFICATION
from openmodality.value_class import value_class


@value_class
class EchoAnswer:
    """What a peer said: the Status (0000,0900), and how long association and answer took together.

    ``is_success`` says whether the peer is present and active. A peer of DICOMweb answers with a status of HTTP;
    ``said`` is what it answered to, in words, and empty for C-ECHO.
    """

    status: int
    is_success: bool
    duration_s: float
    implementation_class_uid: str = ""
    implementation_version_name: str = ""
    said: str = ""


def describe_echo(answer: EchoAnswer) -> str:
    """What a peer said, in words."""
    return answer.said or describe(answer.status)


def echo_peer(ends: Ends) -> EchoAnswer:
    """Ask a peer whether it is there. Raises as :func:`echo_repeatedly` does."""
    return echo_repeatedly(ends, 1)[0]


def echo_repeatedly(ends: Ends, times: int) -> list[EchoAnswer]:
    """Ask a peer so many times on one association; the first duration has that of opening it.

    Raises the errors of an association. Where the peer listens and TLS may be why there is none, it is called a few
    times more, to say so in words.
    """
    try:
        return _echo_repeatedly(ends, times)
    except (PeerTimeout, NotReached):
        raise
    except TransportError as error:
        from openmodality.network.tls_probe import explain_failure  # noqa: PLC0415 - start-up time, and few need it

        raise explain_failure(ends.remote, ends.local, error) from error


def _echo_repeatedly(ends: Ends, times: int) -> list[EchoAnswer]:
    judge = ends.judge_of("verification", "C-ECHO")
    answers = []
    start = perf_counter()
    with ends.take_turn(), ends.open(VERIFICATION) as association:
        peer = association.peer
        who = peer.implementation_class_uid, peer.implementation_version_name
        for _ in range(times):
            status = echo(association)
            duration_s, start = perf_counter() - start, perf_counter()
            answers.append(EchoAnswer(status, judge(status).is_done, duration_s, *who))
    return answers
