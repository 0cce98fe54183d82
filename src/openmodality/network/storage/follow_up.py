"""The next request of a sender goes out as soon as the response to the one before is seen to say Success.

Between a response and the next request the peer has nothing to do. To read a response as everything is read takes
longer than to see at a glance that it is what nearly all are; so the request is written first, and the response read
afterwards, by the usual way. The asynchronous operations window is kept: the whole response is here, be it in two
parts, as DCMTK writes it. Where a glance does not tell, nothing happens, and the request goes out when the response
has been read.

What goes wrong in the write is kept until the request's turn comes, because the response lies in the receive buffer.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

from openmodality.dimse.outgoing import Prepared
from openmodality.errors import OpenModalityError
from openmodality.network.outbox import Outbox
from openmodality.standard.dimse import NO_DATA_SET, CommandField, Status
from openmodality.standard.upper_layer import PDU_P_DATA_TF

_HEADERS: Final = Struct(">BxLLBB")
_ELEMENTS: Final = Struct("<" + "HHLH" * 4)
_LAST_OF_COMMAND: Final = 0x03
_LONGEST: Final = 1024
"""Bytes of a response that are kept until the rest comes; a Success has less than 300."""


class FollowUp:
    """At most one request waits for its predecessor's response."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._waiting: Prepared | None = None
        self._begun: Prepared | None = None
        self._success = b""
        self._failure: OpenModalityError | None = None
        self._seen = b""  # of a response that has come in part

    @property
    def is_planned(self) -> bool:
        """Whether a request waits."""
        return self._waiting is not None

    def plan(self, request: Prepared, message_id: int) -> None:
        """Let ``request`` go out behind the response to the C-STORE request ``message_id``."""
        self._waiting, self._success, self._seen = request, success_elements(message_id), b""

    def look_at(self, received: memoryview, *, begins: bool) -> None:
        """Write the beginning of what waits, if the response is here and Success.

        ``begins``: the bytes begin with a PDU, rather than in the middle of the one that was looked at last.
        """
        if self._waiting is None:
            return
        response = received if begins else self._seen + received
        if not is_success(response, self._success):
            self._seen = bytes(response[:_LONGEST])
            return
        self._begun, self._waiting = self._waiting, None
        try:
            self._outbox.begin(self._begun)
        except OpenModalityError as error:
            self._failure = error

    def takes(self, request: Prepared) -> bool:
        """Whether the request has been begun here; its turn has come, and nothing waits any more."""
        self.drop()
        return self._begun is request

    def drop(self) -> None:
        """Forget what waits."""
        self._waiting = None

    def finish(self, request: Prepared) -> None:
        """Write the rest of the request that was begun. Raises the error of the beginning where that has failed."""
        failure, self._failure, self._begun = self._failure, None, None
        if failure is not None:
            raise failure
        self._outbox.finish(request)


def success_elements(message_id: int) -> bytes:
    """Command Field to Status of the C-STORE response Success, which follow one another (PS3.7 Table 9.3-2)."""
    return _ELEMENTS.pack(
        *(0, 0x0100, 2, CommandField.C_STORE_RSP),
        *(0, 0x0120, 2, message_id),
        *(0, 0x0800, 2, NO_DATA_SET),
        *(0, 0x0900, 2, Status.SUCCESS),
    )


def is_success(received: memoryview | bytes, elements: bytes) -> bool:
    """Whether the bytes are one P-DATA-TF with one whole command set that has these elements."""
    size = len(received)
    if size < _HEADERS.size:
        return False
    pdu_type, pdu_length, value_length, _, control = _HEADERS.unpack_from(received)
    is_one = pdu_type == PDU_P_DATA_TF and pdu_length == size - 6 and value_length == size - 10
    return is_one and control & _LAST_OF_COMMAND == _LAST_OF_COMMAND and elements in bytes(received[_HEADERS.size :])
