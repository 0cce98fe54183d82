"""The upper layer service provider of one association (PS3.8 7 and 9.2), without socket, thread or clock.

Rules:
- Everything that moves the state is in this file, and it moves only by ``state_table.TRANSITIONS``. Requestor and
  acceptor are one code path; the role is an argument.
- Inputs are ``send`` (primitives of the user), ``transport_connected``, ``receive_data``, ``transport_closed``,
  ``artim_expired``. They never block and, whatever the peer sends, never raise: bad input becomes an abort. They raise
  :class:`UsageError` if the *user* calls them in a state where Table 9-10 has a blank cell; aborting is allowed always
  and does nothing where there is nothing to abort.
- Outputs are ``next_event``, ``data_to_send``, ``artim_running`` and ``artim_starts``, ``must_close``. After each
  input: write ``data_to_send()``, call ``next_event()`` until it is None, watch ``artim_starts``, and close the
  connection once ``must_close``.

Theory of operation, for whoever owns the socket:
- Requestor: ``send(AssociateRequest)``, connect, ``transport_connected``; then ``AssociateConfirm`` or
  ``AssociateRejected``. Acceptor: ``transport_connected`` after accept; then ``AssociateIndication``, to be answered
  with ``AssociateAccept`` or ``AssociateReject``.
- P-DATA comes as ``PresentationDataValue`` slices in Sta6 and, until the peer answers our release request, in Sta7. For
  sending, call ``check_can_send_data`` and write the buffers of ``p_data`` to the socket oneself; they do not pass
  through here.
- ``ReleaseIndication`` is answered with ``send(ReleaseResponse())``. If it says ``collision``, the requestor answers at
  once; the acceptor waits for ``ReleaseConfirm`` and then, being in Sta12, answers.
- ARTIM: whenever ``artim_starts`` has changed and ``artim_running`` is true, start the clock anew; when it runs out
  while ``artim_running``, call ``artim_expired``.
- ``must_close`` means that the association is over and the socket is to be closed, at either side's doing.

An A-ASSOCIATE-RQ that cannot be understood is one that is not acceptable to the service-provider: AE-6 answers it with
A-ASSOCIATE-RJ (1, 2, 1), see docs/decisions. ``violation`` tells what was wrong, for the log.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Set

from openmodality.errors import AssociationAborted, ProtocolError, TransportError, UsageError
from openmodality.standard import upper_layer as facts
from openmodality.upper_layer.framing import Framing, ReceivedPDU, Violation
from openmodality.upper_layer.pdu import (
    A_ABORT,
    A_ASSOCIATE_AC,
    A_ASSOCIATE_RJ,
    A_ASSOCIATE_RQ,
    A_RELEASE_RP,
    A_RELEASE_RQ,
    PDU,
    decode,
)
from openmodality.upper_layer.primitives import (
    AbortIndication,
    AbortRequest,
    AssociateAccept,
    AssociateConfirm,
    AssociateIndication,
    AssociateReject,
    AssociateRejected,
    AssociateRequest,
    Indication,
    PresentationDataValue,
    Primitive,
    ProviderAbort,
    ReleaseConfirm,
    ReleaseIndication,
    ReleaseRequest,
    Role,
    TransportClosed,
)
from openmodality.upper_layer.rejections import CANNOT_PARSE
from openmodality.upper_layer.state_table import NEXT_STATES, TRANSITIONS, Action, Event, State

_RECEIVED: Mapping[int, Event] = {
    facts.PDU_A_ASSOCIATE_RQ: Event.Evt6,
    facts.PDU_A_ASSOCIATE_AC: Event.Evt3,
    facts.PDU_A_ASSOCIATE_RJ: Event.Evt4,
    facts.PDU_P_DATA_TF: Event.Evt10,
    facts.PDU_A_RELEASE_RQ: Event.Evt12,
    facts.PDU_A_RELEASE_RP: Event.Evt13,
    facts.PDU_A_ABORT: Event.Evt16,
}
_SENDING = tuple(state for event, state in TRANSITIONS if event is Event.Evt9)
_RECEIVING = tuple(state for (_, state), action in TRANSITIONS.items() if action in (Action.DT_2, Action.AR_6))
_REFUSALS = (Action.AA_1, Action.AA_7, Action.AA_8)
_LOCAL: Mapping[Event, str] = {
    Event.Evt1: "A-ASSOCIATE request",
    Event.Evt2: "transport connection confirmation",
    Event.Evt5: "transport connection indication",
    Event.Evt7: "A-ASSOCIATE response (accept)",
    Event.Evt8: "A-ASSOCIATE response (reject)",
    Event.Evt11: "A-RELEASE request",
    Event.Evt14: "A-RELEASE response",
}
_USER_ABORT = A_ABORT(facts.ABORT_BY_USER, facts.ABORT_REASON_NOT_SPECIFIED)


class Provider:
    """One association. ``max_pdu_length`` is the limit that we announce for what we receive, 0 without limit.

    ``unparsable`` is the answer to a request that cannot be understood.
    """

    def __init__(self, role: Role, *, max_pdu_length: int, unparsable: A_ASSOCIATE_RJ = CANNOT_PARSE) -> None:
        self.role = role
        self._unparsable = unparsable
        self.artim_running = False
        self.artim_starts = 0
        """How often ARTIM was started: a change tells the owner of the clock to start it anew."""
        self.must_close = False
        self.violation = ""
        """The first thing that the peer did against the protocol, in words, without what it sent; "" if nothing."""
        self.peer_max_pdu_length = 0
        """The peer's limit for what we send, known once the association is there; 0 without limit."""
        self._state = State.Sta1
        self._framing = Framing(max_pdu_length)
        self._indications: deque[Indication] = deque()
        self._out: list[bytes] = []
        self._request: A_ASSOCIATE_RQ  # ours or the peer's, from AE-1 or AE-6 on
        self._abort = _USER_ABORT  # what AA-1, AA-7 and AA-8 send
        self._ended: tuple[str, A_ABORT | None] | None = None

    @property
    def state(self) -> State:
        return self._state

    @property
    def accepted_contexts(self) -> Set[int]:
        """Presentation context ids that data may come for: those accepted, unless the user narrows them down."""
        return self._framing.accepted_contexts

    @accepted_contexts.setter
    def accepted_contexts(self, ids: Set[int]) -> None:
        self._framing.accepted_contexts = frozenset(ids)

    # Inputs

    def send(self, primitive: Primitive) -> None:
        """A primitive of the user. Raises :class:`UsageError` where the state does not allow it."""
        if isinstance(primitive, AbortRequest | ProviderAbort):
            self._request_abort(primitive)
        elif isinstance(primitive, AssociateRequest):
            if self.role is not Role.REQUESTOR:
                raise UsageError("Only the requestor of an association sends A-ASSOCIATE-RQ")
            self._take_local(Event.Evt1, primitive.pdu)
        elif isinstance(primitive, AssociateAccept):
            self._take_local(Event.Evt7, primitive.pdu)
        elif isinstance(primitive, AssociateReject):
            self._take_local(Event.Evt8, primitive.pdu)
        elif isinstance(primitive, ReleaseRequest):
            self._take_local(Event.Evt11)
        else:
            self._take_local(Event.Evt14)

    def transport_connected(self) -> None:
        """The connection is open: for the requestor the one it asked for, for the acceptor a new one."""
        self._take_local(Event.Evt2 if self.role is Role.REQUESTOR else Event.Evt5)

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Bytes from the peer. Read ``next_event`` until None before the next call and before reusing the buffer.

        A buffer that may be written is: short values of a data set are moved together in it.
        """
        if self._state in (State.Sta1, State.Sta4) and not self.must_close:
            raise UsageError(f"No data can have come in {self._state.name}: the transport connection is not open")
        self._framing.feed(data)

    def transport_closed(self) -> None:
        """The connection was closed or has broken."""
        if (Event.Evt17, self._state) in TRANSITIONS:
            self._do(Event.Evt17)

    def artim_expired(self) -> None:
        """The ARTIM timer ran out; without effect if it has been stopped meanwhile."""
        if (Event.Evt18, self._state) in TRANSITIONS:
            self._do(Event.Evt18)

    # Outputs

    def next_event(self) -> Indication | None:
        """The next event for the user, or None if there is none before more bytes arrive."""
        if self._indications:
            return self._indications.popleft()
        while (found := self._framing.next()) is not None:
            if isinstance(found, PresentationDataValue):
                return found
            self._take_received(found)
            if self._indications:
                return self._indications.popleft()
        return None

    @property
    def has_unread(self) -> bool:
        """Whether bytes have arrived that ``next_event`` has not turned into events yet."""
        return self._framing.has_unread

    @property
    def is_between_pdus(self) -> bool:
        """Whether the next byte that comes begins a PDU, once ``next_event`` has told of all."""
        return self._framing.is_between_pdus

    def missing(self, data: memoryview) -> int:
        """How many bytes are missing to complete the presentation data value at the start of ``data``; 0 for none."""
        return self._framing.missing(data)

    def data_to_send(self) -> bytes:
        """The bytes to write to the peer since the last call."""
        if not self._out:
            return b""
        data = b"".join(self._out)
        self._out.clear()
        return data

    def check_can_send_data(self) -> None:
        """Check that P-DATA may be sent now (Evt9).

        Raises :class:`AssociationAborted` or :class:`TransportError` where the association has ended that way, else
        :class:`UsageError`.
        """
        if self._state in _SENDING:
            return
        if self._ended is not None:
            text, abort = self._ended
            if abort is None:
                raise TransportError(text)
            raise AssociationAborted(text, source=abort.source, reason=abort.reason)
        raise UsageError(f"No data can be sent in {self._state.name}: there is no association or it is being released")

    # What moves the state

    def _take_local(self, event: Event, pdu: PDU | None = None) -> None:
        if (event, self._state) not in TRANSITIONS:
            raise UsageError(f"{_LOCAL[event]} is not possible in {self._state.name}")
        self._do(event, pdu)

    def _request_abort(self, primitive: AbortRequest | ProviderAbort) -> None:
        if (Event.Evt15, self._state) not in TRANSITIONS:
            return
        if isinstance(primitive, ProviderAbort):
            self._abort = A_ABORT(facts.ABORT_BY_PROVIDER, primitive.reason)
        else:
            self._abort = _USER_ABORT
        self._ended = "The association was aborted by this side", self._abort
        self._do(Event.Evt15)

    def _take_received(self, found: ReceivedPDU | Violation) -> None:
        if isinstance(found, Violation):
            self._refuse(Event.Evt19, found.reason, found.text)
            return
        event, name = _RECEIVED[found.type], facts.PDU_TYPES[found.type]
        if TRANSITIONS[event, self._state] in _REFUSALS:
            self._refuse(event, facts.ABORT_UNEXPECTED_PDU, f"{name} came in {self._state.name}")
            return
        try:
            pdu = decode(found.type, found.variable_field)
        except ProtocolError as error:
            self._take_malformed(event, f"{name}: {error.message}")
        else:
            self._do(event, pdu)

    def _take_malformed(self, event: Event, text: str) -> None:
        if event is Event.Evt6:
            self.violation = text
            self._do(event)
        else:
            self._refuse(Event.Evt19, facts.ABORT_INVALID_PDU_PARAMETER_VALUE, text)

    def _refuse(self, event: Event, reason: int, text: str) -> None:
        self.violation = self.violation or text
        action = TRANSITIONS[event, self._state]
        self._abort = _USER_ABORT if action is Action.AA_1 else A_ABORT(facts.ABORT_BY_PROVIDER, reason)
        self._do(event)

    def _do(self, event: Event, pdu: PDU | None = None) -> None:
        action = TRANSITIONS[event, self._state]
        self._enter(NEXT_STATES[action][0])
        if action in _ACTIONS:
            _ACTIONS[action](self, pdu)

    def _enter(self, state: State) -> None:
        self._state = state
        self._framing.expects_data = state in _RECEIVING

    # What the actions are made of

    def _send(self, pdu: PDU) -> None:
        self._out.append(pdu.encode())

    def _start_artim(self) -> None:
        self.artim_running = True
        self.artim_starts += 1

    def _stop_artim(self) -> None:
        self.artim_running = False

    def _close(self) -> None:
        self._stop_artim()
        self.must_close = True
        self._framing.discard()

    def _agree(self, proposed: Iterable[int], ac: A_ASSOCIATE_AC, peer: A_ASSOCIATE_RQ | A_ASSOCIATE_AC) -> None:
        """From here on data may come for the accepted contexts."""
        accepted = {context.id for context in ac.presentation_contexts if context.result == facts.CONTEXT_ACCEPTANCE}
        self.accepted_contexts = accepted.intersection(proposed)
        self.peer_max_pdu_length = peer.user_information.maximum_length or 0

    # The actions of Tables 9-6 to 9-9; those that are nothing but a change of state are not in `_ACTIONS`

    def _ae_1(self, pdu: A_ASSOCIATE_RQ) -> None:
        self._request = pdu

    def _ae_2(self, _: None) -> None:
        self._send(self._request)

    def _ae_3(self, pdu: A_ASSOCIATE_AC) -> None:
        self._agree((context.id for context in self._request.presentation_contexts), pdu, pdu)
        self._indications.append(AssociateConfirm(pdu))

    def _ae_4(self, pdu: A_ASSOCIATE_RJ) -> None:
        self._indications.append(AssociateRejected(pdu))
        self._close()

    def _ae_5(self, _: None) -> None:
        self._start_artim()

    def _ae_6(self, pdu: A_ASSOCIATE_RQ | None) -> None:
        self._stop_artim()
        if pdu is not None:
            self._request = pdu
            self._indications.append(AssociateIndication(pdu))
        else:
            self._enter(State.Sta13)
            self._send(self._unparsable)
            self._start_artim()

    def _ae_7(self, pdu: A_ASSOCIATE_AC) -> None:
        self._agree((context.id for context in self._request.presentation_contexts), pdu, self._request)
        self._send(pdu)

    def _ae_8(self, pdu: A_ASSOCIATE_RJ) -> None:
        self._send(pdu)
        self._start_artim()

    def _ar_1(self, _: None) -> None:
        self._send(A_RELEASE_RQ())

    def _ar_2(self, _: A_RELEASE_RQ) -> None:
        self._indications.append(ReleaseIndication())

    def _ar_3(self, _: A_RELEASE_RP) -> None:
        self._indications.append(ReleaseConfirm())
        self._close()

    def _ar_4(self, _: None) -> None:
        self._send(A_RELEASE_RP())
        self._start_artim()

    def _ar_8(self, _: A_RELEASE_RQ) -> None:
        if self.role is Role.ACCEPTOR:
            self._enter(State.Sta10)
        self._indications.append(ReleaseIndication(collision=True))

    def _ar_9(self, _: None) -> None:
        self._send(A_RELEASE_RP())

    def _ar_10(self, _: A_RELEASE_RP) -> None:
        self._indications.append(ReleaseConfirm())

    def _aa_1(self, _: PDU | None) -> None:
        self._send(self._abort)
        self._start_artim()

    def _aa_3(self, pdu: A_ABORT) -> None:
        self._ended = f"The peer aborted the association: {pdu.text}", pdu
        self._indications.append(AbortIndication(pdu.source, pdu.reason))
        self._close()

    def _aa_4(self, _: None) -> None:
        self._ended = "The connection to the peer was lost", None
        self._indications.append(TransportClosed())
        self._close()

    def _aa_7(self, _: PDU | None) -> None:
        self._send(self._abort)

    def _aa_8(self, _: PDU | None) -> None:
        self._send(self._abort)
        self._ended = f"The association was aborted because the peer broke the protocol: {self.violation}", self._abort
        self._indications.append(AbortIndication(self._abort.source, self._abort.reason, self.violation))
        self._start_artim()

    def _closed(self, _: PDU | None) -> None:
        self._close()


_ACTIONS: Mapping[Action, Callable[..., None]] = {
    Action.AE_1: Provider._ae_1,
    Action.AE_2: Provider._ae_2,
    Action.AE_3: Provider._ae_3,
    Action.AE_4: Provider._ae_4,
    Action.AE_5: Provider._ae_5,
    Action.AE_6: Provider._ae_6,
    Action.AE_7: Provider._ae_7,
    Action.AE_8: Provider._ae_8,
    Action.AR_1: Provider._ar_1,
    Action.AR_2: Provider._ar_2,
    Action.AR_3: Provider._ar_3,
    Action.AR_4: Provider._ar_4,
    Action.AR_5: Provider._closed,
    Action.AR_8: Provider._ar_8,
    Action.AR_9: Provider._ar_9,
    Action.AR_10: Provider._ar_10,
    Action.AA_1: Provider._aa_1,
    Action.AA_2: Provider._closed,
    Action.AA_3: Provider._aa_3,
    Action.AA_4: Provider._aa_4,
    Action.AA_5: Provider._closed,
    Action.AA_7: Provider._aa_7,
    Action.AA_8: Provider._aa_8,
}
