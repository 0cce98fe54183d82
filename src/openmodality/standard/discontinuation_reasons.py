"""Why a procedure step was discontinued: PS3.16 CID 9300, Procedure Discontinuation Reason."""

from __future__ import annotations

from typing import Final, NamedTuple


class Reason(NamedTuple):
    """A coded reason; its (0008,0102) Coding Scheme Designator is DCM."""

    code_value: str
    meaning: str


DISCONTINUATION_REASONS: Final[dict[str, Reason]] = {
    reason.code_value: reason
    for reason in (
        Reason("110500", "Doctor canceled procedure"),
        Reason("110501", "Equipment failure"),
        Reason("110502", "Incorrect procedure ordered"),
        Reason("110503", "Patient allergic to media/contrast"),
        Reason("110504", "Patient died"),
        Reason("110505", "Patient refused to continue procedure"),
        Reason("110506", "Patient taken for treatment or surgery"),
        Reason("110507", "Patient did not arrive"),
        Reason("110508", "Patient pregnant"),
        Reason("110509", "Change of procedure for correct charging"),
        Reason("110510", "Duplicate order"),
        Reason("110511", "Nursing unit cancel"),
        Reason("110512", "Incorrect side ordered"),
        Reason("110513", "Discontinued for unspecified reason"),
        Reason("110514", "Incorrect worklist entry selected"),
        Reason("110515", "Patient condition prevented continuing"),
        Reason("110516", "Equipment change"),
    )
}
UNSPECIFIED: Final = "110513"
"""The reason where nobody gave one."""
WRONG_WORKLIST_ENTRY: Final = "110514"
"""The reason that leaves the item to be done (PS3.16 CID 9301)."""


def describe_reasons() -> str:
    """All reasons with their codes, for people."""
    return ", ".join(f"{each.code_value} {each.meaning}" for each in DISCONTINUATION_REASONS.values())
