"""Received bytes to PDUs and to slices of presentation data values (PS3.8 9.3.1, 9.3.5).

Rules:
- P-DATA-TF is streamed: what has arrived of a value is handed on as a slice of the buffer that was fed, without waiting
  for the rest and without copying. Only a header that arrived in part, 11 bytes at most, is kept from one buffer to the
  next.
- Short values of a data set that lie behind one another in a buffer that may be written are moved together, over the
  headers between them, and handed on as one: each slice costs whoever takes it more than the moving does.
- Other PDUs are collected up to their end. Their length is checked first: four bytes, or 1 MiB for A-ASSOCIATE, bound
  the memory.
- A P-DATA-TF may be longer than we announced, since nothing of it is kept and some peers mix the two limits up: up to
  twice the announced length or 1 MiB.
- Which contexts and whether data are expected at all is told by the provider. Data that are not expected are reported
  once per PDU and skipped.
- After a violation nothing more is read: it is not known where the next PDU begins.
"""

from __future__ import annotations

import struct
from collections.abc import Set

from openmodality.errors import UsageError
from openmodality.standard import upper_layer as facts
from openmodality.upper_layer.foreign import describe_foreign
from openmodality.upper_layer.primitives import PresentationDataValue
from openmodality.value_class import value_class

MAX_ASSOCIATE_LENGTH = 1 << 20
TOLERATED_P_DATA_LENGTH = 1 << 20

_P_DATA_TF = facts.PDU_P_DATA_TF
_PDU_HEADER = struct.Struct(">BxL")
_PDV_HEADER = struct.Struct(">LBB")
_unpack_both_headers = struct.Struct(">BxLLBB").unpack_from
_EMPTY = memoryview(b"")
_COLLECTED_LONG = (facts.PDU_A_ASSOCIATE_RQ, facts.PDU_A_ASSOCIATE_AC)
_SHORT_LENGTH = 4
_OF_DATA_SET = (0, 2)
_MOVED_BYTES = 32 * 1024
"""Values up to this length are moved; longer ones are worth a slice of their own."""


@value_class
class ReceivedPDU:
    """A PDU other than streamed P-DATA-TF: its type and variable field. Unexpected P-DATA-TF comes with an empty
    field.
    """

    type: int
    variable_field: bytes


@value_class
class Violation:
    """What came is no PDU: the reason for A-P-ABORT (PS3.8 Table 9-26) and what was wrong."""

    reason: int
    text: str


class Framing:
    """The receiving half of a connection. Feed a buffer, then call ``next`` until it returns None."""

    def __init__(self, max_pdu_length: int) -> None:
        self.accepted_contexts: Set[int] = frozenset()
        self._max_p_data_length = max(2 * max_pdu_length, TOLERATED_P_DATA_LENGTH) if max_pdu_length else 0xFFFFFFFF
        self._expects_data = False
        self._view = _EMPTY
        self._position = self._end = 0
        self._partial = bytearray()  # a header, or a PDU other than P-DATA-TF, that has arrived in part
        self._pdu_type = 0  # of the PDU that is being collected, 0 if none is
        self._needed = 0  # length of its variable field
        self._pdu_left = 0  # bytes of the P-DATA-TF after the current presentation data value
        self._pdv_left = 0  # bytes of the current presentation data value that have not been handed on
        self._context_id = 0
        self._control = 0
        self._skip = 0  # bytes of a P-DATA-TF that nobody reads
        self._starved = False
        self._broken = False

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Take over a buffer; its bytes may be moved if it can be written. The one before must have been read to its
        end.
        """
        if self._position < self._end:
            raise UsageError("receive_data was called before next_event had returned None")
        if not self._broken:
            self._view = memoryview(data)
            self._position, self._end = 0, len(data)

    def discard(self) -> None:
        """Nothing more is to be read: the association is over, or it is not known where the next PDU begins."""
        self._broken = True
        self._view, self._position, self._end = _EMPTY, 0, 0
        self._partial.clear()

    @property
    def has_unread(self) -> bool:
        """Whether bytes of the buffer that was fed last have not been read."""
        return self._position < self._end

    def missing(self, data: memoryview) -> int:
        """How many bytes are missing to complete the presentation data value at the start of ``data``, which comes
        next.

        0 where the value is complete, and where ``data`` begins with anything else.
        """
        if self._pdv_left:
            return max(self._pdv_left - len(data), 0)
        if not (self._expects_data and self.is_between_pdus and len(data) >= 12):
            return 0
        headers = _unpack_both_headers(data)
        return max(10 + headers[2] - len(data), 0) if self._is_usual(*headers) else 0

    @property
    def is_between_pdus(self) -> bool:
        """Whether the next byte begins a PDU."""
        return not (self._pdu_left or self._pdv_left or self._partial or self._pdu_type or self._skip)

    @property
    def expects_data(self) -> bool:
        """Whether P-DATA-TF is welcome. If no longer, the rest of the one that is arriving is skipped."""
        return self._expects_data

    @expects_data.setter
    def expects_data(self, expected: bool) -> None:
        self._expects_data = expected
        left = self._pdv_left + self._pdu_left
        if left and not expected:
            self._skip = left - len(self._partial)
            self._partial.clear()
            self._pdv_left = self._pdu_left = 0

    def next(self) -> PresentationDataValue | ReceivedPDU | Violation | None:
        """The next thing that arrived, or None if more bytes are needed."""
        if self._pdv_left:
            return self._hand_on()
        position = self._position
        if position == self._end and not self._pdu_left:
            return None  # the rest of a PDU may be too short for a value, which is told before it comes
        # The usual case: a P-DATA-TF begins, both headers are in the buffer and their values are good.
        in_parts = self._pdu_left or self._partial or self._pdu_type or self._skip or self._broken
        if self._expects_data and self._end - position >= 12 and not in_parts:
            headers = _unpack_both_headers(self._view, position)
            if self._is_usual(*headers):
                _, pdu_length, pdv_length, self._context_id, self._control = headers
                self._position = position + 12
                self._pdu_left = pdu_length - 4 - pdv_length
                self._pdv_left = pdv_length - 2
                return self._hand_on()
        return self._next_in_parts()

    def _is_usual(self, pdu_type: int, pdu_length: int, pdv_length: int, context_id: int, _: int) -> bool:
        """Whether these headers begin a P-DATA-TF with a value that may come."""
        return (
            pdu_type == _P_DATA_TF
            and pdu_length <= self._max_p_data_length
            and 2 < pdv_length <= pdu_length - 4
            and context_id in self.accepted_contexts
        )

    def _hand_on(self) -> PresentationDataValue | None:
        """What has arrived of the current presentation data value."""
        start, left, control = self._position, self._pdv_left, self._control
        stop = start + left
        if stop <= self._end:
            self._position, self._pdv_left = stop, 0
            if not control:
                stop, control = self._join(stop)
            return PresentationDataValue(self._context_id, control & 1 == 1, control & 2 == 2, self._view[start:stop])
        stop = self._position = self._end
        if start == stop:
            self._starved = True
            return None
        self._pdv_left = left - (stop - start)
        return PresentationDataValue(self._context_id, control & 1 == 1, False, self._view[start:stop])

    def _join(self, stop: int) -> tuple[int, int]:
        """Move the whole short values that follow, each in a PDU of its own, to ``stop``.

        Returns where they end, and the message control header of the last one.
        """
        view, control = self._view, 0
        while not (control or self._pdu_left or self._end - self._position < 12 or view.readonly):
            headers = _unpack_both_headers(view, self._position)
            _, pdu_length, pdv_length, context_id, control_header = headers
            length, start = pdv_length - 2, self._position + 12
            is_like = context_id == self._context_id and control_header in _OF_DATA_SET and pdu_length == pdv_length + 4
            if not (is_like and self._is_usual(*headers)) or length > min(_MOVED_BYTES, self._end - start):
                break
            view[stop : stop + length] = view[start : start + length]
            stop, control, self._position = stop + length, control_header, start + length
        return stop, control

    def _next_in_parts(self) -> PresentationDataValue | ReceivedPDU | Violation | None:
        """One header or body at a time, for whatever is not the usual case."""
        self._starved = self._broken
        while not self._starved:
            found = self._step()
            if type(found) is Violation:
                self.discard()
            if found is not None:
                return found
        return None

    def _step(self) -> PresentationDataValue | ReceivedPDU | Violation | None:
        if self._skip:
            self._skip_data()
            return None
        if self._pdv_left:
            return self._hand_on()
        if self._pdu_left:
            return self._begin_pdv()
        if self._pdu_type:
            return self._finish_pdu()
        return self._begin_pdu()

    def _begin_pdu(self) -> ReceivedPDU | Violation | None:
        header = self._take(_PDU_HEADER.size)
        if header is None:
            return None
        pdu_type, length = _PDU_HEADER.unpack(header)
        if pdu_type not in facts.PDU_TYPES:
            foreign = describe_foreign(bytes(header))
            text = f"PDU type {pdu_type:02X}H does not exist{foreign and f': {foreign}'}"
            return Violation(facts.ABORT_UNRECOGNIZED_PDU, text)
        if pdu_type == _P_DATA_TF:
            return self._begin_p_data(length)
        if pdu_type in _COLLECTED_LONG:
            if length > MAX_ASSOCIATE_LENGTH:
                name = facts.PDU_TYPES[pdu_type]
                return _make_violation(f"{name} of {length} bytes, at most {MAX_ASSOCIATE_LENGTH} are taken")
        elif length != _SHORT_LENGTH:
            return _make_violation(f"{facts.PDU_TYPES[pdu_type]} of {length} bytes instead of {_SHORT_LENGTH}")
        self._pdu_type, self._needed = pdu_type, length
        return None

    def _begin_p_data(self, length: int) -> ReceivedPDU | Violation | None:
        if not self._expects_data:
            self._skip = length
            return ReceivedPDU(_P_DATA_TF, b"")
        if length > self._max_p_data_length:
            return _make_violation(f"P-DATA-TF of {length} bytes, at most {self._max_p_data_length} are taken")
        if length < _PDV_HEADER.size:
            return _make_violation(f"P-DATA-TF of {length} bytes has no presentation data value")
        self._pdu_left = length
        return None

    def _begin_pdv(self) -> PresentationDataValue | Violation | None:
        if self._pdu_left < _PDV_HEADER.size:
            return _make_violation("P-DATA-TF ends inside the header of a presentation data value")
        header = self._take(_PDV_HEADER.size)
        if header is None:
            return None
        length, context_id, control = _PDV_HEADER.unpack(header)
        if not 2 <= length <= self._pdu_left - 4:
            return _make_violation(f"presentation data value of length {length} in {self._pdu_left} bytes of P-DATA-TF")
        if context_id not in self.accepted_contexts:
            return _make_violation(f"presentation data value for context {context_id}, which was not accepted")
        self._pdu_left -= length + 4
        self._pdv_left = length - 2
        self._context_id, self._control = context_id, control
        if not self._pdv_left:
            return PresentationDataValue(context_id, control & 1 == 1, control & 2 == 2, _EMPTY)
        return None

    def _finish_pdu(self) -> ReceivedPDU | None:
        body = self._take(self._needed)
        if body is None:
            return None
        pdu = ReceivedPDU(self._pdu_type, bytes(body))
        self._pdu_type = 0
        return pdu

    def _skip_data(self) -> None:
        skipped = min(self._skip, self._end - self._position)
        self._skip -= skipped
        self._position += skipped
        self._starved = self._skip > 0

    def _take(self, length: int) -> memoryview | bytearray | None:
        """``length`` bytes in one piece, or None after keeping what there is of them."""
        start = self._position
        stop = self._position = min(start + length - len(self._partial), self._end)
        if stop - start == length:
            return self._view[start:stop]
        self._partial += self._view[start:stop]
        if len(self._partial) < length:
            self._starved = True
            return None
        whole, self._partial = self._partial, bytearray()
        return whole


def _make_violation(text: str) -> Violation:
    return Violation(facts.ABORT_INVALID_PDU_PARAMETER_VALUE, text)
