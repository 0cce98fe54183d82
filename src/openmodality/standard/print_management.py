"""Event types, actions and statuses of print management, PS3.4 Annex H."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final

PRINT: Final = 1
"""Action Type ID of N-ACTION for a film session or a film box (PS3.4 H.4.1.2.5, H.4.2.2.5)."""


class PrinterStatus(StrEnum):
    """(2110,0010) Printer Status, PS3.3 C.13.9."""

    NORMAL = "NORMAL"
    WARNING = "WARNING"
    FAILURE = "FAILURE"


class PrinterEvent(IntEnum):
    """Event Type ID of N-EVENT-REPORT for the printer (PS3.4 Table H.4-12)."""

    NORMAL = 1
    WARNING = 2
    FAILURE = 3


class PrintStatus(IntEnum):
    """Status values of print management beside those of every service (PS3.4 H.4.1.2, H.4.2.2, H.4.3.1.2)."""

    MEMORY_ALLOCATION_UNSUPPORTED = 0xB600
    COLLATION_UNSUPPORTED = 0xB601
    SESSION_HAS_EMPTY_PAGE = 0xB602
    EMPTY_PAGE = 0xB603
    IMAGE_DEMAGNIFIED = 0xB604
    DENSITY_OUT_OF_RANGE = 0xB605
    IMAGE_CROPPED = 0xB609
    IMAGE_DECIMATED = 0xB60A
    NO_FILM_BOX = 0xC600
    QUEUE_FULL_FOR_SESSION = 0xC601
    QUEUE_FULL = 0xC602
    IMAGE_TOO_LARGE = 0xC603
    OUT_OF_MEMORY = 0xC605
    COMBINED_IMAGE_TOO_LARGE = 0xC613
    FILM_BOX_NOT_PRINTED = 0xC616
