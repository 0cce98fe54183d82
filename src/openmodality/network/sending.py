"""Storage SCU for many files: plan the associations, send each instance, say what became of it (RF-4.2.1, MR-3.2.3).

Every instance that is asked for gets exactly one :class:`Sent`, whatever happens: a file that is none, a peer that
takes no such SOP
Class, a status, an association that breaks. The caller decides whether a failure ends the rest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from openmodality.errors import (
    AssociationRejected,
    NoPresentationContext,
    ObjectInvalid,
    OpenModalityError,
    TransportError,
)
from openmodality.network.association import Association
from openmodality.network.instances import FileInstance, InstanceReader
from openmodality.services.storage import MoveOriginator, Outcome, StoreResult, outcome_of, store
from openmodality.services.storage_plan import AssociationPlan, choose, plan

Associate = Callable[[AssociationPlan], Association]
"""Opens an association with the contexts of a plan; raises what :func:`network.requestor.associate` raises."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one instance: the peer's answer, or the error for which there is none."""

    instance: FileInstance
    result: StoreResult | None = None
    error: OpenModalityError | None = None

    @property
    def is_stored(self) -> bool:
        """Whether the peer has it."""
        return self.result is not None and self.result.outcome.is_stored

    @property
    def is_transient(self) -> bool:
        """Whether trying again later may help, without anybody changing anything."""
        if self.result is not None:
            return self.result.outcome.is_transient
        if isinstance(self.error, AssociationRejected):
            return self.error.transient
        return not isinstance(self.error, (ObjectInvalid, NoPresentationContext))


@dataclass(frozen=True, slots=True)
class SendOptions:
    """How a peer wants to be sent to."""

    transfer_syntaxes: Sequence[str] = ()
    """Uncompressed transfer syntaxes to propose, in order; empty: what fits the files."""
    response_timeout_s: float | None = None
    stop_on_failure: bool = False
    """Abort the association at the first instance that is not stored (RF-4.2.1.3.1.3), the rest is not sent."""
    status_overrides: Mapping[int, Outcome] | None = None
    originator: MoveOriginator | None = None


DEFAULT_OPTIONS: Final = SendOptions()


def send(
    associate: Associate,
    instances: Iterable[FileInstance],
    reader: InstanceReader,
    options: SendOptions = DEFAULT_OPTIONS,
) -> Iterator[Sent]:
    """Send instances and yield one :class:`Sent` for each, as they are answered; the order is that of the plan."""
    waiting = list(instances)
    for association_plan in plan((instance.kind for instance in waiting), options.transfer_syntaxes):
        chosen = [instance for instance in waiting if instance.kind in association_plan.kinds]
        yield from _send_group(lambda p=association_plan: associate(p), chosen, reader, options)  # type: ignore[misc]


def _send_group(
    associate: Callable[[], Association],
    instances: Sequence[FileInstance],
    reader: InstanceReader,
    options: SendOptions,
) -> Iterator[Sent]:
    left = deque(instances)
    while left:
        try:
            association = associate()
        except OpenModalityError as error:
            yield from (Sent(instance, error=error) for instance in left)
            return
        sent = None
        with association:
            while left and association.is_open:
                sent = _send_one(association, left.popleft(), reader, options)
                yield sent
                if options.stop_on_failure and not sent.is_stored:
                    association.abort()
        if sent is None or not isinstance(sent.error, ObjectInvalid):  # a broken file of ours is not the peer's fault
            yield from (Sent(other, error=_not_sent(sent)) for other in left)
            return


def _not_sent(cause: Sent | None) -> OpenModalityError:
    if cause is not None and cause.error is not None:
        return TransportError(f"not sent, because the association ended: {cause.error}", advice=cause.error.advice)
    return TransportError("not sent, because an instance before it failed")


def _send_one(association: Association, instance: FileInstance, reader: InstanceReader, options: SendOptions) -> Sent:
    context = choose(association.contexts, instance.kind)
    if context is None:
        return Sent(instance, error=_no_context(association, instance))
    try:
        with reader.data_set(instance, context.transfer_syntax) as data:
            result = store(
                association,
                context,
                instance.identity,
                data,
                originator=options.originator,
                timeout_s=options.response_timeout_s,
            )
    except ObjectInvalid as error:
        return Sent(instance, error=error)
    except OpenModalityError as error:
        association.abort()
        return Sent(instance, error=error)
    if options.status_overrides:
        result = replace(result, outcome=outcome_of(result.status, options.status_overrides))
    return Sent(instance, result=result)


def _no_context(association: Association, instance: FileInstance) -> NoPresentationContext:
    return NoPresentationContext(
        f"{association.peer.called_ae_title} accepted no presentation context for SOP Class"
        f" {instance.identity.sop_class_uid} in transfer syntax {instance.transfer_syntax}",
        advice="check which SOP Classes and transfer syntaxes the peer stores",
    )
