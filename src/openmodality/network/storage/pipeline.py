"""Instances through one association: each is ready before its turn, and each gets its result (RF-4.2.1, MR-3.2.3)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from openmodality.dimse.channel import PresentationContext
from openmodality.dimse.command import Command
from openmodality.dimse.outgoing import DataSet, Prepared
from openmodality.dimse.request_response import Outstanding
from openmodality.errors import NoPresentationContext, ObjectInvalid, OpenModalityError
from openmodality.network.association import Association
from openmodality.network.storage.instances import FileInstance
from openmodality.network.storage.reader import InstanceReader
from openmodality.network.storage.sent import SendOptions, Sent, explain_not_answered, explain_not_sent
from openmodality.services.storage import make_store_command, read_store_response
from openmodality.services.storage_plan import Kind, choose_context
from openmodality.standard.dimse import Status
from openmodality.standard.sop_classes import describe_storage
from openmodality.standard.transfer_syntaxes import TRANSFER_SYNTAXES


class StorePipeline:
    """Instances through one association: the next is made ready while the peer works on the one before.

    Where the peer agreed to an asynchronous operations window, so many requests are open at once; else the next one
    waits for the response, but it is read, checked and cut into PDUs already, and what the response means is looked at
    when the next is on its way: between a response and the next request the peer has nothing to do. ``end`` is what
    ended the association early.
    """

    def __init__(
        self,
        association: Association,
        reader: InstanceReader,
        options: SendOptions,
        refused: list[FileInstance] | None,
        *,
        one_at_a_time: bool = False,
    ) -> None:
        self.end: Sent | None = None
        self._association = association
        self._reader = reader
        self._options = options
        self._refused = refused
        self._success_is_done = options.judge(Status.SUCCESS).is_done
        self._window = 1 if options.stop_on_failure or one_at_a_time else association.max_operations_invoked
        self._outstanding = Outstanding(association)
        self._in_flight: deque[tuple[int, FileInstance]] = deque()
        self._contexts: dict[Kind, PresentationContext | None] = {}

    def send(self, left: deque[FileInstance]) -> Iterator[Sent]:
        """Take instances from the left until there is none or the association has ended; a result for each taken.

        When a file of ours breaks off and the association with it, those without a response are put back.
        """
        while left and self.end is None:
            yield from self._send_one(left.popleft())
        unanswered = []
        while self._in_flight:
            sent = self._finish_oldest()
            if sent.result is None and self.is_broken_by_file:
                unanswered.append(sent.instance)
            else:
                yield sent
        left.extendleft(reversed(unanswered))

    @property
    def is_broken_by_file(self) -> bool:
        """Whether it was not the peer, nor the connection, that ended the association."""
        return self.end is not None and isinstance(self.end.error, ObjectInvalid)

    def _send_one(self, instance: FileInstance) -> Iterator[Sent]:
        context = self._choose_context(instance.kind)
        if context is None and self._refused is not None:
            self._refused.append(instance)
            return
        if context is None:
            yield from self._pass_over(Sent(instance, error=_explain_no_context(self._association, instance)))
            return
        stored: list[tuple[FileInstance, Command]] = []  # looked at when the next is on its way
        failure: Sent | None = None
        try:
            with self._reader.data_set(instance, context.transfer_syntax) as data:
                request = self._prepare(instance, context, data)
                while len(self._in_flight) >= self._window:
                    oldest, answer = self._await_oldest()
                    if isinstance(answer, Command) and answer.Status == 0 and self._success_is_done:
                        stored.append((oldest, answer))
                    else:
                        yield self._make_result(oldest, answer)  # at once: for what it says, the caller may end it here
                if self.end is None:
                    self._in_flight.append((self._outstanding.send(request), instance))
                else:
                    failure = Sent(instance, error=explain_not_sent(self.end))
        except OpenModalityError as error:
            failure = Sent(instance, error=error)
            if not (self._association.is_open and isinstance(error, ObjectInvalid)):
                self._end_with(failure)
        for oldest, answer in stored:
            yield self._make_result(oldest, answer)
        if failure is not None:
            yield from self._pass_over(failure) if self.end is None else (failure,)

    def _prepare(self, instance: FileInstance, context: PresentationContext, data: DataSet) -> Prepared:
        command = make_store_command(instance.identity, self._options.originator, self._options.priority)
        request = self._outstanding.prepare(context.context_id, command, data)
        if self._window == 1 and self._in_flight and self._success_is_done:
            self._association.follow_up(request, self._in_flight[0][0])
        return request

    def _choose_context(self, kind: Kind) -> PresentationContext | None:
        if kind not in self._contexts:
            self._contexts[kind] = choose_context(self._association.contexts, kind)
        return self._contexts[kind]

    def _pass_over(self, sent: Sent) -> Iterator[Sent]:
        """An instance of which nothing has gone out: the others go on, or are finished before it is the end."""
        if self._options.stop_on_failure:
            while self._in_flight:
                yield self._finish_oldest()
            if self.end is None:
                self._end_with(sent)
        yield sent

    def _finish_oldest(self) -> Sent:
        """Also after the end: responses that had arrived by then are given out."""
        return self._make_result(*self._await_oldest())

    def _await_oldest(self) -> tuple[FileInstance, Command | OpenModalityError]:
        message_id, instance = self._in_flight.popleft()
        try:
            return instance, self._outstanding.await_response(message_id, timeout_s=self._options.response_timeout_s)
        except OpenModalityError as error:
            return instance, error

    def _make_result(self, instance: FileInstance, answer: Command | OpenModalityError) -> Sent:
        if isinstance(answer, OpenModalityError):
            if self.end is not None:
                return Sent(instance, error=explain_not_answered(self.end))
            return self._end_with(Sent(instance, error=answer))
        sent = Sent(instance, result=read_store_response(answer, self._options.judge))
        if self._options.stop_on_failure and not sent.is_stored and self.end is None:
            self._end_with(sent)
        return sent

    def _end_with(self, sent: Sent) -> Sent:
        self.end = sent
        self._association.abort()
        return sent


def _explain_no_context(association: Association, instance: FileInstance) -> NoPresentationContext:
    syntax = TRANSFER_SYNTAXES.get(instance.transfer_syntax)
    return NoPresentationContext(
        f"{association.peer.called_ae_title} accepted no presentation context for SOP Class"
        f" {describe_storage(instance.identity.sop_class_uid)} in transfer syntax"
        f" {instance.transfer_syntax if syntax is None else syntax.name}",
        advice="check which SOP Classes and transfer syntaxes the peer stores",
    )
