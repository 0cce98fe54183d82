"""How long a value may be, PS3.5 Table 6.2-1."""

from __future__ import annotations

from typing import Final

MAX_CHARACTERS: Final = {
    "AE": 16,
    "AS": 4,
    "CS": 16,
    "DA": 8,
    "DS": 16,
    "DT": 26,
    "IS": 12,
    "LO": 64,
    "LT": 10240,
    "PN": 64,
    "SH": 16,
    "ST": 1024,
    "TM": 14,
    "UI": 64,
}
"""Characters of one value, of one component group for PN; VRs that are not listed are bounded by their length field
only."""
