"""From presentation data values to messages (PS3.7 6.3.1, PS3.8 Annex E).

Rules: a message is a command set and, if its Command Data Set Type says so, one data set on the same presentation
context. Command fragments are collected, with a bound; data fragments are passed on as they come, never collected here.
A request has a Message ID, because its response has to name it. Anything else breaks the protocol.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from openmodality.dimse.command import Command, decode
from openmodality.errors import ProtocolError
from openmodality.standard.dimse import CommandField

MAX_COMMAND_LENGTH: Final = 64 * 1024
"""Bytes of a command set that are collected; the largest real ones (long attribute lists) stay far below."""


class Fragment(Protocol):
    """A presentation data value or a part of one, as :mod:`openmodality.upper_layer` yields it."""

    @property
    def context_id(self) -> int: ...
    @property
    def is_command(self) -> bool: ...
    @property
    def is_last(self) -> bool: ...
    @property
    def data(self) -> memoryview: ...


@dataclass(frozen=True, slots=True)
class CommandReceived:
    """A whole command set has arrived on a presentation context."""

    context_id: int
    command: Command


@dataclass(frozen=True, slots=True)
class DataReceived:
    """A part of the data set; ``data`` is valid until the next bytes are read."""

    data: memoryview
    is_last: bool


class MessageAssembler:
    """Turns fragments into :class:`CommandReceived` and :class:`DataReceived`."""

    def __init__(self) -> None:
        self._command = bytearray()
        self._command_context: int | None = None
        self._data_context: int | None = None

    @property
    def in_message(self) -> bool:
        """Whether a message has begun and not ended."""
        return self._command_context is not None or self._data_context is not None

    def receive(self, fragment: Fragment) -> CommandReceived | DataReceived | None:
        """Take one fragment; ``None`` when the command set needs more.

        Raises :class:`ProtocolError` for a fragment that has no place here.
        """
        if not fragment.is_command:
            if fragment.context_id != self._data_context:
                raise ProtocolError("a data set fragment arrived that no command set announced")
            if fragment.is_last:
                self._data_context = None
            return DataReceived(fragment.data, fragment.is_last)
        return self._receive_command(fragment)

    def _receive_command(self, fragment: Fragment) -> CommandReceived | None:
        if self._data_context is not None:
            raise ProtocolError("a command set arrived in the middle of a data set")
        if self._command_context is None:
            self._command_context = fragment.context_id
        elif self._command_context != fragment.context_id:
            raise ProtocolError("a command set changed its presentation context")
        if len(self._command) + len(fragment.data) > MAX_COMMAND_LENGTH:
            raise ProtocolError(f"a command set is longer than {MAX_COMMAND_LENGTH} bytes")
        self._command += fragment.data
        if not fragment.is_last:
            return None
        command = decode(bytes(self._command))
        self._command.clear()
        self._command_context = None
        if command.MessageID is None and not command.is_response and command.CommandField != CommandField.C_CANCEL_RQ:
            raise ProtocolError("a request has no Message ID (0000,0110)")
        if command.has_data_set:
            self._data_context = fragment.context_id
        return CommandReceived(fragment.context_id, command)
