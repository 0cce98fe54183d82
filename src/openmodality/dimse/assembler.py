"""From presentation data values to messages (PS3.7 6.3.1, PS3.8 Annex E).

Rules: a message is a command set and, if its Command Data Set Type says so, one data set on the same presentation
context. Command fragments are collected, with a bound; data fragments are passed on as they come, never collected here.
A request has a Message ID, because its response has to name it. Anything else breaks the protocol.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from openmodality.dimse.command import Command, decode_command
from openmodality.errors import ProtocolError
from openmodality.standard.dimse import CommandField
from openmodality.upper_layer.primitives import PresentationDataValue

MAX_COMMAND_LENGTH: Final = 64 * 1024
"""Bytes of a command set that are collected; the largest real ones (long attribute lists) stay far below."""


class CommandReceived(NamedTuple):
    """A whole command set has arrived on a presentation context."""

    context_id: int
    command: Command


class MessageAssembler:
    """Turns fragments of commands into :class:`CommandReceived`, and lets those of data sets pass where they belong."""

    def __init__(self) -> None:
        self._command = bytearray()
        self._command_context: int | None = None
        self._data_context: int | None = None
        self._last = b""
        self._last_decoded: Command | None = None

    @property
    def in_message(self) -> bool:
        """Whether a message has begun and not ended."""
        return self._command_context is not None or self._data_context is not None

    def receive(self, fragment: PresentationDataValue) -> CommandReceived | PresentationDataValue | None:
        """Take one fragment; ``None`` when the command set needs more, the fragment itself if it is of a data set.

        Raises :class:`ProtocolError` where the fragment has no place here.
        """
        context_id, is_command, is_last, data = fragment
        if not is_command:
            if context_id != self._data_context:
                raise ProtocolError("a data set fragment arrived that no command set announced")
            if is_last:
                self._data_context = None
            return fragment
        raw = self._assemble_command(context_id, is_last, data)
        return None if raw is None else self._begin_message(context_id, self._decode(raw))

    def _assemble_command(self, context_id: int, is_last: bool, data: memoryview) -> bytes | None:
        if self._data_context is not None:
            raise ProtocolError("a command set arrived in the middle of a data set")
        if self._command_context is None:
            self._command_context = context_id
        elif self._command_context != context_id:
            raise ProtocolError("a command set changed its presentation context")
        if len(self._command) + len(data) > MAX_COMMAND_LENGTH:
            raise ProtocolError(f"a command set is longer than {MAX_COMMAND_LENGTH} bytes")
        if is_last and not self._command:
            self._command_context = None
            return bytes(data)  # in one piece, as it nearly always comes
        self._command += data
        if not is_last:
            return None
        raw, self._command = bytes(self._command), bytearray()
        self._command_context = None
        return raw

    def _decode(self, raw: bytes) -> Command:
        """Decode a command set; the pending responses of a query are all the same, and are decoded once."""
        if raw != self._last or self._last_decoded is None:
            self._last_decoded, self._last = decode_command(raw), raw
        return self._last_decoded

    def _begin_message(self, context_id: int, command: Command) -> CommandReceived:
        if command.MessageID is None and not command.is_response and command.CommandField != CommandField.C_CANCEL_RQ:
            raise ProtocolError("a request has no Message ID (0000,0110)")
        if command.has_data_set:
            self._data_context = context_id
        return CommandReceived(context_id, command)
