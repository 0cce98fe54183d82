"""What an association writes: messages at once, but responses that nobody waits for together with those that follow.

A peer that has sent its next request already, within an asynchronous operations window, does not wait for the response
to the one before. Such a response is held until the socket has to be read, and goes out with others in one write: this
saves half of the system calls of a receiver on a fast link, and half of the wake-ups of its sender.
"""

from __future__ import annotations

from typing import Final

from openmodality.buffer import Buffer
from openmodality.dimse.outgoing import Prepared
from openmodality.network.transport import Transport

MAX_HELD: Final = 8
"""The most responses that are held."""
SHORT_PDU_BYTES: Final = 64 * 1024
"""A peer that takes shorter PDUs reads them one by one, and can begin while the rest is on its way."""
_ONE_PDU: Final = 2  # its headers and what it carries


class Outbox:
    """The writing half of an association. Raises what :meth:`openmodality.network.transport.Transport.write` raises."""

    def __init__(self, transport: Transport, max_pdu_length: int, timeout_s: float | None) -> None:
        self._transport = transport
        self._is_short = 0 < max_pdu_length < SHORT_PDU_BYTES
        self._timeout_s = timeout_s
        self._held: list[Buffer] = []
        self.count = 0
        """How many responses are held."""

    def hold(self, response: Prepared) -> None:
        """Keep a response without data set for the next write."""
        self._held += response.command_buffers
        self.count += 1

    def send(self, message: Prepared) -> None:
        """Write what is held, and the message, reading the rest of its data set as it goes."""
        self.begin(message)
        self.finish(message)

    def begin(self, message: Prepared) -> None:
        """Write what is held, and what is ready of the message."""
        write, timeout_s, first = self._transport.write, self._timeout_s, message.first
        at_once = _ONE_PDU if self._is_short else len(first)
        write(self._release(message.command_buffers) + first[:at_once], timeout_s)
        if at_once < len(first):
            write(first[at_once:], timeout_s)

    def finish(self, message: Prepared) -> None:
        """Write the rest of a message that was begun."""
        for buffers in message.rest:
            self._transport.write(buffers, self._timeout_s)

    def flush(self, data: bytes = b"") -> None:
        """Write what is held, and the PDUs of ``data``."""
        buffers = self._release([data] if data else [])
        if buffers:
            self._transport.write(buffers, self._timeout_s)

    def _release(self, more: list[Buffer]) -> list[Buffer]:
        if not self.count:
            return more
        held, self._held, self.count = self._held, [], 0
        return held + more
