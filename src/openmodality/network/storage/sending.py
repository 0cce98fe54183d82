"""Storage SCU for many files: plan the associations, send each instance, say what became of it (RF-4.2.1, MR-3.2.3).

Every instance that is asked for gets exactly one :class:`Sent`, whatever happens: a file that is none, a peer that
takes no such SOP Class, a status, an association that breaks. The caller decides whether a failure ends the rest.

Where the peer ends an association, the instance that it had not answered then is under suspicion. The others are
offered at once on a new association, one at a time from then on; those under suspicion are tried once more behind them.
A peer that ends several associations in a row without an answer to anything is left alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from openmodality.errors import NoPresentationContext, OpenModalityError
from openmodality.network.association import Association
from openmodality.network.storage.instances import FileInstance
from openmodality.network.storage.pipeline import StorePipeline
from openmodality.network.storage.reader import InstanceReader
from openmodality.network.storage.sent import DEFAULT_OPTIONS, SendOptions, Sent, explain_not_sent, is_loss_by_peer
from openmodality.services.storage_plan import AssociationPlan, plan_associations

MAX_IN_VAIN: Final = 3
"""So many associations in a row may end without an answer to anything, before the rest is left for another time."""

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
        """Over one association, or more where the peer or a file of ours breaks one off."""
        run = _Run(association_plan, instances)
        yield from self._work_off(run)
        if run.suspects and run.is_peer_working:
            again = _Run(association_plan, [sent.instance for sent in run.suspects], is_last=True)
            again.lost = {sent.instance: sent for sent in run.suspects}
            yield from self._work_off(again)
        elif run.suspects:
            self._end_with(run.suspects[-1])
            yield from run.suspects

    def _work_off(self, run: _Run) -> Iterator[Sent]:
        left = run.left
        while left:
            try:
                association = self._associate(run.plan)
            except OpenModalityError as error:
                yield from self._give_up(run, error)
                return
            with association:
                pipeline = StorePipeline(
                    association, self._reader, self._options, self._refused, one_at_a_time=bool(run.lost)
                )
                yield from run.follow(pipeline, stop=self._options.stop_on_failure)
            if self._options.stop_on_failure or not (pipeline.is_broken_by_file or run.goes_on):
                self._end_with(pipeline.end)
                yield from run.explain(explain_not_sent(pipeline.end))
                return

    def _give_up(self, run: _Run, error: OpenModalityError) -> Iterator[Sent]:
        left = run.left
        if self._refused is not None and isinstance(error, NoPresentationContext):
            self._refused += left
        elif self._options.stop_on_failure:
            end = Sent(left.popleft(), error=error)
            self._end_with(end)
            yield end
            yield from run.explain(explain_not_sent(end))
        else:
            self._end_with(Sent(left[0], error=error))
            yield from run.explain(error)

    def _end_with(self, cause: Sent | None) -> None:
        self._loss = cause
        if self._options.stop_on_failure:
            self._end = cause


class _Run:
    """The instances of one plan, on as many associations as they take.

    ``lost`` has those of which an association was lost, with why. ``suspects`` are those for which it was lost; with
    ``is_last`` they are given out at once. ``goes_on`` says whether another association is worth it.
    """

    def __init__(self, plan: AssociationPlan, instances: Sequence[FileInstance], *, is_last: bool = False) -> None:
        self.plan = plan
        self.left = deque(instances)
        self.lost: dict[FileInstance, Sent] = {}
        self.suspects: list[Sent] = []
        self.is_peer_working = False
        self.goes_on = False
        self._is_last = is_last
        self._places = {instance: place for place, instance in enumerate(instances)}
        self._in_vain = 0

    def follow(self, pipeline: StorePipeline, *, stop: bool) -> Iterator[Sent]:
        """Give out what becomes of the instances of one association, and put those back that it did not get to."""
        lost, has_answered = [], False
        for sent in pipeline.send(self.left):
            if not stop and is_loss_by_peer(pipeline.end) and sent.result is None and not sent.is_own_fault:
                lost.append(sent)
            else:
                has_answered = has_answered or sent.result is not None
                yield sent
        self._in_vain = 0 if has_answered else self._in_vain + 1
        self.is_peer_working = self.is_peer_working or (has_answered and bool(self.lost))
        self.goes_on = pipeline.end is None or (bool(lost) and self._in_vain < MAX_IN_VAIN)
        yield from self._put_back(lost)

    def _put_back(self, lost: list[Sent]) -> Iterator[Sent]:
        if not lost:
            return
        lost.sort(key=lambda sent: self._places[sent.instance])
        for sent in lost:
            if sent.was_offered or sent.instance not in self.lost:
                self.lost[sent.instance] = sent
        suspect, *others = lost
        self.left.extendleft(sent.instance for sent in reversed(others))
        if self._is_last:
            yield suspect
        else:
            self.suspects.append(suspect)

    def explain(self, error: OpenModalityError) -> Iterator[Sent]:
        """What is left, each with why the association was lost that it was on, or else with this error."""
        while self.left:
            instance = self.left.popleft()
            yield self.lost.get(instance) or Sent(instance, error=error)
