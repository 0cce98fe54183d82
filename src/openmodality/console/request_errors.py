"""What can be wrong with a request of a program, besides what it is for."""

from __future__ import annotations

from collections.abc import Sequence

from openmodality.errors import OpenModalityError, UsageError
from openmodality.value_class import dataclass


@dataclass(frozen=True, slots=True)
class FieldFault:
    """What is wrong with one value of a request; ``where`` is its place, such as ``body.patient.PatientID``."""

    where: str
    detail: str


class RequestInvalid(UsageError):
    """Values of a request are not what the API takes."""

    def __init__(self, faults: Sequence[FieldFault]) -> None:
        places = ", ".join(dict.fromkeys(fault.where for fault in faults))
        super().__init__(f"the request is not valid: {places}", advice="errors says what is wrong with each value")
        self.faults = faults


class BodyNotJson(UsageError):
    """The body of a request is of a type that is not taken where JSON is."""

    def __init__(self, media_type: str) -> None:
        kind = media_type.partition(";")[0].strip()[:80]
        said = f"the body is {kind}, and this takes application/json" if kind else "the body does not say what it is"
        super().__init__(said, advice='send JSON with "Content-Type: application/json", as curl --json does')


class TooManyRequests(OpenModalityError):
    """So much is being done already that this has to wait."""

    advice = "try again in a moment"


class KeyReused(UsageError):
    """An Idempotency-Key was used for another request before."""
