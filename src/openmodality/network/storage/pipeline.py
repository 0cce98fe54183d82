"""Storage SCU for many files: plan the associations, send each instance, say what became of it (RF-4.2.1, MR-3.2.3).

Every instance that is asked for gets exactly one :class:`Sent`, whatever happens: a file that is none, a peer that
takes no such SOP Class, a status, an association that breaks. The caller decides whether a failure ends the rest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from openmodality.dimse.channel import PresentationContext
from openmodality.dimse.command import Command
from openmodality.dimse.exchange import Outstanding
from openmodality.dimse.outgoing import DataSet, Prepared
from openmodality.dimse.verdict import Judge
from openmodality.errors import (
    AssociationRejected,
    NoPresentationContext,
    ObjectInvalid,
    OpenModalityError,
    TransportError,
)
from openmodality.network.association import Association
from openmodality.network.storage.instances import FileInstance, InstanceReader
from openmodality.services.storage import STORE_JUDGE, MoveOriginator, StoreResult, read_store_response, store_command
from openmodality.services.storage_plan import AssociationPlan, Kind, choose, plan
from openmodality.standard.dimse import Status

Associate = Callable[[AssociationPlan], Association]
"""Opens an association with the contexts of a plan; raises what :func:`network.requestor.associate` raises."""


_OF_ONE_INSTANCE: Final = (ObjectInvalid, NoPresentationContext)
"""Errors that say nothing of the peer or the connection; trying again does not help."""


class Sent(NamedTuple):
    """What became of one instance: the peer's answer, or the error for which there is none."""

    instance: FileInstance
    result: StoreResult | None = None
    error: OpenModalityError | None = None

    @property
    def is_stored(self) -> bool:
        """Whether the peer has it."""
        return self.result is not None and self.result.verdict.is_done

    @property
    def is_transient(self) -> bool:
        """Whether trying again later may help, without anybody changing anything."""
        if self.result is not None:
            return self.result.verdict.is_transient
        if isinstance(self.error, AssociationRejected):
            return self.error.transient
        return not isinstance(self.error, _OF_ONE_INSTANCE)


@dataclass(frozen=True, slots=True)
class SendOptions:
    """How instances are sent to a peer."""

    transfer_syntaxes: Sequence[str] = ()
    """Uncompressed transfer syntaxes to propose, in order; empty: what fits the files."""
    response_timeout_s: float | None = None
    stop_on_failure: bool = False
    """Abort the association at the first instance that is not stored, for whatever reason (RF-4.2.1.3.1.3)."""
    judge: Judge = STORE_JUDGE
    """What the peer's statuses mean: by default what the standard says."""
    originator: MoveOriginator | None = None


DEFAULT_OPTIONS: Final = SendOptions()


def send(
    associate: Associate,
    instances: Iterable[FileInstance],
    reader: InstanceReader,
    options: SendOptions = DEFAULT_OPTIONS,
) -> Iterator[Sent]:
    """Send instances and yield one :class:`Sent` for each, as it becomes known what became of it.

    The order is that of the plan's associations, and in each that of the instances; only one that cannot be sent at all
    may overtake those that wait for their responses. What the peer accepts no presentation context for is offered once
    more, behind the others and on an association of its own: some peers accept other contexts the next time.
    """
    return _Sending(associate, reader, options).send(instances)


class _Sending:
    """The associations of one call of :func:`send`, one after the other."""

    def __init__(self, associate: Associate, reader: InstanceReader, options: SendOptions) -> None:
        self._associate = associate
        self._reader = reader
        self._options = options
        self._refused: list[FileInstance] | None = []
        """Without a presentation context so far; ``None`` when they have been offered once more."""
        self._end: Sent | None = None
        """What ends all sending: the first failure where it is to be the last."""
        self._loss: Sent | None = None
        """What an association has ended for, other than a file of ours."""

    def send(self, instances: Iterable[FileInstance]) -> Iterator[Sent]:
        yield from self._over_associations(list(instances))
        refused, self._refused = self._refused, None
        cause = self._end or self._loss
        if refused and cause is None:
            yield from self._over_associations(refused)
        elif refused:
            yield from (Sent(instance, error=_not_sent(cause)) for instance in refused)

    def _over_associations(self, waiting: Sequence[FileInstance]) -> Iterator[Sent]:
        for association_plan in plan((instance.kind for instance in waiting), self._options.transfer_syntaxes):
            chosen = [instance for instance in waiting if instance.kind in association_plan.kinds]
            if self._end is None:
                yield from self._as_planned(association_plan, chosen)
            else:
                yield from (Sent(instance, error=_not_sent(self._end)) for instance in chosen)

    def _as_planned(self, association_plan: AssociationPlan, instances: Sequence[FileInstance]) -> Iterator[Sent]:
        """Over one association, or more where a file of ours breaks one off."""
        left = deque(instances)
        while left:
            try:
                association = self._associate(association_plan)
            except OpenModalityError as error:
                yield from self._not_associated(left, error)
                return
            with association:
                pipeline = _Pipeline(association, self._reader, self._options, self._refused)
                yield from pipeline.send(left)
            if self._options.stop_on_failure or not pipeline.is_broken_by_file:
                self._ended(pipeline.end)
                yield from (Sent(other, error=_not_sent(pipeline.end)) for other in left)
                return

    def _not_associated(self, left: deque[FileInstance], error: OpenModalityError) -> Iterator[Sent]:
        if self._refused is not None and isinstance(error, NoPresentationContext):
            self._refused += left
        elif self._options.stop_on_failure:
            end = Sent(left.popleft(), error=error)
            self._ended(end)
            yield end
            yield from (Sent(instance, error=_not_sent(end)) for instance in left)
        else:
            self._ended(Sent(left[0], error=error))
            yield from (Sent(instance, error=error) for instance in left)

    def _ended(self, cause: Sent | None) -> None:
        self._loss = cause
        if self._options.stop_on_failure:
            self._end = cause


class _Pipeline:
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
    ) -> None:
        self.end: Sent | None = None
        self._association = association
        self._reader = reader
        self._options = options
        self._refused = refused
        self._success_is_done = options.judge(Status.SUCCESS).is_done
        self._window = 1 if options.stop_on_failure else association.max_operations_invoked
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
        context = self._context(instance.kind)
        if context is None and self._refused is not None:
            self._refused.append(instance)
            return
        if context is None:
            yield from self._not_sendable(Sent(instance, error=_no_context(self._association, instance)))
            return
        stored: list[tuple[FileInstance, Command]] = []  # looked at when the next is on its way
        failure: Sent | None = None
        try:
            with self._reader.data_set(instance, context.transfer_syntax) as data:
                request = self._prepared(instance, context, data)
                while len(self._in_flight) >= self._window:
                    oldest, answer = self._await_oldest()
                    if isinstance(answer, Command) and answer.Status == 0 and self._success_is_done:
                        stored.append((oldest, answer))
                    else:
                        yield self._finished(oldest, answer)  # at once: for what it says, the caller may end it here
                if self.end is None:
                    self._in_flight.append((self._outstanding.send(request), instance))
                else:
                    failure = Sent(instance, error=_not_sent(self.end))
        except OpenModalityError as error:
            failure = Sent(instance, error=error)
            if not (self._association.is_open and isinstance(error, ObjectInvalid)):
                self._ended(failure)
        for oldest, answer in stored:
            yield self._finished(oldest, answer)
        if failure is not None:
            yield from self._not_sendable(failure) if self.end is None else (failure,)

    def _prepared(self, instance: FileInstance, context: PresentationContext, data: DataSet) -> Prepared:
        command = store_command(instance.identity, self._options.originator)
        request = self._outstanding.prepare(context.context_id, command, data)
        if self._window == 1 and self._in_flight and self._success_is_done:
            self._association.follow_up(request, self._in_flight[0][0])
        return request

    def _context(self, kind: Kind) -> PresentationContext | None:
        if kind not in self._contexts:
            self._contexts[kind] = choose(self._association.contexts, kind)
        return self._contexts[kind]

    def _not_sendable(self, sent: Sent) -> Iterator[Sent]:
        """An instance of which nothing has gone out: the others go on, or are finished before it is the end."""
        if self._options.stop_on_failure:
            while self._in_flight:
                yield self._finish_oldest()
            if self.end is None:
                self._ended(sent)
        yield sent

    def _finish_oldest(self) -> Sent:
        """Also after the end: responses that had arrived by then are given out."""
        return self._finished(*self._await_oldest())

    def _await_oldest(self) -> tuple[FileInstance, Command | OpenModalityError]:
        message_id, instance = self._in_flight.popleft()
        try:
            return instance, self._outstanding.await_response(message_id, timeout_s=self._options.response_timeout_s)
        except OpenModalityError as error:
            return instance, error

    def _finished(self, instance: FileInstance, answer: Command | OpenModalityError) -> Sent:
        if isinstance(answer, OpenModalityError):
            if self.end is not None:
                return Sent(instance, error=_not_answered(self.end))
            return self._ended(Sent(instance, error=answer))
        sent = Sent(instance, result=read_store_response(answer, self._options.judge))
        if self._options.stop_on_failure and not sent.is_stored and self.end is None:
            self._ended(sent)
        return sent

    def _ended(self, sent: Sent) -> Sent:
        self.end = sent
        self._association.abort()
        return sent


def _not_sent(cause: Sent | None) -> OpenModalityError:
    if cause is not None and cause.error is not None and not isinstance(cause.error, _OF_ONE_INSTANCE):
        return TransportError(f"not sent, because the association ended: {cause.error}", advice=cause.error.advice)
    return TransportError("not sent, because an instance before it failed")


def _not_answered(cause: Sent) -> OpenModalityError:
    why = "an instance after it failed" if cause.error is None else f"the association ended: {cause.error}"
    return TransportError(
        f"sent, but not answered, because {why}", advice="the peer may have it; send it again to be sure"
    )


def _no_context(association: Association, instance: FileInstance) -> NoPresentationContext:
    return NoPresentationContext(
        f"{association.peer.called_ae_title} accepted no presentation context for SOP Class"
        f" {instance.identity.sop_class_uid} in transfer syntax {instance.transfer_syntax}",
        advice="check which SOP Classes and transfer syntaxes the peer stores",
    )
