"""Watches how the result of a storage commitment comes: on which association, when, how often, in which role.

PS3.4 J.3.3. The peer reports on the association of the request, before its response or after it, or on one that it
opens to an address where it believes us to be. Both are listened to at once.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Final, Literal

from openmodality.dimse.channel import PeerInfo
from openmodality.dimse.service import Service
from openmodality.network.acceptor import Acceptor, Listening
from openmodality.network.acceptor_policy import UNCOMPRESSED_ORDER, decide_by
from openmodality.network.entity import LocalAE
from openmodality.services.commitment import (
    CommitmentResult,
    Known,
    Missing,
    Reference,
    commitment_result_service,
)
from openmodality.services.verification import VERIFICATION_SERVICE
from openmodality.standard.sop_classes import STORAGE_COMMITMENT_PUSH_MODEL, VERIFICATION
from openmodality.upper_layer.acceptance import AcceptorPolicy, Load, PeerPolicy, SyntaxPolicy
from openmodality.upper_layer.negotiation import find_role_selection
from openmodality.upper_layer.pdu import A_ASSOCIATE_AC, A_ASSOCIATE_RJ, A_ASSOCIATE_RQ
from openmodality.value_class import dataclass

if TYPE_CHECKING:
    import ssl

Route = Literal["same", "new"]

_TAKEN: Final = PeerPolicy(
    {
        VERIFICATION: SyntaxPolicy(UNCOMPRESSED_ORDER),
        STORAGE_COMMITMENT_PUSH_MODEL: SyntaxPolicy(UNCOMPRESSED_ORDER, scp=False, scu=True),
    },
    role_selection_required=False,
)
_STOP_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class HeardReport:
    """One N-EVENT-REPORT, and how long after the response to the request it came.

    ``result`` is ``None`` where the transaction is not ours.
    """

    route: Route
    delay_s: float
    is_early: bool
    has_role: bool
    result: CommitmentResult | None


class ReportWatch:
    """Hears the reports on one transaction."""

    def __init__(self, transaction_uid: str, references: frozenset[Reference]) -> None:
        self.transaction_uid = transaction_uid
        self.references = references
        self.asked_at = monotonic()
        self.answered_at: float | None = None
        self._changed = threading.Condition()
        self._reports: list[HeardReport] = []
        self._has_role = False
        self._is_closed = False
        self.wake, self._wakes = os.pipe()

    def close(self) -> None:
        """Close the pipe by which reports wake the association of the request."""
        with self._changed:  # an association that is ending may still hear something
            self._is_closed = True
            for each in (self.wake, self._wakes):
                os.close(each)

    @property
    def reports(self) -> list[HeardReport]:
        """The reports that have come."""
        with self._changed:
            return list(self._reports)

    def wait_for(self, count: int, timeout_s: float) -> bool:
        """Wait until so many reports have come; whether they have."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._reports) >= count, max(timeout_s, 0.0))

    def make_service(self, route: Route) -> Service:
        """The service that answers reports which come this way."""
        return commitment_result_service(_Hearing(self, route))

    @contextmanager
    def listen(self, local: LocalAE, port: int, ssl_context: ssl.SSLContext | None) -> Iterator[None]:
        """Take reports on associations of the peer, under TLS with a context.

        Raises :class:`TransportError` where the port is taken.
        """
        honest = decide_by(AcceptorPolicy(local.side, lambda _: _TAKEN))

        def decide(request: A_ASSOCIATE_RQ, load: Load) -> A_ASSOCIATE_AC | A_ASSOCIATE_RJ:
            selected = find_role_selection(request.user_information, STORAGE_COMMITMENT_PUSH_MODEL)
            self._has_role = selected is not None and selected.scp_role
            return honest(request, load)

        services = (VERIFICATION_SERVICE, self.make_service("new"))
        acceptor = Acceptor(local, services, decide, Listening(port=port, ssl_context=ssl_context))
        acceptor.start()
        try:
            yield
        finally:
            acceptor.stop(_STOP_S)

    def hear(self, route: Route, result: CommitmentResult | None) -> None:
        """A report has come."""
        now = monotonic()
        has_role = route == "same" or self._has_role
        with self._changed:
            is_early = route == "same" and self.answered_at is None
            delay_s = now - self.answered_at if self.answered_at is not None else 0.0
            self._reports.append(HeardReport(route, delay_s, is_early, has_role, result))
            self._changed.notify_all()
            if not self._is_closed:
                os.write(self._wakes, b"\0")


class _Hearing:
    """Fulfils :class:`openmodality.services.commitment.CommitmentRecord` for one way in which reports come."""

    def __init__(self, watch: ReportWatch, route: Route) -> None:
        self._hear = partial(watch.hear, route)
        self._watch = watch

    def find(self, transaction_uid: str, peer: PeerInfo) -> Known | Missing:
        """Whether the report is on what was asked for; every result is new to it, so that each is heard."""
        if transaction_uid == self._watch.transaction_uid:
            return Known(self._watch.references)
        self._hear(None)
        return Missing.UNKNOWN

    def keep_result(self, result: CommitmentResult, peer: PeerInfo) -> None:
        """Hear the result."""
        self._hear(result)
