"""What a Status (0000,0900) says about the operation, PS3.7 Annex C."""

from __future__ import annotations

from enum import Enum

from openmodality.standard.dimse import GENERAL_WARNINGS, STATUS_MEANINGS
from openmodality.standard.statuses import CategoryName


class StatusCategory(Enum):
    """The five types of PS3.7 C.1 to C.5."""

    SUCCESS = "Success"
    PENDING = "Pending"
    CANCEL = "Cancel"
    WARNING = "Warning"
    FAILURE = "Failure"

    @classmethod
    def from_name(cls, name: CategoryName) -> StatusCategory:
        """The category that tables write in small letters."""
        return cls(name.capitalize())


def categorize(status: int) -> StatusCategory:
    """Sort a status code; what is neither success, pending, cancel nor warning is a failure."""
    if status == 0x0000:
        return StatusCategory.SUCCESS
    if status in (0xFF00, 0xFF01):
        return StatusCategory.PENDING
    if status == 0xFE00:
        return StatusCategory.CANCEL
    if status in GENERAL_WARNINGS or status >> 12 == 0xB:
        return StatusCategory.WARNING
    return StatusCategory.FAILURE


def is_pending(status: int | None) -> bool:
    """Whether more responses follow."""
    return status in (0xFF00, 0xFF01)


def describe(status: int, comment: str | None = None) -> str:
    """``"A700 Failure"`` or, where PS3.7 names the code, its meaning; the peer's Error Comment in brackets."""
    meaning = STATUS_MEANINGS.get(status, categorize(status).value)
    text = f"{status:04X} {meaning}"
    return f"{text} ({comment})" if comment else text
