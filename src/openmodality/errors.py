"""One tree of errors that says whose fault it is and what to do next.

Texts never hold data set content or raw input, because that may be patient data. A DIMSE status is a value, not an
error; only an operation that cannot go on raises. ``str(error)`` is what a person reads: what is wrong, then what to
do. ``error.message`` alone is for a log, a job's reason, an answer to a peer and another error's message.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Final

TCP_CONNECTION: Final = "TCP connection"
"""What :class:`PeerTimeout` was waiting for where nothing listens at the peer's address."""
_MOST_TOLD: Final = 5
"""Problems that an error tells of by itself."""


class OpenModalityError(Exception):
    """Root of all errors raised on purpose. ``advice`` tells what to do next, empty where nothing helps."""

    advice = ""

    def __init__(self, message: str, *, advice: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if advice is not None:
            self.advice = advice

    def __str__(self) -> str:
        return f"{self.message}; {self.advice}" if self.advice else self.message


class UsageError(OpenModalityError):
    """The caller asked for something that makes no sense, such as sending before an association exists."""


class NotFound(UsageError):
    """There is no exam, job, worklist item, instance or other thing of that name."""


class WrongState(UsageError):
    """It exists, but its state does not allow what was asked, such as completing an exam that has ended."""


class ConfigurationError(OpenModalityError):
    """A profile or site file is wrong; the message names file, line or key, and what is allowed."""


class ProtocolError(OpenModalityError):
    """The peer broke PS3.7 or PS3.8; the association is aborted."""


class AssociationRejected(OpenModalityError):
    """A-ASSOCIATE-RJ: ``result``, ``source``, ``reason`` as in PS3.8 Table 9-21."""

    def __init__(self, message: str, *, result: int, source: int, reason: int, advice: str | None = None) -> None:
        super().__init__(message, advice=advice)
        self.result, self.source, self.reason = result, source, reason

    @property
    def transient(self) -> bool:
        """Whether the same request may succeed later (result 2, rejected-transient)."""
        return self.result == 2


class AssociationAborted(OpenModalityError):
    """A-ABORT or A-P-ABORT: ``source`` and ``reason`` as in PS3.8 Table 9-26."""

    def __init__(self, message: str, *, source: int, reason: int, advice: str | None = None) -> None:
        super().__init__(message, advice=advice)
        self.source, self.reason = source, reason


class AssociationReleased(OpenModalityError):
    """The peer released the association while something was still wanted of it."""


class NoPresentationContext(OpenModalityError):
    """The peer accepted no presentation context for what is to be done."""


class TransportError(OpenModalityError):
    """The connection could not be made or broke; trying again may help."""


class NotReached(TransportError):
    """There is no TCP connection to the address of a peer: nothing listens there, or nobody knows the host."""


class NotTrusted(TransportError):
    """TLS failed: one side does not trust the other, they have no version or suite in common, or data was changed on
    its way.

    ``kind`` is one of :mod:`openmodality.network.tls_failures`, empty where nobody could say; ``reason`` is the message
    without the peer.
    """

    def __init__(self, message: str, *, advice: str | None = None, kind: str = "", reason: str = "") -> None:
        super().__init__(message, advice=advice)
        self.kind = kind
        self.reason = reason or message


class PeerTimeout(TransportError):
    """The peer did not answer in time; ``waiting_for`` names what was waited for."""

    def __init__(self, message: str, *, waiting_for: str, advice: str | None = None) -> None:
        super().__init__(message, advice=advice)
        self.waiting_for = waiting_for


class ObjectInvalid(OpenModalityError):
    """An instance or data set breaks its definition; tags are named, values never.

    ``tag`` is the attribute that was given wrongly, so that a caller can explain it; 0 where it is not one attribute.
    """

    def __init__(self, message: str, *, advice: str | None = None, tag: int = 0) -> None:
        super().__init__(message, advice=advice)
        self.tag = tag


class OtherIdentity(ObjectInvalid):
    """An input names another patient or request than the exam; ``advice`` shows both to the operator."""


class PartlyTaken(ObjectInvalid):
    """Of several inputs some made no images; the others did.

    ``made`` are the series of the others, ``problems`` says by the name of each input what is wrong with it.
    """

    def __init__(self, made: Sequence[Any], problems: Mapping[str, OpenModalityError]) -> None:
        told = "; ".join(each.message for each in islice(problems.values(), _MOST_TOLD))
        more = f"; and {len(problems) - _MOST_TOLD} more" if len(problems) > _MOST_TOLD else ""
        super().__init__(
            f"{len(problems)} of the inputs made no images: {told}{more}",
            advice="the images of the others are stored; correct these, and give them alone",
        )
        self.made, self.problems = made, problems


class StoreError(OpenModalityError):
    """The local database or the instance files cannot do what was asked."""


class StoreAway(StoreError):
    """The database does not answer now, or another program holds it: the same may succeed in a moment."""


def describe_fault(error: BaseException) -> dict[str, str]:
    """An error that nobody foresaw, as fields of a log event: its type and where it happened.

    Its text is left out, because that may hold data; ``trace`` is shown with ``--debug`` only.
    """
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    return {"error": type(error).__name__, "place": place, "trace": "".join(frames.format())}
