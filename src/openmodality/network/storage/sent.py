"""What becomes of an instance that is sent, how it is to be sent, and why it was not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from openmodality.dimse.verdict import Judge
from openmodality.errors import (
    AssociationAborted,
    AssociationRejected,
    NoPresentationContext,
    ObjectInvalid,
    OpenModalityError,
    PeerTimeout,
    TransportError,
)
from openmodality.network.storage.instances import FileInstance
from openmodality.services.storage import STORE_JUDGE, MoveOriginator, StoreResult
from openmodality.standard.dimse import Priority
from openmodality.value_class import dataclass

_OF_ONE_INSTANCE: Final = (ObjectInvalid, NoPresentationContext)
"""Errors that say nothing of the peer or the connection; trying again does not help."""


class NotOffered(TransportError):
    """An instance of which nothing was sent, because the association had ended before its turn."""


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
    def is_own_fault(self) -> bool:
        """Whether the error is of the instance alone: its file, or a SOP Class that the peer does not take."""
        return isinstance(self.error, _OF_ONE_INSTANCE)

    @property
    def was_offered(self) -> bool:
        """Whether the peer has seen anything of it; what it has not seen is to come first the next time."""
        return not isinstance(self.error, NotOffered)

    @property
    def is_transient(self) -> bool:
        """Whether trying again later may help, without anybody changing anything."""
        if self.result is not None:
            return self.result.verdict.is_transient
        if isinstance(self.error, AssociationRejected):
            return self.error.transient
        return not self.is_own_fault


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
    priority: int = Priority.MEDIUM


DEFAULT_OPTIONS: Final = SendOptions()


def is_loss_by_peer(end: Sent | None) -> bool:
    """Whether an association ended because the peer, or the network, ended it: another may be open at once.

    After a time-out it is the other way round: a peer that is too slow is not asked again (RF-4.2.1.3.1.3-07).
    """
    error = None if end is None else end.error
    return isinstance(error, AssociationAborted | TransportError) and not isinstance(error, PeerTimeout)


def explain_not_sent(cause: Sent | None) -> OpenModalityError:
    """Make the error of an instance that was not sent, because ``cause`` came before it."""
    if cause is not None and cause.error is not None and not isinstance(cause.error, _OF_ONE_INSTANCE):
        why = f"not sent, because the association ended: {cause.error.message}"
        return NotOffered(why, advice=cause.error.advice)
    return NotOffered("not sent, because an instance before it failed")


def explain_not_answered(cause: Sent) -> OpenModalityError:
    """Make the error of an instance that was sent, and whose response did not come because of ``cause``."""
    why = "an instance after it failed" if cause.error is None else f"the association ended: {cause.error.message}"
    return TransportError(
        f"sent, but not answered, because {why}", advice="the peer may have it; send it again to be sure"
    )
