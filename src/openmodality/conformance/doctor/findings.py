"""The findings of an examination: sentences for people, and the values that they were made of."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from openmodality.errors import (
    AssociationAborted,
    AssociationRejected,
    AssociationReleased,
    NoPresentationContext,
    NotTrusted,
    OpenModalityError,
    PeerTimeout,
    ProtocolError,
    TransportError,
)
from openmodality.standard.statuses import ServiceName
from openmodality.value_class import dataclass


class Severity(StrEnum):
    """How a finding is to be taken."""

    FACT = "fact"
    """As a device expects it, or neither good nor bad."""
    NOTE = "note"
    """Otherwise than a device expects; it works, perhaps with a line in the site file."""
    PROBLEM = "problem"
    """It will fail."""
    UNTRIED = "untried"
    """It was not looked at, and why."""


@dataclass(frozen=True, slots=True)
class PeerFinding:
    """One sentence about one subject."""

    area: str
    subject: str
    verdict: Severity
    text: str


@dataclass(frozen=True, slots=True)
class OfferedClass:
    """A SOP class that was proposed to the peer; ``refusal`` is empty where it was accepted.

    ``transfer_syntaxes`` are those in which it was accepted, each proposed alone.
    """

    sop_class_uid: str
    name: str
    service: ServiceName
    refusal: str = ""
    transfer_syntaxes: tuple[str, ...] = ()

    @property
    def is_accepted(self) -> bool:
        """Whether the peer takes it from us."""
        return not self.refusal


class KeyReturn(StrEnum):
    """With what a return key comes back."""

    VALUE = "value"
    EMPTY = "empty"
    ABSENT = "absent"
    UNKNOWN = "unknown"
    """Nothing matched."""


class KeyMatching(StrEnum):
    """What a peer makes of a matching key."""

    HONOURED = "honoured"
    IGNORED = "ignored"
    WRONG = "wrong"
    """It leaves out what matches."""
    REFUSED = "refused"
    UNTRIED = "untried"


@dataclass(frozen=True, slots=True)
class KeyAnswer:
    """How the peer treats one key of a query, which is named by its path in keywords."""

    service: ServiceName
    level: str
    path: str
    returned: KeyReturn
    matching: KeyMatching = KeyMatching.UNTRIED

    @property
    def loses_matches(self) -> bool:
        """Whether a query that is narrowed by it does not bring all that matches."""
        return self.matching in (KeyMatching.WRONG, KeyMatching.REFUSED)


@dataclass(frozen=True, slots=True)
class Written:
    """What the examination has left at the peer, so that it can be taken away again."""

    kind: str
    uid: str
    text: str


ENDED_WELL: Final = "done"
ENDLESS: Final = "endless"
NO_ANSWER: Final = "silent"
ABORTED: Final = "aborted"
CUT: Final = "cut"
NO_CONTEXT: Final = "no context"
REJECTED: Final = "rejected"

_OUTCOMES: Final = (
    (NoPresentationContext, NO_CONTEXT),
    (PeerTimeout, NO_ANSWER),
    (AssociationAborted, ABORTED),
    (AssociationReleased, "released"),
    (NotTrusted, "not trusted"),
    (TransportError, CUT),
    (ProtocolError, "protocol broken"),
)


def classify(error: OpenModalityError) -> str:
    """The word for a failure of a request that ``personalities.csv`` uses."""
    if isinstance(error, AssociationRejected):
        return f"{REJECTED} {error.result}/{error.source}/{error.reason}"
    return next((word for kind, word in _OUTCOMES if isinstance(error, kind)), "failed")


def format_status(status: int) -> str:
    """A status as an outcome: ``status A700``."""
    return f"status {status:04X}"
