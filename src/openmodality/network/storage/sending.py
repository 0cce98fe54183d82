"""Storage SCU for many files: plan the associations, send each instance, say what became of it (RF-4.2.1, MR-3.2.3).

Every instance that is asked for gets exactly one :class:`Sent`, whatever happens: a file that is none, a peer that
takes no such SOP Class, a status, an association that breaks. The caller decides whether a failure ends the rest.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from openmodality.errors import NoPresentationContext, OpenModalityError
from openmodality.network.association import Association
from openmodality.network.storage.instances import FileInstance
from openmodality.network.storage.pipeline import StorePipeline
from openmodality.network.storage.reader import InstanceReader
from openmodality.network.storage.sent import DEFAULT_OPTIONS, SendOptions, Sent, explain_not_sent
from openmodality.services.storage_plan import AssociationPlan, plan_associations

Associate = Callable[[AssociationPlan], Association]
"""Opens an association with the contexts of a plan; raises what :func:`network.requestor.associate` raises."""


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
        yield from self._send_over_associations(list(instances))
        refused, self._refused = self._refused, None
        cause = self._end or self._loss
        if refused and cause is None:
            yield from self._send_over_associations(refused)
        elif refused:
            yield from (Sent(instance, error=explain_not_sent(cause)) for instance in refused)

    def _send_over_associations(self, waiting: Sequence[FileInstance]) -> Iterator[Sent]:
        for association_plan in plan_associations(
            (instance.kind for instance in waiting), self._options.transfer_syntaxes
        ):
            chosen = [instance for instance in waiting if instance.kind in association_plan.kinds]
            if self._end is None:
                yield from self._send_planned(association_plan, chosen)
            else:
                yield from (Sent(instance, error=explain_not_sent(self._end)) for instance in chosen)

    def _send_planned(self, association_plan: AssociationPlan, instances: Sequence[FileInstance]) -> Iterator[Sent]:
        """Over one association, or more where a file of ours breaks one off."""
        left = deque(instances)
        while left:
            try:
                association = self._associate(association_plan)
            except OpenModalityError as error:
                yield from self._give_up(left, error)
                return
            with association:
                pipeline = StorePipeline(association, self._reader, self._options, self._refused)
                yield from pipeline.send(left)
            if self._options.stop_on_failure or not pipeline.is_broken_by_file:
                self._end_with(pipeline.end)
                yield from (Sent(other, error=explain_not_sent(pipeline.end)) for other in left)
                return

    def _give_up(self, left: deque[FileInstance], error: OpenModalityError) -> Iterator[Sent]:
        if self._refused is not None and isinstance(error, NoPresentationContext):
            self._refused += left
        elif self._options.stop_on_failure:
            end = Sent(left.popleft(), error=error)
            self._end_with(end)
            yield end
            yield from (Sent(instance, error=explain_not_sent(end)) for instance in left)
        else:
            self._end_with(Sent(left[0], error=error))
            yield from (Sent(instance, error=error) for instance in left)

    def _end_with(self, cause: Sent | None) -> None:
        self._loss = cause
        if self._options.stop_on_failure:
            self._end = cause
