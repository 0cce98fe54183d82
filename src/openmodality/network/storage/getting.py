"""The sub-operations of a C-GET: files over the association on which they were asked for (PS3.4 C.4.3).

One request at a time; a C-CANCEL that comes between two responses is seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from openmodality.dimse.channel import Channel
from openmodality.dimse.command import Command
from openmodality.dimse.request_response import send_request
from openmodality.dimse.service import Cancelled
from openmodality.dimse.status import StatusCategory
from openmodality.errors import ObjectInvalid, ProtocolError
from openmodality.network.storage.instances import FileInstance, read_instance
from openmodality.network.storage.moving import DAMAGED, StoredFile
from openmodality.network.storage.reader import InstanceReader
from openmodality.network.storage.sent import SendOptions
from openmodality.query.moving import SubOperation
from openmodality.services.storage import make_store_command, read_store_response
from openmodality.services.storage_plan import choose_context
from openmodality.standard.dimse import CommandField


class ChannelTransfer:
    """Fulfils :class:`openmodality.query.moving.Transfer`; ``message_id`` is that of the C-GET."""

    def __init__(
        self,
        files: Sequence[StoredFile],
        channel: Channel,
        message_id: int,
        reader: InstanceReader,
        options: SendOptions,
    ) -> None:
        self._files = files
        self._channel = channel
        self._message_id = message_id
        self._reader = reader
        self._options = options
        self.reason = ""

    @property
    def sop_instance_uids(self) -> Sequence[str]:
        """The instances that match."""
        return [file.sop_instance_uid for file in self._files]

    def perform(self) -> Iterator[tuple[str, SubOperation]]:
        """Send one instance after the other. Raises :class:`Cancelled` where the requestor has asked to stop."""
        for file in self._files:
            try:
                instance = read_instance(file.path)
                is_cancelled, ended = self._send(instance)
            except ObjectInvalid:
                self.reason = DAMAGED
                is_cancelled, ended = False, SubOperation.FAILED
            yield file.sop_instance_uid, ended
            if is_cancelled:
                raise Cancelled

    def _send(self, instance: FileInstance) -> tuple[bool, SubOperation]:
        channel = self._channel
        context = choose_context(channel.contexts, instance.kind)
        if context is None:
            self.reason = f"no presentation context lets this side send {instance.identity.sop_class_uid}"
            return False, SubOperation.FAILED
        command = make_store_command(instance.identity, priority=self._options.priority)
        with self._reader.data_set(instance, context.transfer_syntax) as data:
            message_id = send_request(channel, context.context_id, command, data)
        is_cancelled, answer = self._await(message_id)
        result = read_store_response(answer, self._options.judge)
        if not result.verdict.is_done:
            self.reason = f"the requestor answered {result.status:04X} {result.verdict.meaning}"
            return is_cancelled, SubOperation.FAILED
        is_warning = result.verdict.category is StatusCategory.WARNING
        return is_cancelled, SubOperation.WARNING if is_warning else SubOperation.COMPLETED

    def _await(self, message_id: int) -> tuple[bool, Command]:
        """Wait for the response to a C-STORE; whether a C-CANCEL of the C-GET came before it."""
        is_cancelled = False
        while True:
            message = self._channel.receive()
            command = message.command
            if command.CommandField == CommandField.C_CANCEL_RQ:
                is_cancelled = is_cancelled or command.MessageIDBeingRespondedTo == self._message_id
            elif not command.is_response:
                self._channel.answer(message)
            elif command.MessageIDBeingRespondedTo == message_id and command.Status is not None:
                return is_cancelled, command
            else:
                raise ProtocolError(f"{command.name} arrived that answers no open request or has no Status")
