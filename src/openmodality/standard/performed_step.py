"""What an SCU of Modality Performed Procedure Step has to send, PS3.4 Table F.7.2-1.

Conditions "required if the item is present" are types 1 and 2 here, because rules below a sequence hold for the items
that are there. Attributes that are not listed are type 3 in both operations.
"""

from __future__ import annotations

from typing import Final, NamedTuple

NOT_ALLOWED: Final = "-"


class StepRule(NamedTuple):
    """Types of one attribute: in N-CREATE, in N-SET (``-`` for not allowed) and when the final state is set."""

    path: tuple[int, ...]
    n_create: str
    n_set: str
    final: str


def _only_created(path: tuple[int, ...], n_create: str) -> StepRule:
    return StepRule(path, n_create, NOT_ALLOWED, "")


_SCHEDULED: Final = 0x00400270
_SERIES: Final = 0x00400340
_STUDY: Final = 0x00081110
_PROTOCOL_CODE: Final = 0x00400008
_PATIENT: Final = 0x00081120
_PROCEDURE_CODE: Final = 0x00081032
_PERFORMED_PROTOCOL_CODE: Final = 0x00400260
_IMAGES: Final = 0x00081140

PERFORMED_STEP_RULES: Final = (
    # Performed Procedure Step Relationship
    _only_created((_SCHEDULED,), "1"),
    _only_created((_SCHEDULED, 0x0020000D), "1"),  # Study Instance UID
    _only_created((_SCHEDULED, _STUDY), "2"),
    _only_created((_SCHEDULED, _STUDY, 0x00081150), "1"),
    _only_created((_SCHEDULED, _STUDY, 0x00081155), "1"),
    _only_created((_SCHEDULED, 0x00080050), "2"),  # Accession Number
    _only_created((_SCHEDULED, 0x00402016), "3"),  # Placer Order Number
    _only_created((_SCHEDULED, 0x00402017), "3"),  # Filler Order Number
    _only_created((_SCHEDULED, 0x00401001), "2"),  # Requested Procedure ID
    _only_created((_SCHEDULED, 0x00321060), "2"),  # Requested Procedure Description
    _only_created((_SCHEDULED, 0x00400009), "2"),  # Scheduled Procedure Step ID
    _only_created((_SCHEDULED, 0x00400007), "2"),  # Scheduled Procedure Step Description
    _only_created((_SCHEDULED, _PROTOCOL_CODE), "2"),
    _only_created((_SCHEDULED, _PROTOCOL_CODE, 0x00080100), "1"),
    _only_created((_SCHEDULED, _PROTOCOL_CODE, 0x00080102), "1"),
    _only_created((_SCHEDULED, _PROTOCOL_CODE, 0x00080103), "3"),
    _only_created((_SCHEDULED, _PROTOCOL_CODE, 0x00080104), "3"),
    _only_created((0x00100010,), "2"),  # Patient's Name
    _only_created((0x00100020,), "2"),  # Patient ID
    _only_created((0x00100030,), "2"),  # Patient's Birth Date
    _only_created((0x00100040,), "2"),  # Patient's Sex
    _only_created((_PATIENT,), "2"),
    _only_created((_PATIENT, 0x00081150), "1"),
    _only_created((_PATIENT, 0x00081155), "1"),
    # Performed Procedure Step Information
    _only_created((0x00400253,), "1"),  # Performed Procedure Step ID
    _only_created((0x00400241,), "1"),  # Performed Station AE Title
    _only_created((0x00400242,), "2"),  # Performed Station Name
    _only_created((0x00400243,), "2"),  # Performed Location
    _only_created((0x00400244,), "1"),  # Performed Procedure Step Start Date
    _only_created((0x00400245,), "1"),  # Performed Procedure Step Start Time
    StepRule((0x00400252,), "1", "3", ""),  # Performed Procedure Step Status
    StepRule((0x00400254,), "2", "3", ""),  # Performed Procedure Step Description
    StepRule((0x00400255,), "2", "3", ""),  # Performed Procedure Type Description
    StepRule((_PROCEDURE_CODE,), "2", "3", ""),
    StepRule((_PROCEDURE_CODE, 0x00080100), "1", "1", ""),
    StepRule((_PROCEDURE_CODE, 0x00080102), "1", "1", ""),
    StepRule((_PROCEDURE_CODE, 0x00080103), "3", "3", ""),
    StepRule((_PROCEDURE_CODE, 0x00080104), "3", "3", ""),
    StepRule((0x00400250,), "2", "3", "1"),  # Performed Procedure Step End Date
    StepRule((0x00400251,), "2", "3", "1"),  # Performed Procedure Step End Time
    # Image Acquisition Results
    _only_created((0x00080060,), "1"),  # Modality
    _only_created((0x00200010,), "2"),  # Study ID
    StepRule((_PERFORMED_PROTOCOL_CODE,), "2", "3", ""),
    StepRule((_PERFORMED_PROTOCOL_CODE, 0x00080100), "1", "1", ""),
    StepRule((_PERFORMED_PROTOCOL_CODE, 0x00080102), "1", "1", ""),
    StepRule((_PERFORMED_PROTOCOL_CODE, 0x00080103), "3", "3", ""),
    StepRule((_PERFORMED_PROTOCOL_CODE, 0x00080104), "3", "3", ""),
    StepRule((_SERIES,), "2", "3", "1"),
    StepRule((_SERIES, 0x00081050), "2", "2", "2"),  # Performing Physician's Name
    StepRule((_SERIES, 0x00181030), "1", "1", "1"),  # Protocol Name
    StepRule((_SERIES, 0x00081070), "2", "2", "2"),  # Operators' Name
    StepRule((_SERIES, 0x0020000E), "1", "1", "1"),  # Series Instance UID
    StepRule((_SERIES, 0x0008103E), "2", "2", "2"),  # Series Description
    StepRule((_SERIES, 0x00080054), "2", "2", "2"),  # Retrieve AE Title
    StepRule((_SERIES, _IMAGES), "2", "2", ""),
    StepRule((_SERIES, _IMAGES, 0x00081150), "1", "1", ""),
    StepRule((_SERIES, _IMAGES, 0x00081155), "1", "1", ""),
    StepRule((_SERIES, 0x00400220), "2", "2", ""),  # Referenced Non-Image Composite SOP Instance Sequence
)
