"""What becomes of an instance that is sent, how it is to be sent, and why it was not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from openmodality.dimse.verdict import Judge
from openmodality.errors import (
    AssociationRejected,
    NoPresentationContext,
    ObjectInvalid,
    OpenModalityError,
    TransportError,
)
from openmodality.network.storage.instances import FileInstance
from openmodality.services.storage import STORE_JUDGE, MoveOriginator, StoreResult

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


def explain_not_sent(cause: Sent | None) -> OpenModalityError:
    """Make the error of an instance that was not sent, because ``cause`` came before it."""
    if cause is not None and cause.error is not None and not isinstance(cause.error, _OF_ONE_INSTANCE):
        return TransportError(f"not sent, because the association ended: {cause.error}", advice=cause.error.advice)
    return TransportError("not sent, because an instance before it failed")


def explain_not_answered(cause: Sent) -> OpenModalityError:
    """Make the error of an instance that was sent, and whose response did not come because of ``cause``."""
    why = "an instance after it failed" if cause.error is None else f"the association ended: {cause.error}"
    return TransportError(
        f"sent, but not answered, because {why}", advice="the peer may have it; send it again to be sure"
    )
